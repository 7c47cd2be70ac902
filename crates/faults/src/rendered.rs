//! A refusal as an HTTP answer, in plain data: whoever owns a socket only has to copy it.

use crate::{Dialect, Reason, Refusal, body};

/// Status, headers and body of the answer to a refused call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The HTTP status.
    pub status: u16,
    /// Header names in lower case, with their values in visible ASCII.
    pub headers: Vec<(&'static str, String)>,
    /// The JSON body.
    pub body: String,
}

/// Renders a refusal for a client of this dialect.
///
/// `x-should-retry` is always set, because the official SDKs obey it; `retry-after` (whole seconds,
/// rounded up) and `retry-after-ms` whenever a time is known, and what is known about the limit of
/// the gateway's own that refused the call.
#[must_use]
pub fn render(refusal: &Refusal, dialect: Dialect, docs_base: &str, request_id: &str) -> Rendered {
    let mut headers = vec![
        ("content-type", "application/json".to_owned()),
        ("x-should-retry", refusal.retryable().to_string()),
    ];
    if let Some(wait) = refusal.retry_after {
        headers.push(("retry-after-ms", wait.as_millis().max(1).to_string()));
    }
    if let Some(seconds) = refusal.retry_after_seconds() {
        headers.push(("retry-after", seconds.to_string()));
    }
    if let Some(limit) = &refusal.limit {
        headers.extend(limit.headers());
    }
    if let Some(explained) = &refusal.explained {
        headers.push(("x-tollgate-explain", explained.0.clone()));
    }
    Rendered {
        status: status(refusal, dialect),
        headers,
        body: body(refusal, dialect, docs_base, request_id),
    }
}

/// The status of a refusal, in a dialect's own number where it has one: overload is 529 to clients
/// of the Messages API (unified error taxonomy).
fn status(refusal: &Refusal, dialect: Dialect) -> u16 {
    match (dialect, refusal.reason, refusal.status()) {
        (Dialect::Anthropic, Reason::UpstreamOverloaded, 503) => 529,
        (_, _, status) => status,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_known_wait_is_told_in_whole_seconds_and_in_milliseconds() {
        let refusal = Refusal::new(Reason::UpstreamRateLimited, "slow down")
            .with_retry_after(Duration::from_millis(1200));
        let rendered = render(&refusal, Dialect::OpenAi, "", "c1");
        let header = |name| {
            rendered
                .headers
                .iter()
                .find(|(given, _)| *given == name)
                .map(|(_, value)| value.as_str())
        };
        assert_eq!(rendered.status, 429);
        assert_eq!(header("retry-after"), Some("2"));
        assert_eq!(header("retry-after-ms"), Some("1200"));
        assert_eq!(header("x-should-retry"), Some("true"));
    }

    #[test]
    fn overload_has_its_own_status_in_the_messages_api() {
        let status = |refusal: &Refusal, dialect| render(refusal, dialect, "", "c1").status;
        let refusal = Refusal::new(Reason::UpstreamOverloaded, "busy");
        for (dialect, told) in
            [(Dialect::OpenAi, 503), (Dialect::Gemini, 503), (Dialect::Anthropic, 529)]
        {
            assert_eq!(status(&refusal, dialect), told);
        }
        assert_eq!(status(&refusal.with_status(429), Dialect::Anthropic), 429);
    }

    #[test]
    fn a_refusal_that_no_retry_can_help_says_so() {
        let refusal = Refusal::new(Reason::KeyUnknown, "no such key");
        let rendered = render(&refusal, Dialect::OpenAi, "", "c1");
        assert!(rendered.headers.contains(&("x-should-retry", "false".to_owned())));
        assert!(!rendered.headers.iter().any(|(name, _)| name.starts_with("retry-after")));
    }
}
