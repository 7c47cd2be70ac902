//! The routes of the data path.

mod chat;
mod errors;
mod health;
mod models;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use http::{Method, Uri};
use tollgate_faults::{Dialect, Reason, Refusal};

use crate::gate::Gate;
use crate::refusal::refuse;

/// Every route of the data path, with who may call it. The permission matrix is read from here.
pub const ROUTES: [(&str, &str, Access); 13] = [
    ("POST", "/v1/chat/completions", Access::Key),
    ("POST", "/chat/completions", Access::Key),
    ("POST", "/openai/deployments/{model}/chat/completions", Access::Key),
    ("POST", "/engines/{model}/chat/completions", Access::Key),
    ("GET", "/v1/models", Access::Key),
    ("GET", "/models", Access::Key),
    ("GET", "/v1/models/{model}", Access::Key),
    ("GET", "/models/{model}", Access::Key),
    ("GET", "/health/liveliness", Access::Anyone),
    ("GET", "/health/liveness", Access::Anyone),
    ("GET", "/health/readiness", Access::Anyone),
    ("GET", "/errors", Access::Anyone),
    ("GET", "/errors/{slug}", Access::Anyone),
];

/// Who may call a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// No key is asked for.
    Anyone,
    /// Any usable key; the handler limits the answer to what the key may see.
    Key,
    /// The master key, or the key itself where the handler says so.
    KeyOwner,
    /// The master key only.
    Master,
}

/// The routes of the data path.
pub fn router(gate: Arc<Gate>) -> Router {
    Router::new()
        .route("/v1/chat/completions", post(chat::completions))
        .route("/chat/completions", post(chat::completions))
        .route("/v1/models", get(models::list))
        .route("/models", get(models::list))
        .route("/v1/models/{*model}", get(models::one))
        .route("/models/{*model}", get(models::one))
        .route("/health/liveliness", get(health::alive))
        .route("/health/liveness", get(health::alive))
        .route("/health/readiness", get(health::readiness))
        .route("/errors", get(errors::index))
        .route("/errors/{slug}", get(errors::article))
        .fallback(chat::path_named_or_unknown)
        .method_not_allowed_fallback(wrong_method)
        .with_state(gate)
}

async fn wrong_method(State(gate): State<Arc<Gate>>, method: Method, uri: Uri) -> Response {
    let message = format!("`{}` does not take {method}", uri.path());
    let refusal = Refusal::new(Reason::MethodNotAllowed, message);
    refuse(&gate, &refusal, Dialect::OpenAi, &gate.random().call_id(gate.now()).to_string())
}

/// The answer to a request for a route that does not exist.
pub(crate) fn no_such_route(gate: &Gate, method: &Method, uri: &Uri) -> Response {
    let path: String = uri.path().chars().take(256).collect();
    let refusal =
        Refusal::new(Reason::RouteUnknown, format!("there is no route {method} `{path}`"));
    refuse(gate, &refusal, Dialect::OpenAi, &gate.random().call_id(gate.now()).to_string())
}
