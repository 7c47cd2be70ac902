//! A window that was already running when its budget came here from somewhere else.
//!
//! Whoever reset it kept a date of its own, which need not be one of the calendar's. The window
//! ends on that date all the same; from there on the calendar counts.

use tollgate_domain::Timestamp;

use super::calendar::Calendar;
use super::period::Period;
use super::span::{Anchor, Span};

/// A window with edges of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Running {
    /// Its first instant. Whatever comes before it belongs to it too: nothing was counted then.
    pub since: Timestamp,
    /// The first instant after it.
    pub until: Timestamp,
}

/// How the windows of a period follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cadence {
    /// Where periods that have no place in a calendar are counted from.
    pub anchor: Anchor,
    /// The window that comes before all others.
    pub running: Option<Running>,
}

impl Cadence {
    /// The span of a period that contains `at`.
    #[must_use]
    pub fn span(self, period: Period, calendar: &Calendar, at: Timestamp) -> Span {
        match self.running {
            Some(running) => running.span(period, calendar, self.anchor, at),
            None => period.span(calendar, self.anchor, at),
        }
    }
}

impl Running {
    /// The span of a period that contains `at`, where this window comes first.
    ///
    /// The span after it begins where it ends, and is the shorter for it unless the calendar
    /// begins one there. Counts of days begin with the day on which it ends, as LiteLLM counts
    /// them from each reset.
    #[must_use]
    pub fn span(self, period: Period, calendar: &Calendar, anchor: Anchor, at: Timestamp) -> Span {
        if at < self.until {
            return Span { start: self.since.min(at), end: self.until };
        }
        let anchor = match anchor {
            Anchor::Created(_) => Anchor::Created(self.until),
            Anchor::Calendar | Anchor::Anniversary(_) => anchor,
        };
        let span = period.span(calendar, anchor, at);
        Span { start: span.start.max(self.until), end: span.end }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).expect("an instant")
    }

    fn spans(word: &str, running: Running, anchor: Anchor, count: usize) -> Vec<(String, String)> {
        let (calendar, period) = (Calendar::default(), Period::parse(word).expect("a period"));
        let mut now = running.since;
        let mut spans = Vec::new();
        for _ in 0..count {
            let span = running.span(period, &calendar, anchor, now);
            spans.push((span.start.to_string(), span.end.to_string()));
            now = span.end;
        }
        spans
    }

    #[test]
    fn the_window_ends_on_its_own_date_and_the_calendar_takes_over() {
        let running =
            Running { since: at("2026-11-10T00:00:00Z"), until: at("2026-12-09T14:37:00Z") };
        let created = Anchor::Created(at("2026-11-10T14:37:00Z"));
        let months = spans("30d", running, created, 3);
        assert_eq!(months[0].1, "2026-12-09T14:37:00Z");
        assert_eq!(
            months[1],
            ("2026-12-09T14:37:00Z".to_owned(), "2027-01-01T00:00:00Z".to_owned())
        );
        assert_eq!(months[2].1, "2027-02-01T00:00:00Z");
    }

    #[test]
    fn counts_of_days_go_on_from_the_day_on_which_it_ends() {
        let running =
            Running { since: at("2026-11-20T00:00:00Z"), until: at("2026-11-30T00:00:00Z") };
        let created = Anchor::Created(at("2026-01-01T00:00:00Z"));
        let ends: Vec<String> =
            spans("10d", running, created, 3).into_iter().map(|(_, end)| end).collect();
        assert_eq!(ends, ["2026-11-30T00:00:00Z", "2026-12-10T00:00:00Z", "2026-12-20T00:00:00Z"]);
    }

    const WORDS: [&str; 10] = ["1h", "36h", "1d", "7d", "10d", "30d", "2w", "1mo", "3mo", "1y"];

    proptest! {
        #[test]
        fn windows_follow_each_other_without_gap_or_overlap(
            word in prop::sample::select(WORDS.to_vec()),
            since in 1_700_000_000i64..1_900_000_000,
            length in 1i64..40_000_000,
            steps in 1usize..6,
        ) {
            let micros = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000);
            let running = Running { since: micros(since), until: micros(since + length) };
            let (calendar, period) = (Calendar::default(), Period::parse(word).expect("a period"));
            let anchor = Anchor::Created(micros(since));
            let mut span = running.span(period, &calendar, anchor, running.since);
            prop_assert_eq!(span.end, running.until);
            for _ in 0..steps {
                let next = running.span(period, &calendar, anchor, span.end);
                prop_assert_eq!(next.start, span.end);
                prop_assert!(next.start < next.end);
                let last = Timestamp::from_micros(next.end.micros() - 1);
                prop_assert_eq!(running.span(period, &calendar, anchor, last), next);
                span = next;
            }
        }
    }
}
