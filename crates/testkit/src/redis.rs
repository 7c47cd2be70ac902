//! A Redis server of a test's own, which can be killed and started again.
//!
//! It listens on a socket in a temporary folder, so that no two tests meet, and ends with the test,
//! however that ends. A test that needs Redis never passes without it.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

use crate::patience::until;

/// Runs the server until its own input ends, which happens when the test's process does.
const UNTIL_INPUT_ENDS: &str =
    "redis-server \"$@\" & server=$!; cat >/dev/null; kill -9 $server; wait $server";

/// A running server, or one that was killed and may be started again with what it saved.
#[derive(Debug)]
pub struct TestRedis {
    folder: TempDir,
    script: Option<Child>,
}

impl TestRedis {
    /// An empty server that saves nothing by itself.
    ///
    /// # Panics
    /// When there is no Redis, with what to install.
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let mut redis = Self { folder, script: None };
        redis.restart().await;
        redis
    }

    /// The server's URL, which stays the same.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis+unix://{}", self.socket().display())
    }

    /// Ends the server at once, like `kill -9`.
    ///
    /// # Panics
    /// When it does not end.
    pub fn kill(&mut self) {
        let Some(mut script) = self.script.take() else { return };
        drop(script.stdin.take());
        script.wait().expect("the script ends when its input does");
        // The next one makes it anew; an old one must not look like a server.
        let _ = fs::remove_file(self.socket());
    }

    /// Starts it again, with what [`TestRedis::save`] has saved.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn restart(&mut self) {
        self.kill();
        self.script = Some(spawn(self.folder.path(), &self.socket()));
        until("an answer of Redis", || async {
            let needed = "Redis is needed (Debian's package `redis-server`)";
            assert!(!self.is_missing(), "{needed}:\n{}", self.log());
            self.ask("PING").await.filter(|answer| answer.starts_with("+PONG"))
        })
        .await;
    }

    /// Writes what the server knows to its disk.
    ///
    /// # Panics
    /// When it does not.
    pub async fn save(&self) {
        let answer = self.ask("SAVE").await.unwrap_or_default();
        assert!(answer.starts_with("+OK"), "SAVE: {answer}");
    }

    /// Forgets everything, as a server without a disk does that was started again.
    ///
    /// # Panics
    /// When it does not.
    pub async fn forget_everything(&self) {
        let answer = self.ask("FLUSHALL").await.unwrap_or_default();
        assert!(answer.starts_with("+OK"), "FLUSHALL: {answer}");
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("redis.sock")
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("redis.log")).unwrap_or_default()
    }

    /// The shell says so when there is no such program.
    fn is_missing(&self) -> bool {
        self.log().contains("not found")
    }

    /// The first bytes of the answer to an inline command.
    async fn ask(&self, command: &str) -> Option<String> {
        let mut stream = UnixStream::connect(self.socket()).await.ok()?;
        stream.write_all(format!("{command}\r\n").as_bytes()).await.ok()?;
        let mut answer = [0; 256];
        let count = stream.read(&mut answer).await.ok()?;
        Some(String::from_utf8_lossy(&answer[..count]).into_owned())
    }
}

impl Drop for TestRedis {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            // Nothing is left to do when even standard error cannot be written.
            let _ = writeln!(std::io::stderr(), "-- output of Redis\n{}\n--", self.log());
        }
    }
}

fn spawn(folder: &Path, socket: &Path) -> Child {
    let log = File::options().create(true).append(true).open(folder.join("redis.log"));
    let log = log.expect("the temporary folder can be written");
    let errors = log.try_clone().expect("a file can be shared");
    let mut command = Command::new("sh");
    command.args(["-c", UNTIL_INPUT_ENDS, "redis-server"]);
    command.args(["--port", "0", "--save", "", "--appendonly", "no", "--unixsocket"]).arg(socket);
    command.arg("--dir").arg(folder);
    let spawned = command.stdin(Stdio::piped()).stdout(log).stderr(errors).spawn();
    spawned.expect("`sh` runs")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_killed_server_comes_back_with_what_it_saved() {
        let mut redis = TestRedis::start().await;
        assert_eq!(redis.ask("SET a 1").await.as_deref(), Some("+OK\r\n"));
        redis.save().await;
        assert_eq!(redis.ask("SET a 2").await.as_deref(), Some("+OK\r\n"));
        redis.kill();
        assert_eq!(redis.ask("GET a").await, None);
        redis.restart().await;
        assert_eq!(redis.ask("GET a").await.as_deref(), Some("$1\r\n1\r\n"));
        redis.forget_everything().await;
        assert_eq!(redis.ask("GET a").await.as_deref(), Some("$-1\r\n"));
    }
}
