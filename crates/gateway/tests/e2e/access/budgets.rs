//! A budget is never passed, not even by calls that are made at the same time.

use std::time::Duration;

use serde_json::json;
use tollgate_simulator::Behaviour;
use tollgate_testkit::patience::eventually;

use crate::stage::{CALL_NANOS, CHAT, Stage, Storage};

/// A call that is answered with 16 tokens and can have no more.
const LIMITED: &str = r#"{"model":"chat","max_tokens":16,
    "messages":[{"role":"user","content":"one two three"}]}"#;

/// Enough for several such calls and not for fifty.
const BUDGET_DOLLARS: f64 = 0.000_500;
const BUDGET_NANOS: i64 = 500_000;

#[tokio::test]
async fn a_spent_budget_refuses_on_sqlite() {
    spending_a_budget(Storage::Sqlite).await;
}

#[tokio::test]
async fn a_spent_budget_refuses_on_postgres() {
    spending_a_budget(Storage::Postgres).await;
}

async fn spending_a_budget(storage: Storage) {
    let stage = Stage::on(storage, Behaviour::default()).await;
    let key = stage.key(json!({"max_budget": BUDGET_DOLLARS})).await;
    let mut served = 0;
    let refusal = loop {
        let answer = key.client.post(CHAT, LIMITED).await;
        if answer.status != 200 {
            break answer;
        }
        served += 1;
        stage.await_spend(&key, served * CALL_NANOS).await;
        assert!(served * CALL_NANOS <= BUDGET_NANOS, "the budget was passed");
    };
    assert!(served >= 5, "only {served} calls were served");
    assert_eq!(refusal.refusal(), (429, "budget_exceeded".to_owned()));
    let error = &refusal.json()["error"];
    assert_eq!((&error["type"], &error["code"]), (&json!("budget_exceeded"), &json!("429")));
    assert_eq!(error["gateway"]["retryable"], false);

    let fields = json!({"key": key.text, "max_budget": 1}).to_string();
    stage.gateway.master().post("/key/update", fields).await.ok();
    key.client.post(CHAT, LIMITED).await.ok();
    let (books, _) = stage.close().await;
    books.must_balance();
    assert_eq!(books.sum(), (served + 1) * CALL_NANOS);
}

#[tokio::test]
async fn calls_at_the_same_time_do_not_pass_a_budget() {
    // Slow enough that all calls are under way before the first has settled.
    let slow = Behaviour { first_token: Duration::from_millis(300), ..Behaviour::default() };
    let stage = Stage::on(Storage::Sqlite, slow).await;
    let key = stage.key(json!({"max_budget": BUDGET_DOLLARS})).await;
    let calls: Vec<_> = (0..40)
        .map(|_| {
            let client = key.client.clone();
            tokio::spawn(async move { client.post(CHAT, LIMITED).await })
        })
        .collect();
    let mut served = 0;
    for call in calls {
        let answer = eventually("every call", call).await.expect("no call panics");
        match answer.refusal() {
            (200, _) => served += 1,
            (429, reason) => assert_eq!(reason, "budget_reserved_by_other_requests"),
            other => panic!("{other:?}: {}", answer.text()),
        }
    }
    assert!((1..40).contains(&served), "{served} calls were served");
    stage.await_spend(&key, served * CALL_NANOS).await;
    // Nothing stays held: what is left can be spent.
    key.client.post(CHAT, LIMITED).await.ok();
    let (books, simulator) = stage.close().await;
    books.must_balance();
    assert!(books.sum() <= BUDGET_NANOS);
    let reached = i64::try_from(simulator.calls().count()).expect("few calls");
    assert_eq!(reached, served + 1, "a refused call went upstream");
}

#[tokio::test]
async fn a_model_without_a_price_is_refused_under_a_budget_only() {
    use tollgate_simulator::Script;
    use tollgate_testkit::config_text::{ConfigText, DeploymentText};

    let stage = Stage::with(
        Storage::Sqlite,
        Script::default(),
        |simulator| {
            let unpriced = DeploymentText::at(&simulator.base_url(), "never-heard-of");
            ConfigText::new().group("chat", &unpriced)
        },
        |home| home,
    )
    .await;
    let capped = stage.key(json!({"max_budget": 1})).await;
    let refused = capped.client.post(CHAT, LIMITED).await;
    assert_eq!(refused.refusal(), (403, "price_unknown".to_owned()));
    let free = stage.plain_key().await;
    let answer = free.client.post(CHAT, LIMITED).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("x-litellm-response-cost"), "", "an unknown cost is not zero");
}
