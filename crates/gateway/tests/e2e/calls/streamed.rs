//! A streamed call: frames are relayed as they are, and its usage is known although nobody asked.

use bytes::Bytes;
use serde_json::json;
use tollgate_simulator::{Behaviour, Script, ToolCall};
use tollgate_testkit::http::{Client, Ending, Streaming};

use crate::stage::{CALL_NANOS, CHAT, GROUP, STREAMED_CALL, Stage, Storage, events, simulator};

/// The same call by a client that asks for the usage.
const ASKING: &str = r#"{"model":"chat","stream":true,"stream_options":{"include_usage":true},
    "messages":[{"role":"user","content":"one two three"}]}"#;

async fn to_its_end(streaming: Streaming) -> Bytes {
    assert_eq!(streaming.status, 200);
    match streaming.rest().await {
        (body, Ending::Clean) => body,
        (body, Ending::Broken(error)) => panic!("{error} after {body:?}"),
    }
}

/// What a simulator answers to a body, with the client's name for the model in every chunk.
async fn direct(sent: &[u8]) -> String {
    let twin = simulator(Script::default()).await;
    let client = Client::new(&format!("http://{}", twin.addr()));
    let stream = to_its_end(client.open(CHAT, Bytes::copy_from_slice(sent)).await).await;
    let text = String::from_utf8(stream.to_vec()).expect("a stream is text");
    text.replace(r#""model":"simulated""#, r#""model":"chat""#)
}

#[tokio::test]
async fn a_stream_is_answered_billed_and_recorded_on_sqlite() {
    straight_line(Storage::Sqlite).await;
}

#[tokio::test]
async fn a_stream_is_answered_billed_and_recorded_on_postgres() {
    straight_line(Storage::Postgres).await;
}

async fn straight_line(storage: Storage) {
    let stage = Stage::on(storage, Behaviour::default()).await;
    let key = stage.plain_key().await;
    let streaming = key.client.open(CHAT, STREAMED_CALL).await;
    assert_eq!(streaming.header("content-type"), "text/event-stream; charset=utf-8");
    assert_eq!(streaming.header("cache-control"), "no-cache");
    assert_eq!(streaming.header("x-litellm-model-group"), GROUP);
    assert!(!streaming.header("x-litellm-call-id").is_empty());
    assert_eq!(streaming.header("x-litellm-response-cost"), "", "not known before the end");
    let stream = to_its_end(streaming).await;
    assert_eq!(events(&stream).last().map(String::as_str), Some("[DONE]"));

    stage.await_spend(&key, CALL_NANOS).await;
    let (books, _) = stage.close().await;
    books.must_balance();
    assert_eq!(books.outcomes(), ["completed"]);
    assert_eq!((books.lines[0].usage_source.as_str(), books.sum()), ("reported", CALL_NANOS));
}

#[tokio::test]
async fn a_client_that_does_not_ask_for_usage_gets_none_and_is_billed_exactly() {
    let stage = Stage::new().await;
    let key = stage.plain_key().await;
    let stream = to_its_end(key.client.open(CHAT, STREAMED_CALL).await).await;

    let call = stage.simulator.calls().find(0).expect("the call arrived");
    let named = STREAMED_CALL.replace(r#""chat""#, r#""simulated""#);
    let open = named.strip_suffix('}').expect("an object");
    let asking = format!(r#"{open},"stream_options":{{"include_usage":true}}}}"#);
    assert_eq!(String::from_utf8_lossy(&call.body), asking);

    let (mut with_usage, mut chunks) = (String::new(), 0);
    for event in direct(&call.body).await.split_inclusive("\n\n") {
        if event.contains(r#""choices":[]"#) {
            chunks += 1;
        } else {
            with_usage.push_str(event);
        }
    }
    assert_eq!(chunks, 1, "the upstream was asked for its usage");
    assert_eq!(String::from_utf8_lossy(&stream), with_usage);
    stage.await_spend(&key, CALL_NANOS).await;
}

#[tokio::test]
async fn a_client_that_asks_for_usage_gets_the_upstreams_own_bytes() {
    let stage = Stage::new().await;
    let key = stage.plain_key().await;
    let stream = to_its_end(key.client.open(CHAT, ASKING).await).await;
    let call = stage.simulator.calls().find(0).expect("the call arrived");
    let sent = ASKING.replace(r#""model":"chat""#, r#""model":"simulated""#);
    assert_eq!(String::from_utf8_lossy(&call.body), sent);
    assert_eq!(String::from_utf8_lossy(&stream), direct(&call.body).await);
    stage.await_spend(&key, CALL_NANOS).await;
}

#[tokio::test]
async fn frames_are_relayed_when_they_come_and_not_at_the_end() {
    // Were the answer collected, its first token would come after more than a minute.
    let slow = Behaviour::answering(1_000).paced(std::time::Duration::ZERO, 10.0);
    let stage = Stage::on(Storage::Sqlite, slow).await;
    let key = stage.plain_key().await;
    let mut streaming = key.client.open(CHAT, STREAMED_CALL).await;
    streaming.read_until(r#""content":"the""#).await;
    streaming.read_until(r#""content":" keeper""#).await;
    let call = stage.simulator.calls().find(0).expect("the call arrived");
    assert!(call.tokens_sent < 20, "{} tokens were sent before two arrived", call.tokens_sent);
}

#[tokio::test]
async fn a_tool_call_is_relayed_unchanged() {
    let arguments = r#"{"city":"Köln","unit":"°C"}"#;
    let call = ToolCall { name: None, arguments: arguments.to_owned() };
    let behaviour = Behaviour { tool_call: Some(call), ..Behaviour::default() };
    let stage = Stage::on(Storage::Sqlite, behaviour).await;
    let key = stage.plain_key().await;
    let tools = json!([{"type": "function", "function": {"name": "weather", "parameters": {}}}]);
    let body = json!({
        "model": GROUP,
        "stream": true,
        "tools": tools,
        "messages": [{"role": "user", "content": "hi"}],
    });
    let stream = to_its_end(key.client.open(CHAT, body.to_string()).await).await;
    let mut told = String::new();
    for event in events(&stream) {
        let Ok(chunk) = serde_json::from_str::<serde_json::Value>(&event) else { continue };
        let call = &chunk["choices"][0]["delta"]["tool_calls"][0]["function"];
        told.push_str(call["arguments"].as_str().unwrap_or_default());
    }
    assert_eq!(told, arguments);
}

#[tokio::test]
async fn a_stream_without_usage_is_billed_by_what_came_through() {
    let behaviour = Behaviour::answering(40).with_fault(tollgate_simulator::Fault::NoUsage);
    let stage = Stage::on(Storage::Sqlite, behaviour).await;
    let key = stage.plain_key().await;
    to_its_end(key.client.open(CHAT, STREAMED_CALL).await).await;
    let (books, _) = stage.close().await;
    books.must_balance();
    let line = &books.lines[0];
    assert_eq!((line.outcome.as_str(), line.usage_source.as_str()), ("completed", "estimated"));
    assert!(line.cost_nanos.is_some_and(|cost| cost >= 40 * 2_000), "{line:?}");
}
