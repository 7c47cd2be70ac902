//! What the routes of sums tell of known usage, and to whom.

use serde_json::{Value, json};
use tollgate_simulator::Script;
use tollgate_testkit::clock_file::ClockFile;
use tollgate_testkit::config_text::ConfigText;
use tollgate_testkit::http::Client;
use tollgate_testkit::patience::until;

use crate::stage::{CALL, CALL_NANOS, CHAT, GROUP, Key, Stage, Storage, nanos};

const DAYS: &str = "start_date=2026-05-01&end_date=2026-05-02";

async fn get(client: &Client, path: &str) -> Value {
    client.get(path).await.ok()
}

async fn call(key: &Key, times: usize) {
    for _ in 0..times {
        key.client.post(CHAT, CALL).await.ok();
    }
}

/// What each row of a list costs, by the field that names it.
fn costs(list: &Value, name: &str, cost: &str) -> Vec<(String, i64)> {
    let rows = list.as_array().expect("a list").iter();
    rows.map(|row| (row[name].as_str().unwrap_or_default().to_owned(), nanos(&row[cost]))).collect()
}

fn row(name: &str, calls: i64) -> (String, i64) {
    (name.to_owned(), calls * CALL_NANOS)
}

/// Ada of the engine team calls three times over two days, Bob of the loom team once.
async fn known(storage: Storage) -> (Stage, ClockFile, Key, Key) {
    let clock = ClockFile::at("2026-05-01T10:00:00Z");
    let config = |simulator: &_| {
        let budgets = "provider_budget_config: {openai_like: {budget_limit: 5, time_period: 1d}}";
        ConfigText::simulated(GROUP, simulator).setting("router_settings", budgets)
    };
    let stage =
        Stage::with(storage, Script::default(), config, |home| home.with_clock(&clock)).await;
    let team = json!({ "team_id": "engine", "team_alias": "Engine" });
    stage.gateway.master().post("/team/new", team.to_string()).await.ok();
    let ada =
        json!({ "user_id": "ada", "team_id": "engine", "key_alias": "ada-1", "tags": ["nightly"] });
    let ada = stage.key(ada).await;
    let bob = stage.key(json!({ "user_id": "bob", "team_id": "loom" })).await;
    call(&ada, 2).await;
    clock.set("2026-05-02T10:00:00Z");
    call(&ada, 1).await;
    call(&bob, 1).await;
    stage.await_spend(&ada, 3 * CALL_NANOS).await;
    stage.await_spend(&bob, CALL_NANOS).await;
    let master = stage.gateway.master();
    until("four calls in the ledger", || async {
        let sums = get(&master, &format!("/global/activity?{DAYS}")).await;
        (sums["sum_api_requests"] == 4).then_some(())
    })
    .await;
    (stage, clock, ada, bob)
}

async fn story(storage: Storage) {
    let (stage, _clock, ada, bob) = known(storage).await;
    let master = stage.gateway.master();
    let whole = get(&master, "/global/spend").await;
    assert_eq!((nanos(&whole["spend"]), &whole["max_budget"]), (4 * CALL_NANOS, &Value::Null));
    lists(&master).await;
    reports(&master, &ada).await;
    summaries(&master).await;
    own(&ada, &bob).await;
    priced(&master).await;
    let (books, _) = stage.close().await;
    assert_eq!(books.sum(), 4 * CALL_NANOS);
    books.must_balance();
}

async fn lists(master: &Client) {
    let users = [row("ada", 3), row("bob", 1)];
    assert_eq!(costs(&get(master, "/spend/users").await, "user_id", "spend"), users);
    let keys = get(master, "/global/spend/keys").await;
    assert_eq!(costs(&keys, "key_alias", "total_spend"), [row("ada-1", 3), row("", 1)]);
    assert_eq!(keys[0]["api_key"].as_str().map(str::len), Some(64), "the hash");
    let first = get(master, "/global/spend/keys?limit=1").await;
    assert_eq!(first.as_array().map(Vec::len), Some(1));
    assert_eq!(costs(&get(master, "/spend/keys").await, "user_id", "spend"), users);
    for (path, name, cost, expected) in [
        ("/global/spend/models", "model", "total_spend", row(GROUP, 4)),
        ("/spend/tags", "individual_request_tag", "total_spend", row("nightly", 3)),
    ] {
        assert_eq!(costs(&get(master, path).await, name, cost), [expected], "{path}");
    }
    let providers = get(master, &format!("/global/spend/provider?{DAYS}")).await;
    assert_eq!(providers.as_array().map(Vec::len), Some(1));
    assert_eq!(nanos(&providers[0]["spend"]), 4 * CALL_NANOS);
    for (query, expected) in [
        ("", vec![row("nightly", 3)]),
        ("&tags=nightly,none", vec![row("nightly", 3)]),
        ("&tags=none", vec![]),
    ] {
        let tags = get(master, &format!("/global/spend/tags?{DAYS}{query}")).await;
        assert_eq!(costs(&tags["spend_per_tag"], "name", "spend"), expected, "{query}");
    }
    let teams = get(master, &format!("/global/spend/teams?{DAYS}")).await;
    let sums = costs(&teams["total_spend_per_team"], "team_id", "total_spend");
    assert_eq!(sums, [row("Engine", 3), row("loom", 1)]);
    let days = teams["daily_spend"].as_array().expect("days");
    assert_eq!(
        (&days[0]["date"], nanos(&days[0]["Engine"])),
        (&json!("2026-05-01"), 2 * CALL_NANOS)
    );
    assert_eq!((nanos(&days[1]["Engine"]), nanos(&days[1]["loom"])), (CALL_NANOS, CALL_NANOS));
    let budget = &get(master, "/provider/budgets").await["providers"]["openai_like"];
    assert_eq!((&budget["budget_limit"], &budget["time_period"]), (&json!(5.0), &json!("1d")));
    assert_eq!(nanos(&budget["spend"]), 2 * CALL_NANOS, "today's");
}

async fn reports(master: &Client, ada: &Key) {
    let teams = get(master, &format!("/global/spend/report?{DAYS}")).await;
    let of_second = costs(&teams[1]["teams"], "team_name", "total_spend");
    assert_eq!(teams[0]["group_by_day"], "2026-05-01");
    assert_eq!(of_second, [row("Engine", 1), row("loom", 1)]);
    let models = costs(&teams[0]["teams"][0]["metadata"], "model", "spend");
    assert_eq!(models, [row(GROUP, 2)]);
    let keys = get(master, &format!("/global/spend/report?{DAYS}&group_by=api_key")).await;
    let totals: Vec<i64> =
        costs(&keys, "api_key", "total_cost").into_iter().map(|it| it.1).collect();
    assert_eq!(totals, [3 * CALL_NANOS, CALL_NANOS]);
    let key = get(master, &format!("/global/spend/report?{DAYS}&api_key={}", ada.text)).await;
    assert_eq!(key, json!([keys[0]]));
    assert_eq!(key[0]["model_details"][0]["total_input_tokens"], 9);
    let user = get(master, &format!("/global/spend/report?{DAYS}&internal_user_id=bob")).await;
    assert_eq!(costs(&user, "internal_user_id", "total_cost"), [row("bob", 1)]);
    let team = get(master, &format!("/global/spend/report?{DAYS}&team_id=loom")).await;
    assert_eq!(costs(&team[0]["teams"], "team_name", "total_spend"), [row("loom", 1)]);
    let customers = get(master, &format!("/global/spend/report?{DAYS}&group_by=customer")).await;
    assert_eq!(customers, json!([]), "no call named one");
}

async fn summaries(master: &Client) {
    let sums = get(master, &format!("/spend/logs?{DAYS}")).await;
    assert_eq!(costs(&sums, "startTime", "spend"), [row("2026-05-01", 2), row("2026-05-02", 2)]);
    let second = &sums[1];
    assert_eq!(
        (nanos(&second["users"]["ada"]), nanos(&second["users"]["bob"])),
        (CALL_NANOS, CALL_NANOS)
    );
    assert_eq!(nanos(&second["models"][GROUP]), 2 * CALL_NANOS);
    let rows = get(master, &format!("/spend/logs?{DAYS}&summarize=false")).await;
    assert_eq!(
        costs(&rows, "model_group", "spend"),
        [row(GROUP, 1), row(GROUP, 1), row(GROUP, 1), row(GROUP, 1)]
    );
    let one = rows[0]["request_id"].as_str().expect("an id");
    let found = get(master, &format!("/spend/logs?request_id={one}")).await;
    assert_eq!(found, json!([rows[0]]));
    let ada =
        get(master, &format!("/spend/logs/ui?{DAYS}&key_alias=ada-1&sort_by=startTime")).await;
    assert_eq!(ada["total"], 3);
    let dear = get(master, &format!("/spend/logs/v2?{DAYS}&min_spend=0.000035")).await;
    let cheap = get(master, &format!("/spend/logs/v2?{DAYS}&max_spend=0.000034")).await;
    assert_eq!((&dear["total"], &cheap["total"]), (&json!(4), &json!(0)));
    for (query, status) in
        [("&sort_by=spend", 400), ("&error_code=500", 400), ("&key_alias=none", 404)]
    {
        let path = format!("/spend/logs/v2?{DAYS}{query}");
        assert_eq!(master.get(&path).await.status, status, "{query}");
    }
    let models = get(master, &format!("/global/activity/model?{DAYS}")).await;
    assert_eq!(
        (&models[0]["model"], &models[0]["sum_total_tokens"]),
        (&json!(GROUP), &json!(4 * 19))
    );
}

/// Whoever sees only their own is told only that.
async fn own(ada: &Key, bob: &Key) {
    let own = get(&bob.client, &format!("/global/activity?{DAYS}")).await;
    assert_eq!(own["sum_api_requests"], 1);
    let sums = get(&bob.client, &format!("/spend/logs?{DAYS}")).await;
    assert_eq!(sums[0]["users"], json!({ "bob": sums[0]["spend"] }));
    assert_eq!(costs(&get(&bob.client, "/spend/users").await, "user_id", "spend"), [row("bob", 1)]);
    assert_eq!(costs(&get(&bob.client, "/spend/keys").await, "user_id", "spend"), [row("bob", 1)]);
    for path in [
        format!("/spend/logs?{DAYS}&user_id=ada"),
        format!("/spend/logs?{DAYS}&api_key={}", ada.text),
        format!("/spend/logs/v2?{DAYS}&key_alias=ada-1"),
        format!("/spend/logs/v2?{DAYS}&key_alias=none"),
        "/spend/users?user_id=ada".to_owned(),
        "/spend/tags".to_owned(),
        "/global/spend".to_owned(),
        format!("/global/spend/report?{DAYS}"),
    ] {
        assert_eq!(bob.client.get(&path).await.status, 403, "{path}");
    }
}

async fn priced(master: &Client) {
    let usage = json!({ "prompt_tokens": 3, "completion_tokens": 16, "total_tokens": 19 });
    let answer = json!({ "completion_response": { "model": GROUP, "usage": usage } });
    let cost = master.post("/spend/calculate", answer.to_string()).await.ok();
    assert_eq!(nanos(&cost["cost"]), CALL_NANOS);
    let messages = json!([{ "role": "user", "content": "one two three" }]);
    let prompt = json!({ "model": GROUP, "messages": messages });
    let counted = master.post("/utils/token_counter", prompt.to_string()).await.ok();
    let tokens = counted["total_tokens"].as_i64().expect("a count");
    let cost = master.post("/spend/calculate", prompt.to_string()).await.ok();
    assert_eq!(nanos(&cost["cost"]), tokens * 1_000, "{tokens} tokens of a prompt");
    for body in [
        json!({ "model": GROUP }),
        json!({ "model": "none", "messages": messages }),
        json!({ "model": GROUP, "messages": [5] }),
        json!({ "messages": messages }),
        json!({ "model": GROUP, "messages": messages, "completion_response": { "usage": usage } }),
        json!({ "model": GROUP, "completion_response": {} }),
        json!({ "completion_response": { "model": "none", "usage": usage } }),
    ] {
        let refused = master.post("/spend/calculate", body.to_string()).await;
        assert!((400..500).contains(&refused.status), "{body}");
    }
}

#[tokio::test]
async fn sums_agree_with_the_ledger_and_each_caller_sees_their_own_on_sqlite() {
    story(Storage::Sqlite).await;
}

#[tokio::test]
async fn sums_agree_with_the_ledger_and_each_caller_sees_their_own_on_postgres() {
    story(Storage::Postgres).await;
}
