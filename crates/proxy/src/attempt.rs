//! One bounded loop: dispatch, understand how it ended, next deployment, until an answer begins.

mod failed;
mod outgoing;

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use tollgate_config::{Deployment, Settings};
use tollgate_domain::{AttemptRecord, Usage};
use tollgate_faults::{AttemptFacts, Reason, Refusal};
use tollgate_upstream::{UpstreamAnswer, UpstreamBody};
use tollgate_wire::formats::openai_chat::{
    AnswerFacts, AnswerRead, ObserverOptions, Relay, StreamObserver, read_answer,
};
use tollgate_wire::{RECORD_BYTES_MAX, SseFramer};

use crate::attempt::failed::Failed;
pub(crate) use crate::attempt::failed::reason_of;
use crate::gate::Gate;
use crate::ingress::Call;
use crate::route::Plan;
use crate::ticket::Ticket;
use crate::timing::Phase;

/// An answer that has begun, and the ticket it will settle.
pub(crate) struct Answer {
    pub(crate) ticket: Ticket,
    pub(crate) deployment: Arc<Deployment>,
    pub(crate) headers: HeaderMap,
    pub(crate) content: Content,
}

/// What the upstream answers with.
pub(crate) enum Content {
    /// The whole answer.
    Whole(Bytes),
    /// A stream whose first frames are read and ready to go.
    Stream(Box<LiveStream>),
}

/// A stream under way.
pub(crate) struct LiveStream {
    pub(crate) upstream: UpstreamBody,
    pub(crate) framer: SseFramer,
    pub(crate) observer: StreamObserver,
    pub(crate) ready: Bytes,
}

/// What one dispatch gave.
struct Begun {
    headers: HeaderMap,
    status: u16,
    content: Content,
    whole: Option<(Option<Usage>, u64)>,
}

/// Tries the planned deployments in order until one begins to answer.
///
/// # Errors
/// The first failure, which is the true cause, with every attempt listed.
pub(crate) async fn attempt(
    gate: &Gate,
    settings: &Settings,
    call: &mut Call,
    plan: &Plan,
    mut ticket: Ticket,
) -> Result<Answer, Refusal> {
    call.timing.mark(Phase::Admit, gate.ticks());
    let mut first: Option<Refusal> = None;
    for deployment in &plan.deployments {
        ticket.dispatched(deployment);
        let started = gate.ticks();
        let result = dispatch(gate, settings, call, deployment).await;
        let record = record(deployment, &result, gate.ticks().since(started));
        ticket.attempted(record);
        match result {
            Ok(begun) => return Ok(answer(ticket, deployment, begun)),
            Err(failed) => {
                let try_next = failed.try_next;
                first.get_or_insert(failed.refusal);
                if !try_next {
                    break;
                }
            }
        }
    }
    ticket.failed();
    let refusal = first.unwrap_or_else(|| {
        Refusal::new(Reason::AllDeploymentsFailing, "no deployment could be tried")
    });
    Err(refusal.with_attempts(attempt_facts(&ticket)))
}

fn answer(mut ticket: Ticket, deployment: &Arc<Deployment>, begun: Begun) -> Answer {
    if let Some((usage, output_bytes)) = begun.whole {
        ticket.answered(usage, output_bytes);
    }
    Answer {
        ticket,
        deployment: Arc::clone(deployment),
        headers: begun.headers,
        content: begun.content,
    }
}

async fn dispatch(
    gate: &Gate,
    settings: &Settings,
    call: &Call,
    deployment: &Deployment,
) -> Result<Begun, Failed> {
    let request = outgoing::request(call, deployment, settings)?;
    let timeouts = outgoing::timeouts(call, deployment);
    let answer = gate
        .upstream()
        .send(request, timeouts)
        .await
        .map_err(|error| failed::not_dispatched(deployment, &error))?;
    if !(200..300).contains(&answer.status) {
        return Err(failed::refused_by_upstream(gate, deployment, answer).await);
    }
    match (call.request.stream, is_event_stream(&answer.headers)) {
        (true, true) => stream(call, deployment, answer).await,
        (false, _) => whole(deployment, answer, settings.response_bytes_max).await,
        (true, false) => not_a_stream(deployment, answer).await,
    }
}

async fn whole(
    deployment: &Deployment,
    answer: UpstreamAnswer,
    bytes_max: u64,
) -> Result<Begun, Failed> {
    let UpstreamAnswer { status, headers, body } = answer;
    let bytes = body
        .collect(bytes_max)
        .await
        .map_err(|error| failed::not_dispatched(deployment, &error))?;
    match read_answer(&bytes) {
        Ok(AnswerRead::Answer(AnswerFacts { usage, output_bytes, .. })) => Ok(Begun {
            headers,
            status,
            content: Content::Whole(bytes),
            whole: Some((usage, output_bytes)),
        }),
        Ok(AnswerRead::Error(error)) => Err(failed::error_inside(deployment, &error)),
        Err(_) => Err(failed::unreadable(deployment, "its answer is not a JSON object")),
    }
}

/// What came where a stream was asked for: an error that claims success, or something that a client
/// waiting for events could not read.
async fn not_a_stream(deployment: &Deployment, answer: UpstreamAnswer) -> Result<Begun, Failed> {
    let bytes = answer.body.collect(failed::ERROR_BYTES_MAX).await.unwrap_or_default();
    match read_answer(&bytes) {
        Ok(AnswerRead::Error(error)) => Err(failed::error_inside(deployment, &error)),
        Ok(AnswerRead::Answer(_)) | Err(_) => {
            Err(failed::unreadable(deployment, "not with the stream that was asked for"))
        }
    }
}

/// Reads up to the first frame that goes to the client, so that a stream that begins with an error
/// is a failed attempt rather than a broken answer.
async fn stream(
    call: &Call,
    deployment: &Deployment,
    answer: UpstreamAnswer,
) -> Result<Begun, Failed> {
    let UpstreamAnswer { status, headers, body } = answer;
    let mut live = LiveStream {
        upstream: body,
        framer: SseFramer::new(RECORD_BYTES_MAX),
        observer: StreamObserver::new(ObserverOptions {
            client_model: call.request.model.as_str().to_owned(),
            forward_usage: call.request.include_usage,
            rename: true,
        }),
        ready: Bytes::new(),
    };
    while live.ready.is_empty() {
        let chunk = match live.upstream.next().await {
            Some(Ok(chunk)) => chunk,
            Some(Err(error)) => return Err(failed::not_dispatched(deployment, &error)),
            None => return Err(failed::unreadable(deployment, "its stream ended before it began")),
        };
        let mut ready = BytesMut::new();
        match live.take(&chunk, &mut ready) {
            Ok(()) => live.ready = ready.freeze(),
            Err(refusal) => return Err(failed::in_stream(deployment, refusal)),
        }
    }
    Ok(Begun { headers, status, content: Content::Stream(Box::new(live)), whole: None })
}

impl LiveStream {
    /// Takes a piece of the upstream's stream and appends what goes to the client.
    ///
    /// # Errors
    /// The upstream's own error event, or a frame that breaks the format or its limit. What came
    /// before it has been appended.
    pub(crate) fn take(&mut self, chunk: &Bytes, out: &mut BytesMut) -> Result<(), Refusal> {
        self.framer.push(chunk);
        loop {
            match self.framer.next_frame() {
                Ok(None) => return Ok(()),
                Ok(Some(frame)) => match self.observer.frame(frame) {
                    Relay::Forward(bytes) => out.extend_from_slice(&bytes),
                    Relay::Withhold => {}
                    Relay::Failed(error) => return Err(failed::event(&error)),
                },
                Err(too_long) => {
                    return Err(Refusal::new(Reason::StreamLimitExceeded, too_long.to_string()));
                }
            }
        }
    }
}

impl LiveStream {
    /// Takes what the upstream left without a terminator when its stream ended.
    ///
    /// # Errors
    /// As [`LiveStream::take`].
    pub(crate) fn take_rest(&mut self, out: &mut BytesMut) -> Result<(), Refusal> {
        let Some(frame) = self.framer.finish() else { return Ok(()) };
        match self.observer.frame(frame) {
            Relay::Forward(bytes) => out.extend_from_slice(&bytes),
            Relay::Withhold => {}
            Relay::Failed(error) => return Err(failed::event(&error)),
        }
        Ok(())
    }
}

fn is_event_stream(headers: &HeaderMap) -> bool {
    headers.get(http::header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).is_some_and(
        |value| value.trim_start().to_ascii_lowercase().starts_with("text/event-stream"),
    )
}

fn record(
    deployment: &Deployment,
    result: &Result<Begun, Failed>,
    elapsed: std::time::Duration,
) -> AttemptRecord {
    let (status, reason) = match result {
        Ok(begun) => (Some(begun.status), None),
        Err(failed) => (failed.status, Some(failed.refusal.reason.slug())),
    };
    AttemptRecord {
        deployment: deployment.id.clone(),
        provider: deployment.provider.name.clone(),
        status,
        reason,
        elapsed,
    }
}

fn attempt_facts(ticket: &Ticket) -> Vec<AttemptFacts> {
    ticket
        .attempts()
        .iter()
        .map(|attempt| AttemptFacts {
            model_group: ticket.model_group().to_string(),
            status: attempt.status,
            reason: attempt.reason.and_then(Reason::parse),
            ms: u64::try_from(attempt.elapsed.as_millis()).unwrap_or(u64::MAX),
        })
        .collect()
}
