//! Reading a buffered answer: its usage, its size and whether it is an answer at all.

use bytes::Bytes;
use tollgate_domain::Usage;

use super::choice::Choice;
use super::error::{ErrorBody, error_within};
use super::usage::Reported;
use crate::json::{Malformed, Object, Raw, Splice, quoted};

/// What was observed in an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerFacts {
    /// The usage in disjoint kinds, where the upstream reported any.
    pub usage: Option<Usage>,
    /// UTF-8 bytes of content, refusal, reasoning and tool arguments over all choices.
    pub output_bytes: u64,
    /// Whether there are choices and each has a finish reason.
    pub finished: bool,
    /// Odd numbers in the usage: see `gateway_usage_anomalies_total`.
    pub usage_anomalies: u64,
}

/// What the body of an answer with status 200 turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnswerRead {
    /// An answer.
    Answer(AnswerFacts),
    /// An error inside a 200, which some upstreams send.
    Error(ErrorBody),
}

/// Reads the body of an answer with status 200.
///
/// # Errors
/// [`Malformed`] when the body is not a JSON object.
pub fn read_answer(body: &[u8]) -> Result<AnswerRead, Malformed> {
    let object = Object::scan(body)?;
    if let Some(error) = error_within(&object) {
        return Ok(AnswerRead::Error(error));
    }
    let mut output_bytes = 0;
    let mut finished = object.value("choices").is_some_and(Raw::holds_something);
    for choice in object.value("choices").into_iter().flat_map(Raw::elements).map(Choice::read) {
        if let Some(error) = choice.error {
            return Ok(AnswerRead::Error(error));
        }
        output_bytes += choice.output.bytes;
        finished &= choice.finished;
    }
    let mut reported = Reported::default();
    reported.take(object.value("usage"), object.value("x_groq"));
    Ok(AnswerRead::Answer(AnswerFacts {
        usage: reported.usage(),
        output_bytes,
        finished,
        usage_anomalies: reported.anomalies(),
    }))
}

/// The body with another name in its top-level `model`; a body that has none, or is no JSON object,
/// is not touched.
#[must_use]
pub fn with_model(body: Bytes, model: &str) -> Bytes {
    let Ok(object) = Object::scan(&body) else { return body };
    let model = quoted(model);
    let mut present = object.members().iter().filter(|member| member.name == "model");
    if present.all(|member| member.value == model) {
        return body;
    }
    let mut splice = Splice::new(&body, &object);
    splice.set("model", model);
    splice.finish()
}

#[cfg(test)]
mod tests;
