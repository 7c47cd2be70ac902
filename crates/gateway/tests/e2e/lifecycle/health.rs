//! What a load balancer asks, and that a database which goes away comes back without losing a call.

use std::net::SocketAddr;

use tollgate_simulator::Script;
use tollgate_testkit::cable::Cable;
use tollgate_testkit::config_text::ConfigText;
use tollgate_testkit::patience::until;
use tollgate_testkit::postgres::TestDatabase;

use crate::books::Books;
use crate::stage::{CALL, CALL_NANOS, CHAT, GROUP, Stage, Storage};

#[tokio::test]
async fn a_running_gateway_is_alive_and_ready_and_says_so_to_anyone() {
    let stage = Stage::new().await;
    let anyone = stage.gateway.anonymous();
    for path in ["/health/liveliness", "/health/liveness"] {
        assert_eq!(anyone.get(path).await.ok(), "I'm alive!");
    }
    let ready = anyone.get("/health/readiness").await.ok();
    assert_eq!((&ready["status"], &ready["db"]), (&"healthy".into(), &"connected".into()));
}

#[tokio::test]
async fn calls_made_while_the_database_is_away_are_in_the_ledger_once_it_is_back() {
    let database = TestDatabase::create();
    let server = authority(database.url());
    let cable = Cable::to(server).await;
    let through = database.url().replace(&server.to_string(), &cable.address().to_string());
    // The storage is chosen by the address, which leads through the cable.
    let stage = Stage::with(
        Storage::Sqlite,
        Script::default(),
        |simulator| ConfigText::simulated(GROUP, simulator),
        |home| home.with_database(&through),
    )
    .await;
    let key = stage.plain_key().await;
    key.client.post(CHAT, CALL).await.ok();
    stage.await_spend(&key, CALL_NANOS).await;

    cable.cut();
    for _ in 0..5 {
        key.client.post(CHAT, CALL).await.ok();
    }
    await_readiness(&stage, 503).await;
    assert_eq!(stage.gateway.anonymous().get("/health/liveliness").await.status, 200);

    cable.mend();
    await_readiness(&stage, 200).await;
    key.client.post(CHAT, CALL).await.ok();
    stage.await_spend(&key, 7 * CALL_NANOS).await;
    let Stage { home, gateway, .. } = stage;
    assert_eq!(gateway.terminate().await.code(), Some(0));
    let books = Books::open(Some(database.url()), &home.data_dir()).await;
    books.must_balance();
    assert_eq!((books.lines.len(), books.sum()), (7, 7 * CALL_NANOS));
}

async fn await_readiness(stage: &Stage, status: u16) {
    until(&format!("a readiness of {status}"), || async {
        let readiness = stage.gateway.anonymous().get("/health/readiness").await;
        (readiness.status == status).then_some(())
    })
    .await;
}

/// The address of the server in a database's URL.
fn authority(url: &str) -> SocketAddr {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = rest.split('/').next().unwrap_or(rest);
    let host = host.rsplit('@').next().unwrap_or(host);
    host.parse().unwrap_or_else(|_| panic!("`{host}` of {url} is no ADDRESS:PORT"))
}
