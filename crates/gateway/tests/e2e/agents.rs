//! Coding agents of others, before every format that upstreams speak: a session in which the model
//! calls a tool, reads what it gave, calls it again and then answers.
//!
//! `tools/test-clients` installs the agents and runs these stories; `tools/test` leaves them out.

use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::process::Command;
use tollgate_testkit::config_text::ConfigText;
use tollgate_testkit::patience::within;

use crate::clients::{must_be_installed, root};
use crate::matrix::scene::{Scene, Tool, Turn};
use crate::matrix::upstream::UPSTREAMS;
use crate::matrix::world::{World, results};

#[tokio::test]
async fn claude_code_finishes_a_session_on_every_upstream() {
    hold_sessions(&CLAUDE_CODE, claude_code).await;
}

#[tokio::test]
async fn codex_finishes_a_session_on_every_upstream() {
    hold_sessions(&CODEX, codex).await;
}

#[tokio::test]
async fn gemini_cli_finishes_a_session_on_every_upstream() {
    hold_sessions(&GEMINI_CLI, gemini_cli).await;
}

/// One session with each upstream, in a home and a folder of its own.
async fn hold_sessions(
    turns: &'static [Turn; 3],
    command: impl Fn(&World, &str, &Path) -> Command,
) {
    // One of them sends `topK` with every call, which most upstreams do not take.
    let settings = |config: ConfigText| config.setting("litellm_settings", "drop_params: true");
    let turn = |format: &str, body: &Value| Scene::Turn(&turns[results(format, body).len().min(2)]);
    let world = World::configured(turn, settings).await;
    for upstream in UPSTREAMS {
        let home = tempfile::tempdir().expect("a folder");
        std::fs::write(home.path().join("first"), FIRST_TEXT).expect("a file");
        std::fs::write(home.path().join("second"), SECOND_TEXT).expect("a file");
        let mut command = command(&world, upstream.name(), home.path());
        let output = within(SESSION_MAX, upstream.name(), command.output()).await;
        must_have_answered(upstream.name(), &output.expect("the agent runs"), &world);
    }
    must_have_seen(&world);
    let (books, _) = world.stage.close().await;
    books.must_balance();
    assert_eq!(books.outcomes(), ["completed"; UPSTREAMS.len() * 3]);
    assert!(books.lines.iter().all(|line| line.cost_nanos > Some(0)), "{books:?}");
}

fn must_have_answered(upstream: &str, output: &Output, world: &World) {
    let (said, errors) = (text(&output.stdout), text(&output.stderr));
    let about = || format!("{upstream}: {said}\n{errors}\n{}", world.stage.gateway.output());
    assert!(output.status.success(), "{}", about());
    assert!(said.contains(ANSWER), "{}", about());
}

/// Each upstream was called three times, and the second and the third time read what the tool gave.
fn must_have_seen(world: &World) {
    for (upstream, calls) in world.sent() {
        let bodies = calls.iter().map(|call| serde_json::from_slice(&call.body).expect("JSON"));
        let bodies: Vec<Value> = bodies.collect();
        let told = bodies.iter().map(|body| {
            let results = results(upstream.name(), body).into_iter();
            results.map(Value::to_string).collect::<Vec<_>>()
        });
        let told: Vec<Vec<String>> = told.collect();
        assert_eq!(told.iter().map(Vec::len).collect::<Vec<_>>(), [0, 1, 2], "{told:?}");
        for results in &told {
            for (result, text) in results.iter().zip([FIRST_TEXT, SECOND_TEXT]) {
                assert!(result.contains(text), "{}: {told:?}", upstream.name());
            }
        }
    }
}

/// A program in a fresh home, with no other variable than those that are given.
#[expect(clippy::disallowed_methods, reason = "programs of others find their own by PATH")]
fn agent(name: &str, program: &str, home: &Path) -> Command {
    let program: PathBuf = root().join(".cache/agents").join(name).join(program);
    must_be_installed(&program, "tools/setup-agents");
    let mut command = Command::new(program);
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", home)
        .env("TERM", "dumb")
        .current_dir(home)
        .stdin(std::process::Stdio::null())
        .kill_on_drop(true);
    command
}

fn claude_code(world: &World, model: &str, home: &Path) -> Command {
    let mut command =
        agent("claude-code", "node_modules/@anthropic-ai/claude-code-linux-x64/claude", home);
    command
        .args(["-p", QUESTION, "--model", model, "--allowedTools", "Bash"])
        .env("ANTHROPIC_BASE_URL", world.stage.gateway.base_url())
        .env("ANTHROPIC_API_KEY", &world.key.text)
        .envs(
            [
                "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC",
                "DISABLE_TELEMETRY",
                "DISABLE_ERROR_REPORTING",
                "DISABLE_AUTOUPDATER",
                "DISABLE_BUG_COMMAND",
            ]
            .map(|name| (name, "1")),
        );
    command
}

fn codex(world: &World, model: &str, home: &Path) -> Command {
    let config = format!(
        "model = \"{model}\"\nmodel_provider = \"gw\"\ncheck_for_update_on_startup = false\n\
         [analytics]\nenabled = false\n\
         [model_providers.gw]\nname = \"gw\"\nbase_url = \"{}/v1\"\nenv_key = \"GW_KEY\"\n\
         wire_api = \"responses\"\n",
        world.stage.gateway.base_url()
    );
    std::fs::create_dir(home.join(".codex")).expect("a folder");
    std::fs::write(home.join(".codex/config.toml"), config).expect("a file");
    let mut command = agent("codex", "node_modules/.bin/codex", home);
    command
        .args(["exec", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox"])
        .arg(QUESTION)
        .env("GW_KEY", &world.key.text);
    command
}

fn gemini_cli(world: &World, model: &str, home: &Path) -> Command {
    let settings = json!({
        "security": {"auth": {"selectedType": "gemini-api-key"}},
        "privacy": {"usageStatisticsEnabled": false},
        "general": {"enableAutoUpdate": false},
    });
    std::fs::create_dir(home.join(".gemini")).expect("a folder");
    std::fs::write(home.join(".gemini/settings.json"), settings.to_string()).expect("a file");
    let mut command = agent("gemini-cli", "node_modules/.bin/gemini", home);
    command
        .args(["--skip-trust", "--approval-mode", "yolo", "-m", model, "-p", QUESTION])
        .env("GOOGLE_GEMINI_BASE_URL", world.stage.gateway.base_url())
        .env("GEMINI_API_KEY", &world.key.text);
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

const fn turn(calls: &'static [Tool]) -> Turn {
    Turn { said: &[], calls }
}

/// What the model does, by the number of results that it has seen.
static CLAUDE_CODE: [Turn; 3] = [
    turn(&[Tool::call("Bash", "call_first", "command", "cat first")]),
    turn(&[Tool::call("Bash", "call_second", "command", "cat second")]),
    Turn { said: &["The files say ", "orchid and walnut."], calls: &[] },
];
static CODEX: [Turn; 3] = [
    turn(&[Tool::call("exec_command", "call_first", "cmd", "cat first")]),
    turn(&[Tool::call("exec_command", "call_second", "cmd", "cat second")]),
    Turn { said: &["The files say ", "orchid and walnut."], calls: &[] },
];
static GEMINI_CLI: [Turn; 3] = [
    turn(&[Tool::call("run_shell_command", "call_first", "command", "cat first")]),
    turn(&[Tool::call("run_shell_command", "call_second", "command", "cat second")]),
    Turn { said: &["The files say ", "orchid and walnut."], calls: &[] },
];
const QUESTION: &str = "What do the two files say?";
const ANSWER: &str = "The files say orchid and walnut.";
const FIRST_TEXT: &str = "orchid-5127";
const SECOND_TEXT: &str = "walnut-8840";
/// How long a session may take; a busy machine starts an agent slowly.
const SESSION_MAX: Duration = Duration::from_secs(120);
