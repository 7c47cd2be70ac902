//! Budget windows: edges of the cap, and that no sequence of calls passes it.

use proptest::prelude::*;

use super::*;

fn nanos(nanos: i64) -> Money {
    Money::from_nanos(nanos)
}

fn window(cap: i64, spent: i64) -> Window {
    Window::new(Some(nanos(cap)), nanos(spent))
}

#[test]
fn the_cap_can_be_reached_and_not_passed() {
    let mut window = window(100, 40);
    assert_eq!(window.free(), Some(nanos(60)));
    window.hold(nanos(60)).expect("it just fits");
    assert_eq!(window.free(), Some(Money::ZERO));
    let over = window.hold(nanos(1)).expect_err("nothing is left");
    let expected =
        OverBudget { cap: nanos(100), spent: nanos(40), held: nanos(60), asked: nanos(1) };
    assert_eq!(over, expected);
    assert_eq!(window.held(), nanos(60), "a refused hold holds nothing");
}

#[test]
fn a_refusal_tells_whether_other_calls_hold_the_money() {
    let mut window = window(100, 40);
    window.hold(nanos(50)).expect("it fits");
    assert!(window.hold(nanos(60)).expect_err("over").by_reservation());
    assert!(!window.hold(nanos(61)).expect_err("over").by_reservation());
}

#[test]
fn a_cost_above_its_hold_is_recorded_wholly() {
    let mut window = window(100, 0);
    window.hold(nanos(10)).expect("it fits");
    window.settle(nanos(10), nanos(250));
    assert_eq!((window.spent(), window.held()), (nanos(250), Money::ZERO));
    assert_eq!(window.free(), Some(Money::ZERO));
    assert!(window.hold(nanos(1)).is_err());
}

#[test]
fn a_zero_cap_refuses_whatever_costs_and_admits_what_is_free() {
    let mut window = window(0, 0);
    assert!(window.hold(nanos(1)).is_err());
    assert_eq!(window.hold(Money::ZERO), Ok(()));
    let mut passed = Window::new(Some(nanos(5)), nanos(9));
    assert_eq!(passed.hold(Money::ZERO), Ok(()));
}

#[test]
fn a_released_hold_is_free_again() {
    let mut window = window(10, 0);
    window.hold(nanos(10)).expect("it fits");
    window.release(nanos(10));
    assert_eq!(window, Window::new(Some(nanos(10)), Money::ZERO));
}

#[test]
fn without_a_cap_only_the_range_of_money_limits() {
    let mut window = Window::new(None, nanos(5));
    assert_eq!((window.cap(), window.free()), (None, None));
    window.hold(nanos(i64::MAX - 5)).expect("it just fits the range");
    let over = window.hold(nanos(1)).expect_err("outside the range");
    assert_eq!(over.cap, Money::MAX);
    window.settle(nanos(i64::MAX - 5), Money::MAX);
    assert_eq!(window.spent(), Money::MAX, "spend stops at the end of the range");
}

#[test]
fn a_lowered_cap_keeps_the_holds_and_stops_further_ones() {
    let mut window = window(100, 0);
    window.hold(nanos(80)).expect("it fits");
    window.set_cap(Some(nanos(50)));
    assert!(window.hold(nanos(1)).is_err());
    window.settle(nanos(80), nanos(20));
    window.hold(nanos(30)).expect("it fits the new cap");
    window.set_cap(None);
    window.hold(nanos(1_000_000)).expect("unlimited");
}

#[test]
#[should_panic(expected = "a hold is given back exactly once")]
fn a_hold_cannot_be_given_back_twice() {
    let mut window = window(100, 0);
    window.hold(nanos(10)).expect("it fits");
    window.release(nanos(10));
    window.release(nanos(10));
}

#[test]
#[should_panic(expected = "a hold is never negative")]
fn a_negative_hold_frees_nothing() {
    let _ = window(100, 0).hold(nanos(-1));
}

#[test]
#[should_panic(expected = "a cost is never negative")]
fn a_negative_cost_is_no_refund() {
    window(100, 0).settle(Money::ZERO, nanos(-1));
}

#[test]
fn the_refusal_names_every_figure() {
    let over = OverBudget {
        cap: nanos(2_000_000_000),
        spent: nanos(1_500_000_000),
        held: nanos(250_000_000),
        asked: nanos(300_000_000),
    };
    assert_eq!(
        over.to_string(),
        "the call may cost up to `0.3` dollars, and of a budget of `2` dollars `1.5` are spent and \
         `0.25` are held for calls in flight"
    );
}

/// What one step of a sequence does.
#[derive(Debug, Clone)]
enum Step {
    Hold(i64),
    /// Settles the hold at this place among the open ones, at this many thousandths of it.
    Settle(usize, i64),
    Release(usize),
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0i64..400).prop_map(Step::Hold),
        2 => (any::<usize>(), 0i64..=1000).prop_map(|(at, part)| Step::Settle(at, part)),
        1 => any::<usize>().prop_map(Step::Release),
    ]
}

proptest! {
    #[test]
    fn spent_and_held_never_pass_the_cap(
        cap in 0i64..2000, steps in proptest::collection::vec(any_step(), 0..200),
    ) {
        let mut window = window(cap, 0);
        let (mut open, mut cost_sum) = (Vec::<i64>::new(), 0);
        for step in steps {
            match step {
                Step::Hold(amount) => {
                    let free = window.free();
                    let held = window.hold(nanos(amount)).is_ok();
                    prop_assert_eq!(held, Some(nanos(amount)) <= free, "refused exactly when over");
                    if held { open.push(amount); }
                }
                Step::Settle(at, part) if !open.is_empty() => {
                    let held = open.swap_remove(at % open.len());
                    let cost = held * part / 1000;
                    window.settle(nanos(held), nanos(cost));
                    cost_sum += cost;
                }
                Step::Release(at) if !open.is_empty() => {
                    window.release(nanos(open.swap_remove(at % open.len())));
                }
                Step::Settle(..) | Step::Release(_) => {}
            }
            prop_assert!(window.spent().nanos() + window.held().nanos() <= cap);
            prop_assert_eq!(window.spent().nanos(), cost_sum);
            prop_assert_eq!(window.held().nanos(), open.iter().sum::<i64>());
        }
    }
}
