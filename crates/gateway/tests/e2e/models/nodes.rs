//! Two gateways on one Postgres: what one adds, the other serves within a second.

use std::time::Duration;

use tollgate_testkit::config_text::ConfigText;
use tollgate_testkit::gateway::{GatewayProcess, Home};
use tollgate_testkit::patience::{until, within};

use crate::models::{SECRET, add, added, call, config, sent, stage};
use crate::stage::{Stage, Storage, binary};

/// How long a change may take to bind another gateway.
const BINDS_WITHIN: Duration = Duration::from_secs(1);
const SALT: &str = "the-salt-of-both-gateways";

fn salted(home: Home) -> Home {
    home.with_env("TOLLGATE_SALT_KEY", SALT)
}

async fn beside(
    stage: &Stage,
    config: &ConfigText,
    furnish: fn(Home) -> Home,
) -> (GatewayProcess, Home) {
    let home = furnish(Home::new(&config.build())).with_database(stage.database().url());
    (GatewayProcess::start(binary(), &home).await, home)
}

/// The other gateway answers so, in time.
async fn binds(other: &GatewayProcess, key: &str, status: u16) {
    let client = other.client(key);
    let bound =
        until("the change to bind", || async { (call(&client).await.0 == status).then_some(()) });
    within(BINDS_WITHIN, &format!("{status} at the other gateway"), bound).await;
}

#[tokio::test]
async fn a_change_of_the_models_binds_the_other_gateway_within_a_second() {
    let stage = stage(Storage::Postgres, salted).await;
    let (other, _home) = beside(&stage, &config(&stage.simulator), salted).await;
    let key = stage.plain_key().await;
    binds(&other, &key.text, 404).await;
    for _ in 0..2 {
        add(&stage, "one").await;
        binds(&other, &key.text, 200).await;
        assert_eq!(sent(&stage).last().map(String::as_str), Some(SECRET));
        stage.gateway.master().post("/model/block", r#"{"model_id": "one"}"#).await.ok();
        binds(&other, &key.text, 403).await;
        stage.gateway.master().post("/model/delete", r#"{"id": "one"}"#).await.ok();
        binds(&other, &key.text, 404).await;
    }
    assert!(!other.output().contains(SECRET));
    assert_eq!(other.terminate().await.code(), Some(0));
    stage.close().await;
}

#[tokio::test]
async fn a_gateway_with_a_key_of_its_own_serves_what_it_can_read_and_writes_nothing() {
    let stage = stage(Storage::Postgres, |home| home).await;
    let (other, _home) = beside(&stage, &config(&stage.simulator), |home| home).await;
    add(&stage, "one").await;
    let noted = until("the other gateway to note it", || async {
        let notes = other.master().get("/health/readiness").await.ok()["notes"].to_string();
        notes.contains("deployment `one`").then_some(notes)
    });
    let notes = within(BINDS_WITHIN, "the note", noted).await;
    assert!(notes.contains("TOLLGATE_SALT_KEY"), "{notes}");
    assert_eq!(call(&other.master()).await, (404, "model_unknown".to_owned()));
    let refused = other.master().post("/model/new", added(&stage, "two").to_string()).await;
    assert_eq!(refused.refusal(), (409, "salt_key_differs".to_owned()));
    assert_eq!(other.terminate().await.code(), Some(0));
    stage.close().await;
}
