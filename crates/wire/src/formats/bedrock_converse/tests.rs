//! Fixtures of the format: requests of clients are written for models of every kind, answers are
//! read, streams under every split of their bytes.

use std::fs;
use std::path::Path;

use bytes::Bytes;
use serde_json::Value;

use super::*;
use crate::capability::Capability;
use crate::conversation::Conversation;
use crate::delta::{Close, Delta, Interpreter as _};
use crate::formats::golden::{cases, check_error, check_splits, expect, lines, text};
use crate::formats::translation::{AnswerIn, Leniency, Target};
use crate::formats::{anthropic_messages, golden, openai_chat};
use crate::frame::aws_events::{AWS_EVENT_BYTES_MAX, AwsEventFramer, message};
use crate::provider::Quirks;

/// The models whose families are written for differently, and the fixtures' names for them.
const MODELS: [(&str, &str); 5] = [
    ("us.anthropic.claude-opus-4-7", "adaptive"),
    ("anthropic.claude-sonnet-4-5-20250929-v1:0", "budget"),
    ("us.amazon.nova-2-lite-v1:0", "levels"),
    ("openai.gpt-oss-120b-1:0", "effort"),
    ("mistral.mistral-large-2407-v1:0", "plain"),
];

#[test]
fn every_fixture_reads_and_writes_as_expected() {
    let cases = cases("bedrock_converse");
    assert!(cases.len() >= 25, "the fixtures are there");
    let files = ["request.openai_chat.json", "request.anthropic_messages.json"];
    for case in cases {
        assert!(case.join("origin.toml").exists(), "{}", case.display());
        let read = |name| fs::read(case.join(name)).map(Bytes::from);
        if let Ok(body) = read(files[0]) {
            check_request(&case, &openai_chat::to_conversation(&body, None).expect("it reads"));
        } else if let Ok(body) = read(files[1]) {
            let c = anthropic_messages::to_conversation(&body, None).expect("it reads");
            check_request(&case, &c);
        } else if let Ok(body) = read("answer.json") {
            check_answer(&case, &body);
        } else if let Ok(body) = read("error.json") {
            check_error(&case, read_error(&body));
        } else {
            check_stream(&case, &fs::read_to_string(case.join("answer.tsv")).expect("a stream"));
        }
    }
}

fn check_request(case: &Path, c: &Conversation) {
    for (model, name) in MODELS {
        let capability = Capability::of("bedrock", model);
        let leniency = Leniency { drops: true, repairs: true, ..Leniency::default() };
        let target = Target { model, capability, leniency, quirks: Quirks::none() };
        let told = match from_conversation(c, &target) {
            Ok(written) => {
                assert_eq!(from_conversation(c, &target), Ok(written.clone()), "alike each time");
                let body: Value = serde_json::from_slice(&written.body).expect("JSON");
                keeps_the_rules(&body);
                expect(case, &format!("to.{name}.json"), text(&written.body));
                format!("dropped: {:?}\nadjusted: {:?}\n", written.dropped, written.adjusted)
            }
            Err(unsupported) => format!("{unsupported}\n"),
        };
        expect(case, &format!("to.{name}.txt"), &told);
    }
}

/// What the service checks of every body.
pub(super) fn keeps_the_rules(body: &Value) {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    assert!(body["model"].is_null() && body["stream"].is_null(), "they stand in the address");
    let mut speaker = "assistant".to_owned();
    let (mut points, mut tools) = (0, false);
    for turn in list(&body["messages"]) {
        let role = turn["role"].as_str().expect("a role").to_owned();
        assert_ne!(role, speaker, "turns alternate and the user begins");
        speaker = role;
        let content = list(&turn["content"]);
        assert!(!content.is_empty() && content[0]["cachePoint"].is_null());
        let documents = content.iter().any(|block| !block["document"].is_null());
        assert!(!documents || content.iter().any(|block| block["text"].is_string()));
        for block in &content {
            assert_eq!(block.as_object().expect("a union").len(), 1, "{block}");
            assert!(block["text"].as_str().is_none_or(|text| !text.trim().is_empty()));
            points += usize::from(!block["cachePoint"].is_null());
            tools |= !block["toolUse"].is_null() || !block["toolResult"].is_null();
        }
    }
    points += list(&body["system"]).iter().filter(|b| !b["cachePoint"].is_null()).count();
    let declared = list(&body["toolConfig"]["tools"]);
    points += declared.iter().filter(|tool| !tool["cachePoint"].is_null()).count();
    assert!(points <= 4, "{points} cache points");
    assert!(!tools || !declared.is_empty(), "what was called is declared");
    for tool in declared.iter().filter_map(|tool| tool["toolSpec"]["name"].as_str()) {
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        assert!((1..=64).contains(&tool.len()) && tool.chars().all(fits), "{tool}");
    }
}

fn check_answer(case: &Path, body: &[u8]) {
    match to_answer(body).expect("an object") {
        AnswerIn::Error(error) => expect(case, "error.txt", &format!("{error:#?}\n")),
        AnswerIn::Answer(answer) => expect(case, "answer.txt", &format!("{answer:#?}\n")),
    }
}

fn check_stream(case: &Path, table: &str) {
    let stream = framed(table);
    let read = |pieces: &[&[u8]], how| interpret(pieces.iter().copied(), how);
    let deltas = check_splits(case, &stream, &[Close::Cut], &read);
    expect(case, "deltas.txt", &lines(&deltas));
    usage_comes_last(&deltas);
}

/// Lines of an event's name, a tab and its payload as an event stream; the name of an exception
/// begins with `!`.
pub(super) fn framed(lines: &str) -> Vec<u8> {
    let mut stream = Vec::new();
    for (name, payload) in lines.lines().filter_map(|line| line.split_once('\t')) {
        let headers = match name.strip_prefix('!') {
            Some(name) => [(":exception-type", name), (":message-type", "exception")],
            None => [(":event-type", name), (":message-type", "event")],
        };
        stream.extend_from_slice(&message(&headers, payload.as_bytes()).expect("it fits"));
    }
    stream
}

/// What the chunks of a stream say, as a driver feeds them.
pub(super) fn interpret<'a>(chunks: impl IntoIterator<Item = &'a [u8]>, how: Close) -> Vec<Delta> {
    let mut framer = AwsEventFramer::new(AWS_EVENT_BYTES_MAX);
    let mut interpreter = BedrockConverseInterpreter::new();
    let mut deltas = Vec::new();
    for chunk in chunks {
        framer.push(chunk);
        while let Some(event) = framer.next_record().expect("whole messages") {
            let name = event.event_type().or_else(|| event.exception_type());
            interpreter.record(name, event.payload(), &mut deltas).expect("valid records");
        }
    }
    interpreter.close(how, &mut deltas);
    deltas
}

/// The laws of every stream; and the usage is told once at most, as the last word before the end.
pub(super) fn obeys_the_laws(deltas: &[Delta]) {
    golden::obeys_the_laws(deltas);
    usage_comes_last(deltas);
}

fn usage_comes_last(deltas: &[Delta]) {
    if let Some(at) = deltas.iter().position(|delta| matches!(delta, Delta::Usage(_))) {
        let after = &deltas[at + 1..];
        assert!(matches!(after, [] | [Delta::End | Delta::Failed(_)]), "{after:?}");
    }
}
