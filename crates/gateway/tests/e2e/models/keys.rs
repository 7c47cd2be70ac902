//! The key that seals secrets: the operator's, or one that is made and kept for its owner.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;
use tollgate_testkit::gateway::GatewayProcess;

use crate::models::{add, added, call, stage};
use crate::stage::{CALL, CHAT, Stage, Storage, binary};

const SALT: &str = "the-salt-of-these-stories";

#[tokio::test]
async fn another_key_at_the_start_is_explained() {
    let stage = stage(Storage::Sqlite, |home| home.with_env("LITELLM_SALT_KEY", SALT)).await;
    add(&stage, "one").await;
    let Stage { home, gateway, simulator: _simulator, .. } = stage;
    assert_eq!(gateway.terminate().await.code(), Some(0));
    let home = home.with_env("TOLLGATE_SALT_KEY", "another-salt-than-the-one-before");
    let (status, output) = GatewayProcess::start_in_vain(binary(), &home).await;
    assert_eq!(status, Some(3));
    for part in ["`TOLLGATE_SALT_KEY`", "another key", "salt_key_differs"] {
        assert!(output.contains(part), "{output}");
    }
    assert!(!output.contains(SALT) && !output.contains("another-salt"), "{output}");
    // The right one has the other name again, and the first name that is set counts.
    let home = home.with_env("TOLLGATE_SALT_KEY", SALT);
    let gateway = GatewayProcess::start(binary(), &home).await;
    assert_eq!(call(&gateway.master()).await.0, 200);
}

#[tokio::test]
async fn a_key_that_is_lost_costs_the_secrets_and_not_the_gateway() {
    let stage = stage(Storage::Sqlite, |home| home).await;
    add(&stage, "one").await;
    let more = added(&stage, "two").to_string();
    let Stage { home, gateway, simulator: _simulator, .. } = stage;
    assert_eq!(gateway.terminate().await.code(), Some(0));
    let file = home.data_dir().join("salt_key");
    let mode = fs::metadata(&file).expect("the key's file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    fs::remove_file(&file).expect("the file can be lost");

    let gateway = GatewayProcess::start(binary(), &home).await;
    let master = gateway.master();
    master.post(CHAT, CALL).await.ok();
    assert_eq!(call(&master).await, (404, "model_unknown".to_owned()));
    let output = gateway.output();
    assert_eq!(output.matches("deployment `one`").count(), 1, "{output}");
    let notes = master.get("/health/readiness").await.ok()["notes"].to_string();
    assert!(notes.contains("deployment `one`") && notes.contains("TOLLGATE_SALT_KEY"), "{notes}");
    let refused = master.post("/model/new", more.clone()).await;
    assert_eq!(refused.refusal(), (409, "salt_key_differs".to_owned()));
    let blocked = master.post("/model/block", r#"{"model_id": "one"}"#).await;
    assert_eq!(blocked.refusal(), (409, "salt_key_differs".to_owned()));
    // What cannot be read can be deleted, and then the new key's turn has come.
    master.post("/model/delete", json!({ "id": "one" }).to_string()).await.ok();
    master.post("/model/new", more).await.ok();
    assert_eq!(call(&master).await.0, 200);
    assert_eq!(master.get("/health/readiness").await.ok().get("notes"), None);
}
