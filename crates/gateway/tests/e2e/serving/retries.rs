//! A deployment is tried again, or rests while others serve.

use std::time::Duration;

use serde_json::{Value, json};
use tollgate_simulator::{Behaviour, Fault, Script, Simulator};
use tollgate_testkit::config_text::{ConfigText, DeploymentText};

use crate::stage::{CALL, CHAT, GROUP, STREAMED_CALL, Stage, Storage};

/// A stage whose one deployment meets these failures first, with this line of `router_settings`.
async fn after(failures: &[Behaviour], line: &'static str) -> Stage {
    let script = failures.iter().cloned().fold(Script::default(), Script::then);
    let config = move |simulator: &Simulator| {
        ConfigText::simulated(GROUP, simulator).setting("router_settings", line)
    };
    Stage::with(Storage::Sqlite, script, config, |home| home).await
}

fn rate_limited(wait: u64) -> Behaviour {
    Behaviour::failing(Fault::Status {
        status: 429,
        retry_after: Some(Duration::from_secs(wait)),
        body: None,
    })
}

#[tokio::test]
async fn what_may_pass_is_tried_again_and_the_answer_says_so() {
    for body in [CALL, STREAMED_CALL] {
        let stage = after(&[Behaviour::refusing(503)], "num_retries: 2").await;
        let answer = stage.plain_key().await.client.post(CHAT, body).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.header("x-litellm-attempted-retries"), "1");
        assert_eq!(answer.header("x-litellm-attempted-fallbacks"), "0");
        let (books, simulator) = stage.close().await;
        books.must_balance();
        assert_eq!((books.outcomes(), simulator.calls().count()), (vec!["completed"], 2));
    }
}

#[tokio::test]
async fn a_failure_that_would_repeat_itself_is_told_at_once() {
    for status in [400, 401] {
        let failing = Behaviour::refusing(status);
        let stage = after(&[failing.clone(), failing], "num_retries: 2").await;
        let answer = stage.plain_key().await.client.post(CHAT, CALL).await;
        assert_ne!(answer.status, 200, "{status}");
        assert_eq!(stage.simulator.calls().count(), 1, "{status}");
    }
}

#[tokio::test]
async fn a_call_may_ask_for_fewer_retries() {
    let stage = after(&[Behaviour::refusing(503)], "num_retries: 2").await;
    let mut body: Value = serde_json::from_str(CALL).expect("a call");
    body["num_retries"] = json!(0);
    let answer = stage.plain_key().await.client.post(CHAT, body.to_string()).await;
    assert_eq!(answer.refusal(), (503, "upstream_overloaded".to_owned()), "{}", answer.text());
}

#[tokio::test]
async fn a_deployment_that_asked_for_time_is_left_alone_while_another_serves() {
    let script = Script::default()
        .for_model("limited", rate_limited(60))
        .for_model("well", Behaviour::default());
    let config = |simulator: &Simulator| {
        let at = |model: &str, order: &str| {
            DeploymentText::at(&simulator.base_url(), model).with(&format!("order: {order}"))
        };
        let config = ConfigText::new().group(GROUP, &at("limited", "1"));
        config.group(GROUP, &at("well", "2"))
    };
    let stage = Stage::with(Storage::Sqlite, script, config, |home| home).await;
    let key = stage.plain_key().await;
    for calls in [2, 3, 4] {
        let answer = key.client.post(CHAT, CALL).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(stage.simulator.calls().count(), calls);
    }
}

#[tokio::test]
async fn where_all_rest_the_client_hears_why_and_for_how_long() {
    let stage = after(&[rate_limited(60)], "num_retries: 0").await;
    let key = stage.plain_key().await;
    assert_eq!(key.client.post(CHAT, CALL).await.status, 429);
    let answer = key.client.post(CHAT, CALL).await;
    let expected = (429, "all_deployments_rate_limited".to_owned());
    assert_eq!(answer.refusal(), expected, "{}", answer.text());
    let wait: u64 = answer.header("retry-after").parse().expect("seconds");
    assert!((1..=60).contains(&wait), "{wait}");
    assert_eq!(stage.simulator.calls().count(), 1);
}
