//! A program written for Anthropic's API, with a model behind it that speaks OpenAI's.

use serde_json::{Value, json};
use tollgate_simulator::{Behaviour, Fault, ToolCall};

use crate::clients::sdk::Sdk;
use crate::stage::{GROUP, Stage, Storage};

const ANSWER: &str =
    "the keeper opens every gate at dawn and counts each cart that rolls along this road";

fn body(more: Value) -> Value {
    let mut body = json!({
        "model": GROUP,
        "max_tokens": 100,
        "system": "be brief",
        "messages": [{"role": "user", "content": "one two three"}],
    });
    if let (Some(body), Value::Object(more)) = (body.as_object_mut(), more) {
        body.extend(more);
    }
    body
}

#[tokio::test]
async fn the_anthropic_sdk_gets_messages_and_streams() {
    let stage = Stage::on(Storage::Sqlite, Behaviour::default()).await;
    let key = stage.plain_key().await;
    let tasks = [body(json!({})), body(json!({"stream": true}))];
    let outcomes = Sdk::Messages.run(&stage, &key, &tasks).await;
    for outcome in &outcomes {
        assert_eq!(outcome["blocks"][0]["text"], ANSWER, "{outcome}");
        assert_eq!((&outcome["stop"], &outcome["model"]), (&json!("end_turn"), &json!(GROUP)));
        assert_eq!(outcome["usage"]["output_tokens"], 16, "{outcome}");
    }
    let sent = stage.simulator.calls().find(0).expect("the call upstream");
    let sent: Value = serde_json::from_slice(&sent.body).expect("JSON");
    assert_eq!(sent["messages"][0], json!({"role": "system", "content": "be brief"}));
    let (books, _) = stage.close().await;
    books.must_balance();
    assert_eq!(books.outcomes(), ["completed"; 2]);
    assert!(books.lines.iter().all(|line| line.usage_source == "reported"), "{books:?}");
}

#[tokio::test]
async fn the_anthropic_sdk_gets_tool_calls() {
    let call = ToolCall { name: None, arguments: r#"{"city":"Paris"}"#.to_owned() };
    let behaviour = Behaviour { tool_call: Some(call), ..Behaviour::default() };
    let stage = Stage::on(Storage::Sqlite, behaviour).await;
    let key = stage.plain_key().await;
    let schema = json!({"type": "object", "properties": {"city": {"type": "string"}}});
    let tools = json!([{"name": "get_weather", "description": "now", "input_schema": schema}]);
    let tasks = [body(json!({"tools": tools})), body(json!({"tools": tools, "stream": true}))];
    for outcome in Sdk::Messages.run(&stage, &key, &tasks).await {
        let block = &outcome["blocks"][0];
        assert_eq!(block["type"], "tool_use", "{outcome}");
        let called = (&block["name"], &block["input"]);
        assert_eq!(called, (&json!("get_weather"), &json!({"city": "Paris"})), "{outcome}");
        assert_eq!(outcome["stop"], "tool_use");
    }
}

#[tokio::test]
async fn refusals_and_failures_surface_as_the_sdks_own_exceptions() {
    let refusing = Behaviour::failing(Fault::Status { status: 503, retry_after: None, body: None });
    let stage = Stage::on(Storage::Sqlite, refusing).await;
    let key = stage.key(json!({"models": [GROUP]})).await;
    let tasks = [body(json!({"model": "nothing"})), body(json!({})), body(json!({"messages": 5}))];
    let outcomes = Sdk::Messages.run(&stage, &key, &tasks).await;
    assert_eq!(outcomes[0]["raised"], "NotFoundError", "{}", outcomes[0]);
    assert_eq!(outcomes[0]["type"], "not_found_error");
    assert_eq!(outcomes[1]["raised"], "OverloadedError", "{}", outcomes[1]);
    assert_eq!(
        (&outcomes[1]["status"], &outcomes[1]["type"]),
        (&json!(529), &json!("overloaded_error"))
    );
    assert_eq!(outcomes[2]["raised"], "BadRequestError", "{}", outcomes[2]);
    assert_eq!(outcomes[2]["type"], "invalid_request_error");
}

#[tokio::test]
async fn a_cut_stream_is_no_message() {
    let cut = Behaviour::default().with_fault(Fault::EndEarly { after_tokens: 5 });
    let stage = Stage::on(Storage::Sqlite, cut).await;
    let key = stage.plain_key().await;
    let outcomes = Sdk::Messages.run(&stage, &key, &[body(json!({"stream": true}))]).await;
    assert!(outcomes[0]["raised"].is_string(), "{}", outcomes[0]);
    let (books, _) = stage.close().await;
    assert_eq!(books.outcomes(), ["cut"]);
}
