//! What a program sees that uses an SDK: answers, streams and tool calls, as from the vendor
//! itself.

use serde_json::json;
use tollgate_simulator::{Behaviour, Script, ToolCall};

use crate::clients::sdk::{Sdk, chat, tools};
use crate::stage::{CALL_NANOS, GROUP, Stage, Storage, simulator};
use tollgate_testkit::config_text::ConfigText;

const ANSWER: &str =
    "the keeper opens every gate at dawn and counts each cart that rolls along this road";

#[tokio::test]
async fn the_python_sdk_gets_answers_streams_and_tool_calls() {
    answers(Sdk::Python).await;
}

#[tokio::test]
async fn the_node_sdk_gets_answers_streams_and_tool_calls() {
    answers(Sdk::Node).await;
}

async fn answers(sdk: Sdk) {
    let arguments = r#"{"city":"Paris"}"#;
    let call = ToolCall { name: None, arguments: arguments.to_owned() };
    // A tool is called only where the request offers one.
    let behaviour = Behaviour { tool_call: Some(call), ..Behaviour::default() };
    let stage = Stage::on(Storage::Sqlite, behaviour).await;
    let key = stage.plain_key().await;
    let tasks = [
        json!({"models": true}),
        chat("one two three", json!({})),
        chat("one two three", json!({"stream": true})),
        chat("one two three", json!({"stream": true, "stream_options": {"include_usage": true}})),
        chat("one two three", json!({"tools": tools()})),
        chat("one two three", json!({"tools": tools(), "stream": true})),
    ];
    let outcomes = sdk.run(&stage, &key, &tasks).await;

    assert_eq!(outcomes[0], json!({"models": [GROUP]}));
    for outcome in &outcomes[1..4] {
        assert_eq!(outcome["text"], ANSWER, "{outcome}");
        assert_eq!((&outcome["finish"], &outcome["model"]), (&json!("stop"), &json!(GROUP)));
    }
    for (index, reported) in [(1, true), (2, false), (3, true)] {
        let tokens = &outcomes[index]["usage"]["completion_tokens"];
        assert_eq!(*tokens, if reported { json!(16) } else { json!(null) }, "{index}");
    }
    for outcome in &outcomes[4..] {
        assert_eq!(outcome["tools"], json!([{"name": "get_weather", "arguments": arguments}]));
        assert_eq!(outcome["finish"], "tool_calls");
    }
    let (books, _) = stage.close().await;
    books.must_balance();
    assert_eq!(books.outcomes(), ["completed"; 5]);
    let costs: Vec<_> = books.lines.iter().take(3).map(|line| line.cost_nanos).collect();
    assert_eq!(costs, [Some(CALL_NANOS); 3]);
}

#[tokio::test]
async fn the_simulator_itself_answers_the_sdk_like_the_gateway() {
    // The twin is not behind the gateway: what the SDK sees must be the same but for the model's
    // name.
    let twin = simulator(Script::default()).await;
    let stage = Stage::with(
        Storage::Sqlite,
        Script::default(),
        |simulator| ConfigText::simulated(GROUP, simulator),
        |home| home,
    )
    .await;
    let key = stage.plain_key().await;
    let through = chat("one two three", json!({"stream": true}));
    let mut direct = through.clone();
    direct["base_url"] = json!(twin.base_url());
    let outcomes = Sdk::Python.run(&stage, &key, &[through, direct]).await;
    assert_eq!(outcomes[0], outcomes[1]);
}
