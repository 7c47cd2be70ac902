//! Redis goes and comes back under load: a budget on two nodes stays one budget, to the last call.

use serde_json::json;
use tollgate_simulator::{Behaviour, Script};
use tollgate_testkit::patience::until;

use super::load::Tally;
use super::{LIMITED, LIMITED_NANOS, Load, await_readiness, config, price_of, told_once};
use crate::nodes::Nodes;
use crate::stage::{CHAT, Key, nanos};

/// How many calls the budget affords: more than are made before Redis goes.
const AFFORDABLE: u64 = 400;
/// How many are served before it goes.
const BEFORE: u64 = 60;
/// How many refusals say that it is spent.
const SPENT: u64 = 20;
/// Callers at each node.
const CALLERS: usize = 2;

const GONE: &str = "the store of counters is away";
const BACK: &str = "the store of counters is back";

#[tokio::test]
async fn a_budget_refuses_without_redis_and_is_spent_to_the_last_call_once_it_is_back() {
    let mut nodes = Nodes::start(2, Script::new(Behaviour::default()), config).await;
    let keys = nodes.key(json!({"max_budget": budget()})).await;
    let load = start(&keys);
    load.await_count(BEFORE, 200, "").await;
    nodes.redis.kill();
    load.await_count(SPENT, 503, "budget_store_unavailable").await;
    for gateway in &nodes.gateways {
        await_readiness(gateway, 503, "Redis is away since ").await;
    }
    let served = load.count(200, "");
    nodes.redis.restart().await;
    load.await_count(served + SPENT, 200, "").await;
    check(nodes, load, &keys).await;
}

#[tokio::test]
async fn nodes_grant_their_shares_without_redis_and_the_rest_once_it_is_back() {
    let share = |simulator: &_| {
        config(simulator).setting("general_settings", "budget: {on_store_failure: local_slice}")
    };
    let mut nodes = Nodes::start(2, Script::new(Behaviour::default()), share).await;
    nodes.acquainted().await;
    let keys = nodes.key(json!({"max_budget": budget()})).await;
    let load = start(&keys);
    load.await_count(BEFORE, 200, "").await;
    // A node knows what it saw of the budget last: each sees it once more after the last call.
    let before = load.end().await;
    for key in &keys {
        key.client.post(CHAT, LIMITED).await.ok();
    }
    nodes.redis.kill();
    let load = start(&keys);
    // Its share is what is left, divided by two; and then no more.
    load.await_count(SPENT, 429, "budget_exceeded").await;
    for gateway in &nodes.gateways {
        await_readiness(gateway, 200, "each of 2 nodes grants its share").await;
    }
    let granted = load.count(200, "") + served(&before) + 2;
    assert!(granted <= AFFORDABLE, "{granted} calls were served");
    assert!(granted > AFFORDABLE / 2, "{granted} calls were served");
    nodes.redis.restart().await;
    check(nodes, load, &keys).await;
}

fn budget() -> f64 {
    price_of(i64::try_from(AFFORDABLE).expect("few"))
}

fn start(keys: &[Key]) -> Load {
    let clients = keys.iter().map(|key| key.client.clone());
    Load::start(clients.flat_map(|client| std::iter::repeat_n(client, CALLERS)))
}

fn served(tally: &Tally) -> u64 {
    tally.get(&(200, String::new())).copied().unwrap_or(0)
}

/// Redis is back: the budget is spent to the last call, each of them is in the ledger, and both
/// nodes say what the ledger says.
async fn check(nodes: Nodes, load: Load, keys: &[Key]) {
    for gateway in &nodes.gateways {
        await_readiness(gateway, 200, "connected").await;
        until("no note", || async {
            let ready = gateway.anonymous().get("/health/readiness").await.json();
            ready["notes"].is_null().then_some(())
        })
        .await;
    }
    let refused = load.count(429, "budget_exceeded");
    load.await_count(refused + SPENT, 429, "budget_exceeded").await;
    let tally = load.end().await;
    let expected = i64::try_from(AFFORDABLE).expect("few") * LIMITED_NANOS;
    for gateway in &nodes.gateways {
        let path = format!("/key/info?key={}", keys[0].text);
        let info = gateway.master().get(&path).await.ok();
        assert_eq!(nanos(&info["info"]["spend"]), expected, "{tally:?}");
        told_once(gateway, GONE, BACK).await;
    }
    let (books, simulator) = nodes.close().await;
    assert_eq!(simulator.calls().count(), AFFORDABLE, "{tally:?}");
    assert_eq!((books.lines.len() as u64, books.sum()), (AFFORDABLE, expected), "{tally:?}");
}
