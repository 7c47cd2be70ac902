//! A client that leaves: the upstream is left too, and what came until then is billed once.

use std::time::Duration;

use tollgate_simulator::{Behaviour, End};
use tollgate_testkit::patience::{until, within};

use crate::stage::{CALL, CHAT, STREAMED_CALL, Stage, Storage};

/// How soon the upstream must notice.
const NOTICE_MAX: Duration = Duration::from_secs(1);

#[tokio::test]
async fn a_client_that_leaves_in_mid_stream_is_billed_once_on_sqlite() {
    leaving_in_mid_stream(Storage::Sqlite).await;
}

#[tokio::test]
async fn a_client_that_leaves_in_mid_stream_is_billed_once_on_postgres() {
    leaving_in_mid_stream(Storage::Postgres).await;
}

async fn leaving_in_mid_stream(storage: Storage) {
    // Fifty tokens a second for more than an hour.
    let endless = Behaviour::answering(200_000).paced(Duration::ZERO, 50.0);
    let stage = Stage::on(storage, endless).await;
    let key = stage.plain_key().await;
    let mut streaming = key.client.open(CHAT, STREAMED_CALL).await;
    streaming.read_until(r#""content":" opens""#).await;
    let seen = streaming.seen_text().matches(r#""content":""#).count();
    drop(streaming);

    let cancelled = stage.simulator.calls().await_cancelled(0);
    let call = within(NOTICE_MAX, "the upstream call to be cancelled", cancelled).await;
    let spend = until("the call to be billed", || async {
        Some(stage.spend(&key).await).filter(|spend| *spend > 0)
    })
    .await;

    let (books, _) = stage.close().await;
    books.must_balance();
    assert_eq!(books.outcomes(), ["disconnected"]);
    assert_eq!(books.lines[0].usage_source, "estimated");
    assert_eq!(books.sum(), spend, "billed once, and nothing came after");
    // At least the tokens that the client had read, at most those that the upstream had sent. The
    // prompt of thirteen bytes is estimated at a token for each four.
    let output = |tokens: i64| tokens * 2_000;
    let least = output(i64::try_from(seen).expect("few tokens") - 1);
    let most = output(i64::from(call.tokens_sent) + 1) + 40 * 1_000;
    assert!((least..=most).contains(&spend), "{least} <= {spend} <= {most}");
}

#[tokio::test]
async fn a_client_that_leaves_before_the_answer_cancels_the_call() {
    let late = Behaviour { first_token: Duration::from_secs(3_000), ..Behaviour::default() };
    let stage = Stage::on(Storage::Sqlite, late).await;
    let key = stage.plain_key().await;
    let client = key.client.clone();
    let waiting = tokio::spawn(async move {
        client.try_whole(http::Method::POST, CHAT, CALL.into()).await.is_ok()
    });
    within(NOTICE_MAX * 10, "the call upstream", stage.simulator.calls().await_count(1)).await;
    waiting.abort();
    assert!(waiting.await.is_err_and(|ended| ended.is_cancelled()));
    let cancelled = stage.simulator.calls().await_cancelled(0);
    let call = within(NOTICE_MAX, "the upstream call to be cancelled", cancelled).await;
    assert_eq!(call.end, End::Cancelled);
    let (books, _) = stage.close().await;
    books.must_balance();
    assert_eq!(books.outcomes(), ["disconnected"]);
}

#[tokio::test]
async fn other_calls_go_on_when_one_client_leaves() {
    let paced = Behaviour::answering(30).paced(Duration::ZERO, 50.0);
    let stage = Stage::on(Storage::Sqlite, paced).await;
    let key = stage.plain_key().await;
    let mut leaving = key.client.open(CHAT, STREAMED_CALL).await;
    let staying = key.client.open(CHAT, STREAMED_CALL).await;
    leaving.read_until(r#""content":" keeper""#).await;
    drop(leaving);
    let (body, _) = staying.rest().await;
    assert_eq!(crate::stage::events(&body).last().map(String::as_str), Some("[DONE]"));
}
