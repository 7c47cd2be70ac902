//! No caller starves another: whoever has waited for nothing is next, however many wait elsewhere.

use std::time::Duration;

use serde_json::json;
use tokio::task::JoinHandle;
use tollgate_simulator::{Behaviour, Script};
use tollgate_testkit::config_text::ConfigText;
use tollgate_testkit::http::Answer;
use tollgate_testkit::patience::{eventually, until};

use crate::stage::{CHAT, GROUP, Key, Stage, Storage};

/// How many calls the deployment takes at one time.
const SLOTS: u64 = 2;
/// How long it takes for each.
const SERVICE: Duration = Duration::from_millis(200);
/// How many calls the busy caller makes at once.
const BURST: u64 = 100;

/// A gateway before one deployment of two slots, where a burst may wait.
async fn busy() -> Stage {
    let slow = Behaviour { first_token: SERVICE, ..Behaviour::default() };
    let config = |simulator: &tollgate_simulator::Simulator| {
        let deployment =
            ConfigText::deployment(simulator).with(&format!("max_parallel_requests: {SLOTS}"));
        ConfigText::new()
            .group(GROUP, &deployment)
            .setting("router_settings", "fair_queue: {max_queue_per_flow: 128}")
    };
    Stage::with(Storage::Sqlite, Script::new(slow), config, |home| home).await
}

/// A call whose prompt says who makes it.
fn call(key: &Key, who: &str) -> JoinHandle<Answer> {
    let client = key.client.clone();
    let message = json!({"role": "user", "content": who});
    let body = json!({"model": GROUP, "max_tokens": 16, "messages": [message]}).to_string();
    tokio::spawn(async move { client.post(CHAT, body).await })
}

/// A value of the metrics, for any deployment.
async fn metric(stage: &Stage, name: &str) -> u64 {
    let text = stage.gateway.master().get("/metrics").await.text();
    let line = text.lines().find(|line| line.starts_with(&format!("{name}{{")));
    let value = line.and_then(|line| line.rsplit(' ').next()).and_then(|value| value.parse().ok());
    value.unwrap_or(0)
}

#[tokio::test]
async fn a_second_caller_starts_within_two_service_times_of_a_burst() {
    let stage = busy().await;
    let (busy, calm) = (stage.plain_key().await, stage.plain_key().await);
    let burst: Vec<_> = (0..BURST).map(|_| call(&busy, "burst")).collect();
    until("the burst waits", || async {
        (metric(&stage, "gateway_queue_depth").await >= BURST / 2).then_some(())
    })
    .await;
    let before = stage.simulator.calls().count();
    let answer = eventually("the calm call", call(&calm, "calm")).await.expect("no panic");
    assert_eq!(answer.status, 200, "{}", answer.text());
    let started: Vec<bool> = stage
        .simulator
        .calls()
        .kept()
        .iter()
        .map(|record| String::from_utf8_lossy(&record.body).contains("calm"))
        .collect();
    let place = started.iter().position(|calm| *calm).expect("it reached the upstream");
    // Those under way, those that start while it comes in, and one round of service each.
    let overtaken = place as u64 - before;
    assert!(overtaken <= 2 * SLOTS, "{overtaken} calls of the burst started before it");
    for call in burst {
        let answer = eventually("every call of the burst", call).await.expect("no panic");
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    for name in ["gateway_inflight", "gateway_queue_depth"] {
        until(name, || async { (metric(&stage, name).await == 0).then_some(()) }).await;
    }
}

#[tokio::test]
async fn a_full_queue_refuses_and_says_when_to_come_back() {
    let stage = busy().await;
    let key = stage.plain_key().await;
    let calls: Vec<_> = (0..200).map(|_| call(&key, "burst")).collect();
    let mut refused = 0;
    for call in calls {
        let answer = eventually("every call", call).await.expect("no panic");
        match answer.refusal() {
            (200, _) => {}
            (429, reason) => {
                assert_eq!(reason, "queue_full");
                let wait: u64 = answer.header("retry-after").parse().expect("seconds");
                assert!(wait >= 1);
                refused += 1;
            }
            other => panic!("{other:?}"),
        }
    }
    // Two are under way and 128 wait; while the calls come in, some of them are served.
    assert!((1..=200 - 128 - SLOTS).contains(&refused), "{refused} calls were refused");
}
