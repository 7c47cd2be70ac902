//! `GET /model_group/info`: what is known of each model name that the caller may use.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use tollgate_config::{Deployment, ModelEntry, Snapshot};
use tollgate_faults::Refusal;
use tollgate_policy::Audience;

use super::info::theirs;
use super::shown;
use crate::asked::Asked;
use crate::desk::Desk;
use crate::problem;
use crate::route::Route;
use crate::shape::{Field, text};

const NAMES: [Field; 1] = [text("model_group", "Only this model group")];
/// Of these the greatest of a group's deployments is shown, as in LiteLLM.
const GREATEST: [&str; 4] =
    ["input_cost_per_token", "max_input_tokens", "max_output_tokens", "output_cost_per_token"];

pub(super) fn routes() -> Vec<Route> {
    let about = "What is known of each model group: limits, prices, what it can do";
    vec![Route::question("/model_group/info", Audience::Keys, (about, &NAMES), info)]
}

async fn info(desk: Desk, asked: Asked) -> Result<Value, Refusal> {
    let snapshot = desk.configuration.snapshot();
    let wanted = asked.text("model_group");
    let mut groups: BTreeMap<&str, Vec<&Deployment>> = BTreeMap::new();
    for ModelEntry { model_name, deployments, .. } in theirs(&desk, &snapshot.entries).await? {
        if wanted.is_none_or(|name| name == model_name.as_str()) {
            let group = groups.entry(model_name.as_str()).or_default();
            group.extend(deployments.iter().map(|deployment| &**deployment));
        }
    }
    groups.retain(|_, deployments| !deployments.is_empty());
    if let (Some(name), true) = (wanted, groups.is_empty()) {
        return Err(problem::absent("model group", "model_group", name));
    }
    let data = groups.into_iter().map(|(name, group)| shown_group(&snapshot, name, &group));
    Ok(json!({ "data": data.collect::<Vec<_>>() }))
}

fn shown_group(snapshot: &Snapshot, name: &str, group: &[&Deployment]) -> Value {
    let facts: Vec<Map<String, Value>> =
        group.iter().map(|deployment| shown::facts(snapshot, deployment)).collect();
    let providers: BTreeSet<&str> =
        group.iter().map(|deployment| deployment.provider.name.as_str()).collect();
    let mut shown = Map::new();
    for field in GREATEST {
        let values = facts.iter().filter_map(|facts| facts.get(field)).filter(|it| it.is_number());
        let greatest = values.max_by(|one, other| {
            let number = |value: &Value| value.as_f64().unwrap_or_default();
            number(one).total_cmp(&number(other))
        });
        shown.insert(field.to_owned(), greatest.cloned().unwrap_or_default());
    }
    // A group can do what any of its deployments can.
    for (field, value) in facts.iter().flatten().filter(|(name, _)| name.starts_with("supports_")) {
        let known = shown.entry(field.clone()).or_insert(Value::Bool(false));
        if value.as_bool() == Some(true) {
            *known = Value::Bool(true);
        }
    }
    let sum = |of: fn(&Deployment) -> Option<u64>| {
        let rates = group.iter().filter_map(|deployment| of(deployment));
        rates.reduce(u64::saturating_add)
    };
    let fields = [
        ("model_group", json!(name)),
        ("providers", json!(providers)),
        ("mode", json!(group.iter().find_map(|deployment| deployment.mode.as_deref()))),
        ("rpm", json!(sum(|deployment| deployment.candidate.rpm))),
        ("tpm", json!(sum(|deployment| deployment.candidate.tpm))),
    ];
    shown.extend(fields.map(|(name, value)| (name.to_owned(), value)));
    Value::Object(shown)
}
