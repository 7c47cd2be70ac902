//! Answers of the Responses API that the gateway keeps, so that calls go on from them over an
//! upstream that keeps nothing.

use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};
use tollgate_simulator::{Replay, Script, Simulator};
use tollgate_testkit::clock_file::ClockFile;
use tollgate_testkit::config_text::{ConfigText, DeploymentText};
use tollgate_testkit::gateway::GatewayProcess;
use tollgate_testkit::http::{Answer, Client};

use crate::stage::{GROUP, Key, Stage, Storage, binary};

const RESPONSES: &str = "/v1/responses";
const ANSWER: &str =
    "the keeper opens every gate at dawn and counts each cart that rolls along this road";

fn call(input: &str, more: Value) -> String {
    let mut body = json!({ "model": GROUP, "input": input });
    if let (Some(body), Value::Object(more)) = (body.as_object_mut(), more) {
        body.extend(more);
    }
    body.to_string()
}

fn after(id: &str) -> Value {
    json!({ "previous_response_id": id })
}

/// Makes a call and gives the id of its answer.
async fn turn(key: &Key, input: &str, more: Value) -> String {
    let answer = key.client.post(RESPONSES, call(input, more)).await.ok();
    let id = answer["id"].as_str().expect("an answer has an id").to_owned();
    assert!(id.starts_with("resp_"), "{id}");
    id
}

async fn ask(client: &Client, method: Method, path: &str) -> Answer {
    let path = format!("{RESPONSES}/{path}");
    client.try_whole(method, &path, Vec::new().into()).await.expect("an answer")
}

/// Who said what in a call that went upstream.
fn sent(stage: &Stage, index: u64) -> Vec<(String, String)> {
    let call = stage.simulator.calls().find(index).expect("the call upstream");
    let body: Value = serde_json::from_slice(&call.body).expect("JSON");
    assert_eq!(body.get("previous_response_id"), None, "{body}");
    let text = |content: &Value| match content.as_str() {
        Some(text) => text.to_owned(),
        None => content[0]["text"].as_str().unwrap_or_default().to_owned(),
    };
    let said = |message: &Value| {
        (message["role"].as_str().unwrap_or_default().to_owned(), text(&message["content"]))
    };
    body["messages"].as_array().expect("messages").iter().map(said).collect()
}

fn said(lines: &[(&str, &str)]) -> Vec<(String, String)> {
    lines.iter().map(|(role, text)| ((*role).to_owned(), (*text).to_owned())).collect()
}

#[tokio::test]
async fn a_call_goes_on_from_the_turns_before_it() {
    let stage = Stage::new().await;
    let key = stage.plain_key().await;
    let first = turn(&key, "one", json!({})).await;
    let second = turn(&key, "two", after(&first)).await;
    let third = turn(&key, "three", after(&second)).await;
    assert!(first != second && second != third, "{first} {second} {third}");
    let both = [("user", "one"), ("assistant", ANSWER), ("user", "two")];
    assert_eq!(sent(&stage, 1), said(&both));
    let three = [&both[..], &[("assistant", ANSWER), ("user", "three")]].concat();
    assert_eq!(sent(&stage, 2), said(&three));
    let (books, _) = stage.close().await;
    books.must_balance();
    assert_eq!(books.outcomes(), ["completed"; 3]);
}

#[tokio::test]
async fn a_call_goes_on_from_a_stream_as_from_a_whole_answer() {
    let stage = Stage::new().await;
    let key = stage.plain_key().await;
    let streamed = key.client.post(RESPONSES, call("one", json!({ "stream": true }))).await;
    let events = streamed.text();
    let last = events
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .filter_map(|data| serde_json::from_str::<Value>(data).ok())
        .find(|event| event["type"] == "response.completed")
        .expect("the stream ends with its response");
    let first = last["response"]["id"].as_str().expect("an id");
    turn(&key, "two", after(first)).await;
    let both = [("user", "one"), ("assistant", ANSWER), ("user", "two")];
    assert_eq!(sent(&stage, 1), said(&both));
    let kept = ask(&key.client, Method::GET, first).await.ok();
    assert_eq!(kept, last["response"], "what is kept is what the client saw");
}

#[tokio::test]
async fn a_kept_answer_is_read_and_deleted_by_its_owner() {
    let stage = Stage::new().await;
    let key = stage.plain_key().await;
    let answer = key.client.post(RESPONSES, call("one", json!({}))).await.ok();
    let id = answer["id"].as_str().expect("an id");
    assert_eq!(ask(&key.client, Method::GET, id).await.ok(), answer);
    for base in ["/responses", "/openai/v1/responses"] {
        assert_eq!(key.client.get(&format!("{base}/{id}")).await.ok(), answer, "{base}");
    }
    let deleted = ask(&key.client, Method::DELETE, id).await.ok();
    assert_eq!(deleted, json!({ "id": id, "object": "response", "deleted": true }));
    let gone = (404, "response_not_found".to_owned());
    for (method, path) in [
        (Method::GET, id.to_owned()),
        (Method::DELETE, id.to_owned()),
        (Method::GET, format!("{id}/input_items")),
        (Method::GET, "resp_never".to_owned()),
    ] {
        assert_eq!(
            ask(&key.client, method.clone(), &path).await.refusal(),
            gone,
            "{method} {path}"
        );
    }
    let refused = key.client.post(RESPONSES, call("two", after(id))).await;
    assert_eq!(refused.refusal(), (400, "previous_response_not_found".to_owned()));
    let error = &refused.json()["error"];
    assert_eq!(error["code"], "previous_response_not_found", "{error}");
    assert_eq!(error["param"], "previous_response_id", "{error}");
    assert_eq!(stage.simulator.calls().count(), 1, "a refused call went upstream");
}

#[tokio::test]
async fn input_items_come_in_pages() {
    let stage = Stage::new().await;
    let key = stage.plain_key().await;
    let item = |index: usize| json!({ "role": "user", "content": format!("line {index}") });
    let input: Vec<Value> = (0..25).map(item).collect();
    let body = json!({ "model": GROUP, "input": input }).to_string();
    let answer = key.client.post(RESPONSES, body).await.ok();
    let id = answer["id"].as_str().expect("an id");
    let page = async |query: &str| {
        let path = format!("{id}/input_items?{query}");
        let page = ask(&key.client, Method::GET, &path).await.ok();
        assert_eq!(page["object"], "list", "{page}");
        let items = page["data"].as_array().expect("items").clone();
        assert_eq!(page["first_id"], items[0]["id"], "{page}");
        assert_eq!(page["last_id"], items[items.len() - 1]["id"], "{page}");
        let text = |item: &Value| item["content"][0]["text"].as_str().unwrap_or("").to_owned();
        let texts: Vec<String> = items.iter().map(text).collect();
        let last = page["last_id"].as_str().expect("an id").to_owned();
        (texts, last, page["has_more"] == json!(true))
    };
    let lines = |range: std::ops::Range<usize>| -> Vec<String> {
        range.map(|index| format!("line {index}")).collect()
    };
    let (texts, last, more) = page("order=asc").await;
    assert_eq!((texts, more), (lines(0..20), true));
    let (texts, _, more) = page(&format!("order=asc&after={last}")).await;
    assert_eq!((texts, more), (lines(20..25), false));
    let (texts, _, more) = page("limit=2").await;
    assert_eq!((texts, more), (vec!["line 24".to_owned(), "line 23".to_owned()], true));
    for (query, param) in
        [("limit=0", "limit"), ("limit=101", "limit"), ("order=up", "order"), ("after=x", "after")]
    {
        let path = format!("{id}/input_items?{query}");
        let refused = ask(&key.client, Method::GET, &path).await;
        assert_eq!(refused.refusal(), (400, "field_out_of_range".to_owned()), "{query}");
        assert_eq!(refused.json()["error"]["param"], param);
    }
}

#[tokio::test]
async fn an_answer_is_its_teams_alone() {
    let stage = Stage::new().await;
    let member = |team: &str| stage.key(json!({ "team_id": team }));
    let (red, also_red, blue) = (member("red").await, member("red").await, member("blue").await);
    let alone = stage.plain_key().await;
    let id = turn(&red, "one", json!({})).await;
    turn(&also_red, "two", after(&id)).await;
    ask(&also_red.client, Method::GET, &id).await.ok();
    for other in [&blue, &alone] {
        let refused = ask(&other.client, Method::GET, &id).await;
        assert_eq!(refused.refusal(), (404, "response_not_found".to_owned()));
        let refused = ask(&other.client, Method::DELETE, &id).await;
        assert_eq!(refused.refusal(), (404, "response_not_found".to_owned()));
        let refused = other.client.post(RESPONSES, call("two", after(&id))).await;
        assert_eq!(refused.refusal(), (400, "previous_response_not_found".to_owned()));
    }
    ask(&red.client, Method::GET, &id).await.ok();
}

#[tokio::test]
async fn an_answer_expires_and_outlives_a_restart_until_then() {
    let clock = ClockFile::at("2026-01-31T12:00:00Z");
    let config = |simulator: &_| {
        let config = ConfigText::simulated(GROUP, simulator);
        config.setting("general_settings", "responses_retention: 36h")
    };
    let furnish = |home: tollgate_testkit::gateway::Home| home.with_clock(&clock);
    let stage = Stage::with(Storage::Sqlite, Script::default(), config, furnish).await;
    let key = stage.plain_key().await;
    let id = turn(&key, "one", json!({})).await;
    let Stage { simulator, home, gateway, database } = stage;
    assert_eq!(gateway.terminate().await.code(), Some(0));
    let gateway = GatewayProcess::start(binary(), &home).await;
    let key = Key { client: gateway.client(&key.text), ..key };
    let stage = Stage { simulator, home, gateway, database };

    clock.set("2026-02-01T23:59:59Z");
    ask(&key.client, Method::GET, &id).await.ok();
    turn(&key, "two", after(&id)).await;
    clock.set("2026-02-02T00:00:00Z");
    let gone = ask(&key.client, Method::GET, &id).await;
    assert_eq!(gone.refusal(), (404, "response_not_found".to_owned()));
    let refused = key.client.post(RESPONSES, call("three", after(&id))).await;
    assert_eq!(refused.refusal(), (400, "previous_response_not_found".to_owned()));
    stage.close().await;
}

#[tokio::test]
async fn what_is_not_to_be_kept_is_not_kept() {
    let never = |simulator: &_| {
        let config = ConfigText::simulated(GROUP, simulator);
        config.setting("general_settings", "responses_retention: 0")
    };
    let keeping = Stage::new().await;
    let stage = Stage::with(Storage::Sqlite, Script::default(), never, |home| home).await;
    for (stage, more) in [(&keeping, json!({ "store": false })), (&stage, json!({}))] {
        let key = stage.plain_key().await;
        let id = turn(&key, "one", more).await;
        let gone = ask(&key.client, Method::GET, &id).await;
        assert_eq!(gone.refusal(), (404, "response_not_found".to_owned()));
        let refused = key.client.post(RESPONSES, call("two", after(&id))).await;
        assert_eq!(refused.refusal(), (400, "previous_response_not_found".to_owned()));
    }
}

#[tokio::test]
async fn who_asks_for_a_websocket_is_told_to_use_https() {
    let stage = Stage::new().await;
    let key = stage.plain_key().await;
    let socket = |client: Client| {
        let client =
            client.with_header("upgrade", "websocket").with_header("connection", "upgrade");
        client.with_header("sec-websocket-version", "13")
    };
    for path in ["/v1/responses", "/responses", "/openai/v1/responses"] {
        let refused = socket(key.client.clone()).get(path).await;
        assert_eq!(refused.refusal(), (426, "websocket_unsupported".to_owned()), "{path}");
        assert!(refused.text().contains("HTTPS"), "{}", refused.text());
        let unknown = socket(stage.gateway.anonymous()).get(path).await;
        assert_eq!(unknown.refusal(), (401, "key_missing".to_owned()), "{path}");
        let plain = key.client.get(path).await;
        assert_eq!(plain.refusal(), (405, "method_not_allowed".to_owned()), "{path}");
    }
}

#[tokio::test]
async fn an_answer_that_only_a_provider_may_know_is_asked_of_the_deployments_that_speak_the_api() {
    const RESPONSE: &str = r#"{"id":"resp_new","object":"response","status":"completed",
        "model":"x","output":[{"type":"message","id":"m","status":"completed","role":"assistant",
        "content":[{"type":"output_text","text":"hi","annotations":[]}]}],
        "usage":{"input_tokens":3,"output_tokens":1,"total_tokens":4}}"#;
    let chat = |simulator: &Simulator| ConfigText::simulated(GROUP, simulator);
    let mixed = |simulator: &Simulator| {
        let native = DeploymentText::of(&simulator.base_url(), "openai/gpt-x").with("order: 2");
        chat(simulator).group(GROUP, &native)
    };
    let script = || {
        Script::default().answering(|_, _| {
            Replay::new("application/json", [Bytes::from_static(RESPONSE.as_bytes())])
        })
    };
    let body = call("go on", after("resp_of_the_provider"));
    let stage = Stage::with(Storage::Sqlite, script(), mixed, |home| home).await;
    let key = stage.plain_key().await;
    key.client.post(RESPONSES, body.clone()).await.ok();
    let sent = stage.simulator.calls().find(0).expect("the call upstream");
    assert!(sent.path.ends_with("/responses"), "{}", sent.path);
    assert!(String::from_utf8_lossy(&sent.body).contains("resp_of_the_provider"));
    assert_eq!(stage.simulator.calls().count(), 1);

    let stage = Stage::with(Storage::Sqlite, script(), chat, |home| home).await;
    let key = stage.plain_key().await;
    let answer = key.client.post(RESPONSES, body).await;
    assert_eq!((answer.status, stage.simulator.calls().count()), (400, 0), "{}", answer.text());
    assert_eq!(answer.json()["error"]["param"], "previous_response_id");
}
