//! A refusal: everything the client is told about a call that gets no answer.

use std::time::Duration;

use crate::{LimitFacts, Reason, Row, row};

/// Why a call gets no answer, with what is known about it. Building one does nothing else.
///
/// No text here may name a credential, a key's hash, a deployment or an internal address: all of
/// it reaches the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What is so.
    pub reason: Reason,
    /// What happened, in words; a provider's own wording stands in it verbatim.
    pub message: String,
    /// The field of the call that is at fault.
    pub param: Option<String>,
    /// A more precise fix than the catalogue's, in one sentence.
    pub fix: Option<String>,
    /// When to try again.
    pub retry_after: Option<Duration>,
    /// The limit of the gateway's own that refused it.
    pub limit: Option<Box<LimitFacts>>,
    /// The upstream's own status, where it is kept instead of the catalogue's.
    pub status: Option<u16>,
    /// `error.type` on OpenAI routes, where it says more than the catalogue's.
    pub kind: Option<&'static str>,
    /// What the upstream said about the last attempt.
    pub upstream: Option<UpstreamFacts>,
    /// Every attempt, in order.
    pub attempts: Vec<AttemptFacts>,
    /// The upstream's error body, where client and upstream speak the same format.
    pub vendor_body: Option<Box<str>>,
    /// Why the call went where it went, for a caller who may know and asked.
    pub explained: Option<Box<Explanation>>,
}

/// The way of a call, as JSON in plain ASCII.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation(pub String);

/// What a client may know about the upstream's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpstreamFacts {
    /// The provider's name.
    pub provider: String,
    /// The HTTP status it answered with, or `None` when no answer came.
    pub status: Option<u16>,
    /// The provider's own id of the request, to ask the provider with.
    pub request_id: Option<String>,
}

/// What a client may know about one attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptFacts {
    /// The model group that was tried.
    pub model_group: String,
    /// The HTTP status the upstream answered with, or `None` when no answer came.
    pub status: Option<u16>,
    /// What it was classified as.
    pub reason: Option<Reason>,
    /// How long it took, in milliseconds.
    pub ms: u64,
}

impl Refusal {
    /// A refusal with a message and nothing else known.
    #[must_use]
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self {
            reason,
            message: message.into(),
            param: None,
            fix: None,
            retry_after: None,
            limit: None,
            status: None,
            kind: None,
            upstream: None,
            attempts: Vec::new(),
            vendor_body: None,
            explained: None,
        }
    }

    /// The same refusal naming the field at fault.
    #[must_use]
    pub fn with_param(mut self, param: impl Into<String>) -> Self {
        self.param = Some(param.into());
        self
    }

    /// The same refusal with a more precise fix than the catalogue's.
    #[must_use]
    pub fn with_fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }

    /// The same refusal saying when to try again.
    #[must_use]
    pub const fn with_retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// The same refusal with the limit that it comes from.
    #[must_use]
    pub fn with_limit(mut self, limit: LimitFacts) -> Self {
        self.limit = Some(Box::new(limit));
        self
    }

    /// The same refusal with the upstream's own status.
    #[must_use]
    pub const fn with_status(mut self, status: u16) -> Self {
        self.status = Some(status);
        self
    }

    /// The same refusal with a more precise `error.type` for OpenAI routes.
    #[must_use]
    pub const fn with_kind(mut self, kind: &'static str) -> Self {
        self.kind = Some(kind);
        self
    }

    /// The same refusal with what the upstream answered.
    #[must_use]
    pub fn with_upstream(mut self, upstream: UpstreamFacts) -> Self {
        self.upstream = Some(upstream);
        self
    }

    /// The same refusal with the attempts that were made.
    #[must_use]
    pub fn with_attempts(mut self, attempts: Vec<AttemptFacts>) -> Self {
        self.attempts = attempts;
        self
    }

    /// The same refusal with the way that the call went.
    #[must_use]
    pub fn with_explained(mut self, explained: String) -> Self {
        self.explained = Some(Box::new(Explanation(explained)));
        self
    }

    /// The same refusal with the upstream's error body, in the format of the client.
    #[must_use]
    pub fn with_vendor_body(mut self, body: impl Into<Box<str>>) -> Self {
        self.vendor_body = Some(body.into());
        self
    }

    /// What the catalogue says about the reason.
    #[must_use]
    pub fn row(&self) -> &'static Row {
        row(self.reason)
    }

    /// The HTTP status for the client.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status.unwrap_or(self.row().status)
    }

    /// `error.type` on OpenAI routes.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        self.kind.unwrap_or(self.row().kind)
    }

    /// Whether the same call may succeed later without any change.
    #[must_use]
    pub fn retryable(&self) -> bool {
        self.row().retryable
    }

    /// What to do about it.
    #[must_use]
    pub fn fix(&self) -> &str {
        self.fix.as_deref().unwrap_or(self.row().fix)
    }

    /// When to try again, as the `retry-after` header says it: whole seconds, rounded up, at least
    /// one so that no client tries again in the same instant.
    #[must_use]
    pub fn retry_after_seconds(&self) -> Option<u64> {
        self.retry_after.map(whole_seconds)
    }
}

/// A wait in whole seconds, rounded up, at least one.
pub(crate) fn whole_seconds(wait: Duration) -> u64 {
    let begun = u64::from(wait.subsec_nanos() > 0);
    wait.as_secs().saturating_add(begun).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_is_rounded_up_to_whole_seconds() {
        let cases = [(0, 1), (1, 1), (1000, 1), (1001, 2), (30_000, 30)];
        for (millis, seconds) in cases {
            let refusal = Refusal::new(Reason::RateLimited, "slow down")
                .with_retry_after(Duration::from_millis(millis));
            assert_eq!(refusal.retry_after_seconds(), Some(seconds), "{millis} ms");
        }
        assert_eq!(Refusal::new(Reason::RateLimited, "slow down").retry_after_seconds(), None);
    }

    #[test]
    fn the_refusals_own_status_and_fix_come_before_the_catalogues() {
        let plain = Refusal::new(Reason::UpstreamError, "it failed");
        assert_eq!((plain.status(), plain.fix()), (502, plain.row().fix));
        assert_eq!(plain.kind(), plain.row().kind);
        let own = plain.with_status(500).with_fix("wait").with_kind("own");
        assert_eq!((own.status(), own.fix(), own.retryable()), (500, "wait", true));
        assert_eq!(own.kind(), "own");
    }
}
