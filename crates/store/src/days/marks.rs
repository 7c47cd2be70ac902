//! The marks of days: which are summed, whose turn it is, and who takes that back.
//!
//! Each statement that changes a mark counts its turn on, and whoever sums a day goes on only while
//! the turn is still its own. On Postgres whoever begins a day and whoever writes to an old
//! quarter-hour take one lock first: what was being written is committed before a day begins, and
//! what is written later finds the day's mark.

use tollgate_domain::Timestamp;
use tollgate_policy::Span;

use super::plan::Mark;
use super::{OLD_AFTER, before};
use crate::batch::{Statement, Value, chunks};
use crate::db::Columns;
use crate::transaction::Transaction;
use crate::{Db, StoreError};

/// A day that somebody works on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Turn {
    pub(super) day: Span,
    turn: i64,
}

/// All marks, and the first quarter-hour of everything, if there is one.
pub(super) async fn read(db: &Db) -> Result<(Vec<Mark>, Option<Timestamp>), StoreError> {
    let mut reading = Transaction::begin_to_read(db).await?;
    let mark = |row: &dyn Columns| Ok(Mark { day: day(row)?, summed: row.integer("summed")? == 1 });
    let marks = reading.fetch(Statement::new(MARKS, []), mark).await?;
    let first = reading.fetch(Statement::new(FIRST, []), |row| row.optional_integer("first_at"));
    let first = first.await?.pop().flatten().map(Timestamp::from_micros);
    reading.commit().await?;
    Ok((marks, first))
}

/// The summed days within a span, in their order; none overlaps another.
pub(crate) async fn summed_within(
    reading: &mut Transaction,
    span: Span,
) -> Result<Vec<Span>, StoreError> {
    let span = [Value::from(span.start.micros()), Value::from(span.end.micros())];
    reading.fetch(Statement::new(SUMMED, span), day).await
}

/// Takes back the sums of the days that old ones among these quarter-hours belong to. To be called
/// before something is added to them, in the same transaction.
pub(crate) async fn reopen_old(
    transaction: &mut Transaction,
    quarters: impl Iterator<Item = i64>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let old = before(now, OLD_AFTER).micros();
    reopen(transaction, quarters.filter(|at| *at < old)).await
}

/// The same for quarter-hours of any age.
pub(crate) async fn reopen(
    transaction: &mut Transaction,
    quarters: impl Iterator<Item = i64>,
) -> Result<(), StoreError> {
    let mut quarters: Vec<i64> = quarters.collect();
    if quarters.is_empty() {
        return Ok(());
    }
    quarters.sort_unstable();
    quarters.dedup();
    transaction.alone(LOCK).await?;
    for chunk in chunks(&quarters) {
        let values = chunk.iter().map(|at| Value::from(*at)).collect();
        transaction.execute(Statement::rows(QUARTERS, 1, REOPEN, values)).await?;
    }
    Ok(())
}

/// Takes back the sums of days that end after an instant.
pub(super) async fn reopen_after(db: &Db, at: Timestamp) -> Result<(), StoreError> {
    let mut transaction = Transaction::begin(db).await?;
    transaction.alone(LOCK).await?;
    transaction.execute(Statement::new(REOPEN_AFTER, [at.micros().into()])).await?;
    transaction.commit().await
}

/// Begins to sum a day. `None` where it is summed already, or rows of another day begin there.
pub(super) async fn begin(db: &Db, day: Span) -> Result<Option<Turn>, StoreError> {
    let mut transaction = Transaction::begin(db).await?;
    transaction.alone(LOCK).await?;
    transaction.execute(Statement::new(REOPEN_OTHERS, edges(day))).await?;
    let begun = Statement::new(BEGIN, edges(day));
    let turn = transaction.fetch(begun, |row| row.integer("turn")).await?.pop();
    transaction.commit().await?;
    Ok(turn.map(|turn| Turn { day, turn }))
}

/// Begins to remove a day's rows. `None` where it is another day by now.
pub(super) async fn withdraw(db: &Db, day: Span) -> Result<Option<Turn>, StoreError> {
    let mut transaction = Transaction::begin(db).await?;
    transaction.alone(LOCK).await?;
    let withdrawn = Statement::new(WITHDRAW, edges(day));
    let turn = transaction.fetch(withdrawn, |row| row.integer("turn")).await?.pop();
    transaction.commit().await?;
    Ok(turn.map(|turn| Turn { day, turn }))
}

/// Whether the turn is still one's own; nobody else takes it before the transaction ends.
pub(super) async fn hold(transaction: &mut Transaction, turn: Turn) -> Result<bool, StoreError> {
    Ok(transaction.execute(turn.statement(HOLD)).await? == 1)
}

/// Says that a day's rows are its sums. Gives whether they are: nothing happened to the day since
/// it was begun.
pub(super) async fn finish(db: &Db, turn: Turn) -> Result<bool, StoreError> {
    end(db, turn, FINISH).await
}

/// Says that a day has no rows.
pub(super) async fn forget(db: &Db, turn: Turn) -> Result<bool, StoreError> {
    end(db, turn, FORGET).await
}

async fn end(db: &Db, turn: Turn, text: &'static str) -> Result<bool, StoreError> {
    let mut transaction = Transaction::begin(db).await?;
    let ended = transaction.execute(turn.statement(text)).await? == 1;
    transaction.commit().await?;
    Ok(ended)
}

impl Turn {
    fn statement(self, text: &'static str) -> Statement<'static> {
        let values = [Value::from(self.day.start.micros()), Value::from(self.turn)];
        Statement::new(text, values)
    }
}

fn day(row: &dyn Columns) -> Result<Span, StoreError> {
    Ok(Span {
        start: Timestamp::from_micros(row.integer("start_at")?),
        end: Timestamp::from_micros(row.integer("end_at")?),
    })
}

fn edges(day: Span) -> [Value<'static>; 2] {
    [Value::from(day.start.micros()), Value::from(day.end.micros())]
}

/// The number is `days` in ASCII; only what takes back or begins the sums of days uses it.
const LOCK: i64 = 1_684_109_683;

const MARKS: &str = "SELECT start_at, end_at, summed FROM summed_days ORDER BY start_at";
/// Whatever was written is part of everything, but for sums of a takeover that are only of some.
const FIRST: &str = "SELECT MIN(bucket_at) AS first_at FROM spend_quarter_hours \
     WHERE kind = 'all' AND subject = ''";
const SUMMED: &str = "SELECT start_at, end_at FROM summed_days \
     WHERE summed = 1 AND start_at >= $1 AND start_at < $2 AND end_at <= $2 ORDER BY start_at";

const QUARTERS: &str = "WITH quarters (bucket_at) AS (VALUES";
const REOPEN: &str = ") UPDATE summed_days SET summed = 0, turn = turn + 1 WHERE EXISTS \
     (SELECT 1 FROM quarters WHERE bucket_at >= start_at AND bucket_at < end_at)";
const REOPEN_AFTER: &str = "UPDATE summed_days SET summed = 0, turn = turn + 1 \
     WHERE end_at > $1 AND summed = 1";
const REOPEN_OTHERS: &str = "UPDATE summed_days SET summed = 0, turn = turn + 1 \
     WHERE start_at < $2 AND end_at > $1 AND NOT (start_at = $1 AND end_at = $2)";
const BEGIN: &str = "INSERT INTO summed_days (start_at, end_at, summed, turn) \
     VALUES ($1, $2, 0, 0) ON CONFLICT (start_at) DO UPDATE \
     SET end_at = excluded.end_at, turn = summed_days.turn + 1 WHERE summed_days.summed = 0 \
     AND (summed_days.end_at = excluded.end_at OR summed_days.end_at = summed_days.start_at) \
     RETURNING turn";
const WITHDRAW: &str = "UPDATE summed_days SET summed = 0, turn = turn + 1 \
     WHERE start_at = $1 AND end_at = $2 RETURNING turn";
const HOLD: &str = "UPDATE summed_days SET turn = turn WHERE start_at = $1 AND turn = $2";
const FINISH: &str = "UPDATE summed_days SET summed = 1 WHERE start_at = $1 AND turn = $2";
const FORGET: &str = "UPDATE summed_days SET end_at = start_at WHERE start_at = $1 AND turn = $2";
