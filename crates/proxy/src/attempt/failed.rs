//! What became of an attempt that gave no answer, and whose fault it is.

use http::HeaderMap;
use tollgate_config::Deployment;
use tollgate_domain::{Timestamp, Usage};
use tollgate_faults::{
    Failure, Reason, Refusal, Retry, UpstreamError, UpstreamFacts, classify, wait_hint,
};
use tollgate_upstream::auth::TokenFault;
use tollgate_upstream::{DispatchError, UpstreamAnswer};
use tollgate_wire::formats::openai_chat::ErrorBody;
use tollgate_wire::translate::{EXCEPTION_HEADER, Pairing, read_error};
use tollgate_wire::{AuthScheme, WireFormat};

use crate::gate::Gate;

/// Largest error answer that is read from an upstream, in bytes.
pub(super) const ERROR_BYTES_MAX: u64 = 256 * 1024;
/// The headers in which upstreams name their side of a call.
const REQUEST_ID_HEADERS: [&str; 4] =
    ["x-request-id", "apim-request-id", "request-id", "x-amzn-requestid"];

/// The status of an answer that began well: what an error inside it means, its code or type says.
const SAID_WELL: u16 = 200;

/// An attempt that failed.
pub(super) struct Failed {
    pub(super) refusal: Refusal,
    /// The upstream's HTTP status, if it answered.
    pub(super) status: Option<u16>,
    /// What it consumed, where the provider produced an answer that cannot be handed on.
    pub(super) consumed: Option<Box<Consumed>>,
}

/// What an answer consumed as far as the provider said, and the bytes of its output.
pub(super) type Consumed = (Option<Usage>, u64);

impl Failed {
    /// A failure that no deployment could change.
    pub(super) const fn of_client(refusal: Refusal) -> Self {
        Self { refusal, status: None, consumed: None }
    }
}

/// The request or its answer did not make it across the network.
pub(super) fn not_dispatched(deployment: &Deployment, error: &DispatchError) -> Failed {
    let refusal = Refusal::new(reason_of(error), format!("{}: {error}", deployment.provider.name))
        .with_upstream(facts(deployment, None, None));
    Failed { refusal, status: None, consumed: None }
}

/// What a network failure is called.
pub(crate) const fn reason_of(error: &DispatchError) -> Reason {
    match error {
        DispatchError::Timeout { .. } => Reason::UpstreamTimeout,
        DispatchError::Credentials { .. } => Reason::UpstreamCredentialsUnavailable,
        DispatchError::TooLarge { .. } | DispatchError::HeadersTooLarge => {
            Reason::UpstreamAnswerTooLarge
        }
        DispatchError::Unreachable { .. }
        | DispatchError::Reset { .. }
        | DispatchError::NotHttp { .. }
        | DispatchError::BadUrl { .. }
        | DispatchError::BadHeader { .. } => Reason::UpstreamUnreachable,
    }
}

/// The upstream answered with an error status.
pub(super) async fn refused_by_upstream(
    gate: &Gate,
    (deployment, brings): (&Deployment, bool),
    pairing: &Pairing,
    answer: UpstreamAnswer,
) -> Failed {
    let UpstreamAnswer { status, headers, body } = answer;
    // An error whose text cannot be read in full is still an error with a status.
    let bytes = body.collect(ERROR_BYTES_MAX).await.unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let heard = Heard { status, header: &|name| header(&headers, name), text: &text };
    let Told { error, mut failure } = heard.told(pairing.upstream, gate.now());
    if brings && failure.reason == Reason::UpstreamCredentialsRejected {
        // Its owner has to hear of it, and no credential of the operator's takes its place.
        failure.reason = Reason::OwnCredentialRejected;
        failure.client_status = status;
    }
    let message = match &error {
        Some(error) => format!("{}: {}", deployment.provider.name, error.message),
        None => format!("{} answered with status {status}", deployment.provider.name),
    };
    let fault = explained(gate, deployment, (status, &text)).filter(|_| !brings);
    let request_id = REQUEST_ID_HEADERS.iter().find_map(|name| header(&headers, name));
    let mut refusal = Refusal::new(failure.reason, message)
        .with_status(failure.client_status)
        .with_upstream(facts(deployment, Some(status), request_id));
    if let Retry::After(wait) = failure.retry {
        refusal = refusal.with_retry_after(wait);
    }
    // The vendor's own words, as they came: clients match on them. Not those about our credential,
    // which name it.
    if pairing.passes() && error.is_some() && failure.reason != Reason::UpstreamCredentialsRejected
    {
        refusal = refusal.with_vendor_body(text);
    }
    if failure.reason == Reason::UpstreamCredentialsRejected {
        refusal.message = format!("{} rejected the gateway's credential", deployment.provider.name);
    }
    if let Some(fault) = fault {
        refusal.message = format!("{}: {fault}", deployment.provider.name);
        refusal.reason = fault.reason().and_then(Reason::parse).unwrap_or(refusal.reason);
    }
    if refusal.reason.is_about_our_credential() {
        tracing::error!(
            deployment = %deployment.id,
            provider = %deployment.provider.name,
            status,
            reason = refusal.reason.slug(),
            "the provider rejected this deployment's credential"
        );
    }
    Failed { refusal, status: Some(status), consumed: None }
}

/// An upstream's error answer.
struct Heard<'a> {
    status: u16,
    /// A header of the answer by its lower-case name.
    header: &'a dyn Fn(&str) -> Option<String>,
    /// The body.
    text: &'a str,
}

/// What an upstream's error answer says and means.
struct Told {
    error: Option<ErrorBody>,
    failure: Failure,
}

impl Heard<'_> {
    fn told(&self, upstream: WireFormat, now: Timestamp) -> Told {
        let exception = (self.header)(EXCEPTION_HEADER);
        let error = read_error(upstream, exception.as_deref(), self.text.as_bytes());
        let wait = wait_hint(self.header, self.text, now);
        let failure = classify(&as_seen(self.status, error.as_ref(), self.text), wait);
        Told { error, failure }
    }
}

/// What the token that was sent, or the body, says about the refusal of a credential of Entra's.
fn explained(gate: &Gate, deployment: &Deployment, answer: (u16, &str)) -> Option<TokenFault> {
    let AuthScheme::Entra { .. } = deployment.provider.auth else { return None };
    gate.upstream().identities().explain(deployment.identity.as_deref(), answer)
}

/// An error object inside an answer that claims success.
pub(super) fn error_inside(deployment: &Deployment, error: &ErrorBody) -> Failed {
    let mut failed = in_stream(deployment, event(error));
    failed.status = Some(200);
    failed
}

/// An answer that is no answer of its format.
pub(super) fn unreadable(deployment: &Deployment, what: &str) -> Failed {
    let message = format!("{} answered, but {what}", deployment.provider.name);
    in_stream(deployment, Refusal::new(Reason::UpstreamAnswerMalformed, message))
}

/// An error that came where a stream should have begun.
pub(super) fn in_stream(deployment: &Deployment, refusal: Refusal) -> Failed {
    let refusal = refusal.with_upstream(facts(deployment, Some(200), None));
    Failed { refusal, status: Some(200), consumed: None }
}

/// An answer that came whole and cannot be handed on. It was produced, so that it is charged, and
/// another deployment would be charged as well.
pub(super) fn consumed(deployment: &Deployment, refusal: Refusal, consumed: Consumed) -> Failed {
    let failed = in_stream(deployment, refusal);
    Failed { consumed: Some(Box::new(consumed)), ..failed }
}

/// An error event of the upstream, classified by its own structured code.
pub(super) fn event(error: &ErrorBody) -> Refusal {
    let failure = classify(&as_seen(SAID_WELL, Some(error), ""), None);
    Refusal::new(failure.reason, error.message.clone()).with_status(failure.client_status)
}

fn as_seen<'a>(status: u16, error: Option<&'a ErrorBody>, text: &'a str) -> UpstreamError<'a> {
    UpstreamError {
        status,
        kind: error.and_then(|error| error.kind.as_deref()),
        code: error.and_then(|error| error.code.as_deref()),
        message: error.map_or(text, |error| error.message.as_str()),
    }
}

fn facts(
    deployment: &Deployment,
    status: Option<u16>,
    request_id: Option<String>,
) -> UpstreamFacts {
    UpstreamFacts { provider: deployment.provider.name.to_string(), status, request_id }
}

fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

#[cfg(test)]
mod tests;
