//! The gateway as a program: started with a configuration, asked over HTTP, ended by signal.

mod home;

use std::path::Path;
use std::process::ExitStatus;

use rustix::process::Signal;
use tokio::process::Command;

use crate::http::Client;
use crate::program::Program;

pub use home::Home;

/// The master key of a gateway that a test did not ask to make its own.
pub const MASTER_KEY: &str = "sk-test-master-key";

/// A running gateway.
#[derive(Debug)]
pub struct GatewayProcess {
    program: Program,
    base_url: String,
    master_key: Option<String>,
}

impl GatewayProcess {
    /// Starts `binary serve` in this home and waits until it says that it is ready.
    ///
    /// # Panics
    /// When it cannot be started or ends before it is ready; its output is shown.
    pub async fn start(binary: &Path, home: &Home) -> Self {
        let program = Program::start("the gateway", command(binary, home));
        let base_url = program
            .line("the address", |line| {
                let (_, url) = line.split_once(" is ready at ")?;
                line.starts_with("Tollgate ").then(|| url.trim().to_owned())
            })
            .await;
        Self { program, base_url, master_key: home.master_key().map(str::to_owned) }
    }

    /// Starts it for the first time in a home without a master key, and takes the one that it
    /// prints.
    ///
    /// # Panics
    /// As [`GatewayProcess::start`], and when it prints no key.
    pub async fn first_start(binary: &Path, home: &Home) -> Self {
        let mut gateway = Self::start(binary, home).await;
        let key = gateway.program.line("the master key", printed_master_key).await;
        gateway.master_key = Some(key);
        gateway
    }

    /// Starts `binary serve` where it must not start, and gives its exit status and output.
    ///
    /// # Panics
    /// When it does not end.
    pub async fn start_in_vain(binary: &Path, home: &Home) -> (Option<i32>, String) {
        let mut program = Program::start("the gateway", command(binary, home));
        let status = program.ended().await;
        (status.code(), program.output())
    }

    /// `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The master key.
    ///
    /// # Panics
    /// When the home has none and this was not the first start there.
    #[must_use]
    pub fn master_key(&self) -> &str {
        self.master_key.as_deref().expect("the master key is known")
    }

    /// A client that calls with the master key.
    ///
    /// # Panics
    /// As [`GatewayProcess::master_key`].
    #[must_use]
    pub fn master(&self) -> Client {
        self.client(self.master_key())
    }

    /// A client that calls with this key.
    #[must_use]
    pub fn client(&self, key: &str) -> Client {
        Client::new(&self.base_url).with_key(key)
    }

    /// A client that calls without a key.
    #[must_use]
    pub fn anonymous(&self) -> Client {
        Client::new(&self.base_url)
    }

    /// What it has written so far, log included.
    #[must_use]
    pub fn output(&self) -> String {
        self.program.output()
    }

    /// Waits until it has written a line that holds this text.
    ///
    /// # Panics
    /// When it does not.
    pub async fn says(&self, text: &str) {
        let what = format!("a line with `{text}`");
        self.program.line(&what, |line| line.contains(text).then_some(())).await;
    }

    /// How many lines it has written so far that hold this text.
    #[must_use]
    pub fn lines_with(&self, text: &str) -> usize {
        self.output().lines().filter(|line| line.contains(text)).count()
    }

    /// Asks it by SIGHUP to read its configuration again.
    pub fn hang_up(&self) {
        self.program.signal(Signal::HUP);
    }

    /// Asks it by SIGTERM to end, and goes on.
    pub fn ask_to_end(&self) {
        self.program.signal(Signal::TERM);
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// When it does not end in time.
    pub async fn ended(mut self) -> ExitStatus {
        self.program.ended().await
    }

    /// Asks it by SIGTERM to end, and waits for its end.
    pub async fn terminate(self) -> ExitStatus {
        self.ask_to_end();
        self.ended().await
    }

    /// Ends it by SIGKILL, which it cannot notice.
    pub async fn kill_hard(mut self) {
        self.program.kill().await;
    }
}

/// Nothing of the test's own environment reaches the gateway.
fn command(binary: &Path, home: &Home) -> Command {
    let mut command = Command::new(binary);
    command.env_clear().env("TOLLGATE_LOG", "info").envs(home.environment()).arg("serve");
    command.arg("--config").arg(home.config_file()).args(["--host", "127.0.0.1", "--port", "0"]);
    command.arg("--data-dir").arg(home.data_dir()).args(home.arguments());
    command
}

fn printed_master_key(line: &str) -> Option<String> {
    let key = line.trim_start().strip_prefix("master key")?.trim();
    key.starts_with("sk-").then(|| key.to_owned())
}
