//! The course of one streamed answer: the upstream's bytes in, the client's bytes out, and what was
//! seen on the way.
//!
//! Bytes → records → interpreter of the upstream's format → deltas → renderer of the client's
//! format → bytes. Between equal formats the records pass as they are and are only observed. A
//! course knows no socket, holds at most one unfinished record, and lives as long as the answer.

use std::borrow::Cow;

use bytes::{Bytes, BytesMut};

use super::framing::{Framing, Record};
use super::recall::Notes;
use super::structured::Guard;
use super::{Pairing, Thought, observed};
use crate::WireFormat;
use crate::delta::{Close, Delta, Interpreter, Renderer};
use crate::formats::anthropic_messages::{Envelope, unwrap_event};
use crate::formats::openai_chat::{
    DONE_EVENT, ErrorBody, ObserverOptions, Relay, StreamFacts, StreamObserver,
};
use crate::formats::translation::Reply;
use crate::frame::aws_events::AwsEventError;
use crate::frame::json_lines::JsonStreamError;
use crate::frame::sse::SseFrame;

/// Why a stream cannot go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The upstream reported an error in band.
    Told(ErrorBody),
    /// A record breaks its format; in words.
    Malformed(String),
    /// A record is longer than its limit; in words.
    TooLong(String),
    /// The answer is complete and not the JSON that was asked for; why, in words.
    NotProduced(String),
}

/// Most of a record's room that is kept for the next one, in bytes.
const RENDERED_BYTES_KEPT_MAX: usize = 4096;

/// Follows one stream.
pub struct Course {
    framing: Framing,
    leg: Leg,
}

/// What happens to records.
enum Leg {
    /// Chat on both sides.
    Chat(Box<StreamObserver>, Option<Box<Listener>>),
    /// The same format on both sides.
    Pass(Observer),
    /// Different formats.
    Translate(Observer, Box<dyn Renderer>),
}

/// Listens to a stream that another observes, for what the model thinks.
struct Listener {
    interpreter: Box<dyn Interpreter>,
    notes: Notes,
}

/// Understands records for what they say.
struct Observer {
    pairing: Pairing,
    interpreter: Box<dyn Interpreter>,
    deltas: Vec<Delta>,
    /// What a record is rendered into, kept for the next one.
    rendered: Vec<u8>,
    facts: StreamFacts,
    /// Where the answer's form is the gateway's to see to.
    guard: Option<Guard>,
    /// Where what the model thinks is noted.
    notes: Option<Notes>,
}

impl Fault {
    pub(super) fn of_objects(error: &JsonStreamError) -> Self {
        match error {
            JsonStreamError::TooLong { .. } => Self::TooLong(error.to_string()),
            JsonStreamError::NoObject { .. } => Self::Malformed(error.to_string()),
        }
    }

    pub(super) fn of_messages(error: &AwsEventError) -> Self {
        match error {
            AwsEventError::TooLong { .. } => Self::TooLong(error.to_string()),
            AwsEventError::Lengths
            | AwsEventError::PreludeChecksum
            | AwsEventError::Checksum
            | AwsEventError::Headers => Self::Malformed(error.to_string()),
        }
    }
}

impl Course {
    /// A course at the start of an answer.
    #[must_use]
    pub fn new(pairing: Pairing, reply: Reply) -> Self {
        let framing = Framing::of(pairing.upstream, pairing.envelope);
        if pairing.is_chat() {
            let listener = pairing.notes_thoughts().then(|| {
                let (interpreter, notes) = (pairing.interpreter(&reply.id), Notes::default());
                Box::new(Listener { interpreter, notes })
            });
            let options = ObserverOptions {
                client_model: reply.model,
                forward_usage: reply.include_usage,
                rename: true,
            };
            let leg = Leg::Chat(Box::new(StreamObserver::new(options)), listener);
            return Self { framing, leg };
        }
        let interpreter = pairing.interpreter(&reply.id);
        let renderer = (!pairing.passes()).then(|| pairing.renderer(reply));
        let observer = Observer {
            interpreter,
            guard: pairing.form().map(Guard::new),
            notes: pairing.notes_thoughts().then(Notes::default),
            pairing,
            deltas: Vec::new(),
            rendered: Vec::new(),
            facts: StreamFacts::default(),
        };
        let leg = match renderer {
            None => Leg::Pass(observer),
            Some(renderer) => Leg::Translate(observer, renderer),
        };
        Self { framing, leg }
    }

    /// Whether an answer of this media type is a stream of this kind.
    #[must_use]
    pub fn takes(&self, content_type: &str) -> bool {
        let kind = content_type.split(';').next().unwrap_or_default().trim();
        self.framing.media_types().iter().any(|known| known.eq_ignore_ascii_case(kind))
    }

    /// What was seen so far.
    #[must_use]
    pub const fn facts(&self) -> &StreamFacts {
        match &self.leg {
            Leg::Chat(observer, _) => observer.facts(),
            Leg::Pass(observer) | Leg::Translate(observer, _) => &observer.facts,
        }
    }

    /// What the model thought before it called tools, where that is noted, once the answer is
    /// complete. It is given once.
    #[must_use]
    pub fn thought(&mut self) -> Option<Thought> {
        let notes = match &mut self.leg {
            Leg::Chat(_, listener) => listener.take()?.notes,
            Leg::Pass(observer) | Leg::Translate(observer, _) => observer.notes.take()?,
        };
        notes.finish()
    }

    /// Takes a piece of the upstream's stream and appends what goes to the client.
    ///
    /// # Errors
    /// [`Fault`]: nothing may be fed to the course afterwards. What came before it has been
    /// appended.
    pub fn take(&mut self, chunk: &Bytes, out: &mut BytesMut) -> Result<(), Fault> {
        self.framing.push(chunk);
        while let Some(record) = self.framing.next()? {
            self.leg.record(record, out)?;
        }
        Ok(())
    }

    /// Takes the end of the upstream's stream and appends what ends the client's, where the answer
    /// is complete: [`StreamFacts::ended_cleanly`] tells.
    ///
    /// # Errors
    /// As [`Course::take`].
    pub fn finish(&mut self, out: &mut BytesMut) -> Result<(), Fault> {
        if let Some(record) = self.framing.finish() {
            self.leg.record(record, out)?;
        }
        let how = if self.framing.holds_rest() { Close::Cut } else { Close::Clean };
        self.leg.finish(how, out)
    }
}

impl Leg {
    fn record(&mut self, record: Record, out: &mut BytesMut) -> Result<(), Fault> {
        match self {
            Self::Chat(observer, listener) => {
                let Record::Sse(frame) = record else { return Ok(()) };
                if let Some(listener) = listener {
                    listener.hear(&frame);
                }
                match observer.frame(frame) {
                    Relay::Forward(bytes) => out.extend_from_slice(&bytes),
                    Relay::Withhold => {}
                    Relay::Failed(error) => return Err(Fault::Told(error)),
                }
                Ok(())
            }
            Self::Pass(observer) => {
                let record = observer.unwrapped(record)?;
                observer.record(&record)?;
                observer.settle(None, out)?;
                pass(record, out);
                Ok(())
            }
            Self::Translate(observer, renderer) => {
                let record = observer.unwrapped(record)?;
                observer.record(&record)?;
                observer.settle(Some(renderer.as_mut()), out)
            }
        }
    }

    fn finish(&mut self, how: Close, out: &mut BytesMut) -> Result<(), Fault> {
        match self {
            Self::Chat(observer, _) => {
                let facts = observer.facts();
                if facts.ended_cleanly() && !facts.done {
                    out.extend_from_slice(DONE_EVENT);
                }
                Ok(())
            }
            Self::Pass(observer) => {
                observer.close(how);
                observer.settle(None, out)
            }
            Self::Translate(observer, renderer) => {
                observer.close(how);
                observer.settle(Some(renderer.as_mut()), out)
            }
        }
    }
}

impl Listener {
    /// Hears a record. One that is not understood is for the observer to judge.
    fn hear(&mut self, frame: &SseFrame) {
        let Some(data) = frame.data() else { return };
        let mut deltas = Vec::new();
        if self.interpreter.record(frame.event(), &data, &mut deltas).is_ok() {
            deltas.iter().for_each(|delta| self.notes.take(delta));
        }
    }
}

impl Observer {
    /// A message of a platform that wraps the events of a format in its own, as such an event.
    fn unwrapped(&self, record: Record) -> Result<Record, Fault> {
        match record {
            Record::Aws(message)
                if self.pairing.upstream == WireFormat::AnthropicMessages
                    && self.pairing.envelope == Envelope::BedrockInvoke
                    && message.event_type().is_some() =>
            {
                let event = unwrap_event(message.payload()).map_err(Fault::Malformed)?;
                Ok(Record::Sse(SseFrame::from_raw(event)))
            }
            record => Ok(record),
        }
    }

    fn record(&mut self, record: &Record) -> Result<(), Fault> {
        let (event, data): (Option<&str>, Cow<'_, [u8]>) = match record {
            Record::Sse(frame) => match frame.data() {
                Some(data) => (frame.event(), data),
                None => return Ok(()),
            },
            Record::Json(object) => (None, Cow::Borrowed(object)),
            Record::Aws(message) => {
                let name = message.event_type().or_else(|| message.exception_type());
                (name, Cow::Borrowed(message.payload()))
            }
        };
        self.interpreter.record(event, &data, &mut self.deltas).map_err(Fault::Malformed)
    }

    fn close(&mut self, how: Close) {
        if !self.facts.done {
            self.interpreter.close(how, &mut self.deltas);
        }
    }

    /// Renders what was said and takes note of it.
    fn settle(
        &mut self,
        mut renderer: Option<&mut (dyn Renderer + 'static)>,
        out: &mut BytesMut,
    ) -> Result<(), Fault> {
        let mut fault = None;
        for mut delta in self.deltas.drain(..) {
            self.pairing.names().restore_delta(&mut delta);
            if let Delta::Failed(error) = delta {
                fault = Some(Fault::Told(error));
                break;
            }
            observed::observe(&mut self.facts, &delta);
            if let Some(notes) = &mut self.notes {
                notes.take(&delta);
            }
            let Some(renderer) = renderer.as_deref_mut() else { continue };
            let mut pass = |delta: &Delta| renderer.delta(delta, &mut self.rendered);
            let passed = match &mut self.guard {
                None => {
                    pass(&delta);
                    Ok(())
                }
                Some(guard) => guard.take(delta, &mut pass),
            };
            if let Err(missed) = passed {
                fault = Some(missed);
                break;
            }
        }
        out.extend_from_slice(&self.rendered);
        // What was large is not kept for what is small.
        self.rendered.clear();
        self.rendered.shrink_to(RENDERED_BYTES_KEPT_MAX);
        fault.map_or(Ok(()), Err)
    }
}

/// A record in the client's framing, which is that of server-sent events.
fn pass(record: Record, out: &mut BytesMut) {
    let Record::Sse(frame) = record else { return };
    let terminated = frame.is_terminated();
    out.extend_from_slice(&SseFrame::into_raw(frame));
    if !terminated {
        out.extend_from_slice(b"\n\n");
    }
}

#[cfg(test)]
mod tests;
