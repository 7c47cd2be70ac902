//! Keys that get another text, are let spend again, and go by rules of their own.

use serde_json::{Value, json};
use tollgate_simulator::{Behaviour, Script};
use tollgate_testkit::clock_file::ClockFile;
use tollgate_testkit::config_text::ConfigText;

use crate::stage::{CALL, CALL_NANOS, CHAT, GROUP, Key, Stage, Storage};

#[tokio::test]
async fn a_renewed_key_keeps_its_spend_and_for_a_while_both_texts() {
    let clock = ClockFile::at("2026-01-31T12:00:00Z");
    let stage = Stage::with(
        Storage::Sqlite,
        Script::default(),
        |simulator| ConfigText::simulated(GROUP, simulator),
        |home| home.with_clock(&clock),
    )
    .await;
    let master = stage.gateway.master();
    let first = stage.key(json!({"key_alias": "ci", "max_budget": 1})).await;
    first.client.post(CHAT, CALL).await.ok();
    stage.await_spend(&first, CALL_NANOS).await;

    let body = json!({"grace_period": "1h"}).to_string();
    let hash = stage.info(&first).await["key_name"].clone();
    let path = format!("/key/{}/regenerate", first.text);
    let renewed = master.post(&path, body).await.ok();
    let text = renewed["key"].as_str().expect("the new text is shown once").to_owned();
    assert_ne!(text, first.text);
    assert_ne!(renewed["key_name"], hash);
    assert_eq!((&renewed["key_alias"], &renewed["max_budget"]), (&json!("ci"), &json!(1.0)));
    let second = Key { client: stage.gateway.client(&text), text };
    assert_eq!(stage.spend(&second).await, CALL_NANOS, "what it spent stays its own");
    first.client.post(CHAT, CALL).await.ok();
    second.client.post(CHAT, CALL).await.ok();
    stage.await_spend(&second, 3 * CALL_NANOS).await;
    let block = json!({"key": second.text}).to_string();
    master.post("/key/block", block.clone()).await.ok();
    assert_eq!(first.client.post(CHAT, CALL).await.refusal(), (401, "key_blocked".to_owned()));
    master.post("/key/unblock", block).await.ok();

    clock.set("2026-01-31T13:00:00Z");
    assert_eq!(first.client.post(CHAT, CALL).await.refusal(), (401, "key_unknown".to_owned()));
    second.client.post(CHAT, CALL).await.ok();

    // Without a grace the text before ends at once.
    let body = json!({"key": second.text, "new_key": "sk-chosen-0123456789"}).to_string();
    master.post("/key/regenerate", body).await.ok();
    assert_eq!(second.client.post(CHAT, CALL).await.refusal(), (401, "key_unknown".to_owned()));
    stage.gateway.client("sk-chosen-0123456789").post(CHAT, CALL).await.ok();
    for (wrong, status) in [
        (json!({"key": "sk-chosen-0123456789", "grace_period": "soon"}), 400),
        (json!({"key": "sk-chosen-0123456789", "new_master_key": "sk-1234567890"}), 400),
        (
            json!({"key": "sk-chosen-0123456789", "auto_rotate": true, "rotation_interval": "30d"}),
            400,
        ),
        (json!({"key": "sk-of-nobody-0123456"}), 404),
    ] {
        let refusal = master.post("/key/regenerate", wrong.to_string()).await;
        assert_eq!(refusal.status, status, "{wrong} {}", refusal.text());
    }
    let (books, _) = stage.close().await;
    books.must_balance();
}

#[tokio::test]
async fn spend_that_counts_no_more_stays_in_the_ledger_on_sqlite() {
    spend_is_reset(Storage::Sqlite).await;
}

#[tokio::test]
async fn spend_that_counts_no_more_stays_in_the_ledger_on_postgres() {
    spend_is_reset(Storage::Postgres).await;
}

async fn spend_is_reset(storage: Storage) {
    let stage = Stage::on(storage, Behaviour::default()).await;
    let master = stage.gateway.master();
    // What one call may cost at most fits, and what two may does not.
    let key = stage.key(json!({"max_budget": 0.000_1})).await;
    let call = json!({
        "model": GROUP, "max_tokens": 16,
        "messages": [{"role": "user", "content": "one two three"}],
    });
    let call = call.to_string();
    key.client.post(CHAT, call.clone()).await.ok();
    stage.await_spend(&key, CALL_NANOS).await;
    let exceeded = (429, "budget_exceeded".to_owned());
    assert_eq!(key.client.post(CHAT, call.clone()).await.refusal(), exceeded);
    let path = format!("/key/{}/reset_spend", key.text);
    let reset = |to: Value| master.post(&path, json!({"reset_to": to}).to_string());
    assert_eq!(reset(json!(1)).await.status, 400, "spend is never raised");
    assert_eq!(key.client.post(&path, r#"{"reset_to":0}"#).await.refusal().0, 403);
    let answer = reset(json!(0)).await.ok();
    assert_eq!(answer["spend"], 0.0);
    assert_eq!(crate::stage::nanos(&answer["previous_spend"]), CALL_NANOS);
    assert_eq!(stage.spend(&key).await, 0);
    key.client.post(CHAT, call).await.ok();
    stage.await_spend(&key, CALL_NANOS).await;
    let (books, _) = stage.close().await;
    books.must_balance();
    assert_eq!(books.sum(), 2 * CALL_NANOS, "the ledger says what was paid");
}

#[tokio::test]
async fn a_key_may_call_only_the_routes_that_it_has() {
    let stage = Stage::new().await;
    let not_allowed = (403, "route_not_allowed".to_owned());
    for (fields, calls, shows) in [
        (json!({"key_type": "default"}), true, true),
        (json!({"key_type": "llm_api"}), true, false),
        (json!({"key_type": "management"}), false, true),
        (json!({"key_type": "read_only"}), false, true),
        (json!({"allowed_routes": ["/v1/chat"]}), true, false),
        (json!({"allowed_routes": ["/key/in*", "openai_routes"]}), true, true),
    ] {
        let key = stage.key(fields.clone()).await;
        let (call, info) = (key.client.post(CHAT, CALL).await, key.client.get("/key/info").await);
        assert_eq!(call.status == 200, calls, "{fields}");
        assert_eq!(info.status == 200, shows, "{fields}");
        for refused in [call, info].into_iter().filter(|answer| answer.status != 200) {
            assert_eq!(refused.refusal(), not_allowed, "{fields}");
        }
        let kind = stage.info(&key).await["key_type"].clone();
        assert_eq!(kind, *fields.get("key_type").unwrap_or(&json!("default")));
    }
    let wrong = json!({"allowed_routes": ["llm_routes"]}).to_string();
    assert_eq!(stage.gateway.master().post("/key/generate", wrong).await.status, 400);
    let viewer = json!({"user_id": "eve", "user_role": "proxy_admin_viewer"}).to_string();
    let viewer = stage.gateway.master().post("/user/new", viewer).await.ok();
    let viewer = stage.gateway.client(viewer["key"].as_str().expect("a key"));
    assert_eq!(viewer.post(CHAT, CALL).await.refusal(), not_allowed);
    viewer.get("/user/list").await.ok();
}

#[tokio::test]
async fn a_key_has_its_own_names_of_models_and_fields_that_its_calls_must_have() {
    let stage = Stage::new().await;
    let key = stage
        .key(json!({
            "models": [GROUP],
            "aliases": {"gpt-4o": GROUP},
            "enforced_params": ["user", "metadata.ticket"],
        }))
        .await;
    let call = |extra: Value| {
        let mut call = json!({"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]});
        call.as_object_mut().expect("an object").extend(extra.as_object().cloned().expect("one"));
        let client = key.client.clone();
        async move { client.post(CHAT, call.to_string()).await }
    };
    call(json!({"user": "u", "metadata": {"ticket": "T-1"}})).await.ok();
    for missing in [json!({}), json!({"user": "u"}), json!({"user": "u", "metadata": {}})] {
        assert_eq!(call(missing).await.refusal(), (400, "field_missing".to_owned()));
    }
    let info = stage.info(&key).await;
    assert_eq!(info["aliases"], json!({"gpt-4o": GROUP}));
    assert_eq!(info["enforced_params"], json!(["user", "metadata.ticket"]));
}

#[tokio::test]
async fn many_keys_are_changed_shown_and_named_at_once() {
    let stage = Stage::new().await;
    let master = stage.gateway.master();
    let one = stage.key(json!({"key_alias": "Loom one"})).await;
    let two = stage.key(json!({"key_alias": "loom two", "duration": "1h"})).await;
    let body = json!({"keys": [
        {"key": one.text, "max_budget": 3, "tags": ["blue"]},
        {"key": "sk-of-nobody-0123456", "max_budget": 3},
        {"key": two.text, "rpm_limit": 3},
    ]});
    let changed = master.post("/key/bulk_update", body.to_string()).await.ok();
    assert_eq!(changed["total_requested"], 3);
    assert_eq!(changed["successful_updates"][0]["key_info"]["max_budget"], 3.0);
    assert_eq!(changed["failed_updates"].as_array().map(Vec::len), Some(2), "{changed}");
    assert_eq!(stage.info(&one).await["tags"], json!(["blue"]));

    let both = json!({"keys": [one.text, two.text, "0".repeat(64)]}).to_string();
    let infos = master.post("/v2/key/info", both.clone()).await.ok();
    assert_eq!(infos["key"].as_array().map(Vec::len), Some(2));
    let own = one.client.post("/v2/key/info", both).await.ok();
    assert_eq!(own["info"][0]["key_alias"], "Loom one", "what is not theirs is left out");
    assert_eq!(own["key"].as_array().map(Vec::len), Some(1));

    let names = master.get("/key/aliases?search=LOOM").await.ok();
    assert_eq!(names["aliases"], json!(["Loom one", "loom two"]));
    for (query, count) in [
        ("expires=expired", 0),
        ("expires=active", 2),
        ("substring_matching=true&key_alias=one", 1),
        ("status=deleted", 0),
        ("sort_by=key_alias&sort_order=asc", 2),
    ] {
        let listed = master.get(&format!("/key/list?{query}")).await.ok();
        assert_eq!(listed["total_count"], count, "{query}");
    }
    assert_eq!(master.get("/key/list?sort_by=hash").await.status, 400);
    let health = one.client.post("/key/health", "{}").await.ok();
    assert_eq!(health["key"], "healthy");

    let by_name = json!({"key_alias": "Loom one", "max_budget": 7}).to_string();
    assert_eq!(master.post("/key/update", by_name).await.ok()["max_budget"], 7.0);
    let unnamed = master.post("/key/update", r#"{"max_budget": 7}"#).await;
    assert_eq!(unnamed.status, 400);
}
