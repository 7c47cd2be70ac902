//! Writing JSON text by hand, for answers whose shape is fixed.

use std::fmt::Write as _;

/// Appends `text` as a JSON string with its quotes.
pub(crate) fn push_string(out: &mut String, text: &str) {
    out.push('"');
    let mut plain_from = 0;
    for (at, byte) in text.bytes().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        // Everything escaped is ASCII, so both cuts are at character boundaries.
        out.push_str(&text[plain_from..at]);
        push_escape(out, byte);
        plain_from = at + 1;
    }
    out.push_str(&text[plain_from..]);
    out.push('"');
}

fn push_escape(out: &mut String, byte: u8) {
    match byte {
        b'"' => out.push_str("\\\""),
        b'\\' => out.push_str("\\\\"),
        b'\n' => out.push_str("\\n"),
        b'\r' => out.push_str("\\r"),
        b'\t' => out.push_str("\\t"),
        _ => push(out, format_args!("\\u{byte:04x}")),
    }
}

/// Appends formatted text. Writing to a string cannot fail.
pub(crate) fn push(out: &mut String, text: std::fmt::Arguments<'_>) {
    let _ = out.write_fmt(text);
}

/// An OpenAI error object (openai.md §1.5).
pub(crate) fn error_object(message: &str, kind: &str, code: Option<&str>) -> String {
    let mut out = String::from(r#"{"error":{"message":"#);
    push_string(&mut out, message);
    out.push_str(r#","type":"#);
    push_string(&mut out, kind);
    out.push_str(r#","param":null,"code":"#);
    match code {
        Some(code) => push_string(&mut out, code),
        None => out.push_str("null"),
    }
    out.push_str("}}");
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_text_reads_back_as_it_was_written(text in any::<String>()) {
            let mut out = String::new();
            push_string(&mut out, &text);
            prop_assert_eq!(serde_json::from_str::<String>(&out).ok(), Some(text));
        }
    }

    #[test]
    fn an_error_object_has_all_four_fields() {
        assert_eq!(
            error_object("no \"x\"", "invalid_request_error", None),
            r#"{"error":{"message":"no \"x\"","type":"invalid_request_error","param":null,"code":null}}"#
        );
    }
}
