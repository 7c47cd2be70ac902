//! Errors in this format: reading them, and the events that report one inside a stream.

use bytes::Bytes;

use super::response::write_error;
use super::sse_out::write_event;
use crate::formats::openai_chat::{self, ErrorBody};
use crate::json::{Object, Raw};

/// Reads the body of an answer whose status says that it is an error, or a failed response; `None`
/// when it holds nothing to be read.
#[must_use]
pub fn read_error(body: &[u8]) -> Option<ErrorBody> {
    let mut read = openai_chat::read_error(body)?;
    // The event of this name is flat, and its own type is not the error's.
    read.kind = read.kind.filter(|kind| kind != "error");
    Some(read)
}

/// The error of a response that failed.
pub(super) fn failure(response: Option<Raw<'_>>) -> ErrorBody {
    let told = response.and_then(|response| {
        response.find("error")?;
        read_error(response.as_written().as_bytes())
    });
    told.unwrap_or_else(|| ErrorBody {
        message: "the provider reported that the response failed".to_owned(),
        kind: None,
        code: None,
        param: None,
    })
}

/// The events that report an error inside a stream, from its JSON: `error`, on which OpenAI's own
/// libraries raise, and `response.failed`, which ends the answer for those that follow the
/// response. They are numbered from `number` on.
#[must_use]
pub fn error_event(json: &str, number: u64) -> Bytes {
    let error = read_error(json.as_bytes()).unwrap_or_else(|| ErrorBody {
        message: "the answer broke off".to_owned(),
        kind: None,
        code: None,
        param: None,
    });
    let code = word(&error);
    let mut out = Vec::new();
    write_event(&mut out, "error", number, |o| {
        o.string("code", code).string("message", &error.message);
        match &error.param {
            Some(param) => o.string("param", param),
            None => o.null("param"),
        };
    });
    write_event(&mut out, "response.failed", number.saturating_add(1), |o| {
        o.object("response", |o| {
            o.string("object", "response").string("status", "failed");
            write_error(code, &error.message, o);
            o.array("output", |_| {});
        });
    });
    out.into()
}

/// The API's word for an error: its own code, or what a status that stands there means.
fn word(error: &ErrorBody) -> &str {
    let code = error.code.as_deref().or(error.kind.as_deref()).unwrap_or(SERVER_ERROR);
    match code.parse::<u16>() {
        Ok(429) => "rate_limit_exceeded",
        Ok(400..=499) => error.kind.as_deref().unwrap_or("invalid_request_error"),
        Ok(_) => SERVER_ERROR,
        Err(_) => code,
    }
}

/// The number that the next event after a piece of a stream has; `None` where the piece holds no
/// numbered event. The piece must hold whole events.
#[must_use]
pub fn next_number(piece: &[u8]) -> Option<u64> {
    let last = memchr::memmem::rfind(piece, NUMBER)? + NUMBER.len();
    let rest = piece.get(last..).unwrap_or_default().trim_ascii_start();
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let number: u64 = std::str::from_utf8(rest.get(..digits)?).ok()?.parse().ok()?;
    Some(number.saturating_add(1))
}

/// The member that numbers an event. Within a text its quotes would be escaped.
const NUMBER: &[u8] = br#""sequence_number":"#;
/// OpenAI's word for what went wrong on the provider's side (API reference, response errors).
const SERVER_ERROR: &str = "server_error";

/// Whether a body is an error rather than a response, whatever its status was.
pub(super) fn error_within(object: &Object<'_>, body: &[u8]) -> Option<ErrorBody> {
    let text = |name| object.value(name).and_then(Raw::text);
    let failed = text("status").is_some_and(|status| status == "failed");
    let is_error = text("object").is_none_or(|kind| kind == "error");
    if object.value("error").is_some() || is_error && object.value("output").is_none() {
        return read_error(body);
    }
    failed.then(|| failure(None))
}

#[cfg(test)]
mod tests;
