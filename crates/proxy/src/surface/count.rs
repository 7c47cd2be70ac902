//! Counting tokens without a call: by the provider where it counts requests of the client's format,
//! else an estimate from the length of the prompt.
//!
//! Nothing is charged. The estimate leans to the high side, so that a client that compacts by it
//! compacts in time.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use tollgate_faults::{Dialect, Reason, Refusal};
use tollgate_wire::formats::anthropic_messages::from_count;
use tollgate_wire::translate::ClientFormat;

use crate::attempt::counted;
use crate::authenticate::authenticate;
use crate::gate::Gate;
use crate::grants;
use crate::ingress::{Ingress, Route};
use crate::refusal::refuse;
use crate::route;

/// Bytes of JSON for one token, rounded down: English prose has about four and a half, code and
/// JSON three to four.
const BYTES_PER_TOKEN: u64 = 3;

/// `POST /v1/messages/count_tokens`.
pub(super) async fn of_messages(
    State(gate): State<Arc<Gate>>,
    request: http::Request<Body>,
) -> Response {
    let route = Route::plain(ClientFormat::AnthropicMessages);
    match tokens(&gate, request, route).await {
        Ok(tokens) => {
            let head = [(http::header::CONTENT_TYPE, "application/json")];
            (head, from_count(tokens)).into_response()
        }
        Err(refusal) => refused(&gate, &refusal, Dialect::Anthropic),
    }
}

/// `POST /v1beta/models/{model}:countTokens`.
pub(super) async fn of_contents(
    gate: &Gate,
    model: &str,
    request: http::Request<Body>,
) -> Response {
    let format = ClientFormat::Gemini;
    let route = Route { format, model: Some(model.to_owned()), stream: false, array: false };
    match tokens(gate, request, route).await {
        Ok(tokens) => Json(serde_json::json!({ "totalTokens": tokens })).into_response(),
        Err(refusal) => refused(gate, &refusal, Dialect::Gemini),
    }
}

fn refused(gate: &Gate, refusal: &Refusal, dialect: Dialect) -> Response {
    refuse(gate, refusal, dialect, &gate.random().call_id(gate.now()).to_string())
}

async fn tokens(gate: &Gate, request: http::Request<Body>, route: Route) -> Result<u64, Refusal> {
    let mut ingress = Ingress::new(gate, request, route);
    let snapshot = gate.snapshot();
    let caller = authenticate(gate, ingress.headers(), &snapshot.settings).await?;
    let call = ingress.read(&snapshot.settings).await?;
    let name = call.request.asked.model.as_str();
    let granted = grants::may_use(&snapshot, &caller, name);
    let Some(resolved) = snapshot.resolve(name).filter(|_| granted) else {
        let message = format!("there is no model `{name}`");
        return Err(Refusal::new(Reason::ModelUnknown, message).with_param("model"));
    };
    let plan = route::route(&resolved, &snapshot.settings, &call, gate.random())?;
    if let Some(tokens) = counted(gate, &snapshot.settings, &call, &plan).await {
        return Ok(tokens);
    }
    Ok(call.request.asked.prompt_bytes.div_ceil(BYTES_PER_TOKEN))
}
