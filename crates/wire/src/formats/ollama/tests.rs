//! Fixtures of the format, and streams that are out of the ordinary.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::delta::{Close, Delta, Interpreter as _};
use crate::formats::golden::{Upstream, obeys_the_laws, refuses_or_drops};
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
