//! Errors as the API writes them: `{"error": "text"}`, inside a stream as well.

use crate::formats::openai_chat::{self, ErrorBody};

/// Reads the body of an answer whose status says that it is an error; `None` when it holds nothing
/// to be read.
///
/// Proxies in front of the API write errors of other shapes, which are read as well.
#[must_use]
pub fn read_error(body: &[u8]) -> Option<ErrorBody> {
    openai_chat::read_error(body)
}

/// The failure of an answer for which the server only loaded or unloaded the model.
pub(super) fn unanswered(reason: &str) -> ErrorBody {
    ErrorBody {
        message: format!("the upstream ended without an answer: `{reason}`"),
        kind: None,
        code: Some("empty_response".to_owned()),
        param: None,
    }
}
