//! One choice of a stream: which of its parts are open, and whose fragment a fragment is.

use std::borrow::Cow;

use bytestring::ByteString;

use super::super::content_in::{Call, Piece, each_piece, made_id};
use super::super::reasoning::Thought;
use super::super::{citation, finish};
use crate::conversation::FinishReason;
use crate::delta::{Delta, PartKind};
use crate::json::Raw;

/// Most tool calls of one choice: far above any answer, and a bound for what is kept here.
const CALLS_MAX: usize = 1024;

/// Most bytes of arguments that are held for a call whose name has not come yet.
const HELD_BYTES_MAX: usize = 1 << 20;

/// One choice.
#[derive(Debug)]
pub(super) struct Speaker {
    choice: u32,
    /// The open part of text, refusal or reasoning, of which there is never more than one.
    open: Option<(u32, PartKind)>,
    calls: Vec<Calling>,
    finished: bool,
}

/// A tool call of which fragments may still come.
#[derive(Debug, Default)]
struct Calling {
    index: Option<u64>,
    id: Option<ByteString>,
    /// Its part, once its name is known.
    part: Option<u32>,
    /// Arguments that came before the name.
    held: String,
    closed: bool,
}

/// Where deltas go and what numbers them.
pub(super) struct Sink<'o> {
    pub(super) out: &'o mut Vec<Delta>,
    pub(super) next_part: &'o mut u32,
    /// The answer's id.
    pub(super) answer: Option<&'o str>,
}

impl Sink<'_> {
    fn open(&mut self, choice: u32, kind: PartKind) -> u32 {
        let part = *self.next_part;
        *self.next_part = part.saturating_add(1);
        self.out.push(Delta::Open { choice, part, kind });
        part
    }

    fn more(&mut self, part: u32, text: Cow<'_, str>) {
        if !text.is_empty() {
            self.out.push(Delta::More { part, text: text.into_owned().into() });
        }
    }
}

impl Speaker {
    pub(super) const fn new(choice: u32) -> Self {
        Self { choice, open: None, calls: Vec::new(), finished: false }
    }

    pub(super) const fn choice(&self) -> u32 {
        self.choice
    }

    pub(super) const fn has_finished(&self) -> bool {
        self.finished
    }

    /// Takes a delta. What comes behind the finish reason is not part of the answer.
    pub(super) fn hear(&mut self, delta: Raw<'_>, sink: &mut Sink<'_>) -> Result<(), String> {
        if self.finished {
            return Ok(());
        }
        let mut outcome = Ok(());
        each_piece(delta, &mut |piece| match piece {
            _ if outcome.is_err() => {}
            Piece::Thought(thought) => self.think(thought, sink),
            Piece::Text(text) => self.speak(PartKind::Text, text, sink),
            Piece::Refusal(text) => self.speak(PartKind::Refusal, text, sink),
            Piece::Citation(raw) => self.cite(raw, sink),
            Piece::Call(call) => outcome = self.call(call, sink),
            // A stream has no parts for pictures.
            Piece::Image(_) => {}
        });
        outcome
    }

    fn speak(&mut self, kind: PartKind, text: Cow<'_, str>, sink: &mut Sink<'_>) {
        if !text.is_empty() {
            let part = self.opened(kind, sink);
            sink.more(part, text);
        }
    }

    /// The open part if it is of this kind, else a new one in its place.
    fn opened(&mut self, kind: PartKind, sink: &mut Sink<'_>) -> u32 {
        match &self.open {
            Some((part, open)) if *open == kind => *part,
            _ => {
                self.pause(sink.out);
                let part = sink.open(self.choice, kind.clone());
                self.open = Some((part, kind));
                part
            }
        }
    }

    /// A seal is the last of its block.
    fn think(&mut self, thought: Thought<'_>, sink: &mut Sink<'_>) {
        let provenance = thought.provenance;
        let seal = thought.seal.map(|seal| ByteString::from(seal.into_owned()));
        match seal {
            Some(data) if thought.redacted => {
                self.opened(PartKind::Redacted { data, provenance }, sink);
                self.pause(sink.out);
            }
            Some(seal) => {
                let part = self.opened(PartKind::Reasoning { provenance }, sink);
                sink.more(part, thought.text);
                sink.out.push(Delta::Seal { part, seal });
                self.pause(sink.out);
            }
            None => self.speak(PartKind::Reasoning { provenance }, thought.text, sink),
        }
    }

    fn cite(&self, raw: Raw<'_>, sink: &mut Sink<'_>) {
        if let (Some((part, PartKind::Text)), Some(citation)) =
            (&self.open, citation::read(raw, None))
        {
            sink.out.push(Delta::Cite { part: *part, citation });
        }
    }

    fn call(&mut self, call: Call<'_>, sink: &mut Sink<'_>) -> Result<(), String> {
        self.pause(sink.out);
        let at = match self.calling(&call) {
            Some(at) => at,
            None if self.calls.len() >= CALLS_MAX => {
                return Err("the upstream sent more tool calls than any answer has".to_owned());
            }
            None => {
                self.calls.push(Calling { index: call.index, ..Calling::default() });
                self.calls.len() - 1
            }
        };
        let choice = self.choice;
        self.calls.get_mut(at).map_or(Ok(()), |calling| calling.hear(choice, at, call, sink))
    }

    /// Which call a fragment belongs to. Where it has an index that decides, except that some
    /// servers give every call the same index and another id.
    fn calling(&self, call: &Call<'_>) -> Option<usize> {
        let same_id = |calling: &Calling| match (&calling.id, &call.id) {
            (Some(known), Some(id)) => **known == **id,
            _ => true,
        };
        match (call.index, &call.id) {
            (Some(index), _) => {
                let last = self.calls.iter().rposition(|it| it.index == Some(index))?;
                self.calls.get(last).filter(|calling| same_id(calling)).map(|_| last)
            }
            (None, Some(id)) => {
                self.calls.iter().position(|calling| calling.id.as_deref() == Some(&**id))
            }
            // Without either, a name begins a call and anything else continues the last one.
            (None, None) if call.name.is_some() => None,
            (None, None) => self.calls.len().checked_sub(1),
        }
    }

    /// Ends the choice, where there is a reason.
    pub(super) fn finish(
        &mut self,
        reason: Option<&str>,
        stop_text: Option<ByteString>,
        sink: &mut Sink<'_>,
    ) -> Result<(), String> {
        let read = finish::read(reason, !self.calls.is_empty());
        let Some(reason) = read.filter(|_| !self.finished) else { return Ok(()) };
        if self.calls.iter().any(|calling| calling.part.is_none()) {
            return Err("the upstream sent a tool call without a name".to_owned());
        }
        self.silence(sink.out);
        self.finished = true;
        let (reason, stop_sequence) = match (reason, stop_text) {
            (FinishReason::Stop, Some(text)) => (FinishReason::StopSequence, Some(text)),
            (reason, _) => (reason, None),
        };
        sink.out.push(Delta::Finish { choice: self.choice, reason, stop_sequence });
        Ok(())
    }

    /// Closes the open part of text, if there is one.
    fn pause(&mut self, out: &mut Vec<Delta>) {
        if let Some((part, _)) = self.open.take() {
            out.push(Delta::Close { part });
        }
    }

    /// Closes everything that is open.
    pub(super) fn silence(&mut self, out: &mut Vec<Delta>) {
        self.pause(out);
        for calling in self.calls.iter_mut().filter(|calling| !calling.closed) {
            calling.closed = true;
            out.extend(calling.part.map(|part| Delta::Close { part }));
        }
    }
}

impl Calling {
    /// Takes a fragment of the call that is number `at` of its choice.
    fn hear(
        &mut self,
        choice: u32,
        at: usize,
        call: Call<'_>,
        sink: &mut Sink<'_>,
    ) -> Result<(), String> {
        self.id = self.id.take().or_else(|| call.id.map(|id| id.into_owned().into()));
        match (self.part, call.name) {
            (Some(part), _) => sink.more(part, call.arguments),
            (None, None) => {
                self.held.push_str(&call.arguments);
                if self.held.len() > HELD_BYTES_MAX {
                    return Err("the upstream sent a tool call without a name".to_owned());
                }
            }
            (None, Some(name)) => {
                let id = self.id.get_or_insert_with(|| made_id(sink.answer, at).into()).clone();
                let name = ByteString::from(name.into_owned());
                let custom = call.custom;
                let part = sink.open(choice, PartKind::ToolCall { id, name, custom });
                self.part = Some(part);
                sink.more(part, Cow::Owned(std::mem::take(&mut self.held)));
                sink.more(part, call.arguments);
            }
        }
        if let (Some(part), Some(seal)) = (self.part, call.seal) {
            sink.out.push(Delta::Seal { part, seal: seal.into_owned().into() });
        }
        Ok(())
    }
}
