//! What ends a stream, what breaks it, and whose fragment a fragment is.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::tests::{check_laws, interpret};
use super::*;
use crate::conversation::FinishReason;

fn event(data: &Value) -> String {
    format!("data: {data}\n\n")
}

fn chunk(index: u64, delta: &Value, finish: Option<&str>) -> String {
    let choice = json!({"index": index, "delta": delta, "finish_reason": finish});
    event(&json!({"id": "x", "choices": [choice]}))
}

fn deltas(stream: &str, how: Close) -> Vec<Delta> {
    let deltas = interpret([stream.as_bytes()], how);
    check_laws(&deltas);
    deltas
}

const DONE: &str = "data: [DONE]\n\n";

#[test]
fn a_stream_ends_only_behind_every_finish_reason() {
    let text = chunk(0, &json!({"content": "a"}), None);
    let stop = chunk(0, &json!({}), Some("stop"));
    let empty = chunk(0, &json!({}), Some(""));
    let other = chunk(1, &json!({"content": "b"}), None);
    let other_stop = chunk(1, &json!({}), Some("stop"));
    let cases = [
        (format!("{text}{stop}{DONE}"), Close::Cut, true),
        (format!("{text}{stop}"), Close::Clean, true),
        (format!("{text}{stop}"), Close::Cut, false),
        (format!("{text}{DONE}"), Close::Clean, false),
        (text.clone(), Close::Clean, false),
        (format!("{text}{empty}"), Close::Clean, false),
        (format!("{text}{other}{stop}{DONE}"), Close::Clean, false),
        (format!("{text}{other}{stop}{other_stop}"), Close::Clean, true),
        (DONE.to_owned(), Close::Clean, false),
        (String::new(), Close::Clean, false),
    ];
    for (stream, how, ends) in cases {
        let deltas = deltas(&stream, how);
        assert_eq!(deltas.last() == Some(&Delta::End), ends, "{stream}");
    }
}

#[test]
fn an_error_in_band_closes_what_is_open_and_ends_it_all() {
    let text = chunk(0, &json!({"content": "a"}), None);
    let more = chunk(0, &json!({"content": "b"}), Some("stop"));
    let failed = json!({"index": 0, "delta": {}, "finish_reason": "error"});
    for error in [
        event(&json!({"error": {"message": "broken", "code": 502}})),
        event(&json!({"object": "error", "message": "broken"})),
        format!("event: error\n{}", event(&json!({"message": "broken"}))),
        event(&json!({"choices": [{"index": 0, "delta": {}, "error": {"message": "broken"}}]})),
        event(&json!({"choices": [failed]})),
        chunk(0, &json!({}), Some("network_error")),
    ] {
        let deltas = deltas(&format!("{text}{error}{more}{DONE}"), Close::Clean);
        let [.., Delta::Close { part: 0 }, Delta::Failed(error)] = deltas.as_slice() else {
            panic!("{error}: {deltas:?}");
        };
        assert!(!error.message.is_empty());
    }
}

#[test]
fn what_cannot_be_read_is_an_error() {
    let nameless =
        json!({"choices": [{"delta": {"tool_calls": [{"index": 0}]}, "finish_reason": "stop"}]});
    for data in [
        "{".to_owned(),
        "[]".to_owned(),
        nameless.to_string(),
        json!({"choices": [{"index": 128, "delta": {}}]}).to_string(),
    ] {
        let mut interpreter = OpenAiChatInterpreter::new();
        let mut out = Vec::new();
        assert!(interpreter.record(None, data.as_bytes(), &mut out).is_err(), "{data}");
        interpreter.close(Close::Cut, &mut out);
        check_laws(&out);
    }
}

#[test]
fn usage_counts_in_any_chunk_and_is_said_again_only_when_it_changes() {
    let usage = |n: u64| json!({"prompt_tokens": 1, "completion_tokens": n, "total_tokens": n + 1});
    let said = |n| {
        event(&json!({"choices": [{"index": 0, "delta": {"content": "a"}}], "usage": usage(n)}))
    };
    let groq = event(&json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}],
        "x_groq": {"usage": usage(3)}}));
    let alone = event(&json!({"choices": [], "usage": usage(4)}));
    let stream = format!("{}{}{}{groq}{alone}{DONE}", said(1), said(2), said(2));
    let deltas = deltas(&stream, Close::Clean);
    let completions: Vec<u64> = deltas
        .iter()
        .filter_map(|delta| match delta {
            Delta::Usage(usage) => usage.completion().map(|quantity| quantity.rounded()),
            _ => None,
        })
        .collect();
    assert_eq!(completions, [1, 2, 3, 4]);
    assert_eq!(deltas.last(), Some(&Delta::End));
}

#[test]
fn fragments_without_an_index_belong_by_id_or_to_the_last_call() {
    let stream = [
        chunk(0, &json!({"tool_calls": [{"id": "a", "function": {"name": "f"}}]}), None),
        chunk(0, &json!({"tool_calls": [{"function": {"arguments": "1"}}]}), None),
        chunk(0, &json!({"tool_calls": [{"id": "b", "function": {"name": "g"}}]}), None),
        chunk(0, &json!({"tool_calls": [{"id": "a", "function": {"arguments": "2"}}]}), None),
        chunk(0, &json!({"tool_calls": [{"function": {"arguments": "3"}}]}), Some("stop")),
    ];
    let deltas = deltas(&stream.concat(), Close::Clean);
    let more: Vec<(u32, &str)> = deltas
        .iter()
        .filter_map(|delta| match delta {
            Delta::More { part, text } => Some((*part, &**text)),
            _ => None,
        })
        .collect();
    assert_eq!(more, [(0, "1"), (0, "2"), (1, "3")]);
    let finish = Delta::Finish { choice: 0, reason: FinishReason::ToolCalls, stop_sequence: None };
    assert!(deltas.contains(&finish), "a server says `stop` although the model calls");
}

proptest! {
    #[test]
    fn no_stream_breaks_the_laws(
        chunks in prop::collection::vec(any_chunk(), 0..12),
        at in 0_usize..4000,
    ) {
        let stream = chunks.concat();
        let whole = interpret([stream.as_bytes()], Close::Clean);
        check_laws(&whole);
        let (head, tail) = stream.as_bytes().split_at(at.min(stream.len()));
        prop_assert_eq!(interpret([head, tail], Close::Clean), whole);
        check_laws(&interpret([head], Close::Cut));
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in any::<Vec<u8>>()) {
        let _ = OpenAiChatInterpreter::new().record(None, &bytes, &mut Vec::new());
    }
}

fn any_chunk() -> impl Strategy<Value = String> {
    let call = (0_u64..3, prop::option::of("[ab]"), prop::option::of("[fg]"), "[x{}]{0,3}");
    let call = call.prop_map(|(index, id, name, arguments)| {
        json!({"index": index, "id": id, "function": {"name": name, "arguments": arguments}})
    });
    let delta = prop_oneof![
        "[a-cé]{0,3}".prop_map(|text| json!({"content": text})),
        "[a-c]{0,3}".prop_map(|text| json!({"reasoning_content": text})),
        "[a-c]{0,3}".prop_map(|text| json!({"refusal": text})),
        ("[a-c]{0,3}", "[s]{0,1}").prop_map(|(text, seal)| {
            json!({"thinking_blocks": [{"type": "thinking", "thinking": text, "signature": seal}]})
        }),
        prop::collection::vec(call, 0..3).prop_map(|calls| json!({"tool_calls": calls})),
    ];
    let finish = prop_oneof![5 => Just(None), 1 => Just(Some("stop")), 1 => Just(Some("length"))];
    let piece =
        (0_u64..2, delta, finish).prop_map(|(index, delta, finish)| chunk(index, &delta, finish));
    prop_oneof![
        12 => piece,
        1 => Just(DONE.to_owned()),
        1 => Just(": keep-alive\n\n".to_owned()),
        1 => Just(event(&json!({"error": {"message": "x"}}))),
        1 => Just(event(&json!({
            "choices": [],
            "usage": {"prompt_tokens": 1, "completion_tokens": 2},
        }))),
    ]
}
