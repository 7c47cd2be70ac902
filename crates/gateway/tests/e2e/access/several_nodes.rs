//! Two gateways on one database: what one changes binds the other within a second.

use std::time::Duration;

use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection};
use tollgate_simulator::Behaviour;
use tollgate_testkit::config_text::ConfigText;
use tollgate_testkit::gateway::{GatewayProcess, Home};
use tollgate_testkit::patience::{until, within};

use crate::stage::{CALL, CHAT, GROUP, Key, Stage, Storage, binary};

/// How long a change may take to bind another gateway.
const BINDS_WITHIN: Duration = Duration::from_secs(1);
/// Ends the connections that changes are heard on, and says how many there were.
const CUT: &str = "SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity \
     WHERE application_name = 'tollgate changes' AND datname = current_database()";
/// How many there are.
const HEARING: &str = "SELECT COUNT(*) FROM pg_stat_activity \
     WHERE application_name = 'tollgate changes' AND datname = current_database()";

/// A gateway, and another one on the same database.
struct Pair {
    stage: Stage,
    other: GatewayProcess,
    _home: Home,
}

impl Pair {
    async fn new() -> Self {
        let stage = Stage::on(Storage::Postgres, Behaviour::default()).await;
        let config = ConfigText::simulated(GROUP, &stage.simulator).build();
        let home = Home::new(&config).with_database(stage.database().url());
        let other = GatewayProcess::start(binary(), &home).await;
        let pair = Self { stage, other, _home: home };
        until("both to hear of changes", || async {
            (pair.number(HEARING).await == 2).then_some(())
        })
        .await;
        pair
    }

    async fn number(&self, statement: &'static str) -> i64 {
        let url = self.stage.database().url();
        let mut connection = PgConnection::connect(url).await.expect("the database is there");
        let number = sqlx::query_scalar(statement).fetch_one(&mut connection).await;
        number.expect("a number")
    }

    /// What the other gateway says to a call: a status, and the reason of a refusal.
    async fn elsewhere(&self, key: &Key) -> (u16, String) {
        self.other.client(&key.text).post(CHAT, CALL).await.refusal()
    }

    /// The other gateway answers so, in time.
    async fn binds(&self, key: &Key, status: u16, reason: &str) {
        let expected = (status, reason.to_owned());
        let bound =
            until(reason, || async { (self.elsewhere(key).await == expected).then_some(()) });
        within(BINDS_WITHIN, &format!("`{reason}` at the other gateway"), bound).await;
    }

    async fn change(&self, path: &str, fields: Value) {
        self.stage.gateway.master().post(path, fields.to_string()).await.ok();
    }

    /// A key is changed and deleted here, and the other gateway knows it from before.
    async fn change_a_key(&self) {
        let key = self.stage.key(json!({"max_budget": 0})).await;
        assert_eq!(self.elsewhere(&key).await, (429, "budget_exceeded".to_owned()));
        self.change("/key/update", json!({"key": key.text, "max_budget": null})).await;
        self.binds(&key, 200, "").await;
        self.change("/key/update", json!({"key": key.text, "blocked": true})).await;
        self.binds(&key, 401, "key_blocked").await;
        self.change("/key/update", json!({"key": key.text, "blocked": false})).await;
        self.binds(&key, 200, "").await;
        self.change("/key/delete", json!({"keys": [key.text]})).await;
        self.binds(&key, 401, "key_unknown").await;
    }
}

#[tokio::test]
async fn a_change_binds_the_other_gateway_within_a_second() {
    let pair = Pair::new().await;
    pair.change_a_key().await;
    let Pair { stage, other, _home } = pair;
    assert_eq!(other.terminate().await.code(), Some(0));
    stage.close().await;
}

#[tokio::test]
async fn a_change_that_was_not_heard_binds_once_changes_are_heard_again() {
    let pair = Pair::new().await;
    let key = pair.stage.plain_key().await;
    assert_eq!(pair.elsewhere(&key).await.0, 200);
    assert_eq!(pair.number(CUT).await, 2, "both gateways hear of changes");
    pair.change("/key/update", json!({"key": key.text, "blocked": true})).await;
    pair.binds(&key, 401, "key_blocked").await;
    pair.change_a_key().await;
}
