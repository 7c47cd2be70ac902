//! `router_settings` as they are in force.

use serde_json::{Map, Value, json};
use tollgate_config::Snapshot;
use tollgate_faults::Refusal;
use tollgate_policy::{Audience, ChainKind, Strategy};

use crate::asked::Asked;
use crate::desk::Desk;
use crate::problem::{absent, wrong};
use crate::route::Route;
use crate::shape::text;

/// One setting: its name, its type, what people call it, and what it means.
const FIELDS: [(&str, &str, &str, &str); 9] = [
    ("routing_strategy", "String", "Routing Strategy", "How a deployment of a group is chosen"),
    ("num_retries", "Integer", "Number of Retries", "Attempts after the first"),
    ("allowed_fails", "Integer", "Allowed Failures", "Failures in a minute that rest nothing"),
    ("cooldown_time", "Float", "Cooldown Time", "Seconds that a deployment rests after failures"),
    ("fallbacks", "List", "Fallbacks", "Model groups that are tried after others"),
    ("context_window_fallbacks", "List", "Context Window Fallbacks", "For prompts too long"),
    ("content_policy_fallbacks", "List", "Content Policy Fallbacks", "For refused content"),
    ("model_group_alias", "Dictionary", "Model Group Alias", "Other names of model groups"),
    ("provider_budget_config", "Dictionary", "Provider Budgets", "What providers may be paid"),
];

pub(super) fn routes() -> Vec<Route> {
    let fallback_of = [
        text("model", "The model group").required(),
        text("fallback_type", "`general` (the usual), `context_window` or `content_policy`"),
    ];
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
            ("The model groups that are tried after one", &fallback_of),
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
    let routing = &snapshot.settings.routing;
    let chains = |kind: ChainKind| {
        let groups = routing.fallbacks.configured(kind).into_iter();
        let chains: Vec<Value> = groups
            .filter_map(|group| Some(json!({ group: routing.fallbacks.own_chain(kind, group)? })))
            .collect();
        json!(chains)
    };
    let values = [
        ("routing_strategy", json!(routing.strategy.as_str())),
        ("num_retries", json!(routing.retries.num_retries)),
        ("allowed_fails", json!(routing.health.allowed_fails)),
        ("cooldown_time", json!(routing.health.cooldown.as_secs_f64())),
        ("fallbacks", chains(ChainKind::Any)),
        ("context_window_fallbacks", chains(ChainKind::ContextWindow)),
        ("content_policy_fallbacks", chains(ChainKind::ContentPolicy)),
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
            "options": (*name == "routing_strategy").then_some(Strategy::ALL.map(Strategy::as_str)),
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
        "routing_strategy_descriptions": descriptions(),
    }))
}

async fn fields(_: Desk, _: Asked) -> Result<Value, Refusal> {
    Ok(json!({
        "fields": described(None),
        "routing_strategy_descriptions": descriptions(),
    }))
}

/// What each strategy does.
fn descriptions() -> Map<String, Value> {
    let about = |strategy: Strategy| match strategy {
        Strategy::SimpleShuffle => "Draws by the weights of all that can serve the call",
        Strategy::LeastBusy => "Takes the one with the fewest calls under way",
        Strategy::UsageBased => "Takes the one with the fewest tokens of this minute",
        Strategy::LatencyBased => "Takes the faster of two drawn at random",
        Strategy::CostBased => "Takes the cheapest",
    };
    let all = Strategy::ALL.into_iter();
    all.map(|one| (one.as_str().to_owned(), json!(about(one)))).collect()
}

async fn fallback(desk: Desk, asked: Asked) -> Result<Value, Refusal> {
    let (model, of) = (asked.required("model")?, asked.text("fallback_type"));
    let kind = match of.unwrap_or("general") {
        "general" => ChainKind::Any,
        "context_window" => ChainKind::ContextWindow,
        "content_policy" => ChainKind::ContentPolicy,
        _ => {
            let expected = "one of general, context_window, content_policy";
            return Err(wrong("fallback_type", expected));
        }
    };
    let snapshot = desk.configuration.snapshot();
    let chain = snapshot.settings.routing.fallbacks.own_chain(kind, model);
    let chain = chain.ok_or_else(|| absent("fallback of", "model", model))?;
    Ok(json!({
        "model": model,
        "fallback_models": chain,
        "fallback_type": of.unwrap_or("general"),
    }))
}
