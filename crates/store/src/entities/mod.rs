//! Those whom limits bind beside the keys, in the database, and the budgets they share.

mod delete;
pub(crate) mod edit;
mod row;

use tollgate_domain::{BudgetId, Level, UserId};

use crate::db::on;
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
     FROM entities WHERE kind = $1 AND id = $2 ORDER BY within LIMIT $3";
pub(crate) const FIND_BUDGET: &str = "SELECT id, limits, created_at, created_by, updated_at, \
     updated_by \
     FROM budgets WHERE id = $1";
const LIST_BUDGETS: &str = "SELECT id, limits, created_at, created_by, updated_at, updated_by \
     FROM budgets WHERE id > $1 ORDER BY id LIMIT $2";

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

    /// Up to [`ENTITIES_PER_PAGE_MAX`] of a user's memberships in teams, or in organizations, by
    /// the identity of these.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn list_memberships(
        &self,
        level: Level,
        user: &UserId,
    ) -> Result<Vec<EntityRow>, StoreError> {
        let most = i64::from(ENTITIES_PER_PAGE_MAX);
        on!(
            self,
            read | pool | {
                let query = sqlx::query(LIST_MEMBERSHIPS)
                    .bind(level.as_str())
                    .bind(user.as_str())
                    .bind(most);
                let rows = query.fetch_all(pool).await?;
                rows.iter().map(|row| EntityRow::read(row)).collect()
            }
        )
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
}
