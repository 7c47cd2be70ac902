//! The record of changes as it is read: the newest first, page by page.

use serde_json::Value as Json;
use tollgate_domain::Timestamp;

use crate::batch::{Statement, Value};
use crate::db::{Columns, json};
use crate::transaction::Transaction;
use crate::{Db, StoreError};

/// Most rows that one page gives.
pub const AUDIT_ROWS_MAX: usize = 1_000;

macro_rules! rows_where {
    ($head:literal, $tail:literal) => {
        concat!(
            $head,
            " FROM audit_log WHERE (CAST($1 AS BIGINT) IS NULL OR number < $1) \
             AND (CAST($2 AS TEXT) IS NULL OR kind = $2) \
             AND (CAST($3 AS TEXT) IS NULL OR object_id = $3) \
             AND (CAST($4 AS TEXT) IS NULL OR changed_by = $4) \
             AND (CAST($5 AS TEXT) IS NULL OR action = $5) \
             AND (CAST($6 AS BIGINT) IS NULL OR changed_at >= $6) \
             AND (CAST($7 AS BIGINT) IS NULL OR changed_at < $7)",
            $tail
        )
    };
}

const LIST: &str = rows_where!(
    "SELECT number, changed_at, changed_by, key_id, address, on_behalf_of, action, kind, within, \
     object_id, before_value, after_value",
    " ORDER BY number DESC LIMIT $8 OFFSET $9"
);
const COUNT: &str = rows_where!("SELECT CAST(COUNT(*) AS BIGINT) AS total", "");

/// Which changes are wanted; what is `None` is not asked about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Only those recorded before this one.
    pub before: Option<i64>,
    /// What kind of thing was changed.
    pub kind: Option<String>,
    /// What was changed.
    pub object: Option<String>,
    /// Who changed it.
    pub by: Option<String>,
    /// What was done.
    pub action: Option<String>,
    /// From when on.
    pub from: Option<Timestamp>,
    /// Before when.
    pub to: Option<Timestamp>,
}

/// One recorded change.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditRow {
    /// Its number, in the order of recording.
    pub number: i64,
    /// When.
    pub changed_at: Timestamp,
    /// Who.
    pub changed_by: String,
    /// The public identity of the key they called with.
    pub key: Option<String>,
    /// Where the request came from.
    pub address: Option<String>,
    /// On whose behalf, as the caller said.
    pub on_behalf_of: Option<String>,
    /// What was done.
    pub action: String,
    /// What kind of thing was changed.
    pub kind: String,
    /// The team it is within.
    pub within: String,
    /// What was changed.
    pub object: String,
    /// What it was.
    pub before: Option<Json>,
    /// What it became.
    pub after: Option<Json>,
}

/// A page of changes.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditPage {
    /// The changes, the newest first.
    pub rows: Vec<AuditRow>,
    /// How many are wanted in all.
    pub total: u64,
}

impl Db {
    /// Up to `most` of the wanted changes after the first `skip`, the newest first.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn audit_log(
        &self,
        wanted: &AuditFilter,
        (skip, most): (usize, usize),
    ) -> Result<AuditPage, StoreError> {
        let mut reading = Transaction::begin_to_read(self).await?;
        let mut values = wanted.values();
        let count = Statement::new(COUNT, values.clone());
        let total = reading.fetch(count, |row| row.integer("total")).await?;
        let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        values.extend([number(most.min(AUDIT_ROWS_MAX)), number(skip)].map(Value::from));
        let rows = reading.fetch(Statement::new(LIST, values), AuditRow::read).await?;
        reading.commit().await?;
        let total = total.first().and_then(|total| u64::try_from(*total).ok());
        Ok(AuditPage { rows, total: total.unwrap_or_default() })
    }
}

impl AuditFilter {
    fn values(&self) -> Vec<Value<'_>> {
        vec![
            Value::from(self.before),
            Value::from(&self.kind),
            Value::from(&self.object),
            Value::from(&self.by),
            Value::from(&self.action),
            Value::from(self.from.map(Timestamp::micros)),
            Value::from(self.to.map(Timestamp::micros)),
        ]
    }
}

impl AuditRow {
    fn read(row: &dyn Columns) -> Result<Self, StoreError> {
        let value = |name| match row.optional_text(name)? {
            Some(_) => json(row, name).map(Some),
            None => Ok(None),
        };
        Ok(Self {
            number: row.integer("number")?,
            changed_at: Timestamp::from_micros(row.integer("changed_at")?),
            changed_by: row.text("changed_by")?,
            key: row.optional_text("key_id")?,
            address: row.optional_text("address")?,
            on_behalf_of: row.optional_text("on_behalf_of")?,
            action: row.text("action")?,
            kind: row.text("kind")?,
            within: row.text("within")?,
            object: row.text("object_id")?,
            before: value("before_value")?,
            after: value("after_value")?,
        })
    }
}
