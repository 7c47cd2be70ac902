//! The routes on which models are called: chat completions and messages.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use futures_util::FutureExt as _;
use http::Method;
use tollgate_faults::{Reason, Refusal};
use tollgate_wire::translate::ClientFormat;

use crate::gate::Gate;
use crate::ingress::{Ingress, Route};
use crate::pipeline::serve;
use crate::refusal::{dialect_of, refuse};
use crate::surface::no_such_route;

/// The paths that name the model themselves, Azure's and the oldest of OpenAI's, by their
/// beginnings.
const MODEL_PATHS: [&str; 2] = ["/openai/deployments/", "/engines/"];
/// The end of those paths.
const OPERATION: &str = "/chat/completions";

/// `POST /v1/chat/completions` and its aliases.
pub(super) async fn completions(State(gate): State<Arc<Gate>>, request: Request) -> Response {
    answer(&gate, request, Route::plain(ClientFormat::OpenAiChat)).await
}

/// `POST /v1/messages` and its alias, for clients of Anthropic's API.
pub(super) async fn messages(State(gate): State<Arc<Gate>>, request: Request) -> Response {
    answer(&gate, request, Route::plain(ClientFormat::AnthropicMessages)).await
}

/// `POST /v1/responses` and its aliases.
pub(super) async fn responses(State(gate): State<Arc<Gate>>, request: Request) -> Response {
    answer(&gate, request, Route::plain(ClientFormat::OpenAiResponses)).await
}

/// The paths that carry the model's name, slashes and all; anything else is no route.
pub(super) async fn path_named_or_unknown(
    State(gate): State<Arc<Gate>>,
    request: Request,
) -> Response {
    let Some(model) = path_model(request.uri().path()) else {
        return no_such_route(&gate, request.method(), request.uri());
    };
    if request.method() != Method::POST {
        return super::wrong_method(State(gate), request.method().clone(), request.uri().clone())
            .await;
    }
    let format = ClientFormat::OpenAiChat;
    answer(&gate, request, Route { format, model: Some(model), stream: false, array: false }).await
}

pub(super) async fn answer(gate: &Gate, request: http::Request<Body>, route: Route) -> Response {
    let format = route.format;
    let ingress = Ingress::new(gate, request, route);
    let call = ingress.id;
    // A panic is our bug; it costs this call, is billed like any broken call, and leaves the
    // connection alone.
    let served = AssertUnwindSafe(serve(gate, ingress)).catch_unwind().await;
    let refusal = match served {
        Ok(Ok(response)) => return response,
        Ok(Err(refusal)) => refusal,
        Err(_) => Refusal::new(Reason::GatewayBug, "the gateway failed while serving this call"),
    };
    refuse(gate, &refusal, dialect_of(format), &call.to_string())
}

/// The model named by a path such as `/engines/openai/gpt-4o/chat/completions`.
fn path_model(path: &str) -> Option<String> {
    let rest = MODEL_PATHS.iter().find_map(|start| path.strip_prefix(start))?;
    let encoded = rest.strip_suffix(OPERATION).filter(|model| !model.is_empty())?;
    percent_decoded(encoded)
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
            let value = digit(rest.next())? * 16 + digit(rest.next())?;
            bytes.push(u8::try_from(value).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_may_name_the_model_slashes_and_all() {
        let cases = [
            ("/engines/gpt-4o/chat/completions", Some("gpt-4o")),
            ("/openai/deployments/my%20dep/chat/completions", Some("my dep")),
            ("/openai/deployments/openai/gpt-4o/chat/completions", Some("openai/gpt-4o")),
            ("/engines//chat/completions", None),
            ("/engines/chat/completions", None),
            ("/engines/a%2/chat/completions", None),
            ("/engines/a%ff/chat/completions", None),
            ("/nothing", None),
        ];
        for (path, model) in cases {
            assert_eq!(path_model(path).as_deref(), model, "{path}");
        }
    }
}
