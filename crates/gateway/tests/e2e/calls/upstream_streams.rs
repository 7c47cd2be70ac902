//! A stream that goes wrong on the way never looks as if it had ended well.

use std::time::Duration;

use serde_json::Value;
use tollgate_simulator::{Behaviour, End, Fault, Script};
use tollgate_testkit::config_text::ConfigText;
use tollgate_testkit::http::Ending;
use tollgate_testkit::patience::eventually;

use crate::stage::{CHAT, GROUP, STREAMED_CALL, Stage, Storage, events};

/// Reads a stream that goes wrong: its events but for the last, and the error in the last.
async fn broken(stage: &Stage) -> (Vec<String>, Value) {
    let key = stage.plain_key().await;
    let (body, _) = key.client.open(CHAT, STREAMED_CALL).await.rest().await;
    let mut events = events(&body);
    assert!(!events.iter().any(|event| event == "[DONE]"), "a broken stream ended with [DONE]");
    let finished = |event: &String| event.contains(r#""finish_reason":""#);
    assert!(!events.iter().any(finished), "a broken stream has a finish reason: {events:?}");
    let last = events.pop().expect("a stream has events");
    let last: Value = serde_json::from_str(&last).expect("the last event is whole");
    (events, last["error"].clone())
}

#[tokio::test]
async fn a_stream_that_breaks_ends_with_an_error_event_and_bills_what_came() {
    let four = Fault::EndEarly { after_tokens: 4 };
    for fault in [
        Fault::CutAfterBytes(1_500),
        four,
        Fault::MalformedFrame { at: 4 },
        Fault::ErrorEvent { after_tokens: 4 },
    ] {
        // At a pace, so that some of the answer has gone when it breaks.
        let behaviour = Behaviour::failing(fault.clone()).paced(Duration::ZERO, 50.0);
        let stage = Stage::on(Storage::Sqlite, behaviour).await;
        let (before, error) = broken(&stage).await;
        assert!(before.iter().any(|event| event.contains("keeper")), "{fault:?}: {before:?}");
        assert!(error["message"].is_string(), "{fault:?}: {error}");
        assert_eq!(error["gateway"]["origin"], "upstream", "{fault:?}: {error}");

        let (books, _) = stage.close().await;
        books.must_balance();
        assert_eq!(books.outcomes(), ["cut"], "{fault:?}");
        let line = &books.lines[0];
        assert_eq!(line.usage_source, "estimated", "{fault:?}");
        let cost = line.cost_nanos.expect("a price is known");
        // Between two and six tokens of output, and never the sixteen of the whole answer.
        assert!((2 * 2_000..16 * 2_000).contains(&cost), "{fault:?}: {cost}");
    }
}

#[tokio::test]
async fn a_stream_that_stalls_is_ended_by_its_idle_limit() {
    let stage = Stage::with(
        Storage::Sqlite,
        Script::new(Behaviour::failing(Fault::Stall { after_tokens: 4 })),
        |simulator| {
            let deployment = ConfigText::deployment(simulator).with("idle_timeout: 0.3");
            ConfigText::new().group(GROUP, &deployment)
        },
        |home| home,
    )
    .await;
    let (_, error) = broken(&stage).await;
    assert_eq!(error["gateway"]["reason"], "upstream_timeout", "{error}");
    let left = stage.simulator.calls().await_cancelled(0);
    assert_eq!(eventually("the call to be cancelled", left).await.end, End::Cancelled);
}

#[tokio::test]
async fn a_silent_stream_says_that_it_is_alive_and_still_meets_its_idle_limit() {
    let stage = Stage::with(
        Storage::Sqlite,
        Script::new(Behaviour::failing(Fault::Stall { after_tokens: 4 })),
        |simulator| {
            let deployment = ConfigText::deployment(simulator).with("idle_timeout: 0.5");
            ConfigText::new()
                .setting("general_settings", "keepalive_interval_ms: 40")
                .group(GROUP, &deployment)
        },
        |home| home,
    )
    .await;
    let key = stage.plain_key().await;
    let (stream, _) = key.client.open(CHAT, STREAMED_CALL).await.rest().await;
    let text = String::from_utf8_lossy(&stream);
    let alive = text.matches("\n\n: ping\n\n").count();
    assert!(alive >= 3, "{alive} signs of life: {text}");
    assert!(text.contains("upstream_timeout"), "{text}");
}

#[tokio::test]
async fn a_flowing_stream_is_not_cut_by_the_limit_of_buffered_answers() {
    let paced = Behaviour::answering(20).paced(Duration::ZERO, 20.0);
    let stage = Stage::with(
        Storage::Sqlite,
        Script::new(paced),
        |simulator| {
            let deployment = ConfigText::deployment(simulator).with("timeout: 0.3");
            ConfigText::new().group(GROUP, &deployment)
        },
        |home| home,
    )
    .await;
    let key = stage.plain_key().await;
    let (body, ending) = key.client.open(CHAT, STREAMED_CALL).await.rest().await;
    assert!(matches!(ending, Ending::Clean), "{ending:?}");
    assert_eq!(events(&body).last().map(String::as_str), Some("[DONE]"));
}

#[tokio::test]
async fn a_finished_stream_without_its_last_word_is_given_it() {
    let stage = Stage::on(Storage::Sqlite, Behaviour::failing(Fault::NoDone)).await;
    let key = stage.plain_key().await;
    let (body, ending) = key.client.open(CHAT, STREAMED_CALL).await.rest().await;
    assert!(matches!(ending, Ending::Clean), "{ending:?}");
    assert_eq!(events(&body).last().map(String::as_str), Some("[DONE]"));
    let (books, _) = stage.close().await;
    assert_eq!(books.outcomes(), ["completed"]);
}
