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
    let Ok(object) = Object::scan(body) else { return Some(read) };
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
    fill_event(out, name, |out| out.extend_from_slice(json));
}

/// The same around the JSON that `fill` appends.
pub(super) fn fill_event(out: &mut Vec<u8>, name: &str, fill: impl FnOnce(&mut Vec<u8>)) {
    out.extend_from_slice(b"event: ");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\ndata: ");
    let start = out.len();
    fill(out);
    let data = out.get_mut(start..).unwrap_or_default();
    if memchr::memchr2(b'\n', b'\r', data).is_some() {
        for byte in data.iter_mut().filter(|byte| matches!(byte, b'\n' | b'\r')) {
            *byte = b' ';
        }
    }
    out.extend_from_slice(b"\n\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_every_shape_are_read() {
        for (body, message, kind, code) in [
            (
                concat!(
                    r#"{"type":"error","error":{"type":"rate_limit_error","message":"Slow down","#,
                    r#""details":{"error_code":"ramp_limit_exceeded"}},"request_id":"req_1"}"#
                ),
                "Slow down",
                Some("rate_limit_error"),
                Some("ramp_limit_exceeded"),
            ),
            (
                r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
                "Overloaded",
                Some("overloaded_error"),
                None,
            ),
            (r#"{"message":"Too many tokens"}"#, "Too many tokens", None, None),
            (r#"[{"error":{"message":"listed"}}]"#, "listed", None, None),
        ] {
            let error = read_error(body.as_bytes()).expect("an error");
            assert_eq!(error.message, message);
            assert_eq!((error.kind.as_deref(), error.code.as_deref()), (kind, code), "{body}");
        }
        assert_eq!(read_error(b"<html>"), None);
        assert_eq!(read_error(b"{}"), None);
    }

    #[test]
    fn an_event_is_one_line_of_data() {
        let event = error_event("{\n  \"type\": \"error\"\r\n}");
        assert_eq!(&event[..], b"event: error\ndata: {   \"type\": \"error\"  }\n\n");
    }
}
