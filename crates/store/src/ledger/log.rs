//! Pages of entries, the newest first: the only reading of entries for people.
//!
//! A page is found by its place in the order of admission. It may also be counted off from the
//! newest, but only so far: what is skipped is read all the same.

use std::ops::Range;

use tollgate_domain::{Money, Timestamp};

use super::correction::{CorrectedEntry, corrected_columns};
use super::entry::select_entries;
use crate::batch::{Statement, Value};
use crate::transaction::Transaction;
use crate::{Db, StoreError};

/// Most entries that one page gives.
pub const LOG_ROWS_MAX: usize = 1_000;
/// How far pages may be counted off from the newest entry, and how far entries are counted.
pub const LOG_DEPTH_MAX: usize = 10_000;

/// Which entries are wanted; what is `None` is not asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryFilter {
    /// When they were admitted.
    pub span: Range<Timestamp>,
    /// The call.
    pub call_id: Option<String>,
    /// The key's id.
    pub key_id: Option<String>,
    /// The user.
    pub user_id: Option<String>,
    /// The team.
    pub team_id: Option<String>,
    /// The customer.
    pub customer_id: Option<String>,
    /// The model group.
    pub model_group: Option<String>,
    /// Whether they failed.
    pub failed: Option<bool>,
    /// The deployment.
    pub deployment_id: Option<String>,
    /// The least that they cost, as corrected; an unknown cost counts as nothing.
    pub cost_min: Option<Money>,
    /// The most that they cost.
    pub cost_max: Option<Money>,
}

/// Which of the entries a page gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogPage {
    /// Only entries before this one: when it was admitted, in microseconds, and its call.
    pub before: Option<(i64, String)>,
    /// How many of the newest are left out, at most [`LOG_DEPTH_MAX`].
    pub skip: usize,
    /// How many are given, at most [`LOG_ROWS_MAX`].
    pub rows: usize,
}

/// One line of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedEntry {
    /// The entry, with what was corrected since.
    pub entry: CorrectedEntry,
    /// The hash of its key, in hexadecimal digits, while the key or its record exists.
    pub key_hash: Option<String>,
}

/// A page of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logged {
    /// The entries, the newest first.
    pub entries: Vec<LoggedEntry>,
    /// How many entries there are in all, or one more than [`LOG_DEPTH_MAX`] when there are more
    /// than that.
    pub total: usize,
}

impl Db {
    /// A page of the entries that are wanted, and how many there are in all.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails, or does not answer within fifteen seconds.
    pub async fn log(&self, wanted: &EntryFilter, page: &LogPage) -> Result<Logged, StoreError> {
        let mut reading = Transaction::begin_to_read(self).await?;
        let (text, count) = match &wanted.call_id {
            Some(_) => (ENTRY_OF_CALL, COUNT_OF_CALL),
            None => (ENTRIES, COUNT),
        };
        let end = (wanted.span.end.micros(), String::new());
        let (at, call) = page.before.as_ref().unwrap_or(&end);
        let rows = number(page.rows.min(LOG_ROWS_MAX));
        let mut values = wanted.values((*at, call));
        values.extend([Value::from(rows), Value::from(number(page.skip.min(LOG_DEPTH_MAX)))]);
        let entries = reading.fetch(Statement::new(text, values), |row| {
            let key_hash = row.optional_text("key_hash")?;
            Ok(LoggedEntry { entry: CorrectedEntry::read(row)?, key_hash })
        });
        let entries = entries.await?;
        // All of them are counted, also those that the cursor has passed.
        let mut values = wanted.values((end.0, &end.1));
        values.push(Value::from(number(LOG_DEPTH_MAX + 1)));
        let total = reading.fetch(Statement::new(count, values), |row| row.integer("total"));
        let total = total.await?.first().copied().unwrap_or(0);
        reading.commit().await?;
        Ok(Logged { entries, total: usize::try_from(total).unwrap_or(0) })
    }
}

impl EntryFilter {
    /// The values of the conditions, in their order.
    fn values<'a>(&'a self, (at, call): (i64, &'a str)) -> Vec<Value<'a>> {
        vec![
            Value::from(self.span.start.micros()),
            Value::from(at),
            Value::from(call),
            Value::from(&self.call_id),
            Value::from(&self.key_id),
            Value::from(&self.user_id),
            Value::from(&self.team_id),
            Value::from(&self.customer_id),
            Value::from(&self.model_group),
            Value::from(self.failed.map(i64::from)),
            Value::from(&self.deployment_id),
            Value::from(self.cost_min.map(Money::nanos)),
            Value::from(self.cost_max.map(Money::nanos)),
        ]
    }
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// What an entry cost, as corrected.
macro_rules! cost {
    () => {
        "COALESCE(cost_nanos, 0) + COALESCE((SELECT CAST(SUM(ledger_corrections.cost_nanos) \
         AS BIGINT) FROM ledger_corrections \
         WHERE ledger_corrections.call_id = ledger_entries.call_id), 0)"
    };
}

/// The entries that are wanted. Of one call there is one entry, which its key finds; that has to
/// stand in the text, since a condition that may be absent is no way to a row.
macro_rules! wanted {
    ($call:literal, $rest:literal) => {
        concat!(
            " FROM ledger_entries WHERE admitted_at >= $1 AND (admitted_at, call_id) < ($2, $3) \
             AND ",
            $call,
            " AND ($5 IS NULL OR key_id = $5) AND ($6 IS NULL OR user_id = $6) \
             AND ($7 IS NULL OR team_id = $7) AND ($8 IS NULL OR customer_id = $8) \
             AND ($9 IS NULL OR model_group = $9) \
             AND ($10 IS NULL OR CASE outcome WHEN 'failed' THEN 1 ELSE 0 END = $10) \
             AND ($11 IS NULL OR deployment_id = $11) AND ($12 IS NULL OR ",
            cost!(),
            " >= $12) AND ($13 IS NULL OR ",
            cost!(),
            " <= $13)",
            $rest
        )
    };
}

macro_rules! entries {
    ($call:literal) => {
        concat!(
            select_entries!(""),
            corrected_columns!(),
            ", COALESCE((SELECT hash FROM virtual_keys WHERE id = ledger_entries.key_id), \
             (SELECT hash FROM deleted_virtual_keys WHERE id = ledger_entries.key_id)) AS key_hash",
            wanted!($call, " ORDER BY admitted_at DESC, call_id DESC LIMIT $14 OFFSET $15")
        )
    };
}

macro_rules! count {
    ($call:literal) => {
        concat!("SELECT COUNT(*) AS total FROM (SELECT 1", wanted!($call, " LIMIT $14) AS found"))
    };
}

const ENTRIES: &str = entries!("$4 IS NULL");
const ENTRY_OF_CALL: &str = entries!("call_id = $4");
const COUNT: &str = count!("$4 IS NULL");
const COUNT_OF_CALL: &str = count!("call_id = $4");
