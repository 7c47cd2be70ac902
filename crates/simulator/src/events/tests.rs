//! The exact events of each kind of answer.

use std::sync::Arc;

use expect_test::expect;

use super::*;
use crate::behaviour::{Behaviour, ToolCall};
use crate::request::ChatRequest;

fn events(behaviour: Behaviour, fields: &str) -> Events {
    let body = format!(r#"{{"model":"m","messages":[],"stream":true{fields}}}"#);
    let request = ChatRequest::read(body.as_bytes()).expect("a request");
    Events::new(Answer::new(1, &request, Arc::new(behaviour), "m"))
}

/// What is sent until the stream ends or stalls, and which of the two it does.
fn written(mut events: Events) -> (String, Due) {
    let mut out = String::new();
    loop {
        match events.due() {
            Due::At(_) => events.write(&mut out),
            end => return (out, end),
        };
    }
}

/// The same with the members that all chunks share left out.
fn brief(behaviour: Behaviour, fields: &str) -> String {
    let events = events(behaviour, fields);
    let opening = events.opening.clone();
    let (text, end) = written(events);
    format!("{}{end:?}\n", text.replace(&opening, "data: {…").replace("\n\n", "\n"))
}

const USAGE: &str = r#","stream_options":{"include_usage":true}"#;

#[test]
fn a_stream_is_shaped_as_the_provider_shapes_it() {
    let (text, end) = written(events(Behaviour::answering(1), USAGE));
    assert_eq!(end, Due::Ended);
    expect![[r#"
        data: {"id":"chatcmpl-00000001","object":"chat.completion.chunk","created":1767225600,"model":"m","service_tier":"default","system_fingerprint":"fp_simulator","choices":[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}],"usage":null}

        data: {"id":"chatcmpl-00000001","object":"chat.completion.chunk","created":1767225600,"model":"m","service_tier":"default","system_fingerprint":"fp_simulator","choices":[{"index":0,"delta":{"content":"the"},"logprobs":null,"finish_reason":null}],"usage":null}

        data: {"id":"chatcmpl-00000001","object":"chat.completion.chunk","created":1767225600,"model":"m","service_tier":"default","system_fingerprint":"fp_simulator","choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}],"usage":null}

        data: {"id":"chatcmpl-00000001","object":"chat.completion.chunk","created":1767225600,"model":"m","service_tier":"default","system_fingerprint":"fp_simulator","choices":[],"usage":{"prompt_tokens":0,"completion_tokens":1,"total_tokens":1,"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}}

        data: [DONE]

    "#]].assert_eq(&text);
}

#[test]
fn without_include_usage_no_chunk_mentions_usage() {
    expect![[r#"
        data: {…"choices":[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}]}
        data: {…"choices":[{"index":0,"delta":{"content":"the"},"logprobs":null,"finish_reason":null}]}
        data: {…"choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"length"}]}
        data: [DONE]
        Ended
    "#]].assert_eq(&brief(Behaviour::answering(2), r#","max_tokens":1"#));
}

#[test]
fn choices_take_turns_and_finish_one_by_one() {
    expect![[r#"
        data: {…"choices":[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}]}
        data: {…"choices":[{"index":1,"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}]}
        data: {…"choices":[{"index":0,"delta":{"content":"the"},"logprobs":null,"finish_reason":null}]}
        data: {…"choices":[{"index":1,"delta":{"content":"at"},"logprobs":null,"finish_reason":null}]}
        data: {…"choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}]}
        data: {…"choices":[{"index":1,"delta":{},"logprobs":null,"finish_reason":"stop"}]}
        data: [DONE]
        Ended
    "#]].assert_eq(&brief(Behaviour::answering(1), r#","n":2"#));
}

#[test]
fn a_tool_call_names_itself_once_and_then_only_adds_arguments() {
    let call = ToolCall { name: None, arguments: r#"{"city":"Rome"}"#.to_owned() };
    let behaviour = Behaviour { tool_call: Some(call), ..Behaviour::default() };
    let tools = r#","tools":[{"type":"function","function":{"name":"weather"}}]"#;
    expect![[r#"
        data: {…"choices":[{"index":0,"delta":{"role":"assistant","content":null,"refusal":null},"logprobs":null,"finish_reason":null}]}
        data: {…"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"call_00000001_0","type":"function","function":{"name":"weather","arguments":""}}]},"logprobs":null,"finish_reason":null}]}
        data: {…"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"city\":"}}]},"logprobs":null,"finish_reason":null}]}
        data: {…"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"\"Rome\"}"}}]},"logprobs":null,"finish_reason":null}]}
        data: {…"choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"tool_calls"}]}
        data: [DONE]
        Ended
    "#]].assert_eq(&brief(behaviour, tools));
}

#[test]
fn each_fault_leaves_exactly_its_own_trace() {
    let cases = [
        (Fault::None, "role token token finish usage done Ended"),
        (Fault::NoUsage, "role token token finish done Ended"),
        (Fault::NoDone, "role token token finish usage Ended"),
        (Fault::Stall { after_tokens: 0 }, "Never"),
        (Fault::Stall { after_tokens: 1 }, "role token Never"),
        (Fault::Stall { after_tokens: 9 }, "role token token Never"),
        (Fault::EndEarly { after_tokens: 0 }, "Ended"),
        (Fault::EndEarly { after_tokens: 1 }, "role token Ended"),
        (Fault::MalformedFrame { at: 0 }, "role broken token finish usage done Ended"),
        (Fault::MalformedFrame { at: 1 }, "role token broken finish usage done Ended"),
        (Fault::MalformedFrame { at: 2 }, "role token token finish usage done Ended"),
        (Fault::ErrorInside200, "error Ended"),
        (Fault::ErrorEvent { after_tokens: 0 }, "role error Ended"),
        (Fault::ErrorEvent { after_tokens: 1 }, "role token error Ended"),
        (Fault::ErrorEvent { after_tokens: 9 }, "role token token error Ended"),
    ];
    for (fault, trace) in cases {
        let behaviour = Behaviour::answering(2).with_fault(fault.clone());
        let (text, end) = written(events(behaviour, USAGE));
        let names: Vec<&str> = text.split_terminator("\n\n").map(kind).collect();
        let seen = format!("{} {end:?}", names.join(" "));
        assert_eq!(seen.trim_start(), trace, "{fault:?}");
    }
}

fn kind(event: &str) -> &'static str {
    let data = event.strip_prefix("data: ").expect("an event with data");
    if data == "[DONE]" {
        return "done";
    }
    let Ok(chunk) = serde_json::from_str::<serde_json::Value>(data) else { return "broken" };
    let choice = &chunk["choices"][0];
    match () {
        () if chunk["error"].is_object() => "error",
        () if chunk["usage"].is_object() => "usage",
        () if choice["finish_reason"].is_string() => "finish",
        () if choice["delta"]["role"].is_string() => "role",
        () if choice["delta"]["content"].is_string() => "token",
        () => "unknown",
    }
}

#[test]
fn events_are_due_at_the_pace_of_the_behaviour() {
    let mut events = events(Behaviour::answering(2).paced(Duration::from_millis(30), 100.0), USAGE);
    let mut out = String::new();
    let mut due = Vec::new();
    while let Due::At(at) = events.due() {
        due.push(at.as_millis());
        events.write(&mut out);
    }
    assert_eq!(due, [30, 30, 40, 40, 40, 40]);
}
