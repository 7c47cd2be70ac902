//! LiteLLM's `POST /utils/transform_request`: the request that a provider would get for a body.
//!
//! Nothing is sent, and nothing is charged. Shown is what the first deployment of the model group
//! would get.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use tollgate_faults::{Dialect, Reason, Refusal};
use tollgate_wire::json::{Object, Raw};
use tollgate_wire::translate::{ClientFormat, ClientRequest, PathSays};

use crate::attempt::{Transformed, transformed};
use crate::authenticate::authenticate;
use crate::gate::Gate;
use crate::grants::must_be_granted;
use crate::ingress::{Call, Ingress, Route, unreadable};
use crate::refusal::refuse;

/// What LiteLLM calls the calls whose requests can be shown.
const CALLS: [(&str, ClientFormat); 5] = [
    ("completion", ClientFormat::OpenAiChat),
    ("acompletion", ClientFormat::OpenAiChat),
    ("responses", ClientFormat::OpenAiResponses),
    ("aresponses", ClientFormat::OpenAiResponses),
    ("anthropic_messages", ClientFormat::AnthropicMessages),
];

/// `POST /utils/transform_request`.
pub(super) async fn answer(
    State(gate): State<Arc<Gate>>,
    request: http::Request<Body>,
) -> Response {
    match shown(&gate, request).await {
        Ok(shown) => Json(shown).into_response(),
        Err(refusal) => {
            let call = gate.random().call_id(gate.now()).to_string();
            refuse(&gate, &refusal, Dialect::OpenAi, &call)
        }
    }
}

async fn shown(gate: &Gate, request: http::Request<Body>) -> Result<Transformed, Refusal> {
    let mut ingress = Ingress::new(gate, request, Route::plain(ClientFormat::OpenAiChat));
    let snapshot = gate.snapshot();
    let caller = authenticate(gate, ingress.asks(), &snapshot.settings).await?;
    let body = ingress.body(&snapshot.settings).await?;
    let (format, body) = read(&body)?;
    let path = PathSays { model: None, stream: false, array: false };
    let request = ClientRequest::read(format, &body, path).map_err(unreadable)?;
    let model = request.asked.model.to_string();
    must_be_granted(&snapshot, &caller, model.as_str())?;
    let resolved = snapshot.resolve(&model);
    let first = resolved.as_ref().and_then(|resolved| resolved.deployments.first());
    let first = first.ok_or_else(|| {
        Refusal::new(Reason::ModelUnknown, "no deployment serves this model").with_param("model")
    })?;
    transformed(gate, &Call::own(gate, request), first, &snapshot.settings)
}

/// The format of the call and its body.
fn read(body: &Bytes) -> Result<(ClientFormat, Bytes), Refusal> {
    let malformed = |problem| {
        let message = format!("the request body is not valid JSON: {problem}");
        Refusal::new(Reason::BodyMalformed, message)
    };
    let object = Object::scan(body).map_err(malformed)?;
    let call = object.value("call_type").and_then(Raw::text);
    let call = call.ok_or_else(|| missing("call_type", "`call_type` is missing"))?;
    let known = CALLS.iter().find(|(name, _)| *name == call);
    let Some((_, format)) = known else {
        let known = CALLS.map(|(name, _)| name).join(", ");
        let message = format!("`call_type`: shown are requests of {known}");
        return Err(Refusal::new(Reason::ParameterUnsupported, message).with_param("call_type"));
    };
    let request = object.value("request_body");
    let request = request.ok_or_else(|| missing("request_body", "`request_body` is missing"))?;
    Ok((*format, Bytes::copy_from_slice(request.as_written().as_bytes())))
}

fn missing(field: &'static str, message: &str) -> Refusal {
    Refusal::new(Reason::FieldMissing, message).with_param(field)
}
