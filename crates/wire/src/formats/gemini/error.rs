//! Errors as Google's APIs write them, and the event that reports one inside a stream.

use bytes::Bytes;

use super::fields::Members;
use crate::formats::openai_chat::ErrorBody;
use crate::json::{Kind, Object, Raw};

/// Longest message made from an error that has none of its own, in bytes.
const RAW_MESSAGE_BYTES_MAX: usize = 1024;

/// Reads the body of an answer whose status says that it is an error; `None` when it holds nothing
/// to be read. A stream that was not asked for as events answers with a list around the error.
///
/// The kind is Google's `status` (`RESOURCE_EXHAUSTED`), the code the most telling of the details:
/// the quota that was exceeded, else the reason (`API_KEY_INVALID`), else the number.
#[must_use]
pub fn read_error(body: &[u8]) -> Option<ErrorBody> {
    if body.trim_ascii_start().starts_with(b"[") {
        // A list is no object to scan; as the only member of one it is.
        let wrapped = [br#"{"list":"#.as_slice(), body, b"}"].concat();
        let object = Object::scan(&wrapped).ok()?;
        let first = object.value("list")?.elements().next()?;
        return first.find("error").map(error_from);
    }
    Object::scan(body).ok()?.value("error").map(error_from)
}

/// An error from the value of an `error` member.
pub(super) fn error_from(error: Raw<'_>) -> ErrorBody {
    if error.kind() != Kind::Object {
        let message = error.text().map_or_else(|| shortened(error.as_written()), Into::into);
        return ErrorBody { message, kind: None, code: None, param: None };
    }
    let members = Members::of(error);
    let text = |name| members.find(name).and_then(Raw::text).map(String::from);
    let details = Details::read(members.find("details"));
    let number = members.find("code").map(|code| shortened(code.as_written()));
    ErrorBody {
        message: text("message").unwrap_or_else(|| shortened(error.as_written())),
        kind: text("status"),
        code: details.quota.or(details.reason).or(number),
        param: details.field,
    }
}

/// An error that only this gateway has words for.
pub(super) fn told(message: String, code: &str) -> ErrorBody {
    ErrorBody { message, kind: None, code: Some(code.to_owned()), param: None }
}

/// One event that reports an error inside a stream, from its JSON.
#[must_use]
pub fn error_event(json: &str) -> Bytes {
    let mut out = Vec::with_capacity(json.len() + 16);
    write_event(&mut out, json.as_bytes());
    Bytes::from(out)
}

/// Appends one event; the API ends lines as HTTP does. Clients of this format take one line for one
/// chunk: line breaks in JSON, which stand between its values only, become spaces.
pub(super) fn write_event(out: &mut Vec<u8>, json: &[u8]) {
    out.extend_from_slice(b"data: ");
    out.extend(json.iter().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { *byte }));
    out.extend_from_slice(b"\r\n\r\n");
}

/// The element that reports an error inside a stream that is an array, from its JSON, and the
/// array's end. `first` tells that nothing of the array has been written.
#[must_use]
pub fn error_element(json: &str, first: bool) -> Bytes {
    let mut out = Vec::with_capacity(json.len() + 16);
    write_element(&mut out, json.as_bytes(), first);
    out.extend_from_slice(b"\r\n]");
    Bytes::from(out)
}

/// Appends one element of an array, with what stands before it.
pub(super) fn write_element(out: &mut Vec<u8>, json: &[u8], first: bool) {
    out.extend_from_slice(if first { b"[" } else { b"\r\n,\r\n" });
    out.extend_from_slice(json);
}

/// What the typed details of an error tell (`google.rpc` error details).
#[derive(Debug, Default)]
struct Details {
    /// `ErrorInfo.reason`.
    reason: Option<String>,
    /// `QuotaFailure.violations[].quotaId`: a daily quota's name says so, and outlasts the others.
    quota: Option<String>,
    /// `BadRequest.fieldViolations[].field`.
    field: Option<String>,
}

impl Details {
    fn read(details: Option<Raw<'_>>) -> Self {
        let mut read = Self::default();
        for detail in details.into_iter().flat_map(Raw::elements) {
            let listed = |list: &str, name: &'static str| {
                let listed = detail.find(list).into_iter().flat_map(Raw::elements);
                listed.filter_map(move |item| item.find(name)?.text().map(String::from))
            };
            let reason = detail.find("reason").and_then(Raw::text).map(String::from);
            read.reason = read.reason.or(reason);
            let mut quotas = read.quota.into_iter().chain(listed("violations", "quotaId"));
            let first = quotas.next();
            let daily = |quota: &String| quota.contains("PerDay");
            let longer = if first.as_ref().is_some_and(daily) { None } else { quotas.find(daily) };
            read.quota = longer.or(first);
            read.field = read.field.or_else(|| listed("fieldViolations", "field").next());
        }
        read
    }
}

fn shortened(text: &str) -> String {
    text.get(..text.floor_char_boundary(RAW_MESSAGE_BYTES_MAX)).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(message: &str, kind: &str, code: &str, param: Option<&str>) -> ErrorBody {
        ErrorBody {
            message: message.into(),
            kind: Some(kind.into()),
            code: Some(code.into()),
            param: param.map(Into::into),
        }
    }

    #[test]
    fn the_most_telling_detail_is_the_code() {
        for (given, expected) in [
            (
                r#"{"error":{"code":503,"message":"overloaded","status":"UNAVAILABLE"}}"#,
                body("overloaded", "UNAVAILABLE", "503", None),
            ),
            (
                r#"[{"error":{"code":400,"message":"bad key","status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID"}]}}]"#,
                body("bad key", "INVALID_ARGUMENT", "API_KEY_INVALID", None),
            ),
            (
                r#"{"error":{"code":429,"message":"quota","status":"RESOURCE_EXHAUSTED","details":[{"violations":[{"quotaId":"RequestsPerDay"}]},{"retryDelay":"21s"}]}}"#,
                body("quota", "RESOURCE_EXHAUSTED", "RequestsPerDay", None),
            ),
            (
                r#"{"error":{"code":429,"message":"quota","status":"RESOURCE_EXHAUSTED","details":[{"reason":"RATE_LIMIT_EXCEEDED"},{"violations":[{"quotaId":"PerMinute"},{"quotaId":"TokensPerDay"}]}]}}"#,
                body("quota", "RESOURCE_EXHAUSTED", "TokensPerDay", None),
            ),
            (
                r#"{"error":{"code":400,"message":"m","status":"INVALID_ARGUMENT","details":[{"fieldViolations":[{"field":"contents[0]"}]}]}}"#,
                body("m", "INVALID_ARGUMENT", "400", Some("contents[0]")),
            ),
        ] {
            assert_eq!(read_error(given.as_bytes()), Some(expected), "{given}");
        }
    }

    #[test]
    fn what_is_no_error_reads_as_none() {
        for given in ["", "{}", "[]", "[1]", "<html>", r#"{"error":null}"#, r#"{"candidates":[]}"#]
        {
            assert_eq!(read_error(given.as_bytes()), None, "{given}");
        }
        let odd = read_error(br#"{"error":"no luck"}"#).expect("an error");
        assert_eq!((odd.message.as_str(), odd.kind), ("no luck", None));
    }

    #[test]
    fn an_error_event_is_one_line_whatever_its_json() {
        assert_eq!(error_event("{\n\"error\":1}"), "data: { \"error\":1}\r\n\r\n");
    }
}
