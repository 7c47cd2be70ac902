//! A provider that refuses turns of tool calls without their reasoning, and clients that do not
//! keep it: the gateway puts it back, or has the model not think about the call.

use bytes::Bytes;
use serde_json::{Value, json};
use tollgate_simulator::{Replay, Script, Simulator};
use tollgate_testkit::config_text::{ConfigText, DeploymentText, INPUT_PRICE, OUTPUT_PRICE};

use crate::stage::{CHAT, GROUP, Key, Stage, Storage};

/// What the model thinks before it calls its tool.
const THOUGHT: &str = "The user wants the weather, so I look it up.";

/// The model's answers: its thought and a call, and once it has the result, an answer.
fn answer(_: &str, body: &[u8]) -> Replay {
    let body: Value = serde_json::from_slice(body).expect("JSON");
    let messages = body["messages"].as_array().expect("messages");
    let answered = messages.iter().any(|message| message["role"] == "tool");
    let call = json!({"index": 0, "id": "call_00_x", "type": "function",
        "function": {"name": "look", "arguments": "{\"city\": \"Oslo\"}"}});
    let said = match answered {
        true => json!({"role": "assistant", "content": "It rains."}),
        false => json!({"role": "assistant", "content": "I look.", "reasoning_content": THOUGHT,
            "tool_calls": [call]}),
    };
    let finish = if answered { "stop" } else { "tool_calls" };
    let usage = json!({"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12});
    let chunk = |name: &str, said: &Value, finish: Value| {
        json!({"id": "c", "object": "chat.completion", "created": 1, "model": "m",
            "choices": [{"index": 0, name: said, "finish_reason": finish}], "usage": usage})
    };
    if body["stream"] == true {
        let events = [
            chunk("delta", &said, Value::Null).to_string(),
            chunk("delta", &json!({}), json!(finish)).to_string(),
            "[DONE]".to_owned(),
        ];
        let pieces = events.map(|event| Bytes::from(format!("data: {event}\n\n")));
        return Replay::new("text/event-stream", pieces);
    }
    let whole = chunk("message", &said, json!(finish));
    Replay::new("application/json", [whole.to_string().into()])
}

async fn stage(memory: Option<&str>) -> Stage {
    let config = |simulator: &Simulator| {
        let deployment = DeploymentText::of(&simulator.base_url(), "deepseek/deepseek-chat");
        let config = ConfigText::new().group(GROUP, &deployment.priced(INPUT_PRICE, OUTPUT_PRICE));
        match memory {
            None => config,
            Some(memory) => {
                config.setting("general_settings", &format!("reasoning_memory: {{{memory}}}"))
            }
        }
    };
    Stage::with(Storage::Sqlite, Script::default().answering(answer), config, |home| home).await
}

const MESSAGES: &str = "/v1/messages";

/// The first turn of an agent that speaks this dialect.
fn first(path: &str, stream: bool) -> Value {
    let schema = json!({"type": "object", "properties": {"city": {"type": "string"}}});
    let tool = match path {
        MESSAGES => json!({"name": "look", "input_schema": schema}),
        _ => json!({"type": "function", "function": {"name": "look", "parameters": schema}}),
    };
    json!({"model": GROUP, "max_tokens": 100, "stream": stream, "tools": [tool],
        "messages": [{"role": "user", "content": "What is the weather in Oslo?"}]})
}

/// The second turn, in which the client brings the result and has not kept what was thought. The
/// arguments it has written anew.
fn second(path: &str, stream: bool) -> String {
    let mut call = first(path, stream);
    let turns = match path {
        MESSAGES => [
            json!({"role": "assistant", "content": [
                {"type": "text", "text": "I look."},
                {"type": "tool_use", "id": "call_00_x", "name": "look",
                    "input": {"city": "Oslo"}}]}),
            json!({"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "call_00_x", "content": "rain"}]}),
        ],
        _ => [
            json!({"role": "assistant", "content": "I look.", "tool_calls": [
                {"id": "call_00_x", "type": "function",
                    "function": {"name": "look", "arguments": "{\"city\":\"Oslo\"}"}}]}),
            json!({"role": "tool", "tool_call_id": "call_00_x", "content": "rain"}),
        ],
    };
    call["messages"].as_array_mut().expect("messages").extend(turns);
    call.to_string()
}

/// Makes a call; gives what the upstream was sent, and what the client was told of changes.
async fn call(stage: &Stage, key: &Key, path: &str, body: String) -> (Value, String) {
    let before = stage.simulator.calls().count();
    let answer = key.client.open(path, body).await;
    assert_eq!(answer.status, 200);
    let adjusted = answer.header("x-litellm-adjusted-params").to_owned();
    answer.rest().await;
    let sent = stage.simulator.calls().find(before).expect("the call arrived");
    (serde_json::from_slice(&sent.body).expect("JSON"), adjusted)
}

/// The assistant's turn in what the upstream was sent.
fn turn(sent: &Value) -> &Value {
    let mut messages = sent["messages"].as_array().expect("messages").iter();
    messages.find(|message| message["role"] == "assistant").expect("an assistant's turn")
}

#[tokio::test]
async fn thoughts_that_a_client_lost_are_put_back_for_its_own_key() {
    for path in [MESSAGES, CHAT] {
        for stream in [false, true] {
            let stage = stage(None).await;
            let key = stage.plain_key().await;
            call(&stage, &key, path, first(path, stream).to_string()).await;
            let (sent, adjusted) = call(&stage, &key, path, second(path, stream)).await;
            assert_eq!(turn(&sent)["reasoning_content"], THOUGHT, "{path} {stream}: {sent}");
            assert_eq!(sent["thinking"], Value::Null, "{path} {stream}");
            assert!(!adjusted.contains("thinking"), "{path} {stream}: {adjusted}");

            let other = stage.plain_key().await;
            let (sent, adjusted) = call(&stage, &other, path, second(path, stream)).await;
            assert_eq!(turn(&sent)["reasoning_content"], Value::Null, "{path} {stream}: {sent}");
            assert_eq!(sent["thinking"], json!({"type": "disabled"}), "{path} {stream}");
            assert!(adjusted.contains("thinking"), "{path} {stream}: {adjusted}");
        }
    }
}

#[tokio::test]
async fn a_turn_that_was_changed_or_a_memory_that_is_off_gives_nothing() {
    let stage_with = stage(None).await;
    let key = stage_with.plain_key().await;
    call(&stage_with, &key, MESSAGES, first(MESSAGES, false).to_string()).await;
    let changed = second(MESSAGES, false).replace("I look.", "I looked.");
    let (sent, _) = call(&stage_with, &key, MESSAGES, changed).await;
    assert_eq!(sent["thinking"], json!({"type": "disabled"}));

    let stage_without = stage(Some("max_size_mb: 0")).await;
    let key = stage_without.plain_key().await;
    call(&stage_without, &key, MESSAGES, first(MESSAGES, false).to_string()).await;
    let (sent, _) = call(&stage_without, &key, MESSAGES, second(MESSAGES, false)).await;
    assert_eq!(sent["thinking"], json!({"type": "disabled"}));
}

#[tokio::test]
async fn what_a_client_kept_goes_as_it_came() {
    let stage = stage(None).await;
    let key = stage.plain_key().await;
    let mut kept: Value = serde_json::from_str(&second(CHAT, false)).expect("JSON");
    kept["messages"][1]["reasoning_content"] = json!("my own");
    kept["x_unknown"] = json!([1.50]);
    let (sent, adjusted) = call(&stage, &key, CHAT, kept.to_string()).await;
    assert_eq!(turn(&sent)["reasoning_content"], "my own");
    assert_eq!(sent["x_unknown"], json!([1.5]));
    assert_eq!(adjusted, "");
}
