//! JSON answers of a model that keeps no schema by itself: the client gets the JSON or an error,
//! and pays for either.

use bytes::Bytes;
use serde_json::{Value, json};
use tollgate_simulator::{Replay, Script};
use tollgate_testkit::config_text::{ConfigText, DeploymentText, INPUT_PRICE, OUTPUT_PRICE};

use crate::stage::{CHAT, GROUP, Stage, Storage};

/// What ten tokens in and four out cost, in nano-dollars.
const NANOS: i64 = 10 * 1_000 + 4 * 2_000;

/// What the model says to the question of that name: its text, or what it calls the stand-in with.
fn said(question: &str) -> Value {
    let fenced = "Here you are:\n```json\n{\"city\": \"Oslo\"}\n```";
    match question {
        "tool" => json!({"type": "tool_use", "id": "t", "name": "json_tool_call",
            "input": {"city": "Oslo"}}),
        "wrong tool" => json!({"type": "tool_use", "id": "t", "name": "json_tool_call",
            "input": {"city": 5}}),
        "fenced" => json!({"type": "text", "text": fenced}),
        _ => json!({"type": "text", "text": "The city is Oslo."}),
    }
}

/// The model's answer in the form of the Messages API.
fn answer(_: &str, body: &[u8]) -> Replay {
    let body: Value = serde_json::from_slice(body).expect("JSON");
    let names = body["tools"].as_array().expect("tools").iter().map(|tool| &tool["name"]);
    assert!(names.clone().any(|name| name == "json_tool_call"), "{body}");
    let content = body["messages"][0]["content"].clone();
    let question = content[0]["text"].as_str().or(content.as_str()).unwrap_or_default().to_owned();
    let block = said(&question);
    let stop = if block["type"] == "tool_use" { "tool_use" } else { "end_turn" };
    if body["stream"] != true {
        let usage = json!({"input_tokens": 10, "output_tokens": 4});
        let whole = json!({"id": "m", "type": "message", "role": "assistant", "model": "c",
            "content": [block], "stop_reason": stop, "usage": usage});
        return Replay::new("application/json", [whole.to_string().into()]);
    }
    let (start, more) = match block["type"] == "tool_use" {
        true => {
            let json = block["input"].to_string();
            let start =
                json!({"type": "tool_use", "id": "t", "name": "json_tool_call", "input": {}});
            (start, json!({"type": "input_json_delta", "partial_json": json}))
        }
        false => {
            let start = json!({"type": "text", "text": ""});
            (start, json!({"type": "text_delta", "text": block["text"]}))
        }
    };
    let events = [
        json!({"type": "message_start", "message": {"id": "m", "type": "message",
            "role": "assistant", "model": "c", "content": [],
            "usage": {"input_tokens": 10, "output_tokens": 1}}}),
        json!({"type": "content_block_start", "index": 0, "content_block": start}),
        json!({"type": "content_block_delta", "index": 0, "delta": more}),
        json!({"type": "content_block_stop", "index": 0}),
        json!({"type": "message_delta", "delta": {"stop_reason": stop},
            "usage": {"output_tokens": 4}}),
        json!({"type": "message_stop"}),
    ];
    // Each event in a piece of its own, so that some of the answer has gone before it ends.
    let pieces = events.iter().map(|event| Bytes::from(format!("data: {event}\n\n")));
    Replay::new("text/event-stream", pieces)
}

async fn stage(on_miss: Option<&str>) -> Stage {
    let config = |simulator: &tollgate_simulator::Simulator| {
        // A model from before schemas were kept.
        let base = simulator.base_url();
        let base = base.trim_end_matches("/v1");
        let deployment = DeploymentText::of(base, "anthropic/claude-3-5-haiku-20241022");
        let config = ConfigText::new().group(GROUP, &deployment.priced(INPUT_PRICE, OUTPUT_PRICE));
        match on_miss {
            None => config,
            Some(miss) => config
                .setting("litellm_settings", &format!("structured_output: {{on_miss: {miss}}}")),
        }
    };
    Stage::with(Storage::Sqlite, Script::default().answering(answer), config, |home| home).await
}

/// A question that wants a city, beside a tool, so that the stand-in is not forced.
fn call(question: &str, stream: bool) -> String {
    let schema = json!({"type": "object", "properties": {"city": {"type": "string"}},
        "required": ["city"], "additionalProperties": false});
    let look = json!({"type": "function", "function": {"name": "look", "parameters":
        {"type": "object", "properties": {}}}});
    json!({
        "model": GROUP, "stream": stream, "max_tokens": 100, "tools": [look],
        "messages": [{"role": "user", "content": question}],
        "response_format": {"type": "json_schema", "json_schema": {"name": "c", "schema": schema}},
    })
    .to_string()
}

/// The text of a chat stream, and the error in it or instead of it.
fn told(stream: &[u8]) -> (String, Value) {
    if let Ok(refusal) = serde_json::from_slice::<Value>(stream) {
        // Nothing had gone out when the answer turned out to be none.
        return (String::new(), refusal["error"].clone());
    }
    let (mut text, mut error) = (String::new(), Value::Null);
    for event in crate::stage::events(stream).iter().filter(|event| *event != "[DONE]") {
        let event: Value = serde_json::from_str(event).expect("JSON");
        text.push_str(event["choices"][0]["delta"]["content"].as_str().unwrap_or_default());
        if event["error"].is_object() {
            error = event["error"].clone();
        }
    }
    (text, error)
}

#[tokio::test]
async fn the_json_is_handed_on_or_an_error_that_is_charged_and_never_prose() {
    let stage = stage(None).await;
    let key = stage.plain_key().await;
    let mut calls = 0;
    for (question, produced) in
        [("tool", true), ("fenced", true), ("wrong tool", false), ("prose", false)]
    {
        let whole = key.client.post(CHAT, call(question, false)).await;
        let (stream, _) = key.client.open(CHAT, call(question, true)).await.rest().await;
        let (text, error) = told(&stream);
        if produced {
            let content = whole.ok()["choices"][0]["message"]["content"].clone();
            for json in [content.as_str().expect("text"), &text] {
                let json: Value = serde_json::from_str(json).expect("JSON");
                assert_eq!(json, json!({"city": "Oslo"}), "{question}");
            }
            assert_eq!(whole.ok()["choices"][0]["finish_reason"], "stop", "{question}");
        } else {
            let reason = "structured_output_not_produced";
            assert_eq!(whole.refusal(), (502, reason.to_owned()), "{question}");
            assert_eq!(error["gateway"]["reason"], reason, "{question}");
            assert!(!stream.ends_with(b"[DONE]\n\n"), "{question}: a clean end");
            assert!(!text.contains("The city"), "{question}: {text}");
        }
        calls += 2;
        stage.await_spend(&key, calls * NANOS).await;
    }
    let (books, _) = stage.close().await;
    books.must_balance();
    assert_eq!(books.outcomes().iter().filter(|outcome| **outcome == "completed").count(), 4);
    assert!(books.lines.iter().all(|line| line.usage_source == "reported"), "{books:?}");
}

#[tokio::test]
async fn an_operator_may_have_what_the_model_says_handed_on() {
    let stage = stage(Some("passthrough")).await;
    let key = stage.plain_key().await;
    let whole = key.client.post(CHAT, call("prose", false)).await.ok();
    assert_eq!(whole["choices"][0]["message"]["content"], "The city is Oslo.");
    let (stream, _) = key.client.open(CHAT, call("prose", true)).await.rest().await;
    assert_eq!(told(&stream), ("The city is Oslo.".to_owned(), Value::Null));
    assert!(stream.ends_with(b"[DONE]\n\n"));
}
