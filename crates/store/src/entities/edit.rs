//! Making and changing entities and shared budgets.

use tollgate_domain::BudgetId;

use super::{BudgetRow, EntityRow};
use crate::StoreError;
use crate::audit::{Difference, record};
use crate::batch::{Statement, Value};
use crate::changes::Change;
use crate::editor::{Editor, Replaced};
use crate::transaction::Transaction;

pub(crate) const INSERT: &str = "INSERT INTO entities (kind, within, id, alias, \
     organization_id, budget_id, \
     blocked, models, limits, metadata, created_at, created_by, updated_at, updated_by) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) \
     ON CONFLICT (kind, within, id) DO NOTHING";
pub(crate) const UPDATE: &str = "UPDATE entities SET alias = $4, organization_id = $5, \
     budget_id = $6, \
     blocked = $7, models = $8, limits = $9, metadata = $10, created_at = $11, created_by = $12, \
     updated_at = $13, updated_by = $14 WHERE kind = $1 AND within = $2 AND id = $3";
pub(crate) const INSERT_BUDGET: &str = "INSERT INTO budgets (id, limits, created_at, \
     created_by, updated_at, \
     updated_by) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (id) DO NOTHING";
pub(crate) const UPDATE_BUDGET: &str = "UPDATE budgets SET limits = $2, created_at = $3, \
     created_by = $4, \
     updated_at = $5, updated_by = $6 WHERE id = $1";
/// Whoever takes rules from a budget no longer does.
const LET_GO: [&str; 2] = [
    "UPDATE virtual_keys SET budget_id = NULL WHERE budget_id = $1",
    "UPDATE entities SET budget_id = NULL WHERE budget_id = $1",
];
const DELETE_BUDGET: &str = "DELETE FROM budgets WHERE id = $1 \
     RETURNING id, limits, created_at, created_by, updated_at, updated_by";
/// Gives the row as it is, and keeps everybody else from changing it until the transaction ends.
const LOCK: &str = "UPDATE entities SET updated_at = updated_at \
     WHERE kind = $1 AND within = $2 AND id = $3 \
     RETURNING kind, within, id, alias, organization_id, budget_id, blocked, models, limits, \
     metadata, created_at, created_by, updated_at, updated_by";
const LOCK_BUDGET: &str = "UPDATE budgets SET updated_at = updated_at WHERE id = $1 \
     RETURNING id, limits, created_at, created_by, updated_at, updated_by";

impl Editor<'_> {
    /// Inserts an entity. Gives false when one with its identity exists.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn insert_entity(&self, row: &EntityRow) -> Result<bool, StoreError> {
        self.insert_entities(std::slice::from_ref(row)).await
    }

    /// Inserts entities, all or none. Gives false when one of them exists.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails; nothing is inserted then.
    pub async fn insert_entities(&self, rows: &[EntityRow]) -> Result<bool, StoreError> {
        let mut transaction = Transaction::begin(self.db).await?;
        for row in rows {
            let texts = row.texts();
            let values = row.values(&texts).to_vec();
            if transaction.execute(Statement::new(INSERT, values)).await? == 0 {
                return Ok(false);
            }
            let difference = Difference { before: None, after: Some(row.described()) };
            record(&mut transaction, self.by, row.object(), difference).await?;
            row.change().announce(&mut transaction).await?;
        }
        transaction.commit().await?;
        Ok(true)
    }

    /// Replaces an entity as it was read, and says in the row when and by whom.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn update_entity(&self, row: &mut EntityRow) -> Result<Replaced, StoreError> {
        let mut transaction = Transaction::begin(self.db).await?;
        let named =
            [Value::from(row.level.as_str()), Value::from(&row.within), Value::from(&row.id)];
        let lock = Statement::new(LOCK, named);
        let Some(before) = transaction.fetch(lock, EntityRow::read).await?.pop() else {
            return Ok(Replaced::Absent);
        };
        if before.updated_at != row.updated_at {
            return Ok(Replaced::ChangedMeanwhile);
        }
        row.updated_at = self.later_than(before.updated_at);
        row.updated_by = Some(self.by.name.clone());
        let texts = row.texts();
        transaction.execute(Statement::new(UPDATE, row.values(&texts).to_vec())).await?;
        let difference =
            Difference { before: Some(before.described()), after: Some(row.described()) };
        record(&mut transaction, self.by, row.object(), difference).await?;
        row.change().announce(&mut transaction).await?;
        transaction.commit().await?;
        Ok(Replaced::Done)
    }

    /// Inserts a budget. Gives false when one with its identity exists.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn insert_budget(&self, row: &BudgetRow) -> Result<bool, StoreError> {
        let mut transaction = Transaction::begin(self.db).await?;
        let limits = row.limits.to_text();
        let insert = Statement::new(INSERT_BUDGET, row.values(&limits).to_vec());
        if transaction.execute(insert).await? == 0 {
            return Ok(false);
        }
        let difference = Difference { before: None, after: Some(row.described()) };
        record(&mut transaction, self.by, row.object(), difference).await?;
        Change::Budget(row.id.clone()).announce(&mut transaction).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Replaces a budget as it was read, and says in the row when and by whom.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn update_budget(&self, row: &mut BudgetRow) -> Result<Replaced, StoreError> {
        let mut transaction = Transaction::begin(self.db).await?;
        let lock = Statement::new(LOCK_BUDGET, [Value::from(row.id.as_str())]);
        let Some(before) = transaction.fetch(lock, BudgetRow::read).await?.pop() else {
            return Ok(Replaced::Absent);
        };
        if before.updated_at != row.updated_at {
            return Ok(Replaced::ChangedMeanwhile);
        }
        row.updated_at = self.later_than(before.updated_at);
        row.updated_by = Some(self.by.name.clone());
        let limits = row.limits.to_text();
        let update = Statement::new(UPDATE_BUDGET, row.values(&limits).to_vec());
        transaction.execute(update).await?;
        let difference =
            Difference { before: Some(before.described()), after: Some(row.described()) };
        record(&mut transaction, self.by, row.object(), difference).await?;
        Change::Budget(row.id.clone()).announce(&mut transaction).await?;
        transaction.commit().await?;
        Ok(Replaced::Done)
    }

    /// Deletes a budget. Whoever took rules from it goes on with their own. Gives false when there
    /// is none.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails; nothing is changed then.
    pub async fn delete_budget(&self, id: &BudgetId) -> Result<bool, StoreError> {
        let mut transaction = Transaction::begin(self.db).await?;
        let values = vec![Value::from(id.as_str())];
        for text in LET_GO {
            transaction.execute(Statement::new(text, values.clone())).await?;
        }
        let delete = Statement::new(DELETE_BUDGET, values);
        let Some(row) = transaction.fetch(delete, BudgetRow::read).await?.pop() else {
            return Ok(false);
        };
        let difference = Difference { before: Some(row.described()), after: None };
        record(&mut transaction, self.by, row.object(), difference).await?;
        Change::Budget(id.clone()).announce(&mut transaction).await?;
        transaction.commit().await?;
        Ok(true)
    }
}
