//! Rate windows: the edges of limits and of time, and that no window grants more than its limit.

use proptest::prelude::*;

use super::*;

fn at(seconds: f64) -> Timestamp {
    Timestamp::EPOCH.plus(Duration::from_secs_f64(1000.0 + seconds))
}

#[test]
fn the_limit_can_be_reached_and_not_passed() {
    let mut window = RateWindow::default();
    for _ in 0..2 {
        let _ = window.claim(at(0.0), 1, Some(2)).expect("it fits");
    }
    let over = window.claim(at(10.0), 1, Some(2)).expect_err("over");
    assert_eq!(over, RateOver { limit: 2, used: 2, asked: 1, resets_at: at(60.0) });
    assert!(!over.never_fits());
    assert_eq!(window.used(at(10.0)), 2, "a refused claim counts nothing");
    assert_eq!(
        over.to_string(),
        "the call needs `1`, and of a rate limit of `2` `2` are used until \
         `1970-01-01T00:17:40Z`"
    );
}

#[test]
fn a_window_is_opened_by_the_first_claim_and_lasts_a_minute() {
    let mut window = RateWindow::default();
    assert_eq!(window.resets_at(at(7.0)), at(67.0), "none is open");
    let _ = window.claim(at(7.0), 5, Some(5)).expect("it fits");
    assert_eq!(window.resets_at(at(40.0)), at(67.0));
    assert!(window.claim(at(66.999_999), 1, Some(5)).is_err());
    assert_eq!((window.used(at(67.0)), window.remaining(at(67.0), 5)), (0, 5));
    let _ = window.claim(at(100.0), 1, Some(5)).expect("a new window");
    assert_eq!((window.used(at(100.0)), window.resets_at(at(101.0))), (1, at(160.0)));
}

#[test]
fn a_refused_claim_opens_no_window() {
    let mut window = RateWindow::default();
    let over = window.claim(at(0.0), 1, Some(0)).expect_err("nothing is allowed");
    assert!(over.never_fits());
    assert_eq!(over.resets_at, at(60.0));
    let _ = window.claim(at(30.0), 1, Some(1)).expect("it fits");
    assert_eq!(window.resets_at(at(30.0)), at(90.0));
}

#[test]
fn limits_at_the_ends_of_their_range() {
    let now = at(0.0);
    let mut window = RateWindow::default();
    let _ = window.claim(now, 0, Some(0)).expect("nothing is always granted");
    let _ = window.claim(now, 1, Some(1)).expect("one");
    assert!(window.claim(now, 1, Some(1)).is_err());
    let _ = window.claim(now, u64::MAX - 1, Some(u64::MAX)).expect("all of the rest");
    assert!(window.claim(now, 1, Some(u64::MAX)).is_err());
    let _ = window.claim(now, 5, None).expect("no limit");
    assert_eq!(window.used(now), u64::MAX, "the count stops at the end of its range");
}

#[test]
fn without_a_limit_claims_are_counted_for_a_limit_set_later() {
    let mut window = RateWindow::default();
    let _ = window.claim(at(0.0), 70, None).expect("no limit");
    let over = window.claim(at(1.0), 31, Some(100)).expect_err("over");
    assert_eq!((over.used, window.remaining(at(1.0), 100)), (70, 30));
    assert_eq!(window.remaining(at(1.0), 50), 0, "a lowered limit leaves nothing");
}

#[test]
fn settling_replaces_the_claim_by_what_was_used() {
    let mut window = RateWindow::default();
    let low = window.claim(at(0.0), 100, Some(1000)).expect("it fits");
    let high = window.claim(at(0.0), 100, Some(1000)).expect("it fits");
    window.settle(at(5.0), low, 40);
    assert_eq!(window.used(at(5.0)), 140);
    window.settle(at(6.0), high, 2000);
    assert_eq!(window.used(at(6.0)), 2040, "what was used is used");
    assert!(window.claim(at(6.0), 1, Some(1000)).is_err());
    let _ = window.claim(at(6.0), 0, Some(1000)).expect("nothing is always granted");
}

#[test]
fn a_claim_of_a_window_that_has_passed_is_not_given_back_in_the_next() {
    let mut window = RateWindow::default();
    let old = window.claim(at(0.0), 60, Some(100)).expect("it fits");
    let costly = window.claim(at(0.0), 40, Some(100)).expect("it fits");
    let _ = window.claim(at(60.0), 80, Some(100)).expect("a new window");
    window.release(at(61.0), old);
    assert_eq!(window.used(at(61.0)), 80);
    window.settle(at(61.0), costly, 5000);
    assert_eq!(window.used(at(61.0)), 80, "and the next one does not pay for it");
}

#[test]
fn a_claim_given_back_after_its_window_changes_nothing() {
    let mut window = RateWindow::default();
    let claim = window.claim(at(0.0), 100, Some(100)).expect("it fits");
    window.release(at(60.0), claim);
    assert_eq!(window.used(at(59.0)), 100);
}

#[test]
fn a_clock_set_back_a_little_keeps_the_window_and_set_back_far_opens_one() {
    let mut window = RateWindow::default();
    let _ = window.claim(at(100.0), 5, Some(5)).expect("it fits");
    assert!(window.claim(at(90.0), 1, Some(5)).is_err());
    assert!(window.claim(at(40.0), 1, Some(5)).is_err());
    assert_eq!(window.resets_at(at(40.0)), at(160.0));
    let _ = window.claim(at(39.0), 1, Some(5)).expect("a new window");
    assert_eq!(window.resets_at(at(39.0)), at(99.0));
}

#[test]
fn the_length_is_configurable() {
    let seconds = NonZeroU32::new(10).expect("above zero");
    let mut window = RateWindow::of_seconds(seconds);
    let _ = window.claim(at(0.0), 1, Some(1)).expect("it fits");
    assert!(window.claim(at(9.9), 1, Some(1)).is_err());
    let _ = window.claim(at(10.0), 1, Some(1)).expect("a new window");
    let sixty = NonZeroU32::new(60).expect("above zero");
    assert_eq!(RateWindow::of_seconds(sixty), RateWindow::default());
}

#[test]
fn the_ends_of_time_are_no_panic() {
    let mut window = RateWindow::default();
    for micros in [i64::MAX, i64::MIN, 0] {
        let now = Timestamp::from_micros(micros);
        let claim = window.claim(now, 1, None).expect("no limit");
        window.release(now, claim);
        assert!(window.resets_at(now) >= now);
    }
}

/// One step of a sequence, each some time after the one before.
#[derive(Debug, Clone)]
enum Step {
    Claim(u64),
    /// Settles the claim at this place among the open ones at this many hundredths of it.
    Settle(usize, u64),
    Release(usize),
}

fn any_steps() -> impl Strategy<Value = Vec<(u64, Step)>> {
    let step = prop_oneof![
        3 => (0u64..60).prop_map(Step::Claim),
        2 => (any::<usize>(), 0u64..=100).prop_map(|(at, part)| Step::Settle(at, part)),
        1 => any::<usize>().prop_map(Step::Release),
    ];
    proptest::collection::vec((0u64..25_000, step), 0..200)
}

proptest! {
    /// What is granted and not given back in time, for each window by the instant it opened.
    #[test]
    fn no_window_grants_more_than_its_limit(limit in 0u64..200, steps in any_steps()) {
        let (mut window, mut now) = (RateWindow::default(), at(0.0));
        let mut open: Vec<(u64, RateClaim)> = Vec::new();
        let mut taken = std::collections::BTreeMap::<Timestamp, u64>::new();
        for (millis, step) in steps {
            now = now.plus(Duration::from_millis(millis));
            let opened = |window: &RateWindow| window.opened_at.expect("it was opened");
            match step {
                Step::Claim(amount) => {
                    let fits = amount <= window.remaining(now, limit);
                    prop_assert_eq!(window.check(now, amount, Some(limit)).is_ok(), fits);
                    let claim = window.claim(now, amount, Some(limit));
                    prop_assert_eq!(claim.is_ok(), fits, "refused exactly when over");
                    if let Ok(claim) = claim {
                        open.push((amount, claim));
                        *taken.entry(opened(&window)).or_default() += amount;
                    }
                }
                Step::Settle(at, part) if !open.is_empty() => {
                    let (amount, claim) = open.swap_remove(at % open.len());
                    let actual = amount * part / 100;
                    let from = claim.opened_at;
                    window.settle(now, claim, actual);
                    if now.since(from) < RATE_WINDOW {
                        *taken.entry(from).or_default() -= amount - actual;
                    }
                }
                Step::Release(at) if !open.is_empty() => {
                    let (amount, claim) = open.swap_remove(at % open.len());
                    let from = claim.opened_at;
                    window.release(now, claim);
                    if now.since(from) < RATE_WINDOW {
                        *taken.entry(from).or_default() -= amount;
                    }
                }
                Step::Settle(..) | Step::Release(_) => {}
            }
            prop_assert!(taken.values().all(|taken| *taken <= limit), "{taken:?}");
            let current = taken.last_key_value().filter(|(at, _)| now.since(**at) < RATE_WINDOW);
            prop_assert_eq!(window.used(now), current.map_or(0, |(_, taken)| *taken));
        }
        let starts: Vec<_> = taken.keys().collect();
        prop_assert!(starts.windows(2).all(|pair| pair[1].since(*pair[0]) >= RATE_WINDOW));
    }

    #[test]
    fn no_minute_anywhere_grants_more_than_twice_the_limit(
        limit in 1u64..20, gaps in proptest::collection::vec(0u64..10_000, 1..300),
    ) {
        let (mut window, mut now) = (RateWindow::default(), at(0.0));
        let mut granted = Vec::new();
        for millis in gaps {
            now = now.plus(Duration::from_millis(millis));
            if window.claim(now, 1, Some(limit)).is_ok() { granted.push(now); }
        }
        for (first, from) in granted.iter().enumerate() {
            let minute = granted[first..].iter().take_while(|at| at.since(*from) < RATE_WINDOW);
            prop_assert!(minute.count() as u64 <= 2 * limit);
        }
    }

    #[test]
    fn nobody_waits_longer_than_two_lengths(
        first in any::<i64>(), second in any::<i64>(), limit in 0u64..3,
    ) {
        let mut window = RateWindow::default();
        let _ = window.claim(Timestamp::from_micros(first), 1, None);
        let now = Timestamp::from_micros(second);
        if let Err(over) = window.claim(now, 3, Some(limit)) {
            prop_assert!(over.resets_at.since(now) <= 2 * RATE_WINDOW);
        }
    }
}
