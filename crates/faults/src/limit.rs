//! The limit of the gateway's own that refused a call, as headers tell it.

use std::time::Duration;

use tollgate_domain::Timestamp;

use crate::refusal::whole_seconds;

/// What a client may know about the limit that refused its call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitFacts {
    /// What it limits.
    pub kind: LimitKind,
    /// The most it allows, in what it counts; a budget in nano-dollars.
    pub limit: u64,
    /// What is left of it. The call asked for more.
    pub remaining: u64,
    /// When it starts anew, and how long that is from now; `None` of one that no clock frees.
    pub resets: Option<(Timestamp, Duration)>,
}

/// What a limit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitKind {
    /// Requests in a window of time.
    Requests,
    /// Tokens in a window of time.
    Tokens,
    /// Calls at one time.
    ParallelRequests,
    /// Money.
    Budget,
}

impl LimitKind {
    /// LiteLLM's word, the value of `rate_limit_type` (runtime-semantics §6.5); for a budget, which
    /// it has no word for there, ours.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Tokens => "tokens",
            Self::ParallelRequests => "max_parallel_requests",
            Self::Budget => "budget",
        }
    }

    /// The names of the headers for limit, what is left and the time until it starts anew, for
    /// kinds that have such (OpenAI's names).
    const fn headers(self) -> Option<[&'static str; 3]> {
        match self {
            Self::Requests => Some([
                "x-ratelimit-limit-requests",
                "x-ratelimit-remaining-requests",
                "x-ratelimit-reset-requests",
            ]),
            Self::Tokens => Some([
                "x-ratelimit-limit-tokens",
                "x-ratelimit-remaining-tokens",
                "x-ratelimit-reset-tokens",
            ]),
            Self::ParallelRequests | Self::Budget => None,
        }
    }
}

impl LimitFacts {
    /// The headers that tell of it.
    pub(crate) fn headers(&self) -> Vec<(&'static str, String)> {
        let mut headers = vec![("rate_limit_type", self.kind.name().to_owned())];
        if let Some((at, _)) = self.resets {
            headers.push(("reset_at", in_words(at)));
        }
        if let Some([limit, remaining, reset]) = self.kind.headers() {
            headers.push((limit, self.limit.to_string()));
            headers.push((remaining, self.remaining.to_string()));
            if let Some((_, wait)) = self.resets {
                headers.push((reset, format!("{}s", whole_seconds(wait))));
            }
        }
        headers
    }
}

/// An instant as LiteLLM writes it, rounded up to a second: `2026-05-02 10:00:00 UTC`.
fn in_words(at: Timestamp) -> String {
    let rounded = at.plus(Duration::from_micros(999_999)).seconds();
    let whole = Timestamp::from_micros(rounded.saturating_mul(1_000_000)).to_string();
    format!("{} UTC", whole.trim_end_matches('Z').replace('T', " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(kind: LimitKind) -> LimitFacts {
        let at = Timestamp::parse("2026-05-02T09:59:59.25Z").expect("an instant");
        let resets = Some((at, Duration::from_millis(12_250)));
        LimitFacts { kind, limit: 60, remaining: 3, resets }
    }

    fn told(facts: &LimitFacts) -> Vec<String> {
        facts.headers().iter().map(|(name, value)| format!("{name}: {value}")).collect()
    }

    #[test]
    fn limits_of_requests_and_tokens_have_openais_headers_beside_litellms() {
        assert_eq!(
            told(&facts(LimitKind::Tokens)),
            [
                "rate_limit_type: tokens",
                "reset_at: 2026-05-02 10:00:00 UTC",
                "x-ratelimit-limit-tokens: 60",
                "x-ratelimit-remaining-tokens: 3",
                "x-ratelimit-reset-tokens: 13s",
            ]
        );
        let requests = told(&facts(LimitKind::Requests));
        assert_eq!(requests[0], "rate_limit_type: requests");
        assert_eq!(requests[4], "x-ratelimit-reset-requests: 13s");
    }

    #[test]
    fn a_limit_that_no_clock_frees_tells_no_time() {
        let calls = LimitFacts { resets: None, ..facts(LimitKind::ParallelRequests) };
        assert_eq!(told(&calls), ["rate_limit_type: max_parallel_requests"]);
        let requests = LimitFacts { resets: None, ..facts(LimitKind::Requests) };
        assert!(!told(&requests).iter().any(|header| header.contains("reset")));
        let budget = told(&facts(LimitKind::Budget));
        assert_eq!(budget, ["rate_limit_type: budget", "reset_at: 2026-05-02 10:00:00 UTC"]);
    }
}
