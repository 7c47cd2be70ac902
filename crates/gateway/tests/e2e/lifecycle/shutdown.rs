//! SIGTERM: nothing new is taken, what is under way finishes, everything is written.

use std::time::Duration;

use http::Method;
use tollgate_simulator::{Behaviour, Script, Simulator};
use tollgate_testkit::config_text::ConfigText;
use tollgate_testkit::gateway::Home;
use tollgate_testkit::http::Ending;
use tollgate_testkit::patience::{eventually, until};

use crate::stage::{CALL, CHAT, GROUP, STREAMED_CALL, Stage, Storage, events};

#[tokio::test]
async fn open_calls_finish_and_are_settled_on_sqlite() {
    ending_with_open_calls(Storage::Sqlite).await;
}

#[tokio::test]
async fn open_calls_finish_and_are_settled_on_postgres() {
    ending_with_open_calls(Storage::Postgres).await;
}

async fn ending_with_open_calls(storage: Storage) {
    // A little more than a second from the first token to the last.
    let paced = Behaviour::answering(60).paced(Duration::from_millis(200), 50.0);
    let stage = Stage::on(storage, paced).await;
    let key = stage.plain_key().await;
    let client = key.client.clone();
    let buffered = tokio::spawn(async move { client.post(CHAT, CALL).await });
    let mut streaming = key.client.open(CHAT, STREAMED_CALL).await;
    streaming.read_until(r#""content":"the""#).await;
    eventually("both calls upstream", stage.simulator.calls().await_count(2)).await;

    stage.gateway.ask_to_end();
    until("new calls to be turned away", || async {
        let sent = key.client.try_whole(Method::POST, CHAT, CALL.into()).await;
        sent.is_err().then_some(())
    })
    .await;

    let (body, ending) = streaming.rest().await;
    assert!(matches!(ending, Ending::Clean), "{ending:?}");
    assert_eq!(events(&body).last().map(String::as_str), Some("[DONE]"));
    let answer = eventually("the buffered answer", buffered).await.expect("it was not aborted");
    assert_eq!(answer.ok()["usage"]["completion_tokens"], 60);

    let Stage { simulator: _simulator, home, gateway, database } = stage;
    assert_eq!(gateway.ended().await.code(), Some(0));
    let url = database.as_ref().map(|database| database.url());
    let books = crate::books::Books::open(url, &home.data_dir()).await;
    books.must_balance();
    let completed = books.outcomes().iter().filter(|outcome| **outcome == "completed").count();
    assert!(completed >= 2, "{books:?}");
}

#[tokio::test]
async fn a_call_that_outlives_the_grace_period_is_cut_and_settled() {
    let endless = Behaviour::answering(200_000).paced(Duration::ZERO, 50.0);
    let config = |simulator: &Simulator| ConfigText::simulated(GROUP, simulator);
    let impatient = |home: Home| home.with_env("GRACEFUL_SHUTDOWN_TIMEOUT", "0.2");
    let stage = Stage::with(Storage::Sqlite, Script::new(endless), config, impatient).await;
    let key = stage.plain_key().await;
    let mut streaming = key.client.open(CHAT, STREAMED_CALL).await;
    streaming.read_until(r#""content":" keeper""#).await;

    let Stage { simulator, home, gateway, .. } = stage;
    assert_eq!(gateway.terminate().await.code(), Some(0));
    let (body, ending) = streaming.rest().await;
    assert!(!matches!(ending, Ending::Clean), "a cut answer does not look complete: {ending:?}");
    assert!(!events(&body).iter().any(|event| event == "[DONE]"));
    let cancelled = simulator.calls().await_cancelled(0);
    eventually("the upstream call to be cancelled", cancelled).await;
    let books = crate::books::Books::open(None, &home.data_dir()).await;
    books.must_balance();
    assert_eq!(books.lines.len(), 1);
    assert!(books.sum() > 0, "what was seen is billed: {books:?}");
}

#[tokio::test]
async fn an_idle_gateway_ends_at_once() {
    let stage = Stage::new().await;
    let (books, _) = stage.close().await;
    assert_eq!(books.lines, []);
}

#[tokio::test]
async fn a_kept_open_idle_connection_does_not_hold_up_the_end() {
    let stage = Stage::new().await;
    let address = stage.gateway.base_url().trim_start_matches("http://").to_owned();
    let idle = tokio::net::TcpStream::connect(address).await.expect("the gateway listens");
    stage.gateway.anonymous().get("/health/liveliness").await.ok();
    let ended = eventually("the end", stage.gateway.terminate()).await;
    assert_eq!(ended.code(), Some(0));
    drop(idle);
}
