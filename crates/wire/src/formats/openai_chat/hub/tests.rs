//! Fixtures of the format: every case is read into the hub and written back, streams under every
//! split of their bytes.

use std::fs;
use std::path::Path;

use bytes::Bytes;

use super::*;
use crate::capability::Capability;
use crate::conversation::Conversation;
use crate::delta::{Close, Delta, Interpreter as _, Renderer as _};
use crate::formats::anthropic_messages;
pub(super) use crate::formats::golden::obeys_the_laws as check_laws;
use crate::formats::golden::{cases, check_splits, expect, text};
use crate::formats::translation::{AnswerIn, Leniency, Reply, Target};
use crate::frame::sse::{RECORD_BYTES_MAX, SseFramer};
use crate::provider::Quirks;

pub(super) fn reply(include_usage: bool) -> Reply {
    let (model, id) = ("client-model".to_owned(), "call1".to_owned());
    Reply { model, id, created: 1, include_usage, seal: None }
}

/// What is made of a stream that arrives in these pieces.
pub(super) fn interpret<'a>(pieces: impl IntoIterator<Item = &'a [u8]>, how: Close) -> Vec<Delta> {
    let mut framer = SseFramer::new(RECORD_BYTES_MAX);
    let mut frames = Vec::new();
    for piece in pieces {
        framer.push(piece);
        while let Some(frame) = framer.next_frame().expect("short records") {
            frames.push(frame);
        }
    }
    frames.extend(framer.finish());
    let mut interpreter = OpenAiChatInterpreter::new();
    let mut out = Vec::new();
    for frame in frames {
        let Some(data) = frame.data() else { continue };
        if interpreter.record(frame.event(), &data, &mut out).is_err() {
            break;
        }
    }
    interpreter.close(how, &mut out);
    out
}

pub(super) fn render(deltas: &[Delta], reply: Reply) -> String {
    let mut renderer = OpenAiChatRenderer::new(reply);
    let mut out = Vec::new();
    deltas.iter().for_each(|delta| renderer.delta(delta, &mut out));
    String::from_utf8(out).expect("texts stay texts")
}

#[test]
fn every_fixture_reads_and_writes_as_expected() {
    let cases = cases("openai_chat");
    assert!(cases.len() >= 50, "the fixtures are there");
    for case in cases {
        match ["request.json", "answer.json", "answer.sse"].map(|name| fs::read(case.join(name))) {
            [Ok(body), ..] => check_request(&case, &body.into()),
            [_, Ok(body), _] => check_answer(&case, &body),
            [_, _, Ok(stream)] => check_stream(&case, &stream),
            // Errors have no place in the hub but `ErrorBody`, which the passthrough reads.
            _ => assert!(case.join("error.json").exists(), "{} holds nothing", case.display()),
        }
    }
}

fn check_request(case: &Path, body: &Bytes) {
    let conversation = match to_conversation(body, None) {
        Ok(conversation) => conversation,
        Err(problem) => return expect(case, "refused.txt", &format!("{problem}\n")),
    };
    expect(case, "conversation.txt", &format!("{conversation:#?}\n"));
    let target = Target {
        model: "upstream-model",
        capability: &Capability::UNKNOWN,
        quirks: Quirks::none(),
        leniency: Leniency { drops: true, ..Leniency::default() },
    };
    let written = from_conversation(&conversation, &target).expect("everything may be dropped");
    expect(case, "to.openai_chat.json", text(&written.body));
    let changed = format!("dropped: {:?}\nadjusted: {:?}\n", written.dropped, written.adjusted);
    expect(case, "to.openai_chat.txt", &changed);
    check_messages(case, &conversation);
    let again = to_conversation(&written.body, None).expect("what is written reads");
    let rewritten = from_conversation(&again, &target).expect("what was written before");
    assert_eq!(text(&rewritten.body), text(&written.body), "{}", case.display());
}

/// The same request for an upstream that speaks the Messages API.
fn check_messages(case: &Path, conversation: &Conversation) {
    let model = "claude-sonnet-4-5";
    let target = Target {
        model,
        capability: Capability::of("anthropic", model),
        quirks: Quirks::none(),
        leniency: Leniency { drops: true, repairs: true, passes: &[] },
    };
    let said = match anthropic_messages::from_conversation(conversation, &target) {
        Ok(written) => {
            expect(case, "to.anthropic_messages.json", text(&written.body));
            format!("dropped: {:?}\nadjusted: {:?}\n", written.dropped, written.adjusted)
        }
        Err(problem) => format!("refused: {problem}\n"),
    };
    expect(case, "to.anthropic_messages.txt", &said);
}

fn check_answer(case: &Path, body: &[u8]) {
    let answer = match to_answer(body).expect("a JSON object") {
        AnswerIn::Answer(answer) => answer,
        AnswerIn::Error(error) => return expect(case, "failed.txt", &format!("{error:#?}\n")),
    };
    expect(case, "answer.txt", &format!("{answer:#?}\n"));
    let written = from_answer(&answer, &reply(false));
    expect(case, "to.openai_chat.json", text(&written));
    let messages = anthropic_messages::from_answer(&answer, &reply(false));
    expect(case, "to.anthropic_messages.json", text(&messages));
    let AnswerIn::Answer(again) = to_answer(&written).expect("JSON") else {
        panic!("{}: an answer became an error", case.display());
    };
    assert_eq!(from_answer(&again, &reply(false)), written, "{}", case.display());
}

fn check_stream(case: &Path, stream: &[u8]) {
    let read = |pieces: &[&[u8]], how| interpret(pieces.iter().copied(), how);
    let whole = check_splits(case, stream, &[Close::Cut], &read);
    expect(case, "deltas.txt", &format!("{whole:#?}\n"));
    let rendered = render(&whole, reply(true));
    expect(case, "to.openai_chat.sse", &rendered);
    let mut messages = anthropic_messages::MessagesRenderer::new(reply(true));
    let mut out = Vec::new();
    whole.iter().for_each(|delta| messages.delta(delta, &mut out));
    expect(case, "to.anthropic_messages.sse", text(&out));
    let again = interpret([rendered.as_bytes()], Close::Clean);
    check_laws(&again);
    assert_eq!(render(&again, reply(true)), rendered, "{}", case.display());
}
