//! Many keys at once: pages of them, and those of a team that moves.

use tollgate_domain::{KeyHash, KeyId, OrganizationId, TeamId};

use super::{KeyRow, read_hash};
use crate::batch::{Statement, Value};
use crate::changes::Change;
use crate::db::{Columns as _, on, unreadable};
use crate::transaction::Transaction;
use crate::{Db, StoreError};

/// Most keys that one page has.
pub const KEYS_PER_PAGE_MAX: u32 = 100;

/// Which keys a list shows: those to which everything applies that is said here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyFilter {
    /// The user they belong to.
    pub user: Option<String>,
    /// The team they belong to.
    pub team: Option<String>,
    /// The organization they belong to.
    pub organization: Option<String>,
    /// The project they belong to.
    pub project: Option<String>,
    /// Their alias.
    pub alias: Option<String>,
    /// Their hash in hexadecimal digits.
    pub hash: Option<String>,
}

/// One page of keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPage {
    /// The keys, the newest first.
    pub keys: Vec<KeyRow>,
    /// How many there are on all pages.
    pub total: u64,
}

macro_rules! keys_where {
    ($head:literal, $tail:literal) => {
        concat!(
            $head,
            " FROM virtual_keys WHERE (CAST($1 AS TEXT) IS NULL OR user_id = $1) \
             AND (CAST($2 AS TEXT) IS NULL OR team_id = $2) \
             AND (CAST($3 AS TEXT) IS NULL OR organization_id = $3) \
             AND (CAST($4 AS TEXT) IS NULL OR project_id = $4) \
             AND (CAST($5 AS TEXT) IS NULL OR alias = $5) \
             AND (CAST($6 AS TEXT) IS NULL OR hash = $6)",
            $tail
        )
    };
}

const LIST: &str = keys_where!(
    "SELECT id, hash, name, alias, user_id, team_id, organization_id, models, max_budget_nanos, \
     expires_at, blocked, metadata, created_at, created_by, updated_at, updated_by, limits, \
     budget_id, project_id",
    " ORDER BY created_at DESC, id LIMIT $7 OFFSET $8"
);
const COUNT: &str = keys_where!("SELECT CAST(COUNT(*) AS BIGINT) AS total", "");

const MOVE: &str = "UPDATE virtual_keys SET organization_id = $3 WHERE team_id = $1 \
     AND (organization_id = $2 OR (organization_id IS NULL AND CAST($2 AS TEXT) IS NULL)) \
     RETURNING id, hash";

impl Db {
    /// Moves a team's keys that belong to one organization, or to none, to another. Keys of other
    /// organizations stay. Gives those that were moved.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails; nothing is moved then.
    pub async fn move_keys(
        &self,
        team: &TeamId,
        from: Option<&OrganizationId>,
        to: Option<&OrganizationId>,
    ) -> Result<Vec<KeyHash>, StoreError> {
        let mut transaction = Transaction::begin(self).await?;
        let organization = |id: Option<&'_ OrganizationId>| id.map(|id| id.as_str().to_owned());
        let (from, to) = (organization(from), organization(to));
        let values = [Value::from(team.as_str()), Value::from(&from), Value::from(&to)];
        let read = |row: &dyn crate::db::Columns| {
            let id = KeyId::new(&row.text("id")?).map_err(|error| unreadable("id", &error))?;
            Ok((id, read_hash(&row.text("hash")?)?))
        };
        let moved = transaction.fetch(Statement::new(MOVE, values), read).await?;
        for (id, _) in &moved {
            Change::Key(id.clone()).announce(&mut transaction).await?;
        }
        transaction.commit().await?;
        Ok(moved.into_iter().map(|(_, hash)| hash).collect())
    }

    /// A page of keys, counted from zero, with up to `size` of them.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn list_keys(
        &self,
        filter: &KeyFilter,
        page: u32,
        size: u32,
    ) -> Result<KeyPage, StoreError> {
        let size = i64::from(size.min(KEYS_PER_PAGE_MAX));
        let offset = i64::from(page).saturating_mul(size);
        let KeyFilter { user, team, organization, project, alias, hash } = filter;
        let named = [user, team, organization, project, alias, hash].map(Option::as_deref);
        on!(
            self,
            read | pool | {
                let count = named.iter().fold(sqlx::query(COUNT), |query, id| query.bind(*id));
                let total = count.fetch_one(pool).await?.integer("total")?;
                let query = named.iter().fold(sqlx::query(LIST), |query, id| query.bind(*id));
                let rows = query.bind(size).bind(offset).fetch_all(pool).await?;
                let keys = rows.iter().map(|row| KeyRow::read(row)).collect::<Result<_, _>>()?;
                Ok(KeyPage { keys, total: u64::try_from(total).unwrap_or(0) })
            }
        )
    }
}
