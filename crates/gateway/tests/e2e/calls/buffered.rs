//! A buffered call: the client's own bytes go up, the upstream's own bytes come down.

use serde_json::json;
use tollgate_simulator::{Behaviour, Script};
use tollgate_testkit::config_text::{ConfigText, UPSTREAM_KEY};
use tollgate_testkit::http::Client;

use crate::stage::{CALL, CALL_NANOS, CHAT, GROUP, Stage, Storage, nanos, simulator};

/// A body that any re-encoding would change: spacing, order, number forms, escapes, unknown fields.
const PARTICULAR: &str = r#" { "x_unknown":{"deep":[1.50,1e-7,null,"\u00e9/"]} ,"seed":9007199254740993,
  "temperature" : 0.70, "model":"chat", "messages":[{"role":"user","content":"one two three",
  "name":"Zo\u00eb","x_more":[ ]}],"metadata":{"model":"chat"} } "#;

#[tokio::test]
async fn a_call_is_answered_billed_and_recorded_on_sqlite() {
    straight_line(Storage::Sqlite).await;
}

#[tokio::test]
async fn a_call_is_answered_billed_and_recorded_on_postgres() {
    straight_line(Storage::Postgres).await;
}

async fn straight_line(storage: Storage) {
    let stage = Stage::on(storage, Behaviour::default()).await;
    let key = stage.key(json!({"max_budget": 1})).await;
    let answer = key.client.post(CHAT, PARTICULAR).await;
    let body = answer.ok();
    assert_eq!(body["usage"]["prompt_tokens"], 3);
    assert_eq!(body["usage"]["completion_tokens"], 16);
    assert_eq!(body["model"], GROUP);

    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("x-litellm-model-group"), GROUP);
    assert_eq!(answer.header("x-litellm-response-cost"), "0.000035");
    assert_eq!(answer.header("x-litellm-key-spend"), "0.000035");
    for name in ["x-litellm-call-id", "x-litellm-model-id", "x-litellm-overhead-duration-ms"] {
        assert!(!answer.header(name).is_empty(), "{name} is missing");
    }
    assert!(answer.header("server-timing").contains("dur="), "{}", answer.header("server-timing"));

    stage.await_spend(&key, CALL_NANOS).await;
    assert_eq!(nanos(&stage.info(&key).await["max_budget"]), 1_000_000_000);
    let (books, _) = stage.close().await;
    books.must_balance();
    assert_eq!(books.outcomes(), ["completed"]);
    assert_eq!(books.lines[0].usage_source, "reported");
    assert_eq!(books.sum(), CALL_NANOS);
}

#[tokio::test]
async fn only_the_models_name_changes_on_the_way_up_and_on_the_way_down() {
    let stage = Stage::new().await;
    let key = stage.plain_key().await;
    let answer = key.client.post(CHAT, PARTICULAR).await;
    assert_eq!(answer.status, 200, "{}", answer.text());

    let call = stage.simulator.calls().find(0).expect("the call arrived");
    let sent = PARTICULAR.replacen(r#""model":"chat""#, r#""model":"simulated""#, 1);
    assert_eq!(String::from_utf8_lossy(&call.body), sent);

    // Another simulator, asked the same, says what the upstream has answered.
    let twin = simulator(Script::default()).await;
    let twin = Client::new(&format!("http://{}", twin.addr()));
    let direct = twin.post(CHAT, sent).await.text();
    assert_eq!(answer.text(), direct.replacen(r#""model":"simulated""#, r#""model":"chat""#, 1));
}

#[tokio::test]
async fn nothing_that_the_client_did_not_mean_for_the_upstream_arrives_there() {
    let stage = Stage::new().await;
    let key = stage.plain_key().await;
    let client = key
        .client
        .clone()
        .with_header("x-stainless-lang", "python")
        .with_header("x-litellm-timeout", "20")
        .with_header("cookie", "session=secret")
        .with_header("user-agent", "someone/1.0")
        .with_header("x-forwarded-for", "10.0.0.1")
        .with_header("openai-organization", "org-of-the-client");
    client.post(CHAT, PARTICULAR).await.ok();

    let call = stage.simulator.calls().find(0).expect("the call arrived");
    assert_eq!((call.method.as_str(), call.path.as_str()), ("POST", CHAT));
    let expected = format!("Bearer {UPSTREAM_KEY}");
    assert_eq!(call.header("authorization"), Some(expected.as_str()));
    assert_eq!(call.header("content-type"), Some("application/json"));
    for (name, value) in &call.headers {
        let ours = ["accept", "accept-encoding", "authorization", "content-length"]
            .into_iter()
            .chain(["content-type", "host", "user-agent"]);
        assert!(ours.into_iter().any(|ours| ours == name), "{name}: {value} went upstream");
        assert!(!value.contains("someone") && !value.contains(&key.text), "{name}: {value}");
    }
}

#[tokio::test]
async fn a_client_cannot_name_its_own_price() {
    let stage = Stage::new().await;
    let key = stage.plain_key().await;
    let body = CALL.replace(r#""messages""#, r#""input_cost_per_token":0,"messages""#);
    key.client.post(CHAT, body).await.ok();
    stage.await_spend(&key, CALL_NANOS).await;
    let call = stage.simulator.calls().find(0).expect("the call arrived");
    let sent = CALL.replace(r#""chat""#, r#""simulated""#);
    assert_eq!(String::from_utf8_lossy(&call.body), sent);
}

#[tokio::test]
async fn headers_of_the_upstream_come_down_under_litellms_prefix() {
    let header = |name: &'static str, value: &'static str| {
        (http::HeaderName::from_static(name), http::HeaderValue::from_static(value))
    };
    let behaviour = Behaviour {
        headers: vec![
            header("x-request-id", "req_1"),
            header("x-ratelimit-remaining-requests", "9"),
            header("set-cookie", "upstream=1"),
        ],
        ..Behaviour::default()
    };
    let stage = Stage::on(Storage::Sqlite, behaviour).await;
    let key = stage.plain_key().await;
    let answer = key.client.post(CHAT, PARTICULAR).await;
    assert_eq!(answer.header("llm_provider-x-request-id"), "req_1");
    assert_eq!(answer.header("x-ratelimit-remaining-requests"), "9");
    assert_eq!(answer.header("x-request-id"), "");
    assert!(!answer.headers.keys().any(|name| name.as_str().contains("cookie")));
}

#[tokio::test]
async fn cached_tokens_are_told_apart_and_defaults_of_the_deployment_are_added() {
    let behaviour = Behaviour { cached_tokens: 2, ..Behaviour::answering(4) };
    let stage = Stage::with(
        Storage::Sqlite,
        Script::new(behaviour),
        |simulator| {
            let deployment = ConfigText::deployment(simulator)
                .with("cache_read_input_token_cost: 0.0000001")
                .with("temperature: 0.2");
            ConfigText::new().group(GROUP, &deployment)
        },
        |home| home,
    )
    .await;
    let key = stage.plain_key().await;
    let plain = r#"{"model":"chat","messages":[{"role":"user","content":"one two three"}]}"#;
    let answer = key.client.post(CHAT, plain).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    // One token at a micro-dollar, two cached ones at a tenth of it, four of output at two.
    stage.await_spend(&key, 1_000 + 2 * 100 + 4 * 2_000).await;

    key.client.post(CHAT, plain.replace(r#""messages""#, r#""temperature":1,"messages""#)).await;
    let calls = stage.simulator.calls().kept();
    let sent = |index: usize| {
        let body: serde_json::Value = serde_json::from_slice(&calls[index].body).expect("JSON");
        body["temperature"].clone()
    };
    assert_eq!((sent(0), sent(1)), (json!(0.2), json!(1)), "the client's own value wins");
}
