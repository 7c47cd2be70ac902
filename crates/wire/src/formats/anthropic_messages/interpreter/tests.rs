//! Streams that are out of the ordinary.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::conversation::FinishReason;

fn start() -> Value {
    json!({"type": "message_start", "message": {"id": "msg_1", "model": "m", "usage": {}}})
}

fn block(index: u64, block: &Value) -> Value {
    json!({"type": "content_block_start", "index": index, "content_block": block})
}

fn more(index: u64, kind: &str, member: &str, text: &str) -> Value {
    json!({"type": "content_block_delta", "index": index, "delta": {"type": kind, member: text}})
}

fn stop(index: u64) -> Value {
    json!({"type": "content_block_stop", "index": index})
}

fn finish(reason: &str) -> Value {
    let usage = json!({"output_tokens": 1});
    json!({"type": "message_delta", "delta": {"stop_reason": reason}, "usage": usage})
}

fn interpret(wording: Wording, events: &[Value], how: Close) -> Vec<Delta> {
    let mut interpreter = MessagesInterpreter::with(wording);
    let mut out = Vec::new();
    for event in events {
        interpreter.record(None, event.to_string().as_bytes(), &mut out).expect("a known event");
    }
    interpreter.close(how, &mut out);
    out
}

fn said(deltas: &[Delta]) -> String {
    let texts = deltas.iter().filter_map(|delta| match delta {
        Delta::More { text, .. } => Some(&**text),
        _ => None,
    });
    texts.collect()
}

#[test]
fn the_tool_that_stands_in_for_json_becomes_the_text_alone() {
    let wording = Wording::of_json_tool();
    let events = [
        start(),
        block(0, &json!({"type": "text", "text": "Sure: "})),
        stop(0),
        block(1, &json!({"type": "tool_use", "id": "t", "name": "json_tool_call", "input": {}})),
        more(1, "input_json_delta", "partial_json", "{\"a\""),
        more(1, "input_json_delta", "partial_json", ":1}"),
        stop(1),
        finish("tool_use"),
    ];
    let deltas = interpret(wording.clone(), &events, Close::Clean);
    assert_eq!(said(&deltas), "{\"a\":1}");
    assert!(deltas.iter().any(|d| matches!(d, Delta::Finish { reason: FinishReason::Stop, .. })));
    // Without a call the prose is all there is; whether it is JSON is for the gateway to see.
    let prose =
        [start(), block(0, &json!({"type": "text", "text": "No."})), stop(0), finish("end_turn")];
    assert_eq!(said(&interpret(wording, &prose, Close::Clean)), "No.");
}

#[test]
fn arguments_in_a_blocks_beginning_are_not_lost_nor_doubled() {
    let call = json!({"type": "tool_use", "id": "t", "name": "n", "input": {"a": 1}});
    let whole = [start(), block(0, &call), stop(0)];
    assert_eq!(said(&interpret(Wording::default(), &whole, Close::Cut)), "{\"a\":1}");
    let repeated = [
        start(),
        block(0, &call),
        more(0, "input_json_delta", "partial_json", "{\"a\": 1}"),
        stop(0),
    ];
    assert_eq!(said(&interpret(Wording::default(), &repeated, Close::Cut)), "{\"a\": 1}");
}

#[test]
fn only_a_complete_answer_ends() {
    let open = [start(), block(0, &json!({"type": "text", "text": "a"}))];
    for how in [Close::Clean, Close::Cut] {
        let deltas = interpret(Wording::default(), &open, how);
        assert_eq!(deltas.last(), Some(&Delta::Close { part: 0 }), "{how:?}");
    }
    let finished = [start(), finish("end_turn")];
    let deltas = interpret(Wording::default(), &finished, Close::Clean);
    assert_eq!(deltas.last(), Some(&Delta::End));
    let deltas = interpret(Wording::default(), &finished, Close::Cut);
    assert!(!deltas.contains(&Delta::End));
}

#[test]
fn a_known_event_that_cannot_be_read_is_a_failure_and_an_unknown_one_is_not() {
    let mut out = Vec::new();
    for (event, data, passes) in [
        (Some("vendor_event"), "nonsense", true),
        (Some("ping"), "{}", true),
        (None, "{\"type\":\"tomorrow\"}", true),
        (None, "", true),
        (Some("message_start"), "{\"type\":", false),
        (None, "{\"type\":\"content_block_stop\",\"index\":0}", false),
    ] {
        let mut interpreter = MessagesInterpreter::new();
        let read = interpreter.record(event, data.as_bytes(), &mut out);
        assert_eq!(read.is_ok(), passes, "{event:?} {data}");
    }
    assert!(out.is_empty());
}

#[test]
fn nothing_of_an_answer_follows_the_reason_why_it_ended() {
    let text = || block(0, &json!({"type": "text", "text": "late"}));
    let events = [start(), finish("end_turn"), text(), more(0, "text_delta", "text", "r"), stop(0)];
    let deltas = interpret(Wording::default(), &events, Close::Clean);
    assert_eq!(said(&deltas), "");
    assert!(!deltas.iter().any(|delta| matches!(delta, Delta::Open { .. })), "{deltas:?}");
    assert_eq!(deltas.last(), Some(&Delta::End));
}

proptest! {
    #[test]
    fn whatever_comes_every_part_closes_once(
        events in prop::collection::vec((0_u8..9, 0_u64..4), 0..24),
        bytes in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let mut interpreter = MessagesInterpreter::new();
        let mut out = Vec::new();
        for (kind, index) in events {
            let event = match kind {
                0 => start(),
                1 => block(index, &json!({"type": "text", "text": "a"})),
                2 => block(index, &json!({"type": "thinking", "thinking": "", "signature": "s"})),
                3 => block(index, &json!({"type": "tool_use", "id": "", "name": "", "input": {}})),
                4 => more(index, "text_delta", "text", "b"),
                5 => more(index, "input_json_delta", "partial_json", "{}"),
                6 => stop(index),
                7 => finish("end_turn"),
                _ => json!({"type": "message_stop"}),
            };
            _ = interpreter.record(None, event.to_string().as_bytes(), &mut out);
        }
        _ = interpreter.record(None, &bytes, &mut out);
        interpreter.close(Close::Cut, &mut out);
        let mut open = Vec::new();
        for delta in &out {
            match delta {
                Delta::Open { part, .. } => open.push(*part),
                Delta::More { part, .. } | Delta::Seal { part, .. } => {
                    prop_assert!(open.contains(part));
                }
                Delta::Close { part } => {
                    prop_assert!(open.contains(part));
                    open.retain(|open| open != part);
                }
                _ => {}
            }
        }
        prop_assert!(open.is_empty());
    }
}
