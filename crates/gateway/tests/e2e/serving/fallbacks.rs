//! Another model group takes the call that the first cannot serve.

use serde_json::{Value, json};
use tollgate_simulator::{Behaviour, Fault, Script};
use tollgate_testkit::config_text::{ConfigText, DeploymentText};
use tollgate_testkit::http::Answer;

use crate::stage::{CALL, CHAT, GROUP, STREAMED_CALL, Stage, Storage};

/// What a prompt token and an answer token of the fallback cost.
const DEARER: (&str, &str) = ("0.000003", "0.000004");
/// What [`CALL`] costs there.
const DEARER_NANOS: i64 = 3 * 3_000 + 16 * 4_000;

/// A stage with the groups `chat`, which answers in this way, and `other`, which is well, and this
/// line of `router_settings`.
async fn stage(first: Behaviour, line: &str) -> Stage {
    let script = Script::default().for_model("first", first);
    let config = |simulator: &tollgate_simulator::Simulator| {
        let at = |model: &str| DeploymentText::at(&simulator.base_url(), model);
        ConfigText::new()
            .group(GROUP, &at("first").priced("0.000001", "0.000002"))
            .group("other", &at("second").priced(DEARER.0, DEARER.1))
            .setting("router_settings", line)
    };
    Stage::with(Storage::Sqlite, script, config, |home| home).await
}

/// A refusal of the upstream with this code.
fn coded(status: u16, code: &str) -> Behaviour {
    let error = json!({ "error": { "message": "no", "type": "x", "code": code } });
    let body = Some(error.to_string());
    Behaviour::failing(Fault::Status { status, retry_after: None, body })
}

fn way(answer: &Answer) -> [String; 3] {
    ["x-litellm-model-group", "x-litellm-attempted-retries", "x-litellm-attempted-fallbacks"]
        .map(|name| answer.header(name).to_owned())
}

#[tokio::test]
async fn a_group_that_fails_is_followed_by_its_fallback_at_the_fallbacks_price() {
    for body in [CALL, STREAMED_CALL] {
        let stage = stage(Behaviour::refusing(503), "fallbacks: [{chat: [other]}]").await;
        let key = stage.plain_key().await;
        let answer = key.client.post(CHAT, body).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(way(&answer), ["other", "1", "1"]);
        let (books, simulator) = stage.close().await;
        books.must_balance();
        assert_eq!((books.outcomes(), books.sum()), (vec!["completed"], DEARER_NANOS));
        assert_eq!(simulator.calls().count(), 2);
    }
}

#[tokio::test]
async fn each_kind_of_failure_has_a_chain_of_its_own() {
    let window = "context_window_fallbacks: [{chat: [other]}]";
    let policy = "content_policy_fallbacks: [{chat: [other]}]";
    for (behaviour, line, status) in [
        (coded(400, "context_length_exceeded"), window, 200),
        (coded(400, "content_policy_violation"), policy, 200),
        (coded(400, "context_length_exceeded"), policy, 400),
        (coded(400, "content_policy_violation"), window, 400),
        (Behaviour::refusing(503), window, 503),
        (coded(400, "invalid_value"), "fallbacks: [{chat: [other]}]", 400),
        (Behaviour::refusing(401), "default_fallbacks: [other]", 200),
    ] {
        let stage = stage(behaviour, line).await;
        let answer = stage.plain_key().await.client.post(CHAT, CALL).await;
        assert_eq!(answer.status, status, "{line}: {}", answer.text());
    }
}

#[tokio::test]
async fn nobody_falls_back_to_a_model_that_they_may_not_use() {
    let stage = stage(Behaviour::refusing(503), "fallbacks: [{chat: [other]}]").await;
    let key = stage.key(json!({ "models": [GROUP] })).await;
    let answer = key.client.post(CHAT, CALL).await;
    assert_eq!(answer.refusal(), (503, "upstream_overloaded".to_owned()), "{}", answer.text());
    let (books, simulator) = stage.close().await;
    books.must_balance();
    assert_eq!((books.sum(), simulator.calls().count()), (0, 1));
}

#[tokio::test]
async fn nobody_falls_back_to_a_model_that_they_cannot_pay() {
    let stage = stage(Behaviour::refusing(503), "fallbacks: [{chat: [other]}]").await;
    let body = r#"{"model":"chat","max_tokens":16,"messages":[{"role":"user","content":"hi"}]}"#;
    // Enough for the first model, whose tokens cost about half.
    let key = stage.key(json!({ "max_budget": 0.0001 })).await;
    let answer = key.client.post(CHAT, body).await;
    assert_eq!(answer.refusal(), (503, "upstream_overloaded".to_owned()), "{}", answer.text());
    assert_eq!(stage.spend(&key).await, 0);
    let (books, _) = stage.close().await;
    books.must_balance();
}

#[tokio::test]
async fn a_call_names_its_own_fallbacks_or_none() {
    let with = |field: &str, value: Value| {
        let mut body: Value = serde_json::from_str(CALL).expect("a call");
        body[field] = value;
        body.to_string()
    };
    for (line, body, status) in [
        ("num_retries: 0", with("fallbacks", json!(["other"])), 200),
        ("num_retries: 0", with("fallbacks", json!([{ "model": "other" }])), 200),
        ("num_retries: 0", with("fallbacks", json!(["nobody"])), 503),
        ("fallbacks: [{chat: [other]}]", with("disable_fallbacks", json!(true)), 503),
    ] {
        let stage = stage(Behaviour::refusing(503), line).await;
        let answer = stage.plain_key().await.client.post(CHAT, body.clone()).await;
        assert_eq!(answer.status, status, "{body}: {}", answer.text());
    }
}

#[tokio::test]
async fn the_first_groups_failure_is_told_when_the_fallback_fails_too() {
    let script = Script::default()
        .for_model("first", coded(400, "context_length_exceeded"))
        .for_model("second", Behaviour::refusing(503));
    let config = |simulator: &tollgate_simulator::Simulator| {
        let at = |model: &str| DeploymentText::at(&simulator.base_url(), model);
        ConfigText::new()
            .group(GROUP, &at("first"))
            .group("wild/*", &at("*"))
            .setting("router_settings", "context_window_fallbacks: [{chat: [wild/second]}]")
    };
    let stage = Stage::with(Storage::Sqlite, script, config, |home| home).await;
    let answer = stage.plain_key().await.client.post(CHAT, CALL).await;
    assert_eq!(answer.refusal(), (400, "context_window_exceeded".to_owned()), "{}", answer.text());
    let attempts = answer.json()["error"]["gateway"]["attempts"].clone();
    let groups: Vec<&Value> =
        attempts.as_array().into_iter().flatten().map(|one| &one["model_group"]).collect();
    assert_eq!(groups, ["chat", "wild/second"], "{attempts}");
}

#[tokio::test]
async fn an_administrator_is_told_the_whole_way_of_a_call_and_nobody_else_is() {
    let stage = stage(Behaviour::refusing(503), "fallbacks: [{chat: [other]}]").await;
    let master = stage.gateway.master().with_header("x-tollgate-explain", "1");
    let answer = master.post(CHAT, CALL).await;
    let told: Value = serde_json::from_str(answer.header("x-tollgate-explain")).expect("JSON");
    let groups: Vec<&Value> =
        told["groups"].as_array().into_iter().flatten().map(|one| &one["group"]).collect();
    assert_eq!(groups, ["chat", "other"], "{told}");
    let attempts: Vec<(&Value, &Value)> = told["attempts"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|one| (&one["status"], &one["reason"]))
        .collect();
    let expected = [(&json!(503), &json!("upstream_overloaded")), (&json!(200), &Value::Null)];
    assert_eq!(attempts, expected, "{told}");
    let mut refused: Value = serde_json::from_str(CALL).expect("a call");
    refused["disable_fallbacks"] = json!(true);
    let answer = master.post(CHAT, refused.to_string()).await;
    assert_ne!(answer.status, 200);
    assert!(answer.header("x-tollgate-explain").contains("upstream_overloaded"));
    let client = stage.plain_key().await.client.with_header("x-tollgate-explain", "1");
    assert_eq!(client.post(CHAT, CALL).await.header("x-tollgate-explain"), "");
}
