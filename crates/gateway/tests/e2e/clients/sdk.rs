//! The SDKs of others, run as programs of their own.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tokio::process::Command;
use tollgate_testkit::patience::within;

use crate::stage::{GROUP, Key, Stage};

/// How long a program may take over all its tasks; an interpreter starts slowly on a busy machine.
pub(super) const PROGRAM_MAX: std::time::Duration = std::time::Duration::from_secs(90);

/// What installs the SDKs.
pub(super) const SETUP: &str = "tools/setup-clients";

/// An SDK.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sdk {
    Python,
    Node,
    /// Anthropic's, of Python.
    Messages,
}

impl Sdk {
    /// Runs tasks through the gateway with this key, and gives their outcomes.
    pub(super) async fn run(self, stage: &Stage, key: &Key, tasks: &[Value]) -> Vec<Value> {
        let mut command = self.command();
        command
            .arg(Value::from(tasks).to_string())
            .env("BASE_URL", format!("{}/v1", stage.gateway.base_url()))
            .env("API_KEY", &key.text)
            .kill_on_drop(true);
        let ran = within(PROGRAM_MAX, &format!("the {self:?} SDK"), command.output()).await;
        let output = ran.unwrap_or_else(|error| panic!("the {self:?} SDK does not run: {error}"));
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "the {self:?} SDK failed:\n{errors}");
        let outcomes: Vec<Value> = serde_json::from_slice(&output.stdout).expect("a JSON list");
        assert_eq!(outcomes.len(), tasks.len());
        outcomes
    }

    fn command(self) -> Command {
        let clients = clients();
        let (program, installed, script) = match self {
            Self::Python | Self::Messages => {
                let python = root().join(".venv/bin/python");
                let openai = self == Self::Python;
                let script = if openai { "python/calls.py" } else { "python/messages.py" };
                (python.clone(), python, script)
            }
            Self::Node => {
                let package = clients.join("node_modules/openai");
                (PathBuf::from("node"), package, "node/calls.mjs")
            }
        };
        must_be_installed(&installed, SETUP);
        let mut command = Command::new(program);
        command.arg(clients.join(script));
        command
    }
}

/// Runs a program of the Python packages on a task, and gives what it prints.
pub(crate) async fn python(script: &str, task: &Value) -> Value {
    let python = root().join(".venv/bin/python");
    must_be_installed(&python, SETUP);
    let mut command = Command::new(python);
    command.arg(clients().join("python").join(script)).arg(task.to_string()).kill_on_drop(true);
    let ran = within(PROGRAM_MAX, script, command.output()).await;
    let output = ran.unwrap_or_else(|error| panic!("{script} does not run: {error}"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script} failed:\n{errors}");
    serde_json::from_slice(&output.stdout).expect("the program prints JSON")
}

/// Fails with what to do when something that a tool installs is missing.
pub(crate) fn must_be_installed(path: &Path, tool: &str) {
    assert!(path.exists(), "{} is missing: run {tool}", path.display());
}

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The folder of the programs and packages of others.
pub(super) fn clients() -> PathBuf {
    root().join("tests/clients")
}

/// A task: a chat call with these messages' text and these further fields.
pub(super) fn chat(text: &str, more: Value) -> Value {
    let mut body = json!({"model": GROUP, "messages": [{"role": "user", "content": text}]});
    if let (Some(body), Value::Object(more)) = (body.as_object_mut(), more) {
        body.extend(more);
    }
    json!({"create": body})
}

/// The tools that a task offers.
pub(super) fn tools() -> Value {
    let parameters = json!({"type": "object", "properties": {"city": {"type": "string"}}});
    let function =
        json!({"name": "get_weather", "description": "weather", "parameters": parameters});
    json!([{"type": "function", "function": function}])
}
