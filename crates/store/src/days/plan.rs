//! What is to be done about the days that are marked and those that are closed.

use std::collections::HashSet;

use tollgate_domain::Timestamp;
use tollgate_policy::Span;

/// A day of which sums are kept, or were.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    /// The day; an empty one has no rows.
    pub(super) day: Span,
    /// Whether its rows are its sums.
    pub(super) summed: bool,
}

/// What is to be done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Work {
    /// Whether a day is summed that calls are still written to: a clock was ahead.
    pub(super) early: bool,
    /// Days of another zone, whose rows are to go.
    pub(super) forget: Vec<Span>,
    /// Days to be summed, the newest first.
    pub(super) sum: Vec<Span>,
}

impl Work {
    /// What is to be done for these closed days, the newest first, which follow each other. What is
    /// written to quarter-hours from `recent` on does not take back the sums of their day.
    pub(super) fn of(marks: &[Mark], closed: &[Span], recent: Timestamp) -> Self {
        let early = marks.iter().any(|mark| mark.summed && mark.day.end > recent);
        let mut work = Self { early, ..Self::default() };
        let (Some(newest), Some(oldest)) = (closed.first(), closed.last()) else { return work };
        let all = Span { start: oldest.start, end: newest.end };
        let mut missing: HashSet<Span> = closed.iter().copied().collect();
        for mark in marks {
            let known = missing.contains(&mark.day);
            if known && mark.summed {
                missing.remove(&mark.day);
            } else if !known && overlap(mark.day, all) {
                work.forget.push(mark.day);
            }
        }
        work.sum = closed.iter().copied().filter(|day| missing.contains(day)).collect();
        work
    }
}

fn overlap(day: Span, all: Span) -> bool {
    day.start < day.end && day.start < all.end && all.start < day.end
}

#[cfg(test)]
mod tests {
    use super::*;
    use tollgate_policy::Zone;

    fn days(zone: &str) -> Vec<Span> {
        let days = Zone::parse(zone).expect("a zone").days("2026-03-28", "2026-03-30");
        days.expect("days").into_iter().rev().map(|day| day.span).collect()
    }

    fn marks(days: &[Span], summed: bool) -> Vec<Mark> {
        days.iter().map(|day| Mark { day: *day, summed }).collect()
    }

    #[test]
    fn only_what_is_not_summed_is_the_newest_first() {
        let closed = days("Europe/Berlin");
        let by = closed[0].end;
        assert_eq!(Work::of(&[], &closed, by).sum, closed);
        assert_eq!(Work::of(&marks(&closed, true), &closed, by), Work::default());
        assert_eq!(Work::of(&marks(&closed, false), &closed, by).sum, closed);
        let one = marks(&closed[1..2], true);
        assert_eq!(Work::of(&one, &closed, by).sum, [closed[0], closed[2]]);
    }

    #[test]
    fn days_of_another_zone_go_and_those_that_went_are_not_met_again() {
        let (closed, other) = (days("Europe/Berlin"), days("UTC"));
        let work = Work::of(&marks(&other, true), &closed, other[0].end);
        assert_eq!((work.forget, work.sum), (other.clone(), closed.clone()));
        let gone: Vec<Span> =
            other.iter().map(|day| Span { start: day.start, end: day.start }).collect();
        assert_eq!(Work::of(&marks(&gone, false), &closed, other[0].end).forget, []);
        let older = [Span { start: Timestamp::EPOCH, end: closed[2].start }];
        assert_eq!(Work::of(&marks(&older, true), &closed, other[0].end).forget, [], "still exact");
    }

    #[test]
    fn a_day_that_is_still_written_to_is_noticed() {
        let closed = days("UTC");
        let work = Work::of(&marks(&closed, true), &closed[1..], closed[1].end);
        assert!(work.early, "{work:?}");
        assert!(Work::of(&marks(&closed, true), &[], closed[1].end).early);
        assert!(!Work::of(&marks(&closed, false), &closed[1..], closed[1].end).early);
    }
}
