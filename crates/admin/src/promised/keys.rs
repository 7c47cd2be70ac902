//! What answers about keys promise.

use super::{ACCOUNT, COUNTED, MADE, METADATA, Promise};
use crate::answer::{Answer, Part, Told};
use crate::limits::LIMITS;
use crate::shape::{Field, count, dollars, flag, instant, list, object, text, texts};

/// A key, without its hash.
pub(super) const KEY: Told =
    Told { name: "Key", parts: &[Part::Fields(&OWN), Part::Fields(&LIMITS), ACCOUNT, MADE] };
const OWN: [Field; 16] = [
    text("key_name", "Its text, all but the ends left out"),
    text("key_alias", "The name that people chose"),
    instant("expires", "Until when it can be used"),
    texts("models", "The granted models; empty grants every one"),
    text("user_id", "The user it belongs to"),
    text("team_id", "The team it belongs to"),
    text("organization_id", "The organization it belongs to"),
    text("project_id", "The project it belongs to"),
    text("budget_id", "The shared budget whose rules fill what is left open"),
    texts("allowed_routes", "The paths and groups of routes it may call"),
    text("key_type", "What it is for"),
    object("aliases", "Its own names of models"),
    texts("enforced_params", "Fields that the body of every call has"),
    texts("tags", "Tags of every call"),
    flag("blocked", "Whether its calls are refused for now"),
    METADATA,
];
const HASH: Field = text("token", "Its hash, by which it can be named");
/// A key as lists tell it.
pub(super) const LISTED: Told =
    Told { name: "ListedKey", parts: &[Part::All(&KEY), Part::Fields(&[HASH])] };
/// A key with its text, which is told once.
const NEW: Told = Told {
    name: "NewKey",
    parts: &[
        Part::All(&KEY),
        Part::Fields(&[HASH, text("token_id", "The same"), text("key", "Its text, told once")]),
    ],
};
const NAMED: Field = text("key", "Its hash");
const CHANGED: Told =
    Told { name: "ChangedKey", parts: &[Part::All(&KEY), Part::Fields(&[NAMED])] };
const INFO: Told =
    Told { name: "KeyInfo", parts: &[Part::Fields(&[NAMED]), Part::One("info", &KEY)] };
const INFOS: Told = Told {
    name: "KeyInfos",
    parts: &[Part::Fields(&[texts("key", "The hashes")]), Part::List("info", &KEY)],
};
const PAGE: Told = Told {
    name: "PageOfKeys",
    parts: &[Part::Fields(&[list("keys", "Hashes, or whole keys")]), COUNTED],
};
const ALIASES: Told = Told {
    name: "PageOfAliases",
    parts: &[
        Part::Fields(&[texts("aliases", "The names"), count("size", "Most on a page")]),
        COUNTED,
    ],
};
const DELETED: Told = Told {
    name: "DeletedKeys",
    parts: &[Part::Fields(&[texts("deleted_keys", "As they were named, texts as hashes")])],
};
const RESET: Told = Told {
    name: "ResetSpend",
    parts: &[Part::Fields(&[
        text("key_hash", "The key"),
        dollars("spend", "Dollars that count now"),
        dollars("previous_spend", "Dollars that counted before"),
        dollars("max_budget", "Most dollars in one period"),
        instant("budget_reset_at", "When the period ends"),
    ])],
};
const BULK: Told = Told {
    name: "ChangedKeys",
    parts: &[
        Part::Fields(&[count("total_requested", "How many were named")]),
        Part::List("successful_updates", &UPDATED),
        Part::List("failed_updates", &FAILED),
    ],
};
const UPDATED: Told =
    Told { name: "UpdatedKey", parts: &[Part::Fields(&[NAMED]), Part::One("key_info", &KEY)] };
const FAILED: Told = Told {
    name: "KeyNotUpdated",
    parts: &[Part::Fields(&[text("failed_reason", "Why it was not changed")])],
};
const HEALTH: Told = Told {
    name: "KeyHealth",
    parts: &[
        Part::Fields(&[text("key", "`healthy`: who is answered can call")]),
        Part::One("logging_callbacks", &CALLBACKS),
    ],
};
const CALLBACKS: Told = Told {
    name: "KeyCallbacks",
    parts: &[Part::Fields(&[
        texts("callbacks", "Logging callbacks of the key"),
        text("status", "Whether they can be called"),
        text("details", "The same in words"),
    ])],
};

pub(super) const ALL: &[Promise] = &[
    ("POST", "/key/generate", Answer::One(&NEW)),
    ("POST", "/key/service-account/generate", Answer::One(&NEW)),
    ("POST", "/key/update", Answer::One(&CHANGED)),
    ("POST", "/key/bulk_update", Answer::One(&BULK)),
    ("POST", "/key/block", Answer::One(&LISTED)),
    ("POST", "/key/unblock", Answer::One(&LISTED)),
    ("POST", "/key/regenerate", Answer::One(&NEW)),
    ("POST", "/key/{key}/regenerate", Answer::One(&NEW)),
    ("POST", "/key/{key}/reset_spend", Answer::One(&RESET)),
    ("POST", "/key/delete", Answer::One(&DELETED)),
    ("GET", "/key/info", Answer::One(&INFO)),
    ("POST", "/v2/key/info", Answer::One(&INFOS)),
    ("GET", "/key/list", Answer::One(&PAGE)),
    ("GET", "/key/aliases", Answer::One(&ALIASES)),
    ("POST", "/key/health", Answer::One(&HEALTH)),
];
