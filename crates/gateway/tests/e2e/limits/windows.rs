//! Budget windows turn with the operator's calendar, over a month's end and a night of 23 hours.

use serde_json::json;
use tollgate_testkit::clock_file::ClockFile;

use super::{CALL_NANOS, call, furnished, price_of, served, too_dear};
use crate::stage::{Stage, nanos};

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
