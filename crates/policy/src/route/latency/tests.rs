//! The estimate of a latency.

use super::*;

fn at(seconds: u64) -> Ticks {
    Ticks::from_nanos(0).plus(Duration::from_secs(seconds))
}

fn millis(latency: &Latency, now: u64) -> Option<u64> {
    latency.micros(at(now)).map(|micros| micros.div_ceil(1000))
}

#[test]
fn before_the_first_answer_nobody_knows() {
    assert_eq!(Latency::default().micros(at(9)), None);
}

#[test]
fn a_slower_answer_counts_in_full_and_a_faster_one_by_the_time_that_passed() {
    let mut latency = Latency::default();
    latency.observe(Duration::from_millis(100), at(0));
    assert_eq!(millis(&latency, 0), Some(100));
    latency.observe(Duration::from_millis(900), at(0));
    assert_eq!(millis(&latency, 0), Some(900));
    latency.observe(Duration::from_millis(100), at(0));
    assert_eq!(millis(&latency, 0), Some(900), "no time has passed");
    latency.observe(Duration::from_millis(100), at(10));
    assert_eq!(millis(&latency, 10), Some(500), "half of it is forgotten");
}

#[test]
fn while_nobody_calls_the_estimate_sinks() {
    let mut latency = Latency::default();
    latency.observe(Duration::from_millis(800), at(0));
    assert_eq!([0, 10, 20, 30].map(|now| millis(&latency, now)), [800, 400, 200, 100].map(Some));
    assert_eq!(latency.micros(Ticks::from_nanos(u64::MAX)), Some(0));
}

#[test]
fn a_silence_counts_only_where_it_is_longer_than_the_estimate() {
    let mut latency = Latency::default();
    latency.observe(Duration::from_millis(500), at(0));
    latency.observe_silence(Duration::from_millis(100), at(0));
    assert_eq!(millis(&latency, 0), Some(500));
    latency.observe_silence(Duration::from_secs(5), at(0));
    assert_eq!(millis(&latency, 0), Some(5000));
}

#[test]
fn time_that_runs_backwards_changes_nothing() {
    let mut latency = Latency::default();
    latency.observe(Duration::from_millis(500), at(10));
    assert_eq!(millis(&latency, 5), Some(500));
    latency.observe(Duration::MAX, at(10));
    assert_eq!(latency.micros(at(10)), Some(u64::MAX), "held at the end of the range");
}
