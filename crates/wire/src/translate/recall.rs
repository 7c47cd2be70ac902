//! What a model thought before it called tools, for providers that want it back from clients that
//! do not keep it: noted from an answer, and put back into a later request.
//!
//! A turn is known again by its calls and its text, which clients keep. The ids of calls alone
//! would not do: those of some providers only count (`functions.look:0`), so that they come again
//! in other conversations. Where the thoughts are kept in between is not decided here.

use std::sync::Arc;

use bytestring::ByteString;
use sha2::{Digest as _, Sha256};

use crate::conversation::{
    Answer, Arguments, Conversation, Message, Part, PartBody, Provenance, ReasoningBlock,
};
use crate::delta::{Delta, PartKind};
use crate::formats::openai_chat::{lacks_reasoning, wants_past};
use crate::provider::Quirks;

/// Most bytes of one answer that are noted; of a longer one nothing is.
pub const THOUGHT_BYTES_MAX: usize = 32 * 1024 * 1024;

/// What a turn is known by: a hash over its calls, by id and arguments, and its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TurnMark([u8; 32]);

/// What a model thought in a turn in which it called tools.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thought {
    /// The turn.
    pub turn: TurnMark,
    /// The reasoning, in order; not empty.
    pub reasoning: Arc<[ReasoningBlock]>,
}

/// A marked turn in the making.
#[derive(Debug, Default)]
struct Marking<'a> {
    /// Ids and arguments.
    calls: Vec<(&'a str, &'a str)>,
    text: String,
}

impl TurnMark {
    /// The mark of a turn; `None` where it calls no tool.
    fn of(parts: &[Part]) -> Option<Self> {
        let mut marking = Marking::default();
        for part in parts {
            match &part.body {
                PartBody::ToolCall(call) => {
                    let (Arguments::Json(text) | Arguments::Text(text)) = &call.arguments;
                    marking.calls.push((&call.id, text));
                }
                PartBody::Text { text, .. } => marking.text.push_str(text),
                _ => {}
            }
        }
        marking.mark()
    }
}

impl Marking<'_> {
    /// Clients trim texts and write arguments anew, so that blanks around the one and the spelling
    /// of the others do not count.
    fn mark(&self) -> Option<TurnMark> {
        if self.calls.is_empty() {
            return None;
        }
        let mut hash = Sha256::new();
        let mut add = |text: &str| {
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text);
        };
        for (id, arguments) in &self.calls {
            add(id);
            add(&respelled(arguments));
        }
        add(self.text.trim());
        Some(TurnMark(hash.finalize().into()))
    }
}

/// Arguments in one spelling, whoever wrote them; those that are no JSON as they are.
fn respelled(arguments: &str) -> String {
    let empty = arguments.trim().is_empty();
    let value: Option<serde_json::Value> = serde_json::from_str(arguments).ok();
    match value {
        Some(value) => value.to_string(),
        None if empty => "{}".to_owned(),
        None => arguments.to_owned(),
    }
}

impl Thought {
    /// The thoughts in a whole answer, where it calls tools and says what it thought.
    #[must_use]
    pub fn of(answer: &Answer) -> Option<Self> {
        let parts = &answer.choices.first()?.parts;
        let turn = TurnMark::of(parts)?;
        let reasoning = parts.iter().filter_map(|part| match &part.body {
            PartBody::Reasoning(block) => Some(block.clone()),
            _ => None,
        });
        let reasoning: Arc<[ReasoningBlock]> = reasoning.collect();
        let thought = Self { turn, reasoning };
        (1..=THOUGHT_BYTES_MAX).contains(&thought.bytes()).then_some(thought)
    }

    /// Its size in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let seal = |block: &ReasoningBlock| block.seal.as_ref().map_or(0, |seal| seal.len());
        self.reasoning.iter().map(|block| block.text.len() + seal(block)).sum()
    }
}

/// Whether a provider refuses this conversation for the turns whose reasoning is not there.
#[must_use]
pub fn lacks_past(conversation: &Conversation, quirks: &Quirks) -> bool {
    let wants = quirks.thinking.as_ref().is_some_and(|switch| wants_past(conversation, switch));
    wants && conversation.messages.iter().any(lacks_reasoning)
}

/// The conversation with the reasoning of every turn that lacks it and is remembered; `None` where
/// none is.
#[must_use]
pub fn recalled(
    conversation: &Conversation,
    recall: &mut dyn FnMut(&TurnMark) -> Option<Arc<[ReasoningBlock]>>,
) -> Option<Conversation> {
    let lacking = conversation.messages.iter().enumerate();
    let lacking = lacking.filter(|(_, message)| lacks_reasoning(message));
    let found: Vec<(usize, Arc<[ReasoningBlock]>)> = lacking
        .filter_map(|(index, message)| Some((index, recall(&TurnMark::of(&message.parts)?)?)))
        .collect();
    if found.is_empty() {
        return None;
    }
    let mut conversation = conversation.clone();
    for (index, reasoning) in found {
        if let Some(message) = conversation.messages.get_mut(index) {
            put_back(message, &reasoning);
        }
    }
    Some(conversation)
}

fn put_back(message: &mut Message, reasoning: &[ReasoningBlock]) {
    let parts = reasoning.iter().cloned().map(PartBody::Reasoning).map(Part::new);
    message.parts.splice(0..0, parts);
}

/// A call of a tool in a stream.
#[derive(Debug)]
struct Call {
    part: u32,
    id: ByteString,
    arguments: String,
}

/// Notes what is thought in a stream.
#[derive(Debug, Default)]
pub(super) struct Notes {
    thoughts: Vec<(u32, ReasoningBlock)>,
    texts: Vec<u32>,
    calls: Vec<Call>,
    text: String,
    reasoning: Vec<(u32, String)>,
    bytes: usize,
}

impl Notes {
    /// Takes a delta of the first choice into the notes.
    pub(super) fn take(&mut self, delta: &Delta) {
        if self.is_full() {
            return;
        }
        match delta {
            Delta::Open { choice: 0, part, kind } => self.open(*part, kind),
            Delta::More { part, text } => self.more(*part, text),
            Delta::Seal { part, seal } => {
                let block = self.thoughts.iter_mut().find(|(at, _)| at == part);
                if let Some((_, block)) = block {
                    self.bytes += seal.len();
                    block.seal = Some(seal.clone());
                }
            }
            Delta::Open { .. }
            | Delta::Begin { .. }
            | Delta::Cite { .. }
            | Delta::Close { .. }
            | Delta::Finish { .. }
            | Delta::Usage(_)
            | Delta::Failed(_)
            | Delta::End => {}
        }
        if self.is_full() {
            *self = Self { bytes: self.bytes, ..Self::default() };
        }
    }

    const fn is_full(&self) -> bool {
        self.bytes > THOUGHT_BYTES_MAX
    }

    fn open(&mut self, part: u32, kind: &PartKind) {
        let block = |seal: Option<&ByteString>, provenance: Provenance| ReasoningBlock {
            text: ByteString::new(),
            seal: seal.cloned(),
            redacted: seal.is_some(),
            provenance,
        };
        match kind {
            PartKind::Text => self.texts.push(part),
            PartKind::ToolCall { id, .. } => {
                self.bytes += id.len();
                self.calls.push(Call { part, id: id.clone(), arguments: String::new() });
            }
            PartKind::Reasoning { provenance } => {
                self.thoughts.push((part, block(None, *provenance)));
                self.reasoning.push((part, String::new()));
            }
            PartKind::Redacted { data, provenance } => {
                self.bytes += data.len();
                self.thoughts.push((part, block(Some(data), *provenance)));
            }
            PartKind::Refusal => {}
        }
    }

    fn more(&mut self, part: u32, text: &str) {
        if let Some((_, thought)) = self.reasoning.iter_mut().find(|(at, _)| *at == part) {
            self.bytes += text.len();
            thought.push_str(text);
        } else if let Some(call) = self.calls.iter_mut().find(|call| call.part == part) {
            self.bytes += text.len();
            call.arguments.push_str(text);
        } else if self.texts.contains(&part) {
            self.bytes += text.len();
            self.text.push_str(text);
        }
    }

    /// What was thought, where tools were called and the answer was noted whole.
    pub(super) fn finish(self) -> Option<Thought> {
        if self.is_full() {
            return None;
        }
        let calls = self.calls.iter().map(|call| (&*call.id, &*call.arguments)).collect();
        let turn = Marking { calls, text: self.text }.mark()?;
        let mut texts = self.reasoning;
        let reasoning = self.thoughts.into_iter().map(|(part, block)| {
            let text = texts.iter_mut().find(|(at, _)| *at == part);
            let text = text.map(|(_, text)| std::mem::take(text)).unwrap_or_default();
            ReasoningBlock { text: text.into(), ..block }
        });
        let thought = Thought { turn, reasoning: reasoning.collect() };
        (thought.bytes() > 0).then_some(thought)
    }
}

#[cfg(test)]
mod tests;
