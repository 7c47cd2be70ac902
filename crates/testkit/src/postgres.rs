//! A Postgres server for tests, with a database of its own for each.
//!
//! `make test` starts one server for the whole run and names it in `TOLLGATE_TEST_POSTGRES_URL`.
//! Without that, the first test of a process starts a private one, which ends with the process. A
//! test that needs Postgres never passes without it.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::process::{Pid, Signal, kill_process};

/// Names a server on which databases may be created and dropped.
const URL_VARIABLE: &str = "TOLLGATE_TEST_POSTGRES_URL";
/// Where Debian keeps Postgres's programs, one folder per version.
const DEBIAN_VERSIONS: &str = "/usr/lib/postgresql";

/// An empty database, dropped at the end of its test.
#[derive(Debug)]
pub struct TestDatabase {
    name: String,
    url: String,
}

impl TestDatabase {
    /// Creates a database.
    ///
    /// # Panics
    /// When there is no Postgres, with what to install.
    #[must_use]
    pub fn create() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("tollgate_test_{}_{number}", std::process::id());
        // A killed test of the same number may have left one.
        let server = &server().url;
        psql(server, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
        psql(server, &format!("CREATE DATABASE {name}"));
        let url = with_database(server, &name);
        Self { name, url }
    }

    /// The database's URL.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        // A test that is failing already keeps its own message.
        if !std::thread::panicking() {
            psql(&server().url, &format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
        }
    }
}

/// A server of a test's own, with one empty database, which can be frozen.
#[derive(Debug)]
pub struct TestServer {
    server: Server,
    postmaster: Pid,
}

impl TestServer {
    /// Starts a server.
    ///
    /// # Panics
    /// When there is no Postgres, with what to install.
    #[must_use]
    pub fn start() -> Self {
        let server = start_private();
        let folder = psql(&server.url, "SHOW data_directory");
        let file = Path::new(folder.trim()).join("postmaster.pid");
        let text = std::fs::read_to_string(&file);
        let text = text.unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let pid = text.lines().next().and_then(|line| line.trim().parse().ok());
        let postmaster = pid.and_then(Pid::from_raw).expect("the file begins with a process id");
        Self { server, postmaster }
    }

    /// The URL of its database.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.server.url
    }

    /// Stops all of its processes where they are: connections stay, and nobody answers.
    ///
    /// # Panics
    /// When the server has ended.
    pub fn freeze(&self) {
        // The first makes no more of the others then.
        self.signal(Signal::STOP);
    }

    /// Lets them go on.
    ///
    /// # Panics
    /// When the server has ended.
    pub fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        let server = self.postmaster;
        kill_process(server, signal).expect("the server runs");
        let pid = server.as_raw_nonzero();
        let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
        let children = children.expect("the system lists the server's processes");
        for child in children.split_whitespace().filter_map(|pid| pid.parse().ok()) {
            // One that has ended meanwhile is none to signal.
            let _ = Pid::from_raw(child).map(|child| kill_process(child, signal));
        }
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        // A frozen server does not hear that it has to end.
        self.thaw();
    }
}

#[derive(Debug)]
struct Server {
    url: String,
    /// The script that runs a private server. It stops the server when its input ends, which
    /// happens when this process does, however it ends.
    _script: Option<Child>,
}

fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| {
        #[expect(clippy::disallowed_methods, reason = "tests are told here which server to use")]
        let named = std::env::var(URL_VARIABLE).ok().filter(|url| !url.is_empty());
        match named {
            Some(url) => Server { url, _script: None },
            None => start_private(),
        }
    })
}

fn start_private() -> Server {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tools/with-postgres");
    let say_and_wait = format!("echo \"${URL_VARIABLE}\"; cat >/dev/null");
    let mut child = Command::new(&script)
        .env_remove(URL_VARIABLE)
        .args(["--no-install", "bash", "-c", &say_and_wait])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("could not run `{}`: {error}", script.display()));
    let mut url = String::new();
    if let Some(output) = child.stdout.take() {
        BufReader::new(output).read_line(&mut url).expect("the script writes text");
    }
    if url.trim().is_empty() {
        let mut problem = String::new();
        if let Some(mut errors) = child.stderr.take() {
            errors.read_to_string(&mut problem).expect("the script writes text");
        }
        panic!("Postgres is needed (Debian's package `postgresql`):\n{problem}");
    }
    Server { url: url.trim().to_owned(), _script: Some(child) }
}

/// Runs one statement on a server and gives what it says.
fn psql(server: &str, statement: &str) -> String {
    let output = Command::new(psql_program())
        .args(["--no-psqlrc", "--quiet", "--no-align", "--tuples-only"])
        .args(["--set=ON_ERROR_STOP=1", "--dbname", server])
        .args(["--command", "SET client_min_messages = warning", "--command", statement])
        .output()
        .expect("`psql` runs (Debian's package `postgresql-client`)");
    let problem = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "`{statement}` failed: {problem}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The newest `psql` that Debian installed, or whichever is on the path.
fn psql_program() -> PathBuf {
    let versions = std::fs::read_dir(DEBIAN_VERSIONS).into_iter().flatten().flatten();
    let programs = versions.map(|version| version.path().join("bin/psql"));
    programs.filter(|program| program.exists()).max().unwrap_or_else(|| PathBuf::from("psql"))
}

/// The server's URL with another database; what follows a `?` is kept.
fn with_database(url: &str, name: &str) -> String {
    let (server, parameters) = match url.split_once('?') {
        Some((server, parameters)) => (server, format!("?{parameters}")),
        None => (url, String::new()),
    };
    let authority = server.find("://").map_or(0, |at| at + 3);
    let end = server[authority..].find('/').map_or(server.len(), |at| authority + at);
    format!("{}/{name}{parameters}", &server[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_database_in_a_url_is_replaced() {
        for (url, expected) in [
            ("postgres://me@host:5432/postgres", "postgres://me@host:5432/x"),
            ("postgres://me@host", "postgres://me@host/x"),
            ("postgres://host/?host=/tmp/run", "postgres://host/x?host=/tmp/run"),
        ] {
            assert_eq!(with_database(url, "x"), expected);
        }
    }
}
