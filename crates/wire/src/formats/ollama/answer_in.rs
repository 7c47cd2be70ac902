//! Reading a buffered answer.

use super::error::unanswered;
use super::finish;
use super::said::Said;
use crate::conversation::{
    Answer, Arguments, Choice, Part, PartBody, Provenance, ReasoningBlock, ToolCall,
};
use crate::formats::call_ids::CallIds;
use crate::formats::translation::AnswerIn;
use crate::json::{Malformed, Object};

/// Reads the body of an answer with status 200. One for which the server only loaded the model is
/// an error.
///
/// # Errors
/// [`Malformed`] when the body is not a JSON object.
pub fn to_answer(body: &[u8]) -> Result<AnswerIn, Malformed> {
    read(body, CallIds::default())
}

/// The same for the answer to a call of this id, which goes into the ids of the model's calls.
///
/// # Errors
/// As [`to_answer`].
pub fn to_answer_of(body: &[u8], call: &str) -> Result<AnswerIn, Malformed> {
    read(body, CallIds::of_call(call))
}

fn read(body: &[u8], ids: CallIds) -> Result<AnswerIn, Malformed> {
    let mut said = Said::read(&Object::scan(body)?);
    if let Some(error) = said.error.take() {
        return Ok(AnswerIn::Error(error));
    }
    let mut finish = None;
    if let Some(reason) = &said.done {
        finish = finish::read(reason, !said.calls.is_empty());
        if finish.is_none() {
            return Ok(AnswerIn::Error(unanswered(reason)));
        }
    }
    let created = said.created();
    Ok(AnswerIn::Answer(Answer {
        id: None,
        model: said.model.take(),
        created,
        usage: said.usage.take(),
        choices: vec![Choice { parts: parts(said, ids), finish, stop_sequence: None }],
    }))
}

fn parts(said: Said, mut ids: CallIds) -> Vec<Part> {
    ids.learn(said.created_at.as_ref());
    let thought = said.thinking.map(|text| {
        let provenance = Provenance::Plain;
        PartBody::Reasoning(ReasoningBlock { text, seal: None, redacted: false, provenance })
    });
    let text = said.text.map(|text| PartBody::Text { text, citations: Vec::new() });
    let calls = said.calls.into_iter().map(|mut call| {
        let id = call.id(&mut ids);
        let arguments = Arguments::Json(call.arguments);
        PartBody::ToolCall(ToolCall { id, name: call.name, arguments, seal: None })
    });
    thought.into_iter().chain(text).chain(calls).map(Part::new).collect()
}
