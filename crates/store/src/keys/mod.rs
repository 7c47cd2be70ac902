//! Virtual keys in the database: found by hash or alias, written whole, kept after deletion.

mod labels;
mod list;
mod renew;
mod row;
mod rules;

use thiserror::Error;
use tollgate_domain::KeyHash;

use crate::audit::{By, Difference, record};
use crate::batch::{Statement, Value};
use crate::changes::Change;
use crate::db::on;
use crate::editor::{Editor, Replaced};
use crate::transaction::Transaction;
use crate::{Db, StoreError};
pub use labels::KeyLabel;
pub use list::{KEYS_PER_PAGE_MAX, KeyFilter, KeyPage, KeyReach, KeySort};
pub use row::KeyRow;
pub(crate) use row::read_hash;
pub use rules::KeyRules;

pub(crate) const FIND_KEY: &str = "SELECT id, hash, name, alias, user_id, team_id, \
     organization_id, models, \
     max_budget_nanos, expires_at, blocked, metadata, created_at, created_by, updated_at, \
     updated_by, limits, budget_id, project_id, rules FROM virtual_keys WHERE hash = $1";
pub(crate) const FIND_KEY_BY_ALIAS: &str = "SELECT id, hash, name, alias, user_id, team_id, \
     organization_id, models, max_budget_nanos, expires_at, blocked, metadata, created_at, \
     created_by, updated_at, updated_by, limits, budget_id, project_id, rules \
     FROM virtual_keys WHERE alias = $1";
pub(crate) const INSERT_KEY: &str = "INSERT INTO virtual_keys (id, hash, name, alias, user_id, \
     team_id, organization_id, models, max_budget_nanos, expires_at, blocked, metadata, \
     created_at, created_by, updated_at, updated_by, limits, budget_id, project_id, rules) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, \
     $20)";
pub(crate) const UPDATE_KEY: &str = "UPDATE virtual_keys SET hash = $2, name = $3, alias = $4, \
     user_id = $5, \
     team_id = $6, organization_id = $7, models = $8, max_budget_nanos = $9, expires_at = $10, \
     blocked = $11, metadata = $12, created_at = $13, created_by = $14, updated_at = $15, \
     updated_by = $16, limits = $17, budget_id = $18, project_id = $19, rules = $20 \
     WHERE id = $1";
/// Gives the key as it is, and keeps everybody else from changing it until the transaction ends.
const LOCK_KEY: &str = "UPDATE virtual_keys SET updated_at = updated_at WHERE id = $1 \
     RETURNING id, hash, name, alias, user_id, team_id, organization_id, models, \
     max_budget_nanos, expires_at, blocked, metadata, created_at, created_by, updated_at, \
     updated_by, limits, budget_id, project_id, rules";
const DELETE_KEY: &str = "DELETE FROM virtual_keys WHERE hash = $1 RETURNING id, hash, name, \
     alias, user_id, team_id, organization_id, models, max_budget_nanos, expires_at, blocked, \
     metadata, created_at, created_by, updated_at, updated_by, limits, budget_id, project_id, \
     rules";
const KEEP_DELETED_KEY: &str = "INSERT INTO deleted_virtual_keys (id, hash, name, alias, user_id, \
     team_id, organization_id, models, max_budget_nanos, expires_at, blocked, metadata, \
     created_at, created_by, updated_at, updated_by, limits, budget_id, project_id, rules, \
     deleted_at, deleted_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, \
     $15, $16, $17, $18, $19, $20, $21, $22)";

/// Why a key was not inserted.
#[derive(Debug, Error)]
pub enum InsertKeyError {
    /// Another key has the alias.
    #[error("another key has this alias")]
    AliasTaken,
    /// The key, or its id, exists.
    #[error("this key exists")]
    KeyTaken,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a key was not updated.
#[derive(Debug, Error)]
pub enum UpdateKeyError {
    /// Another key has the alias.
    #[error("another key has this alias")]
    AliasTaken,
    /// Another key has the hash.
    #[error("another key has this hash")]
    KeyTaken,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Db {
    /// The key with this hash.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails, which says nothing about whether the key exists.
    pub async fn find_key(&self, hash: &KeyHash) -> Result<Option<KeyRow>, StoreError> {
        on!(
            self,
            read | pool | {
                let row =
                    sqlx::query(FIND_KEY).bind(hash.expose_hex()).fetch_optional(pool).await?;
                row.map(|row| KeyRow::read(&row)).transpose()
            }
        )
    }

    /// The key with this alias.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn find_key_by_alias(&self, alias: &str) -> Result<Option<KeyRow>, StoreError> {
        on!(
            self,
            read | pool | {
                let row = sqlx::query(FIND_KEY_BY_ALIAS).bind(alias).fetch_optional(pool).await?;
                row.map(|row| KeyRow::read(&row)).transpose()
            }
        )
    }
}

impl Editor<'_> {
    /// Writes a new key.
    ///
    /// # Errors
    /// [`InsertKeyError`]; nothing is written then.
    pub async fn insert_key(&self, row: &KeyRow) -> Result<(), InsertKeyError> {
        match self.insert(row).await {
            Ok(()) => Ok(()),
            Err(WriteError::Conflict { alias: true }) => Err(InsertKeyError::AliasTaken),
            Err(WriteError::Conflict { alias: false }) => Err(InsertKeyError::KeyTaken),
            Err(WriteError::Store(error)) => Err(InsertKeyError::Store(error)),
        }
    }

    async fn insert(&self, row: &KeyRow) -> Result<(), WriteError> {
        let mut transaction = Transaction::begin(self.db).await?;
        let texts = row.texts();
        transaction.execute(Statement::new(INSERT_KEY, row.values(&texts))).await?;
        let difference = Difference { before: None, after: Some(row.described()) };
        record(&mut transaction, self.by, row.object(), difference).await?;
        Change::Key(row.id.clone()).announce(&mut transaction).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Replaces the key with the row's id as it was read, its hash included, and says in the row
    /// when and by whom.
    ///
    /// # Errors
    /// [`UpdateKeyError`]; nothing is written then.
    pub async fn update_key(&self, row: &mut KeyRow) -> Result<Replaced, UpdateKeyError> {
        match self.replace(row).await {
            Ok(replaced) => Ok(replaced),
            Err(WriteError::Conflict { alias: true }) => Err(UpdateKeyError::AliasTaken),
            Err(WriteError::Conflict { alias: false }) => Err(UpdateKeyError::KeyTaken),
            Err(WriteError::Store(error)) => Err(UpdateKeyError::Store(error)),
        }
    }

    async fn replace(&self, row: &mut KeyRow) -> Result<Replaced, WriteError> {
        let mut transaction = Transaction::begin(self.db).await?;
        if let Err(replaced) = self.replace_within(&mut transaction, row).await? {
            return Ok(replaced);
        }
        transaction.commit().await?;
        Ok(Replaced::Done)
    }

    /// Replaces a key within a transaction, and gives it as it was; the other result says why not.
    async fn replace_within(
        &self,
        transaction: &mut Transaction,
        row: &mut KeyRow,
    ) -> Result<Result<KeyRow, Replaced>, WriteError> {
        let lock = Statement::new(LOCK_KEY, [Value::from(row.id.as_str())]);
        let Some(before) = transaction.fetch(lock, KeyRow::read).await?.pop() else {
            return Ok(Err(Replaced::Absent));
        };
        if before.updated_at != row.updated_at {
            return Ok(Err(Replaced::ChangedMeanwhile));
        }
        row.updated_at = self.later_than(before.updated_at);
        row.updated_by = Some(self.by.name.clone());
        let texts = row.texts();
        transaction.execute(Statement::new(UPDATE_KEY, row.values(&texts))).await?;
        let difference =
            Difference { before: Some(before.described()), after: Some(row.described()) };
        record(transaction, self.by, row.object(), difference).await?;
        Change::Key(row.id.clone()).announce(transaction).await?;
        Ok(Ok(before))
    }

    /// Deletes keys, all or none, and gives those that existed. Each is kept as it was, with when
    /// and by whom it was deleted.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails; nothing is deleted then.
    pub async fn delete_keys(&self, hashes: &[KeyHash]) -> Result<Vec<KeyHash>, StoreError> {
        let mut transaction = Transaction::begin(self.db).await?;
        let deleted = delete(&mut transaction, hashes, self.by).await?;
        transaction.commit().await?;
        Ok(deleted)
    }
}

/// Deletes keys within a transaction and keeps each as it was.
pub(crate) async fn delete(
    transaction: &mut Transaction,
    hashes: &[KeyHash],
    by: &By,
) -> Result<Vec<KeyHash>, StoreError> {
    let mut deleted = Vec::new();
    for hash in hashes {
        let hex = hash.expose_hex();
        let delete = Statement::new(DELETE_KEY, [Value::from(&hex)]);
        // What the deletion returns is what it deleted; a row read before it might be older.
        for row in transaction.fetch(delete, KeyRow::read).await? {
            let texts = row.texts();
            let mut values = row.values(&texts).to_vec();
            values.extend([Value::from(by.at.micros()), Value::from(&by.name)]);
            transaction.execute(Statement::new(KEEP_DELETED_KEY, values)).await?;
            let difference = Difference { before: Some(row.described()), after: None };
            record(transaction, by, row.object(), difference).await?;
            Change::Key(row.id.clone()).announce(transaction).await?;
            deleted.push(row.hash);
        }
    }
    Ok(deleted)
}

enum WriteError {
    Conflict { alias: bool },
    Store(StoreError),
}

impl From<StoreError> for WriteError {
    fn from(error: StoreError) -> Self {
        // Postgres names the constraint, SQLite the column; neither message holds a value.
        match error.unique_violation().map(|message| message.contains("alias")) {
            Some(alias) => Self::Conflict { alias },
            None => Self::Store(error),
        }
    }
}
