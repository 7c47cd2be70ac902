//! Sums of parts: closed days from the sums by day, everything else from the quarter-hours, all at
//! one instant.
//!
//! Each stretch of a part is read from one of the two and never from both: the days are those that
//! are summed, which never overlap, and the rest is what lies between them.

use std::collections::HashMap;
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
        let (mut by_day, mut between) = (Vec::new(), Vec::new());
        for (number, part) in parts.iter().enumerate() {
            let rest = rest(part.span, &self.days);
            if rest != [part.span] {
                by_day.push(Piece { number, part, span: part.span });
            }
            between.extend(rest.into_iter().map(|span| Piece { number, part, span }));
        }
        add(&mut self.transaction, &DAYS, &by_day, &mut sums).await?;
        add(&mut self.transaction, &QUARTER_HOURS, &between, &mut sums).await?;
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
    /// The part's place among all.
    number: usize,
    part: &'a Part,
    span: Span,
}

/// What no day within the span covers, of these days, which are in order and do not overlap.
fn rest(span: Span, days: &[Span]) -> Vec<Span> {
    let first = days.partition_point(|day| day.start < span.start);
    let mut rest = Vec::new();
    let mut from = span.start;
    for day in days.iter().skip(first).take_while(|day| day.end <= span.end) {
        if from < day.start {
            rest.push(Span { start: from, end: day.start });
        }
        from = day.end;
    }
    if from < span.end {
        rest.push(Span { start: from, end: span.end });
    }
    rest
}

/// Adds what a statement finds for each piece to the sum of its part.
async fn add(
    reading: &mut Transaction,
    find: &str,
    pieces: &[Piece<'_>],
    sums: &mut [Spend],
) -> Result<(), StoreError> {
    for chunk in chunks(pieces) {
        let values = (0..).zip(chunk).flat_map(|(number, piece)| {
            [
                Value::from(number),
                Value::from(piece.part.kind),
                Value::from(&piece.part.subject),
                Value::from(piece.span.start.micros()),
                Value::from(piece.span.end.micros()),
            ]
        });
        let statement = Statement::rows(PARTS, PART_COLUMNS, find, values.collect());
        let read = |row: &dyn Columns| Ok((row.integer("number")?, Spend::read(row)?));
        let found: HashMap<i64, Spend> =
            reading.fetch(statement, read).await?.into_iter().collect();
        for (number, piece) in (0..).zip(chunk) {
            if let (Some(found), Some(sum)) = (found.get(&number), sums.get_mut(piece.number)) {
                sum.add(found);
            }
        }
    }
    Ok(())
}

const PARTS: &str = "WITH parts (number, part_kind, part_subject, part_start, part_end) AS (VALUES";
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

/// Joined in this order, so that each part costs one step through a key for each of its days.
static DAYS: LazyLock<String> = LazyLock::new(|| {
    format!(
        ") SELECT number, {} FROM parts CROSS JOIN summed_days CROSS JOIN spend_days \
         WHERE summed = 1 AND start_at >= part_start AND start_at < part_end \
         AND end_at <= part_end AND kind = part_kind AND day_at = start_at \
         AND subject = part_subject GROUP BY number",
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
    fn what_no_day_covers_is_the_rest() {
        let days = [span(0, 10), span(10, 20), span(30, 40)];
        for (asked, expected) in [
            (span(0, 10), vec![]),
            (span(0, 20), vec![]),
            (span(0, 40), vec![span(20, 30)]),
            (span(-5, 45), vec![span(-5, 0), span(20, 30), span(40, 45)]),
            (span(5, 25), vec![span(5, 10), span(20, 25)]),
            (span(5, 15), vec![span(5, 15)]),
            (span(0, 9), vec![span(0, 9)]),
            (span(22, 28), vec![span(22, 28)]),
            (span(50, 60), vec![span(50, 60)]),
            (span(7, 7), vec![]),
        ] {
            assert_eq!(rest(asked, &days), expected, "{asked:?}");
        }
        assert_eq!(rest(span(1, 2), &[]), [span(1, 2)]);
    }
}
