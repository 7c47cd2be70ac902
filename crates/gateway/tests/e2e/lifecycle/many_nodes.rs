//! Two gateways on one Postgres and one Redis: a budget is one budget, also when Redis comes and
//! goes.

use std::time::Duration;

use serde_json::json;
use tollgate_simulator::{Behaviour, Script};
use tollgate_testkit::config_text::ConfigText;
use tollgate_testkit::gateway::{GatewayProcess, Home};
use tollgate_testkit::patience::{eventually, until};
use tollgate_testkit::postgres::TestDatabase;
use tollgate_testkit::redis::TestRedis;

use crate::books::Books;
use crate::stage::{CALL_NANOS, CHAT, GROUP, Key, Stage, Storage, binary};

/// A call that is answered with 16 tokens and can have no more.
const LIMITED: &str = r#"{"model":"chat","max_tokens":16,
    "messages":[{"role":"user","content":"one two three"}]}"#;

/// Enough for several such calls and not for forty.
const BUDGET_DOLLARS: f64 = 0.000_500;
const BUDGET_NANOS: i64 = 500_000;

/// Two gateways, of which the stage's is one, and what they share.
struct Pair {
    stage: Stage,
    database: TestDatabase,
    redis: TestRedis,
    other: GatewayProcess,
    _other_home: Home,
}

impl Pair {
    async fn start(behaviour: Behaviour) -> Self {
        let (database, redis) = (TestDatabase::create(), TestRedis::start().await);
        let furnish =
            |home: Home| home.with_database(database.url()).with_env("REDIS_URL", &redis.url());
        let config = |simulator: &_| ConfigText::simulated(GROUP, simulator);
        // The storage is chosen by the address.
        let stage = Stage::with(Storage::Sqlite, Script::new(behaviour), config, furnish).await;
        let other_home =
            furnish(Home::new(&ConfigText::simulated(GROUP, &stage.simulator).build()));
        let other = GatewayProcess::start(binary(), &other_home).await;
        Self { stage, database, redis, other, _other_home: other_home }
    }

    /// A key and its holder at each gateway.
    async fn key(&self, dollars: f64) -> [Key; 2] {
        let one = self.stage.key(json!({"max_budget": dollars})).await;
        let two = Key { client: self.other.client(&one.text), text: one.text.clone() };
        [one, two]
    }

    async fn await_readiness(&self, status: u16) {
        for gateway in [&self.stage.gateway, &self.other] {
            until(&format!("a readiness of {status}"), || async {
                let readiness = gateway.anonymous().get("/health/readiness").await;
                (readiness.status == status).then_some(())
            })
            .await;
        }
    }

    /// Ends both gateways and opens the ledger they leave.
    async fn close(self) -> Books {
        assert_eq!(self.stage.gateway.terminate().await.code(), Some(0));
        assert_eq!(self.other.terminate().await.code(), Some(0));
        let books = Books::open(Some(self.database.url()), &self.stage.home.data_dir()).await;
        books.must_balance();
        books
    }
}

#[tokio::test]
async fn calls_at_the_same_time_on_two_nodes_do_not_pass_a_budget() {
    // Slow enough that all calls are under way before the first has settled.
    let slow = Behaviour { first_token: Duration::from_millis(300), ..Behaviour::default() };
    let pair = Pair::start(slow).await;
    let keys = pair.key(BUDGET_DOLLARS).await;
    let call = |number: usize| {
        let client = keys[number % 2].client.clone();
        tokio::spawn(async move { client.post(CHAT, LIMITED).await })
    };
    let calls: Vec<_> = (0..40).map(call).collect();
    let mut served = 0;
    for call in calls {
        let answer = eventually("every call", call).await.expect("no call panics");
        match answer.refusal() {
            (200, _) => served += 1,
            (429, reason) => assert_eq!(reason, "budget_reserved_by_other_requests"),
            other => panic!("{other:?}: {}", answer.text()),
        }
    }
    assert!((2..40).contains(&served), "{served} calls were served");
    // Nothing stays held on either node: the rest can be spent, and no more.
    let mut refusals = Vec::new();
    while !refusals.iter().any(|reason| reason == "budget_exceeded") {
        assert!(refusals.len() < 100, "{served} calls were served: {refusals:?}");
        for key in &keys {
            let answer = key.client.post(CHAT, LIMITED).await;
            match answer.refusal() {
                (200, _) => served += 1,
                (429, reason) => refusals.push(reason),
                other => panic!("{other:?}: {}", answer.text()),
            }
        }
    }
    let books = pair.close().await;
    assert_eq!(books.sum(), served * CALL_NANOS);
    assert!(books.sum() <= BUDGET_NANOS);
}

#[tokio::test]
async fn without_redis_a_budget_refuses_and_once_it_is_back_it_is_what_the_ledger_says() {
    let mut pair = Pair::start(Behaviour::default()).await;
    let [one, two] = pair.key(BUDGET_DOLLARS).await;
    let free = pair.stage.plain_key().await;
    for key in [&one, &two, &one] {
        key.client.post(CHAT, LIMITED).await.ok();
    }
    pair.redis.kill();
    let refusal = two.client.post(CHAT, LIMITED).await;
    assert_eq!(refusal.refusal(), (503, "budget_store_unavailable".to_owned()));
    pair.await_readiness(503).await;
    free.client.post(CHAT, LIMITED).await.ok();
    pair.redis.restart().await;
    pair.await_readiness(200).await;
    let mut served = 3;
    let refusal = loop {
        let answer = two.client.post(CHAT, LIMITED).await;
        if answer.status != 200 {
            break answer;
        }
        served += 1;
        assert!(served * CALL_NANOS <= BUDGET_NANOS, "the budget was passed");
    };
    let (status, reason) = refusal.refusal();
    assert!(status == 429 && reason.starts_with("budget_"), "{reason}");
    let books = pair.close().await;
    assert_eq!(books.sum(), (served + 1) * CALL_NANOS);
}

#[tokio::test]
async fn alone_without_redis_a_node_grants_its_share_and_says_so() {
    let mut redis = TestRedis::start().await;
    redis.kill();
    let share = "budget: {on_store_failure: local_slice}";
    let stage = Stage::with(
        Storage::Sqlite,
        Script::default(),
        |simulator| ConfigText::simulated(GROUP, simulator).setting("general_settings", share),
        |home| home.with_env("REDIS_URL", &redis.url()),
    )
    .await;
    let key = stage.key(json!({"max_budget": BUDGET_DOLLARS})).await;
    key.client.post(CHAT, LIMITED).await.ok();
    let ready = stage.gateway.anonymous().get("/health/readiness").await.ok();
    let note = ready["notes"][0].as_str().expect("a note");
    assert!(note.starts_with("Redis is away since "), "{note}");
    redis.restart().await;
    until("no note", || async {
        let ready = stage.gateway.anonymous().get("/health/readiness").await.ok();
        ready["notes"].is_null().then_some(())
    })
    .await;
    key.client.post(CHAT, LIMITED).await.ok();
    stage.await_spend(&key, 2 * CALL_NANOS).await;
}
