//! Errors in this format: reading them, and the events that report one inside a stream.

use bytes::Bytes;

use super::response::write_error;
use super::sse_out::write_event;
use crate::formats::openai_chat::{self, ErrorBody};
use crate::json::{Object, Raw};

/// The number of an event that reports an error from outside the stream: past every event that the
/// stream itself can number, and within what clients hold in 32 bits.
const NUMBER_BEYOND: u64 = 0x7FFF_FFFE;

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
/// response.
#[must_use]
pub fn error_event(json: &str) -> Bytes {
    let error = read_error(json.as_bytes()).unwrap_or_else(|| ErrorBody {
        message: "the answer broke off".to_owned(),
        kind: None,
        code: None,
        param: None,
    });
    let code = error.code.as_deref().or(error.kind.as_deref()).unwrap_or("server_error");
    let mut out = Vec::new();
    write_event(&mut out, "error", NUMBER_BEYOND, |o| {
        o.string("code", code).string("message", &error.message);
        match &error.param {
            Some(param) => o.string("param", param),
            None => o.null("param"),
        };
    });
    write_event(&mut out, "response.failed", NUMBER_BEYOND + 1, |o| {
        o.object("response", |o| {
            o.string("object", "response").string("status", "failed");
            write_error(code, &error.message, o);
            o.array("output", |_| {});
        });
    });
    out.into()
}

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
