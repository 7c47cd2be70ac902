//! What the management API says no with, and how the store's failures look to a client.

use axum::response::{IntoResponse as _, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};
use tollgate_faults::{Dialect, Reason, Refusal};
use tollgate_store::{Replaced, StoreError};

/// Longest part of a client's text that is repeated to it, in characters.
const ECHO_CHARS_MAX: usize = 64;

/// The answer to a refused management call.
pub(crate) fn response(refusal: &Refusal, docs_base: &str, call: &str) -> Response {
    let rendered = tollgate_faults::render(refusal, Dialect::OpenAi, docs_base, call);
    let status = StatusCode::from_u16(rendered.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, rendered.body).into_response();
    for (name, value) in rendered.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

/// The store failed; what exactly is in the log, once, and not in the answer.
pub(crate) fn store(problem: &StoreError) -> Refusal {
    tracing::error!(%problem, "the store failed under the management API");
    Refusal::new(Reason::StoreUnavailable, "the store that holds the keys cannot be reached")
}

/// A field holds something it cannot hold.
pub(crate) fn wrong(field: &str, message: impl std::fmt::Display) -> Refusal {
    Refusal::new(Reason::FieldWrongType, format!("`{}`: {message}", echo(field)))
        .with_param(echo(field))
}

/// A field or a name in a query is missing.
pub(crate) fn missing(field: &str, message: &str) -> Refusal {
    Refusal::new(Reason::FieldMissing, message).with_param(echo(field))
}

/// There is none with this identity.
pub(crate) fn absent(noun: &str, field: &str, id: &str) -> Refusal {
    let message = format!("there is no {noun} `{}`; nothing was changed", echo(id));
    Refusal::new(Reason::EntityNotFound, message).with_param(field)
}

/// There is one with this identity.
pub(crate) fn exists(noun: &str, field: &str, id: &str) -> Refusal {
    let message = format!("there is a {noun} `{}`", echo(id));
    Refusal::new(Reason::EntityExists, message).with_param(field)
}

/// Whether a row was replaced; `None` when there is none.
pub(crate) fn replaced(replaced: Replaced) -> Result<Option<()>, Refusal> {
    match replaced {
        Replaced::Done => Ok(Some(())),
        Replaced::Absent => Ok(None),
        Replaced::ChangedMeanwhile => {
            let message = "others changed the same again and again; nothing was changed";
            Err(Refusal::new(Reason::ChangedMeanwhile, message))
        }
    }
}

/// As much of a client's text as is repeated to it.
pub(crate) fn echo(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(ECHO_CHARS_MAX).collect()
}
