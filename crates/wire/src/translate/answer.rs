//! A whole answer on its way to the client, and what it consumed.

use bytes::Bytes;
use tollgate_domain::Usage;

use super::{ClientFormat, Pairing, observed};
use crate::WireFormat;
use crate::conversation::Answer;
use crate::formats::openai_chat::{AnswerRead, ErrorBody, read_answer, with_model};
use crate::formats::translation::{AnswerIn, Reply};
use crate::formats::{anthropic_messages, gemini, openai_chat, openai_responses};
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
    },
    /// An error that claims success.
    Error(ErrorBody),
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
        return Ok(match read_answer(&body)? {
            AnswerRead::Error(error) => WholeAnswer::Error(error),
            AnswerRead::Answer(facts) => WholeAnswer::Answer {
                body: with_model(body, &reply.model),
                usage: facts.usage,
                output_bytes: facts.output_bytes,
            },
        });
    }
    let answer = match read(pairing, &body)? {
        AnswerIn::Answer(answer) => answer,
        AnswerIn::Error(error) => return Ok(WholeAnswer::Error(error)),
    };
    let output_bytes = observed::output_bytes(&answer);
    let body = if pairing.passes() { body } else { write(pairing.client, &answer, reply).into() };
    Ok(WholeAnswer::Answer { body, usage: answer.usage, output_bytes })
}

fn read(pairing: &Pairing, body: &[u8]) -> Result<AnswerIn, Malformed> {
    match pairing.upstream {
        WireFormat::OpenAiChat => openai_chat::to_answer(body),
        WireFormat::OpenAiResponses => openai_responses::to_answer(body),
        WireFormat::AnthropicMessages => anthropic_messages::to_answer_in(body, &pairing.wording),
        WireFormat::Gemini => gemini::to_answer(body),
        WireFormat::BedrockConverse | WireFormat::Cohere | WireFormat::Ollama => {
            openai_chat::to_answer(body)
        }
    }
}

fn write(client: ClientFormat, answer: &Answer, reply: &Reply) -> Vec<u8> {
    match client {
        ClientFormat::OpenAiChat => openai_chat::from_answer(answer, reply),
        ClientFormat::OpenAiResponses => openai_responses::from_answer(answer, reply),
        ClientFormat::AnthropicMessages => anthropic_messages::from_answer(answer, reply),
        ClientFormat::Gemini => gemini::from_answer(answer, reply),
    }
}
