//! Errors as AWS writes them: bodies of failed calls, and exceptions inside a stream.

use crate::formats::openai_chat::{self, ErrorBody};
use crate::json::{Object, Raw};

/// Exceptions, without the word that ends their names, and the HTTP status that each stands for
/// (the service model of the Bedrock runtime; AWS's common errors).
const STATUSES: [(&str, u16); 15] = [
    ("accessDenied", 403),
    ("expiredToken", 403),
    ("incompleteSignature", 403),
    ("internalServer", 500),
    ("invalidSignature", 403),
    ("modelError", 424),
    ("modelNotReady", 429),
    ("modelStreamError", 424),
    ("modelTimeout", 408),
    ("resourceNotFound", 404),
    ("serviceQuotaExceeded", 400),
    ("serviceUnavailable", 503),
    ("throttling", 429),
    ("unrecognizedClient", 403),
    ("validation", 400),
];

/// How names of errors end.
const ENDINGS: [&str; 3] = ["exception", "error", "failure"];

/// Reads the body of an answer whose status says that it is an error; `None` when it holds nothing
/// to be read.
///
/// The kind is the exception's name, the code the status that the model's own server answered with
/// or that the exception stands for. The name may stand in the header `x-amzn-errortype` alone: see
/// [`named_error`].
#[must_use]
pub fn read_error(body: &[u8]) -> Option<ErrorBody> {
    let object = Object::scan(body).ok()?;
    let kind = object.value("__type").and_then(Raw::text);
    if kind.is_none() && message(&object).is_none() {
        return openai_chat::read_error(body);
    }
    Some(error_from(kind.as_deref().map(exception_name), &object))
}

/// The error of an answer that names the exception beside its body, of which this was read.
#[must_use]
pub fn named_error(written: &str, read: Option<ErrorBody>) -> ErrorBody {
    let name = exception_name(written);
    let mut error = read.unwrap_or_else(|| exception(name, b""));
    error.kind.get_or_insert_with(|| name.to_owned());
    error.code = error.code.or_else(|| status_of(name).map(|status| status.to_string()));
    error
}

/// An exception's name without what AWS puts around it: `ThrottlingException:http://…` and
/// `com.amazon.coral.availability#ThrottlingException` are `ThrottlingException`.
#[must_use]
fn exception_name(written: &str) -> &str {
    let name = written.split(':').next().unwrap_or_default();
    name.rsplit('#').next().unwrap_or_default().trim()
}

/// Whether a record of a stream is called as an error is.
pub(super) fn is_exception(event: &str) -> bool {
    let event = event.to_ascii_lowercase();
    ENDINGS.iter().any(|ending| event.ends_with(ending)) || status_of(&event).is_some()
}

/// The error that an exception inside a stream reports. An exception may come without a word.
pub(super) fn exception(event: &str, data: &[u8]) -> ErrorBody {
    let name = exception_name(event);
    match Object::scan(data) {
        Ok(object) => error_from(Some(name), &object),
        Err(_) => ErrorBody {
            message: unexplained(name),
            kind: Some(name.to_owned()),
            code: status_of(name).map(|status| status.to_string()),
            param: None,
        },
    }
}

fn error_from(name: Option<&str>, object: &Object<'_>) -> ErrorBody {
    let original = object.value("originalStatusCode").and_then(Raw::whole);
    let status = original.or_else(|| name.and_then(status_of).map(u64::from));
    ErrorBody {
        message: message(object).unwrap_or_else(|| unexplained(name.unwrap_or_default())),
        kind: name.map(str::to_owned),
        code: status.map(|status| status.to_string()),
        param: None,
    }
}

fn message(object: &Object<'_>) -> Option<String> {
    let texts = ["message", "Message", "originalMessage"];
    let text = |name: &&str| object.value(name).and_then(Raw::text).map(String::from);
    texts.iter().find_map(text).filter(|text| !text.is_empty())
}

fn status_of(name: &str) -> Option<u16> {
    let bare = match name.len().checked_sub("exception".len()) {
        Some(at) if name.is_char_boundary(at) => match name.split_at(at) {
            (bare, ending) if ending.eq_ignore_ascii_case("exception") => bare,
            _ => name,
        },
        _ => name,
    };
    STATUSES.iter().find(|(known, _)| known.eq_ignore_ascii_case(bare)).map(|row| row.1)
}

fn unexplained(name: &str) -> String {
    format!("the upstream reported `{name}` without an explanation")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_and_its_status_are_read_wherever_aws_puts_them() {
        for (body, message, kind, code) in [
            (
                r#"{"__type":"com.amazon.coral.availability#ThrottlingException","message":"Too many tokens, please wait before trying again."}"#,
                "Too many tokens, please wait before trying again.",
                Some("ThrottlingException"),
                Some("429"),
            ),
            (
                r#"{"message":"Input is too long for requested model."}"#,
                "Input is too long for requested model.",
                None,
                None,
            ),
            (
                r#"{"Message":"User is not authorized","__type":"AccessDeniedException"}"#,
                "User is not authorized",
                Some("AccessDeniedException"),
                Some("403"),
            ),
            (
                r#"{"originalStatusCode":400,"originalMessage":"bad","__type":"ModelErrorException"}"#,
                "bad",
                Some("ModelErrorException"),
                Some("400"),
            ),
            (r#"{"error":{"message":"a proxy's","type":"t"}}"#, "a proxy's", Some("t"), None),
            (
                r#"{"__type":"NewException"}"#,
                "the upstream reported `NewException` without an explanation",
                Some("NewException"),
                None,
            ),
        ] {
            let error = read_error(body.as_bytes()).expect("an error");
            assert_eq!(error.message, message);
            assert_eq!((error.kind.as_deref(), error.code.as_deref()), (kind, code), "{body}");
        }
        for none in ["", "{}", "<html>", r#"{"output":{}}"#] {
            assert_eq!(read_error(none.as_bytes()), None, "{none}");
        }
    }

    #[test]
    fn names_are_told_apart_from_events() {
        for name in ["throttlingException", "modelStreamErrorException", "InternalFailure"] {
            assert!(is_exception(name), "{name}");
        }
        for name in ["messageStart", "contentBlockDelta", "metadata", "tomorrow", ""] {
            assert!(!is_exception(name), "{name}");
        }
        let header = "ValidationException:http://internal.amazon.com/coral/";
        assert_eq!(exception_name(header), "ValidationException");
        let silent = exception("throttlingException", b"");
        assert_eq!(silent.code.as_deref(), Some("429"));
        let told = |body: &[u8]| named_error(header, read_error(body));
        for (error, message) in [
            (told(br#"{"message":"no"}"#), "no"),
            (told(b""), "the upstream reported `ValidationException` without an explanation"),
        ] {
            assert_eq!(error.message, message);
            let names = (error.kind.as_deref(), error.code.as_deref());
            assert_eq!(names, (Some("ValidationException"), Some("400")));
        }
        let own = told(br#"{"message":"m","__type":"ThrottlingException"}"#);
        assert_eq!(own.kind.as_deref(), Some("ThrottlingException"), "the body's own name stays");
    }
}
