//! A test of a deployment: the cheapest call that shows whether it can be called.

use std::time::Duration;

use bytes::Bytes;
use tollgate_config::Deployment;
use tollgate_faults::{Reason, Refusal};
use tollgate_wire::translate::{ClientFormat, ClientRequest, PathSays};

use super::dispatch;
use crate::gate::Gate;
use crate::ingress::{Call, unreadable};

/// What is asked: a word, and at most sixteen tokens of an answer, the least that every provider
/// takes.
const BODY: &str =
    r#"{"model":"probe","messages":[{"role":"user","content":"hi"}],"max_tokens":16}"#;
/// Longest such call.
const PROBE_MAX: Duration = Duration::from_secs(30);

/// Calls a deployment once, past every queue and budget. What it costs is in no ledger: it is the
/// operator's own call. Gives how long it took.
///
/// # Errors
/// What a client would be told if its call failed there.
pub async fn probe(gate: &Gate, deployment: &Deployment) -> Result<Duration, Refusal> {
    if deployment.mode.as_deref().is_some_and(|mode| !CHATS.contains(&mode)) {
        let message = "only deployments that chat can be tested";
        return Err(Refusal::new(Reason::ParameterUnsupported, message).with_param("mode"));
    }
    let body = Bytes::from_static(BODY.as_bytes());
    let path = PathSays { model: None, stream: false, array: false };
    let request = ClientRequest::read(ClientFormat::OpenAiChat, &body, path).map_err(unreadable)?;
    let mut call = Call::own(gate, request);
    call.timeout = Some(PROBE_MAX);
    let snapshot = gate.snapshot();
    let started = gate.ticks();
    match dispatch(gate, &snapshot.settings, &call, deployment).await {
        Ok(_) => Ok(gate.ticks().since(started)),
        // That the answer is of no use to a client shows that there is one.
        Err(failed) if failed.consumed.is_some() => Ok(gate.ticks().since(started)),
        Err(failed) => Err(failed.refusal),
    }
}

/// The modes that a call of this sort fits.
const CHATS: [&str; 3] = ["chat", "completion", "responses"];
