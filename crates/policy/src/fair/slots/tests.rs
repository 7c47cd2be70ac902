//! Named cases of who is granted a slot, who waits and who is refused.

use super::rig::{Rig, ask, flow, queueing};
use super::*;
use crate::fair::{PriorityRange, Weight};

#[test]
fn nobody_waits_where_nothing_limits() {
    let mut rig = Rig::new(0, 64);
    for number in 0..5000 {
        assert_eq!(rig.call("a", &ask("t", "a", 10)), "granted", "{number}");
    }
    assert_eq!((rig.slots.in_flight(), rig.slots.waiting(), rig.slots.limit()), (5000, 0, None));
}

#[test]
fn another_keys_call_is_granted_after_at_most_two_releases_of_a_burst() {
    for (of_a, of_b) in [(("t", "a"), ("t", "b")), (("t", "a"), ("u", "b"))] {
        let mut rig = Rig::new(2, 128);
        for _ in 0..102 {
            rig.call("a", &ask(of_a.0, of_a.1, 1000));
        }
        assert_eq!((rig.slots.in_flight(), rig.slots.waiting()), (2, 100));
        // However far the burst has come.
        rig.next(10);
        assert_eq!(rig.call("b", &ask(of_b.0, of_b.1, 900)), "waits");
        assert!(rig.next(2).contains(&"b".to_owned()));
        assert_eq!((rig.slots.in_flight(), rig.slots.waiting()), (2, 89));
    }
}

#[test]
fn a_call_that_is_much_larger_than_those_of_a_burst_does_not_wait_for_them() {
    let mut rig = Rig::new(1, 128);
    for _ in 0..100 {
        rig.call("small", &ask("t", "a", 64));
    }
    rig.call("large", &ask("t", "b", 64_000));
    assert!(rig.next(2).contains(&"large".to_owned()));
}

#[test]
fn a_huge_call_delays_the_others_by_its_turn_and_then_waits_for_what_it_took() {
    let mut rig = Rig::new(1, 128);
    rig.call("first", &ask("t", "x", 64));
    for _ in 0..3 {
        rig.call("huge", &ask("t", "a", 6400));
    }
    for _ in 0..120 {
        rig.call("tiny", &ask("t", "b", 64));
    }
    let order = rig.next(123);
    let at: Vec<usize> = (0..order.len()).filter(|at| order[*at] == "huge").collect();
    // Between two huge calls, a hundred times as many tiny ones.
    assert_eq!(at, [0, 101, 122]);
}

#[test]
fn a_call_of_more_tokens_than_any_window_has_is_counted_as_one_window() {
    let mut rig = Rig::new(1, 20_000);
    rig.call("first", &ask("t", "x", 1));
    for _ in 0..2 {
        rig.call("huge", &ask("t", "a", u64::MAX));
    }
    let tiny = usize::try_from(COST_TOKENS_MAX / (1 << 19)).expect("small");
    for _ in 0..8 {
        rig.call("half", &ask("t", "b", 1 << 19));
    }
    let order = rig.next(10);
    let at: Vec<usize> = (0..order.len()).filter(|at| order[*at] == "huge").collect();
    assert_eq!(at, [0, 1 + tiny]);
}

#[test]
fn a_team_gets_no_more_for_having_more_keys() {
    let mut rig = Rig::new(1, 64);
    rig.call("first", &ask("t", "x", 100));
    for key in ["a", "b", "c", "d"] {
        for _ in 0..10 {
            rig.call("many", &ask("t", key, 100));
        }
    }
    for _ in 0..10 {
        rig.call("one", &ask("u", "e", 100));
    }
    let order = rig.next(20);
    assert_eq!(order.iter().filter(|name| *name == "one").count(), 10);
}

#[test]
fn weights_share_out_what_is_scarce() {
    let mut rig = Rig::new(1, 64);
    rig.call("first", &ask("t", "x", 100));
    for _ in 0..60 {
        let three = Weight::from_milli(3000);
        rig.call("three", &Ask { tenant_weight: three, ..ask("t", "a", 100) });
        rig.call("one", &Ask { flow_weight: three, ..ask("u", "b", 100) });
    }
    let order = rig.next(40);
    assert_eq!(order.iter().filter(|name| *name == "three").count(), 30);
}

#[test]
fn a_weight_that_changes_holds_from_the_next_call_on() {
    let mut rig = Rig::new(1, 64);
    let three = |cost| Ask { tenant_weight: Weight::from_milli(3000), ..ask("t", "a", cost) };
    rig.call("first", &ask("t", "x", 100));
    for _ in 0..40 {
        rig.call("a", &ask("t", "a", 100));
        rig.call("b", &ask("u", "b", 100));
    }
    rig.call("a", &three(100));
    let order = rig.next(40);
    assert_eq!(order.iter().filter(|name| *name == "a").count(), 30);
}

#[test]
fn a_higher_priority_goes_first_among_its_own_flow_only() {
    let mut rig = Rig::new(1, 64);
    let urgent = Priority::granted(Some(-9), Some(PriorityRange { min: -9, max: 9 }));
    rig.call("first", &ask("t", "x", 100));
    rig.call("b1", &ask("t", "b", 100));
    rig.call("a1", &ask("t", "a", 100));
    rig.call("a2", &ask("t", "a", 100));
    rig.call("a3", &Ask { priority: urgent, ..ask("t", "a", 100) });
    rig.call("b2", &ask("t", "b", 100));
    assert_eq!(rig.next(5), ["b1", "a3", "b2", "a1", "a2"]);
}

#[test]
fn a_flow_has_so_many_places_and_the_others_theirs() {
    let mut rig = Rig::new(1, 2);
    let calls = ["a", "a", "a", "a", "b", "b", "b"];
    let became: Vec<_> = calls.iter().map(|key| rig.call(key, &ask("t", key, 9))).collect();
    assert_eq!(became, ["granted", "waits", "waits", "flow full", "waits", "waits", "flow full"]);
    rig.release();
    assert_eq!(rig.call("a", &ask("t", "a", 9)), "waits", "one place is free again");
    assert_eq!(Rig::new(1, 0).call("a", &ask("t", "a", 9)), "granted");
    let mut none = Rig::new(1, 0);
    none.call("a", &ask("t", "a", 9));
    assert_eq!(none.call("b", &ask("t", "b", 9)), "flow full", "no place at all");
}

/// As many calls of a team as may wait, spread over many keys.
fn fill(rig: &mut Rig, team: &str) -> usize {
    let keys = (0..PLACES_MAX).map(|number| format!("k{}", number % 80));
    keys.take_while(|key| rig.call("waits", &ask(team, key, 9)) == "waits").count()
}

#[test]
fn a_team_of_many_keys_leaves_places_to_others() {
    let mut rig = Rig::new(1, PLACES_MAX);
    rig.call("first", &ask("t", "x", 9));
    assert_eq!(fill(&mut rig, "t"), PLACES_MAX / 2);
    assert_eq!(rig.call("more", &ask("t", "new", 9)), "deployment full");
    assert_eq!(fill(&mut rig, "u"), PLACES_MAX / 4);
    rig.release();
    assert_eq!(rig.call("more", &ask("u", "new", 9)), "waits");
}

#[test]
fn a_deployment_has_so_many_places_whoever_asks() {
    let mut rig = Rig::new(1, PLACES_MAX);
    rig.call("first", &ask("t", "x", 9));
    for team in 0..=PLACES_MAX.ilog2() {
        assert!(fill(&mut rig, &format!("t{team}")) > 0, "{team}");
    }
    assert_eq!(rig.slots.waiting(), PLACES_MAX);
    assert_eq!(rig.call("more", &ask("new", "new", 9)), "deployment full");
    rig.release();
    assert_eq!(rig.call("more", &ask("new", "new", 9)), "waits");
}

#[test]
fn a_place_whose_time_is_over_is_not_granted_and_ends_once() {
    let mut rig = Rig::new(1, 64);
    rig.call("first", &ask("t", "x", 9));
    let patience = Duration::from_secs(5);
    rig.call("short", &Ask { patience, ..ask("t", "a", 9) });
    rig.call("long", &Ask { patience: Duration::MAX, ..ask("t", "a", 9) });
    rig.pass(Duration::from_secs(4));
    assert_eq!(rig.slots.expire(rig.now), []);
    rig.pass(Duration::from_secs(1));
    let (_, slot) = rig.held.remove(0);
    let turn = rig.slots.release(slot, Ended::Served, rig.now);
    assert_eq!(turn.expired, [rig.place("short").id()]);
    assert_eq!(rig.note(turn), ["long"]);
    assert_eq!(rig.slots.expire(rig.now), []);
    assert_eq!(rig.slots.waiting(), 0);
    rig.call("endless", &Ask { patience: Duration::MAX, ..ask("t", "a", 9) });
    rig.pass(Duration::from_secs(30));
    assert_eq!(rig.slots.expire(rig.now), [rig.place("endless").id()], "the longest wait");
}

#[test]
fn a_place_is_given_up_once_and_not_after_it_was_granted() {
    let mut rig = Rig::new(1, 64);
    for name in ["first", "a", "b"] {
        rig.call(name, &ask("t", "x", 9));
    }
    assert_eq!(rig.release(), ["a"]);
    let Rig { slots, places, .. } = &mut rig;
    let cancelled: Vec<bool> =
        [0, 1, 1].iter().map(|at: &usize| slots.cancel(&places[*at].1)).collect();
    assert_eq!(cancelled, [false, true, false]);
    assert_eq!((slots.waiting(), slots.in_flight()), (0, 1));
    assert!(rig.release().is_empty());
    assert_eq!(rig.slots.in_flight(), 0);
}

#[test]
fn a_limit_that_falls_lets_calls_end_and_one_that_rises_grants_at_once() {
    let mut rig = Rig::new(4, 64);
    for name in ["1", "2", "3", "4", "a", "b", "c", "d"] {
        rig.call(name, &ask("t", "x", 9));
    }
    rig.pass(Duration::from_secs(1));
    assert!(rig.release_as(Ended::Congested).is_empty());
    assert_eq!((rig.slots.limit(), rig.slots.in_flight()), (Some(2), 3));
    assert!(rig.release().is_empty());
    assert_eq!(rig.release(), ["a"]);
}

#[test]
fn a_learned_limit_that_rises_grants_two_for_one() {
    let mut rig = Rig::new(0, 64);
    for name in ["1", "2", "3", "4"] {
        rig.call(name, &ask("t", "x", 9));
    }
    rig.pass(Duration::from_secs(1));
    rig.release_as(Ended::Congested);
    for name in ["a", "b", "c", "d", "e", "f"] {
        assert_eq!(rig.call(name, &ask("t", "x", 9)), "waits");
    }
    rig.pass(Duration::from_secs(1));
    assert_eq!(rig.next(3), ["a", "b"]);
    assert_eq!(rig.release(), ["c"]);
    assert_eq!(rig.release(), ["d", "e"], "two were served at a limit of two");
}

#[test]
fn a_limit_that_an_operator_raises_or_takes_away_grants_at_once() {
    let mut rig = Rig::new(1, 64);
    for name in ["1", "a", "b", "c"] {
        rig.call(name, &ask("t", "x", 9));
    }
    let turn = rig.slots.configure(NonZeroU32::new(3), queueing(64), rig.now);
    assert_eq!(rig.note(turn), ["a", "b"]);
    let turn = rig.slots.configure(None, queueing(64), rig.now);
    assert_eq!(rig.note(turn), ["c"]);
}

#[test]
fn nothing_is_learned_where_no_call_may_wait() {
    let mut rig = Rig::new(0, 0);
    for name in ["1", "2", "3", "4"] {
        rig.call(name, &ask("t", "x", 9));
    }
    rig.pass(Duration::from_secs(1));
    rig.release_as(Ended::Congested);
    assert_eq!(rig.slots.limit(), None);
    let mut rig = Rig::new(0, 1);
    for name in ["1", "2", "3", "4"] {
        rig.call(name, &ask("t", "x", 9));
    }
    rig.pass(Duration::from_secs(1));
    rig.release_as(Ended::Congested);
    assert_eq!(rig.slots.limit(), Some(2));
    rig.call("a", &ask("t", "x", 9));
    let turn = rig.slots.configure(None, queueing(0), rig.now);
    assert_eq!(rig.note(turn), ["a"], "what was learned is forgotten");
    assert_eq!(rig.slots.limit(), None);
}

#[test]
fn calling_one_at_a_time_is_no_way_around_a_debt() {
    let mut rig = Rig::new(1, 200);
    rig.call("first", &ask("t", "x", 64));
    for _ in 0..150 {
        rig.call("small", &ask("t", "a", 100));
    }
    rig.call("large", &ask("t", "b", 5000));
    assert_eq!(rig.next(2), ["small", "large"]);
    rig.call("large", &ask("t", "b", 5000));
    // With the one before, fifty small calls: as many tokens as the large one took.
    let order = rig.next(60);
    assert_eq!(order.iter().position(|name| name == "large"), Some(49));
}

#[test]
fn a_flow_that_neither_waits_nor_owes_is_forgotten() {
    let mut rig = Rig::new(1, 64);
    rig.call("first", &ask("t", "x", 64));
    for _ in 0..4 {
        rig.call("a", &ask("t", "a", 64));
    }
    rig.call("b", &ask("u", "b", 64));
    assert_eq!(rig.slots.tenants.members(), 2);
    rig.next(2);
    assert_eq!(rig.slots.tenants.members(), 2, "b owes");
    rig.next(1);
    assert_eq!(rig.slots.tenants.members(), 1, "b has paid");
    rig.next(2);
    assert_eq!((rig.slots.tenants.members(), rig.slots.waiting()), (0, 0), "nobody waits");
}

#[test]
fn a_caller_is_told_when_the_calls_before_its_own_will_have_been_served() {
    let mut rig = Rig::new(1, 3);
    rig.call("first", &ask("t", "x", 64));
    for key in ["a", "a", "a", "b", "b"] {
        rig.call(key, &ask("t", key, 64));
    }
    let told = |rig: &Rig| rig.slots.retry_after(&flow("t", "a"), rig.now).as_millis();
    assert_eq!(told(&rig), 1000, "nothing is known yet");
    rig.pass(Duration::from_millis(400));
    assert_eq!(rig.release(), ["a"]);
    assert_eq!(rig.call("a", &ask("t", "a", 64)), "waits");
    // Three of its own and as many of the other flow, but no more than wait at all.
    assert_eq!(told(&rig), 5 * 400);
    rig.pass(Duration::from_millis(100));
    assert_eq!(told(&rig), 5 * 400, "the next slot is not overdue yet");
    rig.pass(Duration::from_secs(9));
    assert_eq!(told(&rig), 30_000, "no longer than the longest wait");
}
