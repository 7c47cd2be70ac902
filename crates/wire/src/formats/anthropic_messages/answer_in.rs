//! Reading a buffered answer of the Messages API.

use bytestring::ByteString;

use super::error::read_error;
use super::names::Wording;
use super::request_in::{citation, redacted};
use super::stop::{explanation, read_reason};
use super::usage::Reported;
use crate::conversation::{
    Answer, Arguments, Choice, FinishReason, Part, PartBody, Provenance, ReasoningBlock, ToolCall,
};
use crate::formats::openai_chat::ErrorBody;
use crate::formats::translation::AnswerIn;
use crate::json::{Malformed, Object, Raw};

/// Reads the body of an answer with status 200.
///
/// # Errors
/// [`Malformed`] when the body is not a JSON object.
pub fn to_answer(body: &[u8]) -> Result<AnswerIn, Malformed> {
    to_answer_in(body, &Wording::default())
}

/// Reads the body of an answer with status 200, its tool calls in the client's words.
///
/// # Errors
/// [`Malformed`] when the body is not a JSON object.
pub fn to_answer_in(body: &[u8], wording: &Wording) -> Result<AnswerIn, Malformed> {
    let object = Object::scan(body)?;
    if is_error(&object) {
        let unexplained =
            || ErrorBody { message: String::new(), kind: None, code: None, param: None };
        return Ok(AnswerIn::Error(read_error(body).unwrap_or_else(unexplained)));
    }
    let mut parts = Vec::new();
    let mut json = None;
    for block in object.value("content").into_iter().flat_map(Raw::elements) {
        match read_block(block, wording) {
            Some(Read::Part(body)) => parts.push(Part::new(body)),
            Some(Read::Json(text)) => json = Some(text),
            None => {}
        }
    }
    let mut finish = read_reason(object.value("stop_reason"));
    settle_json(&mut parts, &mut finish, json);
    if let Some(text) = explanation(object.value("stop_details")) {
        parts.push(Part::new(PartBody::Refusal { text: text.into() }));
    }
    let mut reported = Reported::default();
    if let Some(usage) = object.value("usage") {
        reported.take(usage);
    }
    let stop_sequence = object.value("stop_sequence").and_then(text);
    Ok(AnswerIn::Answer(Answer {
        id: object.value("id").and_then(text),
        model: object.value("model").and_then(text),
        created: None,
        choices: vec![Choice { parts, finish, stop_sequence }],
        usage: reported.usage(),
    }))
}

fn is_error(object: &Object<'_>) -> bool {
    let kind = object.value("type").and_then(Raw::text);
    kind.is_some_and(|kind| kind == "error")
        || object.value("error").is_some() && object.value("content").is_none()
}

/// What a block says.
pub(in crate::formats) enum Read {
    /// A part.
    Part(PartBody),
    /// What the model called the tool with that stands in for a JSON answer.
    Json(ByteString),
}

/// Makes what the stand-in tool was called with the answer's text, if it was called.
pub(in crate::formats) fn settle_json(
    parts: &mut Vec<Part>,
    finish: &mut Option<FinishReason>,
    json: Option<ByteString>,
) {
    let Some(text) = json else { return };
    // What was said beside the JSON would break it.
    parts.retain(|part| !matches!(part.body, PartBody::Text { .. }));
    parts.push(Part::text(text));
    if *finish == Some(FinishReason::ToolCalls) {
        *finish = Some(FinishReason::Stop);
    }
}

/// A call of a tool in the client's words.
pub(in crate::formats) fn read_call(
    wording: &Wording,
    id: ByteString,
    theirs: &str,
    input: &str,
) -> Read {
    if wording.is_json_tool(theirs) {
        return Read::Json(input.into());
    }
    let name = wording.name(theirs);
    let arguments = arguments(input, wording.is_custom(&name));
    Read::Part(PartBody::ToolCall(ToolCall { id, name, arguments, seal: None }))
}

/// Reads a block; what the provider's own tools did is nothing that a client of another dialect
/// could use.
fn read_block(block: Raw<'_>, wording: &Wording) -> Option<Read> {
    let member = |name| block.find(name).and_then(text).unwrap_or_default();
    let body = match &*block.find("type")?.text()? {
        "text" => {
            let cited = block.find("citations").into_iter().flat_map(Raw::elements);
            PartBody::Text { text: member("text"), citations: cited.map(citation).collect() }
        }
        "thinking" => PartBody::Reasoning(ReasoningBlock {
            text: member("thinking"),
            seal: Some(member("signature")).filter(|seal| !seal.is_empty()),
            redacted: false,
            provenance: Provenance::AnthropicMessages,
        }),
        "redacted_thinking" => PartBody::Reasoning(redacted(member("data"))),
        "tool_use" => {
            let input = block.find("input").map_or("{}", Raw::as_written);
            return Some(read_call(wording, member("id"), &member("name"), input));
        }
        _ => return None,
    };
    Some(Read::Part(body))
}

/// What a tool is called with; free text where the client's tool takes that.
fn arguments(input: &str, custom: bool) -> Arguments {
    if !custom {
        return Arguments::Json(input.into());
    }
    Arguments::Text(custom_text(input).unwrap_or_else(|| input.into()))
}

/// The free text inside the object that stood in for it.
pub(super) fn custom_text(input: &str) -> Option<ByteString> {
    let object = Object::scan(input.as_bytes()).ok()?;
    object.value(super::blocks_out::CUSTOM_INPUT).and_then(text)
}

fn text(value: Raw<'_>) -> Option<ByteString> {
    value.text().map(|text| ByteString::from(&*text))
}

#[cfg(test)]
mod tests;
