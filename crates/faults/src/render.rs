//! Error bodies: one set of facts in the dialect of the route that was called.

use std::borrow::Cow;

use serde::Serialize;

use crate::{AttemptFacts, Reason, Refusal, vendor};

/// The API whose error body a client expects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// `{"error": {"message", "type", "param", "code"}}`, `code` always a text.
    OpenAi,
    /// `{"type": "error", "error": {"type", "message"}, "request_id"}`.
    Anthropic,
    /// `{"error": {"code", "message", "status"}}`, `status` the name of a gRPC code.
    Gemini,
}

/// The JSON body of a refusal, with our facts under `error.gateway`.
///
/// A vendor body that holds an `error` object is relayed as it came, with our facts added to that
/// object; any other is quoted in the message. What a provider says when it rejects the gateway's
/// credential is left out, because such texts repeat parts of the key.
#[must_use]
pub fn body(refusal: &Refusal, dialect: Dialect, docs_base: &str, request_id: &str) -> String {
    let gateway = Gateway::of(refusal, docs_base);
    let vendor_body = refusal.vendor_body.as_deref();
    let vendor_body = vendor_body.filter(|_| !refusal.reason.is_about_our_credential());
    if let Some(relayed) = vendor_body.and_then(|body| vendor::relay(body, &gateway)) {
        return relayed;
    }
    let message: &str = &message(&refusal.message, vendor_body);
    let (row, status) = (refusal.row(), refusal.status());
    match dialect {
        Dialect::OpenAi => {
            let code = row.code.map_or_else(|| Cow::Owned(status.to_string()), Cow::Borrowed);
            let param = refusal.param.as_deref().map(|param| cut(param, NAME_BYTES_MAX));
            json(&Outer { error: OpenAiError { message, kind: row.kind, param, code, gateway } })
        }
        Dialect::Anthropic => {
            let message = &told_to_agents(refusal.reason, message);
            let error = AnthropicError { kind: row.anthropic_kind, message, gateway };
            json(&AnthropicBody { kind: "error", error, request_id })
        }
        Dialect::Gemini => {
            let (code, status) = (status, grpc_status(status));
            let details = refusal.retry_after_seconds().map(RetryInfo::of).into_iter().collect();
            json(&Outer { error: GeminiError { code, message, status, details, gateway } })
        }
    }
}

/// The refusal's message, and behind it a vendor body that could not be relayed, unless the message
/// holds it already.
fn message<'a>(own: &'a str, vendor_body: Option<&str>) -> Cow<'a, str> {
    let words = vendor_body.map(|body| cut(body.trim(), MESSAGE_BYTES_MAX));
    match words.filter(|words| !words.is_empty() && !own.contains(words.as_ref())) {
        None => cut(own, MESSAGE_BYTES_MAX),
        Some(words) => {
            let whole = format!("{}; the upstream's words: {words}", cut(own, MESSAGE_BYTES_MAX));
            Cow::Owned(cut(&whole, MESSAGE_BYTES_MAX).into_owned())
        }
    }
}

/// The message as agents of the Messages API must hear it: they shorten their history when an error
/// begins with the vendor's words, and only then (unified error taxonomy).
fn told_to_agents(reason: Reason, message: &str) -> Cow<'_, str> {
    if reason != Reason::ContextWindowExceeded || message.starts_with(TOO_LONG) {
        return Cow::Borrowed(message);
    }
    Cow::Owned(cut(&format!("{TOO_LONG}: {message}"), MESSAGE_BYTES_MAX).into_owned())
}

/// The text, ended with `…` at a character's boundary when it has more bytes than `most`.
fn cut(text: &str, most: usize) -> Cow<'_, str> {
    if text.len() <= most {
        return Cow::Borrowed(text);
    }
    let end = text.floor_char_boundary(most.saturating_sub("…".len()));
    Cow::Owned(format!("{}…", text.get(..end).unwrap_or_default()))
}

/// What Google's APIs call a status, by the canonical mapping of gRPC codes to HTTP.
const fn grpc_status(status: u16) -> &'static str {
    match status {
        401 => "UNAUTHENTICATED",
        402 | 403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        409 => "ABORTED",
        429 => "RESOURCE_EXHAUSTED",
        499 => "CANCELLED",
        500 => "INTERNAL",
        501 => "UNIMPLEMENTED",
        502 | 503 => "UNAVAILABLE",
        408 | 504 => "DEADLINE_EXCEEDED",
        400..=498 => "INVALID_ARGUMENT",
        _ => "UNKNOWN",
    }
}

/// Texts and numbers only, which always serialise; should it fail all the same, the client gets a
/// body with less in it rather than none.
fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| LAST_RESORT.to_owned())
}

#[derive(Serialize)]
struct Outer<E> {
    error: E,
}

#[derive(Serialize)]
struct OpenAiError<'a> {
    message: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    param: Option<Cow<'a, str>>,
    code: Cow<'a, str>,
    gateway: Gateway<'a>,
}

#[derive(Serialize)]
struct AnthropicBody<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    error: AnthropicError<'a>,
    request_id: &'a str,
}

#[derive(Serialize)]
struct AnthropicError<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    message: &'a str,
    gateway: Gateway<'a>,
}

#[derive(Serialize)]
struct GeminiError<'a> {
    code: u16,
    message: &'a str,
    status: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    details: Vec<RetryInfo>,
    gateway: Gateway<'a>,
}

/// The time to wait, where Google's clients look for it.
#[derive(Serialize)]
struct RetryInfo {
    #[serde(rename = "@type")]
    kind: &'static str,
    #[serde(rename = "retryDelay")]
    delay: String,
}

impl RetryInfo {
    fn of(seconds: u64) -> Self {
        Self { kind: "type.googleapis.com/google.rpc.RetryInfo", delay: format!("{seconds}s") }
    }
}

/// Our facts, in the order of the contract.
#[derive(Serialize)]
struct Gateway<'a> {
    reason: &'static str,
    origin: &'static str,
    retryable: bool,
    fix: Cow<'a, str>,
    doc: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    upstream: Option<Upstream<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attempts: Vec<Attempt<'a>>,
}

#[derive(Serialize)]
struct Upstream<'a> {
    provider: Cow<'a, str>,
    status: Option<u16>,
    request_id: Option<Cow<'a, str>>,
}

#[derive(Serialize)]
struct Attempt<'a> {
    model_group: Cow<'a, str>,
    status: Option<u16>,
    reason: Option<&'static str>,
    ms: u64,
}

impl<'a> Gateway<'a> {
    fn of(refusal: &'a Refusal, docs_base: &str) -> Self {
        let reason = refusal.reason.slug();
        // The last attempts, because they explain the answer.
        let passed_over = refusal.attempts.len().saturating_sub(ATTEMPTS_MAX);
        Self {
            reason,
            origin: refusal.row().origin.as_str(),
            retryable: refusal.retryable(),
            fix: cut(refusal.fix(), MESSAGE_BYTES_MAX),
            doc: format!("{}/errors/{reason}", docs_base.trim_end_matches('/')),
            upstream: refusal.upstream.as_ref().map(|upstream| Upstream {
                provider: cut(&upstream.provider, NAME_BYTES_MAX),
                status: upstream.status,
                request_id: upstream.request_id.as_deref().map(|id| cut(id, NAME_BYTES_MAX)),
            }),
            attempts: refusal.attempts.iter().skip(passed_over).map(Attempt::of).collect(),
        }
    }
}

impl<'a> Attempt<'a> {
    fn of(attempt: &'a AttemptFacts) -> Self {
        Self {
            model_group: cut(&attempt.model_group, NAME_BYTES_MAX),
            status: attempt.status,
            reason: attempt.reason.map(Reason::slug),
            ms: attempt.ms,
        }
    }
}

/// Longest message in a body, in bytes; a longer one is cut.
pub const MESSAGE_BYTES_MAX: usize = 8 * 1024;
/// Most attempts listed in a body.
pub const ATTEMPTS_MAX: usize = 16;
/// How the Messages API begins to say that a prompt has no room.
const TOO_LONG: &str = "prompt is too long";
/// Longest name or id in a body, in bytes; a longer one is cut.
const NAME_BYTES_MAX: usize = 256;
/// What is sent when a body cannot be built.
const LAST_RESORT: &str = concat!(
    r#"{"error":{"message":"the gateway failed","type":"internal_server_error","#,
    r#""param":null,"code":"500"}}"#
);

#[cfg(test)]
mod tests;
