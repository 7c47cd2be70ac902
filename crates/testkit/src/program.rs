//! A program started by a test: its output is watched, and it ends with the test.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::fd::OwnedFd;
use std::process::{ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};
use tokio::sync::watch;

use crate::patience::eventually;

/// A running program. It is killed when it is dropped, and its output shown when the test failed.
#[derive(Debug)]
pub struct Program {
    name: String,
    child: Child,
    lines: watch::Receiver<Vec<String>>,
}

impl Program {
    /// Starts a program with no input and its output captured, both streams as one.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn start(name: &str, mut command: Command) -> Self {
        let spawned = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn();
        let mut child = spawned.unwrap_or_else(|error| panic!("cannot start {name}: {error}"));
        let (sender, lines) = watch::channel(Vec::new());
        let out = child.stdout.take().and_then(|out| out.into_owned_fd().ok());
        let err = child.stderr.take().and_then(|err| err.into_owned_fd().ok());
        for stream in [out, err].into_iter().flatten() {
            follow(stream, sender.clone());
        }
        Self { name: name.to_owned(), child, lines }
    }

    /// The first line of output that `pick` makes something of, waiting for it if need be.
    ///
    /// # Panics
    /// When the program ends, or the wait gets too long, before such a line.
    pub async fn line<T>(&self, what: &str, pick: impl Fn(&str) -> Option<T>) -> T {
        let mut lines = self.lines.clone();
        let find = |lines: &Vec<String>| lines.iter().find_map(|line| pick(line));
        let found = eventually(what, lines.wait_for(|lines| find(lines).is_some())).await;
        let found = found.ok().and_then(|lines| find(&lines));
        found.unwrap_or_else(|| panic!("{} ended without {what}", self.name))
    }

    /// What it has written so far.
    #[must_use]
    pub fn output(&self) -> String {
        self.lines.borrow().join("\n")
    }

    /// Sends a signal.
    ///
    /// # Panics
    /// When the program has ended already.
    pub fn signal(&self, signal: Signal) {
        let pid = self.child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        let pid = pid.unwrap_or_else(|| panic!("{} has ended", self.name));
        kill_process(pid, signal).unwrap_or_else(|error| panic!("{}: {error}", self.name));
    }

    /// Waits for its end and the end of its output.
    ///
    /// # Panics
    /// When it does not end in time.
    pub async fn ended(&mut self) -> ExitStatus {
        let status = eventually(&format!("the end of {}", self.name), self.child.wait()).await;
        // Closed when both streams are: only then is the output whole.
        let drained = async { while self.lines.changed().await.is_ok() {} };
        eventually(&format!("the last output of {}", self.name), drained).await;
        status.unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }

    /// Kills it with SIGKILL and waits until it is gone.
    pub async fn kill(&mut self) {
        self.signal(Signal::KILL);
        self.ended().await;
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let output = self.output();
            // Nothing is left to do when even standard error cannot be written.
            let _ = writeln!(std::io::stderr(), "-- output of {}\n{output}\n--", self.name);
        }
    }
}

/// Reads lines on a thread of its own, so that they are there even while the test is not waiting.
fn follow(stream: OwnedFd, sender: watch::Sender<Vec<String>>) {
    std::thread::spawn(move || {
        for line in BufReader::new(File::from(stream)).split(b'\n') {
            let Ok(line) = line else { return };
            let line = String::from_utf8_lossy(&line).into_owned();
            sender.send_modify(|lines| {
                if lines.len() < LINES_MAX {
                    lines.push(line);
                }
            });
        }
    });
}

/// The most lines that are kept of one program; later ones are read and dropped.
const LINES_MAX: usize = 50_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Program {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        Program::start("the shell", command)
    }

    #[tokio::test]
    async fn lines_are_found_whenever_and_wherever_they_are_written() {
        let mut program = shell("echo one; echo two >&2; exit 3");
        let two = program.line("two", |line| line.strip_prefix("tw").map(str::to_owned));
        assert_eq!(two.await, "o");
        assert_eq!(program.ended().await.code(), Some(3));
        assert_eq!(program.line("one", |line| (line == "one").then_some(1)).await, 1);
    }

    #[tokio::test]
    #[should_panic(expected = "the shell ended without a third line")]
    async fn a_program_that_ends_is_not_waited_for() {
        shell("echo one").line("a third line", |line| (line == "three").then_some(())).await;
    }

    #[tokio::test]
    async fn a_program_is_ended_by_signal() {
        let mut program = shell("trap 'exit 7' TERM; echo ready; while :; do sleep 0.01; done");
        program.line("ready", |line| (line == "ready").then_some(())).await;
        program.signal(Signal::TERM);
        assert_eq!(program.ended().await.code(), Some(7));
    }
}
