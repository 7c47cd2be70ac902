//! A transaction on either engine that runs statements given as data.

use sqlx::database::Database;
use sqlx::query::Query;
use sqlx::{Arguments as _, AssertSqlSafe, Encode, Postgres, Sqlite, Type};

use crate::batch::{Placeholders, Statement, Value};
use crate::db::Columns;
use crate::{Db, StoreError};

const READ_AT_ONE_INSTANT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY";
/// How long one statement of a reading transaction may take.
const READ_TIMEOUT: &str = "SET LOCAL statement_timeout = '15s'";
const ALONE: &str = "SELECT pg_advisory_xact_lock($1)";

/// A transaction. Dropped without `commit`, it is rolled back.
pub(crate) enum Transaction {
    Sqlite(sqlx::Transaction<'static, Sqlite>),
    Postgres(sqlx::Transaction<'static, Postgres>),
}

impl Transaction {
    /// Begins to write. On SQLite the write lock is taken at once: a transaction that reads first
    /// and asks for the lock later is refused when another process wrote in between.
    pub(crate) async fn begin(db: &Db) -> Result<Self, StoreError> {
        Ok(match db {
            Db::Sqlite { writer, .. } => Self::Sqlite(writer.begin_with("BEGIN IMMEDIATE").await?),
            Db::Postgres(pool) => Self::Postgres(pool.begin().await?),
        })
    }

    /// Begins to read, all at one instant. Postgres gives up a statement that takes too long.
    pub(crate) async fn begin_to_read(db: &Db) -> Result<Self, StoreError> {
        Ok(match db {
            Db::Sqlite { readers, .. } => Self::Sqlite(readers.begin().await?),
            Db::Postgres(pool) => {
                let mut open = pool.begin_with(READ_AT_ONE_INSTANT).await?;
                sqlx::query(READ_TIMEOUT).execute(&mut *open).await?;
                Self::Postgres(open)
            }
        })
    }

    /// Runs a statement and says how many rows it touched.
    pub(crate) async fn execute(&mut self, statement: Statement<'_>) -> Result<u64, StoreError> {
        Ok(match self {
            Self::Sqlite(open) => {
                let query = bound(&statement, Placeholders::Bare)?;
                query.execute(&mut **open).await?.rows_affected()
            }
            Self::Postgres(open) => {
                let query = bound(&statement, Placeholders::Numbered)?;
                query.execute(&mut **open).await?.rows_affected()
            }
        })
    }

    /// Runs a statement and reads every row it gives.
    pub(crate) async fn fetch<T>(
        &mut self,
        statement: Statement<'_>,
        read: impl Fn(&dyn Columns) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        match self {
            Self::Sqlite(open) => {
                let rows = bound(&statement, Placeholders::Bare)?.fetch_all(&mut **open).await?;
                rows.iter().map(|row| read(row)).collect()
            }
            Self::Postgres(open) => {
                let rows =
                    bound(&statement, Placeholders::Numbered)?.fetch_all(&mut **open).await?;
                rows.iter().map(|row| read(row)).collect()
            }
        }
    }

    /// Waits until no other transaction holds this lock, and holds it to its own end. On SQLite a
    /// transaction that writes is the only one that does.
    pub(crate) async fn alone(&mut self, lock: i64) -> Result<(), StoreError> {
        if let Self::Postgres(_) = self {
            self.execute(Statement::new(ALONE, [Value::from(lock)])).await?;
        }
        Ok(())
    }

    pub(crate) async fn roll_back(self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(open) => open.rollback().await?,
            Self::Postgres(open) => open.rollback().await?,
        }
        Ok(())
    }

    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(open) => open.commit().await?,
            Self::Postgres(open) => open.commit().await?,
        }
        Ok(())
    }
}

/// The text is built from this crate's constants and placeholder numbers only.
fn bound<'q, DB>(
    statement: &Statement<'_>,
    placeholders: Placeholders,
) -> Result<Query<'q, DB, DB::Arguments>, StoreError>
where
    DB: Database,
    DB::Arguments: sqlx::IntoArguments<DB>,
    for<'v> Option<&'v str>: Encode<'v, DB> + Type<DB>,
    Option<i64>: for<'v> Encode<'v, DB> + Type<DB>,
{
    let mut arguments = DB::Arguments::default();
    arguments.reserve(statement.values.len(), statement.values.len() * VALUE_BYTES_USUAL);
    for value in &statement.values {
        let added = match value {
            Value::Text(text) => arguments.add(*text),
            Value::Integer(number) => arguments.add(*number),
        };
        added.map_err(sqlx::Error::Encode)?;
    }
    Ok(sqlx::query_with(AssertSqlSafe(statement.text(placeholders)), arguments))
}

/// The size of a value, in bytes, as far as it can be told before.
const VALUE_BYTES_USUAL: usize = 12;
