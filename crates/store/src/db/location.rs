//! Where the database is: the forms of a database URL.

use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use sqlx::postgres::PgConnectOptions;

use crate::StoreError;

/// The mode of a new SQLite file; SQLite gives its journals the same.
const PRIVATE_FILE_MODE: u32 = 0o600;

/// A parsed database URL.
#[derive(Debug)]
pub(super) enum Location {
    Sqlite(PathBuf),
    Postgres {
        options: Box<PgConnectOptions>,
        /// Host and database, for messages.
        place: String,
    },
}

impl Location {
    pub(super) fn parse(url: &str) -> Result<Self, StoreError> {
        let url = url.trim();
        match url.split_once("://") {
            Some(("postgres" | "postgresql", _)) => postgres(url),
            Some(("sqlite", path)) => sqlite(path),
            // The text after the scheme may hold a password, so it is not repeated.
            Some((scheme, _)) => Err(StoreError::Address(format!(
                "its scheme is `{scheme}`; write `postgres://…`, `sqlite:///path` or a file's path"
            ))),
            None => sqlite(url.strip_prefix("sqlite:").unwrap_or(url)),
        }
    }
}

fn postgres(url: &str) -> Result<Location, StoreError> {
    let options = PgConnectOptions::from_str(url)
        .map_err(|error| StoreError::Address(format!("as a Postgres URL, {error}")))?;
    let place = format!(
        "{}:{}/{}",
        options.get_socket().map_or(options.get_host().into(), |path| path.to_string_lossy()),
        options.get_port(),
        options.get_database().unwrap_or_default(),
    );
    Ok(Location::Postgres { options: Box::new(options), place })
}

fn sqlite(path: &str) -> Result<Location, StoreError> {
    let problem = match path {
        "" => "it is empty; write `postgres://…`, `sqlite:///path` or a file's path",
        ":memory:" => "a database in memory forgets what was spent; name a file",
        _ if path.contains('?') => "a SQLite URL takes no parameters here; leave out `?…`",
        _ if path.contains('\0') => "a file's path holds no NUL",
        _ if path.ends_with('/') => "it names a folder; name a file in it",
        _ => return Ok(Location::Sqlite(PathBuf::from(path))),
    };
    Err(StoreError::Address(problem.to_owned()))
}

/// Creates the file for its owner only. A file that is there keeps the mode its owner gave it.
pub(super) fn create_private(path: &Path) -> Result<(), StoreError> {
    let made = OpenOptions::new().write(true).create_new(true).mode(PRIVATE_FILE_MODE).open(path);
    match made {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(source) => Err(StoreError::File { path: path.to_owned(), source }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path_of(url: &str) -> Option<String> {
        match Location::parse(url) {
            Ok(Location::Sqlite(path)) => Some(path.display().to_string()),
            _ => None,
        }
    }

    fn problem_of(url: &str) -> String {
        Location::parse(url).expect_err("not a database URL").to_string()
    }

    #[test]
    fn a_file_is_named_by_url_or_by_path() {
        for (url, path) in [
            ("sqlite:///var/lib/tollgate.db", "/var/lib/tollgate.db"),
            ("sqlite://data/tollgate.db", "data/tollgate.db"),
            ("sqlite:tollgate.db", "tollgate.db"),
            ("/var/lib/tollgate.db", "/var/lib/tollgate.db"),
            (" tollgate.db\n", "tollgate.db"),
        ] {
            assert_eq!(path_of(url).as_deref(), Some(path), "{url}");
        }
    }

    #[test]
    fn a_server_is_named_without_its_password() {
        for scheme in ["postgres", "postgresql"] {
            let parsed = Location::parse(&format!("{scheme}://me:hunter2@db.test:6000/spend"));
            let Ok(Location::Postgres { place, .. }) = parsed else { panic!("{parsed:?}") };
            assert_eq!(place, "db.test:6000/spend");
        }
    }

    #[test]
    fn what_is_no_database_is_refused_without_repeating_it() {
        for (url, part) in [
            ("", "empty"),
            ("   ", "empty"),
            ("mysql://me:hunter2@db/x", "`mysql`"),
            ("postgres://me:hunter2@db:port/x", "Postgres URL"),
            ("sqlite::memory:", "in memory"),
            ("sqlite://:memory:", "in memory"),
            ("sqlite:///tmp/x.db?mode=rwc", "no parameters"),
            ("sqlite:///tmp/", "folder"),
            ("a\0b", "NUL"),
        ] {
            let problem = problem_of(url);
            assert!(problem.contains(part), "{url:?}: {problem}");
            assert!(!problem.contains("hunter2"), "{problem}");
        }
    }
}
