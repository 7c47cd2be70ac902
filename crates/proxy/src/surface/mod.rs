//! The routes of the data path.

mod chat;
mod count;
mod errors;
mod gemini;
mod health;
mod metrics;
mod models;
mod responses;
mod token_counter;
mod transform_request;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{MethodRouter, delete, get, post};
use http::{Method, Uri};
use tollgate_faults::{Dialect, Reason, Refusal};

use crate::gate::Gate;
use crate::refusal::refuse;

/// Who may call a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anyone; no key is asked for.
    Anyone,
    /// Any usable key; the handler limits the answer to what the key may see.
    Key,
    /// The master key only, unless the operator opens the route.
    Master,
}

/// One route: the router and the permission matrix are made of the same rows.
struct Route {
    method: &'static str,
    path: &'static str,
    access: Access,
    handler: MethodRouter<Arc<Gate>>,
}

#[rustfmt::skip]
fn table() -> Vec<Route> {
    let row = |method, path, access, handler| Route { method, path, access, handler };
    vec![
        row("POST", "/v1/chat/completions", Access::Key, post(chat::completions)),
        row("POST", "/chat/completions", Access::Key, post(chat::completions)),
        row("POST", "/v1/responses", Access::Key, post(chat::responses)),
        row("POST", "/responses", Access::Key, post(chat::responses)),
        row("POST", "/openai/v1/responses", Access::Key, post(chat::responses)),
        row("GET", "/v1/responses", Access::Key, get(responses::socket)),
        row("GET", "/v1/responses/{id}", Access::Key, get(responses::one)),
        row("DELETE", "/v1/responses/{id}", Access::Key, delete(responses::delete)),
        row("GET", "/v1/responses/{id}/input_items", Access::Key, get(responses::items)),
        row("GET", "/responses", Access::Key, get(responses::socket)),
        row("GET", "/responses/{id}", Access::Key, get(responses::one)),
        row("DELETE", "/responses/{id}", Access::Key, delete(responses::delete)),
        row("GET", "/responses/{id}/input_items", Access::Key, get(responses::items)),
        row("GET", "/openai/v1/responses", Access::Key, get(responses::socket)),
        row("GET", "/openai/v1/responses/{id}", Access::Key, get(responses::one)),
        row("DELETE", "/openai/v1/responses/{id}", Access::Key, delete(responses::delete)),
        row("GET", "/openai/v1/responses/{id}/input_items", Access::Key, get(responses::items)),
        row("POST", "/v1/messages", Access::Key, post(chat::messages)),
        row("POST", "/v1/messages/count_tokens", Access::Key, post(count::of_messages)),
        row("POST", "/utils/token_counter", Access::Key, post(token_counter::answer)),
        row("POST", "/utils/transform_request", Access::Key, post(transform_request::answer)),
        row("GET", "/v1beta/models", Access::Key, get(gemini::list)),
        row("POST", "/v1beta/models/{*operation}", Access::Key, post(gemini::operate)),
        row("GET", "/v1/models", Access::Key, get(models::list)),
        row("GET", "/models", Access::Key, get(models::list)),
        row("GET", "/v1/models/{*model}", Access::Key, get(models::one)),
        row("POST", "/v1/models/{*model}", Access::Key, post(gemini::operate)),
        row("GET", "/models/{*model}", Access::Key, get(models::one)),
        row("POST", "/models/{*model}", Access::Key, post(gemini::operate)),
        row("GET", "/health/liveliness", Access::Anyone, get(health::alive)),
        row("GET", "/health/liveness", Access::Anyone, get(health::alive)),
        row("GET", "/health/readiness", Access::Anyone, get(health::readiness)),
        row("GET", "/metrics", Access::Master, get(metrics::show)),
        row("GET", "/errors", Access::Anyone, get(errors::index)),
        row("GET", "/errors/{slug}", Access::Anyone, get(errors::article)),
    ]
}

/// Routes that carry the model in the middle of their path, slashes and all, which no pattern of
/// the router can say. They are told apart by [`chat::path_named_or_unknown`].
const BY_PATH: [(&str, &str, Access); 2] = [
    ("POST", "/openai/deployments/{model}/chat/completions", Access::Key),
    ("POST", "/engines/{model}/chat/completions", Access::Key),
];

/// Every route of the data path: method, path, and who may call it.
#[must_use]
pub fn routes() -> Vec<(&'static str, &'static str, Access)> {
    let rows = table().into_iter().map(|route| (route.method, route.path, route.access));
    rows.chain(BY_PATH).collect()
}

/// The routes of the data path beside those of the management API.
pub fn router(gate: Arc<Gate>, management: Router) -> Router {
    table()
        .into_iter()
        .fold(Router::new(), |router, route| router.route(route.path, route.handler))
        .merge(management.with_state(()))
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
