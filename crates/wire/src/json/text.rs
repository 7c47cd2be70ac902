//! JSON strings: reading their escapes and writing them.

use std::borrow::Cow;
use std::fmt::Write as _;

/// The text of a string's inner part. A lone surrogate, which no UTF-8 text can hold, becomes
/// U+FFFD.
pub(super) fn unescaped(inner: &str) -> Cow<'_, str> {
    let Some(first) = inner.find('\\') else { return Cow::Borrowed(inner) };
    let mut out = String::with_capacity(inner.len());
    let (plain, mut rest) = inner.split_at(first);
    out.push_str(plain);
    while let Some(after) = rest.strip_prefix('\\') {
        let tail = read_escape(after, &mut out);
        let (plain, next) = tail.split_at(tail.find('\\').unwrap_or(tail.len()));
        out.push_str(plain);
        rest = next;
    }
    Cow::Owned(out)
}

/// Reads one escape, its backslash already gone, and gives what follows it.
fn read_escape<'a>(after: &'a str, out: &mut String) -> &'a str {
    let Some(letter) = after.chars().next() else { return "" };
    let tail = after.get(letter.len_utf8()..).unwrap_or_default();
    match letter {
        'b' => out.push('\u{8}'),
        'f' => out.push('\u{c}'),
        'n' => out.push('\n'),
        'r' => out.push('\r'),
        't' => out.push('\t'),
        'u' => return read_unicode(tail, out),
        other => out.push(other),
    }
    tail
}

fn read_unicode<'a>(tail: &'a str, out: &mut String) -> &'a str {
    let (Some(unit), after) = hex_unit(tail) else {
        out.push(char::REPLACEMENT_CHARACTER);
        return tail;
    };
    let low = after.strip_prefix("\\u").map(hex_unit);
    if let (0xD800..=0xDBFF, Some((Some(low @ 0xDC00..=0xDFFF), after_pair))) = (unit, low) {
        let code = 0x1_0000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
        out.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
        return after_pair;
    }
    out.push(char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER));
    after
}

/// Four hexadecimal digits and what follows them.
fn hex_unit(text: &str) -> (Option<u32>, &str) {
    match text.split_at_checked(4) {
        Some((digits, rest)) => (u32::from_str_radix(digits, 16).ok(), rest),
        None => (None, text),
    }
}

/// A text as a JSON string with its quotes.
#[must_use]
pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{0}'..='\u{1f}' => {
                write!(out, "\\u{:04x}", u32::from(character)).expect("a string takes any text");
            }
            plain => out.push(plain),
        }
    }
    out.push('"');
    out
}
