//! Fixtures of the format: every case is read and written back, streams under every split of their
//! bytes.

use std::fs;
use std::path::Path;
use tollgate_domain::{Quantity, Usage, UsageKind};

use bytes::Bytes;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::capability::Capability;
use crate::conversation::{Conversation, FinishReason, Part, PartBody};
use crate::delta::{Close, Delta, Interpreter as _, Renderer as _};
use crate::formats::golden::{
    cases, check_error, check_splits, expect, lines, obeys_the_laws, text,
};
use crate::formats::translation::{AnswerIn, Leniency, Reply, Target};
use crate::formats::{anthropic_messages, gemini, openai_chat};
use crate::frame::sse::{RECORD_BYTES_MAX, SseFramer};
use crate::provider::Quirks;

pub(super) fn reply() -> Reply {
    let (model, id) = ("client-model".to_owned(), "call1".to_owned());
    Reply { model, id, created: 1, include_usage: true, seal: None }
}

#[test]
fn every_fixture_reads_and_writes_as_expected() {
    let cases = cases("openai_responses");
    assert!(cases.len() >= 30, "the fixtures are there");
    for case in cases {
        assert!(case.join("origin.toml").exists(), "{}", case.display());
        let given = ["request.json", "answer.json", "answer.sse", "error.json"];
        match given.map(|name| fs::read(case.join(name))) {
            [Ok(body), ..] => check_request(&case, &body.into()),
            [_, Ok(body), ..] => check_answer(&case, &body),
            [_, _, Ok(stream), _] => check_stream(&case, &stream),
            [.., Ok(body)] => check_error(&case, read_error(&body)),
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
    let leniency = Leniency::default();
    let target =
        Target { model, capability: &Capability::UNKNOWN, leniency, quirks: Quirks::none() };
    let written = from_conversation(&conversation, &target).expect("its own format");
    expect(case, "to.openai_responses.json", text(&written.body));
    assert!(written.dropped.is_empty(), "{}: {:?}", case.display(), written.dropped);
    let leniency = Leniency { drops: true, ..Leniency::default() };
    let target = Target { leniency, ..target };
    let told = match anthropic_messages::from_conversation(&conversation, &target) {
        Ok(other) => {
            expect(case, "to.anthropic_messages.json", text(&other.body));
            format!("dropped: {:?}\n", other.dropped)
        }
        Err(unsupported) => format!("{unsupported}\n"),
    };
    expect(case, "to.anthropic_messages.txt", &told);
    check_portable(case, body, conversation.clone());
    let again = to_conversation(&written.body, None).expect("what is written reads");
    let rewritten = from_conversation(&again, &target).expect("its own format");
    assert_eq!(rewritten.body, written.body, "{}", case.display());
}

/// What the client of a Codex session says goes to every format without leave to drop anything.
fn check_portable(case: &Path, body: &Bytes, mut conversation: Conversation) {
    if !case.file_name().is_some_and(|name| name.to_string_lossy().starts_with("request_codex")) {
        return;
    }
    let portable = make_portable(&mut conversation, body).expect("it is portable");
    expect(case, "portable.txt", &format!("dropped: {:?}\n", portable.dropped));
    let (capability, leniency) = (&Capability::UNKNOWN, Leniency::default());
    let target = Target { model: "gemini-3-pro", capability, leniency, quirks: Quirks::none() };
    let written = gemini::from_conversation(&conversation, &target).expect("gemini takes it");
    expect(case, "portable.gemini.json", text(&written.body));
    let target = Target { model: "m", ..target };
    let written = openai_chat::from_conversation(&conversation, &target).expect("chat takes it");
    expect(case, "portable.openai_chat.json", text(&written.body));
    let written = anthropic_messages::from_conversation(&conversation, &target);
    expect(
        case,
        "portable.anthropic_messages.json",
        text(&written.expect("messages take it").body),
    );
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
            assert_eq!(without_raw(again.choices), without_raw(answer.choices));
            // What was searched for is told by what is left out of a translated answer.
            let tokens = |usage: Option<Usage>| {
                usage.map(|usage| usage.with(UsageKind::Searches, Quantity::ZERO))
            };
            assert_eq!(tokens(again.usage), tokens(answer.usage), "{}", case.display());
        }
    }
}

/// The choices without the citations' own writing, whose spaces may differ.
fn without_raw(choices: Vec<crate::conversation::Choice>) -> String {
    let parts = choices.into_iter().flat_map(|choice| choice.parts).map(|part: Part| {
        if let PartBody::Text { text, citations } = part.body {
            let spans: Vec<_> = citations.into_iter().map(|c| (c.url, c.span)).collect();
            format!("{text} {spans:?}")
        } else {
            format!("{part:?}")
        }
    });
    parts.collect()
}

fn check_stream(case: &Path, stream: &[u8]) {
    let read = |pieces: &[&[u8]], _| interpret(pieces.iter().copied());
    let deltas = check_splits(case, stream, &[Close::Cut], &read);
    expect(case, "deltas.txt", &lines(&deltas));
    let rendered = render(&deltas);
    expect(case, "to.client.sse", text(&rendered));
    keeps_the_order(&rendered);
    let kept = |deltas: &[Delta]| -> Vec<Delta> {
        let beside = |d: &&Delta| !matches!(d, Delta::Begin { .. } | Delta::Failed(_));
        deltas.iter().filter(beside).cloned().collect()
    };
    assert_eq!(kept(&interpret([rendered.as_slice()])), kept(&deltas), "{}", case.display());
}

pub(super) fn interpret<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> Vec<Delta> {
    let mut framer = SseFramer::new(RECORD_BYTES_MAX);
    let mut interpreter = ResponsesInterpreter::new();
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

pub(super) fn render(deltas: &[Delta]) -> Vec<u8> {
    let mut renderer = ResponsesRenderer::new(reply());
    let mut out = Vec::new();
    deltas.iter().for_each(|delta| renderer.delta(delta, &mut out));
    out
}

/// The data of every event.
pub(super) fn events(stream: &[u8]) -> Vec<Value> {
    let mut framer = SseFramer::new(RECORD_BYTES_MAX);
    framer.push(stream);
    let frames = std::iter::from_fn(|| framer.next_frame().expect("short records"));
    frames
        .map(|frame| {
            let data: Value =
                serde_json::from_slice(&frame.data().expect("data")).expect("JSON in every event");
            assert_eq!(frame.event(), data["type"].as_str(), "the event's name is its type");
            data
        })
        .collect()
}

/// Events are numbered from 0 without a gap; items come and go once, and what is whole at the end
/// is what its own event said.
fn keeps_the_order(stream: &[u8]) {
    let events = events(stream);
    let mut done = Vec::new();
    for (number, event) in events.iter().enumerate() {
        assert_eq!(event["sequence_number"], number);
        match event["type"].as_str().expect("a type") {
            "response.output_item.done" => done.push(event["item"].clone()),
            "response.completed" | "response.incomplete" => {
                assert_eq!(event["response"]["output"], Value::Array(done.clone()));
                assert_eq!(number + 1, events.len(), "nothing follows the end");
            }
            _ => {}
        }
    }
}

#[test]
fn broken_records_are_named_and_unknown_ones_pass() {
    let mut interpreter = ResponsesInterpreter::new();
    let mut out = Vec::new();
    for passed in [&b"{\"type\":\"keepalive\"}"[..], b"[DONE]", b" ", b"{}"] {
        assert_eq!(interpreter.record(None, passed, &mut out), Ok(()));
    }
    assert!(out.is_empty());
    assert!(interpreter.record(Some("response.created"), b"{", &mut out).is_err());
}

#[test]
fn only_an_open_text_cites_and_only_reasoning_is_sealed() {
    let annotation = |item: u64| {
        json!({"type": "response.output_text.annotation.added", "output_index": item,
            "annotation": {"type": "url_citation", "url": "https://a.test"}})
    };
    let delta = |kind: &str, item: u64| {
        let kind = format!("response.{kind}.delta");
        json!({"type": kind, "output_index": item, "delta": "a"})
    };
    let done = |item: u64, whole: Value| -> Value {
        json!({"type": "response.output_item.done", "output_index": item, "item": whole})
    };
    let sealed = json!({"type": "reasoning", "encrypted_content": "seal", "summary": []});
    let message = json!({"type": "message", "content": []});
    for (events, cites) in [
        (vec![delta("output_text", 0), annotation(0)], 1),
        (vec![delta("output_text", 0), done(0, message), annotation(0)], 0),
        (vec![delta("refusal", 0), annotation(0)], 0),
        (vec![delta("output_text", 0), done(0, sealed)], 0),
    ] {
        let mut interpreter = ResponsesInterpreter::new();
        let mut deltas = Vec::new();
        for event in events {
            let record = event.to_string();
            interpreter.record(None, record.as_bytes(), &mut deltas).expect("a known event");
        }
        interpreter.close(Close::Clean, &mut deltas);
        obeys_the_laws(&deltas);
        let cited = deltas.iter().filter(|delta| matches!(delta, Delta::Cite { .. })).count();
        assert_eq!(cited, cites, "{deltas:?}");
        assert!(!deltas.iter().any(|delta| matches!(delta, Delta::Seal { .. })), "{deltas:?}");
    }
}

#[test]
fn finish_reasons_keep_their_meaning() {
    for (finish, status, reason) in [
        (FinishReason::Stop, "completed", None),
        (FinishReason::StopSequence, "completed", None),
        (FinishReason::ToolCalls, "completed", None),
        (FinishReason::Paused, "completed", None),
        (FinishReason::Length, "incomplete", Some("max_output_tokens")),
        (FinishReason::Refused, "incomplete", Some("content_filter")),
    ] {
        let (id, model, created) = (None, None, None);
        let finish = Delta::Finish { choice: 0, reason: finish, stop_sequence: None };
        let stream = render(&[Delta::Begin { id, model, created }, finish, Delta::End]);
        let last = events(&stream).pop().expect("an end");
        assert_eq!(last["type"], format!("response.{status}"));
        assert_eq!(last["response"]["status"], status);
        assert_eq!(last["response"]["incomplete_details"]["reason"].as_str(), reason);
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let words = prop::sample::select(vec![
        "type",
        "message",
        "role",
        "user",
        "assistant",
        "content",
        "input",
        "output",
        "tools",
        "function_call",
        "call_id",
        "reasoning",
        "summary",
        "text",
        "item",
        "response",
        "part",
        "output_text",
        "input_image",
        "image_url",
        "data:image/png;base64,AAAA",
        "delta",
        "response.output_item.done",
        "response.completed",
        "response.content_part.added",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (0..5_u64).prop_map(Value::from),
        words.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(words.clone().prop_map(String::from), inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_request_or_answer_panics(mut json in any_json(), bytes in any::<Vec<u8>>()) {
        let _ = to_conversation(&Bytes::from(bytes.clone()), None);
        let _ = to_answer(&bytes);
        let _ = read_error(&bytes);
        if let Some(object) = json.as_object_mut() {
            object.insert("model".to_owned(), "m".into());
        }
        let body = Bytes::from(json.to_string());
        if let Ok(conversation) = to_conversation(&body, None) {
            let leniency = Leniency { drops: true, ..Leniency::default() };
            let target = Target {
                model: "m",
                capability: &Capability::UNKNOWN,
                quirks: Quirks::none(),
                leniency,
            };
            let written = from_conversation(&conversation, &target).expect("everything drops");
            prop_assert!(serde_json::from_slice::<Value>(&written.body).is_ok());
        }
        if let Ok(AnswerIn::Answer(answer)) = to_answer(&body) {
            let written = from_answer(&answer, &reply());
            prop_assert!(serde_json::from_slice::<Value>(&written).is_ok());
        }
    }

    #[test]
    fn any_events_keep_the_laws(records in prop::collection::vec(any_json(), 0..12)) {
        let mut interpreter = ResponsesInterpreter::new();
        let mut deltas = Vec::new();
        for record in records {
            let _ = interpreter.record(None, record.to_string().as_bytes(), &mut deltas);
        }
        interpreter.close(Close::Clean, &mut deltas);
        obeys_the_laws(&deltas);
        keeps_the_order(&render(&deltas));
    }
}
