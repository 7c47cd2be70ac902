//! What the usage pages show, and to whom.

use serde_json::{Value, json};
use tollgate_simulator::Script;
use tollgate_testkit::clock_file::ClockFile;
use tollgate_testkit::config_text::ConfigText;
use tollgate_testkit::gateway::GatewayProcess;
use tollgate_testkit::http::Client;
use tollgate_testkit::patience::until;

use crate::stage::{CALL, CALL_NANOS, CHAT, GROUP, Key, Stage, Storage, binary, nanos};

async fn activity(client: &Client, query: &str) -> Value {
    client.get(&format!("/{query}")).await.ok()
}

/// Each day with its calls.
fn calls(activity: &Value) -> Vec<(&str, i64)> {
    let days = activity["results"].as_array().expect("days").iter();
    days.map(|day| {
        let requests = day["metrics"]["api_requests"].as_i64().expect("a number");
        (day["date"].as_str().expect("a date"), requests)
    })
    .collect()
}

async fn call(key: &Key, times: usize) {
    for _ in 0..times {
        key.client.post(CHAT, CALL).await.ok();
    }
}

async fn story(storage: Storage) {
    let clock = ClockFile::at("2026-05-01T23:30:00Z");
    let config = |simulator: &_| ConfigText::simulated(GROUP, simulator);
    let stage =
        Stage::with(storage, Script::default(), config, |home| home.with_clock(&clock)).await;
    let ada = stage.key(json!({ "user_id": "ada", "team_id": "engine" })).await;
    let bob = stage.key(json!({ "user_id": "bob", "team_id": "engine" })).await;
    call(&ada, 2).await;
    stage.await_spend(&ada, 2 * CALL_NANOS).await;
    clock.set("2026-05-02T09:00:00Z");
    call(&ada, 1).await;
    call(&bob, 1).await;
    stage.await_spend(&ada, 3 * CALL_NANOS).await;
    stage.await_spend(&bob, CALL_NANOS).await;

    let master = stage.gateway.master();
    let range = "start_date=2026-05-01&end_date=2026-05-03";
    let path = format!("user/daily/activity?{range}");
    let all = until("four calls in the ledger", || async {
        let all = activity(&master, &path).await;
        (all["metadata"]["total_api_requests"] == 4).then_some(all)
    })
    .await;
    assert_eq!(calls(&all), [("2026-05-02", 2), ("2026-05-01", 2)]);
    let total = &all["metadata"];
    assert_eq!(nanos(&total["total_spend"]), 4 * CALL_NANOS);
    assert_eq!((&total["total_tokens"], &total["has_more"]), (&json!(4 * 19), &json!(false)));
    let part = &all["results"][0]["breakdown"]["model_groups"][GROUP]["metrics"];
    assert_eq!((nanos(&part["spend"]), &part["prompt_tokens"]), (2 * CALL_NANOS, &json!(6)));

    // The night in Berlin began before the one in UTC; a browser there says -120.
    for zone in ["Europe/Berlin", "-120"] {
        let path = format!("user/daily/activity/aggregated?{range}&user_id=ada&timezone={zone}");
        assert_eq!(calls(&activity(&master, &path).await), [("2026-05-02", 3)], "{zone}");
    }
    let second = format!("user/daily/activity?{range}&page_size=1&page=2");
    let second = activity(&master, &second).await;
    assert_eq!(calls(&second), [("2026-05-02", 2)], "the second newest day");
    assert_eq!(second["metadata"]["total_pages"], 3);
    let team =
        activity(&master, &format!("team/daily/activity?{range}&team_ids=engine,none")).await;
    assert_eq!(calls(&team), [("2026-05-02", 2), ("2026-05-01", 2)]);
    let entities = team["results"][0]["breakdown"]["entities"].as_object().expect("entities");
    assert_eq!(entities.keys().collect::<Vec<_>>(), ["engine"]);

    parts(&master, &all, (range, &team)).await;

    // A key sees itself and its user, and the team that it belongs to.
    let theirs = activity(&bob.client, &format!("team/daily/activity?{range}")).await;
    assert_eq!(theirs, team);
    let own = activity(&bob.client, &format!("user/daily/activity?{range}")).await;
    assert_eq!(calls(&own), [("2026-05-02", 1)]);
    let by_key = format!("user/daily/activity?{range}&api_key={}", bob.text);
    assert_eq!(activity(&master, &by_key).await, own);
    assert_eq!(activity(&bob.client, &by_key).await, own);
    not_theirs(&bob, &ada, range).await;
    refusals(&master).await;
    days_later(stage, &clock, (&path, &all)).await;
}

/// The same page once a gateway has summed the days.
async fn days_later(stage: Stage, clock: &ClockFile, (path, all): (&str, &Value)) {
    let Stage { simulator, home, gateway, database } = stage;
    assert_eq!(gateway.terminate().await.code(), Some(0));
    clock.set("2026-05-04T12:00:00Z");
    let gateway = GatewayProcess::start(binary(), &home).await;
    gateway.says("closed days were summed").await;
    assert_eq!(&activity(&gateway.master(), path).await, all);
    let (books, _) = Stage { simulator, home, gateway, database }.close().await;
    books.must_balance();
}

/// What providers and keys make up of a day, and a list of teams that nobody named.
async fn parts(master: &Client, all: &Value, (range, team): (&str, &Value)) {
    let unnamed = activity(master, &format!("team/daily/activity?{range}")).await;
    assert_eq!(&unnamed, team, "whoever names none is told all that called");
    let first = &all["results"][1]["breakdown"];
    let providers = first["providers"].as_object().expect("providers").values();
    let of_providers = providers.map(|part| nanos(&part["metrics"]["spend"]));
    assert_eq!(of_providers.sum::<i64>(), 2 * CALL_NANOS);
    let keys = first["api_keys"].as_object().expect("keys");
    assert!(keys.keys().all(|hash| hash.len() == 64), "{keys:?}");
    let of_keys = keys.values().map(|part| nanos(&part["metrics"]["spend"]));
    assert_eq!(of_keys.collect::<Vec<_>>(), [2 * CALL_NANOS]);
}

/// What Bob asks that is not his to see.
async fn not_theirs(bob: &Key, ada: &Key, range: &str) {
    for query in [format!("api_key={}", ada.text), "user_id=ada".to_owned()] {
        let path = format!("/user/daily/activity?{range}&{query}");
        assert_eq!(bob.client.get(&path).await.status, 403, "{query}");
    }
    assert_eq!(bob.client.get(&format!("/tag/daily/activity?{range}")).await.status, 403);
}

async fn refusals(master: &Client) {
    for (query, param) in [
        ("user/daily/activity", "start_date"),
        ("user/daily/activity?start_date=2026-05-01", "end_date"),
        ("user/daily/activity?start_date=2026-05-02&end_date=2026-05-01", "end_date"),
        ("user/daily/activity?start_date=2020-05-02&end_date=2026-05-01", "end_date"),
        ("user/daily/activity?start_date=2026-05-01&end_date=2026-05-01&timezone=Mars", "timezone"),
        ("user/daily/activity?start_date=2026-05-01&end_date=2026-05-01&timezone=7", "timezone"),
        ("user/daily/activity?start_date=2026-05-01&end_date=2026-05-01&page=0", "page"),
    ] {
        let answer = master.get(&format!("/{query}")).await;
        assert_eq!(answer.status, 400, "{query}");
        assert_eq!(answer.json()["error"]["param"], param, "{query}");
    }
}

#[tokio::test]
async fn a_day_of_usage_is_that_of_the_zone_and_a_key_sees_its_own_on_sqlite() {
    story(Storage::Sqlite).await;
}

#[tokio::test]
async fn a_day_of_usage_is_that_of_the_zone_and_a_key_sees_its_own_on_postgres() {
    story(Storage::Postgres).await;
}
