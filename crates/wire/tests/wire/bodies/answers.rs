//! Whole answers and errors: what reads is written for every client, and reads there again.

use tollgate_wire::conversation::{Answer, PartBody, Provenance};
use tollgate_wire::formats::openai_chat::{ErrorBody, read_answer, with_model};
use tollgate_wire::formats::translation::AnswerIn;

use super::client_streams::{data, frames};
use super::formats::{self, CLIENTS, Upstream, reply};
use super::valid::{assert_object, is_json};

/// The body of the targets `answer_…`.
pub(crate) fn check(upstream: &Upstream, data: &[u8]) {
    let error = (upstream.error)(data);
    assert_eq!((upstream.error)(data), error, "reading is a function");
    error.iter().for_each(check_error);
    if upstream.name == "openai_chat" && read_answer(data).is_ok() {
        assert_object(&with_model(data.to_vec().into(), "\"client\n"), "the renamed answer");
    }
    match (upstream.answer)(data) {
        Err(malformed) => {
            assert!(malformed.offset <= data.len() && malformed.line >= 1, "{malformed}");
        }
        Ok(AnswerIn::Error(error)) => check_error(&error),
        Ok(AnswerIn::Answer(answer)) => {
            assert!(is_json(data), "an answer was read from what is no JSON");
            check_answer(&answer);
        }
    }
}

/// The words of an error become an event for every client.
fn check_error(error: &ErrorBody) {
    let message = serde_json::to_string(&error.message).expect("any text is JSON");
    let json = format!("{{\"error\":{{\"message\":{message},\"type\":null}}}}");
    for client in &CLIENTS {
        let event = (client.error_event)(&json);
        for frame in frames(&event) {
            assert_object(&data(&frame), client.name);
        }
    }
}

/// An answer is written for every client, and is an answer to whoever reads it.
pub(crate) fn check_answer(answer: &Answer) {
    for client in &CLIENTS {
        let written = (client.answer)(answer, &reply());
        assert_object(&written, client.name);
        assert_eq!((client.answer)(answer, &reply()), written, "{}", client.name);
        let Some(upstream) = formats::upstream(client.name) else { continue };
        let text = String::from_utf8_lossy(&written);
        match (upstream.answer)(&written) {
            Ok(AnswerIn::Answer(_)) => {}
            // An answer that says nothing is none in `gemini`.
            Ok(AnswerIn::Error(_)) if is_empty(answer) => {}
            Ok(AnswerIn::Error(error)) => {
                panic!("{}: an answer became an error: {error:?}: {text}", client.name)
            }
            // A raw piece of it may stand deeper than it stood before.
            Err(malformed) if malformed.detail.contains("nest") => {}
            Err(malformed) => panic!("{}: {malformed}: {text}", client.name),
        }
    }
}

/// Whether no choice of an answer says or calls anything.
fn is_empty(answer: &Answer) -> bool {
    let mut parts = answer.choices.iter().flat_map(|choice| &choice.parts);
    parts.all(|part| match &part.body {
        PartBody::Text { text, .. } | PartBody::Refusal { text } => text.is_empty(),
        PartBody::Reasoning(block) => {
            block.text.is_empty() && block.provenance != Provenance::Gemini
        }
        PartBody::ToolCall(_) => false,
        // Media of answers go to few clients.
        PartBody::Image { .. }
        | PartBody::Document { .. }
        | PartBody::Audio { .. }
        | PartBody::ToolResult(_) => true,
    })
}
