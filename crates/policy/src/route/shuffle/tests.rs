//! Plans: tiers, shares, and the frequencies of a seeded draw.

use proptest::prelude::*;

use super::*;

/// A small generator for tests (splitmix64): full-width and the same on every run.
pub(in crate::route) fn seeded(mut state: u64) -> impl FnMut() -> u64 {
    move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

fn weighted(weight: u32) -> Candidate {
    Candidate { weight: Some(weight), available: true, ..Candidate::default() }
}

fn plain() -> Candidate {
    Candidate { available: true, ..Candidate::default() }
}

/// How often each candidate comes first in ten thousand plans, in hundredths.
fn first_shares(candidates: &[Candidate]) -> Vec<u64> {
    let mut draw = seeded(7);
    let mut first = vec![0u64; candidates.len()];
    for _ in 0..10_000 {
        first[plan(candidates, &mut draw)[0]] += 1;
    }
    first.into_iter().map(|count| (count + 50) / 100).collect()
}

#[track_caller]
fn check_shares(candidates: &[Candidate], expected: &[u64]) {
    let shares = first_shares(candidates);
    let close = shares.iter().zip(expected).all(|(share, expected)| share.abs_diff(*expected) <= 2);
    assert!(close, "{shares:?}, expected about {expected:?}");
}

#[test]
fn calls_are_shared_by_weight() {
    check_shares(&[weighted(700), weighted(200), weighted(100)], &[70, 20, 10]);
    check_shares(&[weighted(1), weighted(0)], &[100, 0]);
    check_shares(&[plain(), weighted(1), weighted(1)], &[0, 50, 50]);
}

#[test]
fn without_weights_calls_are_shared_by_rpm_then_tpm_then_evenly() {
    let rpm = |rpm| Candidate { rpm: Some(rpm), ..plain() };
    let tpm = |tpm| Candidate { tpm: Some(tpm), ..plain() };
    check_shares(&[rpm(300), rpm(100)], &[75, 25]);
    check_shares(&[rpm(300), tpm(100)], &[100, 0]);
    check_shares(&[tpm(u64::MAX), tpm(u64::MAX)], &[50, 50]);
    check_shares(&[plain(), plain(), plain(), plain()], &[25, 25, 25, 25]);
    // One weight decides for the tier, wherever it stands; weights of zero decide nothing.
    check_shares(&[rpm(900), Candidate { rpm: Some(100), ..weighted(1) }], &[0, 100]);
    check_shares(&[Candidate { rpm: Some(3), ..weighted(0) }, rpm(1)], &[75, 25]);
    check_shares(&[weighted(0), weighted(0)], &[50, 50]);
}

#[test]
fn the_second_place_is_drawn_by_share_too() {
    let candidates = [weighted(1_000_000), weighted(3), weighted(1)];
    let mut draw = seeded(11);
    let second = (0..4000).filter(|_| plan(&candidates, &mut draw)[1] == 1).count();
    assert!((2850..3150).contains(&second), "{second} of 4000, expected about 3000");
}

#[test]
fn behind_the_places_that_are_drawn_everybody_has_a_turn() {
    let (candidates, mut draw) = ([plain(); 20], seeded(3));
    let mut ninth = [0u32; 20];
    for _ in 0..2000 {
        ninth[plan(&candidates, &mut draw)[PLACES_DRAWN]] += 1;
    }
    assert!(ninth.iter().all(|times| (50..150).contains(times)), "{ninth:?}");
}

#[test]
fn an_unavailable_candidate_is_never_planned() {
    let away = Candidate { available: false, ..weighted(1000) };
    assert_eq!(plan(&[away, weighted(1), away], &mut seeded(1)), [1]);
    assert!(plan(&[away], &mut seeded(1)).is_empty());
    assert!(plan(&[], &mut seeded(1)).is_empty());
}

#[test]
fn an_unavailable_candidate_does_not_choose_the_measure() {
    let away = Candidate { available: false, ..weighted(1000) };
    let rpm = |rpm| Candidate { rpm: Some(rpm), ..plain() };
    check_shares(&[away, rpm(300), rpm(100)], &[0, 75, 25]);
}

#[test]
fn the_extremes_of_a_draw_stay_in_range() {
    let candidates = [weighted(u32::MAX), weighted(1), weighted(u32::MAX)];
    assert_eq!(plan(&candidates, &mut || 0), [0, 1, 2]);
    assert_eq!(plan(&candidates, &mut || u64::MAX), [2, 1, 0]);
}

prop_compose! {
    fn any_candidate()(
        order in 0u32..3,
        weight in proptest::option::of(0u32..5),
        rpm in proptest::option::of(0u64..5),
        tpm in proptest::option::of(any::<u64>()),
        available in any::<bool>(),
    ) -> Candidate {
        Candidate { order, weight, rpm, tpm, available }
    }
}

proptest! {
    #[test]
    fn a_plan_is_an_ordering_of_the_available_ones_by_tier(
        candidates in proptest::collection::vec(any_candidate(), 0..12), seed in any::<u64>(),
    ) {
        let planned = plan(&candidates, &mut seeded(seed));
        let mut sorted = planned.clone();
        sorted.sort_unstable();
        let available: Vec<usize> =
            (0..candidates.len()).filter(|at| candidates[*at].available).collect();
        prop_assert_eq!(sorted, available);
        prop_assert!(planned.is_sorted_by_key(|at| candidates[*at].order), "tiers never mix");
    }
}
