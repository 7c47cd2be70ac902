//! Keys, entities and budgets of another gateway.

use tollgate_domain::KeyHash;

use super::LOCK;
use crate::audit::{By, Difference, record};
use crate::batch::{Statement, Value};
use crate::changes::Change;
use crate::editor::Editor;
use crate::entities::{self, edit};
use crate::keys;
use crate::transaction::Transaction;
use crate::{BudgetRow, Db, EntityRow, KeyRow, StoreError};

/// A row as it is to be here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImportedRow {
    /// A shared budget.
    Budget(BudgetRow),
    /// One that is no key.
    Entity(EntityRow),
    /// A key.
    Key(KeyRow),
}

/// What became of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Written {
    /// It is new here.
    Inserted,
    /// It was imported before, and the source has another state of it now.
    Updated,
    /// It is here as the source has it.
    Unchanged,
    /// Somebody made it or changed it here, and that counts.
    Kept,
    /// It was imported before and deleted here since; it stays deleted.
    Deleted,
    /// A new key whose alias another key has: it is here without one.
    WithoutAlias,
}

impl Editor<'_> {
    /// Writes rows in one transaction and says what became of each, in their order. A row that is
    /// here already is replaced only when its `updated_by` is still that of the one to write. Each
    /// change is recorded.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails; none of them is written then.
    pub async fn import_rows(&self, rows: &[ImportedRow]) -> Result<Vec<Written>, StoreError> {
        let mut transaction = Transaction::begin(self.db).await?;
        transaction.alone(LOCK).await?;
        let mut written = Vec::with_capacity(rows.len());
        for row in rows {
            written.push(match row {
                ImportedRow::Budget(row) => budget(&mut transaction, self.by, row).await?,
                ImportedRow::Entity(row) => entity(&mut transaction, self.by, row).await?,
                ImportedRow::Key(row) => key(&mut transaction, self.by, row).await?,
            });
        }
        transaction.commit().await?;
        Ok(written)
    }
}

impl Db {
    /// How many of these rows are here, in whatever state; a key that was deleted here is one that
    /// came over.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn count_imported(&self, rows: &[ImportedRow]) -> Result<usize, StoreError> {
        let mut found = 0;
        for row in rows {
            found += usize::from(match row {
                ImportedRow::Budget(row) => self.find_budget(&row.id).await?.is_some(),
                ImportedRow::Entity(row) => {
                    self.find_entity(row.level, &row.within, &row.id).await?.is_some()
                }
                ImportedRow::Key(row) => {
                    self.find_key(&row.hash).await?.is_some() || {
                        let mut reading = Transaction::begin_to_read(self).await?;
                        is_deleted(&mut reading, row).await?
                    }
                }
            });
        }
        Ok(found)
    }
}

/// What is to be done with a row, of which this one may be here.
pub(crate) fn judged<T: PartialEq>(
    row: &T,
    here: Option<&T>,
    by: fn(&T) -> &Option<String>,
) -> Written {
    match here {
        None => Written::Inserted,
        Some(here) if here == row => Written::Unchanged,
        Some(here) if by(here) == by(row) => Written::Updated,
        Some(_) => Written::Kept,
    }
}

async fn budget(
    transaction: &mut Transaction,
    by: &By,
    row: &BudgetRow,
) -> Result<Written, StoreError> {
    let find = Statement::new(entities::FIND_BUDGET, [Value::from(row.id.as_str())]);
    let here = transaction.fetch(find, BudgetRow::read).await?;
    let written = judged(row, here.first(), |row| &row.updated_by);
    let text = match written {
        Written::Inserted => edit::INSERT_BUDGET,
        Written::Updated => edit::UPDATE_BUDGET,
        _ => return Ok(written),
    };
    let limits = row.limits.to_text();
    transaction.execute(Statement::new(text, row.values(&limits))).await?;
    let before = here.first().map(BudgetRow::described);
    let difference = Difference { before, after: Some(row.described()) };
    record(transaction, by, row.object(), difference).await?;
    Change::Budget(row.id.clone()).announce(transaction).await?;
    Ok(written)
}

async fn entity(
    transaction: &mut Transaction,
    by: &By,
    row: &EntityRow,
) -> Result<Written, StoreError> {
    let place = [Value::from(row.level.as_str()), (&row.within).into(), (&row.id).into()];
    let find = Statement::new(entities::FIND, place);
    let here = transaction.fetch(find, EntityRow::read).await?;
    let written = judged(row, here.first(), |row| &row.updated_by);
    let text = match written {
        Written::Inserted => edit::INSERT,
        Written::Updated => edit::UPDATE,
        _ => return Ok(written),
    };
    let texts = row.texts();
    transaction.execute(Statement::new(text, row.values(&texts))).await?;
    let before = here.first().map(EntityRow::described);
    let difference = Difference { before, after: Some(row.described()) };
    record(transaction, by, row.object(), difference).await?;
    row.change().announce(transaction).await?;
    Ok(written)
}

async fn key(transaction: &mut Transaction, by: &By, row: &KeyRow) -> Result<Written, StoreError> {
    let here = key_with(transaction, &row.hash).await?;
    let mut row = row.clone();
    let alias_free = alias_free(transaction, &row).await?;
    if !alias_free {
        row.alias = None;
    }
    let written = judged(&row, here.as_ref(), |row| &row.updated_by);
    let text = match written {
        // One with this hash and another identity was not made by an import.
        Written::Updated if here.as_ref().is_some_and(|here| here.id != row.id) => {
            return Ok(Written::Kept);
        }
        Written::Inserted if is_deleted(transaction, &row).await? => return Ok(Written::Deleted),
        Written::Inserted => keys::INSERT_KEY,
        Written::Updated => keys::UPDATE_KEY,
        _ => return Ok(written),
    };
    let texts = row.texts();
    transaction.execute(Statement::new(text, row.values(&texts))).await?;
    let before = here.as_ref().map(KeyRow::described);
    let difference = Difference { before, after: Some(row.described()) };
    record(transaction, by, row.object(), difference).await?;
    Change::Key(row.id.clone()).announce(transaction).await?;
    Ok(if alias_free { written } else { Written::WithoutAlias })
}

async fn key_with(
    transaction: &mut Transaction,
    hash: &KeyHash,
) -> Result<Option<KeyRow>, StoreError> {
    let hex = hash.expose_hex();
    let find = Statement::new(keys::FIND_KEY, [Value::from(&hex)]);
    Ok(transaction.fetch(find, KeyRow::read).await?.pop())
}

/// Whether no other key has a row's alias.
async fn alias_free(transaction: &mut Transaction, row: &KeyRow) -> Result<bool, StoreError> {
    let Some(alias) = &row.alias else { return Ok(true) };
    let find = Statement::new(keys::FIND_KEY_BY_ALIAS, [Value::from(alias)]);
    let here = transaction.fetch(find, KeyRow::read).await?;
    Ok(here.iter().all(|here| here.hash == row.hash))
}

async fn is_deleted(transaction: &mut Transaction, row: &KeyRow) -> Result<bool, StoreError> {
    let find = Statement::new(FIND_DELETED, [Value::from(row.id.as_str())]);
    Ok(!transaction.fetch(find, |row| row.text("id")).await?.is_empty())
}

const FIND_DELETED: &str = "SELECT id FROM deleted_virtual_keys WHERE id = $1";
