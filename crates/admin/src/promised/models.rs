//! What answers about deployments, model groups, access groups and credentials promise.

use super::{COUNTED, DONE, MADE, MESSAGE, Promise};
use crate::answer::{Answer, Part, Told};
use crate::shape::{Field, count, dollars, flag, list, object, text, texts};

const NAME: Field = text("model_name", "The name of its model group, or a pattern");
const PARAMS: Field = object("litellm_params", "What is called and how, without secrets");
const ABOUT: Field = object("model_info", "Its id, access groups, prices and limits");
/// A row of the database.
const ROW: Told = Told {
    name: "StoredDeployment",
    parts: &[
        Part::Fields(&[
            text("model_id", "The deployment"),
            NAME,
            PARAMS,
            ABOUT,
            flag("blocked", "Whether it gets no calls for now"),
        ]),
        Part::May(&[
            text("left_out", "Why it is not used"),
            list("warnings", "What is not as it seems"),
        ]),
        MADE,
    ],
};
const ENTRY: Told = Told {
    name: "Deployment",
    parts: &[Part::Fields(&[NAME, PARAMS]), Part::One("model_info", &INFO)],
};
const INFO: Told = Told {
    name: "DeploymentInfo",
    parts: &[
        Part::Fields(&[
            text("id", "The deployment"),
            flag("db_model", "Whether it is kept in the database"),
            flag("blocked", "Whether it gets no calls for now"),
            text("litellm_provider", "Its provider"),
            text("mode", "What it is for"),
            count("max_input_tokens", "Most tokens of a prompt"),
            count("max_output_tokens", "Most tokens of an answer"),
            count("max_tokens", "The same"),
            dollars("input_cost_per_token", "Dollars for one token of a prompt"),
            dollars("output_cost_per_token", "Dollars for one token of an answer"),
        ]),
        Part::May(&[
            text("left_out", "Why it is not used"),
            list("warnings", "What is not as it seems"),
        ]),
    ],
};
const ENTRIES: Told = Told { name: "Deployments", parts: &[Part::List("data", &ENTRY)] };
const PAGE: Told = Told {
    name: "PageOfDeployments",
    parts: &[Part::List("data", &ENTRY), COUNTED, Part::Fields(&[count("size", "Most on a page")])],
};
const GROUP: Told = Told {
    name: "ModelGroup",
    parts: &[Part::Fields(&[
        text("model_group", "Its name"),
        texts("providers", "Who serves it"),
        text("mode", "What it is for"),
        count("rpm", "Requests a minute of all deployments"),
        count("tpm", "Tokens a minute of all deployments"),
        count("max_input_tokens", "Most tokens of a prompt"),
        count("max_output_tokens", "Most tokens of an answer"),
        dollars("input_cost_per_token", "Dollars for one token of a prompt"),
        dollars("output_cost_per_token", "Dollars for one token of an answer"),
    ])],
};
const GROUPS: Told = Told { name: "ModelGroups", parts: &[Part::List("data", &GROUP)] };

const IN_GROUP: Field = text("access_group", "The group");
const ACCESS_GROUP: Told = Told {
    name: "AccessGroup",
    parts: &[Part::Fields(&[
        IN_GROUP,
        texts("model_names", "The model groups in it"),
        texts("model_ids", "The deployments in it"),
        count("deployment_count", "How many"),
    ])],
};
const ACCESS_GROUPS: Told =
    Told { name: "AccessGroups", parts: &[Part::List("access_groups", &ACCESS_GROUP)] };
const CHANGED_GROUP: Told = Told {
    name: "ChangedAccessGroup",
    parts: &[Part::Fields(&[
        IN_GROUP,
        texts("model_names", "As they were named"),
        texts("model_ids", "As they were named"),
        count("models_updated", "How many deployments changed"),
    ])],
};
const DELETED_GROUP: Told = Told {
    name: "DeletedAccessGroup",
    parts: &[Part::Fields(&[
        IN_GROUP,
        count("models_updated", "How many deployments changed"),
        MESSAGE,
    ])],
};

const CREDENTIAL: Told = Told {
    name: "Credential",
    parts: &[Part::Fields(&[
        text("credential_name", "The credential"),
        object("credential_values", "Its values, secrets masked"),
        object("credential_info", "What is known of it"),
    ])],
};
const CREDENTIALS: Told = Told {
    name: "Credentials",
    parts: &[Part::Fields(&[SUCCESS]), Part::List("credentials", &CREDENTIAL)],
};
const SUCCESS: Field = flag("success", "True");
const CHANGED_CREDENTIAL: Told =
    Told { name: "ChangedCredential", parts: &[Part::Fields(&[SUCCESS, MESSAGE])] };

pub(super) const ALL: &[Promise] = &[
    ("POST", "/model/new", Answer::One(&ROW)),
    ("PATCH", "/model/{model_id}/update", Answer::One(&ROW)),
    ("POST", "/model/update", Answer::One(&ROW)),
    ("POST", "/model/delete", Answer::One(&DONE)),
    ("POST", "/model/block", Answer::One(&ROW)),
    ("POST", "/model/unblock", Answer::One(&ROW)),
    ("GET", "/model/info", Answer::One(&ENTRIES)),
    ("GET", "/v1/model/info", Answer::One(&ENTRIES)),
    ("GET", "/v2/model/info", Answer::One(&PAGE)),
    ("GET", "/model_group/info", Answer::One(&GROUPS)),
    ("POST", "/access_group/new", Answer::One(&CHANGED_GROUP)),
    ("PUT", "/access_group/{access_group}/update", Answer::One(&CHANGED_GROUP)),
    ("DELETE", "/access_group/{access_group}/delete", Answer::One(&DELETED_GROUP)),
    ("GET", "/access_group/{access_group}/info", Answer::One(&ACCESS_GROUP)),
    ("GET", "/access_group/list", Answer::One(&ACCESS_GROUPS)),
    ("GET", "/credentials", Answer::One(&CREDENTIALS)),
    ("GET", "/credentials/by_name/{*credential_name}", Answer::One(&CREDENTIAL)),
    ("GET", "/credentials/by_model/{model_id}", Answer::One(&CREDENTIAL)),
    ("POST", "/credentials", Answer::One(&CHANGED_CREDENTIAL)),
    ("PATCH", "/credentials/{*credential_name}", Answer::One(&CHANGED_CREDENTIAL)),
    ("DELETE", "/credentials/{*credential_name}", Answer::One(&CHANGED_CREDENTIAL)),
];
