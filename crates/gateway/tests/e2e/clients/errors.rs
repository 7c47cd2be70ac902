//! Every refusal arrives as the exception that a program written for the vendor expects.

use std::net::TcpListener;

use serde_json::{Value, json};
use tollgate_simulator::{Behaviour, Script};
use tollgate_testkit::config_text::{ConfigText, DeploymentText, INPUT_PRICE, OUTPUT_PRICE};

use crate::clients::sdk::{Sdk, chat};
use crate::stage::{GROUP, Stage, Storage};

#[tokio::test]
async fn the_python_sdk_raises_its_own_exceptions() {
    exceptions(Sdk::Python).await;
}

#[tokio::test]
async fn the_node_sdk_throws_its_own_errors() {
    exceptions(Sdk::Node).await;
}

/// A task that calls this model.
fn of_model(model: &str, more: Value) -> Value {
    let mut task = chat("hi", more);
    task["create"]["model"] = json!(model);
    task
}

async fn exceptions(sdk: Sdk) {
    let script = Script::default()
        .for_model("limited", Behaviour::refusing(429))
        .for_model("failing", Behaviour::refusing(500))
        .for_model("overloaded", Behaviour::refusing(503));
    let stage = Stage::with(
        Storage::Sqlite,
        script,
        |simulator| {
            let groups = [GROUP, "limited", "failing", "overloaded", "secret"];
            groups.into_iter().fold(ConfigText::new(), |config, group| {
                let deployment = DeploymentText::at(&simulator.base_url(), group);
                config.group(group, &deployment.priced(INPUT_PRICE, OUTPUT_PRICE))
            })
        },
        |home| home,
    )
    .await;
    let key = stage.key(json!({"models": [GROUP, "limited", "failing", "overloaded"]})).await;
    let poor = stage.key(json!({"max_budget": 0.000_000_001})).await;
    let stream = || json!({"stream": true});
    let with = |name: &str, value: &str| {
        let mut task = chat("hi", json!({}));
        task[name] = json!(value);
        task
    };
    let cases = [
        (with("api_key", "sk-nobody-made-this"), "AuthenticationError", 401, "key_unknown"),
        (of_model("secret", json!({})), "PermissionDeniedError", 403, "model_not_granted"),
        (of_model("no-such-model", json!({})), "NotFoundError", 404, "model_unknown"),
        (
            chat("hi", json!({"temperature": 1, "messages": "hi"})),
            "BadRequestError",
            400,
            "field_wrong_type",
        ),
        (with("api_key", &poor.text), "RateLimitError", 429, "budget_exceeded"),
        (of_model("limited", json!({})), "RateLimitError", 429, "upstream_rate_limited"),
        (of_model("limited", stream()), "RateLimitError", 429, "upstream_rate_limited"),
        (of_model("failing", json!({})), "InternalServerError", 500, "upstream_error"),
        (of_model("failing", stream()), "InternalServerError", 500, "upstream_error"),
        (of_model("overloaded", json!({})), "InternalServerError", 503, "upstream_overloaded"),
    ];
    let tasks: Vec<Value> = cases.iter().map(|case| case.0.clone()).collect();
    let outcomes = sdk.run(&stage, &key, &tasks).await;
    for ((task, error, status, reason), outcome) in cases.iter().zip(&outcomes) {
        let seen = (&outcome["error"], &outcome["status"], &outcome["reason"]);
        assert_eq!(seen, (&json!(error), &json!(status), &json!(reason)), "{task}\n{outcome}");
    }
    assert_eq!(outcomes[2]["code"], "model_not_found");
}

#[tokio::test]
async fn a_gateway_that_is_gone_is_a_connection_error() {
    let stage = Stage::new().await;
    let key = stage.plain_key().await;
    // A port that was free a moment ago: nobody listens there.
    let closed = TcpListener::bind(("127.0.0.1", 0)).and_then(|socket| socket.local_addr());
    let address = closed.expect("a port is free");
    let mut task = chat("hi", json!({}));
    task["base_url"] = json!(format!("http://{address}/v1"));
    for sdk in [Sdk::Python, Sdk::Node] {
        let outcomes = sdk.run(&stage, &key, &[task.clone()]).await;
        assert_eq!(outcomes[0]["error"], "APIConnectionError", "{sdk:?}: {outcomes:?}");
    }
}
