//! The routes of the data path.

mod chat;
mod count;
mod errors;
mod gemini;
mod health;
mod metrics;
mod models;
mod responses;
mod said;
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

use said::ITEMS;
pub use said::{Holds, Says, Told};

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
    says: Says,
    handler: MethodRouter<Arc<Gate>>,
}

/// What anybody may know of a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Described {
    /// Its method.
    pub method: &'static str,
    /// Its path, with its parameters in braces, those that hold slashes with a star.
    pub path: &'static str,
    /// Who may call it.
    pub access: Access,
    /// What is said about it.
    pub says: Says,
}

#[rustfmt::skip]
fn table() -> Vec<Route> {
    let row = |method, path, access, says, handler| Route { method, path, access, says, handler };
    let (anyone, key, master) = (Access::Anyone, Access::Key, Access::Master);
    vec![
        row("POST", "/v1/chat/completions", key, said::CHAT, post(chat::completions)),
        row("POST", "/chat/completions", key, said::CHAT, post(chat::completions)),
        row("POST", "/v1/responses", key, said::RESPONSES, post(chat::responses)),
        row("POST", "/responses", key, said::RESPONSES, post(chat::responses)),
        row("POST", "/openai/v1/responses", key, said::RESPONSES, post(chat::responses)),
        row("GET", "/v1/responses", key, said::SOCKET, get(responses::socket)),
        row("GET", "/v1/responses/{id}", key, said::ONE_RESPONSE, get(responses::one)),
        row("DELETE", "/v1/responses/{id}", key, said::FORGET, delete(responses::delete)),
        row("GET", "/v1/responses/{id}/input_items", key, ITEMS, get(responses::items)),
        row("GET", "/responses", key, said::SOCKET, get(responses::socket)),
        row("GET", "/responses/{id}", key, said::ONE_RESPONSE, get(responses::one)),
        row("DELETE", "/responses/{id}", key, said::FORGET, delete(responses::delete)),
        row("GET", "/responses/{id}/input_items", key, ITEMS, get(responses::items)),
        row("GET", "/openai/v1/responses", key, said::SOCKET, get(responses::socket)),
        row("GET", "/openai/v1/responses/{id}", key, said::ONE_RESPONSE, get(responses::one)),
        row("DELETE", "/openai/v1/responses/{id}", key, said::FORGET, delete(responses::delete)),
        row("GET", "/openai/v1/responses/{id}/input_items", key, ITEMS, get(responses::items)),
        row("POST", "/v1/messages", key, said::MESSAGES_API, post(chat::messages)),
        row("POST", "/v1/messages/count_tokens", key, said::COUNT_TOKENS, post(count::of_messages)),
        row("POST", "/utils/token_counter", key, said::TOKEN_COUNTER, post(token_counter::answer)),
        row("POST", "/utils/transform_request", key, said::SHOWN, post(transform_request::answer)),
        row("GET", "/v1beta/models", key, said::GEMINI_MODELS, get(gemini::list)),
        row("POST", "/v1beta/models/{*operation}", key, said::GEMINI, post(gemini::operate)),
        row("GET", "/v1/models", key, said::MODELS, get(models::list)),
        row("GET", "/models", key, said::MODELS, get(models::list)),
        row("GET", "/v1/models/{*model}", key, said::ONE_MODEL, get(models::one)),
        row("POST", "/v1/models/{*model}", key, said::GEMINI, post(gemini::operate)),
        row("GET", "/models/{*model}", key, said::ONE_MODEL, get(models::one)),
        row("POST", "/models/{*model}", key, said::GEMINI, post(gemini::operate)),
        row("GET", "/health/liveliness", anyone, said::ALIVE, get(health::alive)),
        row("GET", "/health/liveness", anyone, said::ALIVE, get(health::alive)),
        row("GET", "/health/readiness", anyone, said::READY, get(health::readiness)),
        row("GET", "/metrics", master, said::METRICS, get(metrics::show)),
        row("GET", "/errors", anyone, said::ERRORS, get(errors::index)),
        row("GET", "/errors/{slug}", anyone, said::ARTICLE, get(errors::article)),
    ]
}

/// Routes that carry the model in the middle of their path, slashes and all, which no pattern of
/// the router can say. They are told apart by [`chat::path_named_or_unknown`].
const BY_PATH: [(&str, &str, Access); 2] = [
    ("POST", "/openai/deployments/{model}/chat/completions", Access::Key),
    ("POST", "/engines/{model}/chat/completions", Access::Key),
];

/// Every route of the data path.
#[must_use]
pub fn routes() -> Vec<Described> {
    let rows = table().into_iter().map(|route| {
        let Route { method, path, access, says, .. } = route;
        Described { method, path, access, says }
    });
    let by_path = BY_PATH.map(|(method, path, access)| {
        let says = said::CHAT_BY_PATH;
        Described { method, path, access, says }
    });
    rows.chain(by_path).collect()
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
