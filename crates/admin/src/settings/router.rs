//! `router_settings` as they are in force.

use serde_json::{Map, Value, json};
use tollgate_config::Snapshot;
use tollgate_faults::Refusal;
use tollgate_policy::Audience;

use crate::asked::Asked;
use crate::desk::Desk;
use crate::problem::absent;
use crate::route::Route;
use crate::shape::text;

/// The way in which deployments of a group are chosen.
const STRATEGY: &str = "simple-shuffle";
/// What it does.
const STRATEGY_ABOUT: &str = "Draws a deployment by the weights of all that can serve the call";

/// One setting: its name, its type, what people call it, and what it means.
const FIELDS: [(&str, &str, &str, &str); 4] = [
    ("routing_strategy", "String", "Routing Strategy", "How a deployment of a group is chosen"),
    ("num_retries", "Integer", "Number of Retries", "Attempts after the first"),
    ("model_group_alias", "Dictionary", "Model Group Alias", "Other names of model groups"),
    ("provider_budget_config", "Dictionary", "Provider Budgets", "What providers may be paid"),
];

pub(super) fn routes() -> Vec<Route> {
    let model = [text("model", "The model group").required()];
    vec![
        Route::question(
            "/router/settings",
            Audience::Admins,
            ("The settings of routing in force", &[]),
            settings,
        ),
        Route::question(
            "/router/fields",
            Audience::Admins,
            ("The settings of routing, without their values", &[]),
            fields,
        ),
        Route::question(
            "/fallback/{model}",
            Audience::Admins,
            ("The model groups that are tried after one; none is, unless the file says", &model),
            fallback,
        ),
    ]
}

/// The values by the settings' names.
pub(super) fn values(snapshot: &Snapshot) -> Map<String, Value> {
    let aliases = snapshot.aliases.iter();
    let aliases: Map<String, Value> =
        aliases.map(|(name, alias)| (name.to_string(), json!(alias.model.as_str()))).collect();
    let budgets = snapshot.settings.budgets.providers.iter().map(|(name, limits)| {
        let bound = limits.whole.money.first();
        let period = bound.and_then(|bound| bound.period).map(|period| period.to_string());
        let cap = bound.and_then(|bound| bound.cap);
        (name.to_string(), json!({ "budget_limit": cap, "time_period": period }))
    });
    let budgets: Map<String, Value> = budgets.collect();
    let values = [
        ("routing_strategy", json!(STRATEGY)),
        ("num_retries", json!(snapshot.settings.routing.retries.num_retries)),
        ("model_group_alias", json!(aliases)),
        ("provider_budget_config", json!(budgets)),
    ];
    values.map(|(name, value)| (name.to_owned(), value)).into_iter().collect()
}

fn described(values: Option<&Map<String, Value>>) -> Value {
    let fields = FIELDS.iter().map(|(name, kind, label, about)| {
        json!({
            "field_name": name,
            "field_type": kind,
            "field_value": values.and_then(|values| values.get(*name)),
            "field_description": about,
            "field_default": null,
            "options": (*name == "routing_strategy").then_some([STRATEGY]),
            "ui_field_name": label,
            "link": null,
        })
    });
    fields.collect()
}

async fn settings(desk: Desk, _: Asked) -> Result<Value, Refusal> {
    let values = values(&desk.configuration.snapshot());
    Ok(json!({
        "fields": described(Some(&values)),
        "current_values": values,
        "routing_strategy_descriptions": { STRATEGY: STRATEGY_ABOUT },
    }))
}

async fn fields(_: Desk, _: Asked) -> Result<Value, Refusal> {
    Ok(json!({
        "fields": described(None),
        "routing_strategy_descriptions": { STRATEGY: STRATEGY_ABOUT },
    }))
}

async fn fallback(_: Desk, asked: Asked) -> Result<Value, Refusal> {
    Err(absent("fallback of", "model", asked.required("model")?))
}
