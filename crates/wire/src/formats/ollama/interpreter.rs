//! Understanding a streamed answer: one JSON object after the other, each with a piece of the
//! answer. The one that says `done` completes it.

use bytestring::ByteString;

use super::error::unanswered;
use super::finish;
use super::said::Said;
use crate::conversation::Provenance;
use crate::delta::{Close, Delta, Interpreter, PartKind};
use crate::formats::call_ids::CallIds;
use crate::formats::openai_chat::ErrorBody;
use crate::json::Object;

/// Follows one streamed answer.
#[derive(Debug, Default)]
pub struct OllamaInterpreter {
    begun: bool,
    over: bool,
    calls: bool,
    parts: u32,
    ids: CallIds,
    open: Option<Open>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    Text(u32),
    Thought(u32),
}

impl OllamaInterpreter {
    /// At the start of an answer.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// At the start of the answer to a call of this id. Two answers may have begun at the same
    /// instant, and their calls still get different ids.
    #[must_use]
    pub fn of_call(call: &str) -> Self {
        Self { ids: CallIds::of_call(call), ..Self::default() }
    }

    fn begin(&mut self, said: &Said, out: &mut Vec<Delta>) {
        if !self.begun {
            self.begun = true;
            self.ids.learn(said.created_at.as_ref());
            let (model, created) = (said.model.clone(), said.created());
            out.push(Delta::Begin { id: None, model, created });
        }
    }

    fn thought(&mut self, text: ByteString, out: &mut Vec<Delta>) {
        let part = match self.open {
            Some(Open::Thought(part)) => part,
            Some(Open::Text(_)) | None => {
                let provenance = Provenance::Plain;
                let part = self.open(PartKind::Reasoning { provenance }, out);
                self.open = Some(Open::Thought(part));
                part
            }
        };
        out.push(Delta::More { part, text });
    }

    fn text(&mut self, text: ByteString, out: &mut Vec<Delta>) {
        let part = match self.open {
            Some(Open::Text(part)) => part,
            Some(Open::Thought(_)) | None => {
                let part = self.open(PartKind::Text, out);
                self.open = Some(Open::Text(part));
                part
            }
        };
        out.push(Delta::More { part, text });
    }

    /// Closes what is open and opens another part.
    fn open(&mut self, kind: PartKind, out: &mut Vec<Delta>) -> u32 {
        self.close_open(out);
        let part = self.parts;
        self.parts += 1;
        out.push(Delta::Open { choice: 0, part, kind });
        part
    }

    fn close_open(&mut self, out: &mut Vec<Delta>) {
        if let Some(Open::Text(part) | Open::Thought(part)) = self.open.take() {
            out.push(Delta::Close { part });
        }
    }

    fn fail(&mut self, error: ErrorBody, out: &mut Vec<Delta>) {
        self.close_open(out);
        self.over = true;
        out.push(Delta::Failed(error));
    }

    fn finish(&mut self, reason: &str, out: &mut Vec<Delta>) {
        let Some(finished) = finish::read(reason, self.calls) else {
            return self.fail(unanswered(reason), out);
        };
        self.close_open(out);
        self.over = true;
        out.push(Delta::Finish { choice: 0, reason: finished, stop_sequence: None });
        out.push(Delta::End);
    }
}

impl Interpreter for OllamaInterpreter {
    fn record(
        &mut self,
        _event: Option<&str>,
        data: &[u8],
        out: &mut Vec<Delta>,
    ) -> Result<(), String> {
        if self.over || data.trim_ascii().is_empty() {
            return Ok(());
        }
        let object = Object::scan(data).map_err(|malformed| malformed.to_string())?;
        let said = Said::read(&object);
        if let Some(error) = said.error {
            self.fail(error, out);
            return Ok(());
        }
        self.begin(&said, out);
        if let Some(text) = said.thinking {
            self.thought(text, out);
        }
        if let Some(text) = said.text {
            self.text(text, out);
        }
        for mut call in said.calls {
            self.calls = true;
            let id = call.id(&mut self.ids);
            let part = self.open(PartKind::ToolCall { id, name: call.name, custom: false }, out);
            out.push(Delta::More { part, text: call.arguments });
            out.push(Delta::Close { part });
        }
        out.extend(said.usage.map(Delta::Usage));
        if let Some(reason) = &said.done {
            self.finish(reason, out);
        }
        Ok(())
    }

    fn close(&mut self, _how: Close, out: &mut Vec<Delta>) {
        self.close_open(out);
    }
}
