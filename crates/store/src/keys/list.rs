//! Many keys at once: pages of them, and those of a team that moves.

use std::fmt::Write as _;

use tollgate_domain::{KeyHash, KeyId, OrganizationId, TeamId, Timestamp};

use super::{KeyRow, read_hash};
use crate::batch::{Statement, Value};
use crate::changes::Change;
use crate::db::unreadable;
use crate::transaction::Transaction;
use crate::{Db, StoreError};

/// Most keys that one page has.
pub const KEYS_PER_PAGE_MAX: u32 = 100;

/// Which keys a list shows, in which order: those to which everything applies that is said here.
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
    /// A part of their alias, in upper or lower case.
    pub alias_part: Option<String>,
    /// Only those that have an alias.
    pub named: bool,
    /// Their hash in hexadecimal digits.
    pub hash: Option<String>,
    /// Any of these applies, where anything is said.
    pub reach: Option<KeyReach>,
    /// They can be used at this instant, as far as their expiry goes.
    pub live_at: Option<Timestamp>,
    /// They have expired by this instant.
    pub ended_at: Option<Timestamp>,
    /// Those that were deleted, in place of those that there are.
    pub deleted: bool,
    /// What they are ordered by.
    pub sort: KeySort,
    /// Whether the smallest come first.
    pub ascending: bool,
}

/// Keys that somebody may be shown: those of a user, of any of some teams, or made by somebody.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyReach {
    /// The user.
    pub user: Option<String>,
    /// The teams.
    pub teams: Vec<String>,
    /// Who made them.
    pub created_by: Option<String>,
}

/// What a list of keys is ordered by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum KeySort {
    /// When they were made.
    #[default]
    CreatedAt,
    /// When they were last changed.
    UpdatedAt,
    /// When they expire.
    ExpiresAt,
    /// Their alias.
    Alias,
    /// Their user.
    User,
    /// Their team.
    Team,
    /// Their budget.
    MaxBudget,
}

/// One page of keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPage {
    /// The keys.
    pub keys: Vec<KeyRow>,
    /// How many there are on all pages.
    pub total: u64,
}

impl KeySort {
    const fn column(self) -> &'static str {
        match self {
            Self::CreatedAt => "created_at",
            Self::UpdatedAt => "updated_at",
            Self::ExpiresAt => "expires_at",
            Self::Alias => "alias",
            Self::User => "user_id",
            Self::Team => "team_id",
            Self::MaxBudget => "max_budget_nanos",
        }
    }
}

/// The end of a statement that lists keys: its table and its conditions.
struct Listing<'a> {
    text: String,
    values: Vec<Value<'a>>,
}

impl<'a> Listing<'a> {
    fn of(filter: &'a KeyFilter, part: &'a Option<String>) -> Self {
        let table = if filter.deleted { "deleted_virtual_keys" } else { "virtual_keys" };
        let mut listing = Self { text: format!(" FROM {table} WHERE 1 = 1"), values: Vec::new() };
        let KeyFilter { user, team, organization, project, alias, hash, .. } = filter;
        for (column, named) in [
            ("user_id", user),
            ("team_id", team),
            ("organization_id", organization),
            ("project_id", project),
            ("alias", alias),
            ("hash", hash),
        ] {
            if let Some(id) = named {
                listing.and(&format!("{column} ="), Value::from(id));
            }
        }
        if let Some(part) = part {
            listing.and("LOWER(alias) LIKE", Value::from(part));
            listing.text.push_str(" ESCAPE '!'");
        }
        if filter.named {
            listing.text.push_str(" AND alias IS NOT NULL");
        }
        if let Some(at) = filter.live_at {
            listing.and("(expires_at IS NULL OR expires_at >", Value::from(at.micros()));
            listing.text.push(')');
        }
        if let Some(at) = filter.ended_at {
            listing.and("expires_at <=", Value::from(at.micros()));
        }
        if let Some(reach) = &filter.reach {
            listing.within(reach);
        }
        listing
    }

    /// One more condition, which a placeholder ends.
    fn and(&mut self, condition: &str, value: Value<'a>) {
        self.text.push_str(" AND ");
        self.push(condition, value);
    }

    fn push(&mut self, condition: &str, value: Value<'a>) {
        self.values.push(value);
        // Writing to a String cannot fail.
        let _ = write!(self.text, "{condition} ${}", self.values.len());
    }

    fn within(&mut self, reach: &'a KeyReach) {
        self.text.push_str(" AND (1 = 0");
        let user = reach.user.iter().map(|id| ("user_id", id));
        let by = reach.created_by.iter().map(|id| ("created_by", id));
        let teams = reach.teams.iter().map(|id| ("team_id", id));
        for (column, id) in user.chain(by).chain(teams) {
            self.push(&format!(" OR {column} ="), Value::from(id));
        }
        self.text.push(')');
    }
}

/// The pattern of a text that contains this one, whatever the case of its letters.
fn containing(part: &str) -> String {
    let mut pattern = String::from("%");
    for character in part.to_lowercase().chars() {
        if matches!(character, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}

const COLUMNS: &str = "SELECT id, hash, name, alias, user_id, team_id, organization_id, models, \
     max_budget_nanos, expires_at, blocked, metadata, created_at, created_by, updated_at, \
     updated_by, limits, budget_id, project_id, rules";

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
        let part = filter.alias_part.as_deref().map(containing);
        let Listing { text, mut values } = Listing::of(filter, &part);
        let count = format!("SELECT CAST(COUNT(*) AS BIGINT) AS total{text}");
        let (column, places) = (filter.sort.column(), values.len());
        let order = if filter.ascending { "ASC" } else { "DESC" };
        let list = format!(
            "{COLUMNS}{text} ORDER BY ({column} IS NULL), {column} {order}, id \
             LIMIT ${} OFFSET ${}",
            places + 1,
            places + 2
        );
        let mut reading = Transaction::begin_to_read(self).await?;
        let counting = Statement::built(&count, values.clone());
        let total = reading.fetch(counting, |row| row.integer("total")).await?;
        values.extend([Value::from(size), Value::from(offset)]);
        let keys = reading.fetch(Statement::built(&list, values), KeyRow::read).await?;
        reading.commit().await?;
        let total = total.first().copied().unwrap_or(0);
        Ok(KeyPage { keys, total: u64::try_from(total).unwrap_or(0) })
    }
}
