//! Reading a buffered answer of Converse.

use bytestring::ByteString;

use super::error::read_error;
use super::stop::read_stop;
use super::usage::{read_usage, thinking_tokens};
use crate::conversation::{
    Answer, Choice, Citation, Part, PartBody, Provenance, ReasoningBlock, Source,
};
use crate::formats::anthropic_messages::Wording;
use crate::formats::anthropic_messages::answer_in::{Read, read_call, settle_json};
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

/// Reads the body of an answer with status 200, its tool calls in the client's words: see
/// [`wording`](super::wording).
///
/// # Errors
/// [`Malformed`] when the body is not a JSON object.
pub fn to_answer_in(body: &[u8], wording: &Wording) -> Result<AnswerIn, Malformed> {
    let object = Object::scan(body)?;
    let Some(message) = object.value("output").and_then(|output| output.find("message")) else {
        return Ok(AnswerIn::Error(read_error(body).unwrap_or_else(no_message)));
    };
    let mut parts = Vec::new();
    let mut json = None;
    for block in message.find("content").into_iter().flat_map(Raw::elements) {
        match read_block(block, wording) {
            Some(Read::Part(body)) => parts.push(Part::new(body)),
            Some(Read::Json(text)) => json = Some(text),
            None => {}
        }
    }
    let fields = object.value("additionalModelResponseFields");
    let stop = read_stop(object.value("stopReason"), fields);
    let failure = stop.as_ref().and_then(|stop| stop.failure.clone());
    if let Some(failure) = failure.filter(|_| parts.is_empty() && json.is_none()) {
        return Ok(AnswerIn::Error(failure));
    }
    let mut finish = stop.as_ref().map(|stop| stop.reason);
    let stop_sequence = stop.and_then(|stop| stop.stop_sequence);
    settle_json(&mut parts, &mut finish, json);
    let thinking = thinking_tokens(fields);
    Ok(AnswerIn::Answer(Answer {
        id: None,
        model: None,
        created: None,
        choices: vec![Choice { parts, finish, stop_sequence }],
        usage: object.value("usage").and_then(|usage| read_usage(usage, thinking)),
    }))
}

fn no_message() -> ErrorBody {
    let message = "the upstream's answer holds no message".to_owned();
    ErrorBody { message, kind: None, code: Some("empty_response".to_owned()), param: None }
}

/// Reads a block, a union of which one member is there. What a client of another dialect could not
/// use is passed over.
fn read_block(block: Raw<'_>, wording: &Wording) -> Option<Read> {
    let (kind, value) = block.members().find(|(_, value)| !value.is_null())?;
    let member = |name| value.find(name).and_then(text).unwrap_or_default();
    let body = match &*kind {
        "text" => PartBody::Text { text: text(value)?, citations: Vec::new() },
        "citationsContent" => cited(value),
        "reasoningContent" => PartBody::Reasoning(reasoning(value)?),
        "image" => image(value)?,
        "toolUse" => {
            let input = value.find("input").map_or("{}", Raw::as_written);
            return Some(read_call(wording, member("toolUseId"), &member("name"), input));
        }
        _ => return None,
    };
    Some(Read::Part(body))
}

fn cited(value: Raw<'_>) -> PartBody {
    let pieces = value.find("content").into_iter().flat_map(Raw::elements);
    let texts = pieces.filter_map(|piece| piece.find("text")?.text());
    let citations = value.find("citations").into_iter().flat_map(Raw::elements);
    let text = texts.collect::<String>().into();
    PartBody::Text { text, citations: citations.map(citation).collect() }
}

/// Reasoning; only models that sign theirs vouch for it.
fn reasoning(value: Raw<'_>) -> Option<ReasoningBlock> {
    if let Some(data) = value.find("redactedContent").and_then(text) {
        let provenance = Provenance::AnthropicMessages;
        let text = ByteString::new();
        return Some(ReasoningBlock { text, seal: Some(data), redacted: true, provenance });
    }
    let readable = value.find("reasoningText")?;
    let seal = readable.find("signature").and_then(text).filter(|seal| !seal.is_empty());
    let provenance = provenance(seal.is_some());
    let text = readable.find("text").and_then(text).unwrap_or_default();
    Some(ReasoningBlock { text, seal, redacted: false, provenance })
}

/// Whose reasoning it is: signatures are those of `anthropic_messages`, whatever carries them.
pub(super) const fn provenance(signed: bool) -> Provenance {
    if signed { Provenance::AnthropicMessages } else { Provenance::Plain }
}

fn image(value: Raw<'_>) -> Option<PartBody> {
    let format = value.find("format")?.text()?;
    let data = value.find("source")?.find("bytes").and_then(text)?;
    let source = Source::Base64 { media_type: format!("image/{format}").into(), data };
    Some(PartBody::Image { source, detail: None })
}

/// A citation as it came, with what other formats can say of it.
pub(super) fn citation(raw: Raw<'_>) -> Citation {
    let web = raw.find("location").and_then(|location| location.find("web"));
    Citation {
        url: web.and_then(|web| web.find("url")).and_then(text),
        title: raw.find("title").and_then(text),
        span: None,
        raw: raw.as_written().into(),
    }
}

pub(super) fn text(value: Raw<'_>) -> Option<ByteString> {
    value.text().map(|text| ByteString::from(&*text))
}
