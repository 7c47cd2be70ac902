//! The spool is full: calls are refused in clear words, and nothing that was taken is lost.

use tollgate_simulator::{Behaviour, Script};
use tollgate_testkit::gateway::Home;
use tollgate_testkit::postgres::TestServer;

use super::{LIMITED, LIMITED_NANOS, Load, await_readiness, config, spools, told_once};
use crate::books::Books;
use crate::stage::{CHAT, Stage, Storage};

/// How many openings and entries the spool takes.
const ROOM: u64 = 40;
/// Callers at one time, and so the most calls that are taken beyond it.
const CALLERS: u64 = 4;

#[tokio::test]
async fn a_full_spool_refuses_in_clear_words_and_loses_nothing_that_was_taken() {
    let server = TestServer::start();
    let stage = Stage::with(
        Storage::Sqlite,
        Script::new(Behaviour::default()),
        |simulator| {
            let room = format!("spool_max_entries: {ROOM}");
            config(simulator).setting("general_settings", &room)
        },
        |home: Home| home.with_database(server.url()),
    )
    .await;
    let key = stage.plain_key().await;
    key.client.post(CHAT, LIMITED).await.ok();
    stage.await_spend(&key, LIMITED_NANOS).await;
    server.freeze();
    let load = Load::start((0..CALLERS).map(|_| key.client.clone()));
    load.await_count(20, 503, "store_unavailable").await;
    await_readiness(&stage.gateway, 503, "the spool is full: calls are refused").await;
    let refused = key.client.post(CHAT, LIMITED).await;
    let message = refused.json()["error"]["message"].as_str().unwrap_or_default().to_owned();
    assert!(message.contains("the spool of what waits for it is full"), "{message}");
    assert_ne!(refused.header("retry-after"), "");
    let taken = load.count(200, "");
    server.thaw();
    await_readiness(&stage.gateway, 200, "connected").await;
    load.await_count(taken + 20, 200, "").await;
    let tally = load.end().await;
    let answers: Vec<_> = tally.keys().map(|(status, reason)| (*status, reason.as_str())).collect();
    assert_eq!(answers, [(200, ""), (503, "store_unavailable")], "{tally:?}");
    let (full, room) = ("the spool is full; calls are refused", "the spool has room again");
    told_once(&stage.gateway, full, room).await;
    told_once(&stage.gateway, "the ledger cannot be written", "the ledger is written again").await;

    let Stage { simulator, home, gateway, database: _ } = stage;
    assert_eq!(gateway.terminate().await.code(), Some(0));
    let books = Books::open(Some(server.url()), &home.data_dir()).await;
    books.must_balance();
    let served = tally[&(200, String::new())] + 1;
    assert_eq!((books.lines.len() as u64, simulator.calls().count()), (served, served));
    assert_eq!(books.sum(), i64::try_from(served).expect("few") * LIMITED_NANOS);
    assert_eq!(spools(&home), [""; 0], "a spool is left");
}
