//! Wait hints: every form, their order, and texts that only look like one.

use proptest::prelude::*;

use super::*;

fn now() -> Timestamp {
    Timestamp::parse("2026-05-14T10:00:00Z").expect("an instant")
}

fn hint(headers: &[(&str, &str)], body: &str) -> Option<Duration> {
    let find = |name: &str| {
        headers.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
    };
    wait_hint(&find, body, now())
}

fn millis(millis: u64) -> Option<Duration> {
    Some(Duration::from_millis(millis))
}

#[test]
fn retry_after_is_read_in_all_its_forms() {
    let cases = [
        ("retry-after", "30", millis(30_000)),
        ("retry-after", " 1.5 ", millis(1500)),
        ("retry-after", "0", millis(0)),
        ("retry-after", "Thu, 14 May 2026 10:00:07 GMT", millis(7000)),
        ("retry-after", "Thu, 14 May 2026 09:00:00 GMT", millis(0)),
        ("retry-after", "Thu, 14 May 2026 10:00:07 CET", None),
        ("retry-after", "Thu, 14 Mai 2026 10:00:07 GMT", None),
        ("retry-after", "Thu, 99 May 2026 10:00:07 GMT", None),
        ("retry-after", "-5", None),
        ("retry-after", "soon", None),
        ("retry-after", "", None),
        ("retry-after-ms", "250", millis(250)),
        ("retry-after-ms", "nan", None),
    ];
    for (name, value, expected) in cases {
        assert_eq!(hint(&[(name, value)], ""), expected, "{name}: {value}");
    }
}

#[test]
fn the_first_form_that_says_something_wins() {
    let body = "Please retry after 9 seconds";
    let headers = [("retry-after-ms", "100"), ("retry-after", "5")];
    assert_eq!(hint(&headers, body), millis(100));
    assert_eq!(hint(&headers[1..], body), millis(5000));
    assert_eq!(hint(&[("retry-after", "soon")], body), millis(9000));
    let limit = [("x-ratelimit-remaining-tokens", "0"), ("x-ratelimit-reset-tokens", "6m0s")];
    assert_eq!(hint(&limit, body), millis(360_000));
}

#[test]
fn the_reset_of_a_limit_counts_when_nothing_remains_of_it() {
    let requests =
        [("x-ratelimit-remaining-requests", "0"), ("x-ratelimit-reset-requests", "12ms")];
    assert_eq!(hint(&requests, ""), millis(12));
    let left = [("x-ratelimit-remaining-requests", "3"), ("x-ratelimit-reset-requests", "1h")];
    assert_eq!(hint(&left, ""), None);
    assert_eq!(hint(&left[1..], ""), None, "nobody said that nothing remains");
    let both = [
        ("x-ratelimit-remaining-requests", "0"),
        ("x-ratelimit-reset-requests", "1s"),
        ("x-ratelimit-remaining-tokens", "0"),
        ("x-ratelimit-reset-tokens", "7m12.3s"),
    ];
    assert_eq!(hint(&both, ""), millis(432_300), "the longer one frees the call");
    let anthropic = [
        ("anthropic-ratelimit-input-tokens-remaining", "0"),
        ("anthropic-ratelimit-input-tokens-reset", "2026-05-14T10:00:20Z"),
    ];
    assert_eq!(hint(&anthropic, ""), millis(20_000));
}

#[test]
fn a_plain_reset_is_an_instant_or_a_number_of_seconds() {
    let cases = [
        ("1778752830000", millis(30_000)),
        ("1778752830", millis(30_000)),
        ("30", millis(30_000)),
        ("1778752000", millis(0)),
        ("-1", None),
        ("9223372036854775807", None),
        ("later", None),
    ];
    for (value, expected) in cases {
        assert_eq!(hint(&[("x-ratelimit-reset", value)], ""), expected, "{value}");
    }
}

#[test]
fn bodies_say_it_in_fields_and_words() {
    let cases = [
        ("Please retry after 30 seconds.", millis(30_000)),
        ("Please retry after 1 second", millis(1000)),
        ("Rate limit reached. Please try again in 1.2s. Visit the site", millis(1200)),
        ("try again in 800ms", millis(800)),
        ("Please try again in 7m12.3s", millis(432_300)),
        ("try again in 2m", millis(120_000)),
        ("try again in 1 minute and be patient", millis(60_000)),
        ("Please retry in 21.5s", millis(21_500)),
        ("retry after 30.", millis(30_000)),
        ("retry after 5 attempts", millis(5000)),
        (r#"{"@type":"…RetryInfo","retryDelay":"30s"}"#, millis(30_000)),
        (r#"{"retryDelay" : "1.5s"}"#, millis(1500)),
        (r#"{"raw":"{\"retryDelay\": \"21s\"}"}"#, millis(21_000)),
        ("retry after a while, then retry after 3 s", millis(3000)),
        ("try again in a moment", None),
        ("retry after .", None),
        ("retry after 1.2.3 s", None),
        ("retry after ", None),
        ("", None),
    ];
    for (body, expected) in cases {
        assert_eq!(hint(&[], body), expected, "{body}");
    }
}

#[test]
fn a_wait_is_believed_up_to_an_hour() {
    assert_eq!(hint(&[("retry-after", "3600")], ""), Some(WAIT_MAX));
    assert_eq!(hint(&[("retry-after", "3601")], ""), Some(WAIT_MAX));
    assert_eq!(hint(&[("retry-after", "999999999999999999999")], ""), Some(WAIT_MAX));
    assert_eq!(hint(&[], "try again in 23h59m"), Some(WAIT_MAX));
    assert_eq!(hint(&[], "try again in 6 days"), Some(WAIT_MAX));
}

#[test]
fn only_the_beginning_of_a_body_is_searched() {
    let body = format!("{}try again in 5s", "é".repeat(TEXT_BYTES_MAX));
    assert_eq!(hint(&[], &body), None);
}

proptest! {
    #[test]
    fn any_text_is_read_without_failing(value in ".{0,40}", body in ".{0,80}") {
        let headers = [("retry-after", value.as_str()), ("x-ratelimit-reset", value.as_str())];
        let body = format!("retry after {body} \"retryDelay\":\"{value}");
        prop_assert!(hint(&headers, &body).is_none_or(|wait| wait <= WAIT_MAX));
    }

    #[test]
    fn any_digits_are_read_without_failing(value in "[0-9.smh: ]{0,40}") {
        hint(&[("retry-after", &value)], &format!("try again in {value}"));
    }
}
