//! What a plain scalar means: the rules of YAML 1.1, which LiteLLM's loader follows.

use super::{Number, Value};

/// The meaning of an unquoted scalar.
///
/// Two deliberate differences to YAML 1.1: `1e-6` is a number although the old rules ask for a
/// point, and `1:30` is text although the old rules read it as ninety.
pub(super) fn plain(text: &str) -> Value {
    if matches!(text, "" | "~" | "null" | "Null" | "NULL") {
        return Value::Null;
    }
    if let Some(truth) = boolean(text) {
        return Value::Bool(truth);
    }
    match number(text) {
        Some(json) => Value::Number(Number { written: text.into(), json: json.into() }),
        None => Value::Text(text.into()),
    }
}

fn boolean(text: &str) -> Option<bool> {
    match text {
        "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Some(true),
        "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Some(false),
        _ => None,
    }
}

/// The JSON form of a number, or `None` when the text is none.
fn number(text: &str) -> Option<String> {
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => ("-", &text[1..]),
        b'+' => ("", &text[1..]),
        b'0'..=b'9' | b'.' => ("", text),
        _ => return None,
    };
    let digits = digits.replace('_', "");
    let magnitude = radix(&digits).or_else(|| decimal(&digits))?;
    Some(format!("{sign}{magnitude}"))
}

/// `0x1f`, `0b101` and the octal `017`.
fn radix(digits: &str) -> Option<String> {
    let rest = digits.strip_prefix('0').filter(|rest| !rest.is_empty())?;
    let (digits, radix) = match rest.as_bytes().first()? {
        b'x' => (&rest[1..], 16),
        b'b' => (&rest[1..], 2),
        _ => (rest, 8),
    };
    if !digits.chars().all(|digit| digit.is_digit(radix)) {
        return None;
    }
    u64::from_str_radix(digits, radix).ok().map(|value| value.to_string())
}

/// `12`, `0.5`, `.5`, `5.` and any of them with an exponent.
fn decimal(digits: &str) -> Option<String> {
    let (mantissa, exponent) = match digits.find(['e', 'E']) {
        Some(at) => (&digits[..at], Some(&digits[at + 1..])),
        None => (digits, None),
    };
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !all_digits(whole) || !all_digits(part) || (whole.is_empty() && part.is_empty()) {
        return None;
    }
    if whole.len() > 1 && whole.starts_with('0') && part.is_empty() {
        // `0189` is no octal number, and a decimal number does not start with a zero.
        return None;
    }
    let whole = match whole.trim_start_matches('0') {
        "" => "0",
        significant => significant,
    };
    let mut json = if part.is_empty() { whole.to_owned() } else { format!("{whole}.{part}") };
    if let Some(exponent) = exponent {
        let unsigned = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        if unsigned.is_empty() || !all_digits(unsigned) {
            return None;
        }
        json.push('e');
        json.push_str(exponent);
    }
    Some(json)
}
