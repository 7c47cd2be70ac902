//! Fixtures of the format, and streams that are out of the ordinary.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::interpreter::{CITED_TEXT_BYTES_MAX, OPEN_PARTS_MAX};
use super::*;
use crate::delta::{Close, Delta, Interpreter as _};
use crate::formats::golden::{Upstream, obeys_the_laws, refuses_or_drops};
use crate::frame::sse::{RECORD_BYTES_MAX, SseFrame, SseFramer};

#[test]
fn every_fixture_reads_and_writes_as_expected() {
    let format = Upstream {
        name: "cohere",
        cases_min: 20,
        stream: "answer.sse",
        from_conversation,
        to_answer,
        read_error,
        interpret,
    };
    format.check();
}

fn interpret(chunks: &[&[u8]], how: Close) -> Vec<Delta> {
    let mut framer = SseFramer::new(RECORD_BYTES_MAX);
    let mut interpreter = CohereInterpreter::new();
    let mut deltas = Vec::new();
    let mut feed = |frame: &SseFrame, deltas: &mut Vec<Delta>| {
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

fn feed(events: &[Value]) -> Vec<Delta> {
    let mut interpreter = CohereInterpreter::new();
    let mut deltas = Vec::new();
    for event in events {
        _ = interpreter.record(None, event.to_string().as_bytes(), &mut deltas);
    }
    interpreter.close(Close::Clean, &mut deltas);
    deltas
}

#[test]
fn what_the_api_lacks_is_refused_by_the_clients_name_or_left_out() {
    for (members, field) in [
        (json!({"n": 2}), "n"),
        (json!({"logit_bias": {"1": 2}}), "logit_bias"),
        (json!({"logprobs": true}), "logprobs"),
        (json!({"seed": -1}), "seed"),
        (json!({"stop": ["a", "b", "c", "d", "e", "f"]}), "stop"),
        (json!({"tools": [{"type": "custom", "custom": {"name": "f"}}]}), "tools[0]"),
    ] {
        refuses_or_drops(from_conversation, &members, field);
    }
}

#[test]
fn broken_records_are_named_and_unknown_ones_pass() {
    for (event, data, passes) in [
        (None, "", true),
        (None, "[DONE]", true),
        (Some("debug"), "nonsense", true),
        (None, "{\"type\":\"tomorrow\"}", true),
        (Some("content-delta"), "{", false),
        (None, "{", false),
        (None, "{\"type\":\"tool-call-delta\",\"index\":1}", false),
        (None, "{\"type\":\"tool-call-start\"}", false),
    ] {
        let read = CohereInterpreter::new().record(event, data.as_bytes(), &mut Vec::new());
        assert_eq!(read.is_ok(), passes, "{event:?} {data}");
    }
}

#[test]
fn the_parts_that_may_be_open_are_counted() {
    let mut interpreter = CohereInterpreter::new();
    let mut start = |index: usize| {
        let call = json!({"id": index.to_string(), "function": {"name": "f"}});
        let event = json!({"type": "tool-call-start", "index": index,
            "delta": {"message": {"tool_calls": call}}});
        interpreter.record(None, event.to_string().as_bytes(), &mut Vec::new())
    };
    assert!((0..OPEN_PARTS_MAX).all(|index| start(index).is_ok()));
    assert!(start(OPEN_PARTS_MAX).is_err());
}

#[test]
fn behind_the_longest_text_citations_have_no_place() {
    let text = |text: &str| {
        json!({"type": "content-delta", "index": 0, "delta": {"message": {"content":
            {"text": text}}}})
    };
    let cite = |start: usize| {
        json!({"type": "citation-start", "delta": {"message": {"citations":
            {"start": start, "end": start + 1}}}})
    };
    let (most, whole) = (CITED_TEXT_BYTES_MAX, "a".repeat(CITED_TEXT_BYTES_MAX));
    let deltas = feed(&[text(&whole[1..]), cite(most - 2), text("bc"), text("d"), cite(most - 1)]);
    let spans = deltas.iter().filter_map(|delta| match delta {
        Delta::Cite { citation, .. } => Some(citation.span.is_some()),
        _ => None,
    });
    assert_eq!(spans.collect::<Vec<_>>(), [true, false]);
}

fn any_event() -> impl Strategy<Value = Value> {
    let content = prop::sample::select(vec![
        json!({"type": "text", "text": ""}),
        json!({"type": "thinking", "thinking": "t"}),
        json!({"text": "é"}),
        json!({"thinking": "t"}),
        json!(7),
    ]);
    let kind = prop::sample::select(vec!["content-start", "content-delta", "content-end"]);
    let call = prop::sample::select(vec!["tool-call-start", "tool-call-delta", "tool-call-end"]);
    prop_oneof![
        (kind, 0..3_u64, content).prop_map(|(kind, index, content)| {
            json!({"type": kind, "index": index, "delta": {"message": {"content": content}}})
        }),
        (call, 0..3_u64).prop_map(|(kind, index)| {
            let call = json!({"id": "c", "function": {"name": "f", "arguments": "{}"}});
            json!({"type": kind, "index": index, "delta": {"message": {"tool_calls": call}}})
        }),
        Just(json!({"type": "tool-plan-delta", "delta": {"message": {"tool_plan": "p"}}})),
        Just(json!({"type": "citation-start", "delta": {"message": {"citations":
            {"start": 0, "end": 1, "sources": [{"id": "d"}]}}}})),
        Just(json!({"type": "message-end", "delta": {"finish_reason": "COMPLETE"}})),
        Just(json!({"message": "no"})),
    ]
}

proptest! {
    #[test]
    fn whatever_comes_every_part_is_opened_and_closed_once(
        events in prop::collection::vec(any_event(), 0..24),
    ) {
        obeys_the_laws(&feed(&events));
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in any::<Vec<u8>>()) {
        _ = to_answer(&bytes);
        _ = read_error(&bytes);
        _ = CohereInterpreter::new().record(None, &bytes, &mut Vec::new());
    }
}
