//! Errors in the dialect of the Messages API: reading them, and the event that reports one inside a
//! stream.

use bytes::Bytes;

use crate::formats::openai_chat::{self, ErrorBody};
use crate::json::{Object, Raw};

/// Keeps a stream alive while the model is silent.
pub const PING_EVENT: &[u8] = b"event: ping\ndata: {\"type\":\"ping\"}\n\n";

/// Reads the body of an answer whose status says that it is an error; `None` when it holds nothing
/// to be read. `details.error_code` is the code.
///
/// Proxies in front of the API write errors of other shapes, which are read as well.
#[must_use]
pub fn read_error(body: &[u8]) -> Option<ErrorBody> {
    let mut read = openai_chat::read_error(body)?;
    let object = Object::scan(body).ok()?;
    let details = object.value("error").and_then(|error| error.find("details"));
    let code = details.and_then(|details| details.find("error_code")).and_then(Raw::text);
    read.code = read.code.or_else(|| code.map(Into::into));
    Some(read)
}

/// The event that reports an error inside a stream, from its JSON.
#[must_use]
pub fn error_event(json: &str) -> Bytes {
    let mut out = Vec::with_capacity(json.len() + 24);
    write_event(&mut out, "error", json.as_bytes());
    out.into()
}

/// Appends one event. JSON holds no raw line ends in its strings, and those between its values
/// mean nothing.
pub(super) fn write_event(out: &mut Vec<u8>, name: &str, json: &[u8]) {
    out.extend_from_slice(b"event: ");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\ndata: ");
    out.extend(json.iter().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { *byte }));
    out.extend_from_slice(b"\n\n");
}
