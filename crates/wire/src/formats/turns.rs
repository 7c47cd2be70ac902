//! Arranging messages for formats that keep each side's words, each tool's result and the
//! application's instructions in messages of their own.

use std::borrow::Cow;

use super::report::Report;
use super::translation::Unsupported;
use crate::conversation::{
    Conversation, Message, Part, PartBody, Provenance, Role, Source, ToolCall, ToolResult,
};

/// What a target takes besides text.
pub(super) struct Takes {
    /// Why it does not take a picture from there, where it does not.
    pub(super) refuses_image: fn(&Source) -> Option<&'static str>,
    /// Whether it takes a model's plain reasoning back.
    pub(super) thoughts: bool,
}

/// A message for the target. Nothing in it is empty but the text of a result.
#[derive(Debug)]
pub(super) enum Turn<'c> {
    /// The application's standing instructions.
    System(Vec<&'c str>),
    /// What the user says and shows.
    User(Vec<Said<'c>>),
    /// What the model thought, said and called.
    Assistant { thoughts: Vec<&'c str>, texts: Vec<&'c str>, calls: Vec<&'c ToolCall> },
    /// What a tool gave back, in words.
    Result { id: &'c str, call: Option<(usize, &'c str)>, texts: Vec<&'c str> },
}

/// A part of what the user says.
#[derive(Debug)]
pub(super) enum Said<'c> {
    Text(Cow<'c, str>),
    Image { source: &'c Source, detail: Option<&'c str> },
}

/// Arranges the messages of a conversation. Results that follow one another stand in the order of
/// their calls; what they show follows them, in the user's words.
pub(super) fn arrange<'c>(
    c: &'c Conversation,
    takes: &Takes,
    report: &mut Report<'_>,
) -> Result<Vec<Turn<'c>>, Unsupported> {
    let (turns, calls, shown) = (Vec::new(), Vec::new(), Vec::new());
    let mut arranging = Arranging { turns, calls, shown, takes, report };
    for (index, message) in c.messages.iter().enumerate() {
        match message.role {
            Role::System | Role::Developer => arranging.system(message, index)?,
            Role::User => arranging.user(message, index)?,
            Role::Assistant => arranging.assistant(message, index)?,
        }
    }
    arranging.show();
    let Arranging { mut turns, report, .. } = arranging;
    if turns.is_empty() {
        return Err(report.refusal("messages", "it takes at least one message that says something"));
    }
    let is_result = |turn: &Turn<'_>| matches!(turn, Turn::Result { .. });
    for run in turns.chunk_by_mut(|a, b| is_result(a) && is_result(b)) {
        run.sort_by_key(|turn| match turn {
            Turn::Result { call, .. } => call.map_or(usize::MAX, |(number, _)| number),
            Turn::System(_) | Turn::User(_) | Turn::Assistant { .. } => usize::MAX,
        });
    }
    Ok(turns)
}

struct Arranging<'c, 'a, 't> {
    turns: Vec<Turn<'c>>,
    /// Ids and names of the calls so far.
    calls: Vec<(&'c str, &'c str)>,
    /// What tools showed and the user has not shown yet.
    shown: Vec<Said<'c>>,
    takes: &'a Takes,
    report: &'a mut Report<'t>,
}

impl<'c> Arranging<'c, '_, '_> {
    fn system(&mut self, message: &'c Message, index: usize) -> Result<(), Unsupported> {
        self.show();
        let mut texts = Vec::new();
        for (at, part) in message.parts.iter().enumerate() {
            match text_of(part) {
                Some(text) => texts.extend(Some(text).filter(|text| !text.is_empty())),
                None => self.leave_out(index, at, "a system message holds text only")?,
            }
        }
        if !texts.is_empty() {
            self.turns.push(Turn::System(texts));
        }
        Ok(())
    }

    fn user(&mut self, message: &'c Message, index: usize) -> Result<(), Unsupported> {
        let mut said = Vec::new();
        for (at, part) in message.parts.iter().enumerate() {
            match &part.body {
                PartBody::ToolResult(result) => self.result(result, (index, at))?,
                _ => said.extend(self.said(part, (index, at))?),
            }
        }
        if !said.is_empty() {
            said.splice(..0, self.shown.drain(..));
            self.turns.push(Turn::User(said));
        }
        Ok(())
    }

    fn assistant(&mut self, message: &'c Message, index: usize) -> Result<(), Unsupported> {
        self.show();
        let (mut thoughts, mut texts, mut calls) = (Vec::new(), Vec::new(), Vec::new());
        for (at, part) in message.parts.iter().enumerate() {
            match &part.body {
                PartBody::Text { text, .. } | PartBody::Refusal { text } => {
                    texts.extend(Some(&**text).filter(|text| !text.is_empty()));
                }
                PartBody::ToolCall(call) => {
                    self.calls.push((&call.id, &call.name));
                    calls.push(call);
                }
                PartBody::Reasoning(block)
                    if self.takes.thoughts && block.provenance == Provenance::Plain =>
                {
                    thoughts.extend(Some(&*block.text).filter(|text| !text.is_empty()));
                }
                PartBody::Reasoning(_) => self.report.drop("reasoning"),
                PartBody::Image { .. }
                | PartBody::Document { .. }
                | PartBody::Audio { .. }
                | PartBody::ToolResult(_) => {
                    self.leave_out(index, at, "the model's messages hold text and calls only")?;
                }
            }
        }
        if !(thoughts.is_empty() && texts.is_empty() && calls.is_empty()) {
            self.turns.push(Turn::Assistant { thoughts, texts, calls });
        }
        Ok(())
    }

    fn result(
        &mut self,
        result: &'c ToolResult,
        (index, at): (usize, usize),
    ) -> Result<(), Unsupported> {
        if result.failed {
            self.report.drop("is_error");
        }
        let mut texts = Vec::new();
        let mut shown = Vec::new();
        for part in &result.parts {
            match text_of(part) {
                Some(text) => texts.push(text),
                None => shown.extend(self.said(part, (index, at))?),
            }
        }
        if !shown.is_empty() {
            let heading = format!("[shown by tool call {}]", result.call);
            self.shown.push(Said::Text(heading.into()));
            self.shown.append(&mut shown);
        }
        // Ids may come again: the latest call is meant.
        let number = self.calls.iter().rposition(|(id, _)| **id == *result.call);
        let call = number.and_then(|number| Some((number, self.calls.get(number)?.1)));
        self.turns.push(Turn::Result { id: &result.call, call, texts });
        Ok(())
    }

    /// A part of the user's words, unless it says nothing or is left out.
    fn said(
        &mut self,
        part: &'c Part,
        (index, at): (usize, usize),
    ) -> Result<Option<Said<'c>>, Unsupported> {
        if let Some(text) = text_of(part) {
            return Ok((!text.is_empty()).then_some(Said::Text(text.into())));
        }
        let why = match &part.body {
            PartBody::Image { source, detail } => match (self.takes.refuses_image)(source) {
                None => return Ok(Some(Said::Image { source, detail: detail.as_deref() })),
                Some(why) => why,
            },
            PartBody::Document { .. } => "documents are taken as plain text only",
            PartBody::Audio { .. } => "the API takes no audio",
            PartBody::Text { .. }
            | PartBody::Refusal { .. }
            | PartBody::ToolCall(_)
            | PartBody::ToolResult(_)
            | PartBody::Reasoning(_) => "this part has no place in such a message",
        };
        self.leave_out(index, at, why)?;
        Ok(None)
    }

    /// Has the user show what tools showed.
    fn show(&mut self) {
        if !self.shown.is_empty() {
            self.turns.push(Turn::User(std::mem::take(&mut self.shown)));
        }
    }

    fn leave_out(&mut self, index: usize, at: usize, why: &str) -> Result<(), Unsupported> {
        self.report.leave_out(&format!("messages[{index}].content[{at}]"), why)
    }
}

fn text_of(part: &Part) -> Option<&str> {
    match &part.body {
        PartBody::Text { text, .. } | PartBody::Refusal { text } => Some(text),
        PartBody::Document { source: Source::Text(text), .. } => Some(text),
        PartBody::Image { .. }
        | PartBody::Document { .. }
        | PartBody::Audio { .. }
        | PartBody::ToolCall(_)
        | PartBody::ToolResult(_)
        | PartBody::Reasoning(_) => None,
    }
}
