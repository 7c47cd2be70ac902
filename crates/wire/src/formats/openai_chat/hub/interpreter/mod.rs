//! Understanding a streamed answer.
//!
//! The stream is complete when every choice that began has had its finish reason; `[DONE]` alone
//! ends nothing that a provider broke off.

mod speaker;

use bytestring::ByteString;
use tollgate_domain::Usage;

use self::speaker::{Sink, Speaker};
use super::super::choice::ended_in_error;
use super::super::error::{ErrorBody, error_from, error_within, read_error};
use super::super::request::CHOICES_MAX;
use super::super::usage::Reported;
use super::answer_in::stop_text;
use super::finish;
use crate::delta::{Close, Delta, Interpreter};
use crate::json::{Object, Raw};

/// What is read of an element of `choices`.
const CHOICE_MEMBERS: [&str; 6] =
    ["error", "index", "finish_reason", "stop_reason", "delta", "message"];

/// Understands one streamed answer of this format.
#[derive(Debug, Default)]
pub struct OpenAiChatInterpreter {
    identity: Identity,
    begun: bool,
    next_part: u32,
    speakers: Vec<Speaker>,
    reported: Reported,
    usage: Option<Usage>,
    /// Whether nothing may follow.
    over: bool,
}

/// What chunks say about the answer as a whole; the first chunk that says it counts.
#[derive(Debug, Default)]
struct Identity {
    id: Option<ByteString>,
    model: Option<ByteString>,
    created: Option<u64>,
}

impl OpenAiChatInterpreter {
    /// An interpreter at the start of a stream.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Azure's first chunk has an empty id and model, and no choices.
    fn identify(&mut self, object: &Object<'_>) {
        let text = |name| {
            let text = object.value(name).and_then(Raw::text).filter(|text| !text.is_empty());
            text.map(|text| ByteString::from(text.into_owned()))
        };
        let known = &mut self.identity;
        known.id = known.id.take().or_else(|| text("id"));
        known.model = known.model.take().or_else(|| text("model"));
        let created = || object.value("created").and_then(Raw::whole).filter(|at| *at > 0);
        known.created = known.created.or_else(created);
    }

    fn begin(&mut self, out: &mut Vec<Delta>) {
        if !self.begun {
            self.begun = true;
            let Identity { id, model, created } = &self.identity;
            out.push(Delta::Begin { id: id.clone(), model: model.clone(), created: *created });
        }
    }

    fn choice(&mut self, raw: Raw<'_>, out: &mut Vec<Delta>) -> Result<(), String> {
        let [error, index, reason, stop, delta, message] = raw.find_each(CHOICE_MEMBERS);
        let reason = reason.and_then(Raw::text);
        let failed = || (reason.as_deref() == Some("error")).then(ended_in_error);
        if let Some(error) = error.map(error_from).or_else(failed) {
            self.fail(error, out);
            return Ok(());
        }
        if let Some(reason) = reason.as_deref().filter(|reason| finish::is_failure(reason)) {
            let told = format!("the upstream ended the answer with `{reason}`");
            self.fail(ErrorBody::told(told), out);
            return Ok(());
        }
        self.begin(out);
        let at = self.speaker(index.and_then(Raw::whole).unwrap_or(0))?;
        let answer = self.identity.id.as_deref();
        let mut sink = Sink { out, next_part: &mut self.next_part, answer };
        let Some(speaker) = self.speakers.get_mut(at) else { return Ok(()) };
        // Some servers put a whole message into their only chunk.
        if let Some(delta) = delta.or(message) {
            speaker.hear(delta, &mut sink)?;
        }
        speaker.finish(reason.as_deref(), stop.and_then(stop_text), &mut sink)
    }

    /// The place of the speaker for a choice, who is new when the choice begins.
    fn speaker(&mut self, index: u64) -> Result<usize, String> {
        let index = u32::try_from(index).ok().filter(|index| u64::from(*index) < CHOICES_MAX);
        let index = index.ok_or("the upstream sent more choices than any call may ask for")?;
        let known = self.speakers.iter().position(|speaker| speaker.choice() == index);
        Ok(known.unwrap_or_else(|| {
            self.speakers.push(Speaker::new(index));
            self.speakers.len() - 1
        }))
    }

    fn take_usage(&mut self, object: &Object<'_>, out: &mut Vec<Delta>) {
        if !self.reported.take(object.value("usage"), object.value("x_groq")) {
            return;
        }
        let usage = self.reported.usage();
        if let Some(usage) = usage.filter(|usage| self.usage.as_ref() != Some(usage)) {
            self.begin(out);
            self.usage = Some(usage.clone());
            out.push(Delta::Usage(usage));
        }
    }

    fn fail(&mut self, error: ErrorBody, out: &mut Vec<Delta>) {
        self.silence(out);
        self.over = true;
        out.push(Delta::Failed(error));
    }

    /// Closes what is open.
    fn silence(&mut self, out: &mut Vec<Delta>) {
        for speaker in &mut self.speakers {
            speaker.silence(out);
        }
    }

    fn end(&mut self, out: &mut Vec<Delta>) {
        self.silence(out);
        self.over = true;
        if !self.speakers.is_empty() && self.speakers.iter().all(Speaker::has_finished) {
            out.push(Delta::End);
        }
    }
}

impl Interpreter for OpenAiChatInterpreter {
    fn record(
        &mut self,
        event: Option<&str>,
        data: &[u8],
        out: &mut Vec<Delta>,
    ) -> Result<(), String> {
        let text = data.trim_ascii();
        if self.over || text.is_empty() {
            return Ok(());
        }
        if text == b"[DONE]" {
            self.end(out);
            return Ok(());
        }
        let object = Object::scan(data)
            .map_err(|malformed| format!("the upstream sent a malformed frame: {malformed}"))?;
        let unexplained = || ErrorBody::told("the upstream sent an error event");
        let error = error_within(&object).or_else(|| {
            (event == Some("error")).then(|| read_error(data).unwrap_or_else(unexplained))
        });
        if let Some(error) = error {
            self.fail(error, out);
            return Ok(());
        }
        self.identify(&object);
        for choice in object.value("choices").into_iter().flat_map(Raw::elements) {
            self.choice(choice, out)?;
            if self.over {
                return Ok(());
            }
        }
        self.take_usage(&object, out);
        Ok(())
    }

    /// Many servers send no `[DONE]`: a clean end of the connection behind every finish reason is
    /// as good.
    fn close(&mut self, how: Close, out: &mut Vec<Delta>) {
        match how {
            _ if self.over => {}
            Close::Clean => self.end(out),
            Close::Cut => {
                self.silence(out);
                self.over = true;
            }
        }
    }
}

#[cfg(test)]
mod tests;
