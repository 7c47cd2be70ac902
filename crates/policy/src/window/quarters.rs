//! A span as a sum of quarter-hours, which is what the ledger keeps.

use tollgate_domain::Timestamp;

use super::span::Span;

/// How the spend of a span is summed from aggregates per UTC quarter-hour.
///
/// The offsets of all zones have been multiples of a quarter-hour since 1972, so that a span whose
/// edges are local midnights, or other times of day at a quarter, is always [`Self::Aligned`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QuarterHours {
    /// The aggregates in this span, which is the whole one, are its exact sum.
    Aligned(Span),
    /// At least one edge lies within a quarter-hour. The entries admitted in `head` and in `tail`
    /// have to be summed one by one; they are shorter than a quarter-hour each. The aggregates in
    /// `whole` are the rest.
    Unaligned {
        /// From the start to the first quarter, or to the end when no quarter lies between.
        head: Option<Span>,
        /// From quarter to quarter.
        whole: Option<Span>,
        /// From the last quarter to the end.
        tail: Option<Span>,
    },
}

impl Span {
    /// How the span is summed from quarter-hours.
    ///
    /// The first and last instants that exist count as quarters: nothing lies beyond them.
    #[must_use]
    pub fn quarter_hours(self) -> QuarterHours {
        let (first, last) = (quarter_from(self.start), quarter_until(self.end));
        if first == self.start && last == self.end {
            return QuarterHours::Aligned(self);
        }
        if first > last {
            return QuarterHours::Unaligned { head: Some(self), whole: None, tail: None };
        }
        QuarterHours::Unaligned {
            head: between(self.start, first),
            whole: between(first, last),
            tail: between(last, self.end),
        }
    }
}

/// The first quarter that is not before the instant, or the end of time.
fn quarter_from(at: Timestamp) -> Timestamp {
    if at.micros() == i64::MIN {
        return at;
    }
    let last_before_next = at.micros().checked_add(QUARTER_MICROS - 1);
    last_before_next.map_or(Timestamp::from_micros(i64::MAX), |micros| {
        Timestamp::from_micros(micros).quarter_hour()
    })
}

/// The last quarter that is not after the instant.
fn quarter_until(at: Timestamp) -> Timestamp {
    if at.micros() == i64::MAX { at } else { at.quarter_hour() }
}

fn between(start: Timestamp, end: Timestamp) -> Option<Span> {
    (start < end).then_some(Span { start, end })
}

const QUARTER_MICROS: i64 = 15 * 60 * 1_000_000;

#[cfg(test)]
mod tests;
