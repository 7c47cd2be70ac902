//! Errors as the API writes them: `{"id", "message"}`, without a code.

use crate::formats::openai_chat::{self, ErrorBody};
use crate::json::{Kind, Object, Raw};

/// Reads the body of an answer whose status says that it is an error; `None` when it holds nothing
/// to be read.
///
/// Proxies in front of the API write errors of other shapes, which are read as well.
#[must_use]
pub fn read_error(body: &[u8]) -> Option<ErrorBody> {
    openai_chat::read_error(body)
}

/// The error in an answer or an event whose status said that all is well: there `message` is an
/// object unless it is an error's text.
pub(super) fn error_within(object: &Object<'_>) -> Option<ErrorBody> {
    let message = object.value("message").filter(|message| message.kind() == Kind::String);
    if let Some(message) = message.and_then(Raw::text) {
        let message = message.into_owned();
        return Some(ErrorBody { message, kind: None, code: None, param: None });
    }
    let error = object.value("error")?;
    let mut wrapped = Vec::new();
    crate::json::write::object(&mut wrapped, |o| _ = o.raw("error", error.as_written()));
    read_error(&wrapped)
}

/// The failure that a `finish_reason` tells, in the provider's own words where it has any.
pub(super) fn ended_with(reason: &str, told: Option<&str>) -> ErrorBody {
    let kind = if reason == "TIMEOUT" { "timeout_error" } else { "server_error" };
    ErrorBody {
        message: match told {
            Some(told) => told.to_owned(),
            None => format!("the upstream ended the answer with `{reason}`"),
        },
        kind: Some(kind.to_owned()),
        code: Some(reason.to_owned()),
        param: None,
    }
}
