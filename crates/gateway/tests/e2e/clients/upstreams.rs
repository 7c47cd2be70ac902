//! Mock providers that others wrote, as upstreams: what they take for an OpenAI client is the
//! gateway.

use serde_json::{Value, json};
use tokio::process::Command;
use tollgate_simulator::Script;
use tollgate_testkit::config_text::{ConfigText, DeploymentText, INPUT_PRICE, OUTPUT_PRICE};
use tollgate_testkit::program::Program;

use crate::clients::sdk::{SETUP, Sdk, chat, clients, must_be_installed, root, tools};
use crate::stage::{GROUP, Stage, Storage};

/// aimock, from npm, answering from our fixtures.
fn aimock() -> Command {
    let cli = clients().join("node_modules/@copilotkit/aimock/dist/cli.js");
    must_be_installed(&cli, SETUP);
    let mut command = Command::new("node");
    command.arg(cli).args(["-p", "0", "-f"]).arg(clients().join("aimock/fixtures.json"));
    command
}

/// llmock, from PyPI, with these further options.
fn llmock(options: &[&str]) -> Command {
    let program = root().join(".venv/bin/llmock");
    must_be_installed(&program, SETUP);
    let mut command = Command::new(program);
    command.args(["serve", "--host", "127.0.0.1", "--port", "0"]).args(options);
    command
}

/// Starts a mock provider, and a gateway before it.
async fn before(name: &str, command: Command) -> (Program, Stage) {
    let program = Program::start(name, command);
    let address = program.line("its address", listening).await;
    let stage = Stage::with(
        Storage::Sqlite,
        Script::default(),
        |_| {
            let deployment = DeploymentText::at(&format!("{address}/v1"), "gpt-4o");
            ConfigText::new().group(GROUP, &deployment.priced(INPUT_PRICE, OUTPUT_PRICE))
        },
        |home| home,
    )
    .await;
    (program, stage)
}

/// The address in a line that says where a server listens, on a port that is already known.
fn listening(line: &str) -> Option<String> {
    let url = line.get(line.find("http://127.0.0.1:")?..)?;
    let end = url.find(|c: char| !c.is_ascii_alphanumeric() && !":/.".contains(c));
    let url = url.get(..end.unwrap_or(url.len()))?;
    let port: u16 = url.rsplit(':').next()?.parse().ok()?;
    (port != 0).then(|| url.to_owned())
}

/// What outcomes with a usage should have cost, in nano-dollars.
fn cost(outcomes: &[Value]) -> i64 {
    let tokens = |outcome: &Value, kind: &str| outcome["usage"][kind].as_i64().unwrap_or_default();
    let each = |outcome: &Value| {
        tokens(outcome, "prompt_tokens") * 1_000 + tokens(outcome, "completion_tokens") * 2_000
    };
    outcomes.iter().map(each).sum()
}

#[tokio::test]
async fn aimock_answers_both_sdks_through_the_gateway() {
    let (_aimock, stage) = before("aimock", aimock()).await;
    let key = stage.plain_key().await;
    let usage = json!({"stream": true, "stream_options": {"include_usage": true}});
    let tasks = [
        chat("greet", json!({})),
        chat("greet", usage.clone()),
        chat("weather", json!({"tools": tools()})),
        chat(
            "weather",
            json!({"tools": tools(), "stream": true,
            "stream_options": {"include_usage": true}}),
        ),
    ];
    let mut all = Vec::new();
    for sdk in [Sdk::Python, Sdk::Node] {
        let outcomes = sdk.run(&stage, &key, &tasks).await;
        for outcome in &outcomes[..2] {
            assert_eq!(outcome["text"], "Good day from another upstream.", "{sdk:?}: {outcome}");
            assert_eq!(outcome["model"], GROUP, "{sdk:?}: {outcome}");
        }
        let call = json!([{"name": "get_weather", "arguments": "{\"city\":\"Paris\"}"}]);
        for outcome in &outcomes[2..] {
            assert_eq!(outcome["tools"], call, "{sdk:?}: {outcome}");
        }
        all.extend(outcomes);
    }
    assert!(cost(&all) > 0, "usage was reported");
    stage.await_spend(&key, cost(&all)).await;
    let (books, _) = stage.close().await;
    books.must_balance();
    assert_eq!(books.outcomes(), ["completed"; 8]);
}

#[tokio::test]
async fn llmock_answers_both_sdks_through_the_gateway() {
    let (_llmock, stage) = before("llmock", llmock(&["--response-style", "hello"])).await;
    let key = stage.plain_key().await;
    let usage = json!({"stream": true, "stream_options": {"include_usage": true}});
    let tasks = [chat("hi there", json!({})), chat("hi there", usage)];
    let mut all = Vec::new();
    for sdk in [Sdk::Python, Sdk::Node] {
        let outcomes = sdk.run(&stage, &key, &tasks).await;
        for outcome in &outcomes {
            assert!(outcome["text"].as_str().is_some_and(|text| !text.is_empty()), "{outcome}");
            assert_eq!((&outcome["finish"], &outcome["model"]), (&json!("stop"), &json!(GROUP)));
        }
        all.extend(outcomes);
    }
    assert!(cost(&all) > 0, "usage was reported");
    stage.await_spend(&key, cost(&all)).await;
}

#[tokio::test]
async fn llmocks_faults_arrive_as_errors_and_never_as_answers() {
    for (options, error, status) in [
        (["--error-rate", "429=1.0"], "RateLimitError", 429),
        (["--error-rate", "503=1.0"], "InternalServerError", 503),
    ] {
        let (_llmock, stage) = before("llmock", llmock(&options)).await;
        let key = stage.plain_key().await;
        let tasks = [chat("hi", json!({})), chat("hi", json!({"stream": true}))];
        for outcome in Sdk::Python.run(&stage, &key, &tasks).await {
            assert_eq!((&outcome["error"], &outcome["status"]), (&json!(error), &json!(status)));
        }
        assert_eq!(stage.spend(&key).await, 0);
    }

    let (_llmock, stage) = before("llmock", llmock(&["--stream-fault", "truncate=1.0"])).await;
    let key = stage.plain_key().await;
    let task = chat("write a long text", json!({"stream": true}));
    let outcomes = Sdk::Python.run(&stage, &key, &[task]).await;
    assert!(outcomes[0]["error"].is_string(), "a truncated stream passed for whole: {outcomes:?}");
}
