//! Counting tokens without a call: by the provider where it counts requests of the client's
//! format, else exact where the model's tokenizer is public, else an estimate from the length of
//! the prompt.
//!
//! Nothing is charged. The estimate leans to the high side, so that a client that compacts by it
//! compacts in time.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use tollgate_faults::{Dialect, Reason, Refusal};
use tollgate_tokens::{Encoding, Table};
use tollgate_wire::formats::anthropic_messages::from_count;
use tollgate_wire::translate::{ClientFormat, ClientRequest};

use crate::attempt::counted;
use crate::authenticate::authenticate;
use crate::gate::Gate;
use crate::grants;
use crate::ingress::{Ingress, Route};
use crate::prompt_tokens;
use crate::refusal::refuse;
use crate::rules::by_rules;

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
    let caller = authenticate(gate, ingress.asks(), &snapshot.settings).await?;
    let call = by_rules(&caller, ingress.read(&snapshot.settings).await?)?;
    let name = call.request.asked.model.as_str();
    let granted = grants::may_use(&snapshot, &caller, &call);
    let Some(resolved) = snapshot.resolve(name).filter(|_| granted) else {
        let message = format!("there is no model `{name}`");
        return Err(Refusal::new(Reason::ModelUnknown, message).with_param("model"));
    };
    if let Some(tokens) = counted(gate, &snapshot.settings, &call, &resolved.deployments).await {
        return Ok(tokens);
    }
    let deployments = resolved.deployments.iter().map(AsRef::as_ref);
    let table = table(gate, prompt_tokens::encoding(deployments)).await;
    let exact = table.and_then(|table| exact(&call.request, table));
    Ok(exact.unwrap_or_else(|| estimated(call.request.asked.prompt_bytes)))
}

/// The table of an encoding, waited for while it is being loaded.
pub(super) async fn table(gate: &Gate, encoding: Option<Encoding>) -> Option<&Table> {
    gate.tokenizers().loaded(encoding?).await
}

/// The tokens of a whole prompt; `None` of one that cannot be read.
pub(super) fn exact(request: &ClientRequest, table: &Table) -> Option<u64> {
    let conversation = request.counted().ok()?;
    Some(prompt_tokens::count(&conversation, table))
}

/// The tokens of so many bytes of JSON.
pub(super) const fn estimated(bytes: u64) -> u64 {
    bytes.div_ceil(BYTES_PER_TOKEN)
}
