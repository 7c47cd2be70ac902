//! Those whom limits bind beside the keys, in the database, and the budgets they share.

mod delete;
mod row;

use tollgate_domain::{BudgetId, Level, UserId};

use crate::batch::{Statement, Value};
use crate::changes::Change;
use crate::db::on;
use crate::transaction::Transaction;
use crate::{Db, StoreError};
pub use delete::{DeleteEntitiesError, Deleted};
pub use row::{BudgetRow, EntityRow};

pub(crate) const FIND: &str = "SELECT kind, within, id, alias, organization_id, budget_id, \
     blocked, models, \
     limits, metadata, created_at, created_by, updated_at, updated_by FROM entities \
     WHERE kind = $1 AND within = $2 AND id = $3";
const LIST: &str = "SELECT kind, within, id, alias, organization_id, budget_id, blocked, models, \
     limits, metadata, created_at, created_by, updated_at, updated_by FROM entities \
     WHERE kind = $1 AND (within > $2 OR (within = $2 AND id > $3)) ORDER BY within, id LIMIT $4";
const LIST_MEMBERSHIPS: &str = "SELECT kind, within, id, alias, organization_id, budget_id, \
     blocked, models, limits, metadata, created_at, created_by, updated_at, updated_by \
     FROM entities WHERE kind = 'member' AND id = $1 ORDER BY within LIMIT $2";
pub(crate) const INSERT: &str = "INSERT INTO entities (kind, within, id, alias, \
     organization_id, budget_id, \
     blocked, models, limits, metadata, created_at, created_by, updated_at, updated_by) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) \
     ON CONFLICT (kind, within, id) DO NOTHING";
pub(crate) const UPDATE: &str = "UPDATE entities SET alias = $4, organization_id = $5, \
     budget_id = $6, \
     blocked = $7, models = $8, limits = $9, metadata = $10, created_at = $11, created_by = $12, \
     updated_at = $13, updated_by = $14 WHERE kind = $1 AND within = $2 AND id = $3";
pub(crate) const FIND_BUDGET: &str = "SELECT id, limits, created_at, created_by, updated_at, \
     updated_by \
     FROM budgets WHERE id = $1";
const LIST_BUDGETS: &str = "SELECT id, limits, created_at, created_by, updated_at, updated_by \
     FROM budgets WHERE id > $1 ORDER BY id LIMIT $2";
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
const DELETE_BUDGET: &str = "DELETE FROM budgets WHERE id = $1";

/// Most entities that one page has.
pub const ENTITIES_PER_PAGE_MAX: u32 = 1000;

impl Db {
    /// The entity at a level with this identity; `within` is the team of a member or project, else
    /// empty.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails, which says nothing about whether it exists.
    pub async fn find_entity(
        &self,
        level: Level,
        within: &str,
        id: &str,
    ) -> Result<Option<EntityRow>, StoreError> {
        on!(
            self,
            read | pool | {
                let query = sqlx::query(FIND).bind(level.as_str()).bind(within).bind(id);
                let row = query.fetch_optional(pool).await?;
                row.map(|row| EntityRow::read(&row)).transpose()
            }
        )
    }

    /// Up to `most` entities of a level that come after one, by `within` and identity.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn list_entities(
        &self,
        level: Level,
        after: (&str, &str),
        most: u32,
    ) -> Result<Vec<EntityRow>, StoreError> {
        let most = i64::from(most.min(ENTITIES_PER_PAGE_MAX));
        on!(
            self,
            read | pool | {
                let query = sqlx::query(LIST).bind(level.as_str()).bind(after.0).bind(after.1);
                let rows = query.bind(most).fetch_all(pool).await?;
                rows.iter().map(|row| EntityRow::read(row)).collect()
            }
        )
    }

    /// Up to [`ENTITIES_PER_PAGE_MAX`] of a user's memberships, by team.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn list_memberships(&self, user: &UserId) -> Result<Vec<EntityRow>, StoreError> {
        let most = i64::from(ENTITIES_PER_PAGE_MAX);
        on!(
            self,
            read | pool | {
                let query = sqlx::query(LIST_MEMBERSHIPS).bind(user.as_str()).bind(most);
                let rows = query.fetch_all(pool).await?;
                rows.iter().map(|row| EntityRow::read(row)).collect()
            }
        )
    }

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
        let mut transaction = Transaction::begin(self).await?;
        for row in rows {
            let texts = row.texts();
            let values = row.values(&texts).to_vec();
            if transaction.execute(Statement::new(INSERT, values)).await? == 0 {
                return Ok(false);
            }
            let change = Change::entity(row.level, &row.within, &row.id);
            change.announce(&mut transaction).await?;
        }
        transaction.commit().await?;
        Ok(true)
    }

    /// Replaces an entity. Gives false when there is none with its identity.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn update_entity(&self, row: &EntityRow) -> Result<bool, StoreError> {
        let texts = row.texts();
        self.write_row(
            UPDATE,
            row.values(&texts).to_vec(),
            &Change::entity(row.level, &row.within, &row.id),
        )
        .await
    }

    /// The budget with this identity.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn find_budget(&self, id: &BudgetId) -> Result<Option<BudgetRow>, StoreError> {
        on!(
            self,
            read | pool | {
                let row = sqlx::query(FIND_BUDGET).bind(id.as_str()).fetch_optional(pool).await?;
                row.map(|row| BudgetRow::read(&row)).transpose()
            }
        )
    }

    /// Up to `most` budgets that come after one, by identity.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn list_budgets(&self, after: &str, most: u32) -> Result<Vec<BudgetRow>, StoreError> {
        let most = i64::from(most.min(ENTITIES_PER_PAGE_MAX));
        on!(
            self,
            read | pool | {
                let query = sqlx::query(LIST_BUDGETS).bind(after).bind(most);
                let rows = query.fetch_all(pool).await?;
                rows.iter().map(|row| BudgetRow::read(row)).collect()
            }
        )
    }

    /// Inserts a budget. Gives false when one with its identity exists.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn insert_budget(&self, row: &BudgetRow) -> Result<bool, StoreError> {
        let limits = row.limits.to_text();
        let change = Change::Budget(row.id.clone());
        self.write_row(INSERT_BUDGET, row.values(&limits).to_vec(), &change).await
    }

    /// Replaces a budget. Gives false when there is none with its identity.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn update_budget(&self, row: &BudgetRow) -> Result<bool, StoreError> {
        let limits = row.limits.to_text();
        let change = Change::Budget(row.id.clone());
        self.write_row(UPDATE_BUDGET, row.values(&limits).to_vec(), &change).await
    }

    /// Deletes a budget. Whoever took rules from it goes on with their own. Gives false when there
    /// is none.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails; nothing is changed then.
    pub async fn delete_budget(&self, id: &BudgetId) -> Result<bool, StoreError> {
        let mut transaction = Transaction::begin(self).await?;
        let values = vec![Value::from(id.as_str())];
        for text in LET_GO {
            transaction.execute(Statement::new(text, values.clone())).await?;
        }
        let touched = transaction.execute(Statement::new(DELETE_BUDGET, values)).await?;
        Change::Budget(id.clone()).announce(&mut transaction).await?;
        transaction.commit().await?;
        Ok(touched > 0)
    }

    /// Whether the statement touched a row; then the change is told.
    async fn write_row(
        &self,
        text: &'static str,
        values: Vec<Value<'_>>,
        change: &Change,
    ) -> Result<bool, StoreError> {
        let mut transaction = Transaction::begin(self).await?;
        let touched = transaction.execute(Statement::new(text, values)).await?;
        if touched > 0 {
            change.announce(&mut transaction).await?;
        }
        transaction.commit().await?;
        Ok(touched > 0)
    }
}
