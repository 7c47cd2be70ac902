//! An import that is killed half-way goes on where it ended.

use serde_json::Value;
use sqlx::{Connection as _, PgConnection};
use tollgate_simulator::Script;
use tollgate_store::Db;
use tollgate_testkit::clock_file::ClockFile;
use tollgate_testkit::gateway::Home;
use tollgate_testkit::patience::until;
use tollgate_testkit::postgres::TestDatabase;

use super::filled::fill;
use super::proxy::Proxy;
use super::rows::{KEYS, NOW};
use super::story::config;
use super::{Import, SALT_KEY};
use crate::stage::simulator;

/// Makes the insertion of the two hundredth key wait for a lock that the test holds.
const STOP_AT_200: [&str; 3] = [
    "SELECT pg_advisory_lock(42)",
    "CREATE FUNCTION wait_at_200() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
     IF (SELECT COUNT(*) FROM virtual_keys) >= 200 THEN PERFORM pg_advisory_lock(42); END IF; \
     RETURN NEW; END $$",
    "CREATE TRIGGER wait_at_200 BEFORE INSERT ON virtual_keys \
     FOR EACH ROW EXECUTE FUNCTION wait_at_200()",
];
const WAITS: &str = "SELECT COUNT(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted \
     AND objid = 42 \
     AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
/// Whoever was killed leaves its transaction to a server process that waits.
const END_OTHERS: &str = "SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity \
     WHERE datname = current_database() AND pid <> pg_backend_pid()";

#[tokio::test]
async fn an_import_that_was_killed_completes_when_it_is_run_again() {
    let (proxy, simulator) = (Proxy::new(), simulator(Script::default()).await);
    fill(&proxy, &simulator.base_url()).await;
    let target = TestDatabase::create();
    let db = Db::open(target.url()).await.expect("a database");
    db.migrate().await.expect("a schema");
    db.close().await;
    let mut holder = PgConnection::connect(target.url()).await.expect("a connection");
    for statement in STOP_AT_200 {
        sqlx::query(statement).execute(&mut holder).await.expect("a statement");
    }

    let (home, clock) = (Home::new(&config(&simulator)), ClockFile::at(NOW));
    let import = Import { home: &home, clock: &clock, source: proxy.url(), salt_key: SALT_KEY };
    let apply = ["--apply", "--to", target.url()];
    let mut running = import.start(&apply);
    let url = target.url();
    until("the import to be in the middle of the keys", || async {
        let mut asking = PgConnection::connect(url).await.ok()?;
        let waits: i64 = sqlx::query_scalar(WAITS).fetch_one(&mut asking).await.ok()?;
        (waits > 0).then_some(())
    })
    .await;
    running.kill().await.expect("it can be killed");
    for statement in [END_OTHERS, "DROP TRIGGER wait_at_200 ON virtual_keys"] {
        sqlx::query(statement).execute(&mut holder).await.expect("a statement");
    }
    let written = keys(&mut holder).await;
    assert!((1..200).contains(&written), "whole batches of keys and no more: {written}");

    let report = import.report(&apply).await;
    assert_eq!(report["agrees"], true, "{report:#}");
    let rows = &report["applied"]["rows"];
    assert!(rows["unchanged"].as_i64() > Some(written), "what was there stays: {rows}");
    assert_eq!(keys(&mut holder).await, KEYS as i64 + 3);
    assert_eq!(report["applied"]["sums"], Value::from(0), "money comes first, and came once");
    let models = &report["applied"]["models"];
    assert_eq!((&models["inserted"], &models["unchanged"]), (&0.into(), &3.into()), "{models}");
}

async fn keys(connection: &mut PgConnection) -> i64 {
    let count = sqlx::query_scalar("SELECT COUNT(*) FROM virtual_keys").fetch_one(connection).await;
    count.expect("a number")
}
