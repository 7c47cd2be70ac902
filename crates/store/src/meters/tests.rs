//! Claims of many meters at once, alone and from many threads.

use std::time::Duration;

use super::*;

const fn at(second: i64) -> Timestamp {
    Timestamp::from_micros(second * 1_000_000)
}

fn wanted(meter: &Arc<Meter>, measure: Measure, amount: i64, cap: i64) -> Wanted<'_> {
    Wanted { meter, measure, claim: Claim { amount, cap: Some(cap), window: Window::Forever } }
}

fn money(meter: &Arc<Meter>, amount: i64, cap: i64) -> Wanted<'_> {
    wanted(meter, Measure::Money, amount, cap)
}

fn used(nanos: i64) -> Used {
    Used { cost: Money::from_nanos(nanos), tokens: 0 }
}

const MONEY: Tally = Tally { measure: Measure::Money, model: None, period: None };

fn meters<const N: usize>() -> [Arc<Meter>; N] {
    std::array::from_fn(|_| Arc::new(Meter::new(Label::named(&MONEY, ""), Counter::default())))
}

#[test]
fn claims_settle_once_or_are_given_back() {
    let [key, team] = meters();
    let both = |amount| [money(&key, amount, 100), money(&team, amount, 50)];
    let first = Claims::take(&both(40)).expect("it fits both");
    let over = Claims::take(&both(20)).expect_err("the team has 10 left");
    assert_eq!((over.index, over.by_held()), (1, true));
    drop(Claims::take(&both(10)).expect("it fits exactly"));
    first.settle(&used(7));
    for meter in [&key, &team] {
        assert_eq!((meter.used(&Window::Forever), meter.held()), (7, 0));
    }
}

#[test]
fn a_meter_that_is_wanted_twice_is_claimed_once() {
    let [tag] = meters();
    let claims = Claims::take(&[money(&tag, 6, 10), money(&tag, 6, 10)]).expect("once");
    assert_eq!(tag.held(), 6);
    claims.settle(&used(5));
    assert_eq!((tag.used(&Window::Forever), tag.held()), (5, 0));
}

#[test]
fn a_slot_is_free_again_and_a_request_stays_counted() {
    let [calls, requests, tokens] = meters();
    let window = Window::Opened { now: at(600), length: Duration::from_secs(60) };
    let of = |meter, measure, amount, cap| Wanted {
        meter,
        measure,
        claim: Claim { amount, cap: Some(cap), window },
    };
    let all = [
        wanted(&calls, Measure::Calls, 1, 1),
        of(&requests, Measure::Requests, 1, 5),
        of(&tokens, Measure::Tokens, 300, 1000),
    ];
    let claims = Claims::take(&all).expect("it fits");
    assert!(Claims::take(&all).is_err_and(|over| over.index == 0));
    let left = |limit, remaining| Some(Left { limit, remaining, resets_at: Some(at(660)) });
    assert_eq!(claims.standing(), Standing { requests: left(5, 4), tokens: left(1000, 700) });
    claims.settle(&Used { cost: Money::ZERO, tokens: 120 });
    let now = |meter: &Meter| (meter.used(&Window::Forever), meter.held());
    assert_eq!((now(&calls), now(&requests), now(&tokens)), ((0, 0), (1, 0), (120, 0)));
}

#[test]
fn the_tightest_limit_is_the_one_that_leaves_least() {
    let [key, team] = meters();
    let wide = [wanted(&key, Measure::Requests, 1, 100), wanted(&team, Measure::Requests, 1, 3)];
    let mut claims = Claims::take(&wide).expect("it fits");
    assert_eq!(claims.standing().requests.map(|left| left.remaining), Some(2));
    let [other] = meters();
    claims.join(Claims::take(&[wanted(&other, Measure::Requests, 1, 2)]).expect("it fits"));
    assert_eq!(claims.standing().requests.map(|left| left.limit), Some(2));
}

/// Sixty-four threads over a random tree: the caps hold at every instant, the sums are exact.
#[test]
fn sixty_four_threads_never_pass_a_cap_and_lose_no_money() {
    const ROUNDS: usize = 400;
    const CAPS: [i64; 8] = [900, 700, 1_000, 500, i64::MAX, 800, 650, 1_200];
    let tree: [Arc<Meter>; 8] = meters();
    let worker = |seed: usize| {
        let tree = &tree;
        move || -> [i64; 8] {
            let mut spent = [0; 8];
            for round in 0..ROUNDS {
                one_call(tree, &CAPS, seed * ROUNDS + round, &mut spent);
            }
            spent
        }
    };
    let spent = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..64).map(|seed| scope.spawn(worker(seed))).collect();
        threads.into_iter().fold([0; 8], |sum, thread| {
            let part = thread.join().expect("no panic");
            std::array::from_fn(|at| sum[at] + part[at])
        })
    });
    for (meter, (spent, cap)) in tree.iter().zip(spent.into_iter().zip(CAPS)) {
        assert_eq!((meter.used(&Window::Forever), meter.held()), (spent, 0));
        assert!(spent > 0 && spent <= cap, "{spent} of {cap}");
    }
}

/// Claims of a path through the tree, in an order of its own, and settles within what it held.
fn one_call(tree: &[Arc<Meter>; 8], caps: &[i64; 8], number: usize, spent: &mut [i64; 8]) {
    let mut path: Vec<usize> = (0..8).filter(|at| ((number * 31) >> at) & 1 == 1).collect();
    let turn = number % path.len().max(1);
    path.rotate_left(turn);
    let amount = (number * 7 % 50) as i64;
    let wanted: Vec<Wanted<'_>> =
        path.iter().map(|at| money(&tree[*at], amount, caps[*at])).collect();
    let Ok(claims) = Claims::take(&wanted) else { return };
    for at in &path {
        let counter = *tree[*at].counter();
        assert!(counter.used + counter.held <= caps[*at], "{counter:?} passes {}", caps[*at]);
    }
    if number.is_multiple_of(5) {
        return;
    }
    let cost = amount * (number % 3) as i64 / 40;
    claims.settle(&used(cost));
    path.iter().for_each(|at| spent[*at] += cost);
}
