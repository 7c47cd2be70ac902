//! Sums of the ledger per UTC quarter-hour: what every limit and every page reads.
//!
//! They are written in the transaction that writes the entries, so they equal the entries' sums at
//! every instant. The quarter-hour is that of admission: a call belongs wholly to the window in
//! which it was admitted, however long it ran.

mod subjects;
mod waivers;
mod within;

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::ops::Range;
use std::sync::LazyLock;

use foldhash::fast::RandomState;
use tollgate_domain::{Level, Money, Timestamp, UsageKind};

use crate::batch::{Rows, Statement, Value, chunks};
use crate::db::{Columns, on};
use crate::kinds::Kinds;
use crate::ledger::EntryRow;
use crate::transaction::Transaction;
use crate::{Db, StoreError, days};
use subjects::{SubjectOf, subjects};
pub use waivers::Waiver;

/// Sums over entries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Spend {
    /// How many entries there are.
    pub entries: i64,
    /// How many of them failed.
    pub failed: i64,
    /// How many of them have no known cost, so that `cost` lacks it.
    pub unpriced: i64,
    /// What the others cost.
    pub cost: Money,
    /// What was consumed, in thousandths of a unit, in the order of [`UsageKind::ALL`]. An unknown
    /// quantity adds nothing.
    pub usage_milli: [i64; UsageKind::COUNT],
}

impl Spend {
    /// What an entry adds.
    fn of(entry: &EntryRow) -> Self {
        let mut usage_milli = [0; UsageKind::COUNT];
        for (kind, quantity) in entry.usage.known() {
            usage_milli[kind as usize] = i64::try_from(quantity.milli()).unwrap_or(i64::MAX);
        }
        Self {
            entries: 1,
            failed: i64::from(entry.failed()),
            unpriced: i64::from(entry.cost_nanos.is_none()),
            cost: entry.cost().unwrap_or(Money::ZERO),
            usage_milli,
        }
    }

    /// What the correction of an entry's cost adds.
    pub(crate) fn corrected(cost: Money, was_unpriced: bool) -> Self {
        Self { unpriced: -i64::from(was_unpriced), cost, ..Self::default() }
    }

    /// Adds another sum. Money and quantities stay within their range.
    pub fn add(&mut self, share: &Self) {
        self.entries += share.entries;
        self.failed += share.failed;
        self.unpriced += share.unpriced;
        self.cost = self.cost.saturating_add(share.cost);
        for (sum, milli) in self.usage_milli.iter_mut().zip(share.usage_milli) {
            *sum = sum.saturating_add(milli);
        }
    }

    /// Takes away what `part` has of it.
    pub fn subtract(&mut self, part: &Self) {
        self.entries -= part.entries;
        self.failed -= part.failed;
        self.unpriced -= part.unpriced;
        self.cost = self.cost.saturating_sub(part.cost);
        for (sum, milli) in self.usage_milli.iter_mut().zip(part.usage_milli) {
            *sum = sum.saturating_sub(milli);
        }
    }

    pub(crate) fn read(row: &dyn Columns) -> Result<Self, StoreError> {
        let mut usage_milli = [0; UsageKind::COUNT];
        for (sum, column) in usage_milli.iter_mut().zip(EntryRow::USAGE_COLUMNS) {
            *sum = row.integer(column)?;
        }
        Ok(Self {
            entries: row.integer("entries")?,
            failed: row.integer("failed")?,
            unpriced: row.integer("unpriced")?,
            cost: Money::from_nanos(row.integer("cost_nanos")?),
            usage_milli,
        })
    }

    /// The amounts in the order of [`columns`].
    pub(crate) fn amounts(&self) -> impl Iterator<Item = i64> {
        self.counted().into_iter().chain(self.usage_milli)
    }

    const fn counted(&self) -> [i64; COUNTED.len()] {
        [self.entries, self.failed, self.unpriced, self.cost.nanos()]
    }
}

impl Db {
    /// What a subject spent with calls admitted in `span`, which begins and ends at quarter-hours.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn spend(
        &self,
        level: Level,
        subject: &str,
        span: Range<Timestamp>,
    ) -> Result<Spend, StoreError> {
        self.sums(level.as_str(), subject, span).await
    }

    async fn sums(
        &self,
        kind: &str,
        subject: &str,
        span: Range<Timestamp>,
    ) -> Result<Spend, StoreError> {
        let (start, end) = (span.start.micros(), span.end.micros());
        on!(
            self,
            read | pool | {
                let query = sqlx::query(SPEND.as_str()).bind(kind).bind(subject);
                Spend::read(&query.bind(start).bind(end).fetch_one(pool).await?)
            }
        )
    }
}

/// Adds entries to the sums of everything they belong to, each sum touched once. Statements name
/// these quantities in any case.
pub(crate) async fn add(
    transaction: &mut Transaction,
    entries: impl Iterator<Item = &EntryRow>,
    kinds: Kinds,
    now: Timestamp,
) -> Result<(), StoreError> {
    add_shares(transaction, entries.map(|entry| (entry, Spend::of(entry))), kinds, now).await
}

/// Adds shares to the sums of everything that the entries beside them belong to.
pub(crate) async fn add_shares(
    transaction: &mut Transaction,
    shares: impl Iterator<Item = (&EntryRow, Spend)>,
    kinds: Kinds,
    now: Timestamp,
) -> Result<(), StoreError> {
    let sums = summed(shares).await;
    days::reopen_old(transaction, sums.keys().map(|place| place.bucket), now).await?;
    let mut sums: Vec<(&Place<'_>, &Spend)> = sums.iter().collect();
    // So that two gateways lock the rows they share in one order.
    sums.sort_unstable_by_key(|(place, _)| *place);
    let used = Kinds::used(sums.iter().map(|(_, sum)| &sum.usage_milli));
    let add = Add::of(kinds.with(used));
    for chunk in chunks(&sums) {
        let subjects: Vec<Cow<'_, str>> =
            chunk.iter().map(|(place, _)| place.subject.text()).collect();
        transaction.execute(add.statement(chunk, &subjects)).await?;
    }
    Ok(())
}

/// A sum's place in the table.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Place<'a> {
    subject: SubjectOf<'a>,
    bucket: i64,
}

async fn summed<'a>(
    shares: impl Iterator<Item = (&'a EntryRow, Spend)>,
) -> HashMap<Place<'a>, Spend, RandomState> {
    let mut sums: HashMap<Place<'a>, Spend, RandomState> = HashMap::default();
    for (number, (entry, share)) in (1..).zip(shares) {
        if number % SUMMED_AT_ONCE == 0 {
            // Calls wait for this thread.
            tokio::task::yield_now().await;
        }
        let bucket = Timestamp::from_micros(entry.admitted_at).quarter_hour().micros();
        for subject in subjects(entry) {
            sums.entry(Place { subject, bucket }).or_default().add(&share);
        }
    }
    sums
}

/// The columns that are sums.
pub(crate) fn columns() -> impl Iterator<Item = &'static str> {
    COUNTED.into_iter().chain(EntryRow::USAGE_COLUMNS)
}

/// The statement that adds to sums of these quantities.
struct Add {
    kinds: Kinds,
    head: String,
    /// Zero for each of the other quantities.
    constants: String,
    tail: String,
}

impl Add {
    fn of(kinds: Kinds) -> Self {
        let added = || COUNTED.into_iter().chain(kinds.each().map(column));
        let mut head = String::from("INSERT INTO spend_quarter_hours (kind, subject, bucket_at");
        for column in added().chain(kinds.others().map(column)) {
            head.push_str(", ");
            head.push_str(column);
        }
        head.push_str(") VALUES");
        let mut tail = String::from("ON CONFLICT (kind, subject, bucket_at) DO UPDATE SET ");
        for (index, column) in added().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            // Held at the largest integer: one engine would refuse a larger sum, and with it every
            // later group of the ledger, and the other would make it a floating-point number.
            let _ = write!(
                tail,
                "{comma}{column} = CASE WHEN excluded.{column} > 0 \
                 AND spend_quarter_hours.{column} > {max} - excluded.{column} THEN {max} \
                 ELSE spend_quarter_hours.{column} + excluded.{column} END",
                max = i64::MAX
            );
        }
        Self { kinds, head, constants: ", 0".repeat(kinds.others().count()), tail }
    }

    fn statement<'a>(
        &'a self,
        sums: &[(&'a Place<'_>, &Spend)],
        subjects: &'a [Cow<'_, str>],
    ) -> Statement<'a> {
        let columns = KEY_COLUMNS + COUNTED.len() + self.kinds.each().count();
        let mut values = Vec::with_capacity(sums.len() * columns);
        for ((place, spend), subject) in sums.iter().zip(subjects) {
            values.extend([Value::from(place.subject.kind()), Value::from(&**subject)]);
            values.push(Value::from(place.bucket));
            values.extend(spend.counted().map(Value::from));
            let quantities = self.kinds.each().map(|kind| spend.usage_milli[kind as usize]);
            values.extend(quantities.map(Value::from));
        }
        let Self { head, constants, tail, .. } = self;
        Rows { head, columns, constants, tail }.of(values)
    }
}

/// How many entries are summed before others get their turn.
const SUMMED_AT_ONCE: usize = 128;
/// How many columns say which sum it is.
const KEY_COLUMNS: usize = 3;
/// The sums that are no quantities, in the order of [`Spend::counted`].
const COUNTED: [&str; 4] = ["entries", "failed", "unpriced", "cost_nanos"];

const fn column(kind: UsageKind) -> &'static str {
    EntryRow::USAGE_COLUMNS[kind as usize]
}

static SPEND: LazyLock<String> = LazyLock::new(|| {
    let sums: Vec<String> = columns()
        .map(|column| format!("CAST(COALESCE(SUM({column}), 0) AS BIGINT) AS {column}"))
        .collect();
    format!(
        "SELECT {} FROM spend_quarter_hours \
         WHERE kind = $1 AND subject = $2 AND bucket_at >= $3 AND bucket_at < $4",
        sums.join(", ")
    )
});
