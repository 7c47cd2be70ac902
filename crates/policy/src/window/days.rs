//! The days of a calendar between two dates, as spans of time.

use jiff::civil::Date;
use thiserror::Error;
use tollgate_domain::Timestamp;

use super::calendar::{Calendar, Zone};
use super::span::Span;

/// A day on the wall of some zone, from midnight to midnight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalDay {
    /// The date, `YYYY-MM-DD`.
    pub date: String,
    /// When it is. A day on which the clocks change is an hour longer or shorter.
    pub span: Span,
}

/// Why two texts are not the first and the last of some days.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DaysError {
    /// Not a date, or one before 1980 or after 9799; the text is cut to 64 characters.
    #[error("`{0}` is no day such as `2026-01-31`")]
    NoDay(String),
    /// The last day is before the first.
    #[error("the last day is before the first")]
    Backwards,
    /// More than [`LOCAL_DAYS_MAX`] days.
    #[error("more than {LOCAL_DAYS_MAX} days")]
    TooMany,
}

/// Most days that are asked for at once: a year.
pub const LOCAL_DAYS_MAX: usize = 366;

/// Years in which days are told; within them all zones are quarter-hours away from UTC.
const YEARS: std::ops::RangeInclusive<i16> = 1980..=9799;

impl Zone {
    /// The days from `first` to `last`, both included, each beginning where the one before ends.
    ///
    /// # Errors
    /// [`DaysError`] when a text is no date, or the dates are not in order or too far apart.
    pub fn days(&self, first: &str, last: &str) -> Result<Vec<LocalDay>, DaysError> {
        let (first, last) = (date(first)?, date(last)?);
        if last < first {
            return Err(DaysError::Backwards);
        }
        let calendar = Calendar { zone: self.clone(), ..Calendar::default() };
        let mut days = Vec::new();
        let mut next = first;
        while next <= last {
            if days.len() == LOCAL_DAYS_MAX {
                return Err(DaysError::TooMany);
            }
            // There is one: the last year is not the last that dates can tell.
            let after = next.tomorrow().unwrap_or(Date::MAX);
            let starts = |date| Timestamp::from_micros(calendar.day_starts(date));
            let span = Span { start: starts(next), end: starts(after) };
            days.push(LocalDay { date: next.to_string(), span });
            next = after;
        }
        Ok(days)
    }

    /// The days that ended by an instant, the newest first, each beginning where the next one in
    /// the list ends: at most `most`, and none that ended before `first`.
    #[must_use]
    pub fn days_ended(&self, by: Timestamp, first: Timestamp, most: usize) -> Vec<Span> {
        let calendar = Calendar { zone: self.clone(), ..Calendar::default() };
        let starts = |date| Timestamp::from_micros(calendar.day_starts(date));
        let mut days = Vec::new();
        let mut after = calendar.local_date(by);
        while let Ok(date) = after.yesterday() {
            let day = Span { start: starts(date), end: starts(after) };
            if days.len() == most || day.end <= first || !YEARS.contains(&date.year()) {
                break;
            }
            // Where the date line moved, a day was left out.
            if day.start < day.end && day.end <= by {
                days.push(day);
            }
            after = date;
        }
        days
    }
}

fn date(text: &str) -> Result<Date, DaysError> {
    let as_written = |date: &Date| date.to_string() == text && YEARS.contains(&date.year());
    let no_day = || DaysError::NoDay(text.chars().take(64).collect());
    text.parse().ok().filter(as_written).ok_or_else(no_day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::QuarterHours;

    fn hours(zone: &str, first: &str, last: &str) -> Vec<(String, u64)> {
        let days = Zone::parse(zone).expect("a zone").days(first, last).expect("days");
        let hours = |span: Span| span.end.since(span.start).as_secs() / 3_600;
        days.into_iter().map(|day| (day.date, hours(day.span))).collect()
    }

    #[test]
    fn a_day_is_as_long_as_the_clocks_make_it() {
        let days = |found: &[(&str, u64)]| -> Vec<(String, u64)> {
            found.iter().map(|(date, hours)| ((*date).to_owned(), *hours)).collect()
        };
        let berlin = hours("Europe/Berlin", "2026-03-28", "2026-03-30");
        assert_eq!(berlin, days(&[("2026-03-28", 24), ("2026-03-29", 23), ("2026-03-30", 24)]));
        assert_eq!(hours("Europe/Berlin", "2026-10-25", "2026-10-25"), days(&[("2026-10-25", 25)]));
        assert_eq!(hours("UTC", "2024-02-29", "2024-02-29"), days(&[("2024-02-29", 24)]));
    }

    #[test]
    fn days_follow_each_other_and_are_whole_quarter_hours_in_every_zone() {
        for name in Zone::names() {
            let zone = Zone::parse(&name).expect("a listed zone");
            let days = zone.days("2026-01-01", "2026-12-31").expect("days");
            assert_eq!(days.len(), 365);
            for (day, next) in days.iter().zip(&days[1..]) {
                assert_eq!(day.span.end, next.span.start, "{name} {}", day.date);
                assert_eq!(day.span.quarter_hours(), QuarterHours::Aligned(day.span), "{name}");
            }
        }
    }

    #[test]
    fn a_zone_may_be_minutes_behind_utc() {
        let start = |minutes| {
            let days = Zone::behind_utc(minutes)?.days("2026-05-01", "2026-05-01").ok()?;
            Some(days.first()?.span.start.to_string())
        };
        assert_eq!(start(480).as_deref(), Some("2026-05-01T08:00:00Z"));
        assert_eq!(start(-345).as_deref(), Some("2026-04-30T18:15:00Z"));
        assert_eq!((start(7), start(1_095), start(i32::MIN)), (None, None, None));
    }

    #[test]
    fn days_that_ended_are_those_that_are_listed_the_newest_first() {
        for name in Zone::names() {
            let zone = Zone::parse(&name).expect("a listed zone");
            let listed = zone.days("2025-10-01", "2026-03-31").expect("days");
            let (first, by) = (listed[0].span.end, listed[181].span.end);
            let spans: Vec<Span> = listed[1..].iter().rev().map(|day| day.span).collect();
            assert_eq!(zone.days_ended(by, first, 1_000), spans, "{name}");
            let before = Timestamp::from_micros(by.micros() - 1);
            assert_eq!(zone.days_ended(before, first, 3), spans[1..4], "{name}");
        }
        let apia = Zone::parse("Pacific/Apia").expect("a zone");
        let at = |text| Timestamp::parse(text).expect("an instant");
        let days = apia.days_ended(at("2012-01-01T00:00:00Z"), at("2011-12-29T00:00:00Z"), 10);
        let days: Vec<String> = days.iter().map(|day| day.start.to_string()).collect();
        // The thirtieth never was there.
        assert_eq!(days, ["2011-12-30T10:00:00Z", "2011-12-29T10:00:00Z", "2011-12-28T10:00:00Z"]);
        let far = Timestamp::from_micros(i64::MAX);
        assert_eq!(Zone::utc().days_ended(far, Timestamp::EPOCH, 3), []);
        assert_eq!(Zone::utc().days_ended(Timestamp::EPOCH, Timestamp::EPOCH, 3), []);
    }

    #[test]
    fn what_is_no_row_of_days_is_refused() {
        let utc = Zone::utc();
        for text in ["", "2026-1-1", "2026-02-29", "1979-12-31", "9800-01-01", "2026-01-01T00:00"] {
            assert!(matches!(utc.days(text, "2026-01-01"), Err(DaysError::NoDay(_))), "{text}");
        }
        assert_eq!(utc.days("2026-01-02", "2026-01-01"), Err(DaysError::Backwards));
        assert_eq!(utc.days("2024-01-01", "2024-12-31").map(|days| days.len()), Ok(366));
        assert_eq!(utc.days("2024-01-01", "2025-01-01"), Err(DaysError::TooMany));
    }
}
