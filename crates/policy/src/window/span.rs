//! The span of a period that contains an instant.
//!
//! Every period is a row of starts, numbered from its anchor. The span of an instant lies between
//! the last start that is not after it and the next one, so spans follow each other whatever the
//! clocks of a zone do.

use std::ops::Range;

use jiff::SignedDuration;
use jiff::civil::{Date, date};
use tollgate_domain::Timestamp;

use super::calendar::Calendar;
use super::period::{Period, Rule};

/// A half-open stretch of time: `start` belongs to it, `end` does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Span {
    /// The first instant.
    pub start: Timestamp,
    /// The first instant after it.
    pub end: Timestamp,
}

/// What a period is counted from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// The calendar: midnight, the first day of the week, the first of the month. Counts of days
    /// that are neither one, seven nor thirty begin with the week in which 1970 began.
    Calendar,
    /// The calendar, but such counts of days begin with the day that contains this instant, which
    /// is when the entity was created. This is the usual choice for what has such an instant.
    Created(Timestamp),
    /// The entity's own day (`anchor: created_at`): periods of days, weeks, months and years begin
    /// with the day that contains this instant and come back on it, or on the last day of a month
    /// that is too short. Seconds, minutes and hours count from its quarter-hour.
    Anniversary(Timestamp),
}

impl Span {
    /// Whether the instant belongs to the span.
    #[must_use]
    pub fn contains(self, at: Timestamp) -> bool {
        self.start <= at && at < self.end
    }

    /// The span as a range.
    #[must_use]
    pub const fn range(self) -> Range<Timestamp> {
        self.start..self.end
    }
}

impl Period {
    /// The span of this period that contains `at`.
    ///
    /// For all instants: `start < end`, the span contains `at`, the span of `end` starts at `end`,
    /// and the span of the instant before `start` ends at `start`.
    ///
    /// Periods turn between the years 1980 and 9800. What is before or after is one span each, and
    /// a span that would go over these edges ends at them. The very last instant belongs to the
    /// last span though that cannot end after it.
    #[must_use]
    pub fn span(self, calendar: &Calendar, anchor: Anchor, at: Timestamp) -> Span {
        if at < FIRST {
            return Span { start: Timestamp::from_micros(i64::MIN), end: FIRST };
        }
        if at >= LAST {
            return Span { start: LAST, end: Timestamp::from_micros(i64::MAX) };
        }
        let starts = Starts::of(self, calendar, anchor);
        let number = starts.last_until(calendar, at);
        Span {
            start: Timestamp::from_micros(starts.start(calendar, number)).max(FIRST),
            end: Timestamp::from_micros(starts.start(calendar, number + 1)).min(LAST),
        }
    }
}

/// The starts of a period: an instant for each whole number, never falling.
#[derive(Debug, Clone, Copy)]
enum Starts {
    /// Every `step` microseconds from the instant `first`.
    Elapsed { first: i64, step: i64 },
    /// Every `step` days from the date `first`.
    Days { first: Date, step: i64 },
    /// Every `step` months from the month `first`, which counts months since the year 0, on the day
    /// `day` or the last of a month that is too short.
    Months { first: i64, step: i64, day: i8 },
}

impl Starts {
    fn of(period: Period, calendar: &Calendar, anchor: Anchor) -> Self {
        let rule = period.rule(calendar.strict_days);
        match anchor {
            Anchor::Calendar => Self::by_calendar(rule, calendar, epoch_week(calendar)),
            Anchor::Created(at) => Self::by_calendar(rule, calendar, day_of(calendar, at)),
            Anchor::Anniversary(at) => Self::by_anniversary(rule, calendar, at),
        }
    }

    fn by_calendar(rule: Rule, calendar: &Calendar, first_day: Date) -> Self {
        match rule {
            // Midnight of 1970-01-01 by the zone's standard time of today. What it was in 1970 is,
            // in many zones, no whole hour away from today's.
            Rule::Seconds(step) => Self::Elapsed {
                first: -i64::from(calendar.zone.standard_seconds()) * MICROS,
                step: step * MICROS,
            },
            Rule::Days(step) => Self::Days { first: first_day, step },
            Rule::Week => Self::Days { first: epoch_week(calendar), step: 7 },
            Rule::Months(step) => Self::Months { first: month_of(EPOCH_DATE), step, day: 1 },
        }
    }

    fn by_anniversary(rule: Rule, calendar: &Calendar, at: Timestamp) -> Self {
        let first = day_of(calendar, at);
        match rule {
            Rule::Seconds(step) => Self::Elapsed {
                first: at.clamp(FIRST, LAST).quarter_hour().micros(),
                step: step * MICROS,
            },
            Rule::Days(step) => Self::Days { first, step },
            Rule::Week => Self::Days { first, step: 7 },
            Rule::Months(step) => Self::Months { first: month_of(first), step, day: first.day() },
        }
    }

    /// The start with this number, in microseconds.
    fn start(self, calendar: &Calendar, number: i64) -> i64 {
        match self {
            Self::Elapsed { first, step } => first + number * step,
            Self::Days { .. } | Self::Months { .. } => calendar.day_starts(self.date(number)),
        }
    }

    /// The date of the start with this number.
    fn date(self, number: i64) -> Date {
        match self {
            Self::Elapsed { .. } => EPOCH_DATE,
            Self::Days { first, step } => days_after(first, number * step),
            Self::Months { first, step, day } => date_in_month(first + number * step, day),
        }
    }

    /// The number of a start that is near the instant.
    fn near(self, calendar: &Calendar, at: Timestamp) -> i64 {
        match self {
            Self::Elapsed { first, step } => (at.micros() - first).div_euclid(step),
            Self::Days { first, step } => {
                let days = calendar.local_date(at).duration_since(first).as_hours() / 24;
                days.div_euclid(step)
            }
            Self::Months { first, step, .. } => {
                (month_of(calendar.local_date(at)) - first).div_euclid(step)
            }
        }
    }

    /// The number of the last start that is not after `at`, so that the next one is after it: of
    /// starts at one instant, as on a day that a zone left out, the last is taken.
    fn last_until(self, calendar: &Calendar, at: Timestamp) -> i64 {
        let mut number = self.near(calendar, at);
        // The guess is at most two starts away.
        while self.start(calendar, number) > at.micros() {
            number -= 1;
        }
        while self.start(calendar, number + 1) <= at.micros() {
            number += 1;
        }
        number
    }
}

/// The day, from one reset time to the next, that contains the instant.
fn day_of(calendar: &Calendar, at: Timestamp) -> Date {
    let days = Starts::Days { first: EPOCH_DATE, step: 1 };
    days.date(days.last_until(calendar, at.clamp(FIRST, LAST)))
}

/// The first day of the week in which 1970 began.
fn epoch_week(calendar: &Calendar) -> Date {
    days_after(EPOCH_DATE, -calendar.week_start.days_before(EPOCH_DATE))
}

fn days_after(first: Date, days: i64) -> Date {
    first.saturating_add(SignedDuration::from_hours(days * 24))
}

/// Months since the start of the year 0.
fn month_of(date: Date) -> i64 {
    i64::from(date.year()) * 12 + i64::from(date.month()) - 1
}

/// The date in a month, or the last of a month that has no such day.
fn date_in_month(month: i64, day: i8) -> Date {
    let year = i16::try_from(month.div_euclid(12)).ok();
    let number = i8::try_from(month.rem_euclid(12) + 1).ok();
    let first = year.zip(number).and_then(|(year, number)| Date::new(year, number, 1).ok());
    // Within the years in which periods turn every month exists.
    first
        .map_or(Date::MAX, |first| days_after(first, i64::from(day.min(first.days_in_month())) - 1))
}

/// Where all calendars begin to count.
const EPOCH_DATE: Date = date(1970, 1, 1);

/// Microseconds in a second.
const MICROS: i64 = 1_000_000;

/// 1980-01-01T00:00:00Z, before which periods do not turn. It is after the last zone took an offset
/// that is a multiple of a quarter-hour (Monrovia, 1972), and before anyone paid for a token.
pub(super) const FIRST: Timestamp = Timestamp::from_micros(315_532_800 * MICROS);

/// 9800-01-01T00:00:00Z, from which on periods do not turn: a hundred years, the longest period,
/// after it are still years that dates can tell.
pub(super) const LAST: Timestamp = Timestamp::from_micros(247_090_953_600 * MICROS);

#[cfg(test)]
mod tests;
