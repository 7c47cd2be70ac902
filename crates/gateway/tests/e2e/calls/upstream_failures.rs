//! An upstream that does not answer: whose fault it is, what the client is told, and what it costs.

use std::time::Duration;

use serde_json::{Value, json};
use tollgate_simulator::{Behaviour, End, Fault, Script};
use tollgate_testkit::config_text::ConfigText;
use tollgate_testkit::http::Answer;

use crate::stage::{CALL, CHAT, GROUP, STREAMED_CALL, Stage, Storage};

/// A stage whose upstream fails in this way, and a call's answer there, buffered or streamed.
async fn failing(behaviour: Behaviour, body: &str) -> (Stage, Answer) {
    let stage = Stage::on(Storage::Sqlite, behaviour).await;
    let key = stage.plain_key().await;
    let answer = key.client.post(CHAT, body.to_owned()).await;
    (stage, answer)
}

fn gateway(answer: &Answer) -> Value {
    answer.json()["error"]["gateway"].clone()
}

/// Nothing was consumed, and the entry says so.
async fn costs_nothing(stage: Stage) {
    let (books, _) = stage.close().await;
    books.must_balance();
    assert_eq!(books.outcomes(), ["failed"]);
    assert_eq!((books.lines[0].cost_nanos, books.sum()), (Some(0), 0));
}

#[tokio::test]
async fn an_upstreams_refusal_keeps_its_class_and_its_words() {
    for (status, reason, expected) in [
        (400, "upstream_rejected_request", 400),
        (401, "upstream_credentials_rejected", 502),
        (403, "upstream_credentials_rejected", 502),
        (500, "upstream_error", 500),
        (503, "upstream_overloaded", 503),
        (529, "upstream_overloaded", 503),
    ] {
        for body in [CALL, STREAMED_CALL] {
            let (stage, answer) = failing(Behaviour::refusing(status), body).await;
            assert_eq!(answer.refusal(), (expected, reason.to_owned()), "{}", answer.text());
            let facts = gateway(&answer);
            assert_eq!(facts["upstream"]["status"], status, "{facts}");
            assert_eq!(facts["upstream"]["provider"], "openai_like", "{facts}");
            assert_eq!(facts["attempts"].as_array().map(Vec::len), Some(1), "{facts}");
            costs_nothing(stage).await;
        }
    }
}

#[tokio::test]
async fn a_rate_limit_of_the_upstream_comes_with_its_wait() {
    let fault = Fault::Status {
        status: 429,
        retry_after: Some(Duration::from_secs(7)),
        body: Some(
            r#"{"error":{"message":"slow down, please","type":"tokens","code":"x"}}"#.into(),
        ),
    };
    for body in [CALL, STREAMED_CALL] {
        let (stage, answer) = failing(Behaviour::failing(fault.clone()), body).await;
        assert_eq!(answer.refusal(), (429, "upstream_rate_limited".to_owned()));
        assert_eq!(answer.header("retry-after"), "7");
        let error = answer.json()["error"].clone();
        assert!(error["message"].as_str().unwrap_or_default().contains("slow down, please"));
        assert_eq!(
            (&error["type"], &error["gateway"]["origin"]),
            (&json!("tokens"), &json!("upstream"))
        );
        costs_nothing(stage).await;
    }
}

#[tokio::test]
async fn an_upstream_that_is_down_is_a_502() {
    let stage = Stage::new().await;
    let key = stage.plain_key().await;
    let Stage { simulator, home, gateway: process, database } = stage;
    simulator.shutdown().await;
    for body in [CALL, STREAMED_CALL] {
        let answer = key.client.post(CHAT, body).await;
        assert_eq!(answer.refusal(), (502, "upstream_unreachable".to_owned()), "{}", answer.text());
        assert_eq!(gateway(&answer)["retryable"], true);
    }
    let simulator = crate::stage::simulator(Script::default()).await;
    let (books, _) = Stage { simulator, home, gateway: process, database }.close().await;
    books.must_balance();
    assert_eq!((books.outcomes(), books.sum()), (vec!["failed", "failed"], 0));
}

#[tokio::test]
async fn an_upstream_that_hangs_up_or_babbles_is_a_502() {
    for fault in [Fault::HangUp, Fault::Html, Fault::ErrorInside200] {
        for body in [CALL, STREAMED_CALL] {
            let (_stage, answer) = failing(Behaviour::failing(fault.clone()), body).await;
            assert!((500..=502).contains(&answer.status), "{fault:?}: {}", answer.text());
            assert_eq!(gateway(&answer)["origin"], "upstream", "{fault:?}: {}", answer.text());
        }
    }
}

#[tokio::test]
async fn a_buffered_answer_that_is_cut_or_broken_is_a_502() {
    for fault in [Fault::CutAfterBytes(40), Fault::MalformedFrame { at: 2 }] {
        let (_stage, answer) = failing(Behaviour::failing(fault.clone()), CALL).await;
        assert_eq!(answer.status, 502, "{fault:?}: {}", answer.text());
        assert_eq!(gateway(&answer)["origin"], "upstream", "{fault:?}: {}", answer.text());
    }
}

#[tokio::test]
async fn an_upstream_that_takes_too_long_is_a_504_and_is_left() {
    let late = Behaviour::failing(Fault::SlowHeaders(Duration::from_secs(3_000)));
    let stage = Stage::with(
        Storage::Sqlite,
        Script::new(late),
        |simulator| {
            let deployment = ConfigText::deployment(simulator).with("timeout: 0.2");
            ConfigText::new().group(GROUP, &deployment)
        },
        |home| home,
    )
    .await;
    let key = stage.plain_key().await;
    for (index, body) in [(0, CALL), (1, STREAMED_CALL)] {
        let answer = key.client.post(CHAT, body).await;
        assert_eq!(answer.refusal(), (504, "upstream_timeout".to_owned()), "{}", answer.text());
        let left = stage.simulator.calls().await_cancelled(index);
        let left = tollgate_testkit::patience::eventually("the call to be cancelled", left).await;
        assert_eq!(left.end, End::Cancelled);
    }
}

#[tokio::test]
async fn another_deployment_of_the_group_serves_what_the_first_could_not() {
    let script = Script::default()
        .for_model("first", Behaviour::refusing(503))
        .for_model("second", Behaviour::default());
    let stage = Stage::with(
        Storage::Sqlite,
        script,
        |simulator| {
            use tollgate_testkit::config_text::{DeploymentText, INPUT_PRICE, OUTPUT_PRICE};
            let at = |model: &str, order: &str| {
                DeploymentText::at(&simulator.base_url(), model)
                    .priced(INPUT_PRICE, OUTPUT_PRICE)
                    .with(&format!("order: {order}"))
            };
            let config = ConfigText::new().group(GROUP, &at("first", "1"));
            let config = config.group(GROUP, &at("second", "2"));
            config.setting("router_settings", "num_retries: 2")
        },
        |home| home,
    )
    .await;
    let key = stage.plain_key().await;
    for body in [CALL, STREAMED_CALL] {
        let answer = key.client.post(CHAT, body).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    let (books, simulator) = stage.close().await;
    books.must_balance();
    assert_eq!(books.outcomes(), ["completed", "completed"], "one entry for all its attempts");
    assert_eq!(simulator.calls().count(), 4);
}
