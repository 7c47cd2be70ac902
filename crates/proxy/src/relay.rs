//! Bytes to the client as they come. The ticket rides along and settles after the last one.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::{Bytes, BytesMut};
use futures_util::stream;
use http::HeaderValue;
use tollgate_config::Settings;
use tollgate_domain::{CallId, Outcome};
use tollgate_faults::{Reason, Refusal};
use tollgate_upstream::DispatchError;
use tollgate_wire::translate::{Sent, StreamForm};

use crate::attempt::{Answer, Content, LiveStream};
use crate::authenticate::Caller;
use crate::explain::EXPLAIN;
use crate::gate::Gate;
use crate::headers::{self, Facts};
use crate::ingress::Call;
use crate::keep::Keeping;
use crate::memory::Memory;
use crate::refusal::dialect_of;
use crate::ticket::Ticket;
use crate::timing::Phase;

/// How long the end of an upstream's stream is awaited after its last event, so that its connection
/// can be used again.
const END_WAIT_MAX: Duration = Duration::from_millis(250);

/// The answer on its way.
pub(crate) fn relay(
    gate: &Gate,
    settings: &Settings,
    caller: &Caller,
    mut call: Call,
    answer: Answer,
) -> Response {
    let model_group = answer.ticket.model_group().clone();
    let (standing, travelled) = (answer.ticket.standing(), answer.ticket.way());
    let Answer { mut ticket, deployment, headers: upstream_headers, told, content } = answer;
    let explained = ticket.take_explained().and_then(|text| HeaderValue::try_from(text).ok());
    let turn = call.turn.take();
    let keeping = turn.map(|turn| Keeping::new(gate.keeper(), turn, model_group.clone()));
    call.timing.mark(Phase::Upstream, gate.ticks());
    let (body, head, cost): (Body, &[_], _) = match content {
        Content::Whole(bytes, thought) => {
            if let (Some(memory), Some(thought)) = (call.memory.take(), thought) {
                memory.keep(&thought);
            }
            call.timing.mark(Phase::Relay, gate.ticks());
            let cost = ticket.settlement().cost;
            (Body::new(OnePiece { bytes, ticket: Some(ticket), keeping }), &headers::WHOLE, cost)
        }
        // A stream's cost is not known before its last byte.
        Content::Stream(live) => {
            let kept = (keeping, call.memory.take());
            let told = (settings.docs_base.clone(), settings.keepalive, kept);
            let head: &[_] = if call.request.array { &headers::ARRAY } else { &headers::STREAM };
            let form = call.request.stream_form();
            (streamed((call.id, form), told, live, ticket), head, None)
        }
    };
    let mut response = Response::new(body);
    let facts = Facts {
        call: &call,
        caller,
        model_group: &model_group,
        deployment: &deployment,
        told: &told,
        cost,
        standing,
        travelled,
        at: (gate.keys().calendar(), gate.now()),
    };
    headers::write(response.headers_mut(), head, &facts, &upstream_headers);
    if let Some(explained) = explained {
        response.headers_mut().insert(EXPLAIN, explained);
    }
    response
}

/// A body of one piece. The ticket counts the answer as delivered when the server takes that piece.
struct OnePiece {
    bytes: Bytes,
    ticket: Option<Ticket>,
    keeping: Option<Keeping>,
}

impl http_body::Body for OnePiece {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
        let Some(mut ticket) = self.ticket.take() else { return Poll::Ready(None) };
        ticket.delivered();
        if let Some(keeping) = self.keeping.take() {
            keeping.whole(&self.bytes);
        }
        Poll::Ready(Some(Ok(http_body::Frame::data(std::mem::take(&mut self.bytes)))))
    }

    fn is_end_stream(&self) -> bool {
        self.ticket.is_none()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        http_body::SizeHint::with_exact(u64::try_from(self.bytes.len()).unwrap_or(u64::MAX))
    }
}

/// A stream under way to the client.
struct Relaying {
    call: CallId,
    form: StreamForm,
    sent: Sent,
    keepalive: Option<Duration>,
    docs_base: String,
    keeping: Option<Keeping>,
    memory: Option<Memory>,
    live: Box<LiveStream>,
    ticket: Ticket,
    over: bool,
}

/// What remembers an answer that goes by.
type Kept = (Option<Keeping>, Option<Memory>);

fn streamed(
    (call, form): (CallId, StreamForm),
    (docs_base, keepalive, (keeping, memory)): (String, Option<Duration>, Kept),
    live: Box<LiveStream>,
    ticket: Ticket,
) -> Body {
    let (sent, over) = (Sent::default(), false);
    let state =
        Relaying { call, form, sent, keepalive, docs_base, keeping, memory, live, ticket, over };
    Body::from_stream(stream::unfold(state, |mut state| async move {
        let bytes = state.next().await?;
        state.sent.note(state.form, &bytes);
        if let Some(keeping) = &mut state.keeping {
            keeping.piece(&bytes);
        }
        Some((Ok::<_, std::convert::Infallible>(bytes), state))
    }))
}

impl Relaying {
    /// The next bytes for the client, or `None` after the last.
    async fn next(&mut self) -> Option<Bytes> {
        if !self.live.ready.is_empty() {
            let ready = std::mem::take(&mut self.live.ready);
            self.note();
            return Some(ready);
        }
        if self.over {
            self.reach_end().await;
            return None;
        }
        loop {
            let mut out = BytesMut::new();
            let Some(came) = self.came().await else {
                let alive = self.form.keep_alive().unwrap_or_default();
                return Some(Bytes::from_static(alive));
            };
            match came {
                Some(Ok(chunk)) => {
                    if let Err(refusal) = self.live.take(&chunk, &mut out) {
                        self.break_off(&refusal, &mut out);
                    }
                }
                Some(Err(error)) => {
                    let reason = crate::attempt::reason_of(&error);
                    self.break_off(&Refusal::new(reason, error.to_string()), &mut out);
                }
                None => self.finish(&mut out),
            }
            self.note();
            if !out.is_empty() {
                return Some(out.freeze());
            }
            if self.over {
                return None;
            }
        }
    }

    /// What comes next from the upstream; `None` after a silence in which the client is to hear
    /// that the call is alive.
    async fn came(&mut self) -> Option<Option<Result<Bytes, DispatchError>>> {
        let next = self.live.upstream.next();
        match self.keepalive.filter(|_| self.form.keep_alive().is_some()) {
            Some(silence) => tokio::time::timeout(silence, next).await.ok(),
            None => Some(next.await),
        }
    }

    /// Tells the ticket what has been seen.
    fn note(&mut self) {
        let facts = self.live.course.facts();
        self.ticket.streamed(facts);
        if facts.done && !self.over {
            self.complete();
        }
    }

    /// The answer has come to its end.
    fn complete(&mut self) {
        if let Some(memory) = self.memory.take()
            && let Some(thought) = self.live.course.thought()
        {
            memory.keep(&thought);
        }
        self.ticket.ended(Outcome::Completed);
        self.over = true;
    }

    /// The upstream's stream ended. One that ended cleanly ends cleanly here; one that was cut says
    /// so.
    fn finish(&mut self, out: &mut BytesMut) {
        let rest = self.live.finish(out);
        let clean = self.live.course.facts().ended_cleanly();
        match rest {
            Err(refusal) => self.break_off(&refusal, out),
            Ok(()) if clean => self.complete(),
            Ok(()) => {
                let message = "the provider's stream broke off before the answer was complete";
                self.break_off(&Refusal::new(Reason::UpstreamAnswerCut, message), out);
            }
        }
    }

    /// Ends the stream with an error event, and without the event that would make it look complete.
    fn break_off(&mut self, refusal: &Refusal, out: &mut BytesMut) {
        let call = self.call.to_string();
        let (reason, message) = (refusal.reason.slug(), &refusal.message);
        tracing::warn!(call, reason, message, "stream broke off");
        let dialect = dialect_of(self.form.format);
        let rendered = tollgate_faults::render(refusal, dialect, &self.docs_base, &call);
        let mut sent = self.sent;
        sent.note(self.form, out);
        out.extend_from_slice(&self.form.error_event(&rendered.body, &sent));
        self.ticket.ended(Outcome::Cut);
        self.over = true;
    }

    /// Lets the upstream's connection come to its end, for a moment, so that the pool can keep it.
    async fn reach_end(&mut self) {
        // What comes after the last event is of no interest, and an upstream that does not end is
        // cut off.
        let _ = tokio::time::timeout(END_WAIT_MAX, async {
            while let Some(Ok(_)) = self.live.upstream.next().await {}
        })
        .await;
    }
}
