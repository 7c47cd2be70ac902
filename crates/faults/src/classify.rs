//! What an upstream's error answer means: the status first, then its code and type, then its words.

use std::time::Duration;

use crate::rules::{RULES, Rule, Sign};
use crate::{Origin, Reason, row};

/// What an upstream says about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UpstreamError<'a> {
    /// The HTTP status; below 400 for an error inside an answer that began well.
    pub status: u16,
    /// `error.type`, or the exception's name.
    pub kind: Option<&'a str>,
    /// `error.code`; a number as its digits.
    pub code: Option<&'a str>,
    /// The error's message. It may repeat what the client wrote, so it never decides alone.
    pub message: &'a str,
}

/// Whether the same deployment may be tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// The same call would fail in the same way.
    Never,
    /// Yes, after the caller's own back-off.
    Now,
    /// Yes, once this time has passed.
    After(Duration),
}

/// A classified error answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failure {
    /// What is so.
    pub reason: Reason,
    /// Whose fault it is.
    pub origin: Origin,
    /// Whether the same deployment may be tried again.
    pub retry: Retry,
    /// Whether another deployment may serve the call.
    pub try_next: bool,
    /// The HTTP status for the client.
    pub client_status: u16,
}

/// Classifies an upstream's error answer. `retry_after` is the wait the upstream asked for
/// ([`wait_hint`](crate::wait_hint)).
///
/// The status narrows first, a code or type decides, and words only tell apart what one status
/// leaves open. Words never lead out of their status: a 400 whose message mentions rate limits is a
/// 400, since the message may be the client's own prompt.
#[must_use]
pub fn classify(error: &UpstreamError<'_>, retry_after: Option<Duration>) -> Failure {
    let status = effective_status(error);
    let reason = reason_of(error, status, retry_after);
    let row = row(reason);
    let retry = match (row.retryable, retry_after) {
        (false, _) => Retry::Never,
        (true, None) => Retry::Now,
        (true, Some(wait)) => Retry::After(wait),
    };
    let try_next = !is_the_calls_own_fault(reason);
    let client_status = client_status(reason, status).unwrap_or(row.status);
    Failure { reason, origin: row.origin, retry, try_next, client_status }
}

/// The HTTP status, or for an error inside a good answer the status that its code or type names.
/// A service that only passes on how a model's own server failed (424) gives that server's status
/// as the code.
fn effective_status(error: &UpstreamError<'_>) -> u16 {
    let numeric = error.code.and_then(|code| code.parse().ok());
    let numeric = numeric.filter(|status| (400..600).contains(status));
    if error.status >= 400 {
        return numeric.filter(|_| error.status == 424).unwrap_or(error.status);
    }
    if let Some(status) = numeric {
        return status;
    }
    let named = |(name, _): &&(&str, u16)| carries(error, &[name]);
    STATUS_OF_KIND.iter().find(named).map_or(502, |(_, status)| *status)
}

fn reason_of(error: &UpstreamError<'_>, status: u16, retry_after: Option<Duration>) -> Reason {
    let end = error.message.floor_char_boundary(WORDS_BYTES_MAX);
    let words = error.message.get(..end).unwrap_or_default().to_lowercase();
    let applies = |rule: &&Rule| {
        rule.statuses.contains(&status)
            && match rule.sign {
                Sign::Any => true,
                Sign::Code(codes) => carries(error, codes),
                Sign::CodeHolds(words) => {
                    let code = error.code.unwrap_or_default().to_lowercase();
                    words.iter().any(|word| code.contains(word))
                }
                Sign::Says(phrases) => phrases.iter().any(|phrase| words.contains(phrase)),
                Sign::Begins(phrases) => phrases.iter().any(|phrase| words.starts_with(phrase)),
                Sign::SaysWithoutWait(phrases) => {
                    retry_after.is_none() && phrases.iter().any(|phrase| words.contains(phrase))
                }
            }
    };
    RULES.iter().find(applies).map_or(Reason::UpstreamError, |rule| rule.reason)
}

/// Whether the error's code or type is one of these, whatever their capitals.
fn carries(error: &UpstreamError<'_>, names: &[&str]) -> bool {
    let found = [error.code, error.kind];
    let mut found = found.into_iter().flatten();
    found.any(|found| names.iter().any(|name| name.eq_ignore_ascii_case(found)))
}

/// Whether every deployment of the model would answer the call in the same way.
const fn is_the_calls_own_fault(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::ContextWindowExceeded
            | Reason::ContentRefused
            | Reason::ParameterUnsupported
            | Reason::UpstreamRejectedRequest
    )
}

/// The upstream's own status where the client gets it: it keeps its class, and what the catalogue
/// would say instead is less precise.
fn client_status(reason: Reason, status: u16) -> Option<u16> {
    let kept = if reason == Reason::UpstreamError {
        (400..=504).contains(&status)
    } else if reason == Reason::UpstreamRejectedRequest {
        (400..500).contains(&status)
    } else {
        let limits = [Reason::UpstreamRequestTooLarge, Reason::UpstreamOverloaded];
        limits.contains(&reason) && status == 429
    };
    kept.then_some(status)
}

/// What errors inside a good answer are called, and the status they would have had.
const STATUS_OF_KIND: [(&str, u16); 28] = [
    ("insufficient_quota", 429),
    ("rate_limit_error", 429),
    ("rate_limit_exceeded", 429),
    ("RESOURCE_EXHAUSTED", 429),
    ("overloaded_error", 529),
    ("UNAVAILABLE", 503),
    ("authentication_error", 401),
    ("invalid_api_key", 401),
    ("billing_error", 402),
    ("permission_error", 403),
    ("not_found_error", 404),
    ("model_not_found", 404),
    ("timeout_error", 504),
    ("context_length_exceeded", 400),
    ("content_policy_violation", 400),
    ("content_filter", 400),
    ("invalid_request_error", 400),
    ("invalid_prompt", 400),
    ("bio_policy", 400),
    ("INVALID_ARGUMENT", 400),
    ("UNAUTHENTICATED", 401),
    ("PERMISSION_DENIED", 403),
    ("NOT_FOUND", 404),
    ("request_too_large", 413),
    ("DEADLINE_EXCEEDED", 504),
    ("INTERNAL", 500),
    ("api_error", 500),
    ("server_error", 500),
];
/// How much of a message is read for telling phrases, in bytes.
const WORDS_BYTES_MAX: usize = 8 * 1024;

#[cfg(test)]
mod tests;
