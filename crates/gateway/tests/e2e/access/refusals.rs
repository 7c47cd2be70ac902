//! What the client did wrong is told at once, with its place, and never goes upstream.

use tollgate_simulator::Script;
use tollgate_testkit::config_text::ConfigText;
use tollgate_testkit::http::Client;

use crate::stage::{CALL, CHAT, GROUP, Stage, Storage};

#[tokio::test]
async fn a_call_without_a_usable_key_is_refused() {
    let stage = Stage::new().await;
    let gateway = &stage.gateway;
    for (client, reason) in [
        (gateway.anonymous(), "key_missing"),
        (gateway.anonymous().with_header("authorization", "Bearer "), "key_malformed"),
        (gateway.client("not-a-virtual-key"), "key_malformed"),
        (gateway.client("sk-nobody-made-this-one"), "key_unknown"),
    ] {
        let answer = client.post(CHAT, CALL).await;
        assert_eq!(answer.refusal(), (401, reason.to_owned()), "{}", answer.text());
        let list = client.get("/v1/models").await;
        assert_eq!(list.refusal(), (401, reason.to_owned()), "{}", list.text());
        assert!(!answer.text().contains("nobody-made"), "the key is repeated in the refusal");
    }
    assert_eq!(stage.simulator.calls().count(), 0);
}

/// Sends a body, expects this refusal and gives its error object.
async fn refused(client: &Client, body: &str, status: u16, reason: &str) -> serde_json::Value {
    let answer = client.post(CHAT, body.to_owned()).await;
    assert_eq!(answer.refusal(), (status, reason.to_owned()), "{body}: {}", answer.text());
    let error = answer.json()["error"].clone();
    assert_eq!(error["gateway"]["origin"], "client", "{error}");
    assert_eq!(error["gateway"]["retryable"], false, "{error}");
    let doc = error["gateway"]["doc"].as_str().unwrap_or_default();
    assert!(doc.ends_with(&format!("/errors/{reason}")), "{doc}");
    assert!(!answer.header("x-litellm-call-id").is_empty(), "a refusal has a call id too");
    error
}

#[tokio::test]
async fn a_wrong_body_is_refused_with_the_place_and_the_field() {
    let stage = Stage::new().await;
    let key = stage.plain_key().await;
    let client = &key.client;

    let error =
        refused(client, "{\"model\":\"chat\",\n \"messages\":[}", 400, "body_malformed").await;
    let message = error["message"].as_str().unwrap_or_default();
    assert!(message.contains("line 2") && message.contains("column"), "{message}");
    refused(client, "[]", 400, "body_malformed").await;
    refused(client, r#"{"model":"chat","messages":[]} tail"#, 400, "body_malformed").await;

    let error = refused(client, r#"{"model":"chat"}"#, 400, "field_missing").await;
    assert_eq!(error["param"], "messages");
    let error = refused(client, r#"{"messages":[]}"#, 400, "field_missing").await;
    assert_eq!(error["param"], "model");
    let wrong = r#"{"model":"chat","messages":"hi"}"#;
    assert_eq!(refused(client, wrong, 400, "field_wrong_type").await["param"], "messages");

    let elsewhere = r#"{"model":"chat","messages":[{"role":"user","content":"hi"}],
        "api_base":"http://elsewhere.test"}"#;
    let error = refused(client, elsewhere, 400, "forbidden_field").await;
    assert_eq!(error["param"], "api_base");
    assert_eq!(stage.simulator.calls().count(), 0, "a refused call went upstream");
}

#[tokio::test]
async fn a_body_above_the_limit_is_refused_and_one_at_the_limit_is_not() {
    let stage = Stage::with(
        Storage::Sqlite,
        Script::default(),
        |simulator| {
            let config = ConfigText::simulated(GROUP, simulator);
            config.setting("general_settings", "max_request_size_mb: 1")
        },
        |home| home,
    )
    .await;
    let key = stage.plain_key().await;
    let of_length = |length: usize| {
        let frame = CALL.replace("one two three", "").len();
        CALL.replace("one two three", &"x".repeat(length - frame))
    };
    let megabyte = 1024 * 1024;
    key.client.post(CHAT, of_length(megabyte)).await.ok();
    refused(&key.client, &of_length(megabyte + 1), 413, "body_too_large").await;
    assert_eq!(stage.simulator.calls().count(), 1);
}

#[tokio::test]
async fn unknown_routes_and_methods_are_refused_in_the_same_shape() {
    let stage = Stage::new().await;
    let key = stage.plain_key().await;
    let unknown = key.client.post("/v1/v1/chat/completions", CALL).await;
    assert_eq!(unknown.refusal(), (404, "route_unknown".to_owned()));
    let wrong = key.client.get(CHAT).await;
    assert_eq!(wrong.refusal(), (405, "method_not_allowed".to_owned()));
}

#[tokio::test]
async fn every_refusal_names_an_article_that_exists() {
    let stage = Stage::new().await;
    let answer = stage.gateway.anonymous().post(CHAT, CALL).await;
    let doc = answer.json()["error"]["gateway"]["doc"].clone();
    let doc = doc.as_str().unwrap_or_default();
    let path = doc.find("/errors/").map(|at| &doc[at..]).expect("an article's path");
    let article = stage.gateway.anonymous().get(path).await;
    assert_eq!(article.status, 200, "{doc}: {}", article.text());
    assert!(article.text().contains("key"), "{}", article.text());
    let list = stage.gateway.anonymous().get("/errors").await;
    assert!(list.text().contains("budget_exceeded"), "{}", list.text());
    let none = stage.gateway.anonymous().get("/errors/no_such_reason").await;
    assert_eq!(none.status, 404);
}
