//! Instants on the wall clock and ticks of the monotonic clock, both passed in by whoever owns a
//! clock.

use std::fmt;
use std::time::Duration;

use thiserror::Error;

/// An instant in UTC as microseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// Text that is not an RFC 3339 instant within the years 1 to 9999.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is not an RFC 3339 instant such as `2026-01-31T23:59:59Z`")]
pub struct TimestampError(String);

impl Timestamp {
    /// The start of the epoch.
    pub const EPOCH: Self = Self(0);

    /// An instant from microseconds since the epoch.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since the epoch.
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// Reads an RFC 3339 instant; an offset other than `Z` is converted to UTC.
    ///
    /// # Errors
    /// [`TimestampError`] with the text.
    pub fn parse(text: &str) -> Result<Self, TimestampError> {
        let instant: jiff::Timestamp =
            text.trim().parse().map_err(|_| TimestampError(text.chars().take(64).collect()))?;
        Ok(Self(instant.as_microsecond()))
    }

    /// The instant this long afterwards, held at the end of the range.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)))
    }

    /// How long after `earlier` this instant is; zero when it is not after it.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// The start of the UTC quarter-hour that contains this instant, held at the start of the
    /// range.
    #[must_use]
    pub const fn quarter_hour(self) -> Self {
        const QUARTER: i64 = 15 * 60 * 1_000_000;
        Self(self.0.div_euclid(QUARTER).saturating_mul(QUARTER))
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC, with fractional seconds only when there are any.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(instant) => write!(f, "{instant}"),
            Err(_) => write!(f, "{}µs since the epoch", self.0),
        }
    }
}

/// A reading of a monotonic clock in nanoseconds since an arbitrary start. Only differences mean
/// anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticks(u64);

impl Ticks {
    /// A reading from nanoseconds since the clock's start.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// The reading this long afterwards, held at the end of the range.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)))
    }

    /// How long after `earlier` this reading was taken.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

/// The two clocks of a process. The one implementation that asks the system lives in the binary.
pub trait Clock: Send + Sync + 'static {
    /// The instant on the wall clock.
    fn now(&self) -> Timestamp;
    /// A reading of the monotonic clock.
    fn ticks(&self) -> Ticks;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_reads_and_prints_as_rfc_3339() {
        let instant = Timestamp::parse("2026-05-02T12:00:00.25+02:00").expect("an instant");
        assert_eq!(instant.to_string(), "2026-05-02T10:00:00.25Z");
        assert_eq!(
            Timestamp::parse("2026-05-02T10:00:00Z\n").map(Timestamp::micros),
            Ok(1_777_716_000_000_000)
        );
        assert!(Timestamp::parse("yesterday").is_err());
    }

    #[test]
    fn a_quarter_hour_starts_at_or_before_its_instants() {
        let instant = Timestamp::parse("2026-05-02T10:29:59.999999Z").expect("an instant");
        assert_eq!(instant.quarter_hour().to_string(), "2026-05-02T10:15:00Z");
        assert_eq!(Timestamp::from_micros(-1).quarter_hour().to_string(), "1969-12-31T23:45:00Z");
        assert_eq!(Timestamp::from_micros(i64::MIN).quarter_hour().micros(), i64::MIN);
    }

    #[test]
    fn time_does_not_run_backwards_in_differences() {
        let (early, late) = (Timestamp::from_micros(5), Timestamp::from_micros(9));
        assert_eq!(late.since(early), Duration::from_micros(4));
        assert_eq!(early.since(late), Duration::ZERO);
        assert_eq!(Ticks::from_nanos(1).since(Ticks::from_nanos(2)), Duration::ZERO);
    }

    #[test]
    fn a_reading_plus_a_time_ends_with_the_range() {
        let early = Ticks::from_nanos(5);
        assert_eq!(early.plus(Duration::from_nanos(4)), Ticks::from_nanos(9));
        assert_eq!(early.plus(Duration::MAX), Ticks::from_nanos(u64::MAX));
    }
}
