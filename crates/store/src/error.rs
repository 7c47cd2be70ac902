//! How the store can fail, by what the caller does about it.

use std::io;
use std::path::PathBuf;

use sqlx::migrate::MigrateError;
use thiserror::Error;

/// A failure of the store. No text of it holds a credential, a key or a key's hash.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The database URL is not one; correct the configuration.
    #[error("the database URL is not usable: {0}")]
    Address(String),
    /// The database could not be opened or reached for the first time.
    #[error("could not open the database `{place}`")]
    Open {
        /// The file, or the host and database name.
        place: String,
        /// What the engine said.
        #[source]
        source: sqlx::Error,
    },
    /// The schema could not be brought up to date; nothing was half done.
    #[error("could not bring the database's schema up to date")]
    Migrate(#[source] Box<MigrateError>),
    /// The database does not answer now; the same step may succeed later.
    #[error("the database does not answer")]
    Unavailable(#[source] sqlx::Error),
    /// The database refused a statement; trying again alone does not help.
    #[error("the database refused a statement")]
    Refused(#[source] sqlx::Error),
    /// A row holds a value that the gateway never writes.
    #[error("the database holds an unreadable `{column}`: {detail}")]
    Unreadable {
        /// The column.
        column: &'static str,
        /// What is wrong with it, never its value.
        detail: String,
    },
    /// A file beside the database could not be read or written.
    #[error("could not use the file `{path}`")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

impl StoreError {
    /// Whether the same step may succeed later without anyone changing anything.
    #[must_use]
    pub const fn is_unavailable(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }

    /// What the engine says, when a statement was refused because such a row exists.
    pub(crate) fn unique_violation(&self) -> Option<&str> {
        match self {
            Self::Refused(sqlx::Error::Database(refused)) if refused.is_unique_violation() => {
                Some(refused.message())
            }
            _ => None,
        }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        if is_transient(&error) { Self::Unavailable(error) } else { Self::Refused(error) }
    }
}

impl From<MigrateError> for StoreError {
    fn from(error: MigrateError) -> Self {
        Self::Migrate(Box::new(error))
    }
}

fn is_transient(error: &sqlx::Error) -> bool {
    use sqlx::Error as E;
    match error {
        E::Io(_)
        | E::Tls(_)
        | E::Protocol(_)
        | E::PoolTimedOut
        | E::PoolClosed
        | E::WorkerCrashed
        | E::BeginFailed => true,
        E::Database(refused) => refused.code().is_some_and(|code| is_transient_code(&code)),
        _ => false,
    }
}

/// Postgres gives five characters of SQLSTATE, SQLite a decimal extended result code.
fn is_transient_code(code: &str) -> bool {
    if code.len() == 5 {
        // Connection, rollback, resources, operator intervention, system error.
        return ["08", "40", "53", "57", "58"].iter().any(|class| code.starts_with(class));
    }
    // The low byte is the primary code: BUSY, LOCKED, IOERR, FULL, CANTOPEN.
    code.parse::<u32>().is_ok_and(|code| [5, 6, 10, 13, 14].contains(&(code & 0xff)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_pass_by_itself_is_told_from_what_may_not() {
        for code in ["08006", "40001", "53300", "57P01", "5", "261", "13"] {
            assert!(is_transient_code(code), "{code}");
        }
        for code in ["23505", "42P01", "22003", "1", "2067", ""] {
            assert!(!is_transient_code(code), "{code}");
        }
        assert!(StoreError::from(sqlx::Error::PoolTimedOut).is_unavailable());
        assert!(!StoreError::from(sqlx::Error::RowNotFound).is_unavailable());
    }
}
