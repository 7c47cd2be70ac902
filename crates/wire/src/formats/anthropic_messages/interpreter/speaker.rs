//! The parts of a streamed answer that comes in numbered blocks: opened, continued and closed in
//! the client's words.

use bytestring::ByteString;

use crate::conversation::{FinishReason, Provenance};
use crate::delta::{Delta, PartKind};
use crate::formats::anthropic_messages::Wording;
use crate::formats::anthropic_messages::answer_in::custom_text;

/// Says what an answer's blocks say. Holds the blocks that are open, and of their text only what
/// has to be whole to be passed on: seals, free text of custom tools, and prose beside a JSON
/// answer.
#[derive(Debug, Default)]
pub(in crate::formats) struct Speaker {
    wording: Wording,
    parts: u32,
    open: Vec<OpenBlock>,
    /// Text that is withheld while a JSON answer may still come.
    prose: String,
    json_seen: bool,
}

/// A content block that has begun.
#[derive(Debug)]
struct OpenBlock {
    index: u64,
    part: u32,
    role: BlockRole,
    /// Text that goes out whole when the block ends.
    held: String,
}

/// What a block's text becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BlockRole {
    /// Text of a text part.
    Text,
    /// Text of a reasoning part; its seal is held.
    Thinking,
    /// Arguments as they come. What a server put into the block's beginning instead is held.
    Call,
    /// Arguments that hold free text; held.
    CustomCall,
    /// Text of the JSON answer.
    Json,
    /// Withheld prose: belongs to no part.
    Prose,
    /// Complete in its beginning.
    Whole,
}

/// What more there is of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::formats) enum Piece {
    /// Of its text.
    Text,
    /// Of its reasoning.
    Thinking,
    /// Of the seal on its reasoning.
    Seal,
    /// Of the arguments it calls a tool with.
    Arguments,
}

impl Piece {
    const fn fits(self, role: BlockRole) -> bool {
        match self {
            Self::Text => matches!(role, BlockRole::Text | BlockRole::Prose),
            Self::Thinking | Self::Seal => matches!(role, BlockRole::Thinking),
            Self::Arguments => {
                matches!(role, BlockRole::Call | BlockRole::CustomCall | BlockRole::Json)
            }
        }
    }
}

impl Speaker {
    /// One that gives tool calls in the client's words.
    pub(in crate::formats) fn with(wording: Wording) -> Self {
        Self { wording, ..Self::default() }
    }

    /// Whether a part has been opened.
    pub(in crate::formats) const fn has_spoken(&self) -> bool {
        self.parts > 0 || !self.prose.is_empty()
    }

    /// Whether a block is open and takes such a piece.
    pub(in crate::formats) fn takes(&self, index: u64, piece: Piece) -> bool {
        self.open.iter().any(|open| open.index == index && piece.fits(open.role))
    }

    /// A block of text begins.
    pub(in crate::formats) fn open_text(&mut self, index: u64, out: &mut Vec<Delta>) {
        if self.wording.has_json_tool() {
            self.open(index, None, BlockRole::Prose, out);
        } else {
            self.open(index, Some(PartKind::Text), BlockRole::Text, out);
        }
    }

    /// A block of readable reasoning begins.
    pub(in crate::formats) fn open_thinking(
        &mut self,
        index: u64,
        provenance: Provenance,
        out: &mut Vec<Delta>,
    ) {
        self.open(index, Some(PartKind::Reasoning { provenance }), BlockRole::Thinking, out);
    }

    /// A block of sealed reasoning, whole.
    pub(in crate::formats) fn open_redacted(
        &mut self,
        index: u64,
        data: ByteString,
        provenance: Provenance,
        out: &mut Vec<Delta>,
    ) {
        self.open(index, Some(PartKind::Redacted { data, provenance }), BlockRole::Whole, out);
    }

    /// A call of a tool begins; `theirs` is its name as the provider has it, and `input` what the
    /// block's beginning holds of its arguments.
    pub(in crate::formats) fn open_call(
        &mut self,
        index: u64,
        (id, theirs): (ByteString, &str),
        input: &str,
        out: &mut Vec<Delta>,
    ) {
        let (kind, role) = if self.wording.is_json_tool(theirs) {
            self.json_seen = true;
            self.prose.clear();
            (PartKind::Text, BlockRole::Json)
        } else {
            let name = self.wording.name(theirs);
            let custom = self.wording.is_custom(&name);
            let role = if custom { BlockRole::CustomCall } else { BlockRole::Call };
            (PartKind::ToolCall { id, name, custom }, role)
        };
        self.open(index, Some(kind), role, out);
        if let Some(open) = self.open.last_mut() {
            open.held.push_str(input);
        }
    }

    /// Opens a block, which ends another of its number.
    fn open(&mut self, index: u64, kind: Option<PartKind>, role: BlockRole, out: &mut Vec<Delta>) {
        self.close(index, out);
        let open = OpenBlock { index, part: self.parts, role, held: String::new() };
        if let Some(kind) = kind {
            self.parts += 1;
            out.push(Delta::Open { choice: 0, part: open.part, kind });
        }
        self.open.push(open);
    }

    /// More of an open block; what does not fit to it is passed over.
    pub(in crate::formats) fn more(
        &mut self,
        index: u64,
        piece: Piece,
        text: ByteString,
        out: &mut Vec<Delta>,
    ) {
        let block = self.open.iter_mut().find(|open| open.index == index);
        let Some(open) = block.filter(|open| piece.fits(open.role) && !text.is_empty()) else {
            return;
        };
        match open.role {
            _ if piece == Piece::Seal => open.held.push_str(&text),
            BlockRole::Prose if self.json_seen => {}
            BlockRole::Prose => self.prose.push_str(&text),
            BlockRole::CustomCall => open.held.push_str(&text),
            BlockRole::Text | BlockRole::Thinking => {
                out.push(Delta::More { part: open.part, text });
            }
            BlockRole::Call | BlockRole::Json => {
                // The fragments are the arguments; what stood in the beginning repeats them.
                open.held.clear();
                out.push(Delta::More { part: open.part, text });
            }
            BlockRole::Whole => {}
        }
    }

    /// The part of an open block of text.
    pub(in crate::formats) fn text_part(&self, index: u64) -> Option<u32> {
        let open = self.open.iter().find(|open| open.index == index)?;
        (open.role == BlockRole::Text).then_some(open.part)
    }

    /// A block ends, if it is open.
    pub(in crate::formats) fn close(&mut self, index: u64, out: &mut Vec<Delta>) {
        if let Some(at) = self.open.iter().position(|open| open.index == index) {
            self.close_at(at, out);
        }
    }

    /// Closes one open block; what it held goes out before.
    fn close_at(&mut self, at: usize, out: &mut Vec<Delta>) {
        let OpenBlock { part, role, held, .. } = self.open.remove(at);
        if role == BlockRole::Prose {
            return;
        }
        if !held.is_empty() {
            out.push(match role {
                BlockRole::Thinking => Delta::Seal { part, seal: held.into() },
                BlockRole::CustomCall => {
                    let text = custom_text(&held).unwrap_or_else(|| held.into());
                    Delta::More { part, text }
                }
                _ => Delta::More { part, text: held.into() },
            });
            if matches!(out.last(), Some(Delta::More { text, .. }) if text.is_empty()) {
                out.pop();
            }
        }
        out.push(Delta::Close { part });
    }

    /// Every open block ends.
    pub(in crate::formats) fn close_all(&mut self, out: &mut Vec<Delta>) {
        self.open.sort_by_key(|open| open.part);
        while !self.open.is_empty() {
            self.close_at(0, out);
        }
    }

    /// The answer ends for this reason, with these words of a refusal and this stop text.
    pub(in crate::formats) fn finish(
        &mut self,
        reason: FinishReason,
        refusal: Option<String>,
        stop_sequence: Option<ByteString>,
        out: &mut Vec<Delta>,
    ) {
        self.close_all(out);
        let prose = std::mem::take(&mut self.prose);
        if !prose.is_empty() {
            self.say(PartKind::Text, prose.into(), out);
        }
        if let Some(text) = refusal {
            self.say(PartKind::Refusal, text.into(), out);
        }
        let reason = match reason {
            FinishReason::ToolCalls if self.json_seen => FinishReason::Stop,
            other => other,
        };
        out.push(Delta::Finish { choice: 0, reason, stop_sequence });
    }

    /// A part that comes and goes at once.
    fn say(&mut self, kind: PartKind, text: ByteString, out: &mut Vec<Delta>) {
        let part = self.parts;
        self.parts += 1;
        out.push(Delta::Open { choice: 0, part, kind });
        out.push(Delta::More { part, text });
        out.push(Delta::Close { part });
    }
}
