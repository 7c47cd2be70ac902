//! Postgres falls silent under load, for longer than anyone waits for it, and speaks again.

use std::time::Duration;

use serde_json::json;
use tokio::time::interval;
use tollgate_simulator::{Behaviour, Script, Simulator};
use tollgate_testkit::gateway::{GatewayProcess, Home};
use tollgate_testkit::patience::within;
use tollgate_testkit::postgres::TestServer;

use super::{LIMITED, LIMITED_NANOS, Load, await_readiness, config, spools, told_once};
use crate::books::Books;
use crate::stage::{CHAT, Key, Stage, Storage, binary};

/// How long the silence lasts, in seconds: longer than a transaction may take.
const SILENT_SECONDS: u32 = 12;
/// Callers of the test with a kill, and so the most calls that are under way at it.
const CALLERS: u64 = 2;
/// How soon it is known.
const KNOWN_WITHIN: Duration = Duration::from_secs(5);

const GONE: &str = "the ledger cannot be written";
const BACK: &str = "the ledger is written again";
const UNHEARD: &str = "changes by other gateways are not heard";
const HEARD: &str = "changes by other gateways are heard again";

/// A gateway on a server that can be frozen, a key without limits and one with a budget.
async fn stage() -> (TestServer, Stage, [Key; 2]) {
    let server = TestServer::start();
    let script = Script::new(Behaviour::default());
    // The storage is chosen by the address.
    let furnish = |home: Home| home.with_database(server.url());
    let stage = Stage::with(Storage::Sqlite, script, config, furnish).await;
    let keys = [stage.plain_key().await, stage.key(json!({"max_budget": 10})).await];
    for key in &keys {
        key.client.post(CHAT, LIMITED).await.ok();
        stage.await_spend(key, LIMITED_NANOS).await;
    }
    (server, stage, keys)
}

#[tokio::test]
async fn calls_go_on_while_postgres_is_silent_and_each_is_in_the_ledger_once_it_speaks() {
    let (server, stage, [plain, capped]) = stage().await;
    let free = Load::start([plain.client.clone(), plain.client.clone()]);
    let bound = Load::start([capped.client.clone()]);
    free.await_count(20, 200, "").await;
    bound.await_count(5, 200, "").await;
    server.freeze();
    let known = await_readiness(&stage.gateway, 503, "the database does not answer");
    within(KNOWN_WITHIN, "a readiness that says so", known).await;
    await_readiness(&stage.gateway, 503, "the database cannot be written to since ").await;
    bound.await_count(5, 503, "budget_store_unavailable").await;
    // Nobody who is not under a budget notices, in any second of it.
    let mut second = interval(Duration::from_secs(1));
    for _ in 0..SILENT_SECONDS {
        second.tick().await;
        free.await_count(free.count(200, "") + 10, 200, "").await;
    }
    server.thaw();
    await_readiness(&stage.gateway, 200, "connected").await;
    bound.await_count(bound.count(200, "") + 5, 200, "").await;
    let (free, bound) = (free.end().await, bound.end().await);
    assert_eq!(free.keys().map(|answer| answer.0).collect::<Vec<_>>(), [200], "{free:?}");
    told_once(&stage.gateway, GONE, BACK).await;
    told_once(&stage.gateway, UNHEARD, HEARD).await;
    let books = close(stage, &server).await;
    let served = [&free, &bound].iter().filter_map(|tally| tally.get(&(200, String::new()))).sum();
    let served: u64 = served;
    assert_eq!(books.lines.len() as u64, served + 2);
    assert!(books.lines.iter().all(|line| line.cost_nanos == Some(LIMITED_NANOS)));
}

#[tokio::test]
async fn a_kill_while_postgres_is_silent_takes_no_call() {
    let (server, stage, [plain, _]) = stage().await;
    server.freeze();
    let load = Load::start((0..CALLERS).map(|_| plain.client.clone()));
    load.await_count(100, 200, "").await;
    let Stage { simulator, home, gateway, database: _ } = stage;
    gateway.kill_hard().await;
    load.end().await;
    server.thaw();
    let gateway = GatewayProcess::start(binary(), &home).await;
    gateway.says("the spool of an earlier process was taken into the ledger").await;
    assert_eq!(gateway.terminate().await.code(), Some(0));
    let books = Books::open(Some(server.url()), &home.data_dir()).await;
    books.must_balance();
    // The kill may have come between a call's opening and its dispatch.
    let beyond = (books.lines.len() as u64).checked_sub(simulator.calls().count());
    assert!(beyond.is_some_and(|beyond| beyond <= CALLERS), "{beyond:?}: {:?}", books.outcomes());
    assert!(books.outcomes().iter().filter(|outcome| **outcome == "completed").count() >= 100);
    assert_eq!(spools(&home), [""; 0], "a spool is left");
}

async fn close(stage: Stage, server: &TestServer) -> Books {
    let Stage { simulator, home, gateway, database: _ } = stage;
    assert_eq!(gateway.terminate().await.code(), Some(0));
    let books = Books::open(Some(server.url()), &home.data_dir()).await;
    books.must_balance();
    assert_eq!(books.lines.len() as u64, calls(&simulator), "the upstream counted others");
    books
}

fn calls(simulator: &Simulator) -> u64 {
    simulator.calls().count()
}
