//! `POST /health/test_connection`: whether a deployment can be called, before it is stored.

use serde_json::{Map, Value, json};
use tollgate_config::StoredDeployment;
use tollgate_domain::{DeploymentId, ModelName};
use tollgate_faults::{Reason, Refusal};
use tollgate_policy::Audience;

use super::write::{candidate, id_of, merge};
use super::{INFO, PARAMS};
use crate::desk::Desk;
use crate::fields::Fields;
use crate::problem::wrong;
use crate::route::Route;
use crate::shape::{Shape, choice, object};

/// The group of a deployment that is only tested.
const GROUP: &str = "test_connection";
/// What can be tested; LiteLLM's other modes have no route here yet.
const MODES: [&str; 3] = ["chat", "completion", "responses"];

pub(super) fn routes() -> Vec<Route> {
    let takes = Shape::of(&[
        object(PARAMS, "What is called and how; of a stored deployment, what differs"),
        object(INFO, "`id` names a deployment of the database to begin from"),
        choice("mode", &MODES, "What it is called for"),
    ]);
    let about = "Call a deployment once, as cheaply as it can be called; nothing is stored";
    vec![Route::command(
        ("POST", "/health/test_connection"),
        Audience::Admins,
        (about, takes),
        test,
    )]
}

async fn test(desk: Desk, fields: Fields) -> Result<Value, Refusal> {
    let params = fields.object(PARAMS)?.value().unwrap_or_default();
    let info = fields.object(INFO)?.value().unwrap_or_default();
    let mut candidate = beginning(&desk, &info).await?;
    merge(&mut candidate.params, params);
    if let Some(mode) = fields.text("mode")?.value() {
        if !MODES.contains(&&*mode) {
            return Err(wrong("mode", format!("expected one of {}", MODES.join(", "))));
        }
        candidate.info.insert("mode".to_owned(), json!(mode));
    }
    let examined = desk.configuration.examine(candidate).await?;
    if let Some(left_out) = examined.left_out {
        if left_out.lacking {
            return Ok(json!({ "status": "error", "result": { "error": left_out.problem } }));
        }
        return Err(Refusal::new(Reason::EntryUnusable, left_out.problem).with_param(PARAMS));
    }
    let entry = examined.entry.as_ref();
    let Some(deployment) = entry.and_then(|entry| entry.deployments.first()) else {
        let message = "nothing can be called by these parameters";
        return Err(Refusal::new(Reason::EntryUnusable, message).with_param(PARAMS));
    };
    if deployment.upstream_model.contains('*') {
        return Err(wrong("litellm_params.model", "a pattern names no model to call"));
    }
    let mut result = Map::new();
    result.extend(entry.map(|entry| entry.params.clone()).unwrap_or_default());
    match desk.configuration.test(deployment).await {
        Ok(elapsed) => {
            result.insert("response_time_ms".to_owned(), json!(elapsed.as_millis()));
            Ok(json!({ "status": "success", "result": result }))
        }
        Err(refusal) => {
            result.insert("error".to_owned(), json!(refusal.message));
            result.insert("reason".to_owned(), json!(refusal.reason.slug()));
            Ok(json!({ "status": "error", "result": result }))
        }
    }
}

/// What the test begins from: a deployment of the database, or nothing.
async fn beginning(desk: &Desk, info: &Map<String, Value>) -> Result<StoredDeployment, Refusal> {
    let fresh = DeploymentId::new(&desk.fresh_id()).map_err(|problem| wrong("id", problem))?;
    let group = ModelName::new(GROUP).map_err(|problem| wrong("model_name", problem))?;
    match id_of(info)? {
        Some(id) => {
            let row = desk.deployment_row("model_info.id", &id).await?;
            Ok(StoredDeployment { id: fresh, blocked: false, ..candidate(&row) })
        }
        None => Ok(StoredDeployment {
            id: fresh,
            model_name: group,
            params: Map::new(),
            info: Map::new(),
            blocked: false,
        }),
    }
}
