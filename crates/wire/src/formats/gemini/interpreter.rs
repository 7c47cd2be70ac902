//! Understanding a streamed answer.
//!
//! Every chunk has the shape of a whole answer and holds more of it. The format has no end marker:
//! an answer is complete when every candidate that began has said why it ended and the connection
//! then ends as it should.

use bytes::Bytes;
use bytestring::ByteString;
use tollgate_domain::Usage;

use super::error::{error_from, told};
use super::fields::Body;
use super::finish::{self, Held};
use super::said::{Candidate, Response, Said, citations};
use super::usage::Reported;
use crate::conversation::{FinishReason, Provenance};
use crate::delta::{Close, Delta, Interpreter, PartKind};
use crate::formats::call_ids::CallIds;
use crate::formats::openai_chat::{CHOICES_MAX, ErrorBody};
use crate::json::Object;

/// Follows one streamed answer.
#[derive(Debug, Default)]
pub struct GeminiInterpreter {
    begun: bool,
    failed: bool,
    next_part: u32,
    ids: CallIds,
    lanes: Vec<Lane>,
    reported: Reported,
    told_usage: Option<Usage>,
}

/// One candidate.
#[derive(Debug, Default)]
struct Lane {
    choice: u32,
    open: Option<Open>,
    /// The seal of the open text part, which is told behind it.
    seal: Option<ByteString>,
    held: Held,
    finished: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    Text(u32),
    Thought(u32),
}

impl GeminiInterpreter {
    /// At the start of an answer.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn begin(&mut self, response: &Response<'_>, out: &mut Vec<Delta>) {
        self.ids.learn(response.id.as_ref());
        if !self.begun {
            self.begun = true;
            let (id, model) = (response.id.clone(), response.model.clone());
            out.push(Delta::Begin { id, model, created: None });
        }
    }

    /// Tells the usage, which every chunk may repeat, where it is another.
    fn consume(&mut self, response: &Response<'_>, out: &mut Vec<Delta>) {
        self.reported.searched(response.queries());
        let Some(usage) = response.usage else { return };
        self.reported.take(usage);
        let usage = self.reported.usage();
        if usage.is_some() && usage != self.told_usage {
            out.extend(usage.clone().map(Delta::Usage));
            self.told_usage = usage;
        }
    }

    fn candidate(&mut self, candidate: Candidate<'_>, out: &mut Vec<Delta>) -> Result<(), String> {
        let choice = u32::try_from(candidate.index).ok().filter(|i| u64::from(*i) < CHOICES_MAX);
        let choice = choice.ok_or_else(|| format!("candidate {} is too many", candidate.index))?;
        let at = self.lane(choice);
        let Self { lanes, next_part, ids, .. } = self;
        let Some(lane) = lanes.get_mut(at).filter(|lane| !lane.finished) else { return Ok(()) };
        let failure = candidate.finish.is_some().then(|| {
            let (message, code) = candidate.failure();
            told(message, code)
        });
        let mut telling = Telling { lane, next_part, out };
        for said in candidate.said {
            match said {
                Said::Text { text, thought: false, seal } => telling.text(text, seal),
                Said::Text { text, thought: true, seal } => telling.thought(text, seal),
                Said::Call { id, name, arguments, seal } => {
                    let id = ids.next(id, &name, &arguments);
                    telling.call(id, name, arguments, seal);
                }
                // A stream has no word for media.
                Said::Media { .. } => telling.lane.held.something = true,
            }
        }
        if let (Some(grounding), Some(Open::Text(part))) = (candidate.grounding, telling.lane.open)
        {
            let cited = citations(grounding).into_iter();
            telling.out.extend(cited.map(|citation| Delta::Cite { part, citation }));
        }
        let Some(reason) = candidate.finish else { return Ok(()) };
        telling.close();
        lane.finished = true;
        let held = lane.held;
        match (finish::read(&reason, held), failure) {
            (Some(reason), _) => out.push(finished(choice, reason)),
            (None, Some(error)) => self.fail(error, out),
            (None, None) => {}
        }
        Ok(())
    }

    fn lane(&mut self, choice: u32) -> usize {
        if let Some(at) = self.lanes.iter().position(|lane| lane.choice == choice) {
            return at;
        }
        self.lanes.push(Lane { choice, ..Lane::default() });
        self.lanes.len() - 1
    }

    /// The prompt was blocked: an answer without words.
    fn block(&mut self, out: &mut Vec<Delta>) {
        if self.lanes.is_empty() {
            self.lanes.push(Lane { finished: true, ..Lane::default() });
            out.push(finished(0, FinishReason::Refused));
        }
    }

    fn fail(&mut self, error: ErrorBody, out: &mut Vec<Delta>) {
        self.close_all(out);
        self.failed = true;
        out.push(Delta::Failed(error));
    }

    fn close_all(&mut self, out: &mut Vec<Delta>) {
        let Self { lanes, next_part, .. } = self;
        for lane in lanes {
            Telling { lane, next_part, out }.close();
        }
    }
}

impl Interpreter for GeminiInterpreter {
    fn record(
        &mut self,
        _event: Option<&str>,
        data: &[u8],
        out: &mut Vec<Delta>,
    ) -> Result<(), String> {
        if self.failed || data.trim_ascii().is_empty() {
            return Ok(());
        }
        let owned = Bytes::copy_from_slice(data);
        let object = Object::scan(&owned).map_err(|malformed| malformed.to_string())?;
        let response = Response::read(&object, &Body::new(&owned));
        if let Some(error) = response.error {
            self.fail(error_from(error), out);
            return Ok(());
        }
        self.begin(&response, out);
        self.consume(&response, out);
        let blocked = response.blocked.is_some();
        for candidate in response.candidates {
            self.candidate(candidate, out)?;
            if self.failed {
                return Ok(());
            }
        }
        if blocked {
            self.block(out);
        }
        Ok(())
    }

    fn close(&mut self, how: Close, out: &mut Vec<Delta>) {
        if self.failed {
            return;
        }
        self.close_all(out);
        let complete = !self.lanes.is_empty() && self.lanes.iter().all(|lane| lane.finished);
        if how == Close::Clean && complete {
            out.push(Delta::End);
        }
    }
}

fn finished(choice: u32, reason: FinishReason) -> Delta {
    Delta::Finish { choice, reason, stop_sequence: None }
}

/// Tells what one candidate says.
struct Telling<'a> {
    lane: &'a mut Lane,
    next_part: &'a mut u32,
    out: &'a mut Vec<Delta>,
}

impl Telling<'_> {
    fn text(&mut self, text: ByteString, seal: Option<ByteString>) {
        if !text.is_empty() {
            // What follows a sealed text is another part.
            let part = match self.lane.open {
                Some(Open::Text(part)) if self.lane.seal.is_none() => part,
                _ => {
                    let part = self.open(PartKind::Text);
                    self.lane.open = Some(Open::Text(part));
                    part
                }
            };
            self.out.push(Delta::More { part, text });
        }
        let Some(seal) = seal else { return };
        match self.lane.open {
            Some(Open::Text(_)) if self.lane.seal.is_none() => self.lane.seal = Some(seal),
            _ => {
                self.close();
                self.redacted(seal);
            }
        }
    }

    fn thought(&mut self, text: ByteString, seal: Option<ByteString>) {
        let open = match self.lane.open {
            Some(Open::Thought(part)) => Some(part),
            _ if text.is_empty() => None,
            _ => {
                let part = self.open(PartKind::Reasoning { provenance: Provenance::Gemini });
                self.lane.open = Some(Open::Thought(part));
                Some(part)
            }
        };
        if let (Some(part), false) = (open, text.is_empty()) {
            self.out.push(Delta::More { part, text });
        }
        match (open, seal) {
            (Some(part), Some(seal)) => {
                self.out.push(Delta::Seal { part, seal });
                self.close();
            }
            (None, Some(seal)) => {
                self.close();
                self.redacted(seal);
            }
            (_, None) => {}
        }
    }

    fn call(
        &mut self,
        id: ByteString,
        name: ByteString,
        arguments: ByteString,
        seal: Option<ByteString>,
    ) {
        self.lane.held.call = true;
        let part = self.open(PartKind::ToolCall { id, name, custom: false });
        self.out.push(Delta::More { part, text: arguments });
        self.out.extend(seal.map(|seal| Delta::Seal { part, seal }));
        self.out.push(Delta::Close { part });
    }

    fn redacted(&mut self, data: ByteString) {
        let provenance = Provenance::Gemini;
        let part = self.open(PartKind::Redacted { data, provenance });
        self.out.push(Delta::Close { part });
    }

    /// Closes what is open and opens another part.
    fn open(&mut self, kind: PartKind) -> u32 {
        self.close();
        let part = *self.next_part;
        *self.next_part += 1;
        self.lane.held.something = true;
        self.out.push(Delta::Open { choice: self.lane.choice, part, kind });
        part
    }

    fn close(&mut self) {
        if let Some(Open::Text(part) | Open::Thought(part)) = self.lane.open.take() {
            self.out.push(Delta::Close { part });
        }
        if let Some(seal) = self.lane.seal.take() {
            self.redacted(seal);
        }
    }
}

#[cfg(test)]
mod tests;
