//! Whether the process serves, and whether calls can be served.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use serde_json::json;

use crate::gate::Gate;

/// `GET /health/liveliness` and `/health/liveness`, with LiteLLM's words.
pub(super) async fn alive() -> Json<&'static str> {
    Json("I'm alive!")
}

/// `GET /health/readiness`: 200 when calls can be served, 503 with the reasons otherwise.
pub(super) async fn readiness(State(gate): State<Arc<Gate>>) -> Response {
    let readiness = gate.readiness().await;
    let version = env!("CARGO_PKG_VERSION");
    if readiness.reasons.is_empty() {
        let mut body =
            json!({ "status": "healthy", "db": "connected", "litellm_version": version });
        if let Some(nodes) = readiness.nodes {
            body["nodes"] = nodes.into();
        }
        if !readiness.notes.is_empty() {
            body["notes"] = readiness.notes.into();
        }
        return Json(body).into_response();
    }
    let mut body = json!({
        "status": "unhealthy",
        "reasons": readiness.reasons,
        "litellm_version": version,
    });
    if !readiness.notes.is_empty() {
        body["notes"] = readiness.notes.into();
    }
    (StatusCode::SERVICE_UNAVAILABLE, Json(body)).into_response()
}
