//! A key sees the models it may use, and may use those it sees.

use serde_json::json;
use tollgate_simulator::{Script, Simulator};
use tollgate_testkit::config_text::ConfigText;

use crate::stage::{CHAT, Stage, Storage};

fn three_groups(simulator: &Simulator) -> ConfigText {
    let deployment = ConfigText::deployment(simulator);
    ConfigText::new()
        .group("alpha", &deployment)
        .group("alpha-large", &deployment)
        .group("beta", &deployment)
}

async fn stage() -> Stage {
    Stage::with(Storage::Sqlite, Script::default(), three_groups, |home| home).await
}

fn call(model: &str) -> String {
    json!({"model": model, "messages": [{"role": "user", "content": "hi"}]}).to_string()
}

#[tokio::test]
async fn what_is_listed_is_what_may_be_called() {
    let stage = stage().await;
    for (models, visible) in [
        (json!([]), vec!["alpha", "alpha-large", "beta"]),
        (json!(["beta"]), vec!["beta"]),
        (json!(["alpha*"]), vec!["alpha", "alpha-large"]),
        (json!(["no-default-models"]), vec![]),
    ] {
        let key = stage.key(json!({"models": models})).await;
        let list = key.client.get("/v1/models").await.ok();
        let listed: Vec<_> = list["data"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|model| model["id"].as_str().unwrap_or_default())
            .collect();
        assert_eq!(listed, visible, "{models}");
        for model in ["alpha", "alpha-large", "beta"] {
            let answer = key.client.post(CHAT, call(model)).await;
            let one = key.client.get(&format!("/v1/models/{model}")).await;
            if visible.contains(&model) {
                assert_eq!((answer.status, one.status), (200, 200), "{models} {model}");
            } else {
                let refused = (403, "model_not_granted".to_owned());
                assert_eq!(answer.refusal(), refused, "{models} {model}");
                assert_eq!(one.refusal(), (404, "model_unknown".to_owned()), "{models} {model}");
            }
        }
    }
}

#[tokio::test]
async fn an_unknown_model_is_refused_with_the_nearest_names() {
    let stage = stage().await;
    let key = stage.key(json!({"models": ["alpha", "alpha-large"]})).await;
    let answer = key.client.post(CHAT, call("alhpa")).await;
    assert_eq!(answer.refusal(), (404, "model_unknown".to_owned()));
    let error = &answer.json()["error"];
    assert_eq!((&error["param"], &error["code"]), (&json!("model"), &json!("model_not_found")));
    let fix = error["gateway"]["fix"].as_str().unwrap_or_default();
    assert!(fix.contains("`alpha`"), "{fix}");
    assert!(!answer.text().contains("beta"), "a model that is not granted was suggested");
}

#[tokio::test]
async fn every_path_of_the_api_serves_the_same_call() {
    let stage = stage().await;
    let key = stage.plain_key().await;
    let nameless = r#"{"messages":[{"role":"user","content":"hi"}]}"#;
    for (path, body) in [
        ("/v1/chat/completions", call("alpha")),
        ("/chat/completions", call("alpha")),
        ("/openai/deployments/alpha/chat/completions?api-version=2024-10-21", nameless.to_owned()),
        ("/engines/alpha/chat/completions", nameless.to_owned()),
    ] {
        let answer = key.client.post(path, body).await.ok();
        assert_eq!(answer["model"], "alpha", "{path}");
    }
    assert_eq!(key.client.get("/models").await.ok(), key.client.get("/v1/models").await.ok());
}

#[tokio::test]
async fn a_key_is_taken_from_any_of_the_headers_that_clients_use() {
    let stage = stage().await;
    let key = stage.plain_key().await;
    for (name, value) in [
        ("authorization", format!("Bearer {}", key.text)),
        ("x-api-key", key.text.clone()),
        ("api-key", key.text.clone()),
        ("x-litellm-api-key", key.text.clone()),
        ("x-litellm-api-key", format!("Bearer {}", key.text)),
    ] {
        let client = stage.gateway.anonymous().with_header(name, &value);
        client.post(CHAT, call("alpha")).await.ok();
    }
    for call in stage.simulator.calls().kept() {
        let seen = format!("{call:?}");
        assert!(!seen.contains(&key.text), "the virtual key went upstream: {seen}");
    }
}
