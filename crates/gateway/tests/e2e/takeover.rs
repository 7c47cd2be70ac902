//! Taking over from a LiteLLM proxy: a database of its own schema, filled, imported and served.

mod config;
mod filled;
mod guide;
mod killed;
mod models;
mod proxy;
mod rows;
mod sealed;
mod story;

use std::path::Path;
use std::process::{Output, Stdio};

use serde_json::Value;
use tokio::process::{Child, Command};
use tollgate_testkit::clock_file::ClockFile;
use tollgate_testkit::gateway::Home;
use tollgate_testkit::patience::eventually;

use crate::stage::binary;

/// What LiteLLM's secrets are encrypted with.
const SALT_KEY: &str = "sk-salt";

/// `tollgate import litellm` with a configuration, from a database, at an instant.
struct Import<'a> {
    home: &'a Home,
    clock: &'a ClockFile,
    source: &'a str,
    salt_key: &'a str,
}

impl Import<'_> {
    fn command(&self, more: &[&str]) -> Command {
        let mut command = Command::new(binary());
        command.env_clear().env("LITELLM_SALT_KEY", self.salt_key).args(["import", "litellm"]);
        command.arg("--config").arg(self.home.config_file());
        command.arg("--data-dir").arg(self.home.data_dir());
        command.arg("--clock-file").arg(self.clock.path());
        command.args(["--database-url", self.source]).args(more).kill_on_drop(true);
        command
    }

    /// Its exit status and output.
    async fn run(&self, more: &[&str]) -> (Option<i32>, String) {
        output(self.command(more)).await
    }

    /// Its report as JSON.
    async fn report(&self, more: &[&str]) -> Value {
        let (status, text) = self.run(&[more, &["--json"]].concat()).await;
        assert_eq!(status, Some(0), "{text}");
        serde_json::from_str(&text).expect("the report is JSON")
    }

    fn start(&self, more: &[&str]) -> Child {
        let mut command = self.command(more);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().expect("the program runs")
    }
}

async fn output(mut command: Command) -> (Option<i32>, String) {
    let ran = eventually("the command's end", command.output()).await;
    let Output { status, stdout, stderr } = ran.expect("the program runs");
    let text = String::from_utf8_lossy(&stdout) + String::from_utf8_lossy(&stderr);
    (status.code(), text.into_owned())
}

/// `tollgate check` of a file.
async fn check(file: &Path, more: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(binary());
    command.env_clear().arg("check").args(more).arg(file);
    output(command).await
}
