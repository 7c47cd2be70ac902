//! Whether another gateway works on the same database, so that nobody settles a living one's calls.
//!
//! Every gateway holds a lock for as long as it lives: on Postgres a shared advisory lock of one
//! connection, on SQLite a lock on a file beside the database. A lock dies with its process. On
//! Postgres it also dies with its connection, so a gateway takes it again when that is lost.

use std::fs::File;
use std::path::PathBuf;
use std::time::Duration;

use sqlx::postgres::PgConnection;
use sqlx::{Connection as _, PgPool, SqlitePool};
use tokio::time::{sleep, timeout};

use super::location::create_private;
use crate::{Db, StoreError};

/// The advisory lock's number: `tollgate` in ASCII, so that nobody else's is likely to be the same.
const LOCK: i64 = i64::from_be_bytes(*b"tollgate");
/// How long a lock that a dying gateway still holds is waited for.
const SOLE_WAIT: &str = "SET lock_timeout = '1s'";
/// How often the connection of a lock is asked for a sign of life.
const BEAT: Duration = Duration::from_millis(500);
/// How long that sign, and a new lock, is waited for.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);
/// How long another gateway's recovery is waited for.
const SHARED_WAIT: &str = "SET lock_timeout = '60s'";
/// What Postgres calls a lock that was not given in time.
const NOT_GIVEN: &str = "55P03";

/// A gateway's presence on its database, for as long as this lives.
#[derive(Debug)]
pub struct Presence {
    held: Held,
    sole: bool,
}

#[derive(Debug)]
enum Held {
    Connection(Box<PgConnection>),
    File { _locked: File },
}

impl Presence {
    /// Whether no other gateway works on the database. Only then are its open calls abandoned ones.
    #[must_use]
    pub const fn is_sole(&self) -> bool {
        self.sole
    }

    /// Lets other gateways in, where the engine allows several.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn share(&mut self) -> Result<(), StoreError> {
        if let (Held::Connection(connection), true) = (&mut self.held, self.sole) {
            lock(connection, "SELECT pg_advisory_lock_shared($1)").await?;
            lock(connection, "SELECT pg_advisory_unlock($1)").await?;
            self.sole = false;
        }
        Ok(())
    }

    /// Keeps the presence until `ended`, then ends it in an orderly way. A lock whose connection
    /// was lost is taken again: another gateway that started meanwhile would else take this one's
    /// calls for abandoned ones.
    pub async fn keep(mut self, db: Db, ended: impl Future<Output = ()>) {
        let mut ended = std::pin::pin!(ended);
        let mut held = true;
        loop {
            tokio::select! {
                () = &mut ended => break,
                () = sleep(BEAT), if matches!(db, Db::Postgres(_)) => {}
            }
            if held && self.is_held().await {
                continue;
            }
            if held {
                tracing::warn!("the lock that says this gateway lives is lost; taking it again");
            }
            let again = timeout(ANSWER_WITHIN, retake(&db)).await;
            held = again.is_ok_and(|again| again.is_ok_and(|again| self.replace(again)));
            if held {
                tracing::info!("the lock that says this gateway lives is held again");
            }
        }
        self.end().await;
    }

    /// Whether the lock's connection still answers.
    async fn is_held(&mut self) -> bool {
        match &mut self.held {
            Held::File { .. } => true,
            Held::Connection(connection) => {
                timeout(ANSWER_WITHIN, connection.ping()).await.is_ok_and(|ping| ping.is_ok())
            }
        }
    }

    fn replace(&mut self, connection: Option<PgConnection>) -> bool {
        let Some(connection) = connection else { return false };
        self.held = Held::Connection(Box::new(connection));
        true
    }

    /// Ends the presence in an orderly way.
    pub async fn end(self) {
        if let Held::Connection(connection) = self.held {
            // The server lets go of the lock however the connection ends.
            let _ = connection.close().await;
        }
    }
}

impl Db {
    /// Makes this gateway's presence known. `None` when the database is a file that another gateway
    /// has open, which a file is not made for.
    ///
    /// # Errors
    /// [`StoreError`] when the database or the file beside it fails.
    pub async fn presence(&self) -> Result<Option<Presence>, StoreError> {
        match self {
            Self::Postgres(pool) => on_server(pool).await.map(Some),
            Self::Sqlite { writer, .. } => on_file(writer),
        }
    }
}

async fn on_server(pool: &PgPool) -> Result<Presence, StoreError> {
    let mut connection = pool.acquire().await?.detach();
    sqlx::query(SOLE_WAIT).execute(&mut connection).await?;
    let sole = match lock(&mut connection, "SELECT pg_advisory_lock($1)").await {
        Ok(()) => true,
        Err(StoreError::Refused(sqlx::Error::Database(refused)))
            if refused.code().as_deref() == Some(NOT_GIVEN) =>
        {
            false
        }
        Err(error) => return Err(error),
    };
    sqlx::query(SHARED_WAIT).execute(&mut connection).await?;
    if !sole {
        lock(&mut connection, "SELECT pg_advisory_lock_shared($1)").await?;
    }
    Ok(Presence { held: Held::Connection(Box::new(connection)), sole })
}

/// A new connection with a shared lock.
async fn retake(db: &Db) -> Result<Option<PgConnection>, StoreError> {
    let Db::Postgres(pool) = db else { return Ok(None) };
    let mut connection = pool.acquire().await?.detach();
    lock(&mut connection, "SELECT pg_advisory_lock_shared($1)").await?;
    Ok(Some(connection))
}

async fn lock(connection: &mut PgConnection, text: &'static str) -> Result<(), StoreError> {
    sqlx::query(text).bind(LOCK).execute(connection).await?;
    Ok(())
}

fn on_file(writer: &SqlitePool) -> Result<Option<Presence>, StoreError> {
    let mut path = writer.connect_options().get_filename().as_os_str().to_owned();
    path.push("-lock");
    let path = PathBuf::from(path);
    let failed = |source| StoreError::File { path: path.clone(), source };
    create_private(&path)?;
    let file = File::options().append(true).open(&path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(Presence { held: Held::File { _locked: file }, sole: true })),
        Err(std::fs::TryLockError::WouldBlock) => Ok(None),
        Err(std::fs::TryLockError::Error(source)) => Err(failed(source)),
    }
}
