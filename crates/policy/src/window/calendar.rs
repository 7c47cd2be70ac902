//! Where budget periods turn: the time zone, the first day of the week and the time of day.
//!
//! Zones come from the data that is compiled in, never from the machine, so that two nodes and a
//! test agree on every boundary.

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use thiserror::Error;
use tollgate_domain::Timestamp;

use super::period::TEXT_CHARS_MAX;
use crate::nearest;

/// The rules by which the periods of budgets turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    /// Whose local time counts.
    pub zone: Zone,
    /// The day on which a week begins.
    pub week_start: WeekStart,
    /// The time of day at which days, weeks, months and years begin.
    pub reset_time: TimeOfDay,
    /// Whether `30d` is thirty days. It is a calendar month otherwise, as in LiteLLM.
    pub strict_days: bool,
}

impl Default for Calendar {
    /// UTC, weeks from Monday, days from midnight, `30d` a month.
    fn default() -> Self {
        Self {
            zone: Zone::utc(),
            week_start: WeekStart::MONDAY,
            reset_time: TimeOfDay::MIDNIGHT,
            strict_days: false,
        }
    }
}

impl Calendar {
    /// The instant at which the day `date` begins, in microseconds.
    ///
    /// A time that the clocks skip begins as much after the gap as it would have been into it; of a
    /// time that comes twice the first counts (RFC 5545, section 3.3.5). A gap is never longer than
    /// a day, so that a later date never begins before an earlier one.
    pub(super) fn day_starts(&self, date: Date) -> i64 {
        let local = date.to_datetime(self.reset_time.0);
        let instant = self.zone.zone.to_ambiguous_timestamp(local).compatible();
        // Only the last day of the year 9999 has no instant, and no span reaches it.
        instant.map_or(i64::MAX, jiff::Timestamp::as_microsecond)
    }

    /// The date on the wall at this instant, which is near the day that has begun.
    pub(super) fn local_date(&self, at: Timestamp) -> Date {
        let instant = jiff::Timestamp::from_microsecond(at.micros());
        instant.map_or(Date::MAX, |instant| self.zone.zone.to_datetime(instant).date())
    }
}

/// A time zone of the IANA database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone {
    zone: TimeZone,
    standard_seconds: i32,
}

/// A name that is no time zone.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "`{text}` is no time zone of the IANA database, such as `Europe/Berlin` or `UTC`{}",
    did_you_mean(&self.near)
)]
pub struct ZoneError {
    /// The name, cut to 64 characters.
    pub text: String,
    /// At most three names that may be meant, the nearest first.
    pub near: Vec<String>,
}

impl Zone {
    /// Finds a zone by its IANA name; capitals do not count.
    ///
    /// # Errors
    /// [`ZoneError`] with the names nearest to it.
    pub fn parse(name: &str) -> Result<Self, ZoneError> {
        let known = TimeZoneDatabase::bundled().get(name).ok().filter(|zone| !zone.is_unknown());
        known.map(Self::of).ok_or_else(|| {
            let names = Self::names();
            let near = nearest(name, names.iter().map(String::as_str), NEAR_NAMES_MAX);
            ZoneError {
                text: name.chars().take(TEXT_CHARS_MAX).collect(),
                near: near.into_iter().map(str::to_owned).collect(),
            }
        })
    }

    /// Coordinated universal time.
    #[must_use]
    pub const fn utc() -> Self {
        Self { zone: TimeZone::UTC, standard_seconds: 0 }
    }

    /// The zone that is always this many minutes behind UTC, as browsers tell theirs. `None` unless
    /// they are quarter-hours and at most eighteen hours.
    #[must_use]
    pub fn behind_utc(minutes: i32) -> Option<Self> {
        let usable = minutes % 15 == 0 && minutes.unsigned_abs() <= 18 * 60;
        let offset = jiff::tz::Offset::from_seconds(usable.then(|| minutes * -60)?).ok()?;
        Some(Self::of(TimeZone::fixed(offset)))
    }

    /// The names of all zones, about six hundred.
    #[must_use]
    pub fn names() -> Vec<String> {
        TimeZoneDatabase::bundled().available().map(|name| name.as_str().to_owned()).collect()
    }

    /// The zone's name in the database.
    #[must_use]
    pub fn name(&self) -> &str {
        self.zone.iana_name().unwrap_or("UTC")
    }

    /// Seconds by which its standard time of today is ahead of UTC.
    pub(super) const fn standard_seconds(&self) -> i32 {
        self.standard_seconds
    }

    fn of(zone: TimeZone) -> Self {
        let offsets = STANDARD_TIME_AT.map(|at| {
            jiff::Timestamp::from_second(at).map_or(0, |at| zone.to_offset(at).seconds())
        });
        Self { zone, standard_seconds: offsets[0].min(offsets[1]) }
    }
}

/// The day on which a week begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WeekStart(Weekday);

/// Text that is no day of the week.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "`{text}` is no day of the week: write one of monday, tuesday, wednesday, thursday, friday, \
     saturday or sunday{}", did_you_mean(&self.near)
)]
pub struct WeekStartError {
    /// The text, cut to 64 characters.
    pub text: String,
    /// The day that may be meant.
    pub near: Vec<String>,
}

impl WeekStart {
    /// The usual first day.
    pub const MONDAY: Self = Self(Weekday::Monday);

    /// Reads an English day name; capitals do not count.
    ///
    /// # Errors
    /// [`WeekStartError`] for any other text.
    pub fn parse(text: &str) -> Result<Self, WeekStartError> {
        let day = DAYS.iter().find(|(name, _)| name.eq_ignore_ascii_case(text));
        day.map(|(_, day)| Self(*day)).ok_or_else(|| WeekStartError {
            text: text.chars().take(TEXT_CHARS_MAX).collect(),
            near: nearest(text, DAYS.iter().map(|(name, _)| *name), 1)
                .into_iter()
                .map(str::to_owned)
                .collect(),
        })
    }

    /// How many days a date is after the start of its week.
    pub(super) fn days_before(self, date: Date) -> i64 {
        i64::from(self.0.until(date.weekday()))
    }
}

/// A time of day to the minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeOfDay(Time);

/// Text that is no time of day.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is no time of day between `00:00` and `23:59`")]
pub struct TimeOfDayError(pub String);

impl TimeOfDay {
    /// The start of the day.
    pub const MIDNIGHT: Self = Self(Time::midnight());

    /// Reads `HH:MM`.
    ///
    /// # Errors
    /// [`TimeOfDayError`] with the text, cut to 64 characters.
    pub fn parse(text: &str) -> Result<Self, TimeOfDayError> {
        let two_digits = |part: &str| -> Option<i8> {
            let digits = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
            part.parse().ok().filter(|_| digits)
        };
        text.split_once(':')
            .and_then(|(hour, minute)| Some((two_digits(hour)?, two_digits(minute)?)))
            .and_then(|(hour, minute)| Time::new(hour, minute, 0, 0).ok())
            .map(Self)
            .ok_or_else(|| TimeOfDayError(text.chars().take(TEXT_CHARS_MAX).collect()))
    }
}

fn did_you_mean(near: &[String]) -> String {
    let quoted: Vec<String> = near.iter().map(|name| format!("`{name}`")).collect();
    if quoted.is_empty() {
        return String::new();
    }
    format!("; did you mean {}", quoted.join(" or "))
}

const DAYS: [(&str, Weekday); 7] = [
    ("monday", Weekday::Monday),
    ("tuesday", Weekday::Tuesday),
    ("wednesday", Weekday::Wednesday),
    ("thursday", Weekday::Thursday),
    ("friday", Weekday::Friday),
    ("saturday", Weekday::Saturday),
    ("sunday", Weekday::Sunday),
];

/// 2024-01-01 and 2024-07-01 in seconds of the epoch. The smaller of a zone's offsets at the two is
/// its standard time; the date is fixed so that the grid of `Ns`, `Nm` and `Nh` never moves.
const STANDARD_TIME_AT: [i64; 2] = [1_704_067_200, 1_719_792_000];

/// Most names that an error offers.
const NEAR_NAMES_MAX: usize = 3;

#[cfg(test)]
mod tests;
