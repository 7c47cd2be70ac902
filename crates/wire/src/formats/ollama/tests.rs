//! Fixtures of the format, and streams that are out of the ordinary.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::conversation::PartBody;
use crate::delta::{Close, Delta, Interpreter as _, PartKind};
use crate::formats::golden::{Upstream, obeys_the_laws, refuses_or_drops};
use crate::formats::translation::AnswerIn;
use crate::frame::json_lines::JsonFramer;
use crate::frame::sse::RECORD_BYTES_MAX;

#[test]
fn every_fixture_reads_and_writes_as_expected() {
    let format = Upstream {
        name: "ollama",
        cases_min: 18,
        stream: "answer.ndjson",
        from_conversation,
        to_answer,
        read_error,
        interpret,
    };
    format.check();
}

fn interpret(chunks: &[&[u8]], how: Close) -> Vec<Delta> {
    let mut framer = JsonFramer::new(RECORD_BYTES_MAX);
    let mut interpreter = OllamaInterpreter::new();
    let mut deltas = Vec::new();
    for chunk in chunks {
        framer.push(chunk);
        while let Some(record) = framer.next_record().expect("objects") {
            interpreter.record(None, &record, &mut deltas).expect("valid records");
        }
    }
    interpreter.close(how, &mut deltas);
    deltas
}

#[test]
fn what_the_api_lacks_is_refused_by_the_clients_name_or_left_out() {
    let function = json!([{"type": "function", "function": {"name": "f"}}]);
    for (members, field) in [
        (json!({"n": 2}), "n"),
        (json!({"logit_bias": {"1": 2}}), "logit_bias"),
        (json!({"tools": function, "tool_choice": "required"}), "tool_choice"),
        (json!({"tools": [{"type": "custom", "custom": {"name": "f"}}]}), "tools[0]"),
    ] {
        refuses_or_drops(from_conversation, &members, field);
    }
}

#[test]
fn answers_that_began_at_the_same_instant_give_their_calls_different_ids() {
    let body = r#"{"model":"m","created_at":"2026-01-01T00:00:00Z","done":true,
        "done_reason":"stop","message":{"role":"assistant","content":"",
        "tool_calls":[{"function":{"name":"f","arguments":{}}}]}}"#;
    let ids = |call: &str| -> (String, String) {
        let Ok(AnswerIn::Answer(answer)) = to_answer_of(body.as_bytes(), call) else {
            panic!("no answer")
        };
        let PartBody::ToolCall(whole) = &answer.choices[0].parts[0].body else { panic!("no call") };
        let mut deltas = Vec::new();
        let mut interpreter = OllamaInterpreter::of_call(call);
        interpreter.record(None, body.as_bytes(), &mut deltas).expect("an object");
        let streamed = deltas.into_iter().find_map(|delta| match delta {
            Delta::Open { kind: PartKind::ToolCall { id, .. }, .. } => Some(id.to_string()),
            _ => None,
        });
        (whole.id.to_string(), streamed.expect("a call"))
    };
    let call = "0190aaaa-bbbb-7ccc-8ddd-eeeeffff0001";
    let (whole, streamed) = ids(call);
    assert_eq!(whole, streamed, "the same however the answer came");
    assert_eq!(whole, "call_0190aaaabbbb7ccc8dddeeeeffff_0");
    assert_ne!(whole, ids("0190aaaa-bbbc-7ccc-8ddd-eeeeffff0001").0);
    assert!(whole.len() <= 40, "some providers take no longer ids");
}

#[test]
fn an_object_that_cannot_be_read_says_what_is_wrong() {
    let broken = OllamaInterpreter::new().record(None, b"{\"done\":", &mut Vec::new());
    assert!(broken.expect_err("broken").contains("expected"));
    assert_eq!(OllamaInterpreter::new().record(None, b" ", &mut Vec::new()), Ok(()));
}

fn any_object() -> impl Strategy<Value = Value> {
    let text = || prop::sample::select(vec![json!(null), json!(""), json!("é"), json!(7)]);
    let call = json!([{"function": {"name": "f", "arguments": {"a": 1}}}, {}]);
    let calls = prop::option::of(Just(call));
    let done = prop::option::weighted(0.1, prop::sample::select(vec!["stop", "load"]));
    let error = prop::option::weighted(0.05, Just("no"));
    (text(), text(), calls, done, error).prop_map(|(thinking, content, calls, done, error)| {
        json!({
            "message": {"thinking": thinking, "content": content, "tool_calls": calls},
            "done": done.is_some(), "done_reason": done, "error": error,
        })
    })
}

proptest! {
    #[test]
    fn whatever_comes_every_part_is_opened_and_closed_once(
        objects in prop::collection::vec(any_object(), 0..12),
    ) {
        let mut interpreter = OllamaInterpreter::new();
        let mut deltas = Vec::new();
        for object in objects {
            interpreter.record(None, object.to_string().as_bytes(), &mut deltas).expect("valid");
        }
        interpreter.close(Close::Clean, &mut deltas);
        obeys_the_laws(&deltas);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in any::<Vec<u8>>()) {
        _ = to_answer(&bytes);
        _ = read_error(&bytes);
        _ = OllamaInterpreter::new().record(None, &bytes, &mut Vec::new());
    }
}
