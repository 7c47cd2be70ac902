//! Tokens are counted by who would answer, where it counts; nothing depends on its doing so.

use serde_json::{Value, json};
use tollgate_simulator::{Replay, Script, Simulator};
use tollgate_testkit::config_text::{ConfigText, DeploymentText, INPUT_PRICE, OUTPUT_PRICE};

use crate::stage::{Stage, Storage};

/// A gateway before an upstream that counts like this, under two names of groups.
async fn stage(counts: &'static str) -> Stage {
    let answer = move |_: &str, _: &[u8]| Replay::new("application/json", [counts.into()]);
    let config = |simulator: &Simulator| {
        let base = simulator.base_url();
        let base = base.trim_end_matches("/v1");
        let at = |model| DeploymentText::of(base, model).priced(INPUT_PRICE, OUTPUT_PRICE);
        ConfigText::new()
            .group("claude", &at("anthropic/claude-opus-4-7"))
            .group("flash", &at("gemini/gemini-3-flash"))
    };
    Stage::with(Storage::Sqlite, Script::default().answering(answer), config, |home| home).await
}

const MESSAGES: &str = "/v1/messages/count_tokens";
const CONTENTS: &str = "/v1beta/models/flash:countTokens";

fn messages(model: &str) -> String {
    json!({"model": model, "max_tokens": 5, "x_unknown": 1,
        "messages": [{"role": "user", "content": "one two three"}]})
    .to_string()
}

fn contents() -> String {
    json!({"contents": [{"role": "user", "parts": [{"text": "one two three"}]}]}).to_string()
}

#[tokio::test]
async fn the_vendor_counts_requests_in_its_own_format() {
    let stage = stage(r#"{"input_tokens":4242,"totalTokens":4242}"#).await;
    let key = stage.plain_key().await;
    let counted = key.client.post(MESSAGES, messages("claude")).await.ok();
    assert_eq!(counted, json!({"input_tokens": 4242}));
    let counted = key.client.post(CONTENTS, contents()).await.ok();
    assert_eq!(counted["totalTokens"], 4242);

    let sent = stage.simulator.calls().kept();
    let paths: Vec<&str> = sent.iter().map(|call| call.path.as_str()).collect();
    assert_eq!(paths, [MESSAGES, "/v1beta/models/gemini-3-flash:countTokens"]);
    let body: Value = serde_json::from_slice(&sent[0].body).expect("JSON");
    let expected = json!({"model": "claude-opus-4-7", "x_unknown": 1,
        "messages": [{"role": "user", "content": "one two three"}]});
    assert_eq!(body, expected);
    assert_eq!(sent[0].header("x-api-key"), Some("sk-upstream"));
    assert_eq!(sent[1].header("x-goog-api-key"), Some("sk-upstream"));

    let (books, _) = stage.close().await;
    assert!(books.lines.is_empty(), "a count costs nothing");
}

#[tokio::test]
async fn what_nobody_counts_is_estimated() {
    let broken = stage("{}").await;
    let key = broken.plain_key().await;
    let estimate = key.client.post(MESSAGES, messages("claude")).await.ok();
    let tokens = estimate["input_tokens"].as_u64().expect("a count");
    assert!((3..100).contains(&tokens), "{estimate}");
    assert_eq!(broken.simulator.calls().count(), 1, "it was asked once");

    let elsewhere = stage(r#"{"totalTokens":4242}"#).await;
    let key = elsewhere.plain_key().await;
    let estimate = key.client.post(MESSAGES, messages("flash")).await.ok();
    assert_eq!(estimate["input_tokens"].as_u64(), Some(tokens), "a translation is not counted");
    assert_eq!(elsewhere.simulator.calls().count(), 0);
    let unknown = key.client.post(MESSAGES, messages("nothing")).await;
    assert_eq!(unknown.refusal().1, "model_unknown");
}
