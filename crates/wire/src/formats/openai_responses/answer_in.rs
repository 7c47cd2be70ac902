//! Reading a whole response.

use std::borrow::Cow;

use bytestring::ByteString;

use super::content_in::{SUMMARY_BREAK, citation};
use super::error::error_within;
use super::usage::{read_usage, searches, with_searches};
use crate::conversation::{
    Answer, Arguments, Choice, FinishReason, Part, PartBody, Provenance, ReasoningBlock, ToolCall,
};
use crate::formats::translation::AnswerIn;
use crate::json::{Malformed, Object, Raw};

/// Reads the body of an answer whose status says that all is well. Items of the provider's own
/// tools are passed over: their outcome is in the text.
///
/// # Errors
/// [`Malformed`] when the body is not a JSON object.
pub fn to_answer(body: &[u8]) -> Result<AnswerIn, Malformed> {
    let object = Object::scan(body)?;
    if let Some(error) = error_within(&object, body) {
        return Ok(AnswerIn::Error(error));
    }
    let items = || object.value("output").into_iter().flat_map(Raw::elements);
    let parts: Vec<Part> = items().flat_map(read_item).collect();
    let calls = parts.iter().any(|part| matches!(part.body, PartBody::ToolCall(_)));
    let declines = declines(&parts);
    let status = object.value("status").and_then(Raw::text).unwrap_or_default();
    let details = object.value("incomplete_details");
    Ok(AnswerIn::Answer(Answer {
        id: text(object.value("id")),
        model: text(object.value("model")),
        created: object.value("created_at").and_then(Raw::whole),
        choices: vec![Choice {
            finish: finish_of(&status, details, calls, declines),
            parts,
            stop_sequence: None,
        }],
        usage: with_searches(read_usage(object.value("usage")), searches(items())),
    }))
}

/// Whether all that was said is a refusal.
fn declines(parts: &[Part]) -> bool {
    let refuses = |part: &Part| matches!(part.body, PartBody::Refusal { .. });
    let says = |part: &Part| matches!(part.body, PartBody::Text { .. });
    parts.iter().any(refuses) && !parts.iter().any(says)
}

/// Why a response with this status ended, with what `incomplete_details` says; `None` while it has
/// not.
pub(super) fn finish_of(
    status: &str,
    details: Option<Raw<'_>>,
    calls: bool,
    declines: bool,
) -> Option<FinishReason> {
    match status {
        "completed" if calls => Some(FinishReason::ToolCalls),
        "completed" if declines => Some(FinishReason::Refused),
        "completed" => Some(FinishReason::Stop),
        "incomplete" => {
            let reason = details.and_then(|details| details.find("reason")?.text());
            match reason.as_deref() {
                Some("content_filter") => Some(FinishReason::Refused),
                _ => Some(FinishReason::Length),
            }
        }
        _ => None,
    }
}

fn read_item(item: Raw<'_>) -> Vec<Part> {
    let kind = item.find("type").and_then(Raw::text).unwrap_or_default();
    match &*kind {
        "message" => {
            let contents = item.find("content").into_iter().flat_map(Raw::elements);
            contents.filter_map(read_content).collect()
        }
        "function_call" | "custom_tool_call" => vec![Part::new(PartBody::ToolCall(call(item)))],
        "reasoning" => reasoning(item).into_iter().collect(),
        _ => Vec::new(),
    }
}

fn read_content(content: Raw<'_>) -> Option<Part> {
    let body = match &*content.find("type")?.text()? {
        "output_text" => {
            let text = text(content.find("text")).unwrap_or_default();
            let cited = content.find("annotations").into_iter().flat_map(Raw::elements);
            let citations = cited.filter_map(|raw| citation(raw, &text)).collect();
            PartBody::Text { text, citations }
        }
        "refusal" => PartBody::Refusal { text: text(content.find("refusal")).unwrap_or_default() },
        _ => return None,
    };
    Some(Part::new(body))
}

/// A call from its item. An item without a `call_id` is known by its own id.
pub(super) fn call(item: Raw<'_>) -> ToolCall {
    let words = |name| text(item.find(name));
    let custom = item.find("type").and_then(Raw::text).is_some_and(|kind| kind != "function_call");
    let arguments = match custom {
        true => Arguments::Text(words("input").unwrap_or_default()),
        false => Arguments::Json(words("arguments").unwrap_or_default()),
    };
    ToolCall {
        id: words("call_id").or_else(|| words("id")).unwrap_or_default(),
        name: words("name").unwrap_or_default(),
        arguments,
        seal: None,
    }
}

/// What the item holds of the model's reasoning, if it holds anything.
fn reasoning(item: Raw<'_>) -> Option<Part> {
    let (text, seal) = (reasoning_text(item), sealed(item));
    let told = seal.is_some() || !text.is_empty();
    let redacted = seal.is_some();
    let provenance = Provenance::OpenAiResponses;
    let block = ReasoningBlock { text: text.into(), seal, redacted, provenance };
    told.then(|| Part::new(PartBody::Reasoning(block)))
}

/// The readable text of a reasoning item: its summary, or the reasoning itself where there is none.
pub(super) fn reasoning_text(item: Raw<'_>) -> String {
    let joined = |name| {
        let parts = item.find(name).into_iter().flat_map(Raw::elements);
        let texts = parts.filter_map(|part| part.find("text")?.text());
        texts.collect::<Vec<Cow<'_, str>>>().join(SUMMARY_BREAK)
    };
    let summary = joined("summary");
    if summary.is_empty() { joined("content") } else { summary }
}

/// The reasoning in its sealed form.
pub(super) fn sealed(item: Raw<'_>) -> Option<ByteString> {
    text(item.find("encrypted_content")).filter(|sealed| !sealed.is_empty())
}

/// A string of somebody else's body, copied.
pub(super) fn text(value: Option<Raw<'_>>) -> Option<ByteString> {
    value.and_then(Raw::text).map(|text| text.as_ref().into())
}
