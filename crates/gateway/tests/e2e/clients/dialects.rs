//! Each SDK before every format that upstreams speak: an answer, a stream, tools over two turns
//! and a count. A program of the SDK makes all its calls in one process and prints what it saw.

use std::path::PathBuf;

use serde_json::{Value, json};
use tokio::process::Command;
use tollgate_testkit::patience::within;

use crate::clients::sdk::{PROGRAM_MAX, SETUP, clients, must_be_installed, root};
use crate::matrix::scene::{OUTPUT_MAX, SYSTEM, Scene};
use crate::matrix::upstream::{UPSTREAMS, Upstream};
use crate::matrix::world::{World, is_count, is_stream, results};

#[tokio::test]
async fn the_anthropic_sdk_speaks_to_every_upstream() {
    holds_for(python("anthropic_sdk.py"), &["anthropic"]).await;
}

#[tokio::test]
async fn the_google_sdk_speaks_to_every_upstream() {
    holds_for(python("google_sdk.py"), &["genai"]).await;
}

#[tokio::test]
async fn the_openai_sdk_speaks_responses_to_every_upstream() {
    holds_for(python("openai_sdk.py"), &["responses"]).await;
}

#[tokio::test]
async fn langchain_speaks_to_every_upstream() {
    holds_for(python("langchain_sdk.py"), &["chat", "messages"]).await;
}

#[tokio::test]
async fn the_vercel_sdk_speaks_to_every_upstream() {
    let script = clients().join("node/vercel_sdk.mjs");
    must_be_installed(&clients().join("node_modules/ai"), SETUP);
    let mut command = Command::new("node");
    command.arg(script);
    holds_for(command, &["responses", "chat", "messages"]).await;
}

fn python(script: &str) -> Command {
    let python: PathBuf = root().join(".venv/bin/python");
    must_be_installed(&python, SETUP);
    let mut command = Command::new(python);
    command.arg(clients().join("python").join(script));
    command
}

/// Runs a program, and checks what its clients saw and what arrived upstream.
async fn holds_for(command: Command, clients: &[&str]) {
    let world = World::new(scene).await;
    let seen = run(command, &world).await;
    for client in clients {
        for upstream in UPSTREAMS {
            let outcome = &seen[client][upstream.name()];
            let about = format!("{client} → {}: {outcome}", upstream.name());
            for way in ["create", "stream"] {
                assert_eq!(outcome[way], answered(upstream, Scene::Text), "{way}, {about}");
            }
            for way in ["tools", "tools_streamed"] {
                assert_eq!(outcome[way]["calls"], calls(), "{way}, {about}");
                assert_eq!(outcome[way]["text"], Scene::Results.said().concat(), "{way}, {about}");
            }
            let counted = outcome.get("count").is_none_or(|count| count.as_u64() > Some(0));
            assert!(counted, "{about}");
        }
    }
    must_have_arrived(&world);
    let (books, _) = world.stage.close().await;
    books.must_balance();
    let calls = UPSTREAMS.len() * clients.len() * CALLS_EACH;
    let outcomes = books.outcomes();
    let completed = outcomes.iter().filter(|outcome| **outcome == "completed").count();
    assert_eq!((completed, outcomes.len()), (calls, calls), "{outcomes:?}");
    assert!(books.lines.iter().all(|line| line.cost_nanos > Some(0)), "{books:?}");
}

/// Every request that an upstream got says the same, in its format, as the client said.
fn must_have_arrived(world: &World) {
    let mut failures = Vec::new();
    for (upstream, calls) in world.sent() {
        for call in calls.iter().filter(|call| !is_count(&call.path)) {
            let body = serde_json::from_slice(&call.body).expect("JSON");
            let (scene, stream) = (scene(upstream.name(), &body), is_stream(&call.path, &body));
            let arrived = upstream.arrived(call, &world.key.text, scene, stream);
            failures.extend(arrived.err().map(|why| format!("{}: {why}", upstream.name())));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// A request with results is answered in words, one with tools by calls of them.
fn scene(format: &str, body: &Value) -> Scene {
    let offered = ["tools", "toolConfig"].into_iter().any(|member| !body[member].is_null());
    match (results(format, body).is_empty(), offered) {
        (false, _) => Scene::Results,
        (true, true) => Scene::Tools,
        (true, false) => Scene::Text,
    }
}

async fn run(mut command: Command, world: &World) -> Value {
    let tools = Scene::Tools.tools().iter().map(|tool| {
        let (name, about, parameters) = (tool.name, tool.about, tool.schema());
        json!({
            "name": name, "description": about, "parameters": parameters, "result": tool.result(),
        })
    });
    let task = json!({
        "models": UPSTREAMS.map(|upstream| upstream.name()),
        "system": SYSTEM,
        "question": Scene::Text.question(),
        "tools_question": Scene::Tools.question(),
        "max_tokens": OUTPUT_MAX,
        "tools": tools.collect::<Value>(),
    });
    command
        .arg(task.to_string())
        .env("BASE_URL", world.stage.gateway.base_url())
        .env("API_KEY", &world.key.text)
        .env("LANGSMITH_TRACING", "false")
        .kill_on_drop(true);
    let ran = within(PROGRAM_MAX, "an SDK", command.output()).await;
    let output = ran.unwrap_or_else(|error| panic!("the SDK does not run: {error}"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "the SDK failed:\n{errors}\n{}", world.stage.gateway.output());
    serde_json::from_slice(&output.stdout).expect("the program prints JSON")
}

/// What a client says of an answer.
fn answered(upstream: &'static dyn Upstream, scene: Scene) -> Value {
    let usage = upstream.usage(scene);
    json!({"text": scene.said().concat(), "input": usage.input, "output": usage.output})
}

fn calls() -> Value {
    let calls = Scene::Tools.calls().iter().map(|tool| json!([tool.name, tool.arguments()]));
    calls.collect()
}

/// An answer, a stream, and two turns with tools both ways.
const CALLS_EACH: usize = 6;
