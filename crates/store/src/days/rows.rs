//! The rows of a day: made of its quarter-hours, and removed.

use std::sync::LazyLock;

use tollgate_domain::Level;
use tollgate_policy::Span;

use super::ROWS_AT_ONCE;
use super::marks::{Turn, hold};
use crate::batch::{Statement, Value, chunks};
use crate::spend::{Spend, columns};
use crate::transaction::Transaction;
use crate::usage::{Names, Part, names, quarter_hours};
use crate::{Db, StoreError};

/// The kinds that pages of usage read.
fn kinds() -> impl Iterator<Item = &'static str> {
    Level::ALL.into_iter().flat_map(|level| [Some(level.as_str()), level.with_model()]).flatten()
}

/// From where on a day's sums are read.
#[derive(Debug, Default)]
pub(super) struct From {
    /// Which kind it is.
    kind: usize,
    /// The last subject of that kind that was read.
    after: Option<String>,
}

/// Some of the sums of a day, and from where on there may be more.
pub(super) async fn read(
    db: &Db,
    day: Span,
    from: From,
) -> Result<(Vec<(Part, Spend)>, Option<From>), StoreError> {
    let mut reading = Transaction::begin_to_read(db).await?;
    let (parts, next) = parts(&mut reading, day, from).await?;
    let sums = quarter_hours(&mut reading, &parts).await?;
    reading.commit().await?;
    // No row is as good as one of nothing.
    let some = parts.into_iter().zip(sums).filter(|(_, sum)| *sum != Spend::default());
    Ok((some.collect(), next))
}

/// Some of those whose sums a day may have, whether there is a row or not.
async fn parts(
    reading: &mut Transaction,
    day: Span,
    from: From,
) -> Result<(Vec<Part>, Option<From>), StoreError> {
    let mut parts: Vec<Part> = Vec::new();
    let mut after = from.after;
    for (number, kind) in kinds().enumerate().skip(from.kind) {
        let most = ROWS_AT_ONCE - parts.len();
        let subjects = names(reading, Names { kind, after: after.as_deref(), most }).await?;
        after = None;
        let full = subjects.len() == most;
        parts.extend(subjects.into_iter().map(|subject| Part { kind, subject, span: day }));
        if full {
            let after = parts.last().map(|part| part.subject.clone());
            return Ok((parts, Some(From { kind: number, after })));
        }
    }
    Ok((parts, None))
}

/// Writes some of the sums of a day. Gives whether it was still the writer's turn; nothing is
/// written otherwise.
pub(super) async fn write(db: &Db, turn: Turn, sums: &[(Part, Spend)]) -> Result<bool, StoreError> {
    if sums.is_empty() {
        return Ok(true);
    }
    let mut transaction = Transaction::begin(db).await?;
    if !hold(&mut transaction, turn).await? {
        return Ok(false);
    }
    let day = turn.day.start.micros();
    let columns = KEY_COLUMNS + columns().count();
    for chunk in chunks(sums) {
        let values = chunk.iter().flat_map(|(part, sum)| {
            let place = [Value::from(part.kind), Value::from(&part.subject), Value::from(day)];
            place.into_iter().chain(sum.amounts().map(Value::from))
        });
        let statement = Statement::rows(&WRITE.0, columns, &WRITE.1, values.collect());
        transaction.execute(statement).await?;
    }
    transaction.commit().await?;
    Ok(true)
}

/// Removes some of the rows of a day, and says from where on there may be more. `None` when it is
/// another's turn.
pub(super) async fn remove(
    db: &Db,
    turn: Turn,
    from: From,
) -> Result<Option<Option<From>>, StoreError> {
    let mut reading = Transaction::begin_to_read(db).await?;
    let (parts, next) = parts(&mut reading, turn.day, from).await?;
    reading.commit().await?;
    let mut transaction = Transaction::begin(db).await?;
    if !hold(&mut transaction, turn).await? {
        return Ok(None);
    }
    let day = turn.day.start.micros();
    for chunk in chunks(&parts) {
        let places = chunk
            .iter()
            .flat_map(|part| [Value::from(part.kind), Value::from(&part.subject), day.into()]);
        transaction.execute(Statement::rows(REMOVE, KEY_COLUMNS, ")", places.collect())).await?;
    }
    transaction.commit().await?;
    Ok(Some(next))
}

/// How many columns say which sum it is.
const KEY_COLUMNS: usize = 3;

/// What stands before and after the rows of the statement that writes sums.
static WRITE: LazyLock<(String, String)> = LazyLock::new(|| {
    let columns: Vec<&str> = columns().collect();
    let set: Vec<String> =
        columns.iter().map(|column| format!("{column} = excluded.{column}")).collect();
    (
        format!("INSERT INTO spend_days (kind, subject, day_at, {}) VALUES", columns.join(", ")),
        format!("ON CONFLICT (kind, subject, day_at) DO UPDATE SET {}", set.join(", ")),
    )
});

const REMOVE: &str = "DELETE FROM spend_days WHERE (kind, subject, day_at) IN (VALUES";
