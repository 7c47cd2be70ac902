//! What a limit becomes as calls end.

use super::*;

fn at(seconds: u64) -> Ticks {
    Ticks::from_nanos(seconds * 1_000_000_000)
}

/// A limit, and an end of a call granted and ended at these seconds.
struct Course(Concurrency);

impl Course {
    fn new(configured: u32) -> Self {
        Self(Concurrency::new(NonZeroU32::new(configured)))
    }

    fn end(&mut self, ended: Ended, in_flight: u32, granted: u64, now: u64) -> Option<u32> {
        let seen = Seen { granted_at: at(granted), in_flight };
        self.0.learn(ended, seen, at(now));
        self.0.limit()
    }
}

#[test]
fn nothing_is_limited_before_an_upstream_refuses() {
    let mut course = Course::new(0);
    assert_eq!(course.end(Ended::Served, 500, 1, 2), None);
    assert_eq!(course.end(Ended::Otherwise, 500, 1, 2), None);
    assert_eq!(course.end(Ended::Congested, 40, 1, 3), Some(20));
}

#[test]
fn refusals_of_calls_that_were_under_way_together_count_once() {
    let mut course = Course::new(0);
    assert_eq!(course.end(Ended::Congested, 40, 1, 3), Some(20));
    assert_eq!(course.end(Ended::Congested, 39, 2, 4), Some(20));
    assert_eq!(course.end(Ended::Congested, 38, 3, 4), Some(20), "granted in that moment");
    assert_eq!(course.end(Ended::Congested, 20, 4, 5), Some(10));
}

#[test]
fn a_limit_never_falls_below_one() {
    let mut course = Course::new(0);
    for now in 1..9 {
        assert_eq!(course.end(Ended::Congested, 1, now, now), Some(1));
    }
}

#[test]
fn a_refusal_below_the_limit_counts_from_the_calls_that_there_were() {
    assert_eq!(Course::new(100).end(Ended::Congested, 8, 1, 2), Some(4));
}

#[test]
fn a_limit_rises_by_one_for_as_many_calls_as_it_allows_served_at_the_limit() {
    let mut course = Course::new(0);
    course.end(Ended::Congested, 4, 1, 2);
    assert_eq!(course.end(Ended::Served, 2, 3, 4), Some(2));
    assert_eq!(course.end(Ended::Served, 2, 3, 4), Some(3));
    for expected in [Some(3), Some(3), Some(4)] {
        assert_eq!(course.end(Ended::Served, 3, 5, 6), expected);
    }
}

#[test]
fn calls_served_below_the_limit_or_granted_before_it_do_not_raise_it() {
    let mut course = Course::new(0);
    course.end(Ended::Congested, 4, 1, 2);
    for _ in 0..9 {
        assert_eq!(course.end(Ended::Served, 1, 3, 4), Some(2));
        assert_eq!(course.end(Ended::Served, 3, 2, 4), Some(2));
    }
}

#[test]
fn what_was_learned_never_passes_what_is_configured() {
    let mut course = Course::new(3);
    assert_eq!(course.0.limit(), Some(3));
    assert_eq!(course.end(Ended::Congested, 3, 1, 2), Some(1));
    assert_eq!(course.end(Ended::Served, 1, 3, 4), Some(2));
    assert_eq!(course.end(Ended::Served, 2, 3, 4), Some(2));
    assert_eq!(course.end(Ended::Served, 2, 3, 4), Some(3));
    for _ in 0..9 {
        assert_eq!(course.end(Ended::Served, 3, 3, 4), Some(3));
    }
    course.0.configure(NonZeroU32::new(2));
    assert_eq!(course.0.limit(), Some(2));
    course.0.configure(None);
    assert_eq!(course.0.limit(), None, "nothing is learned any more");
}

#[test]
fn a_limit_is_forgotten_ten_quiet_minutes_after_the_last_refusal_if_it_does_not_bind() {
    let mut course = Course::new(0);
    course.end(Ended::Congested, 20, 1, 2);
    assert_eq!(course.end(Ended::Congested, 20, 1, 10), Some(10));
    assert_eq!(course.end(Ended::Served, 5, 3, 609), Some(10), "too early");
    assert_eq!(course.end(Ended::Served, 6, 3, 610), Some(10), "it may bind");
    assert_eq!(course.end(Ended::Otherwise, 5, 3, 610), Some(10));
    assert_eq!(course.end(Ended::Served, 5, 3, 610), None);
}
