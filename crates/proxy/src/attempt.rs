//! One attempt: the call is sent to a deployment, and its answer begins or fails.

mod counted;
mod failed;
mod journey;
mod media;
mod outgoing;
mod parameters;
mod probe;
mod proof;
mod transformed;
mod turn;

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use tollgate_config::{Deployment, Settings};
use tollgate_domain::{AttemptRecord, Usage};
use tollgate_faults::{AttemptFacts, Reason, Refusal};
use tollgate_upstream::{
    Credential, DispatchError, PhaseTimeouts, UpstreamAnswer, UpstreamBody, UpstreamRequest,
};
use tollgate_wire::formats::seal::{Origin, Seal};
use tollgate_wire::formats::translation::Reply;
use tollgate_wire::translate::{Course, Fault, Pairing, Thought, WholeAnswer, whole_answer};

pub(crate) use crate::attempt::counted::counted;
use crate::attempt::failed::Failed;
pub(crate) use crate::attempt::failed::reason_of;
pub(crate) use crate::attempt::journey::{Sender, attempt};
use crate::attempt::outgoing::Outgoing;
pub(crate) use crate::attempt::outgoing::Told;
pub use crate::attempt::probe::probe;
pub(crate) use crate::attempt::transformed::{Transformed, transformed};
use crate::gate::Gate;
use crate::ingress::Call;
use crate::ticket::Ticket;

/// An answer that has begun, and the ticket it will settle.
pub(crate) struct Answer {
    pub(crate) ticket: Ticket,
    pub(crate) deployment: Arc<Deployment>,
    pub(crate) headers: HeaderMap,
    pub(crate) told: Told,
    pub(crate) content: Content,
}

/// What the upstream answers with.
pub(crate) enum Content {
    /// The whole answer, and what the model thought where that is noted.
    Whole(Bytes, Option<Thought>),
    /// A stream whose first frames are read and ready to go.
    Stream(Box<LiveStream>),
}

/// A stream under way.
pub(crate) struct LiveStream {
    pub(crate) upstream: UpstreamBody,
    pub(crate) course: Course,
    pub(crate) ready: Bytes,
}

/// What one dispatch gave.
struct Begun {
    headers: HeaderMap,
    status: u16,
    told: Told,
    content: Content,
    whole: Option<(Option<Usage>, u64)>,
}

fn answer(mut ticket: Ticket, deployment: &Arc<Deployment>, begun: Begun) -> Answer {
    if let Some((usage, output_bytes)) = begun.whole {
        ticket.answered(usage, output_bytes);
    }
    Answer {
        ticket,
        deployment: Arc::clone(deployment),
        headers: begun.headers,
        told: begun.told,
        content: begun.content,
    }
}

async fn dispatch(
    gate: &Gate,
    settings: &Settings,
    call: &Call,
    deployment: &Deployment,
) -> Result<Begun, Failed> {
    let brought = media::brought(gate, settings, call, deployment).await?;
    let conversation = brought.as_ref();
    let Outgoing { request, pairing, brings, told } =
        outgoing::request(gate, (call, conversation), deployment, settings)?;
    let timeouts = outgoing::timeouts(call, deployment);
    let answer = send(gate, deployment, request, timeouts)
        .await
        .map_err(|error| failed::not_dispatched(deployment, &error))?;
    let coming = Coming { gate, call, deployment, pairing, brings };
    if !(200..300).contains(&answer.status) {
        return Err(coming.refused(answer).await);
    }
    let begun = if call.request.asked.stream {
        coming.stream(answer).await
    } else {
        coming.whole(answer, settings.response_bytes_max).await
    };
    begun.map(|begun| Begun { told, ..begun })
}

/// Sends a request; once more where the token that it carried was taken back before its time, which
/// consumes nothing at the provider.
async fn send(
    gate: &Gate,
    deployment: &Deployment,
    request: UpstreamRequest,
    timeouts: PhaseTimeouts,
) -> Result<UpstreamAnswer, DispatchError> {
    let fetched = matches!(request.auth, Credential::Identity(_) | Credential::SigV4 { .. });
    let Some(identity) = deployment.identity.as_ref().filter(|_| fetched) else {
        return gate.upstream().send(request, timeouts).await;
    };
    let answer = gate.upstream().send(request.clone(), timeouts).await?;
    if answer.status == 401 && gate.upstream().identities().forget(identity) {
        return gate.upstream().send(request, timeouts).await;
    }
    Ok(answer)
}

/// An answer that comes from one deployment.
struct Coming<'a> {
    gate: &'a Gate,
    call: &'a Call,
    deployment: &'a Deployment,
    pairing: Pairing,
    /// Whether the request carried the client's own credential.
    brings: bool,
}

impl Coming<'_> {
    async fn refused(&self, answer: UpstreamAnswer) -> Failed {
        let about = (self.deployment, self.brings);
        failed::refused_by_upstream(self.gate, about, &self.pairing, answer).await
    }

    async fn whole(&self, answer: UpstreamAnswer, bytes_max: u64) -> Result<Begun, Failed> {
        let UpstreamAnswer { status, headers, body } = answer;
        let bytes = body
            .collect(bytes_max)
            .await
            .map_err(|error| failed::not_dispatched(self.deployment, &error))?;
        match whole_answer(&self.pairing, bytes, &self.reply()) {
            Ok(WholeAnswer::Answer { body, usage, output_bytes, thought }) => Ok(Begun {
                headers,
                status,
                told: Told::default(),
                content: Content::Whole(body, thought),
                whole: Some((usage, output_bytes)),
            }),
            Ok(WholeAnswer::Error(error)) => Err(failed::error_inside(self.deployment, &error)),
            Ok(WholeAnswer::NotProduced { why, usage, output_bytes }) => {
                let refusal = refusal_of(&Fault::NotProduced(why));
                Err(failed::consumed(self.deployment, refusal, (usage, output_bytes)))
            }
            Err(_) => Err(failed::unreadable(self.deployment, "its answer is not a JSON object")),
        }
    }

    /// What an answer is written with.
    fn reply(&self) -> Reply {
        let asked = &self.call.request.asked;
        Reply {
            model: asked.model.as_str().to_owned(),
            id: self.call.id.to_string(),
            created: u64::try_from(self.gate.now().seconds()).unwrap_or(0),
            include_usage: asked.include_usage,
            seal: self.gate.sealer().map(|sealer| Seal {
                sealer: Arc::clone(sealer),
                origin: Origin::of(
                    self.deployment.provider.name.as_str(),
                    &self.deployment.upstream_model,
                ),
            }),
        }
    }

    /// Reads up to the first bytes that go to the client, so that a stream that begins with an
    /// error is a failed attempt rather than a broken answer.
    async fn stream(&self, answer: UpstreamAnswer) -> Result<Begun, Failed> {
        let course = Course::new(self.pairing.clone(), self.reply());
        if !content_type(&answer.headers).is_some_and(|kind| course.takes(kind)) {
            return self.not_a_stream(answer).await;
        }
        let UpstreamAnswer { status, headers, body } = answer;
        let mut live = LiveStream { upstream: body, course, ready: Bytes::new() };
        while live.ready.is_empty() {
            live.ready = self.first_piece(&mut live).await?;
        }
        let content = Content::Stream(Box::new(live));
        Ok(Begun { headers, status, told: Told::default(), content, whole: None })
    }

    async fn first_piece(&self, live: &mut LiveStream) -> Result<Bytes, Failed> {
        let mut ready = BytesMut::new();
        let taken = match live.upstream.next().await {
            Some(Ok(chunk)) => live.take(&chunk, &mut ready),
            Some(Err(error)) => return Err(failed::not_dispatched(self.deployment, &error)),
            None => {
                let taken = live.finish(&mut ready);
                if taken.is_ok() && ready.is_empty() {
                    let what = "its stream ended before it began";
                    return Err(failed::unreadable(self.deployment, what));
                }
                taken
            }
        };
        if let Err(refusal) = taken {
            let facts = live.course.facts();
            let produced = facts.done.then(|| (facts.usage.clone(), facts.output_bytes));
            return Err(match produced {
                Some(produced) => failed::consumed(self.deployment, refusal, produced),
                None => failed::in_stream(self.deployment, refusal),
            });
        }
        Ok(ready.freeze())
    }

    /// What came where a stream was asked for: an error that claims success, or something that a
    /// client waiting for events could not read.
    async fn not_a_stream(&self, answer: UpstreamAnswer) -> Result<Begun, Failed> {
        let bytes = answer.body.collect(failed::ERROR_BYTES_MAX).await.unwrap_or_default();
        match whole_answer(&self.pairing, bytes, &self.reply()) {
            Ok(WholeAnswer::Error(error)) => Err(failed::error_inside(self.deployment, &error)),
            Ok(WholeAnswer::Answer { .. } | WholeAnswer::NotProduced { .. }) | Err(_) => {
                let what = "not with the stream that was asked for";
                Err(failed::unreadable(self.deployment, what))
            }
        }
    }
}

impl LiveStream {
    /// Takes a piece of the upstream's stream and appends what goes to the client.
    ///
    /// # Errors
    /// The upstream's own error event, or a record that breaks the format or its limit. What came
    /// before it has been appended.
    pub(crate) fn take(&mut self, chunk: &Bytes, out: &mut BytesMut) -> Result<(), Refusal> {
        // What goes out is about as long as what came.
        out.reserve(chunk.len());
        self.course.take(chunk, out).map_err(|fault| refusal_of(&fault))
    }

    /// Takes the end of the upstream's stream.
    ///
    /// # Errors
    /// As [`LiveStream::take`].
    pub(crate) fn finish(&mut self, out: &mut BytesMut) -> Result<(), Refusal> {
        self.course.finish(out).map_err(|fault| refusal_of(&fault))
    }
}

fn refusal_of(fault: &Fault) -> Refusal {
    match fault {
        Fault::Told(error) => failed::event(error),
        Fault::Malformed(detail) => Refusal::new(Reason::UpstreamAnswerMalformed, detail.clone()),
        Fault::TooLong(detail) => Refusal::new(Reason::StreamLimitExceeded, detail.clone()),
        Fault::NotProduced(why) => {
            let message = format!("the model's answer is not the JSON that was asked for: {why}");
            Refusal::new(Reason::StructuredOutputNotProduced, message)
        }
    }
}

fn content_type(headers: &HeaderMap) -> Option<&str> {
    headers.get(http::header::CONTENT_TYPE)?.to_str().ok()
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
        .map(|(group, attempt)| AttemptFacts {
            model_group: group.to_string(),
            status: attempt.status,
            reason: attempt.reason.and_then(Reason::parse),
            ms: u64::try_from(attempt.elapsed.as_millis()).unwrap_or(u64::MAX),
        })
        .collect()
}
