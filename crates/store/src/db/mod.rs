//! One database over two engines.
//!
//! Every query is one text that both engines take: `$1` placeholders, BIGINT and TEXT, `ON
//! CONFLICT` and `RETURNING`. Where a statement stands alone, `on!` runs it on the engine at hand.

mod location;
mod migrations;
mod presence;
mod row;

use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection as _, PgConnection, PgPool, Row as _, SqlitePool};

use crate::StoreError;
use location::Location;
pub use presence::Presence;
pub(crate) use row::{Columns, identity, json, unreadable};

/// How long a statement waits for another process's lock on the SQLite file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a caller waits for a free connection, and the first connection for an answer.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// Connections that read the SQLite file beside the one that writes it.
const SQLITE_READERS: u32 = 4;
/// What the connection that writes may keep of the file in memory, in KiB as SQLite has it: the
/// sums of the present quarter-hour, which every group touches.
const WRITER_CACHE: &str = "-8000";
/// How long the journal becomes before it is worked into the file, in pages: what is written again
/// and again is then worked in once.
const WAL_PAGES: &str = "4000";
/// A name for a gateway's connections, without a space and shorter than the 64 bytes that Postgres
/// keeps.
const OWN_NAME: &str = "SELECT 'tollgate-' || md5(random()::text || clock_timestamp()::text || \
     pg_backend_pid()::text)";
/// Connections to Postgres.
const POSTGRES_CONNECTIONS_MAX: u32 = 10;

/// Runs an expression against the engine at hand. `write` names the connection that may write,
/// `read` one that must not.
macro_rules! on {
    ($db:expr, read |$pool:ident| $body:expr) => {
        match $db {
            $crate::Db::Sqlite { readers: $pool, .. } => $body,
            $crate::Db::Postgres($pool) => $body,
        }
    };
    ($db:expr, write |$pool:ident| $body:expr) => {
        match $db {
            $crate::Db::Sqlite { writer: $pool, .. } => $body,
            $crate::Db::Postgres($pool) => $body,
        }
    };
}
pub(crate) use on;

/// A database. Cloning shares its connections.
#[derive(Debug, Clone)]
pub enum Db {
    /// A SQLite file in WAL mode.
    Sqlite {
        /// The one connection that writes, so that writers queue here instead of failing on a lock.
        writer: SqlitePool,
        /// Connections that only read.
        readers: SqlitePool,
    },
    /// A Postgres server.
    Postgres(PgPool),
}

impl Db {
    /// Opens `postgres://…`, `postgresql://…`, `sqlite:///absolute/path`, `sqlite://relative/path`
    /// or a bare path. A SQLite file that does not exist is created, readable by its owner only.
    ///
    /// One connection is made at once, so that a wrong address is found here with its reason.
    ///
    /// # Errors
    /// [`StoreError::Address`], [`StoreError::File`] or [`StoreError::Open`].
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        match Location::parse(url)? {
            Location::Postgres { options, place } => open_postgres(*options, place).await,
            Location::Sqlite(path) => {
                location::create_private(&path)?;
                let place = path.display().to_string();
                let options = SqliteConnectOptions::new()
                    .filename(&path)
                    .journal_mode(SqliteJournalMode::Wal)
                    .synchronous(SqliteSynchronous::Full)
                    .busy_timeout(BUSY_TIMEOUT)
                    .foreign_keys(true)
                    .disable_statement_logging();
                open_sqlite(options).await.map_err(|source| StoreError::Open { place, source })
            }
        }
    }

    /// Brings the schema up to date. Several processes may do so at once.
    ///
    /// # Errors
    /// [`StoreError::Migrate`] when a migration fails, or when one that was applied is not the one
    /// this program knows.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite { writer, .. } => migrations::sqlite().run(writer).await?,
            Self::Postgres(pool) => migrations::postgres().run(pool).await?,
        }
        Ok(())
    }

    /// Asks the database for a sign of life.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when it gives none.
    pub async fn ping(&self) -> Result<(), StoreError> {
        on!(self, read | pool | sqlx::query("SELECT 1").execute(pool).await.map(drop))?;
        Ok(())
    }

    /// Closes every connection, after those in use are given back.
    pub async fn close(&self) {
        if let Self::Sqlite { readers, .. } = self {
            readers.close().await;
        }
        on!(self, write | pool | pool.close().await);
    }
}

/// SQLite's connections live as long as the pool: a file needs no reconnecting, and a pool without
/// lifetimes has no timer.
async fn open_sqlite(options: SqliteConnectOptions) -> Result<Db, sqlx::Error> {
    let pool = |connections| {
        SqlitePoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(ACQUIRE_TIMEOUT + BUSY_TIMEOUT)
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false)
    };
    let writing =
        options.clone().pragma("cache_size", WRITER_CACHE).pragma("wal_autocheckpoint", WAL_PAGES);
    let writer = pool(1).connect_with(writing).await?;
    let readers = pool(SQLITE_READERS).connect_lazy_with(options.pragma("query_only", "ON"));
    Ok(Db::Sqlite { writer, readers })
}

async fn open_postgres(options: PgConnectOptions, place: String) -> Result<Db, StoreError> {
    let options = options.application_name("tollgate").disable_statement_logging();
    // A pool hides why it cannot connect behind its own timeout; a single connection says it.
    let first = tokio::time::timeout(ACQUIRE_TIMEOUT, first_name(&options));
    let name = match first.await.unwrap_or(Err(sqlx::Error::PoolTimedOut)) {
        Ok(name) => name,
        Err(source) => return Err(StoreError::Open { place, source }),
    };
    let pool = PgPoolOptions::new()
        .max_connections(POSTGRES_CONNECTIONS_MAX)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .test_before_acquire(false)
        .before_acquire(|connection, _| Box::pin(is_outside_transactions(connection)))
        .connect_lazy_with(options.application_name(&name));
    Ok(Db::Postgres(pool))
}

/// Whether a connection that is to be used again is alive and in no transaction; one that is not is
/// closed. Whoever gives up while a transaction begins leaves it open on the server, where the next
/// one would read an old state, or be told that the transaction is aborted.
async fn is_outside_transactions(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    sqlx::raw_sql(OUTSIDE_TRANSACTIONS).fetch_one(connection).await?.try_get(0)
}

/// A statement that is a transaction of its own begins when that does. It has to be sent as one
/// message: the parts of a prepared statement each have a time.
const OUTSIDE_TRANSACTIONS: &str = "SELECT statement_timestamp() = transaction_timestamp()";

/// Connects once, and gives a name that no other gateway's connections have.
async fn first_name(options: &PgConnectOptions) -> Result<String, sqlx::Error> {
    let mut connection = options.connect().await?;
    let name = sqlx::query_scalar(OWN_NAME).fetch_one(&mut connection).await?;
    connection.close().await?;
    Ok(name)
}
