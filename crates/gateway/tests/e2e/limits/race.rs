//! A budget that many calls reach for at once lets exactly as many through as it can pay.

use serde_json::json;
use tollgate_simulator::{Behaviour, Script, Simulator};
use tollgate_testkit::config_text::{ConfigText, DeploymentText, OUTPUT_PRICE};
use tollgate_testkit::patience::eventually;

use super::{CALL_NANOS, call, manage, price_of, stage};
use crate::books::Books;
use crate::nodes::Nodes;
use crate::stage::{GROUP, Key};

const CALLS: usize = 500;
const AFFORDABLE: usize = 100;

#[tokio::test]
async fn five_hundred_calls_at_once_spend_exactly_what_a_budget_affords() {
    let stage = stage().await;
    manage(&stage, "/team/new", json!({"team_id": "core", "max_budget": budget()})).await;
    let keys =
        [stage.key(json!({"team_id": "core"})).await, stage.key(json!({"team_id": "core"})).await];
    race(&keys).await;
    let (books, simulator) = stage.close().await;
    check(&books, &simulator);
}

#[tokio::test]
async fn five_hundred_calls_at_once_on_three_nodes_spend_exactly_what_a_budget_affords() {
    let config = |simulator: &Simulator| {
        let deployment = DeploymentText::at(&simulator.base_url(), "simulated");
        ConfigText::new().group(GROUP, &deployment.priced("0", OUTPUT_PRICE))
    };
    let nodes = Nodes::start(3, Script::new(Behaviour::default()), config).await;
    let team = json!({"team_id": "core", "max_budget": budget()});
    nodes.gateways[0].master().post("/team/new", team.to_string()).await.ok();
    let mut keys = nodes.key(json!({"team_id": "core"})).await;
    keys.extend(nodes.key(json!({"team_id": "core"})).await);
    race(&keys).await;
    let (books, simulator) = nodes.close().await;
    check(&books, &simulator);
}

fn budget() -> f64 {
    price_of(i64::try_from(AFFORDABLE).expect("few"))
}

/// Makes all calls at once, each with the next key.
async fn race(keys: &[Key]) {
    let calls: Vec<_> = (0..CALLS)
        .map(|number| {
            let key = keys[number % keys.len()].clone();
            tokio::spawn(async move { call(&key).await })
        })
        .collect();
    let (mut served, mut refused) = (0, 0);
    for call in calls {
        let answer = eventually("every call", call).await.expect("no call panics");
        match answer.refusal() {
            (200, _) => served += 1,
            (429, reason) if reason.starts_with("budget_") => refused += 1,
            other => panic!("{other:?}: {}", answer.text()),
        }
    }
    assert_eq!((served, refused), (AFFORDABLE, CALLS - AFFORDABLE));
}

fn check(books: &Books, simulator: &Simulator) {
    books.must_balance();
    assert_eq!(books.sum(), i64::try_from(AFFORDABLE).expect("few") * CALL_NANOS);
    assert_eq!(simulator.calls().count(), AFFORDABLE as u64, "a refused call went upstream");
}
