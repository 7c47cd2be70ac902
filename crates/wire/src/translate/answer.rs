//! A whole answer on its way to the client, and what it consumed.

use bytes::Bytes;
use tollgate_domain::Usage;

use super::{Pairing, Thought, observed};
use crate::formats::openai_chat::{self, AnswerRead, ErrorBody, read_answer, with_model};
use crate::formats::translation::{AnswerIn, Reply};
use crate::json::Malformed;

/// What a body with a success status turned out to be.
#[derive(Debug, Clone, PartialEq)]
pub enum WholeAnswer {
    /// An answer, in the client's format.
    Answer {
        /// The body for the client.
        body: Bytes,
        /// What it consumed, in disjoint kinds, where the upstream reported any.
        usage: Option<Usage>,
        /// UTF-8 bytes of content, refusals, reasoning and tool arguments.
        output_bytes: u64,
        /// What the model thought before it called tools, where that is noted.
        thought: Option<Thought>,
    },
    /// An error that claims success.
    Error(ErrorBody),
    /// An answer without the form that was asked for.
    NotProduced {
        /// What is wrong with it, in words.
        why: String,
        /// What it consumed, in disjoint kinds, where the upstream reported any.
        usage: Option<Usage>,
        /// UTF-8 bytes of content, refusals, reasoning and tool arguments.
        output_bytes: u64,
    },
}

/// Reads an upstream's whole answer. Where client and upstream speak the same format it is the
/// upstream's own bytes; in chat, with the client's name of the model.
///
/// # Errors
/// [`Malformed`] when the body is no JSON object.
pub fn whole_answer(
    pairing: &Pairing,
    body: Bytes,
    reply: &Reply,
) -> Result<WholeAnswer, Malformed> {
    if pairing.is_chat() {
        let thought = pairing.notes_thoughts().then(|| thought_in_chat(&body)).flatten();
        return Ok(match read_answer(&body)? {
            AnswerRead::Error(error) => WholeAnswer::Error(error),
            AnswerRead::Answer(facts) => WholeAnswer::Answer {
                body: with_model(body, &reply.model),
                usage: facts.usage,
                output_bytes: facts.output_bytes,
                thought,
            },
        });
    }
    let mut answer = match pairing.read(&body, &reply.id)? {
        AnswerIn::Answer(answer) => answer,
        AnswerIn::Error(error) => return Ok(WholeAnswer::Error(error)),
    };
    let output_bytes = observed::output_bytes(&answer);
    if let Some(Err(why)) = pairing.form().map(|form| form.settle(&mut answer)) {
        return Ok(WholeAnswer::NotProduced { why, usage: answer.usage, output_bytes });
    }
    let thought = pairing.notes_thoughts().then(|| Thought::of(&answer)).flatten();
    let body = if pairing.passes() { body } else { pairing.write(&answer, reply).into() };
    Ok(WholeAnswer::Answer { body, usage: answer.usage, output_bytes, thought })
}

fn thought_in_chat(body: &[u8]) -> Option<Thought> {
    match openai_chat::to_answer(body) {
        Ok(AnswerIn::Answer(answer)) => Thought::of(&answer),
        Ok(AnswerIn::Error(_)) | Err(_) => None,
    }
}
