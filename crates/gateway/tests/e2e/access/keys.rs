//! A virtual key from its making to its end.

use serde_json::json;
use tollgate_simulator::{Behaviour, Script};
use tollgate_testkit::clock_file::ClockFile;
use tollgate_testkit::config_text::ConfigText;
use tollgate_testkit::gateway::GatewayProcess;

use crate::stage::{CALL, CALL_NANOS, CHAT, GROUP, Stage, Storage, binary};

#[tokio::test]
async fn a_key_is_made_used_changed_and_deleted_on_sqlite() {
    life_of_a_key(Storage::Sqlite).await;
}

#[tokio::test]
async fn a_key_is_made_used_changed_and_deleted_on_postgres() {
    life_of_a_key(Storage::Postgres).await;
}

async fn life_of_a_key(storage: Storage) {
    let stage = Stage::on(storage, Behaviour::default()).await;
    let master = stage.gateway.master();
    let fields = json!({"key_alias": "ci", "models": [GROUP], "metadata": {"team": "red"}});
    let key = stage.key(fields).await;

    let info = stage.info(&key).await;
    assert_eq!(info["key_alias"], "ci");
    assert_eq!(info["models"], json!([GROUP]));
    assert_eq!(info["metadata"]["team"], "red");
    assert_eq!(info["spend"], 0.0);
    let name = info["key_name"].as_str().expect("a key has a display name");
    assert!(name.starts_with("sk-...") && key.text.ends_with(&name[name.len() - 4..]), "{name}");

    key.client.post(CHAT, CALL).await.ok();
    stage.await_spend(&key, CALL_NANOS).await;
    let own = key.client.get("/key/info").await.ok();
    assert_eq!(own["info"]["key_alias"], "ci", "a key may look at itself");

    let update = |fields: serde_json::Value| {
        let master = &master;
        async move { master.post("/key/update", fields.to_string()).await.ok() }
    };
    update(json!({"key": key.text, "blocked": true})).await;
    assert_eq!(key.client.post(CHAT, CALL).await.refusal(), (401, "key_blocked".to_owned()));
    update(json!({"key": key.text, "blocked": false, "metadata": {"team": "blue"}})).await;
    key.client.post(CHAT, CALL).await.ok();
    let info = stage.info(&key).await;
    assert_eq!((&info["key_alias"], &info["models"]), (&json!("ci"), &json!([GROUP])), "{info}");
    assert_eq!(info["metadata"]["team"], "blue");

    let deleted = master.post("/key/delete", json!({"keys": [key.text]}).to_string()).await.ok();
    assert_eq!(deleted["deleted_keys"].as_array().map(Vec::len), Some(1));
    assert_eq!(key.client.post(CHAT, CALL).await.refusal(), (401, "key_unknown".to_owned()));
    let info = master.get(&format!("/key/info?key={}", key.text)).await;
    assert_eq!(info.refusal(), (404, "key_not_found".to_owned()));

    let (books, simulator) = stage.close().await;
    assert_eq!(simulator.calls().count(), 2, "a refused call went upstream");
    books.must_balance();
    assert_eq!((books.lines.len(), books.sum()), (2, 2 * CALL_NANOS));
}

#[tokio::test]
async fn a_key_expires_at_its_instant() {
    let clock = ClockFile::at("2026-01-31T12:00:00Z");
    let stage = Stage::with(
        Storage::Sqlite,
        Script::default(),
        |simulator| ConfigText::simulated(GROUP, simulator),
        |home| home.with_clock(&clock),
    )
    .await;
    let key = stage.key(json!({"duration": "30d"})).await;
    let expires = stage.info(&key).await["expires"].clone();
    assert!(expires.as_str().is_some_and(|at| at.starts_with("2026-03-02T12:00:00")), "{expires}");

    clock.set("2026-03-02T11:59:59Z");
    key.client.post(CHAT, CALL).await.ok();
    clock.set("2026-03-02T12:00:00Z");
    assert_eq!(key.client.post(CHAT, CALL).await.refusal(), (401, "key_expired".to_owned()));

    let fields = json!({"key": key.text, "duration": "1h"}).to_string();
    stage.gateway.master().post("/key/update", fields).await.ok();
    key.client.post(CHAT, CALL).await.ok();
}

#[tokio::test]
async fn keys_and_spend_outlive_a_restart() {
    let stage = Stage::new().await;
    let key = stage.key(json!({"max_budget": 1})).await;
    key.client.post(CHAT, CALL).await.ok();
    stage.await_spend(&key, CALL_NANOS).await;

    let Stage { simulator, home, gateway, database } = stage;
    assert_eq!(gateway.terminate().await.code(), Some(0));
    let gateway = GatewayProcess::start(binary(), &home).await;
    let client = gateway.client(&key.text);
    let key = crate::stage::Key { client, ..key };
    let stage = Stage { simulator, home, gateway, database };
    assert_eq!(stage.spend(&key).await, CALL_NANOS);
    key.client.post(CHAT, CALL).await.ok();
    stage.await_spend(&key, 2 * CALL_NANOS).await;
}

#[tokio::test]
async fn a_key_without_a_user_manages_no_keys() {
    let stage = Stage::new().await;
    let (key, other) = (stage.plain_key().await, stage.plain_key().await);
    let forbidden = (403, "management_forbidden".to_owned());
    assert_eq!(key.client.post("/key/generate", "{}").await.refusal(), forbidden);
    let delete = json!({"keys": [key.text]}).to_string();
    assert_eq!(key.client.post("/key/delete", delete).await.refusal(), forbidden);
    let update = json!({"key": key.text, "max_budget": 9}).to_string();
    assert_eq!(key.client.post("/key/update", update).await.refusal(), forbidden);
    let info = key.client.get(&format!("/key/info?key={}", other.text)).await;
    assert_eq!(info.refusal(), forbidden);
    let anonymous = stage.gateway.anonymous().post("/key/generate", "{}").await;
    assert_eq!(anonymous.refusal(), (401, "key_missing".to_owned()));
}

#[tokio::test]
async fn an_alias_names_one_key() {
    let stage = Stage::new().await;
    stage.key(json!({"key_alias": "ci"})).await;
    let again = stage.gateway.master().post("/key/generate", r#"{"key_alias":"ci"}"#).await;
    assert_eq!(again.status, 400, "{}", again.text());
    let body = json!({"key_aliases": ["ci"]}).to_string();
    let deleted = stage.gateway.master().post("/key/delete", body).await.ok();
    assert_eq!(deleted["deleted_keys"], json!(["ci"]));
    stage.key(json!({"key_alias": "ci"})).await;
}
