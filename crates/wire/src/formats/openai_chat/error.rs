//! Errors as upstreams of this format write them, and the event that reports one inside a stream.

use bytes::Bytes;

use crate::frame::sse;
use crate::json::{Kind, Object, Raw};

/// Longest message made from an error that has none of its own, in bytes.
const RAW_MESSAGE_BYTES_MAX: usize = 1024;

/// What an upstream says about a failure, in its own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorBody {
    /// The message, verbatim: clients match on it.
    pub message: String,
    /// `type`.
    pub kind: Option<String>,
    /// `code`, a number as its text.
    pub code: Option<String>,
    /// `param`.
    pub param: Option<String>,
}

impl ErrorBody {
    /// An error of which only a message is known.
    pub(super) fn told(message: impl Into<String>) -> Self {
        Self { message: message.into(), kind: None, code: None, param: None }
    }
}

/// Reads the body of an answer whose status says that it is an error; `None` when it holds nothing
/// to be read.
///
/// Besides OpenAI's `{"error": {…}}` it knows an `error` that is plain text (Ollama), an error at
/// the top level (vLLM, Azure API Management), `detail` (FastAPI servers), and a list around any of
/// these (Google).
#[must_use]
pub fn read_error(body: &[u8]) -> Option<ErrorBody> {
    if body.trim_ascii_start().starts_with(b"[") {
        // A list is no object to scan; as the only member of one it is.
        let wrapped = [br#"{"list":"#.as_slice(), body, b"}"].concat();
        let first = Object::scan(&wrapped).ok()?.value("list")?.elements().next()?;
        return read_error(first.as_written().as_bytes());
    }
    let object = Object::scan(body).ok()?;
    if let Some(error) = object.value("error") {
        return Some(error_from(error));
    }
    let told =
        ["message", "detail", "error_message"].iter().any(|name| object.value(name).is_some());
    told.then(|| from_members(&|name| object.value(name)))
}

/// The error inside an answer or chunk whose status said that all is well (OpenRouter, and vLLM's
/// `object: error`).
pub(super) fn error_within(object: &Object<'_>) -> Option<ErrorBody> {
    let means_one = |error: &Raw<'_>| match error.kind() {
        Kind::Object | Kind::Array => error.holds_something(),
        Kind::String => error.as_written() != "\"\"",
        Kind::Number => true,
        Kind::Boolean => error.boolean() == Some(true),
        Kind::Null => false,
    };
    if let Some(error) = object.value("error").filter(means_one) {
        return Some(error_from(error));
    }
    let says_so = object.value("object").and_then(Raw::text).is_some_and(|kind| kind == "error");
    says_so.then(|| from_members(&|name| object.value(name)))
}

/// One event that reports an error inside a stream, from its JSON.
#[must_use]
pub fn error_event(json: &str) -> Bytes {
    sse::event(json)
}

/// An error from the value of an `error` member.
pub(super) fn error_from(error: Raw<'_>) -> ErrorBody {
    match error.kind() {
        Kind::Object => {
            let mut body = from_members(&|name| error.find(name));
            if body.message.is_empty() {
                body.message = shortened(error.as_written());
            }
            body
        }
        Kind::String => ErrorBody::told(error.text().unwrap_or_default()),
        _ => ErrorBody::told(shortened(error.as_written())),
    }
}

fn from_members<'a>(find: &dyn Fn(&str) -> Option<Raw<'a>>) -> ErrorBody {
    let message = ["message", "detail", "error_message"].iter().find_map(|name| find(name));
    ErrorBody {
        message: message.map(in_text).unwrap_or_default(),
        kind: find("type").map(in_text).filter(|kind| !kind.is_empty()),
        code: ["code", "error_code", "statusCode"]
            .iter()
            .find_map(|name| find(name))
            .map(in_text)
            .filter(|code| !code.is_empty()),
        param: find("param").map(in_text).filter(|param| !param.is_empty()),
    }
}

fn in_text(value: Raw<'_>) -> String {
    match value.text() {
        Some(text) => text.into_owned(),
        None => shortened(value.as_written()),
    }
}

fn shortened(text: &str) -> String {
    text[..text.floor_char_boundary(RAW_MESSAGE_BYTES_MAX)].to_owned()
}

#[cfg(test)]
mod tests;
