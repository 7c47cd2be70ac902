//! Opening balances: what a running window had used, beyond the totals by day.
//!
//! LiteLLM keeps a number beside each budget and adds to it with every call; the totals by day are
//! written beside it and may differ: they began later, somebody reset the number, or the window
//! began in the middle of a day. Here spend is a sum. What the number says beyond the sum of the
//! days is dated at the start of the window, so that the window's sum is the number, to the
//! nano-dollar, and every other window's is not touched.

use std::collections::BTreeMap;
use std::time::Duration;

use tollgate_domain::{Money, Timestamp};

/// A window that runs, and what the source says was spent in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spent {
    /// The window's first instant.
    pub since: Timestamp,
    /// What was spent since.
    pub money: Money,
}

/// By the start of a quarter-hour.
pub type Dated = BTreeMap<Timestamp, Money>;

/// The windows as they can be told apart here, by where each is opened, and those that cannot:
/// of two that began within one quarter-hour with different spend the larger counts for both, and
/// one that began within the present quarter-hour is not opened.
#[must_use]
pub fn told_apart(windows: &[Spent], now: Timestamp) -> (Dated, Vec<Spent>) {
    let mut unlike = Vec::new();
    let mut wanted = Dated::new();
    for window in windows {
        // The quarter-hour before is not wholly the window's own.
        let place = first_quarter(window.since);
        if place > now {
            unlike.push(*window);
            continue;
        }
        let money = wanted.entry(place).or_insert(window.money);
        if *money != window.money {
            unlike.push(*window);
            *money = (*money).max(window.money);
        }
    }
    (wanted, unlike)
}

/// The balances after which the sum of each window, from its start on, is what is wanted. Those
/// that stay as they are in `here` are not among them.
#[must_use]
pub fn balances(wanted: &Dated, days: &Dated, here: &Dated) -> Dated {
    let mut all = here.clone();
    let mut changed = Dated::new();
    // The latest first: what is opened there belongs to every window that began before.
    for (since, money) in wanted.iter().rev() {
        let missing = money.saturating_sub(sum(days, *since)).saturating_sub(sum(&all, *since));
        if missing != Money::ZERO {
            let balance = all.entry(*since).or_insert(Money::ZERO);
            *balance = balance.saturating_add(missing);
            changed.insert(*since, *balance);
        }
    }
    changed
}

/// The sum from an instant on.
#[must_use]
pub fn sum(dated: &Dated, since: Timestamp) -> Money {
    dated.range(since..).map(|(_, money)| *money).fold(Money::ZERO, Money::saturating_add)
}

/// The start of the first quarter-hour that begins no earlier.
fn first_quarter(at: Timestamp) -> Timestamp {
    let start = at.quarter_hour();
    if start == at { start } else { start.plus(QUARTER_HOUR) }
}

const QUARTER_HOUR: Duration = Duration::from_secs(15 * 60);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DAY: i64 = 86_400_000_000;
    const NOW: Timestamp = Timestamp::from_micros(100 * DAY + DAY / 2);

    const fn day(number: i64) -> Timestamp {
        Timestamp::from_micros(number * DAY)
    }

    const fn spent(since: Timestamp, nanos: i64) -> Spent {
        Spent { since, money: Money::from_nanos(nanos) }
    }

    fn dated(items: &[(i64, i64)]) -> Dated {
        items.iter().map(|(number, nanos)| (day(*number), Money::from_nanos(*nanos))).collect()
    }

    #[test]
    fn a_window_opens_with_what_the_days_do_not_tell() {
        let days = dated(&[(80, 500), (95, 30), (100, 12)]);
        let wanted = dated(&[(90, 50), (100, 20), (0, 1_000)]);
        let changed = balances(&wanted, &days, &Dated::new());
        assert_eq!(changed, dated(&[(100, 8), (0, 450)]), "the middle window needs nothing more");
    }

    #[test]
    fn a_number_that_somebody_reset_opens_below_zero() {
        let changed = balances(&dated(&[(90, 10)]), &dated(&[(95, 30)]), &Dated::new());
        assert_eq!(changed, dated(&[(90, -20)]));
    }

    #[test]
    fn what_is_here_already_is_not_opened_twice() {
        let (wanted, days) = (dated(&[(90, 50)]), dated(&[(95, 30)]));
        let first = balances(&wanted, &days, &Dated::new());
        assert_eq!(first, dated(&[(90, 20)]));
        assert_eq!(balances(&wanted, &days, &first), Dated::new());
    }

    #[test]
    fn of_two_windows_that_began_together_the_larger_spend_counts() {
        let (wanted, unlike) = told_apart(&[spent(day(100), 5), spent(day(100), 9)], NOW);
        assert_eq!((wanted, unlike.len()), (dated(&[(100, 9)]), 1));
        let (wanted, unlike) = told_apart(&[spent(day(100), 5), spent(day(100), 5)], NOW);
        assert_eq!((wanted, unlike.len()), (dated(&[(100, 5)]), 0));
    }

    #[test]
    fn a_window_is_opened_in_the_first_quarter_hour_that_is_its_own() {
        let since = Timestamp::from_micros(day(99).micros() + 1);
        let (wanted, _) = told_apart(&[spent(since, 7)], NOW);
        let place = Timestamp::from_micros(day(99).micros() + 15 * 60 * 1_000_000);
        assert_eq!(wanted.keys().collect::<Vec<_>>(), [&place]);
        let just_now = spent(Timestamp::from_micros(NOW.micros() - 1), 7);
        let (wanted, unlike) = told_apart(&[just_now], Timestamp::from_micros(NOW.micros() - 1));
        assert_eq!((wanted.len(), unlike.len()), (0, 1), "its first quarter-hour is to come");
    }

    proptest! {
        #[test]
        fn every_window_sums_to_what_the_source_says(
            windows in prop::collection::btree_map(0i64..100, 0i64..1_000_000, 0..6),
            days in prop::collection::btree_map(0i64..101, 0i64..1_000_000, 0..10),
            before in prop::collection::btree_map(0i64..101, -1_000i64..1_000_000, 0..4),
        ) {
            let dated = |items: &BTreeMap<i64, i64>| -> Dated {
                items.iter().map(|(at, nanos)| (day(*at), Money::from_nanos(*nanos))).collect()
            };
            let (wanted, days, mut all) = (dated(&windows), dated(&days), dated(&before));
            let changed = balances(&wanted, &days, &all);
            all.extend(changed);
            for (since, money) in wanted {
                let here = sum(&days, since).saturating_add(sum(&all, since));
                prop_assert_eq!(here, money);
            }
        }
    }
}
