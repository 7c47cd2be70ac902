//! Corrections: what an entry's cost turned out to be. Entries themselves are never changed.
//!
//! A correction is the difference to what was known before, added to the sums of the entry's own
//! quarter-hour in the transaction that writes it. Its key is the entry's call and its number, so
//! that of two corrections made from the same knowledge only one is written.

use std::collections::HashSet;
use std::ops::Range;

use tollgate_domain::{Money, PriceSheetId, Timestamp};

use super::entry::{EntryRow, select_entries};
use crate::batch::{Statement, Value, chunks};
use crate::db::{Columns, on};
use crate::kinds::Kinds;
use crate::spend::{self, Spend};
use crate::transaction::Transaction;
use crate::{Db, StoreError};

/// Most entries that one page gives, and most corrections that one transaction writes.
const PAGE_ROWS_MAX: i64 = 512;

/// An entry and the sum of its corrections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CorrectedEntry {
    /// The entry as it was written.
    pub row: EntryRow,
    /// How many corrections it has.
    corrections: i64,
    /// Their sum, in nano-dollars.
    corrected_nanos: i64,
}

/// The next correction of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Correction {
    entry: CorrectedEntry,
    price_sheet_id: PriceSheetId,
    difference: Money,
}

/// Where a page of entries begins and what it gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryPage {
    /// When the entries were admitted.
    pub span: Range<Timestamp>,
    /// Only entries of this model group, or all.
    pub model_group: Option<String>,
    /// The last entry that was seen: when it was admitted, and its call.
    after: Option<(i64, String)>,
}

impl CorrectedEntry {
    pub(super) fn read(row: &dyn Columns) -> Result<Self, StoreError> {
        Ok(Self {
            row: EntryRow::read(row)?,
            corrections: row.integer("corrections")?,
            corrected_nanos: row.integer("corrected_nanos")?,
        })
    }

    /// What the call cost as far as is known now, or `None` when no price was ever known.
    #[must_use]
    pub fn cost(&self) -> Option<Money> {
        let corrected = Money::from_nanos(self.corrected_nanos);
        match self.row.cost() {
            Some(cost) => Some(cost.saturating_add(corrected)),
            None => (self.corrections > 0).then_some(corrected),
        }
    }

    /// The correction after which the call costs this much by this price sheet; `None` when it
    /// does already.
    #[must_use]
    pub fn corrected(self, cost: Money, price_sheet_id: PriceSheetId) -> Option<Correction> {
        let known = self.cost();
        let difference = cost.saturating_sub(known.unwrap_or(Money::ZERO));
        let needed = known.is_none() || difference != Money::ZERO;
        needed.then_some(Correction { entry: self, price_sheet_id, difference })
    }
}

impl Correction {
    /// What it adds to the cost; below zero when the call was charged too much.
    #[must_use]
    pub const fn difference(&self) -> Money {
        self.difference
    }

    /// What is added to the sums.
    fn share(&self) -> Spend {
        Spend::corrected(self.difference, self.entry.cost().is_none())
    }

    fn values(&self, now: Timestamp) -> [Value<'_>; 5] {
        [
            Value::from(&self.entry.row.call_id),
            Value::from(self.entry.corrections + 1),
            Value::from(now.micros()),
            Value::from(self.price_sheet_id.as_str()),
            Value::from(self.difference.nanos()),
        ]
    }
}

impl EntryPage {
    /// The first page of the entries admitted in a span.
    #[must_use]
    pub const fn first(span: Range<Timestamp>, model_group: Option<String>) -> Self {
        Self { span, model_group, after: None }
    }

    /// The page after this one, which ended with `last`.
    #[must_use]
    pub fn after(self, last: &CorrectedEntry) -> Self {
        Self { after: Some((last.row.admitted_at, last.row.call_id.clone())), ..self }
    }
}

impl Db {
    /// The entries of a page, by admission: at most 512, and none after the last.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn corrected_entries(
        &self,
        page: &EntryPage,
    ) -> Result<Vec<CorrectedEntry>, StoreError> {
        let (start, end) = (page.span.start.micros(), page.span.end.micros());
        // No call's id is empty: from there on every entry of the first instant comes after.
        let (at, call) = page.after.as_ref().map_or((start, ""), |(at, call)| (*at, call));
        on!(
            self,
            read | pool | {
                let query = sqlx::query(PAGE).bind(at).bind(call).bind(end);
                let query = query.bind(page.model_group.as_deref()).bind(PAGE_ROWS_MAX);
                let rows = query.fetch_all(pool).await?;
                rows.iter().map(|row| CorrectedEntry::read(row)).collect()
            }
        )
    }

    /// Writes corrections and adds them to the sums, wholly or not at all, and says how many were
    /// written: one whose number another program wrote meanwhile is left out.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn correct(
        &self,
        corrections: &[Correction],
        now: Timestamp,
    ) -> Result<usize, StoreError> {
        let mut transaction = Transaction::begin(self).await?;
        let mut written = Vec::with_capacity(corrections.len());
        for chunk in chunks(corrections) {
            let values = chunk.iter().flat_map(|correction| correction.values(now)).collect();
            let statement = Statement::rows(INSERT, COLUMNS, INSERTED, values);
            let new = transaction.fetch(statement, |row| row.text("call_id")).await?;
            let mut new: HashSet<String> = new.into_iter().collect();
            written.extend(chunk.iter().filter(|it| new.remove(&it.entry.row.call_id)));
        }
        let shares = written.iter().map(|it| (&it.entry.row, it.share()));
        spend::add_shares(&mut transaction, shares, Kinds::default(), now).await?;
        transaction.commit().await?;
        Ok(written.len())
    }
}

/// The columns that an entry's corrections add to its own.
macro_rules! corrected_columns {
    () => {
        ", (SELECT COUNT(*) FROM ledger_corrections \
         WHERE ledger_corrections.call_id = ledger_entries.call_id) AS corrections, \
         CAST(COALESCE((SELECT SUM(ledger_corrections.cost_nanos) FROM ledger_corrections \
         WHERE ledger_corrections.call_id = ledger_entries.call_id), 0) AS BIGINT) \
         AS corrected_nanos"
    };
}
pub(super) use corrected_columns;

const PAGE: &str = concat!(
    select_entries!(""),
    corrected_columns!(),
    " FROM ledger_entries WHERE (admitted_at, call_id) > ($1, $2) AND admitted_at < $3 \
     AND (CAST($4 AS TEXT) IS NULL OR model_group = $4) ORDER BY admitted_at, call_id LIMIT $5"
);

const INSERT: &str = "INSERT INTO ledger_corrections \
     (call_id, number, corrected_at, price_sheet_id, cost_nanos) VALUES";
const INSERTED: &str = "ON CONFLICT (call_id, number) DO NOTHING RETURNING call_id";
/// How many columns a correction has.
const COLUMNS: usize = 5;
