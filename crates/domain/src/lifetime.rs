//! LiteLLM's words for how long something lasts, such as `30d`.

use std::time::Duration;

use thiserror::Error;

/// Longest lifetime, in seconds: a hundred years.
const SECONDS_MAX: u64 = 100 * 366 * 86_400;

/// Text that is no lifetime.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "a lifetime is a whole number above zero and one of s, m, h, d, w or mo, such as `30d`, up to \
     a hundred years"
)]
pub struct LifetimeError;

/// Reads a lifetime: seconds, minutes, hours, days, weeks, or months of thirty days.
///
/// # Errors
/// [`LifetimeError`] for anything else, zero included.
pub fn parse_lifetime(text: &str) -> Result<Duration, LifetimeError> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).ok_or(LifetimeError)?;
    let (count, unit) = text.split_at(digits);
    let seconds_each: u64 = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        "w" => 7 * 86_400,
        "mo" => 30 * 86_400,
        _ => return Err(LifetimeError),
    };
    count
        .parse::<u64>()
        .ok()
        .and_then(|count| count.checked_mul(seconds_each))
        .filter(|seconds| (1..=SECONDS_MAX).contains(seconds))
        .map(Duration::from_secs)
        .ok_or(LifetimeError)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lifetimes_read_as_litellm_writes_them() {
        let cases = [
            ("30s", 30),
            ("5m", 300),
            ("1h", 3600),
            ("30d", 2_592_000),
            ("2w", 1_209_600),
            ("1mo", 2_592_000),
        ];
        for (text, seconds) in cases {
            assert_eq!(parse_lifetime(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
    }

    #[test]
    fn what_is_no_lifetime_is_refused() {
        for text in [
            "",
            "30",
            "d",
            "0d",
            "-1d",
            "1.5h",
            "1y",
            "30 d",
            "99999999999999999999d",
            "1001y",
            "4000000d",
        ] {
            assert_eq!(parse_lifetime(text), Err(LifetimeError), "{text:?}");
        }
    }
}
