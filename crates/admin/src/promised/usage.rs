//! What answers about the log, about spend and about usage promise.

use super::Promise;
use crate::answer::{Answer, Part, Told};
use crate::shape::{Field, count, dollars, flag, instant, list, object, text, texts};

/// Usage day by day.
pub(super) const ACTIVITY: Told = Told {
    name: "Activity",
    parts: &[Part::List("results", &DAY), Part::One("metadata", &TOTALS)],
};
const DATE: Field = text("date", "The day");
const DAY: Told = Told {
    name: "ActivityOfDay",
    parts: &[
        Part::Fields(&[DATE]),
        Part::One("metrics", &METRICS),
        Part::One("breakdown", &BREAKDOWN),
    ],
};
const METRICS: Told = Told {
    name: "Metrics",
    parts: &[Part::Fields(&[
        dollars("spend", "Dollars"),
        count("prompt_tokens", "Tokens of prompts"),
        count("completion_tokens", "Tokens of answers"),
        count("total_tokens", "Both"),
        count("cache_read_input_tokens", "Tokens of prompts that a provider had kept"),
        count("cache_creation_input_tokens", "Tokens of prompts that a provider kept"),
        count("api_requests", "Calls"),
        count("successful_requests", "Calls that were answered"),
        count("failed_requests", "Calls that were not"),
        count("unpriced_requests", "Calls whose price is not known"),
    ])],
};
const BREAKDOWN: Told = Told {
    name: "Breakdown",
    parts: &[
        Part::Each("mcp_servers", &PART),
        Part::Each("models", &PART),
        Part::Each("model_groups", &PART),
        Part::Each("providers", &PART),
        Part::Each("endpoints", &PART),
        Part::Each("api_keys", &PART),
        Part::Each("entities", &PART),
    ],
};
const PART: Told = Told {
    name: "ActivityOfPart",
    parts: &[
        Part::One("metrics", &METRICS),
        Part::Fields(&[
            object("metadata", "What is known of it"),
            object("api_key_breakdown", "Empty: no such sums are kept"),
        ]),
    ],
};
const TOTALS: Told = Told {
    name: "ActivityInAll",
    parts: &[Part::Fields(&[
        dollars("total_spend", "Dollars"),
        count("total_prompt_tokens", "Tokens of prompts"),
        count("total_completion_tokens", "Tokens of answers"),
        count("total_tokens", "Both"),
        count("total_api_requests", "Calls"),
        count("total_successful_requests", "Calls that were answered"),
        count("total_failed_requests", "Calls that were not"),
        count("page", "The page, from 1"),
        count("total_pages", "How many pages there are"),
        flag("has_more", "Whether there are days on later pages"),
    ])],
};

const ENTRY: Told = Told {
    name: "LogEntry",
    parts: &[Part::Fields(&[
        text("request_id", "The call"),
        text("api_key", "The hash of the key"),
        text("key_id", "The key's identity, which no renewal changes"),
        dollars("spend", "Dollars, as corrected later"),
        dollars("recorded_spend", "Dollars, as they were recorded"),
        count("prompt_tokens", "Tokens of the prompt"),
        count("completion_tokens", "Tokens of the answer"),
        count("total_tokens", "Both"),
        instant("startTime", "When it was admitted"),
        instant("endTime", "When it was settled"),
        instant("completionStartTime", "When its answer began"),
        count("request_duration_ms", "Milliseconds between the first two"),
        text("model", "The provider's name of the model"),
        text("model_id", "The deployment"),
        text("model_group", "The model group"),
        text("custom_llm_provider", "The provider"),
        text("user", "The user"),
        text("team_id", "The team"),
        text("organization_id", "The organization"),
        text("project_id", "The project"),
        text("end_user", "The customer"),
        texts("request_tags", "Its tags"),
        object("metadata", "Empty"),
        text("status", "`success` or `failure`"),
        flag("stream", "Whether its answer came as events"),
        text("outcome", "How it ended"),
        text("usage_source", "Where its usage is known from"),
        text("price_sheet_id", "The prices that it was settled by"),
        list("attempts", "The deployments that were tried"),
    ])],
};
const LOG: Told = Told {
    name: "PageOfLog",
    parts: &[
        Part::List("data", &ENTRY),
        Part::Fields(&[
            count("total", "How many there are, as far as pages are counted"),
            flag("total_is_more", "Whether there are more than are counted"),
            count("page", "The page, from 1"),
            count("page_size", "Most on a page"),
            count("total_pages", "How many pages there are"),
            text("next_cursor", "Where the next page goes on"),
        ]),
    ],
};
const WHOLE_ENTRY: Told = Told {
    name: "WholeLogEntry",
    parts: &[
        Part::All(&ENTRY),
        Part::Fields(&[
            object("messages", "Nothing: what was asked is not kept"),
            object("response", "Nothing: what was answered is not kept"),
            object("proxy_server_request", "Nothing: no request is kept"),
        ]),
    ],
};

const TOTAL_SPEND: Field = dollars("total_spend", "Dollars");
const SPEND: Field = dollars("spend", "Dollars");
const MODEL: Field = text("model", "The model group");
const HASH: &str = "The key's hash";
const KEY_NAME: Field = text("key_name", "The key's text, all but the ends left out");
const KEY_ALIAS: Field = text("key_alias", "The key's name");
const LOG_COUNT: Field = count("log_count", "Calls");
const fn record(name: &'static str, parts: &'static [Part]) -> Told {
    Told { name, parts }
}
const WHOLE: Told =
    record("SpendInAll", &[Part::Fields(&[SPEND, dollars("max_budget", "The gateway's budget")])]);
const OF_KEY: Told = record(
    "SpendOfKey",
    &[Part::Fields(&[text("api_key", HASH), KEY_ALIAS, KEY_NAME, TOTAL_SPEND])],
);
const OF_OWN_KEY: Told = record(
    "SpendOfOwnKey",
    &[Part::Fields(&[
        text("token", HASH),
        KEY_NAME,
        KEY_ALIAS,
        text("user_id", "The user"),
        text("team_id", "The team"),
        SPEND,
    ])],
);
const OF_MODEL: Told = record("SpendOfModel", &[Part::Fields(&[MODEL, TOTAL_SPEND])]);
const OF_TEAMS: Told = record(
    "SpendOfTeams",
    &[
        Part::Fields(&[
            list("daily_spend", "Each day with what each team spent on it"),
            texts("teams", "What the teams are called"),
        ]),
        Part::List("total_spend_per_team", &OF_TEAM),
    ],
);
const OF_TEAM: Told = record(
    "SpendOfTeam",
    &[Part::Fields(&[text("team_id", "What the team is called"), TOTAL_SPEND])],
);
const OF_PROVIDER: Told =
    record("SpendOfProvider", &[Part::Fields(&[text("provider", "The provider"), SPEND])]);
const OF_TAGS: Told = record("SpendOfTags", &[Part::List("spend_per_tag", &OF_TAG)]);
const OF_TAG: Told =
    record("SpendOfTag", &[Part::Fields(&[text("name", "The tag"), SPEND, LOG_COUNT])]);
const OF_REQUEST_TAG: Told = record(
    "SpendOfRequestTag",
    &[Part::Fields(&[text("individual_request_tag", "The tag"), LOG_COUNT, TOTAL_SPEND])],
);
const OF_USER: Told = record("SpendOfUser", &[Part::Fields(&[text("user_id", "The user"), SPEND])]);
/// A day of teams or customers, or a key or user over all days.
const REPORTED: Told = record(
    "SpendReport",
    &[Part::May(&[
        text("group_by_day", "The day"),
        list("teams", "What each team spent on it"),
        list("customers", "What each customer spent on it"),
        text("api_key", HASH),
        text("internal_user_id", "The user"),
        dollars("total_cost", "Dollars"),
        count("total_input_tokens", "Tokens of prompts"),
        count("total_output_tokens", "Tokens of answers"),
        list("model_details", "The same by model group"),
    ])],
);
const CALLS: Told = record(
    "Calls",
    &[
        Part::List("daily_data", &CALLS_OF_DAY),
        Part::Fields(&[
            count("sum_api_requests", "Calls"),
            count("sum_total_tokens", "Their tokens"),
        ]),
    ],
);
const CALLS_OF_DAY: Told = record(
    "CallsOfDay",
    &[Part::Fields(&[DATE, count("api_requests", "Calls"), count("total_tokens", "Their tokens")])],
);
const CALLS_OF_MODEL: Told = record("CallsOfModel", &[Part::All(&CALLS), Part::Fields(&[MODEL])]);
const PROVIDERS: Told = record("ProviderBudgets", &[Part::Each("providers", &PROVIDER)]);
const PROVIDER: Told = record(
    "ProviderBudget",
    &[Part::Fields(&[
        dollars("budget_limit", "Most dollars in one period"),
        text("time_period", "That period"),
        SPEND,
        instant("budget_reset_at", "When it ends"),
    ])],
);
const COST: Told = record("Cost", &[Part::Fields(&[dollars("cost", "Dollars")])]);

pub(super) const ALL: &[Promise] = &[
    ("GET", "/spend/logs/v2", Answer::One(&LOG)),
    ("GET", "/spend/logs/ui", Answer::One(&LOG)),
    ("GET", "/spend/logs/ui/{request_id}", Answer::One(&WHOLE_ENTRY)),
    ("GET", "/global/spend", Answer::One(&WHOLE)),
    ("GET", "/global/spend/keys", Answer::List(&OF_KEY)),
    ("GET", "/global/spend/models", Answer::List(&OF_MODEL)),
    ("GET", "/global/spend/teams", Answer::One(&OF_TEAMS)),
    ("GET", "/global/spend/provider", Answer::List(&OF_PROVIDER)),
    ("GET", "/global/spend/tags", Answer::One(&OF_TAGS)),
    ("GET", "/global/spend/report", Answer::List(&REPORTED)),
    ("GET", "/spend/tags", Answer::List(&OF_REQUEST_TAG)),
    ("GET", "/spend/keys", Answer::List(&OF_OWN_KEY)),
    ("GET", "/spend/users", Answer::List(&OF_USER)),
    ("GET", "/global/activity", Answer::One(&CALLS)),
    ("GET", "/global/activity/model", Answer::List(&CALLS_OF_MODEL)),
    ("GET", "/provider/budgets", Answer::One(&PROVIDERS)),
    ("POST", "/spend/calculate", Answer::One(&COST)),
];
