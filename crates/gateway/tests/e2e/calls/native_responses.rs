//! Conversations of the Responses API before an upstream that speaks it and keeps answers itself:
//! what the gateway keeps it writes into the next call, what the upstream alone keeps is named to
//! it.

use std::sync::atomic::{AtomicU64, Ordering};

use http::{Method, StatusCode};
use serde_json::{Value, json};
use tollgate_simulator::{Replay, Script, Simulator};
use tollgate_testkit::config_text::{ConfigText, DeploymentText};
use tollgate_testkit::http::{Answer, Client};

use crate::matrix::scene::Scene;
use crate::matrix::upstream::speaking;
use crate::stage::{Key, Stage, Storage};

const RESPONSES: &str = "/v1/responses";

#[tokio::test]
async fn a_kept_answer_is_written_into_the_next_call_and_not_named() {
    let stage = stage().await;
    let key = stage.plain_key().await;
    let first = turn(&key, "native", "one", json!({})).await;
    let second = turn(&key, "native", "two", after(&first)).await;
    let streamed = json!({"previous_response_id": second, "stream": true});
    let body = call("native", "three", &streamed);
    let answer = key.client.post(RESPONSES, body).await;
    assert!(answer.text().contains("response.completed"), "{}", answer.text());
    turn(&key, "other", "four", after("resp_up_3")).await;

    let bodies = sent(&stage);
    let heard = Scene::Text.said().concat();
    let said = |count: usize| -> Vec<String> {
        let turns = ["one", "two", "three", "four"].into_iter().take(count);
        let lines = turns.flat_map(|line| [line.to_owned(), heard.clone()]);
        lines.take(2 * count - 1).collect()
    };
    for (index, (_, body)) in bodies.iter().enumerate() {
        assert_eq!(body.get("previous_response_id"), None, "{body}");
        assert_eq!(texts(body), said(index + 1), "{body}");
    }
    let paths: Vec<&str> = bodies.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(paths, [RESPONSES, RESPONSES, RESPONSES, "/v1/chat/completions"]);
    let (books, _) = stage.close().await;
    books.must_balance();
    assert_eq!(books.outcomes(), ["completed"; 4]);
}

#[tokio::test]
async fn an_answer_that_the_upstream_alone_keeps_is_named_to_it() {
    let stage = stage().await;
    let key = stage.plain_key().await;
    let first = turn(&key, "native", "two", after("resp_before_the_gateway")).await;
    // Kept here, but not the turns before it: these are the upstream's.
    let second = turn(&key, "native", "three", after(&first)).await;
    ask(&key.client, Method::GET, &first).await.ok();
    let named = [("two", "resp_before_the_gateway"), ("three", &first)];
    for ((_, body), (input, previous)) in sent(&stage).iter().zip(named) {
        let wanted = json!({"model": "m", "input": input, "previous_response_id": previous});
        assert_eq!(*body, wanted);
    }
    assert_eq!((first.as_str(), second.as_str()), ("resp_up_1", "resp_up_2"));
}

#[tokio::test]
async fn only_an_upstream_of_the_format_is_asked_about_an_answer_that_is_not_here() {
    let stage = stage().await;
    let key = stage.plain_key().await;
    for _ in 0..8 {
        turn(&key, "both", "two", after("resp_before_the_gateway")).await;
    }
    assert!(sent(&stage).iter().all(|(path, _)| path == RESPONSES));
    let body = call("other", "two", &after("resp_before_the_gateway"));
    let refused = key.client.post(RESPONSES, body).await;
    assert_eq!(refused.refusal(), (400, "previous_response_not_found".to_owned()));
    assert_eq!(stage.simulator.calls().count(), 8);
}

#[tokio::test]
async fn what_the_client_does_not_want_stored_is_kept_nowhere() {
    let stage = stage().await;
    let key = stage.plain_key().await;
    let first = turn(&key, "native", "one", json!({"store": false})).await;
    assert_eq!(sent(&stage)[0].1["store"], false);
    let gone = ask(&key.client, Method::GET, &first).await;
    assert_eq!(gone.refusal(), (404, "response_not_found".to_owned()));

    // The upstream does not know it either, and says so in its own words (openai.md §1.5).
    let message = format!("Previous response with id '{first}' not found.");
    let error = json!({"message": message, "type": "invalid_request_error",
        "param": "previous_response_id", "code": "previous_response_not_found"});
    let body = json!({ "error": error });
    let replay = Replay::new("application/json", [body.to_string().into()]);
    let replay = replay.with_status(StatusCode::BAD_REQUEST);
    stage.simulator.follow(Script::default().replaying(replay));
    let refused = key.client.post(RESPONSES, call("native", "two", &after(&first))).await;
    assert_eq!((refused.status, &refused.json()["error"]["code"]), (400, &error["code"]));
    assert_eq!(refused.json()["error"]["param"], "previous_response_id");
    assert_eq!(sent(&stage)[1].1["previous_response_id"], json!(first));
}

#[tokio::test]
async fn a_kept_answer_of_the_upstream_is_read_and_deleted_by_its_owner_alone() {
    let stage = stage().await;
    let (key, other) = (stage.plain_key().await, stage.plain_key().await);
    let answer = key.client.post(RESPONSES, call("native", "one", &json!({}))).await.ok();
    let id = answer["id"].as_str().expect("an id");
    assert_eq!(ask(&key.client, Method::GET, id).await.ok(), answer);
    let items = ask(&key.client, Method::GET, &format!("{id}/input_items")).await.ok();
    assert_eq!(items["data"][0]["content"][0]["text"], "one", "{items}");

    let missing = (404, "response_not_found".to_owned());
    for method in [Method::GET, Method::DELETE] {
        assert_eq!(ask(&other.client, method, id).await.refusal(), missing);
    }
    let refused = other.client.post(RESPONSES, call("native", "two", &after(id))).await;
    assert_eq!(refused.refusal(), (400, "previous_response_not_found".to_owned()));
    assert_eq!(stage.simulator.calls().count(), 1, "the upstream cannot tell owners apart");

    let deleted = ask(&key.client, Method::DELETE, id).await.ok();
    assert_eq!(deleted, json!({"id": id, "object": "response", "deleted": true}));
    for method in [Method::GET, Method::DELETE] {
        assert_eq!(ask(&key.client, method, id).await.refusal(), missing);
    }
}

/// A gateway with a group at an upstream of the format, one at an upstream of chat, and one at
/// both.
async fn stage() -> Stage {
    let count = AtomicU64::new(0);
    let answer = move |path: &str, body: &[u8]| {
        let number = 1 + count.fetch_add(1, Ordering::Relaxed);
        answer(path, &serde_json::from_slice(body).expect("JSON"), number)
    };
    let config = |upstream: &Simulator| {
        let native = DeploymentText::of(&upstream.base_url(), "openai/responses/m");
        let chat = DeploymentText::of(&upstream.base_url(), "openai/chat_completions/m");
        ConfigText::new()
            .group("native", &native)
            .group("other", &chat)
            .group("both", &chat)
            .group("both", &native)
            .setting("router_settings", "num_retries: 0")
    };
    Stage::with(Storage::Sqlite, Script::default().answering(answer), config, |home| home).await
}

/// Says [`Scene::Text`], each time in an answer of its own number.
fn answer(path: &str, body: &Value, number: u64) -> Replay {
    let native = path.starts_with(RESPONSES);
    let upstream = speaking(if native { "openai_responses" } else { "openai_chat" });
    let numbered = |text: &str| text.replace("resp_up", &format!("resp_up_{number}"));
    if body["stream"] == true {
        let records = upstream.stream(Scene::Text).records.concat();
        let text = String::from_utf8(records).expect("text");
        return Replay::new("text/event-stream", [numbered(&text).into()]);
    }
    let text = upstream.answer(Scene::Text).to_string();
    Replay::new("application/json", [numbered(&text).into()])
}

fn call(model: &str, input: &str, more: &Value) -> String {
    let mut body = json!({ "model": model, "input": input });
    if let (Some(body), Value::Object(more)) = (body.as_object_mut(), more) {
        body.extend(more.clone());
    }
    body.to_string()
}

fn after(id: &str) -> Value {
    json!({ "previous_response_id": id })
}

/// Makes a call and gives the id of its answer.
async fn turn(key: &Key, model: &str, input: &str, more: Value) -> String {
    let answer = key.client.post(RESPONSES, call(model, input, &more)).await.ok();
    answer["id"].as_str().expect("an answer has an id").to_owned()
}

async fn ask(client: &Client, method: Method, path: &str) -> Answer {
    let path = format!("{RESPONSES}/{path}");
    client.try_whole(method, &path, Vec::new().into()).await.expect("an answer")
}

/// The paths and bodies that went upstream.
fn sent(stage: &Stage) -> Vec<(String, Value)> {
    let calls = stage.simulator.calls().kept().into_iter();
    calls.map(|call| (call.path, serde_json::from_slice(&call.body).expect("JSON"))).collect()
}

/// The texts of a conversation, in either format.
fn texts(body: &Value) -> Vec<String> {
    let text = |content: &Value| match content.as_str() {
        Some(text) => text.to_owned(),
        None => content[0]["text"].as_str().unwrap_or_default().to_owned(),
    };
    let turns = ["input", "messages"].map(|member| &body[member]);
    match turns.into_iter().find_map(Value::as_array) {
        Some(turns) => turns.iter().map(|turn| text(&turn["content"])).collect(),
        None => vec![text(&body["input"])],
    }
}
