//! Rates and calls at one time: nothing, one, and no limit.

use serde_json::json;
use tollgate_testkit::patience::until;

use super::{call, manage, served, stage};
use crate::stage::{CHAT, Key};

/// A call that is under way for as long as it is kept.
const SLOW: &str = r#"{"model":"slow","stream":true,"max_tokens":16,
    "messages":[{"role":"user","content":"one"}]}"#;

async fn refusal(key: &Key) -> (u16, String) {
    call(key).await.refusal()
}

#[tokio::test]
async fn requests_a_minute_are_counted_and_null_counts_nothing() {
    let stage = stage().await;
    let limited = (429, "rate_limited".to_owned());
    let key = stage.key(json!({"rpm_limit": 0})).await;
    let answer = call(&key).await;
    assert_eq!(answer.refusal(), limited);
    manage(&stage, "/key/update", json!({"key": key.text, "rpm_limit": 1})).await;
    served(&call(&key).await);
    let answer = call(&key).await;
    assert_eq!(answer.refusal(), limited);
    let wait: u64 = answer.header("retry-after").parse().expect("a wait in seconds");
    assert!((1..=61).contains(&wait), "{wait}");
    manage(&stage, "/key/update", json!({"key": key.text, "rpm_limit": null})).await;
    served(&call(&key).await);
}

#[tokio::test]
async fn tokens_a_minute_are_counted_and_null_counts_nothing() {
    let stage = stage().await;
    let limited = (429, "rate_limited".to_owned());
    let key = stage.key(json!({"tpm_limit": 0})).await;
    assert_eq!(refusal(&key).await, limited);
    manage(&stage, "/key/update", json!({"key": key.text, "tpm_limit": 1})).await;
    // A first call may be expected to need no more than that; it uses nineteen.
    let refused = || async { (refusal(&key).await == limited).then_some(()) };
    until("a refusal", refused).await;
    manage(&stage, "/key/update", json!({"key": key.text, "tpm_limit": null})).await;
    served(&call(&key).await);
}

#[tokio::test]
async fn calls_at_one_time_are_counted_until_each_is_over() {
    let stage = stage().await;
    let limited = (429, "concurrency_limited".to_owned());
    let key = stage.key(json!({"max_parallel_requests": 0})).await;
    assert_eq!(refusal(&key).await, limited);
    manage(&stage, "/key/update", json!({"key": key.text, "max_parallel_requests": 1})).await;
    let first = key.client.open(CHAT, SLOW).await;
    assert_eq!(first.status, 200);
    assert_eq!(refusal(&key).await, limited);
    manage(&stage, "/key/update", json!({"key": key.text, "max_parallel_requests": null})).await;
    served(&call(&key).await);
    // Set again while one is under way: it may count or not, and once it is over one more may come.
    manage(&stage, "/key/update", json!({"key": key.text, "max_parallel_requests": 1})).await;
    drop(first);
    let again = || async { (call(&key).await.status == 200).then_some(()) };
    until("a place that is free again", again).await;
}

#[tokio::test]
async fn a_teams_rates_bind_its_keys_together() {
    let stage = stage().await;
    manage(&stage, "/team/new", json!({"team_id": "core", "rpm_limit": 2})).await;
    let first = stage.key(json!({"team_id": "core"})).await;
    let second = stage.key(json!({"team_id": "core"})).await;
    served(&call(&first).await);
    served(&call(&second).await);
    assert_eq!(refusal(&first).await, (429, "rate_limited".to_owned()));
    manage(&stage, "/team/update", json!({"team_id": "core", "rpm_limit": null})).await;
    served(&call(&first).await);
}
