//! Watching a streamed answer on its way through: what it says, what it costs, how it ends.
//!
//! The observer holds counters and no text, so its memory does not grow with the answer.

use bytes::Bytes;
use tollgate_domain::Usage;

use super::choice::Choice;
use super::error::{ErrorBody, error_within, read_error};
use super::usage::Reported;
use crate::frame::sse::SseFrame;
use crate::json::{Malformed, Object, Raw, Splice, quoted};

/// The event that ends a stream in this format.
pub const DONE_EVENT: &[u8] = b"data: [DONE]\n\n";

/// What the client of a stream is to see.
#[derive(Debug, Clone)]
pub struct ObserverOptions {
    /// The model name that the client asked for.
    pub client_model: String,
    /// Whether the client asked for the usage; if not, a chunk that holds only usage is withheld.
    pub forward_usage: bool,
    /// Whether `model` in each chunk is replaced by `client_model`.
    pub rename: bool,
}

/// What becomes of a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Relay {
    /// These bytes go to the client.
    Forward(Bytes),
    /// Nothing goes to the client: it did not ask for this.
    Withhold,
    /// The upstream reported an error in band, sent what cannot be read (counted in
    /// [`StreamFacts::malformed_frames`]), or was cut inside a frame. The frame does not go to the
    /// client.
    Failed(ErrorBody),
}

/// What was observed in a stream so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StreamFacts {
    /// The usage in disjoint kinds, where the upstream reported any.
    pub usage: Option<Usage>,
    /// Whether anything was sent that a user or a program would notice.
    pub visible: bool,
    /// Whether `[DONE]` was seen.
    pub done: bool,
    /// Whether every choice that began has had its finish reason, and there is one.
    pub finish_seen: bool,
    /// Deltas that carried text; at least one token each.
    pub output_deltas: u64,
    /// UTF-8 bytes of content, refusal, reasoning and tool arguments.
    pub output_bytes: u64,
    /// Frames that could not be read.
    pub malformed_frames: u64,
    /// Odd numbers in the usage: see `gateway_usage_anomalies_total`.
    pub usage_anomalies: u64,
}

impl StreamFacts {
    /// Whether a stream that ends now has ended as it should, rather than been cut.
    #[must_use]
    pub const fn ended_cleanly(&self) -> bool {
        self.done || self.finish_seen
    }
}

/// Watches one stream. Lives as long as that answer and sees frames, never sockets.
#[derive(Debug)]
pub struct StreamObserver {
    options: ObserverOptions,
    /// The client's model name as JSON, ready to be compared and spliced.
    client_model_json: String,
    facts: StreamFacts,
    reported: Reported,
    begun: ChoiceSet,
    finished: ChoiceSet,
}

impl StreamObserver {
    /// An observer at the start of a stream.
    #[must_use]
    pub fn new(options: ObserverOptions) -> Self {
        Self {
            client_model_json: quoted(&options.client_model),
            options,
            facts: StreamFacts::default(),
            reported: Reported::default(),
            begun: ChoiceSet::default(),
            finished: ChoiceSet::default(),
        }
    }

    /// Observes the next frame and says what becomes of it. A last frame that lacks only its blank
    /// line gets one.
    pub fn frame(&mut self, frame: SseFrame) -> Relay {
        let terminated = frame.is_terminated();
        match self.observe(frame) {
            Relay::Forward(bytes) if !terminated => {
                Relay::Forward([bytes.as_ref(), b"\n\n"].concat().into())
            }
            relay => relay,
        }
    }

    fn observe(&mut self, frame: SseFrame) -> Relay {
        // Comments, keep-alive lines and events without data keep the connection alive on both
        // sides.
        let Some(data) = frame.data() else { return Relay::Forward(frame.into_raw()) };
        let text = data.trim_ascii();
        if text.is_empty() || text == b"[DONE]" {
            self.facts.done |= !text.is_empty();
            return Relay::Forward(frame.raw().clone());
        }
        let object = match Object::scan(&data) {
            Ok(object) => object,
            Err(_) if !frame.is_terminated() => return Relay::Failed(cut()),
            Err(malformed) => return self.malformed(&malformed),
        };
        let only_usage = self.take_usage(&object);
        let error = error_within(&object).or_else(|| self.take_choices(&object));
        if let Some(error) = error {
            return Relay::Failed(error);
        }
        if frame.event() == Some("error") {
            return Relay::Failed(read_error(&data).unwrap_or_else(unexplained));
        }
        if only_usage && !self.options.forward_usage {
            return Relay::Withhold;
        }
        Relay::Forward(self.renamed(&frame, &object))
    }

    /// What was observed so far.
    #[must_use]
    pub const fn facts(&self) -> &StreamFacts {
        &self.facts
    }

    /// What was observed, at the end of the stream.
    #[must_use]
    pub fn close(self) -> StreamFacts {
        self.facts
    }

    fn malformed(&mut self, malformed: &Malformed) -> Relay {
        self.facts.malformed_frames += 1;
        Relay::Failed(ErrorBody::told(format!("the upstream sent a malformed frame: {malformed}")))
    }

    /// Takes the usage of a chunk; true when the chunk holds usage and no choices.
    fn take_usage(&mut self, object: &Object<'_>) -> bool {
        if !self.reported.take(object.value("usage"), object.value("x_groq")) {
            return false;
        }
        self.facts.usage = self.reported.usage();
        self.facts.usage_anomalies = self.reported.anomalies();
        !object.value("choices").is_some_and(Raw::holds_something)
    }

    fn take_choices(&mut self, object: &Object<'_>) -> Option<ErrorBody> {
        let mut error = None;
        for choice in object.value("choices").into_iter().flat_map(Raw::elements).map(Choice::read)
        {
            error = error.or(choice.error);
            self.facts.visible |= choice.output.visible;
            self.facts.output_bytes += choice.output.bytes;
            self.facts.output_deltas += u64::from(choice.output.bytes > 0);
            self.begun.add(choice.index);
            if choice.finished {
                self.finished.add(choice.index);
            }
            self.facts.finish_seen = self.begun == self.finished;
        }
        error
    }

    /// The frame's bytes, with the client's name for the model where the chunk says another.
    fn renamed(&self, frame: &SseFrame, object: &Object<'_>) -> Bytes {
        let ours = self.client_model_json.as_str();
        let members = object.members().iter();
        let mut named = members.filter(|member| self.options.rename && member.name == "model");
        match (named.next(), named.next()) {
            (None, _) => frame.raw().clone(),
            (Some(model), None) if model.value == ours => frame.raw().clone(),
            (Some(model), None) => frame.with_data_part(&model.value_span, ours.as_bytes()),
            (Some(_), Some(_)) => {
                let data = Bytes::from(frame.data().unwrap_or_default().into_owned());
                let mut splice = Splice::new(&data, object);
                splice.set("model", ours);
                frame.with_data_part(&(0..data.len()), &splice.finish())
            }
        }
    }
}

fn cut() -> ErrorBody {
    ErrorBody::told("the upstream's stream ended inside a frame")
}

fn unexplained() -> ErrorBody {
    ErrorBody::told("the upstream sent an error event without an explanation")
}

/// Indexes of choices, one bit each: `n` is at most 128. A larger index, which no upstream should
/// send, shares the last bit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct ChoiceSet(u128);

impl ChoiceSet {
    fn add(&mut self, index: u64) {
        self.0 |= 1 << index.min(127);
    }
}

#[cfg(test)]
mod tests;
