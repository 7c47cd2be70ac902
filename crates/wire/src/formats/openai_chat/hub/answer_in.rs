//! Reading an upstream's whole answer.

use bytestring::ByteString;

use super::super::choice::Choice as ChoiceRead;
use super::super::error::{ErrorBody, error_within};
use super::super::usage::Reported;
use super::content_in::{Call, Piece, each_piece, made_id};
use super::{citation, finish};
use crate::conversation::{
    Answer, Arguments, Choice, FinishReason, Part, PartBody, ReasoningBlock, Source, ToolCall,
};
use crate::formats::translation::AnswerIn;
use crate::json::{Malformed, Object, Raw};

/// Reads the body of an answer whose status said that all is well.
///
/// # Errors
/// [`Malformed`] when the body is not a JSON object.
pub fn to_answer(body: &[u8]) -> Result<AnswerIn, Malformed> {
    let object = Object::scan(body)?;
    if let Some(error) = error_within(&object) {
        return Ok(AnswerIn::Error(error));
    }
    let text = |name| object.value(name).and_then(Raw::text).filter(|text| !text.is_empty());
    let id = text("id");
    let mut choices: Vec<(u64, Choice)> = Vec::new();
    for raw in object.value("choices").into_iter().flat_map(Raw::elements) {
        let read = ChoiceRead::read(raw);
        if let Some(error) = read.error.or_else(|| failure(raw)) {
            return Ok(AnswerIn::Error(error));
        }
        choices.push((read.index, read_choice(raw, id.as_deref())));
    }
    choices.sort_by_key(|(index, _)| *index);
    let mut reported = Reported::default();
    reported.take(object.value("usage"), object.value("x_groq"));
    Ok(AnswerIn::Answer(Answer {
        model: text("model").map(|model| model.into_owned().into()),
        created: object.value("created").and_then(Raw::whole),
        choices: choices.into_iter().map(|(_, choice)| choice).collect(),
        usage: reported.usage(),
        id: id.map(|id| id.into_owned().into()),
    }))
}

fn failure(choice: Raw<'_>) -> Option<ErrorBody> {
    let reason = choice.find("finish_reason").and_then(Raw::text)?;
    let told = || ErrorBody::told(format!("the upstream ended the answer with `{reason}`"));
    finish::is_failure(&reason).then(told)
}

fn read_choice(choice: Raw<'_>, answer: Option<&str>) -> Choice {
    let mut parts = Vec::new();
    if let Some(message) = choice.find("message") {
        each_piece(message, &mut |piece| push(&mut parts, piece, answer));
    }
    let calls = parts.iter().any(|part| matches!(part.body, PartBody::ToolCall(_)));
    let reason = choice.find("finish_reason").and_then(Raw::text);
    let finish = finish::read(reason.as_deref(), calls);
    let stop_sequence = choice.find("stop_reason").and_then(stop_text);
    match finish {
        Some(FinishReason::Stop) if stop_sequence.is_some() => {
            Choice { parts, finish: Some(FinishReason::StopSequence), stop_sequence }
        }
        _ => Choice { parts, finish, stop_sequence: None },
    }
}

/// vLLM's `stop_reason`: the stop text that was said, or a token's number.
pub(super) fn stop_text(stop_reason: Raw<'_>) -> Option<ByteString> {
    Some(stop_reason.text()?.into_owned().into())
}

fn push(parts: &mut Vec<Part>, piece: Piece<'_>, answer: Option<&str>) {
    let body = match piece {
        Piece::Thought(thought) => PartBody::Reasoning(ReasoningBlock {
            text: thought.text.into_owned().into(),
            seal: thought.seal.map(|seal| seal.into_owned().into()),
            redacted: thought.redacted,
            provenance: thought.provenance,
        }),
        Piece::Text(text) => {
            PartBody::Text { text: text.into_owned().into(), citations: Vec::new() }
        }
        Piece::Refusal(text) => PartBody::Refusal { text: text.into_owned().into() },
        Piece::Image(url) => PartBody::Image { source: image_source(&url), detail: None },
        Piece::Call(call) => match whole_call(call, answer, parts.len()) {
            Some(call) => PartBody::ToolCall(call),
            None => return,
        },
        Piece::Citation(raw) => return cite(parts, raw),
    };
    parts.push(Part::new(body));
}

fn whole_call(call: Call<'_>, answer: Option<&str>, number: usize) -> Option<ToolCall> {
    let arguments = ByteString::from(call.arguments.into_owned());
    Some(ToolCall {
        id: call.id.map_or_else(|| made_id(answer, number), |id| id.into_owned()).into(),
        name: call.name?.into_owned().into(),
        arguments: match call.custom {
            true => Arguments::Text(arguments),
            false => Arguments::Json(arguments),
        },
        seal: call.seal.map(|seal| seal.into_owned().into()),
    })
}

fn image_source(url: &str) -> Source {
    let data = url.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,"));
    match data {
        Some((media_type, data)) => {
            Source::Base64 { media_type: media_type.into(), data: data.into() }
        }
        None => Source::Url(url.into()),
    }
}

/// Annotations stand beside the message's text: they belong to the last one before them.
fn cite(parts: &mut [Part], raw: Raw<'_>) {
    let bodies = parts.iter_mut().rev().map(|part| &mut part.body);
    for body in bodies {
        if let PartBody::Text { text, citations } = body {
            citations.extend(citation::read(raw, Some(text)));
            return;
        }
    }
}
