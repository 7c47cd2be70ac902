//! A session of Codex with an upstream of another format: what goes there, and what comes back.

use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::capability::Capability;
use crate::conversation::{Answer, Choice, FinishReason, Part};
use crate::delta::{Delta, PartKind, Renderer as _};
use crate::formats::openai_responses::{ResponsesRenderer, from_answer_with, to_conversation};
use crate::formats::translation::{Leniency, Reply, Target};
use crate::formats::{anthropic_messages, gemini, openai_chat};
use crate::provider::Quirks;

fn reply() -> Reply {
    let (model, id) = ("client-model".to_owned(), "call1".to_owned());
    Reply { model, id, created: 1, include_usage: true, seal: None }
}

/// The second request of a session, as the client writes it.
fn session() -> Bytes {
    let spawn = json!({ "type": "function", "name": "spawn_agent", "strict": false,
        "parameters": { "type": "object", "properties": {} } });
    let patch = json!({ "type": "custom", "name": "apply_patch", "description": "Edits files.",
        "format": { "type": "grammar", "syntax": "lark", "definition": "start: x" } });
    let exec = json!({ "type": "namespace", "name": "functions",
        "tools": [{ "type": "custom", "name": "exec" }] });
    let body = json!({
        "model": "m", "stream": true, "store": false, "parallel_tool_calls": true,
        "tool_choice": "auto", "include": ["reasoning.encrypted_content"],
        "reasoning": { "effort": "low", "context": "all_turns" }, "text": { "verbosity": "low" },
        "client_metadata": { "session_id": "s" }, "prompt_cache_key": "s",
        "input": [
            { "type": "additional_tools", "role": "developer", "tools": [exec] },
            { "type": "message", "id": "msg_1", "role": "developer",
              "content": [{ "type": "input_text", "text": "You code." }] },
            { "type": "message", "id": "msg_2", "role": "user",
              "internal_chat_message_metadata_passthrough": {},
              "content": [{ "type": "input_text", "text": "Go" }] },
            { "type": "web_search_call", "id": "ws_1", "status": "completed" },
            { "type": "function_call", "id": "fc_1", "call_id": "c1", "name": "spawn_agent",
              "namespace": "multi_agent_v1", "arguments": "{}", "status": "completed" },
            { "type": "custom_tool_call", "id": "ctc_1", "call_id": "c2", "name": "apply_patch",
              "input": "*** Begin Patch\n", "status": "completed" },
            { "type": "function_call_output", "id": "fco_1", "call_id": "c1", "output": "ok" },
            { "type": "custom_tool_call_output", "call_id": "c2", "output": "Done" },
            { "type": "configuration_update", "reasoning": { "effort": "low" } },
        ],
        "tools": [
            { "type": "function", "name": "exec_command", "strict": false,
              "parameters": { "type": "object", "properties": {} } },
            { "type": "namespace", "name": "multi_agent_v1", "tools": [spawn] },
            patch,
            { "type": "tool_search", "execution": "client", "description": "Finds tools." },
            { "type": "web_search", "external_web_access": false },
        ],
    });
    body.to_string().into()
}

fn portable() -> (Conversation, Portable) {
    let body = session();
    let mut c = to_conversation(&body, None).expect("a request");
    let portable = make_portable(&mut c, &body).expect("it is portable");
    (c, portable)
}

#[test]
fn every_format_takes_what_codex_sends_without_dropping_by_leave() {
    let (c, portable) = portable();
    let names: Vec<&str> = c.tools.iter().map(|tool| &*tool.name).collect();
    let flat = ["exec_command", "multi_agent_v1__spawn_agent", "apply_patch", "functions__exec"];
    assert_eq!(names, flat);
    for left_out in ["tools[3]", "tools[4]", "input[0]", "input[3]", "input[8]", "client_metadata"]
    {
        assert!(portable.dropped.iter().any(|name| **name == *left_out), "{left_out}");
    }
    let target = Target {
        model: "m",
        capability: &Capability::UNKNOWN,
        leniency: Leniency::default(),
        quirks: Quirks::none(),
    };
    let chat = openai_chat::from_conversation(&c, &target).expect("chat takes it");
    let chat: Value = serde_json::from_slice(&chat.body).expect("JSON");
    let calls = &chat["messages"][2]["tool_calls"];
    assert_eq!(calls[0]["function"]["name"], "multi_agent_v1__spawn_agent");
    assert_eq!(calls[1]["type"], "function");
    assert_eq!(calls[1]["function"]["arguments"], r#"{"input":"*** Begin Patch\n"}"#);
    assert_eq!(chat["messages"][3]["tool_call_id"], "c1");
    let patch = &chat["tools"][2]["function"];
    assert_eq!(patch["parameters"]["required"], json!(["input"]));
    assert_eq!(patch["description"], "Edits files.\n\n`input` keeps this lark grammar:\nstart: x");
    anthropic_messages::from_conversation(&c, &target).expect("messages take it");
    for model in ["gemini-3-pro", "gemini-2.5-flash"] {
        gemini::from_conversation(&c, &Target { model, ..target }).expect("gemini takes it");
    }
}

#[test]
fn reasoning_that_this_gateway_sealed_goes_back_to_its_provider() {
    let body = json!({ "model": "m", "input": [
        { "role": "user", "content": "go" },
        { "type": "reasoning", "id": "rs_1", "encrypted_content": "tollgate:gemini:signature:c2E=",
          "summary": [{ "type": "summary_text", "text": "hm" }] },
        { "role": "assistant", "content": "done" },
        { "role": "user", "content": "and?" },
    ] });
    let body = Bytes::from(body.to_string());
    let mut c = to_conversation(&body, None).expect("a request");
    make_portable(&mut c, &body).expect("it is portable");
    let (capability, leniency) = (&Capability::UNKNOWN, Leniency::default());
    let target = Target { model: "gemini-3-pro", capability, leniency, quirks: Quirks::none() };
    let written = gemini::from_conversation(&c, &target).expect("gemini takes it");
    let written: Value = serde_json::from_slice(&written.body).expect("JSON");
    let thought = json!({ "text": "hm", "thought": true, "thoughtSignature": "c2E=" });
    assert_eq!(written["contents"][1]["parts"], json!([thought, { "text": "done" }]));
}

#[test]
fn a_whole_answer_calls_tools_what_the_client_calls_them() {
    let (_, portable) = portable();
    let call = |id: &str, name: &str, arguments: &str| {
        Part::new(PartBody::ToolCall(ToolCall {
            id: id.into(),
            name: name.into(),
            arguments: Arguments::Json(arguments.into()),
            seal: None,
        }))
    };
    let parts = vec![
        call("c1", "multi_agent_v1__spawn_agent", "{}"),
        call("c2", "apply_patch", r#"{"input":"a\nb"}"#),
        call("c3", "functions__exec", "broken"),
        call("c4", "exec_command", "{}"),
    ];
    let finish = Some(FinishReason::ToolCalls);
    let choices = vec![Choice { parts, finish, stop_sequence: None }];
    let answer = Answer { id: None, model: None, created: None, choices, usage: None };
    let written = from_answer_with(&answer, &reply(), &portable.tools);
    let written: Value = serde_json::from_slice(&written).expect("JSON");
    let completed = |mut item: Value, id: &str, call: &str| {
        item["id"] = id.into();
        item["call_id"] = call.into();
        item["status"] = "completed".into();
        item
    };
    let spawn = json!({ "type": "function_call", "name": "spawn_agent",
        "namespace": "multi_agent_v1", "arguments": "{}" });
    let patch = json!({ "type": "custom_tool_call", "name": "apply_patch", "input": "a\nb" });
    let exec = json!({ "type": "custom_tool_call", "name": "exec", "namespace": "functions",
        "input": "broken" });
    let command = json!({ "type": "function_call", "name": "exec_command", "arguments": "{}" });
    assert_eq!(
        written["output"],
        json!([
            completed(spawn, "fc_call1_0", "c1"),
            completed(patch, "ctc_call1_1", "c2"),
            completed(exec, "ctc_call1_2", "c3"),
            completed(command, "fc_call1_3", "c4"),
        ])
    );
}

#[test]
fn a_streamed_call_of_a_custom_tool_shows_its_text_once_it_is_whole() {
    let (_, portable) = portable();
    let mut renderer = ResponsesRenderer::new(reply()).with_tools(Arc::new(portable.tools));
    let kind = PartKind::ToolCall { id: "c".into(), name: "apply_patch".into(), custom: false };
    let mut out = Vec::new();
    for delta in [
        Delta::Begin { id: None, model: None, created: None },
        Delta::Open { choice: 0, part: 0, kind },
        Delta::More { part: 0, text: r#"{"inp"#.into() },
        Delta::More { part: 0, text: r#"ut":"a\nb"}"#.into() },
        Delta::Close { part: 0 },
        Delta::Finish { choice: 0, reason: FinishReason::ToolCalls, stop_sequence: None },
        Delta::End,
    ] {
        renderer.delta(&delta, &mut out);
    }
    let text = String::from_utf8(out).expect("UTF-8");
    let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
    let events: Vec<Value> = data.map(|d| serde_json::from_str(d).expect("JSON")).collect();
    let kinds: Vec<&str> = events.iter().filter_map(|event| event["type"].as_str()).collect();
    assert_eq!(
        kinds,
        [
            "response.created",
            "response.in_progress",
            "response.output_item.added",
            "response.custom_tool_call_input.delta",
            "response.custom_tool_call_input.done",
            "response.output_item.done",
            "response.completed",
        ]
    );
    assert_eq!(events[3]["delta"], "a\nb");
    assert_eq!(events[4]["input"], "a\nb");
    assert_eq!(events[5]["item"]["input"], "a\nb");
    assert_eq!(events[6]["response"]["output"][0]["name"], "apply_patch");
    for (number, event) in events.iter().enumerate() {
        assert_eq!(event["sequence_number"], number);
    }
}

#[test]
fn a_choice_without_any_tool_left_is_not_said() {
    for choice in ["required", "auto"] {
        let body = json!({ "model": "m", "input": "x", "tool_choice": choice,
            "tools": [{ "type": "web_search" }] });
        let body = Bytes::from(body.to_string());
        let mut c = to_conversation(&body, None).expect("a request");
        make_portable(&mut c, &body).expect("it is portable");
        assert!(c.tools.is_empty());
        assert_eq!(c.tool_choice, ToolChoice::Unsaid);
    }
}

#[test]
fn a_tool_that_cannot_be_read_is_named_by_its_place() {
    for (body, place) in [
        (
            json!({ "model": "m", "input": [{ "type": "additional_tools", "tools": [7] }] }),
            "input[0].tools[0]",
        ),
        (
            json!({ "model": "m", "input": "x",
                "tools": [{ "type": "namespace", "name": "n", "tools": [{ "type": "custom" }] }] }),
            "tools[0].tools[0].name",
        ),
    ] {
        let body = Bytes::from(body.to_string());
        let mut c = to_conversation(&body, None).expect("a request");
        let problem = make_portable(&mut c, &body).expect_err("it cannot be read").to_string();
        assert!(problem.starts_with(&format!("`{place}` ")), "{problem}");
    }
}
