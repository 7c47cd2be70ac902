//! A budget is never passed, not even by calls that are made at the same time.

use std::time::Duration;

use serde_json::json;
use tollgate_simulator::{Behaviour, Script};
use tollgate_testkit::config_text::{ConfigText, DeploymentText};
use tollgate_testkit::patience::eventually;

use crate::stage::{CALL, CALL_NANOS, CHAT, GROUP, Stage, Storage};

/// A call that is answered with 16 tokens and can have no more.
const LIMITED: &str = r#"{"model":"chat","max_tokens":16,
    "messages":[{"role":"user","content":"one two three"}]}"#;

/// Enough for several such calls and not for fifty.
const BUDGET_DOLLARS: f64 = 0.000_500;
const BUDGET_NANOS: i64 = 500_000;

/// The tokens of an answer that the budget affords a few times.
const ANSWER_TOKENS: u32 = 60;

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

#[tokio::test]
async fn an_answer_is_shortened_to_what_the_budget_affords_where_the_operator_wants_that() {
    // Fewer tokens than the budget affords at first, and more than it affords at last.
    let stage = Stage::with(
        Storage::Sqlite,
        Script::new(Behaviour::answering(ANSWER_TOKENS)),
        |simulator| {
            let config = ConfigText::simulated(GROUP, simulator);
            config.setting("general_settings", "budget: {clamp_max_tokens: true}")
        },
        |home| home,
    )
    .await;
    let key = stage.key(json!({"max_budget": BUDGET_DOLLARS})).await;
    let (mut spent, mut lengths) = (0, Vec::new());
    let refused = loop {
        let answer = key.client.post(CHAT, CALL).await;
        if answer.status != 200 {
            break answer;
        }
        assert_eq!(answer.header("x-litellm-adjusted-params"), "max_tokens");
        let length = answer.ok()["usage"]["completion_tokens"].as_i64().expect("a number");
        lengths.push(length);
        spent += 3 * 1_000 + length * 2_000;
        assert!(spent <= BUDGET_NANOS, "the budget was passed: {lengths:?}");
        stage.await_spend(&key, spent).await;
    };
    assert_eq!(refused.refusal(), (429, "budget_exceeded".to_owned()));
    let (whole, shortened) = (i64::from(ANSWER_TOKENS), lengths.pop().expect("calls were served"));
    assert!(!lengths.is_empty() && lengths.iter().all(|length| *length == whole), "{lengths:?}");
    assert!((1..whole).contains(&shortened), "{shortened}");
    let upstream = stage.simulator.calls().kept().pop().expect("calls are kept");
    let sent: serde_json::Value = serde_json::from_slice(&upstream.body).expect("JSON");
    assert_eq!(sent["max_tokens"], shortened, "{sent}");

    let rich = stage.key(json!({"max_budget": 1})).await;
    let whole = rich.client.post(CHAT, CALL).await;
    assert_eq!(whole.header("x-litellm-adjusted-params"), "", "{}", whole.text());
}
