//! Reading a buffered answer.

use bytes::Bytes;

use super::error::{error_from, read_error, told};
use super::fields::Body;
use super::finish::{self, Held};
use super::said::{Candidate, Response, Said, citations};
use super::sealed;
use crate::conversation::{Answer, Arguments, Choice, FinishReason, Part, PartBody, ToolCall};
use crate::formats::call_ids::CallIds;
use crate::formats::translation::AnswerIn;
use crate::json::{Malformed, Object};

/// Reads the body of an answer with status 200.
///
/// A prompt that was blocked is an answer without words that ended in a refusal. A candidate that
/// holds nothing because the model failed is an error.
///
/// # Errors
/// [`Malformed`] when the body is not a JSON object.
pub fn to_answer(body: &[u8]) -> Result<AnswerIn, Malformed> {
    if body.trim_ascii_start().starts_with(b"[")
        && let Some(error) = read_error(body)
    {
        return Ok(AnswerIn::Error(error));
    }
    let owned = Bytes::copy_from_slice(body);
    let object = Object::scan(&owned)?;
    let response = Response::read(&object, &Body::new(&owned));
    if let Some(error) = response.error {
        return Ok(AnswerIn::Error(error_from(error)));
    }
    let usage = response.usage();
    let Response { id, model, candidates, blocked, .. } = response;
    let mut ids = CallIds::default();
    ids.learn(id.as_ref());
    let mut choices = Vec::new();
    let mut failure = None;
    for candidate in candidates {
        let (message, code) = candidate.failure();
        let error = told(message, code);
        match choice(candidate, &mut ids) {
            Some(choice) => choices.push(choice),
            None => failure = failure.or(Some(error)),
        }
    }
    if choices.is_empty() {
        if let Some(error) = failure {
            return Ok(AnswerIn::Error(error));
        }
        if blocked.is_none() {
            let message = "the upstream sent an empty answer".to_owned();
            return Ok(AnswerIn::Error(told(message, "empty_response")));
        }
        let finish = Some(FinishReason::Refused);
        choices.push(Choice { parts: Vec::new(), finish, stop_sequence: None });
    }
    Ok(AnswerIn::Answer(Answer { id, model, created: None, choices, usage }))
}

/// A candidate as a choice; `None` when there is nothing to make one of.
fn choice(candidate: Candidate<'_>, ids: &mut CallIds) -> Option<Choice> {
    let mut parts = Vec::new();
    let mut held = Held::default();
    for said in candidate.said {
        match said {
            Said::Text { text, thought, seal } => {
                sealed::push_text(&mut parts, text, thought, seal);
            }
            Said::Call { id, name, arguments, seal } => {
                held.call = true;
                let id = ids.next(id, &name, &arguments);
                let arguments = Arguments::Json(arguments);
                let call = ToolCall { id, name, arguments, seal };
                parts.push(Part::new(PartBody::ToolCall(call)));
            }
            Said::Media { body, seal } => {
                parts.push(Part::new(body));
                sealed::push_seal(&mut parts, seal);
            }
        }
    }
    held.something = !parts.is_empty();
    if let Some(grounding) = candidate.grounding {
        cite(&mut parts, grounding);
    }
    let finish = match candidate.finish {
        Some(reason) => Some(finish::read(&reason, held)?),
        None if !held.something => return None,
        None => None,
    };
    Some(Choice { parts, finish, stop_sequence: None })
}

/// Segments count from the beginning of the answer's text, which is one part as a rule.
fn cite(parts: &mut [Part], grounding: crate::json::Raw<'_>) {
    let text = parts.iter_mut().find_map(|part| match &mut part.body {
        PartBody::Text { citations, .. } => Some(citations),
        _ => None,
    });
    if let Some(cited) = text {
        *cited = citations(grounding);
    }
}

#[cfg(test)]
mod tests;
