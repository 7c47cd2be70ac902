//! Fixtures of the format: every case is read and written back, streams under every split of their
//! bytes.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use expect_test::expect_file;
use tollgate_domain::Usage;

use super::*;
use crate::capability::Capability;
use crate::delta::{Close, Delta, Interpreter as _, Renderer as _};
use crate::formats::translation::{AnswerIn, Leniency, Reply, Target};
use crate::frame::sse::{RECORD_BYTES_MAX, SseFramer};

fn reply() -> Reply {
    let (model, id) = ("client-model".to_owned(), "call1".to_owned());
    Reply { model, id, created: 1, include_usage: true }
}

#[test]
fn every_fixture_reads_and_writes_as_expected() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/anthropic_messages");
    let mut cases: Vec<PathBuf> =
        fs::read_dir(root).expect("the fixtures").map(|e| e.expect("a case").path()).collect();
    cases.sort();
    assert!(cases.len() >= 15, "the fixtures are there");
    for case in cases {
        assert!(case.join("origin.toml").exists(), "{}", case.display());
        match ["request.json", "answer.json", "answer.sse"].map(|name| fs::read(case.join(name))) {
            [Ok(body), ..] => check_request(&case, &body.into()),
            [_, Ok(body), _] => check_answer(&case, &body),
            [_, _, Ok(stream)] => check_stream(&case, &stream),
            _ => panic!("{} holds nothing", case.display()),
        }
    }
}

fn check_request(case: &Path, body: &Bytes) {
    let conversation = match to_conversation(body, None) {
        Ok(conversation) => conversation,
        Err(problem) => return expect(case, "refused.txt", &format!("{problem}\n")),
    };
    expect(case, "conversation.txt", &format!("{conversation:#?}\n"));
    let model = conversation.model.as_str();
    let target = Target {
        model,
        capability: Capability::of("anthropic", model),
        leniency: Leniency::default(),
    };
    let written = from_conversation(&conversation, &target).expect("its own format");
    expect(case, "to.anthropic_messages.json", text(&written.body));
    let changed = format!("dropped: {:?}\nadjusted: {:?}\n", written.dropped, written.adjusted);
    expect(case, "to.anthropic_messages.txt", &changed);
    // What was written reads as the same conversation and is written the same again.
    let again = to_conversation(&written.body, None).expect("what is written reads");
    let rewritten = from_conversation(&again, &target).expect("its own format");
    assert_eq!(rewritten.body, written.body, "{}", case.display());
}

fn check_answer(case: &Path, body: &[u8]) {
    match to_answer(body).expect("an object") {
        AnswerIn::Error(error) => expect(case, "error.txt", &format!("{error:#?}\n")),
        AnswerIn::Answer(answer) => {
            let written = from_answer(&answer, &reply());
            expect(case, "to.client.json", text(&written));
            let AnswerIn::Answer(again) = to_answer(&written).expect("an object") else {
                panic!("{} reads as an error", case.display());
            };
            let sums = |usage: Option<Usage>| usage.map(|u| (u.prompt(), u.completion()));
            assert_eq!(sums(again.usage.clone()), sums(answer.usage), "{}", case.display());
            assert_eq!(from_answer(&again, &reply()), written, "{}", case.display());
        }
    }
}

fn check_stream(case: &Path, stream: &[u8]) {
    let deltas = interpret([stream]);
    let lines = deltas.iter().fold(String::new(), |mut lines, delta| {
        writeln!(lines, "{delta:?}").expect("a string takes any text");
        lines
    });
    expect(case, "deltas.txt", &lines);
    for at in 0..stream.len() {
        let (head, tail) = stream.split_at(at);
        assert_eq!(interpret([head, tail]), deltas, "{} at {at}", case.display());
        obeys_the_laws(&interpret([head]));
    }
    let rendered = render(&deltas);
    expect(case, "to.client.sse", text(&rendered));
    let kept = |deltas: &[Delta]| -> Vec<Delta> {
        let beside =
            |d: &&Delta| !matches!(d, Delta::Begin { .. } | Delta::Usage(_) | Delta::Failed(_));
        deltas.iter().filter(beside).cloned().collect()
    };
    assert_eq!(kept(&interpret([rendered.as_slice()])), kept(&deltas), "{}", case.display());
}

fn interpret<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> Vec<Delta> {
    let mut framer = SseFramer::new(RECORD_BYTES_MAX);
    let mut interpreter = MessagesInterpreter::new();
    let mut deltas = Vec::new();
    for chunk in chunks {
        framer.push(chunk);
        while let Some(frame) = framer.next_frame().expect("short records") {
            let Some(data) = frame.data() else { continue };
            interpreter.record(frame.event(), &data, &mut deltas).expect("valid records");
        }
    }
    interpreter.close(Close::Cut, &mut deltas);
    deltas
}

fn obeys_the_laws(deltas: &[Delta]) {
    let mut open = Vec::new();
    for delta in deltas {
        match delta {
            Delta::Open { part, .. } => open.push(*part),
            Delta::Close { part } => {
                let at = open.iter().position(|open| open == part).expect("it was opened");
                open.remove(at);
            }
            _ => {}
        }
    }
    assert!(open.is_empty(), "what is opened is closed");
    let end = deltas.iter().position(|delta| *delta == Delta::End);
    assert!(end.is_none_or(|at| at + 1 == deltas.len()), "nothing follows the end");
}

fn render(deltas: &[Delta]) -> Vec<u8> {
    let mut renderer = MessagesRenderer::new(reply());
    let mut out = Vec::new();
    deltas.iter().for_each(|delta| renderer.delta(delta, &mut out));
    out
}

fn expect(case: &Path, name: &str, text: &str) {
    expect_file![case.join(name)].assert_eq(text);
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("UTF-8")
}
