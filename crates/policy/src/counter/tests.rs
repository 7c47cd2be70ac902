//! One counter, many at once, and the law over random histories.

use proptest::prelude::*;

use super::*;

const fn at(second: i64) -> Timestamp {
    Timestamp::from_micros(second * 1_000_000)
}

fn minute(second: i64) -> Window {
    Window::Opened { now: at(second), length: Duration::from_secs(60) }
}

const fn claim(amount: i64, cap: i64, window: Window) -> Claim {
    Claim { amount, cap: Some(cap), window }
}

fn one(counter: &mut Counter, claim: Claim) -> Result<Held, Over> {
    take(&mut [counter], &[claim]).map(|held| held[0])
}

#[test]
fn a_claim_that_one_counter_refuses_is_taken_from_none() {
    let (mut key, mut team) = (Counter::new(0, 0), Counter::new(0, 90));
    let claims = [claim(20, 100, Window::Forever), claim(20, 100, Window::Forever)];
    let over = take(&mut [&mut key, &mut team], &claims).expect_err("the team has 10 left");
    assert_eq!((over.index, over.free(), over.by_held()), (1, 10, false));
    assert_eq!((key, team), (Counter::new(0, 0), Counter::new(0, 90)));
}

#[test]
fn a_refusal_says_whether_waiting_for_others_may_help() {
    let mut counter = Counter::new(0, 10);
    let first = one(&mut counter, claim(60, 100, Window::Forever)).expect("it fits");
    let over = one(&mut counter, claim(31, 100, Window::Forever)).expect_err("10 + 60 + 31");
    assert!(over.by_held());
    counter.settle(first, 5);
    assert_eq!(counter, Counter { start: 0, used: 15, held: 0 });
    assert!(one(&mut counter, claim(86, 100, Window::Forever)).is_err_and(|over| !over.by_held()));
}

#[test]
fn nothing_can_be_claimed_of_nothing_and_nothing_is_always_granted() {
    for (cap, amount, granted) in
        [(0, 0, true), (0, 1, false), (1, 1, true), (i64::MAX, i64::MAX, true), (-5, 0, true)]
    {
        let mut counter = Counter::default();
        let result = one(&mut counter, claim(amount, cap, Window::Forever));
        assert_eq!(result.is_ok(), granted, "{amount} of {cap}");
    }
    let mut full = Counter::new(0, i64::MAX);
    assert!(one(&mut full, claim(1, i64::MAX, Window::Forever)).is_err(), "it does not wrap");
    let unlimited = Claim { amount: 7, cap: None, window: Window::Forever };
    assert!(one(&mut full, unlimited).is_ok());
}

#[test]
fn a_minute_begins_with_the_first_request_and_refuses_until_it_ends() {
    let mut counter = Counter::default();
    let first = one(&mut counter, claim(1, 1, minute(1000))).expect("the first");
    counter.settle(first, 1);
    let over = one(&mut counter, claim(1, 1, minute(1059))).expect_err("the second");
    assert_eq!((over.used, over.resets_at), (1, Some(at(1060))));
    assert!(one(&mut counter, claim(1, 1, minute(1060))).is_ok(), "a window is half-open");
}

#[test]
fn what_settles_after_its_window_does_not_count_in_the_next() {
    let may = Window::Between(at(100), at(200));
    let june = Window::Between(at(200), at(300));
    let mut counter = Counter::default();
    let late = one(&mut counter, claim(40, 50, may)).expect("may");
    let held = one(&mut counter, claim(50, 50, june)).expect("june begins empty");
    counter.settle(late, 40);
    assert_eq!(counter, Counter { start: at(200).micros(), used: 0, held: 50 });
    counter.settle(held, 7);
    // A clock that is behind does not bring the old window back.
    assert!(one(&mut counter, claim(44, 50, may)).is_err());
}

/// One step of a random history.
#[derive(Debug, Clone)]
enum Step {
    Claim([i64; 3]),
    /// Settles the nth open call at this share of what it holds, in percent.
    Settle(usize, i64),
    Wait(i64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => prop::array::uniform3(0_i64..40).prop_map(Step::Claim),
        3 => (0_usize..64, 0_i64..=100).prop_map(|(nth, percent)| Step::Settle(nth, percent)),
        1 => (0_i64..90).prop_map(Step::Wait),
    ];
    prop::collection::vec(step, 1..200)
}

proptest! {
    /// `used + held ≤ cap` in every window, whatever calls overlap, and `used` is what was used.
    #[test]
    fn used_and_held_never_pass_the_cap(
        steps in steps(),
        caps in prop::array::uniform3(0_i64..200),
    ) {
        let mut counters = [Counter::default(); 3];
        let mut open: Vec<Vec<Held>> = Vec::new();
        let mut used_forever = 0;
        let mut second = 10_000;
        for step in steps {
            let windows = [
                Window::Forever,
                minute(second),
                Window::Between(at(second / 100 * 100), at(second / 100 * 100 + 100)),
            ];
            match step {
                Step::Wait(seconds) => second += seconds,
                Step::Claim(amounts) => {
                    let claims: [Claim; 3] =
                        std::array::from_fn(|at| claim(amounts[at], caps[at], windows[at]));
                    let before = counters;
                    match take(&mut counters.each_mut(), &claims) {
                        Ok(held) => open.push(held),
                        Err(over) => {
                            prop_assert!(over.used + over.held + over.asked > over.cap);
                            prop_assert_eq!(counters[0], before[0]);
                        }
                    }
                }
                Step::Settle(nth, percent) if !open.is_empty() => {
                    let call = open.swap_remove(nth % open.len());
                    for (counter, held) in counters.iter_mut().zip(&call) {
                        counter.settle(*held, held.amount * percent / 100);
                    }
                    used_forever += call[0].amount * percent / 100;
                }
                Step::Settle(..) => {}
            }
            for (counter, cap) in counters.iter().zip(caps) {
                prop_assert!(counter.used + counter.held <= cap, "{counter:?} passes {cap}");
            }
        }
        let held: i64 = open.iter().map(|call| call[0].amount).sum();
        prop_assert_eq!(counters[0], Counter { start: 0, used: used_forever, held });
    }
}
