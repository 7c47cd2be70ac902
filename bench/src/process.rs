//! A process that was started to be measured or to help, and that ends with this program.

use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow, bail};
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, ChildStdout, Command};

use crate::clock;
use crate::cores::TASKSET;

/// A running process. Dropped, it is killed.
pub(crate) struct Process {
    name: &'static str,
    child: Child,
    pid: u32,
    spawned_at: Instant,
    log: PathBuf,
    /// Kept open, so that the process never finds its output closed.
    stdout: BufReader<ChildStdout>,
}

/// A command on this core, or on any.
pub(crate) fn command(core: Option<u32>, program: &Path) -> Command {
    let Some(core) = core else { return Command::new(program) };
    // `taskset` becomes the program: the process stays the same.
    let mut command = Command::new(TASKSET);
    command.arg("--cpu-list").arg(core.to_string()).arg(program);
    command
}

impl Process {
    /// Starts a command; its standard error goes to the file `log`.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(crate) fn spawn(
        name: &'static str,
        mut command: Command,
        log: &Path,
    ) -> anyhow::Result<Self> {
        let stderr = File::create(log).with_context(|| format!("cannot make {}", log.display()))?;
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(stderr).kill_on_drop(true);
        let spawned_at = clock::now();
        let mut child = command.spawn().with_context(|| format!("cannot start {name}"))?;
        let stdout = child.stdout.take().with_context(|| format!("{name} has no output"))?;
        let pid = child.id().with_context(|| format!("{name} ended at once"))?;
        let stdout = BufReader::new(stdout);
        Ok(Self { name, child, pid, spawned_at, log: log.to_owned(), stdout })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    /// Waits for the line that says where the process listens. Returns that, and the time since it
    /// was started.
    ///
    /// # Errors
    /// When it ends instead, or says nothing in time. The error has the end of its log.
    pub(crate) async fn ready(&mut self) -> anyhow::Result<(SocketAddr, Duration)> {
        let announced = tokio::time::timeout(READY_WAIT_MAX, self.announced()).await;
        let outcome =
            announced.unwrap_or_else(|_| Err(anyhow!("not ready after {READY_WAIT_MAX:?}")));
        outcome.with_context(|| self.problem("did not start"))
    }

    async fn announced(&mut self) -> anyhow::Result<(SocketAddr, Duration)> {
        let mut line = String::new();
        while self.stdout.read_line(&mut line).await.context("cannot read its output")? > 0 {
            let ready_after = self.spawned_at.elapsed();
            if let Some(address) = listening_at(&line) {
                return Ok((address, ready_after));
            }
            line.clear();
        }
        bail!("it ended, or closed its output, without saying that it is ready")
    }

    /// Asks the process to end and waits until it has.
    ///
    /// # Errors
    /// When it does not end in time, or ends badly.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        let pid = i32::try_from(self.pid).ok().and_then(Pid::from_raw).context("no process id")?;
        kill_process(pid, Signal::TERM).with_context(|| self.problem("cannot be asked to end"))?;
        let Ok(ended) = tokio::time::timeout(END_WAIT_MAX, self.child.wait()).await else {
            bail!(self.problem(&format!("did not end within {END_WAIT_MAX:?}")));
        };
        let status = ended.with_context(|| self.problem("cannot be waited for"))?;
        if !status.success() {
            bail!(self.problem(&format!("ended with {status}")));
        }
        Ok(())
    }

    /// Fails when the process has ended by itself.
    pub(crate) fn must_live(&mut self) -> anyhow::Result<()> {
        match self.child.try_wait().context("cannot look at a process")? {
            Some(status) => bail!(self.problem(&format!("ended by itself with {status}"))),
            None => Ok(()),
        }
    }

    fn problem(&self, what: &str) -> String {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().rev().take(LOG_LINES_SHOWN).collect();
        let last: String = lines.iter().rev().map(|line| format!("\n    {line}")).collect();
        let log = if last.is_empty() { "its log is empty" } else { "the end of its log" };
        format!("{} {what}; {log}{last}\n   ", self.name)
    }
}

/// The address in a line such as `… is ready at http://127.0.0.1:4000/v1`.
fn listening_at(line: &str) -> Option<SocketAddr> {
    let (_, url) = line.split_once(" is ready at http://")?;
    url.split(['/', '\n', ' ']).next()?.parse().ok()
}

/// Longest wait for a process to be ready.
const READY_WAIT_MAX: Duration = Duration::from_secs(30);
/// Longest wait for a process to end.
const END_WAIT_MAX: Duration = Duration::from_secs(30);
/// How much of a log an error shows, in lines.
const LOG_LINES_SHOWN: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> (tempfile::TempDir, anyhow::Result<Process>) {
        let folder = tempfile::tempdir().expect("a folder");
        let mut command = command(None, Path::new("sh"));
        command.args(["-c", script]);
        let process = Process::spawn("the script", command, &folder.path().join("log"));
        (folder, process)
    }

    #[test]
    fn both_ready_lines_are_understood() {
        let address: SocketAddr = "127.0.0.1:4000".parse().expect("an address");
        for line in [
            "Tollgate 0.1.0 is ready at http://127.0.0.1:4000\n",
            "The simulated provider is ready at http://127.0.0.1:4000/v1\n",
        ] {
            assert_eq!(listening_at(line), Some(address), "{line}");
        }
        assert_eq!(listening_at("curl http://127.0.0.1:4000"), None);
    }

    #[tokio::test]
    async fn a_process_is_ready_when_it_says_so_and_ends_when_asked() {
        let script = "trap 'exit 0' TERM; echo hello; echo 'It is ready at http://127.0.0.1:9'; \
                      while :; do sleep 0.01; done";
        let (_folder, process) = shell(script);
        let mut process = process.expect("a process");
        let (address, _) = process.ready().await.expect("an address");
        assert_eq!(address.port(), 9);
        process.must_live().expect("alive");
        process.stop().await.expect("an orderly end");
    }

    #[tokio::test]
    async fn one_that_fails_says_why() {
        let (_folder, process) = shell("echo 'no such configuration' >&2; exit 3");
        let mut process = process.expect("a process");
        let problem = format!("{:#}", process.ready().await.expect_err("an error"));
        assert!(problem.contains("no such configuration"), "{problem}");
        assert!(problem.contains("without saying"), "{problem}");
    }
}
