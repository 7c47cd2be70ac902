//! What a load balancer asks, and that a database which goes away comes back without losing a call.

use std::net::SocketAddr;

use serde_json::json;
use tollgate_simulator::Script;
use tollgate_testkit::cable::Cable;
use tollgate_testkit::config_text::ConfigText;
use tollgate_testkit::patience::until;
use tollgate_testkit::postgres::TestDatabase;

use crate::books::Books;
use crate::stage::{CALL, CALL_NANOS, CHAT, GROUP, Key, Stage, Storage};

#[tokio::test]
async fn a_running_gateway_is_alive_and_ready_and_says_so_to_anyone() {
    let stage = Stage::new().await;
    let anyone = stage.gateway.anonymous();
    for path in ["/health/liveliness", "/health/liveness"] {
        assert_eq!(anyone.get(path).await.ok(), "I'm alive!");
    }
    let ready = anyone.get("/health/readiness").await.ok();
    assert_eq!((&ready["status"], &ready["db"]), (&"healthy".into(), &"connected".into()));
}

#[tokio::test]
async fn calls_made_while_the_database_is_away_are_in_the_ledger_once_it_is_back() {
    let (stage, cable, database) = behind_a_cable("closed").await;
    let key = stage.plain_key().await;
    key.client.post(CHAT, CALL).await.ok();
    stage.await_spend(&key, CALL_NANOS).await;

    cable.cut();
    for _ in 0..5 {
        key.client.post(CHAT, CALL).await.ok();
    }
    await_readiness(&stage, 503).await;
    assert_eq!(stage.gateway.anonymous().get("/health/liveliness").await.status, 200);

    cable.mend();
    await_readiness(&stage, 200).await;
    key.client.post(CHAT, CALL).await.ok();
    stage.await_spend(&key, 7 * CALL_NANOS).await;
    let Stage { home, gateway, .. } = stage;
    assert_eq!(gateway.terminate().await.code(), Some(0));
    let books = Books::open(Some(database.url()), &home.data_dir()).await;
    books.must_balance();
    assert_eq!((books.lines.len(), books.sum()), (7, 7 * CALL_NANOS));
}

#[tokio::test]
async fn a_budget_that_cannot_be_recorded_refuses_and_nobody_else_notices() {
    let (stage, cable, _database) = behind_a_cable("closed").await;
    let (plain, capped) = (stage.plain_key().await, stage.key(json!({"max_budget": 1})).await);
    cut_under_load(&stage, &cable, [&plain, &capped]).await;
    let refused = capped.client.post(CHAT, CALL).await;
    assert_eq!(refused.refusal(), (503, "budget_store_unavailable".to_owned()));
    assert_ne!(refused.header("retry-after"), "");
    plain.client.post(CHAT, CALL).await.ok();
    cable.mend();
    await_readiness(&stage, 200).await;
    capped.client.post(CHAT, CALL).await.ok();
}

#[tokio::test]
async fn a_budget_may_be_counted_in_memory_while_it_cannot_be_recorded() {
    let (stage, cable, _database) = behind_a_cable("local_slice").await;
    let limited = CALL.replace(r#""model""#, r#""max_tokens":16,"model""#);
    let fields = json!({"max_budget": 0.000_160});
    let (plain, capped) = (stage.plain_key().await, stage.key(fields).await);
    capped.client.post(CHAT, limited.clone()).await.ok();
    stage.await_spend(&capped, CALL_NANOS).await;
    cut_under_load(&stage, &cable, [&plain]).await;
    let mut served = 1;
    let refused = loop {
        let answer = capped.client.post(CHAT, limited.clone()).await;
        if answer.status != 200 {
            break answer;
        }
        served += 1;
        assert!(served * CALL_NANOS <= 160_000, "the budget was passed");
    };
    assert!(served > 1, "{}", refused.text());
    assert_eq!(refused.status, 429, "{}", refused.text());
    cable.mend();
    await_readiness(&stage, 200).await;
    stage.await_spend(&capped, served * CALL_NANOS).await;
}

/// A gateway whose way to its database can be cut.
async fn behind_a_cable(on_store_failure: &str) -> (Stage, Cable, TestDatabase) {
    let database = TestDatabase::create();
    let server = authority(database.url());
    let cable = Cable::to(server).await;
    let through = database.url().replace(&server.to_string(), &cable.address().to_string());
    let budget = format!("budget: {{on_store_failure: {on_store_failure}}}");
    // The storage is chosen by the address, which leads through the cable.
    let stage = Stage::with(
        Storage::Sqlite,
        Script::default(),
        |simulator| ConfigText::simulated(GROUP, simulator).setting("general_settings", &budget),
        |home| home.with_database(&through),
    )
    .await;
    (stage, cable, database)
}

/// Cuts it once these keys are known, and waits until the gateway noticed.
async fn cut_under_load<const N: usize>(stage: &Stage, cable: &Cable, keys: [&Key; N]) {
    for key in keys {
        key.client.post(CHAT, CALL).await.ok();
        stage.await_spend(key, CALL_NANOS).await;
    }
    cable.cut();
    keys[0].client.post(CHAT, CALL).await.ok();
    await_readiness(stage, 503).await;
}

async fn await_readiness(stage: &Stage, status: u16) {
    until(&format!("a readiness of {status}"), || async {
        let readiness = stage.gateway.anonymous().get("/health/readiness").await;
        (readiness.status == status).then_some(())
    })
    .await;
}

/// The address of the server in a database's URL.
fn authority(url: &str) -> SocketAddr {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = rest.split('/').next().unwrap_or(rest);
    let host = host.rsplit('@').next().unwrap_or(host);
    host.parse().unwrap_or_else(|_| panic!("`{host}` of {url} is no ADDRESS:PORT"))
}
