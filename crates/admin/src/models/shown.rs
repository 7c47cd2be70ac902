//! Deployments as LiteLLM's clients expect them: without secrets, with what is known of the model.

use serde_json::{Map, Value, json};
use tollgate_config::{Deployment, ModelEntry, Snapshot, price_fields};
use tollgate_store::DeploymentRow;

use super::{ID, INFO, NAME, PARAMS};

/// Fields that LiteLLM shows even where nothing is known.
const ALWAYS: [&str; 7] = [
    "input_cost_per_token",
    "litellm_provider",
    "max_input_tokens",
    "max_output_tokens",
    "max_tokens",
    "mode",
    "output_cost_per_token",
];

/// A row of the database, with what became of it.
pub(super) fn row(row: &DeploymentRow, entry: Option<&ModelEntry>) -> Value {
    let mut info = row.info.clone();
    info.insert("id".to_owned(), json!(row.id.as_str()));
    info.insert("db_model".to_owned(), json!(true));
    let mut shown = Map::new();
    let fields = [
        (ID, json!(row.id.as_str())),
        (NAME, json!(row.model_name.as_str())),
        (INFO, Value::Object(info)),
        ("blocked", json!(row.blocked)),
        ("created_at", json!(row.created_at.to_string())),
        ("created_by", json!(row.created_by)),
        ("updated_at", json!(row.updated_at.to_string())),
        ("updated_by", json!(row.updated_by)),
    ];
    shown.extend(fields.map(|(name, value)| (name.to_owned(), value)));
    if let Some(entry) = entry {
        shown.insert(PARAMS.to_owned(), json!(entry.params));
        shown.extend(remarks(entry));
    } else {
        shown.insert(PARAMS.to_owned(), json!(row.params.open));
    }
    Value::Object(shown)
}

/// An entry of the configuration (management-api §8, `/model/info`).
pub(super) fn entry(snapshot: &Snapshot, entry: &ModelEntry) -> Value {
    let mut info = entry.deployments.first().map(|it| facts(snapshot, it)).unwrap_or_default();
    info.extend(ALWAYS.map(|name| (name.to_owned(), info.get(name).cloned().unwrap_or_default())));
    info.extend(entry.info.clone());
    let own = [
        ("id", json!(entry.id.as_str())),
        ("db_model", json!(entry.stored)),
        ("blocked", json!(entry.blocked)),
    ];
    info.extend(own.map(|(name, value)| (name.to_owned(), value)));
    info.extend(remarks(entry));
    json!({ NAME: entry.model_name.as_str(), PARAMS: entry.params, INFO: info })
}

/// What is known of a deployment's model, by the names of LiteLLM's price map.
pub(super) fn facts(snapshot: &Snapshot, deployment: &Deployment) -> Map<String, Value> {
    let listed = snapshot.listed(deployment);
    let mut facts = deployment.prices.as_deref().map(price_fields).unwrap_or_default();
    let max_output = deployment.limits.max_output;
    let max_input = listed.as_ref().and_then(|listed| listed.max_input);
    let fields = [
        ("key", json!(&*deployment.upstream_model)),
        ("litellm_provider", json!(deployment.provider.name.as_str())),
        ("max_input_tokens", json!(max_input)),
        ("max_output_tokens", json!(max_output)),
        ("max_tokens", json!(max_output)),
        ("mode", json!(deployment.mode.as_deref())),
    ];
    facts.extend(fields.map(|(name, value)| (name.to_owned(), value)));
    let supports = deployment.supports().into_iter();
    facts.extend(supports.map(|(name, supported)| (name.to_owned(), json!(supported))));
    facts
}

/// What is not as it seems with an entry.
fn remarks(entry: &ModelEntry) -> impl Iterator<Item = (String, Value)> {
    let left_out = entry.left_out.as_ref().map(|why| ("left_out".to_owned(), json!(why)));
    let warnings = (!entry.warnings.is_empty()).then(|| json!(entry.warnings));
    left_out.into_iter().chain(warnings.map(|warnings| ("warnings".to_owned(), warnings)))
}
