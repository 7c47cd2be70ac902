//! Reading a buffered answer.

use bytestring::ByteString;

use super::citation::{self, Place};
use super::error::error_within;
use super::finish::{self, Ending};
use super::usage;
use crate::conversation::{
    Answer, Arguments, Choice, Part, PartBody, Provenance, ReasoningBlock, ToolCall,
};
use crate::formats::call_ids::CallIds;
use crate::formats::translation::AnswerIn;
use crate::json::{Malformed, Object, Raw};

/// Reads the body of an answer with status 200. One that the provider broke off is an error.
///
/// # Errors
/// [`Malformed`] when the body is not a JSON object.
pub fn to_answer(body: &[u8]) -> Result<AnswerIn, Malformed> {
    let object = Object::scan(body)?;
    if let Some(error) = error_within(&object) {
        return Ok(AnswerIn::Error(error));
    }
    let id = object.value("id").and_then(owned);
    let parts = object.value("message").map(|message| parts(message, id.as_ref()));
    let parts = parts.unwrap_or_default();
    let calls = parts.iter().any(|part| matches!(part.body, PartBody::ToolCall(_)));
    let finish = match object.value("finish_reason").and_then(Raw::text) {
        None => None,
        Some(reason) => match finish::read(&reason, calls, None) {
            Ending::Finished(reason) => Some(reason),
            Ending::Failed(error) => return Ok(AnswerIn::Error(error)),
        },
    };
    Ok(AnswerIn::Answer(Answer {
        id,
        model: None,
        created: None,
        choices: vec![Choice { parts, finish, stop_sequence: None }],
        usage: object.value("usage").and_then(usage::read),
    }))
}

/// The parts of a message: what it thought and planned, what it said, what it calls.
fn parts(message: Raw<'_>, id: Option<&ByteString>) -> Vec<Part> {
    let mut parts = Vec::new();
    // Where each text of the content stands among the parts.
    let mut texts = Vec::new();
    let plan = message.find("tool_plan").and_then(owned);
    let mut plan = plan.map(reasoning);
    for (index, content) in message.find("content").into_iter().flat_map(Raw::elements).enumerate()
    {
        if let Some(text) = content.find("thinking").and_then(owned) {
            parts.push(reasoning(text));
        } else if let Some(text) = content.find("text").and_then(owned) {
            parts.extend(plan.take());
            texts.push((index as u64, parts.len()));
            parts.push(Part::text(text));
        }
    }
    parts.extend(plan);
    for raw in message.find("citations").into_iter().flat_map(Raw::elements) {
        cite(&mut parts, &texts, raw);
    }
    let mut ids = CallIds::default();
    ids.learn(id);
    let calls = message.find("tool_calls").into_iter().flat_map(Raw::elements);
    parts.extend(calls.filter_map(|raw| call(raw, &mut ids)));
    parts
}

fn reasoning(text: ByteString) -> Part {
    Part::new(PartBody::Reasoning(ReasoningBlock {
        text,
        seal: None,
        redacted: false,
        provenance: Provenance::Plain,
    }))
}

fn call(raw: Raw<'_>, ids: &mut CallIds) -> Option<Part> {
    let function = raw.find("function")?;
    let name = function.find("name").and_then(owned)?;
    let arguments = function.find("arguments").and_then(owned);
    let arguments = arguments.unwrap_or_else(|| ByteString::from_static("{}"));
    let id = ids.next(raw.find("id").and_then(owned), &name, &arguments);
    let arguments = Arguments::Json(arguments);
    Some(Part::new(PartBody::ToolCall(ToolCall { id, name, arguments, seal: None })))
}

/// Adds a citation to the text that it names, or to the first where it names none.
fn cite(parts: &mut [Part], texts: &[(u64, usize)], raw: Raw<'_>) {
    let Place::Text(index) = citation::place(raw) else { return };
    let named = texts.iter().find(|(at, _)| index.is_none_or(|index| index == *at));
    let part = named.and_then(|(_, part)| parts.get_mut(*part));
    if let Some(Part { body: PartBody::Text { text, citations }, .. }) = part {
        citations.extend(citation::read(raw, Some(text)));
    }
}

/// A text that says something.
pub(super) fn owned(value: Raw<'_>) -> Option<ByteString> {
    let text = value.text().filter(|text| !text.is_empty())?;
    Some(ByteString::from(text.as_ref()))
}
