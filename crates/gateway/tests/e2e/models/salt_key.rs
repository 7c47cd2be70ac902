//! Another salt key for a database that holds secrets.

use std::path::Path;
use std::process::Output;

use serde_json::json;
use tokio::process::Command;
use tollgate_testkit::gateway::GatewayProcess;
use tollgate_testkit::patience::eventually;

use crate::models::{ADDED, SECRET, add, call, sent, stage};
use crate::stage::{Stage, Storage, binary};

const OLD: &str = "the-salt-of-these-stories";
const NEW: &str = "another-salt-of-these-stories";
const WRONG: &str = "no-salt-of-these-stories";

/// `tollgate salt-key change` on a stage, whose old key is in a variable, to a key in a file.
async fn change(stage: &Stage, old: &str, new: &Path, more: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(binary());
    command.env_clear().env("TOLLGATE_SALT_KEY", old).args(["salt-key", "change"]);
    command.arg("--config").arg(stage.home.config_file());
    command.arg("--data-dir").arg(stage.home.data_dir());
    command.arg("--new-key-file").arg(new).args(more);
    if let Some(database) = &stage.database {
        command.env("DATABASE_URL", database.url());
    }
    output(command).await
}

async fn output(mut command: Command) -> (Option<i32>, String) {
    let ran = eventually("the command's end", command.output()).await;
    let Output { status, stdout, stderr } = ran.expect("the program runs");
    let text = String::from_utf8_lossy(&stdout) + String::from_utf8_lossy(&stderr);
    for secret in [OLD, NEW, WRONG, SECRET] {
        assert!(!text.contains(secret), "{text}");
    }
    (status.code(), text.into_owned())
}

#[tokio::test]
async fn secrets_are_sealed_with_another_key_while_calls_go_on_on_sqlite() {
    secrets_are_sealed_with_another_key(Storage::Sqlite).await;
}

#[tokio::test]
async fn secrets_are_sealed_with_another_key_while_calls_go_on_on_postgres() {
    secrets_are_sealed_with_another_key(Storage::Postgres).await;
}

async fn secrets_are_sealed_with_another_key(storage: Storage) {
    let stage = stage(storage, |home| home.with_env("TOLLGATE_SALT_KEY", OLD)).await;
    add(&stage, "one").await;
    let lent = json!({ "credential_name": "c", "credential_values": { "api_key": "k" } });
    stage.gateway.master().post("/credentials", lent.to_string()).await.ok();
    let file = stage.home.path().join("new-key");
    std::fs::write(&file, format!("{NEW}\n")).expect("a file");

    let (status, text) = change(&stage, WRONG, &file, &["--apply"]).await;
    assert_eq!(status, Some(1), "{text}");
    for part in ["deployment `one`: its `api_", "credential `c`", "nothing was written"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let (status, text) = change(&stage, OLD, &file, &[]).await;
    assert_eq!(status, Some(0), "{text}");
    assert!(text.contains("3 secrets of 1 deployments and 1 credentials open"), "{text}");
    stage.gateway.master().post("/model/block", r#"{"model_id": "one"}"#).await.ok();
    stage.gateway.master().post("/model/unblock", r#"{"model_id": "one"}"#).await.ok();

    let (status, text) = change(&stage, OLD, &file, &["--apply"]).await;
    assert_eq!(status, Some(0), "{text}");
    assert!(text.contains("sealed with the new key"), "{text}");
    assert_eq!(call(&stage.gateway.master()).await.0, 200, "it goes on with what it has read");
    let (status, text) = change(&stage, OLD, &file, &["--apply"]).await;
    assert_eq!((status, text.contains("new key already")), (Some(1), true), "{text}");

    let Stage { home, gateway, simulator, database } = stage;
    assert_eq!(gateway.terminate().await.code(), Some(0));
    let (status, text) = GatewayProcess::start_in_vain(binary(), &home).await;
    assert_eq!((status, text.contains("salt_key_differs")), (Some(3), true), "{text}");
    let home = home.with_env("TOLLGATE_SALT_KEY", NEW);
    let gateway = GatewayProcess::start(binary(), &home).await;
    assert_eq!(call(&gateway.master()).await, (200, String::new()));
    let log = gateway.master().get("/audit?table_name=salt_key").await.ok();
    assert_eq!(log["audit_logs"][0]["updated_values"]["secrets"], 3, "{log}");
    let stage = Stage { home, gateway, simulator, database };
    assert_eq!(sent(&stage), [SECRET, SECRET], "{ADDED} is called with its key");
    stage.close().await;
}

#[tokio::test]
async fn a_key_that_was_made_here_is_the_old_one_unless_another_is_named() {
    let stage = stage(Storage::Sqlite, |home| home).await;
    add(&stage, "one").await;
    let run = async |more: &[&str]| {
        let mut command = Command::new(binary());
        command.env_clear().env("NEW_KEY", NEW).env("SHORT", "short").args(["salt-key", "change"]);
        command.arg("--config").arg(stage.home.config_file()).args(more);
        output(command).await
    };
    let data = stage.home.data_dir().display().to_string();
    let (status, text) = run(&["--data-dir", &data, "--new-key-env", "NEW_KEY"]).await;
    assert_eq!(status, Some(0), "{text}");
    assert!(text.contains("2 secrets of 1 deployments"), "{text}");

    let same = format!("{data}/salt_key");
    let nowhere = stage.home.path().join("nowhere").display().to_string();
    for (arguments, expected, part) in [
        (vec!["--data-dir", &data, "--new-key-file", &same], 1, "the new key is the old one"),
        (vec!["--data-dir", &data, "--new-key-env", "SHORT"], 3, "fewer than 16 characters"),
        (vec!["--data-dir", &data, "--new-key-env", "UNSET"], 3, "`UNSET` is not set"),
        (vec!["--data-dir", &data, "--new-key-file", &nowhere], 3, "cannot use the file"),
        (vec!["--data-dir", &nowhere, "--new-key-env", "NEW_KEY"], 3, "no old key is known"),
        (vec!["--data-dir", &data], 2, "--new-key-file"),
    ] {
        let (status, text) = run(&arguments).await;
        assert_eq!(status, Some(expected), "{arguments:?}: {text}");
        assert!(text.contains(part), "{arguments:?}: {text}");
    }
    stage.close().await;
}
