//! A refusal as an HTTP answer in the dialect of the route that was called.

use axum::body::Body;
use axum::response::Response;
use http::{HeaderName, HeaderValue, StatusCode};
use tollgate_faults::{Dialect, Refusal};
use tollgate_wire::translate::ClientFormat;

use crate::gate::Gate;

/// The header that carries the call's identity.
pub(crate) const CALL_ID: HeaderName = HeaderName::from_static("x-litellm-call-id");

/// The dialect in which a client of this format expects errors.
pub(crate) const fn dialect_of(format: ClientFormat) -> Dialect {
    match format {
        ClientFormat::OpenAiChat | ClientFormat::OpenAiResponses => Dialect::OpenAi,
        ClientFormat::AnthropicMessages => Dialect::Anthropic,
        ClientFormat::Gemini => Dialect::Gemini,
    }
}

/// The answer to a call that is refused, logged once, here.
#[must_use]
pub fn refuse(gate: &Gate, refusal: &Refusal, dialect: Dialect, call: &str) -> Response {
    let status = refusal.status();
    if status >= 500 {
        let (reason, message) = (refusal.reason.slug(), &refusal.message);
        tracing::warn!(call, status, reason, message, "call failed");
    } else {
        tracing::debug!(call, status, reason = refusal.reason.slug(), "call refused");
    }
    response_to(refusal, dialect, &gate.snapshot().settings.docs_base, call)
}

/// A refusal rendered for a route of this dialect.
#[must_use]
pub fn response_to(refusal: &Refusal, dialect: Dialect, docs_base: &str, call: &str) -> Response {
    let rendered = tollgate_faults::render(refusal, dialect, docs_base, call);
    let mut response = Response::new(Body::from(rendered.body));
    *response.status_mut() =
        StatusCode::from_u16(rendered.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    for (name, value) in rendered.headers {
        // Rendered values are visible ASCII; one that is not would be left out rather than break
        // the answer.
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    if let Ok(value) = HeaderValue::from_str(call) {
        headers.insert(CALL_ID, value);
    }
    response
}

#[cfg(test)]
mod tests;
