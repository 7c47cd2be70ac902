//! Fixtures of the format: every case is read and written back, streams under every split of their
//! bytes.

use std::fs;
use std::path::Path;
use tollgate_domain::{Quantity, Usage, UsageKind};

use bytes::Bytes;

use super::*;
use crate::capability::Capability;
use crate::conversation::Conversation;
use crate::delta::{Close, Delta, Interpreter as _, Renderer as _};
use crate::formats::golden::{cases, check_error, check_splits, expect, lines, text};
use crate::formats::openai_chat;
use crate::formats::translation::{AnswerIn, Leniency, Reply, Target};
use crate::frame::sse::{RECORD_BYTES_MAX, SseFramer};
use crate::provider::Quirks;

/// The models whose generations are written differently, and the fixtures' names for them.
const MODELS: [(&str, &str); 2] =
    [("gemini-3-pro-preview", "gemini_3"), ("gemini-2.5-flash", "gemini_2_5")];

fn reply() -> Reply {
    let (model, id) = ("client-model".to_owned(), "call1".to_owned());
    Reply { model, id, created: 1, include_usage: true, seal: None }
}

#[test]
fn every_fixture_reads_and_writes_as_expected() {
    let cases = cases("gemini");
    assert!(cases.len() >= 20, "the fixtures are there");
    for case in cases {
        assert!(case.join("origin.toml").exists(), "{}", case.display());
        let given =
            ["request.json", "request.openai_chat.json", "answer.json", "answer.sse", "error.json"];
        match given.map(|name| fs::read(case.join(name))) {
            [Ok(body), ..] => check_request(&case, &body.into()),
            [_, Ok(body), ..] => {
                let read = openai_chat::to_conversation(&body.into(), None).expect("a request");
                check_written(&case, &read);
            }
            [_, _, Ok(body), ..] => check_answer(&case, &body),
            [_, _, _, Ok(stream), _] => check_stream(&case, &stream),
            [.., Ok(body)] => check_error(&case, read_error(&body)),
            _ => panic!("{} holds nothing", case.display()),
        }
    }
}

fn check_request(case: &Path, body: &Bytes) {
    let conversation = match to_conversation(body, Some("client-model"), true) {
        Ok(conversation) => conversation,
        Err(problem) => return expect(case, "refused.txt", &format!("{problem}\n")),
    };
    expect(case, "conversation.txt", &format!("{conversation:#?}\n"));
    check_written(case, &conversation);
}

/// What a request is written as for models of every generation.
fn check_written(case: &Path, conversation: &Conversation) {
    for (model, name) in MODELS {
        let leniency = Leniency { drops: true, ..Leniency::default() };
        let target =
            Target { model, capability: &Capability::UNKNOWN, quirks: Quirks::none(), leniency };
        let written = from_conversation(conversation, &target).expect("its own format");
        expect(case, &format!("to.{name}.json"), text(&written.body));
        let changed = format!("dropped: {:?}\nadjusted: {:?}\n", written.dropped, written.adjusted);
        expect(case, &format!("to.{name}.txt"), &changed);
        // What was written reads, and is written the same again.
        let again = to_conversation(&written.body, Some("client-model"), true).expect("it reads");
        let rewritten = from_conversation(&again, &target).expect("its own format");
        assert_eq!(rewritten.body, written.body, "{}", case.display());
    }
}

fn check_answer(case: &Path, body: &[u8]) {
    match to_answer(body).expect("an object") {
        AnswerIn::Error(error) => expect(case, "error.txt", &format!("{error:#?}\n")),
        AnswerIn::Answer(answer) => {
            expect(case, "answer.txt", &format!("{answer:#?}\n"));
            let written = from_answer(&answer, &reply());
            expect(case, "to.client.json", text(&written));
            let AnswerIn::Answer(again) = to_answer(&written).expect("an object") else {
                panic!("{} reads as an error", case.display());
            };
            // What was searched for is told by what is left out of a translated answer.
            let tokens = |usage: Option<Usage>| {
                usage.map(|usage| usage.with(UsageKind::Searches, Quantity::ZERO))
            };
            assert_eq!(tokens(again.usage.clone()), tokens(answer.usage), "{}", case.display());
            assert_eq!(from_answer(&again, &reply()), written, "{}", case.display());
        }
    }
}

fn check_stream(case: &Path, stream: &[u8]) {
    let read = |pieces: &[&[u8]], how| interpret(pieces.iter().copied(), how);
    let deltas = check_splits(case, stream, &[Close::Cut], &read);
    expect(case, "deltas.txt", &lines(&deltas));
    let rendered = render(&deltas);
    // The expectation's file holds plain line ends; that the bytes have Google's is checked here.
    let lines = text(&rendered);
    assert_eq!(lines.matches('\n').count(), lines.matches("\r\n").count(), "CRLF everywhere");
    expect(case, "to.client.sse", &lines.replace("\r\n", "\n"));
    let rendered = interpret([rendered.as_slice()], Close::Clean);
    if deltas.contains(&Delta::End) {
        assert_eq!(kept(&rendered), kept(&deltas), "{}", case.display());
    } else {
        assert!(!rendered.contains(&Delta::End), "{}", case.display());
    }
}

/// Without what a client is told otherwise than the upstream told it: names, raw citations and when
/// the usage comes. One part after the other, because the reasons why candidates end are told last.
fn kept(deltas: &[Delta]) -> Vec<Delta> {
    let beside = |d: &&Delta| {
        !matches!(d, Delta::Begin { .. } | Delta::Usage(_) | Delta::Failed(_) | Delta::Cite { .. })
    };
    let mut kept: Vec<Delta> = deltas.iter().filter(beside).cloned().collect();
    kept.sort_by_key(|delta| match delta {
        Delta::Open { part, .. }
        | Delta::More { part, .. }
        | Delta::Seal { part, .. }
        | Delta::Close { part } => *part,
        _ => u32::MAX,
    });
    kept
}

fn interpret<'a>(chunks: impl IntoIterator<Item = &'a [u8]>, how: Close) -> Vec<Delta> {
    let mut framer = SseFramer::new(RECORD_BYTES_MAX);
    let mut interpreter = GeminiInterpreter::new();
    let mut deltas = Vec::new();
    let mut feed = |frame: &crate::frame::sse::SseFrame, deltas: &mut Vec<Delta>| {
        let Some(data) = frame.data().filter(|_| frame.is_terminated()) else { return };
        interpreter.record(frame.event(), &data, deltas).expect("valid records");
    };
    for chunk in chunks {
        framer.push(chunk);
        while let Some(frame) = framer.next_frame().expect("short records") {
            feed(&frame, &mut deltas);
        }
    }
    framer.finish().iter().for_each(|frame| feed(frame, &mut deltas));
    interpreter.close(how, &mut deltas);
    deltas
}

fn render(deltas: &[Delta]) -> Vec<u8> {
    let mut renderer = GeminiRenderer::new(reply());
    let mut out = Vec::new();
    deltas.iter().for_each(|delta| renderer.delta(delta, &mut out));
    out
}
