//! How long an upstream asks to wait, in every form in which upstreams say it.

use std::time::Duration;

use tollgate_domain::{Timestamp, parse_scaled};

/// The wait an upstream asks for, at most [`WAIT_MAX`], or `None` when it names none. `headers`
/// gives a header of the answer by its lower-case name.
///
/// The first form that says something wins (seed-behaviour S10): `retry-after-ms`; `retry-after` in
/// seconds or as a date; the reset of a limit with nothing remaining; Google's `retryDelay` in the
/// body; `retry after 30 seconds` or `try again in 7m12.3s` in its words.
#[must_use]
pub fn wait_hint(
    headers: &dyn Fn(&str) -> Option<String>,
    body_text: &str,
    now: Timestamp,
) -> Option<Duration> {
    let header = |name: &str| headers(name).map(|value| value.trim().to_owned());
    let wait = header("retry-after-ms")
        .and_then(|value| number(&value, MICROS_PER_MILLI))
        .or_else(|| header("retry-after").and_then(|value| retry_after(&value, now)))
        .or_else(|| limit_reset(&header, now))
        .or_else(|| header("x-ratelimit-reset").and_then(|value| reset_number(&value, now)))
        .or_else(|| wait_in_text(body_text));
    wait.map(|wait| wait.min(WAIT_MAX))
}

/// `retry-after`: seconds, or an instant as HTTP writes dates.
fn retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    number(value, MICROS_PER_SECOND).or_else(|| Some(http_date(value)?.since(now)))
}

/// The longest reset among the limits that have nothing remaining: OpenAI's as durations, some
/// vendors' as plain seconds, Anthropic's as instants.
fn limit_reset(header: &dyn Fn(&str) -> Option<String>, now: Timestamp) -> Option<Duration> {
    let resets = LIMITS.into_iter().filter_map(|(family, limit)| {
        let (remaining, reset) = match family {
            Family::OpenAi => {
                (format!("x-ratelimit-remaining-{limit}"), format!("x-ratelimit-reset-{limit}"))
            }
            Family::Anthropic => (
                format!("anthropic-ratelimit-{limit}-remaining"),
                format!("anthropic-ratelimit-{limit}-reset"),
            ),
        };
        let used_up = number(&header(&remaining)?, 1)? == Duration::ZERO;
        let reset = header(&reset).filter(|_| used_up)?;
        number(&reset, MICROS_PER_SECOND)
            // Before the durations, because an instant begins like one: with digits.
            .or_else(|| Some(Timestamp::parse(&reset).ok()?.since(now)))
            .or_else(|| leading_duration(&reset))
    });
    resets.max()
}

/// OpenRouter's reset: milliseconds since the epoch; others send seconds since it, or from now.
fn reset_number(value: &str, now: Timestamp) -> Option<Duration> {
    let number = value.parse::<i64>().ok().filter(|number| *number >= 0)?;
    let instant =
        |micros: i64| Some(Timestamp::from_micros(number.checked_mul(micros)?).since(now));
    match number {
        EPOCH_MILLIS_MIN.. => instant(1000),
        EPOCH_SECONDS_MIN.. => instant(1_000_000),
        _ => Some(Duration::from_secs(number.unsigned_abs())),
    }
}

/// The wait that a body names, as Google's field or in words.
fn wait_in_text(body: &str) -> Option<Duration> {
    let end = body.floor_char_boundary(TEXT_BYTES_MAX);
    let text = body.get(..end)?.to_ascii_lowercase();
    PHRASES.into_iter().find_map(|phrase| {
        text.match_indices(phrase).find_map(|(at, _)| {
            // Between a field's name and its value stand quotes, a colon and spaces.
            let rest = text.get(at + phrase.len()..)?;
            leading_duration(rest.trim_start_matches(['"', '\\', ':', ' ', '\u{a0}']))
        })
    })
}

/// The duration a text begins with: numbers with units one after the other (`7m12.3s`, `1 hour`,
/// `800ms`), or one number alone, which is seconds.
fn leading_duration(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut sum: Option<Duration> = None;
    while let Some((digits, behind)) = split_run(rest, |c| c.is_ascii_digit() || c == '.') {
        let (unit, behind) =
            split_run(behind.trim_start(), |c| c.is_ascii_alphabetic()).unwrap_or(("", behind));
        // The sentence's own full stop is not a part of the number.
        let digits = digits.trim_end_matches('.');
        let Some(micros) = micros_in(unit) else {
            // A word that is no unit: the number counts alone, and only as the first.
            return sum.or_else(|| number(digits, MICROS_PER_SECOND));
        };
        sum = Some(sum.unwrap_or_default().saturating_add(number(digits, micros)?));
        rest = behind.trim_start();
    }
    sum
}

/// The longest beginning of the text of which every character belongs, if there is one.
fn split_run(text: &str, belongs: impl Fn(char) -> bool) -> Option<(&str, &str)> {
    let end = text.find(|c| !belongs(c)).unwrap_or(text.len());
    if end == 0 { None } else { text.split_at_checked(end) }
}

fn micros_in(unit: &str) -> Option<u64> {
    match unit {
        "ms" | "millisecond" | "milliseconds" => Some(MICROS_PER_MILLI),
        "s" | "sec" | "secs" | "second" | "seconds" => Some(MICROS_PER_SECOND),
        "m" | "min" | "mins" | "minute" | "minutes" => Some(60 * MICROS_PER_SECOND),
        "h" | "hr" | "hour" | "hours" => Some(3600 * MICROS_PER_SECOND),
        "d" | "day" | "days" => Some(86_400 * MICROS_PER_SECOND),
        _ => None,
    }
}

/// A decimal number of units of so many microseconds. Negative and absurd ones are no number.
fn number(text: &str, micros: u64) -> Option<Duration> {
    let scaled = parse_scaled(text, 6).ok().filter(|scaled| scaled.value >= 0)?;
    let micros = scaled.value.checked_mul(i128::from(micros))? / 1_000_000;
    Some(Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX)))
}

/// An instant in HTTP's preferred form, `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 §5.6.7). The two
/// obsolete forms are not read: no vendor is known to send them.
fn http_date(text: &str) -> Option<Timestamp> {
    let (_, date) = text.split_once(", ")?;
    let mut parts = date.split(' ');
    let [day, month, year, time, zone] = std::array::from_fn(|_| parts.next().unwrap_or_default());
    if zone != "GMT" || parts.next().is_some() {
        return None;
    }
    let month = 1 + MONTHS.into_iter().position(|name| name == month)?;
    Timestamp::parse(&format!("{year}-{month:02}-{day}T{time}Z")).ok()
}

/// Whose headers name a limit.
#[derive(Clone, Copy)]
enum Family {
    OpenAi,
    Anthropic,
}

/// The limits that vendors count down in headers.
const LIMITS: [(Family, &str); 6] = [
    (Family::OpenAi, "requests"),
    (Family::OpenAi, "tokens"),
    (Family::Anthropic, "requests"),
    (Family::Anthropic, "tokens"),
    (Family::Anthropic, "input-tokens"),
    (Family::Anthropic, "output-tokens"),
];
/// What stands before a wait in a body, in lower case and in the order of trust.
const PHRASES: [&str; 4] = ["\"retrydelay", "retry after", "try again in", "retry in"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

const MICROS_PER_MILLI: u64 = 1000;
const MICROS_PER_SECOND: u64 = 1_000_000;
/// A number from here on counts seconds since the epoch (2001), not from now.
const EPOCH_SECONDS_MIN: i64 = 1_000_000_000;
/// A number from here on counts milliseconds since the epoch (2001).
const EPOCH_MILLIS_MIN: i64 = 1_000_000_000_000;
/// How much of a body is searched, in bytes.
const TEXT_BYTES_MAX: usize = 16 * 1024;
/// The longest wait that is believed.
pub const WAIT_MAX: Duration = Duration::from_secs(3600);

#[cfg(test)]
mod tests;
