//! Fixtures of the format, and streams that are out of the ordinary.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::delta::{Close, Delta, Interpreter as _};
use crate::formats::golden::{Upstream, asked, obeys_the_laws};
use crate::formats::translation::{Leniency, Target};
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
    for (member, value, field) in [
        ("n", json!(2), "n"),
        ("logit_bias", json!({"1": 2}), "logit_bias"),
        ("logprobs", json!(true), "logprobs"),
        ("seed", json!(-1), "seed"),
        ("stop", json!(["a", "b", "c", "d", "e", "f"]), "stop"),
        ("tools", json!([{"type": "custom", "custom": {"name": "f"}}]), "tools[0]"),
    ] {
        let mut body = json!({"model": "m", "messages": [{"role": "user", "content": "hi"}]});
        body[member] = value;
        let c = asked(&body);
        let leniency = Leniency { drops: true, ..Leniency::default() };
        let capability = &crate::capability::Capability::UNKNOWN;
        let target = Target { model: "m", capability, leniency };
        let strict = Target { leniency: Leniency::default(), ..target };
        let refused = from_conversation(&c, &strict).expect_err(field);
        assert_eq!((&*refused.field, &*refused.model), (field, "m"));
        let written = from_conversation(&c, &target).expect(field);
        assert_eq!(written.dropped, [field.into()]);
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
