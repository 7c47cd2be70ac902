//! Budget windows turn with the operator's calendar, over a month's end and the nights on which the
//! clocks change.

use serde_json::json;
use tollgate_simulator::{Behaviour, Script, Simulator};
use tollgate_testkit::clock_file::ClockFile;
use tollgate_testkit::config_text::{ConfigText, DeploymentText, OUTPUT_PRICE};
use tollgate_testkit::patience::until;

use super::{CALL_NANOS, call, furnished, price_of, served, too_dear};
use crate::nodes::Nodes;
use crate::stage::{CHAT, GROUP, Stage, nanos};

/// A gateway that goes by the clocks of Berlin, two hours before UTC in summer and one in winter.
async fn in_berlin(clock: &ClockFile) -> Stage {
    let zone = "timezone: Europe/Berlin";
    furnished(|config| config.setting("litellm_settings", zone), |home| home.with_clock(clock))
        .await
}

#[tokio::test]
async fn a_month_ends_at_the_operators_midnight() {
    let clock = ClockFile::at("2026-03-31T21:00:00Z");
    let stage = in_berlin(&clock).await;
    let key = stage.key(json!({"max_budget": price_of(1), "budget_duration": "1mo"})).await;
    served(&call(&key).await);
    stage.await_spend(&key, CALL_NANOS).await;
    clock.set("2026-03-31T21:59:59Z");
    too_dear(&call(&key).await, "this key");
    let info = stage.info(&key).await;
    assert_eq!(info["budget_reset_at"], "2026-03-31T22:00:00Z");
    clock.set("2026-03-31T22:00:00Z");
    assert_eq!(nanos(&stage.info(&key).await["spend"]), 0);
    served(&call(&key).await);
    stage.await_spend(&key, CALL_NANOS).await;
    too_dear(&call(&key).await, "this key");
    assert_eq!(stage.info(&key).await["budget_reset_at"], "2026-04-30T22:00:00Z");
    let (books, _) = stage.close().await;
    books.must_balance();
}

#[tokio::test]
async fn the_night_on_which_the_clocks_go_forward_is_an_hour_shorter() {
    let clock = ClockFile::at("2026-03-28T23:00:00Z");
    let stage = in_berlin(&clock).await;
    let day = json!([{"budget_duration": "1d", "max_budget": price_of(1)}]);
    let key = stage.key(json!({"budget_limits": day})).await;
    served(&call(&key).await);
    stage.await_spend(&key, CALL_NANOS).await;
    // The hour that the clocks skip, and the last second of a day of 23 hours.
    for instant in ["2026-03-29T00:59:59Z", "2026-03-29T01:00:00Z", "2026-03-29T21:59:59Z"] {
        clock.set(instant);
        too_dear(&call(&key).await, "per 1d");
    }
    clock.set("2026-03-29T22:00:00Z");
    served(&call(&key).await);
    stage.await_spend(&key, 2 * CALL_NANOS).await;
    clock.set("2026-03-30T21:59:59Z");
    too_dear(&call(&key).await, "per 1d");
    clock.set("2026-03-30T22:00:00Z");
    served(&call(&key).await);
    let (books, _) = stage.close().await;
    assert_eq!(books.lines.len(), 3);
}

#[tokio::test]
async fn the_night_on_which_the_clocks_go_back_is_an_hour_longer() {
    let clock = ClockFile::at("2026-10-24T22:00:00Z");
    let stage = in_berlin(&clock).await;
    let day = json!([{"budget_duration": "1d", "max_budget": price_of(1)}]);
    let key = stage.key(json!({"budget_limits": day})).await;
    served(&call(&key).await);
    stage.await_spend(&key, CALL_NANOS).await;
    // The hour that comes twice, a day of 24 hours, and the last second of one of 25.
    for instant in ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "2026-10-25T22:59:59Z"] {
        clock.set(instant);
        too_dear(&call(&key).await, "per 1d");
    }
    clock.set("2026-10-25T23:00:00Z");
    served(&call(&key).await);
    stage.await_spend(&key, 2 * CALL_NANOS).await;
    let days = "start_date=2026-10-24&end_date=2026-10-26";
    await_requests(&stage, days, [("2026-10-26", 1), ("2026-10-25", 1)]).await;
    let (books, _) = stage.close().await;
    books.must_balance();
}

#[tokio::test]
async fn a_call_under_way_at_a_months_end_is_wholly_of_the_old_month() {
    let clock = ClockFile::at("2026-03-31T21:59:59Z");
    let stage = in_berlin(&clock).await;
    let key = stage.key(json!({"max_budget": price_of(1), "budget_duration": "1mo"})).await;
    let body = json!({
        "model": "slow",
        "stream": true,
        "max_tokens": 16,
        "messages": [{"role": "user", "content": "one two three"}],
    });
    let mut under_way = key.client.open(CHAT, body.to_string()).await;
    under_way.read_until("data: ").await;
    too_dear(&call(&key).await, "this key");
    clock.set("2026-03-31T22:00:00Z");
    // Neither what it holds nor what it will have cost is of the new month.
    served(&call(&key).await);
    stage.await_spend(&key, CALL_NANOS).await;
    drop(under_way);
    let days = "start_date=2026-03-30&end_date=2026-04-01";
    await_requests(&stage, days, [("2026-04-01", 1), ("2026-03-31", 1)]).await;
    assert_eq!(stage.spend(&key).await, CALL_NANOS);
    too_dear(&call(&key).await, "this key");
    let (books, _) = stage.close().await;
    books.must_balance();
}

#[tokio::test]
async fn a_month_ends_at_the_same_instant_on_every_node() {
    let clock = ClockFile::at("2026-02-28T22:59:58Z");
    let config = |simulator: &Simulator| {
        let deployment = DeploymentText::at(&simulator.base_url(), "simulated");
        let group = ConfigText::new().group(GROUP, &deployment.priced("0", OUTPUT_PRICE));
        group.setting("litellm_settings", "timezone: Europe/Berlin")
    };
    let script = Script::new(Behaviour::default());
    let nodes = Nodes::with(2, script, config, |home| home.with_clock(&clock)).await;
    let [one, two] =
        &nodes.key(json!({"max_budget": price_of(2), "budget_duration": "1mo"})).await[..]
    else {
        panic!("two nodes");
    };
    served(&call(one).await);
    served(&call(two).await);
    clock.set("2026-02-28T22:59:59Z");
    too_dear(&call(one).await, "this key");
    too_dear(&call(two).await, "this key");
    clock.set("2026-02-28T23:00:00Z");
    served(&call(two).await);
    served(&call(one).await);
    too_dear(&call(two).await, "this key");
    too_dear(&call(one).await, "this key");
    let (books, _) = nodes.close().await;
    assert_eq!(books.sum(), 4 * CALL_NANOS);
}

/// The calls of each day in Berlin, the last day first.
async fn requests(stage: &Stage, days: &str) -> Vec<(String, i64)> {
    let path = format!("/user/daily/activity?{days}&timezone=Europe/Berlin");
    let activity = stage.gateway.master().get(&path).await.ok();
    let days = activity["results"].as_array().expect("days").iter();
    days.map(|day| {
        let requests = day["metrics"]["api_requests"].as_i64().expect("a number");
        (day["date"].as_str().expect("a date").to_owned(), requests)
    })
    .collect()
}

/// Waits until the ledger has these calls: it is milliseconds behind.
async fn await_requests<const N: usize>(stage: &Stage, days: &str, expected: [(&str, i64); N]) {
    let expected = expected.map(|(date, requests)| (date.to_owned(), requests));
    let what = format!("{expected:?}");
    until(&what, || async { (requests(stage, days).await == expected).then_some(()) }).await;
}
