//! Amazon's own SDK before the upstream that the other tests take for Bedrock: what boto3 reads
//! there is what Bedrock would say. Its errors are then read by the gateway as well.

use http::StatusCode;
use serde_json::{Value, json};
use tollgate_simulator::{Replay, Script, Simulator};
use tollgate_testkit::config_text::{ConfigText, DeploymentText};

use crate::clients::python;
use crate::matrix::scene::{FAILURE, Scene, Tool};
use crate::matrix::upstream::speaking;
use crate::matrix::world::told;
use crate::stage::{GROUP, Stage, Storage, simulator};

const MODEL: &str = "us.anthropic.claude-opus-4-6-v1:0";

#[tokio::test]
async fn boto3_reads_every_answer_and_stream_of_the_scripted_upstream() {
    let upstream = speaking("bedrock_converse");
    let answer = move |path: &str, body: &[u8]| {
        let body = serde_json::from_slice(body).expect("boto3 sends JSON");
        let scene = Scene::ALL[asked(&body)];
        told(upstream, scene, (path, &body))
    };
    let bedrock = simulator(Script::default().answering(answer)).await;
    let calls: Vec<Value> =
        (0..2 * Scene::ALL.len()).map(|index| call(index / 2, index % 2 == 1)).collect();
    let seen = read(&bedrock, &calls).await;
    for (index, seen) in seen.iter().enumerate() {
        let scene = Scene::ALL[index / 2];
        let call = |tool: &Tool| json!([tool.id, tool.name, tool.arguments()]);
        let reasoning = scene.usage().reasoning;
        let extra = json!({"usage": {"output_tokens_details": {"thinking_tokens": reasoning}}});
        let usage = scene.usage();
        let wanted = json!({
            "text": scene.said().concat(),
            "thought": scene.thought().concat(),
            "signature": if scene.thought().is_empty() { "" } else { "c2lnbmVk" },
            "calls": scene.calls().iter().map(call).collect::<Value>(),
            "stop": if scene.calls().is_empty() { "end_turn" } else { "tool_use" },
            "extra": if reasoning > 0 { extra } else { Value::Null },
            "usage": {
                "inputTokens": usage.input - usage.cached, "outputTokens": usage.output,
                "totalTokens": usage.input + usage.output,
                "cacheReadInputTokens": usage.cached, "cacheWriteInputTokens": 0,
            },
        });
        assert_eq!(*seen, wanted, "{}, {}", scene.name(), bedrock.calls().kept()[index].path);
    }
    // boto3 writes the path as the gateway does.
    for (index, call) in bedrock.calls().kept().iter().enumerate() {
        assert_eq!(call.path, upstream.path(index % 2 == 1));
    }
}

#[tokio::test]
async fn boto3_raises_what_breaks_a_stream() {
    let upstream = speaking("bedrock_converse");
    let stream = upstream.stream(Scene::Text);
    let (before, _) = stream.records.split_at(stream.visible);
    let replay = upstream.records(before, Some(upstream.failure(FAILURE)));
    let bedrock = simulator(Script::default().replaying(replay)).await;
    let seen = read(&bedrock, &[call(0, true)]).await;
    let raised = (&seen[0]["raised"], &seen[0]["code"], &seen[0]["message"]);
    let wanted = ("EventStreamError", "internalServerException", FAILURE);
    assert_eq!(raised, (&json!(wanted.0), &json!(wanted.1), &json!(wanted.2)), "{seen:?}");
}

/// An error answer: the status, the exception and its words; then the status and the reason that
/// the gateway gives.
type Refused = (u16, &'static str, &'static str, (u16, &'static str));

/// The exception stands in the head alone, with what the service puts behind it (bedrock.md §8).
const REFUSALS: [Refused; 10] = [
    (
        400,
        "ValidationException:http://internal.amazon.com/coral/com.amazon.bedrock/",
        "Input is too long for requested model.",
        (400, "context_window_exceeded"),
    ),
    (
        400,
        "ValidationException",
        "The provided model identifier is invalid.",
        (404, "model_unknown"),
    ),
    (
        400,
        "ValidationException",
        "The toolConfig field must be defined when using toolUse.",
        (400, "upstream_rejected_request"),
    ),
    (
        400,
        "UnrecognizedClientException",
        "The security token included in the request is invalid.",
        (502, "upstream_credentials_rejected"),
    ),
    (
        403,
        "ExpiredTokenException",
        "The security token included in the request is expired",
        (502, "upstream_credentials_rejected"),
    ),
    (
        400,
        "ServiceQuotaExceededException",
        "Your request exceeds the service quota for your account.",
        (429, "upstream_quota_exhausted"),
    ),
    (404, "ResourceNotFoundException", "Could not resolve the model.", (404, "model_unknown")),
    (
        429,
        "ThrottlingException",
        "Too many tokens, please wait before trying again.",
        (429, "upstream_rate_limited"),
    ),
    (500, "InternalServerException", "Try again.", (500, "upstream_error")),
    (503, "ServiceUnavailableException", "Try again.", (503, "upstream_overloaded")),
];

#[tokio::test]
async fn boto3_and_the_gateway_name_the_same_errors() {
    let answer =
        |_: &str, body: &[u8]| refused(asked(&serde_json::from_slice(body).expect("JSON")));
    let script = Script::default().answering(answer);
    let config = |bedrock: &Simulator| {
        let base = format!("http://{}", bedrock.addr());
        let model = format!("bedrock/converse/{MODEL}");
        let group = ConfigText::new().group(GROUP, &DeploymentText::of(&base, &model));
        group.setting("router_settings", "num_retries: 0")
    };
    let stage = Stage::with(Storage::Sqlite, script, config, |home| home).await;
    let calls: Vec<Value> = (0..REFUSALS.len()).map(|index| call(index, index % 2 == 1)).collect();
    let seen = read(&stage.simulator, &calls).await;
    for (index, (seen, refusal)) in seen.iter().zip(REFUSALS).enumerate() {
        let (status, exception, words, named) = refusal;
        let code = exception.split(':').next();
        let wanted = (&json!(code), &json!(words), &json!(status));
        assert_eq!((&seen["code"], &seen["message"], &seen["status"]), wanted, "{seen}");
        // A key of its own for each call: a refusal must not be one of an earlier failure.
        let key = stage.plain_key().await;
        let messages = json!([{"role": "user", "content": index.to_string()}]);
        let body = json!({"model": GROUP, "messages": messages}).to_string();
        let answer = key.client.post("/v1/chat/completions", body).await;
        assert_eq!(answer.refusal(), (named.0, named.1.to_owned()), "{refusal:?}");
    }
}

fn refused(index: usize) -> Replay {
    let (status, exception, words, _) = REFUSALS[index];
    let body = json!({ "message": words }).to_string();
    Replay::new("application/json", [body.into()])
        .with_status(StatusCode::from_u16(status).expect("a status"))
        .with_header("x-amzn-errortype", exception)
        .with_header("x-amzn-requestid", "5a9f0e4c-0000-4000-8000-000000000001")
}

/// A call whose question is a number.
fn call(number: usize, stream: bool) -> Value {
    let content = json!([{"text": number.to_string()}]);
    json!({
        "modelId": MODEL, "stream": stream, "messages": [{"role": "user", "content": content}],
    })
}

/// The number that is asked.
fn asked(body: &Value) -> usize {
    let text = body["messages"][0]["content"][0]["text"].as_str();
    text.and_then(|text| text.parse().ok()).expect("a number is asked")
}

async fn read(bedrock: &Simulator, calls: &[Value]) -> Vec<Value> {
    let endpoint = format!("http://{}", bedrock.addr());
    let seen = python("bedrock_sdk.py", &json!({"endpoint": endpoint, "calls": calls})).await;
    let seen = seen.as_array().expect("a list").clone();
    assert_eq!(seen.len(), calls.len());
    seen
}
