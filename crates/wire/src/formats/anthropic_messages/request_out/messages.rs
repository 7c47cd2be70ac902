//! Arranging messages as the Messages API wants them: system first, then turns of the user and the
//! model in alternation, tool results where their calls look for them.

use std::borrow::Cow;
use std::collections::HashSet;

use super::report::Report;
use crate::conversation::{
    Conversation, Message, Part, PartBody, Provenance, Role, Source, ToolResult,
};
use crate::formats::translation::Unsupported;

/// Picture types that the API takes.
const IMAGE_TYPES: [&str; 4] = ["image/jpeg", "image/png", "image/gif", "image/webp"];

/// What stands in for the result of a call that never got one, in lenient mode.
pub(in crate::formats) const MISSING_RESULT: &str = "The tool gave no result.";

/// What is said for the user where the API wants a user's turn and there is none, in lenient mode.
const PLACEHOLDER: &str = "Continue.";

/// The messages of a request, arranged.
#[derive(Debug, Default)]
pub(in crate::formats) struct Arranged<'a> {
    /// The system prompt's texts.
    pub(in crate::formats) system: Vec<&'a Part>,
    /// The turns; no two neighbours have the same role.
    pub(in crate::formats) turns: Vec<Turn<'a>>,
}

/// A turn: who speaks, and what.
#[derive(Debug)]
pub(in crate::formats) struct Turn<'a> {
    pub(in crate::formats) role: Role,
    pub(in crate::formats) blocks: Vec<Block<'a>>,
}

/// A block of a turn.
#[derive(Debug, Clone)]
pub(in crate::formats) enum Block<'a> {
    /// A part as it is.
    Part(&'a Part),
    /// A text that is not a part's own.
    Text(Cow<'a, str>),
    /// The result that a call never got.
    MissingResult(&'a str),
}

impl<'a> Block<'a> {
    const fn result(&self) -> Option<&'a ToolResult> {
        match self {
            Self::Part(Part { body: PartBody::ToolResult(result), .. }) => Some(result),
            Self::Part(_) | Self::Text(_) | Self::MissingResult(_) => None,
        }
    }

    fn call(&self) -> Option<&'a str> {
        match self {
            Self::Part(Part { body: PartBody::ToolCall(call), .. }) => Some(&call.id),
            Self::Part(_) | Self::Text(_) | Self::MissingResult(_) => None,
        }
    }
}

/// What differs between the formats whose messages are arranged in this way.
#[derive(Clone, Copy)]
pub(in crate::formats) struct Rules {
    /// Why a part is not taken from a speaker, where it is not.
    pub(in crate::formats) refusal_of: fn(&Part, Role) -> Option<&'static str>,
    /// Whether a text says anything.
    pub(in crate::formats) says: fn(&str) -> bool,
    /// Whether system messages may stand between others.
    pub(in crate::formats) system_between: bool,
    /// Whether signed reasoning goes back to the model.
    pub(in crate::formats) reasoning: bool,
}

impl Rules {
    /// The Messages API's.
    pub(super) fn of(report: &Report<'_>) -> Self {
        let system_between = report.capability().system_anywhere;
        Self { refusal_of, says: |text| !text.is_empty(), system_between, reasoning: true }
    }
}

/// Arranges the messages of a conversation.
pub(in crate::formats) fn arrange<'a>(
    c: &'a Conversation,
    rules: Rules,
    report: &mut Report<'_>,
) -> Result<Arranged<'a>, Unsupported> {
    let is_system = |m: &Message| matches!(m.role, Role::System | Role::Developer);
    let leading = c.messages.iter().take_while(|m| is_system(m)).count();
    let mut arranged = Arranged::default();
    for (index, message) in c.messages.iter().enumerate() {
        let blocks = blocks(message, index, rules, report)?;
        if index < leading {
            arranged.system.extend(blocks.iter().filter_map(|block| match block {
                Block::Part(part) => Some(*part),
                Block::Text(_) | Block::MissingResult(_) => None,
            }));
        } else if is_system(message) {
            let after = c.messages.iter().skip(index + 1).find(|m| !is_system(m));
            let speaks = after.is_none_or(|next| next.role == Role::Assistant);
            arranged.add_system(blocks, rules.system_between && speaks);
        } else {
            arranged.add(message.role, blocks);
        }
    }
    arranged.order_results();
    if report.repairs() && arranged.repair() {
        report.adjust("messages");
    }
    arranged.settle_prefill(report)?;
    if arranged.turns.is_empty() {
        return Err(report.refusal("messages", "it takes at least one message that says something"));
    }
    Ok(arranged)
}

impl<'a> Arranged<'a> {
    /// Adds blocks to the last turn or, if that is another's, to a new one.
    fn add(&mut self, role: Role, blocks: Vec<Block<'a>>) {
        match self.turns.last_mut() {
            _ if blocks.is_empty() => {}
            Some(last) if last.role == role => last.blocks.extend(blocks),
            _ => self.turns.push(Turn { role, blocks }),
        }
    }

    /// A system message between others stands where it is, if the model takes it there: behind the
    /// user, before the model. Elsewhere it becomes a reminder in the user's turn; moving it to the
    /// front would change the prompt's beginning, to which caches and signatures are bound.
    fn add_system(&mut self, blocks: Vec<Block<'a>>, takes_system: bool) {
        let behind_user =
            self.turns.last().is_some_and(|t| matches!(t.role, Role::User | Role::System));
        if takes_system && behind_user {
            return self.add(Role::System, blocks);
        }
        let reminders = blocks.iter().filter_map(|block| match block {
            Block::Part(Part { body: PartBody::Text { text, .. }, .. }) => {
                let reminder = format!("<system-reminder>\n{text}\n</system-reminder>");
                Some(Block::Text(reminder.into()))
            }
            Block::Part(_) | Block::Text(_) | Block::MissingResult(_) => None,
        });
        self.add(Role::User, reminders.collect());
    }

    /// Puts tool results first, in the order of the calls they answer.
    fn order_results(&mut self) {
        let mut calls: Vec<&str> = Vec::new();
        for turn in &mut self.turns {
            match turn.role {
                Role::Assistant => calls = turn.blocks.iter().filter_map(Block::call).collect(),
                Role::User => turn.blocks.sort_by_key(|block| match block.result() {
                    Some(r) => calls.iter().position(|id| *id == &*r.call).unwrap_or(calls.len()),
                    None => usize::MAX,
                }),
                Role::System | Role::Developer => {}
            }
        }
    }

    /// Gives every call a result in the next turn, every result a call in the turn before, and the
    /// first word to the user. True when anything had to be changed.
    fn repair(&mut self) -> bool {
        let mut repaired: Vec<Turn<'a>> = Vec::with_capacity(self.turns.len());
        let mut changed = false;
        let mut open: Vec<&str> = Vec::new();
        for mut turn in std::mem::take(&mut self.turns) {
            if turn.role == Role::User {
                changed |= answer_all(&mut turn.blocks, &std::mem::take(&mut open));
                if turn.blocks.is_empty() {
                    continue;
                }
            } else if turn.role == Role::Assistant {
                if !open.is_empty() || repaired.is_empty() {
                    let blocks = opening(&std::mem::take(&mut open));
                    repaired.push(Turn { role: Role::User, blocks });
                    changed = true;
                }
                open = turn.blocks.iter().filter_map(Block::call).collect();
            }
            // What stood between two turns of one speaker may be gone.
            if let Some(last) = repaired.last_mut().filter(|last| last.role == turn.role) {
                last.blocks.append(&mut turn.blocks);
                continue;
            }
            repaired.push(turn);
        }
        if !open.is_empty() {
            repaired.push(Turn { role: Role::User, blocks: opening(&open) });
            changed = true;
        }
        self.turns = repaired;
        changed
    }

    /// An answer's beginning may stand last only where the model goes on from it; it may not end in
    /// white space.
    fn settle_prefill(&mut self, report: &mut Report<'_>) -> Result<(), Unsupported> {
        let last = self.turns.last_mut().filter(|turn| turn.role == Role::Assistant);
        let Some(turn) = last else { return Ok(()) };
        if !report.capability().prefill {
            if !report.repairs() {
                let why = "the last message must be the user's; move its text into a user \
                     message, or set `modify_params: true` to have the gateway ask for more";
                return Err(report.refusal("messages", why));
            }
            report.adjust("messages");
            let blocks = vec![Block::Text(PLACEHOLDER.into())];
            self.turns.push(Turn { role: Role::User, blocks });
            return Ok(());
        }
        if let Some(Block::Part(Part { body: PartBody::Text { text, .. }, .. })) =
            turn.blocks.last().cloned()
            && text.trim_end() != &**text
        {
            turn.blocks.pop();
            if !text.trim().is_empty() {
                turn.blocks.push(Block::Text(text.trim_end().into()));
            }
            report.adjust("messages");
        }
        if turn.blocks.is_empty() {
            self.turns.pop();
        }
        Ok(())
    }
}

/// Removes results that answer none of these calls and adds those that are missing.
fn answer_all<'a>(blocks: &mut Vec<Block<'a>>, calls: &[&'a str]) -> bool {
    let before = blocks.len();
    blocks.retain(|block| block.result().is_none_or(|r| calls.contains(&&*r.call)));
    let answered: HashSet<&str> =
        blocks.iter().filter_map(Block::result).map(|result| &*result.call).collect();
    let missing: Vec<Block<'a>> = calls
        .iter()
        .filter(|id| !answered.contains(*id))
        .map(|id| Block::MissingResult(id))
        .collect();
    let changed = before != blocks.len() || !missing.is_empty();
    blocks.splice(..0, missing);
    changed
}

/// The blocks of a user's turn that has to be made up: the results of these calls, or some word.
fn opening<'a>(calls: &[&'a str]) -> Vec<Block<'a>> {
    if calls.is_empty() {
        return vec![Block::Text(PLACEHOLDER.into())];
    }
    calls.iter().map(|id| Block::MissingResult(id)).collect()
}

/// The blocks of a message: its parts without those that say nothing, and without reasoning that
/// this API cannot vouch for.
fn blocks<'a>(
    message: &'a Message,
    index: usize,
    rules: Rules,
    report: &mut Report<'_>,
) -> Result<Vec<Block<'a>>, Unsupported> {
    let mut blocks = Vec::new();
    for (at, part) in message.parts.iter().enumerate() {
        let keep = match &part.body {
            PartBody::Text { text, .. } | PartBody::Refusal { text } => (rules.says)(text),
            PartBody::Reasoning(block) => {
                let ours = rules.reasoning
                    && block.provenance == Provenance::AnthropicMessages
                    && block.seal.is_some()
                    && message.role == Role::Assistant;
                if !ours {
                    report.drop("reasoning");
                }
                ours
            }
            PartBody::Image { .. } | PartBody::Document { .. } | PartBody::Audio { .. } => {
                let refused = (rules.refusal_of)(part, message.role);
                if let Some(why) = refused {
                    return Err(report.refusal(&format!("messages[{index}].content[{at}]"), why));
                }
                true
            }
            PartBody::ToolCall(_) => true,
            PartBody::ToolResult(result) => {
                let refused = result.parts.iter().find_map(|p| (rules.refusal_of)(p, Role::User));
                if let Some(why) = refused {
                    return Err(report.refusal(&format!("messages[{index}].content[{at}]"), why));
                }
                true
            }
        };
        if keep {
            blocks.push(Block::Part(part));
        }
    }
    Ok(blocks)
}

/// Why the API does not take a part from this speaker, where it does not.
fn refusal_of(part: &Part, role: Role) -> Option<&'static str> {
    match &part.body {
        PartBody::Audio { .. } => Some("the API takes no audio"),
        PartBody::Image { .. } | PartBody::Document { .. } if role != Role::User => {
            Some("only a user's message may hold a picture or a document")
        }
        PartBody::Image { source: Source::Text(_), .. } => Some("a picture is no text"),
        PartBody::Image { source: Source::Base64 { media_type, .. }, .. }
            if !IMAGE_TYPES.contains(&&**media_type) && &**media_type != PDF =>
        {
            Some("the API takes pictures as JPEG, PNG, GIF or WebP")
        }
        PartBody::Document { source: Source::Base64 { media_type, .. }, .. }
            if !IMAGE_TYPES.contains(&&**media_type) && &**media_type != PDF =>
        {
            Some("the API takes documents as PDF or as plain text")
        }
        PartBody::Image { .. }
        | PartBody::Document { .. }
        | PartBody::Text { .. }
        | PartBody::ToolCall(_)
        | PartBody::ToolResult(_)
        | PartBody::Reasoning(_)
        | PartBody::Refusal { .. } => None,
    }
}

/// The media type of documents, by which a picture that is none is told apart.
pub(in crate::formats) const PDF: &str = "application/pdf";
