//! Arranging messages as the API wants them: users and models in turn, a user first, every call
//! followed by its responses in the order of the calls.

use bytestring::ByteString;

use crate::conversation::{
    Arguments, Conversation, Message, Part, PartBody, Provenance, Role, Source, ToolCall,
    ToolResult,
};
use crate::formats::gemini::model::Model;
use crate::formats::gemini::report::Report;
use crate::formats::gemini::sealed::{is_bare_seal, seal_of_previous};
use crate::formats::translation::Unsupported;
use crate::json::Object;

/// Stands in for a seal on calls that another model made: the API refuses a call of the third
/// generation without one. It is `skip_thought_signature_validator` in base64 (Google's Gemini 3
/// guide, "Thought signatures").
const FOREIGN_SEAL: &str = "c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I=";

/// What a user says where nobody said anything, which the API does not take.
const FILLER: &str = ".";

/// A request's messages, arranged.
#[derive(Debug, Default)]
pub(super) struct Arranged<'c> {
    pub(super) system: Vec<&'c str>,
    pub(super) turns: Vec<Turn<'c>>,
}

/// What one side says before the other speaks again.
#[derive(Debug)]
pub(super) struct Turn<'c> {
    /// Whether the model speaks.
    pub(super) model: bool,
    pub(super) items: Vec<Item<'c>>,
}

/// A part of a turn.
#[derive(Debug)]
pub(super) enum Item<'c> {
    Text {
        text: &'c str,
        seal: Option<&'c str>,
    },
    /// A system message in the middle.
    Reminder {
        text: &'c str,
    },
    Thought {
        text: &'c str,
        seal: Option<&'c str>,
    },
    /// `whole` says whether the arguments are a JSON object.
    Call {
        call: &'c ToolCall,
        seal: Option<&'c str>,
        whole: bool,
    },
    Response {
        result: &'c ToolResult,
        name: &'c str,
        call: usize,
    },
    Media {
        source: &'c Source,
        detail: Option<&'c str>,
        seal: Option<&'c str>,
    },
}

/// Arranges the messages of a conversation.
pub(super) fn arrange<'c>(
    c: &'c Conversation,
    model: Model,
    report: &mut Report<'_>,
) -> Result<Arranged<'c>, Unsupported> {
    let mut arranging = Arranging { arranged: Arranged::default(), calls: Vec::new(), report };
    for (index, message) in c.messages.iter().enumerate() {
        arranging.message(message, index)?;
    }
    let Arranging { mut arranged, .. } = arranging;
    if arranged.turns.first().is_none_or(|turn| turn.model) {
        report.adjust("messages");
        let items = vec![Item::Text { text: FILLER, seal: None }];
        arranged.turns.insert(0, Turn { model: false, items });
    }
    for turn in &mut arranged.turns {
        // Responses come first and in the order of their calls.
        turn.items.sort_by_key(|item| match item {
            Item::Response { call, .. } => *call,
            _ => usize::MAX,
        });
        if turn.model && model.is_third() && stand_in(turn) {
            report.adjust("thought_signature");
        }
    }
    Ok(arranged)
}

/// Seals the first call of a turn where it has no seal. Every turn is sealed so, old ones too:
/// otherwise what was sent before would change from call to call and miss the prompt cache.
fn stand_in(turn: &mut Turn<'_>) -> bool {
    let first = turn.items.iter_mut().find_map(|item| match item {
        Item::Call { seal, .. } => Some(seal),
        _ => None,
    });
    match first {
        Some(seal @ None) => {
            *seal = Some(FOREIGN_SEAL);
            true
        }
        _ => false,
    }
}

struct Arranging<'c, 'r, 't> {
    arranged: Arranged<'c>,
    /// Ids and names of the calls so far.
    calls: Vec<(&'c ByteString, &'c str)>,
    report: &'r mut Report<'t>,
}

impl<'c> Arranging<'c, '_, '_> {
    fn message(&mut self, message: &'c Message, index: usize) -> Result<(), Unsupported> {
        let leading = self.arranged.turns.is_empty();
        for (at, part) in message.parts.iter().enumerate() {
            let next = message.parts.get(at + 1);
            match message.role {
                Role::System | Role::Developer => self.system(part, leading, index)?,
                Role::User | Role::Assistant => {
                    let model = message.role == Role::Assistant;
                    let previous = at.checked_sub(1).and_then(|at| message.parts.get(at));
                    let attached = previous.is_some_and(takes_seal);
                    if let Some(item) = self.item(part, next, attached, index)? {
                        self.push(model, item);
                    }
                }
            }
        }
        Ok(())
    }

    /// Standing instructions: the API has one place for them, before everything.
    fn system(&mut self, part: &'c Part, leading: bool, index: usize) -> Result<(), Unsupported> {
        let PartBody::Text { text, .. } = &part.body else {
            let field = format!("messages[{index}].content");
            return self.report.leave_out(&field, "a system message holds text only");
        };
        if text.is_empty() {
            return Ok(());
        }
        if leading {
            self.arranged.system.push(text);
        } else {
            self.report.adjust(&format!("messages[{index}].role"));
            self.push(false, Item::Reminder { text });
        }
        Ok(())
    }

    fn item(
        &mut self,
        part: &'c Part,
        next: Option<&'c Part>,
        attached: bool,
        index: usize,
    ) -> Result<Option<Item<'c>>, Unsupported> {
        let seal = seal_of_previous(next).map(|seal| &**seal);
        Ok(match &part.body {
            PartBody::Text { text, .. } | PartBody::Refusal { text } => {
                (!text.is_empty()).then_some(Item::Text { text, seal })
            }
            PartBody::Reasoning(block) if is_bare_seal(block) => {
                let seal = block.seal.as_deref();
                (!attached).then_some(Item::Text { text: "", seal })
            }
            PartBody::Reasoning(block) if block.provenance == Provenance::Gemini => {
                Some(Item::Thought { text: &block.text, seal: block.seal.as_deref() })
            }
            PartBody::Reasoning(_) => {
                self.report.drop("reasoning");
                None
            }
            PartBody::ToolCall(call) => Some(self.call(call)),
            PartBody::ToolResult(result) => Some(self.response(result, index)?),
            PartBody::Image { source, detail } => {
                self.media(source, detail.as_deref(), seal, index)?
            }
            PartBody::Document { source, .. } | PartBody::Audio { source } => {
                self.media(source, None, seal, index)?
            }
        })
    }

    fn call(&mut self, call: &'c ToolCall) -> Item<'c> {
        self.calls.push((&call.id, &call.name));
        let whole = match &call.arguments {
            Arguments::Json(json) => Object::scan(json.as_bytes()).is_ok(),
            Arguments::Text(_) => false,
        };
        Item::Call { call, seal: call.seal.as_deref(), whole }
    }

    fn response(&mut self, result: &'c ToolResult, index: usize) -> Result<Item<'c>, Unsupported> {
        // Ids may come again: the latest call is meant.
        let Some(call) = self.calls.iter().rposition(|(id, _)| **id == result.call) else {
            let detail = "it answers a tool call that no earlier message makes";
            return Err(self.report.refusal(&format!("messages[{index}]"), detail));
        };
        for part in &result.parts {
            if let PartBody::Image { source, .. } | PartBody::Document { source, .. } = &part.body {
                self.media(source, None, None, index)?;
            }
        }
        let name = self.calls.get(call).map_or("", |(_, name)| name);
        Ok(Item::Response { result, name, call })
    }

    fn media(
        &mut self,
        source: &'c Source,
        detail: Option<&'c str>,
        seal: Option<&'c str>,
        index: usize,
    ) -> Result<Option<Item<'c>>, Unsupported> {
        if let Source::File(id) = source
            && !is_reachable(id)
        {
            let field = format!("messages[{index}].content");
            let why = "it names a file that another provider keeps";
            self.report.leave_out(&field, why)?;
            return Ok(None);
        }
        Ok(Some(Item::Media { source, detail, seal }))
    }

    fn push(&mut self, model: bool, item: Item<'c>) {
        match self.arranged.turns.last_mut() {
            Some(turn) if turn.model == model => turn.items.push(item),
            _ => self.arranged.turns.push(Turn { model, items: vec![item] }),
        }
    }
}

/// Whether a seal behind this part goes onto it.
fn takes_seal(part: &Part) -> bool {
    match &part.body {
        PartBody::Text { text, .. } | PartBody::Refusal { text } => !text.is_empty(),
        PartBody::Image { .. } | PartBody::Document { .. } | PartBody::Audio { .. } => true,
        PartBody::ToolCall(_) | PartBody::ToolResult(_) | PartBody::Reasoning(_) => false,
    }
}

/// Whether a file's name is one that the API can look up.
pub(super) fn is_reachable(file: &str) -> bool {
    file.contains("://") || file.starts_with("files/")
}
