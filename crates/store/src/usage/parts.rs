//! Sums of parts: closed days from the sums by day, everything else from the quarter-hours, all at
//! one instant.
//!
//! Each stretch of a part is read from one of the two and never from both: the days are those that
//! are summed, which never overlap, and the rest is what lies between them.

use std::sync::LazyLock;

use tollgate_domain::Timestamp;
use tollgate_policy::Span;

use crate::batch::{Statement, Value, chunks};
use crate::db::Columns;
use crate::spend::{Spend, columns};
use crate::transaction::Transaction;
use crate::{Db, StoreError, days};

/// One sum: of a kind's subject over a span.
pub(crate) struct Part {
    pub(crate) kind: &'static str,
    pub(crate) subject: String,
    pub(crate) span: Span,
}

/// A reading transaction that knows which days are summed.
pub(super) struct Reading {
    pub(super) transaction: Transaction,
    /// The summed days, in their order.
    days: Vec<Span>,
}

impl Reading {
    /// Begins to read sums over these spans.
    pub(super) async fn begin(db: &Db, spans: &[Span]) -> Result<Self, StoreError> {
        let mut transaction = Transaction::begin_to_read(db).await?;
        let start = spans.iter().map(|span| span.start).min().unwrap_or(Timestamp::EPOCH);
        let end = spans.iter().map(|span| span.end).max().unwrap_or(Timestamp::EPOCH);
        let days = days::summed_within(&mut transaction, Span { start, end }).await?;
        Ok(Self { transaction, days })
    }

    /// The sum of each part, in their order.
    pub(super) async fn sums(&mut self, parts: &[Part]) -> Result<Vec<Spend>, StoreError> {
        let mut sums = vec![Spend::default(); parts.len()];
        for (parts, sums) in parts.chunks(PARTS_AT_ONCE).zip(sums.chunks_mut(PARTS_AT_ONCE)) {
            let (mut whole, mut between) = (Vec::new(), Vec::new());
            for (number, part) in parts.iter().enumerate() {
                let (days, rest) = divided(part.span, &self.days);
                whole.extend(days.iter().map(|day| Piece { number, part, span: *day }));
                between.extend(rest.into_iter().map(|span| Piece { number, part, span }));
            }
            add(&mut self.transaction, &DAYS, &whole, sums).await?;
            add(&mut self.transaction, &QUARTER_HOURS, &between, sums).await?;
        }
        Ok(sums)
    }

    pub(super) async fn end(self) -> Result<(), StoreError> {
        self.transaction.commit().await
    }
}

/// The sum of each part from its quarter-hours alone, in their order.
pub(crate) async fn quarter_hours(
    reading: &mut Transaction,
    parts: &[Part],
) -> Result<Vec<Spend>, StoreError> {
    let mut sums = vec![Spend::default(); parts.len()];
    let pieces = parts.iter().enumerate();
    let pieces: Vec<Piece<'_>> =
        pieces.map(|(number, part)| Piece { number, part, span: part.span }).collect();
    add(reading, &QUARTER_HOURS, &pieces, &mut sums).await?;
    Ok(sums)
}

/// What is read of a part by one statement.
struct Piece<'a> {
    /// The part's place among those that are summed together.
    number: usize,
    part: &'a Part,
    span: Span,
}

/// The days within a span, and what they leave of it. They are in order and do not overlap.
fn divided(span: Span, days: &[Span]) -> (&[Span], Vec<Span>) {
    let (_, later) = days.split_at(days.partition_point(|day| day.start < span.start));
    let (within, _) = later.split_at(later.partition_point(|day| day.end <= span.end));
    let mut rest = Vec::new();
    let mut from = span.start;
    for day in within {
        if from < day.start {
            rest.push(Span { start: from, end: day.start });
        }
        from = day.end;
    }
    if from < span.end {
        rest.push(Span { start: from, end: span.end });
    }
    (within, rest)
}

/// Adds what a statement finds of each piece to the sum of its part.
async fn add(
    reading: &mut Transaction,
    find: &str,
    pieces: &[Piece<'_>],
    sums: &mut [Spend],
) -> Result<(), StoreError> {
    for chunk in chunks(pieces) {
        let values = chunk.iter().flat_map(|piece| {
            [
                Value::from(i64::try_from(piece.number).unwrap_or(i64::MAX)),
                Value::from(piece.part.kind),
                Value::from(&piece.part.subject),
                Value::from(piece.span.start.micros()),
                Value::from(piece.span.end.micros()),
            ]
        });
        let statement = Statement::rows(PARTS, PART_COLUMNS, find, values.collect());
        let read = |row: &dyn Columns| Ok((row.integer("number")?, Spend::read(row)?));
        for (number, found) in reading.fetch(statement, read).await? {
            let sum = usize::try_from(number).ok().and_then(|number| sums.get_mut(number));
            sum.into_iter().for_each(|sum| sum.add(&found));
        }
    }
    Ok(())
}

const PARTS: &str = "WITH parts (number, part_kind, part_subject, part_start, part_end) AS (VALUES";
/// How many parts are divided before they are read: each may have a year of days.
const PARTS_AT_ONCE: usize = 512;
/// How many columns a part has.
const PART_COLUMNS: usize = 5;

static QUARTER_HOURS: LazyLock<String> = LazyLock::new(|| {
    format!(
        ") SELECT number, {} FROM parts JOIN spend_quarter_hours ON kind = part_kind \
         AND subject = part_subject AND bucket_at >= part_start AND bucket_at < part_end \
         GROUP BY number",
        summed()
    )
});

/// Each is one row, so that a planner that knows nothing of the days still goes through the key.
static DAYS: LazyLock<String> = LazyLock::new(|| {
    format!(
        ") SELECT number, {} FROM parts JOIN spend_days ON kind = part_kind \
         AND subject = part_subject AND day_at = part_start GROUP BY number",
        summed()
    )
});

fn summed() -> String {
    let sum = |column| format!("CAST(SUM({column}) AS BIGINT) AS {column}");
    columns().map(sum).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(start: i64, end: i64) -> Span {
        Span { start: Timestamp::from_micros(start), end: Timestamp::from_micros(end) }
    }

    #[test]
    fn a_span_is_the_days_within_it_and_what_they_leave() {
        let days = [span(0, 10), span(10, 20), span(30, 40)];
        for (asked, within, rest) in [
            (span(0, 10), &days[..1], vec![]),
            (span(0, 20), &days[..2], vec![]),
            (span(0, 40), &days[..], vec![span(20, 30)]),
            (span(-5, 45), &days[..], vec![span(-5, 0), span(20, 30), span(40, 45)]),
            (span(5, 25), &days[1..2], vec![span(5, 10), span(20, 25)]),
            (span(5, 15), &[], vec![span(5, 15)]),
            (span(0, 9), &[], vec![span(0, 9)]),
            (span(22, 28), &[], vec![span(22, 28)]),
            (span(50, 60), &[], vec![span(50, 60)]),
            (span(7, 7), &[], vec![]),
        ] {
            assert_eq!(divided(asked, &days), (within, rest), "{asked:?}");
        }
        assert_eq!(divided(span(1, 2), &[]).1, [span(1, 2)]);
    }
}
