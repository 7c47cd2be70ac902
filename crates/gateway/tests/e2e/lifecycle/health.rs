//! What a load balancer asks.

use tollgate_testkit::gateway::{GatewayProcess, Home};
use tollgate_testkit::postgres::TestDatabase;

use crate::stage::{Stage, binary};

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
async fn a_gateway_without_its_database_is_alive_and_not_ready() {
    let database = TestDatabase::create();
    let home = Home::new("model_list: []\n").with_database(database.url());
    let gateway = GatewayProcess::start(binary(), &home).await;
    drop(database); // with force: its connections are closed
    let anyone = gateway.anonymous();
    tollgate_testkit::patience::until("the gateway to notice", || async {
        // A call for an unknown key has to ask the database.
        gateway.client("sk-unknown-to-everyone").get("/v1/models").await;
        let readiness = anyone.get("/health/readiness").await;
        (readiness.status == 503).then_some(())
    })
    .await;
    assert_eq!(anyone.get("/health/liveliness").await.status, 200);
}
