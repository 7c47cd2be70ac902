//! Answers of the Responses API, kept so that a later call can go on from them over an upstream
//! that keeps nothing.
//!
//! An answer is its owner's alone and counts as absent once it expired. Every change takes the lock
//! of its owner's sum first and its answers after, so that gateways that share a database neither
//! let a sum drift nor wait for each other in a circle.

mod chain;
mod prune;
mod retention;
mod row;

use thiserror::Error;
use tollgate_domain::{ResponseId, Timestamp};

use crate::batch::{Statement, Value, chunks};
use crate::db::on;
use crate::transaction::Transaction;
use crate::{Db, StoreError};
pub use chain::ChainError;
pub use retention::Retention;
pub use row::{Owner, ResponseRow};

const FIND: &str = "SELECT id, owner, previous_id, created_at, expires_at, model, input_items, \
     response FROM responses WHERE id = $1 AND owner = $2 AND expires_at > $3";
const KNOWN: &str = "SELECT id FROM responses WHERE id = $1";
const INSERT: &str = "INSERT INTO responses (id, owner, previous_id, created_at, expires_at, \
     model, bytes, input_items, response) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
const DELETE: &str = "DELETE FROM responses WHERE id = $1 AND owner = $2 RETURNING bytes";
/// What stands before the ids of the statement that deletes several; each is a row of one column.
const DELETE_IDS: &str = "DELETE FROM responses WHERE id IN (VALUES";
const DELETED_BYTES: &str = ") RETURNING bytes";
const OLDEST: &str = "SELECT id, bytes FROM responses WHERE owner = $1 AND id <> $2 \
     ORDER BY created_at, id LIMIT $3";
const ADD_BYTES: &str = "INSERT INTO response_owners (owner, bytes) VALUES ($1, $2) \
     ON CONFLICT (owner) DO UPDATE SET bytes = response_owners.bytes + excluded.bytes \
     RETURNING bytes";
/// Changes nothing, and holds the owner's row until the transaction ends.
const LOCK_OWNER: &str = "UPDATE response_owners SET bytes = bytes WHERE owner = $1";
const TAKE_BYTES: &str = "UPDATE response_owners SET bytes = bytes - $2 WHERE owner = $1";

/// The largest answer that is kept, with its input items: 8 MiB.
const RESPONSE_BYTES_MAX: u64 = 8 << 20;
/// What is kept for one owner: 1 GiB.
const OWNER_BYTES_MAX: u64 = 1 << 30;
/// The longest conversation that a call can go on from, in answers.
const CHAIN_TURNS_MAX: u32 = 64;
/// The largest conversation that a call can go on from: 32 MiB.
const CHAIN_BYTES_MAX: u64 = 32 << 20;
/// How many old answers are looked at in one go to make room.
const OLDEST_ROWS: i64 = 64;

/// How much is kept and read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResponseLimits {
    /// The largest answer that is kept, in bytes of its two JSON texts.
    pub response_bytes_max: u64,
    /// What is kept for one owner, in bytes; beyond it the oldest answers go.
    pub owner_bytes_max: u64,
    /// The longest conversation that is read, in answers.
    pub chain_turns_max: u32,
    /// The largest conversation that is read, in bytes.
    pub chain_bytes_max: u64,
}

impl Default for ResponseLimits {
    fn default() -> Self {
        Self {
            response_bytes_max: RESPONSE_BYTES_MAX,
            owner_bytes_max: OWNER_BYTES_MAX,
            chain_turns_max: CHAIN_TURNS_MAX,
            chain_bytes_max: CHAIN_BYTES_MAX,
        }
    }
}

/// Why an answer was not kept.
#[derive(Debug, Error)]
pub enum SaveResponseError {
    /// It is larger than any that is kept.
    #[error("the answer has {bytes} bytes, and at most {bytes_max} are kept")]
    TooLarge {
        /// What it has.
        bytes: u64,
        /// What it may have.
        bytes_max: u64,
    },
    /// An answer of this id is kept already, whoever's it is.
    #[error("an answer of this id is kept already")]
    IdTaken,
    /// The database failed.
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for SaveResponseError {
    fn from(error: StoreError) -> Self {
        if error.unique_violation().is_some() { Self::IdTaken } else { Self::Store(error) }
    }
}

/// The kept answers of a database. Cloning shares its connections.
#[derive(Debug, Clone)]
pub struct Responses {
    db: Db,
    limits: ResponseLimits,
}

impl Responses {
    /// The kept answers of this database.
    #[must_use]
    pub const fn new(db: Db, limits: ResponseLimits) -> Self {
        Self { db, limits }
    }

    /// Keeps an answer. Where its owner's grow too large with it, the oldest go.
    ///
    /// # Errors
    /// [`SaveResponseError`]; nothing is changed then.
    pub async fn save(&self, row: &ResponseRow) -> Result<(), SaveResponseError> {
        let ResponseLimits { response_bytes_max, owner_bytes_max, .. } = self.limits;
        let (bytes, bytes_max) = (row.bytes(), response_bytes_max.min(owner_bytes_max));
        if bytes > bytes_max {
            return Err(SaveResponseError::TooLarge { bytes, bytes_max });
        }
        let owner = row.owner.encode();
        let mut transaction = Transaction::begin(&self.db).await?;
        let add = [Value::from(&owner), Value::from(signed(bytes))];
        let sums = transaction.fetch(Statement::new(ADD_BYTES, add), |row| row.integer("bytes"));
        let sum: i64 = sums.await?.into_iter().sum();
        transaction.execute(Statement::new(INSERT, row.values(&owner))).await?;
        let excess = sum.saturating_sub(signed(owner_bytes_max));
        if excess > 0 {
            make_room(&mut transaction, (&owner, &row.id), excess).await?;
        }
        Ok(transaction.commit().await?)
    }

    /// An answer that its owner asks for. One that expired, and another owner's, is absent.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn find(
        &self,
        id: &ResponseId,
        owner: &Owner,
        now: Timestamp,
    ) -> Result<Option<ResponseRow>, StoreError> {
        on!(
            &self.db,
            read | pool | {
                let query = sqlx::query(FIND).bind(id.as_str()).bind(owner.encode());
                let row = query.bind(now.micros()).fetch_optional(pool).await?;
                row.map(|row| ResponseRow::read(&row)).transpose()
            }
        )
    }

    /// Whether an answer of this id is kept, whoever's it is and though it may have expired.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn is_known(&self, id: &ResponseId) -> Result<bool, StoreError> {
        on!(
            &self.db,
            read | pool | {
                let found = sqlx::query(KNOWN).bind(id.as_str()).fetch_optional(pool).await?;
                Ok(found.is_some())
            }
        )
    }

    /// The largest answer that is kept, in bytes of its two JSON texts.
    #[must_use]
    pub const fn response_bytes_max(&self) -> u64 {
        self.limits.response_bytes_max
    }

    /// Deletes an answer of an owner. Gives whether there was one. Later answers that went on from
    /// it stay, but no call can go on from them any more.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails; nothing is deleted then.
    pub async fn delete(&self, id: &ResponseId, owner: &Owner) -> Result<bool, StoreError> {
        let owner = owner.encode();
        let mut transaction = Transaction::begin(&self.db).await?;
        lock(&mut transaction, &owner).await?;
        let delete = Statement::new(DELETE, [Value::from(id.as_str()), Value::from(&owner)]);
        let deleted = transaction.fetch(delete, |row| row.integer("bytes")).await?;
        take_bytes(&mut transaction, &owner, deleted.iter().sum()).await?;
        transaction.commit().await?;
        Ok(!deleted.is_empty())
    }
}

/// Deletes the oldest answers of an owner, all but the newest, until `excess` bytes are gone.
async fn make_room(
    transaction: &mut Transaction,
    (owner, newest): (&str, &ResponseId),
    excess: i64,
) -> Result<(), StoreError> {
    let mut freed: i64 = 0;
    while freed < excess {
        let values = [Value::from(owner), Value::from(newest.as_str()), Value::from(OLDEST_ROWS)];
        let read = transaction.fetch(Statement::new(OLDEST, values), |row| {
            Ok((row.text("id")?, row.integer("bytes")?))
        });
        let mut missing = excess - freed;
        let enough = read.await?.into_iter().take_while(|(_, bytes)| {
            let wanted = missing > 0;
            missing -= bytes;
            wanted
        });
        let ids: Vec<String> = enough.map(|(id, _)| id).collect();
        if ids.is_empty() {
            break;
        }
        freed += delete_ids(transaction, &ids).await?;
    }
    take_bytes(transaction, owner, freed).await
}

/// Deletes answers and gives the bytes that they had.
async fn delete_ids(transaction: &mut Transaction, ids: &[String]) -> Result<i64, StoreError> {
    let mut bytes = 0;
    for chunk in chunks(ids) {
        let values = chunk.iter().map(Value::from).collect();
        let delete = Statement::rows(DELETE_IDS, 1, DELETED_BYTES, values);
        let deleted = transaction.fetch(delete, |row| row.integer("bytes")).await?;
        bytes += deleted.iter().sum::<i64>();
    }
    Ok(bytes)
}

async fn lock(transaction: &mut Transaction, owner: &str) -> Result<(), StoreError> {
    transaction.execute(Statement::new(LOCK_OWNER, [Value::from(owner)])).await.map(drop)
}

async fn take_bytes(
    transaction: &mut Transaction,
    owner: &str,
    bytes: i64,
) -> Result<(), StoreError> {
    let values = [Value::from(owner), Value::from(bytes)];
    transaction.execute(Statement::new(TAKE_BYTES, values)).await.map(drop)
}

/// A count of bytes as the database keeps it.
fn signed(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}
