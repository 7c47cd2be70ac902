//! Bounds: which limit counts, and that extremes are held rather than wrapped.

use super::*;

const UNKNOWN: ModelLimits =
    ModelLimits { max_input: None, max_output: None, reserve_output: None };

#[test]
fn the_first_known_limit_bounds_the_completion() {
    let model = |max_output| ModelLimits { max_output: Some(max_output), ..UNKNOWN };
    let reserve = ModelLimits { reserve_output: Some(16_000), ..model(8000) };
    let cases = [
        (Some(100), 1, UNKNOWN, 100),
        (Some(100), 3, UNKNOWN, 300),
        (Some(0), 1, UNKNOWN, 0),
        (Some(9000), 1, model(8000), 9000),
        (Some(100), 1, reserve, 100),
        (None, 1, UNKNOWN, 4096),
        (None, 2, UNKNOWN, 8192),
        (None, 1, model(4095), 4095),
        (None, 1, model(4097), 4096),
        (None, 1, reserve, 16_000),
        (None, 0, UNKNOWN, 4096),
    ];
    for (own, choices, limits, expected) in cases {
        let bound = bound(0, own, choices, &limits);
        assert_eq!(bound.completion, Quantity::whole(expected), "{own:?} {choices} {limits:?}");
    }
}

#[test]
fn a_prompt_is_bounded_by_half_its_bytes_and_an_overhead() {
    for (bytes, tokens) in [(0, 32), (1, 33), (2, 33), (3, 34), (1000, 532)] {
        assert_eq!(bound(bytes, None, 1, &UNKNOWN).prompt, Quantity::whole(tokens), "{bytes}");
    }
}

#[test]
fn a_counted_prompt_takes_the_place_of_its_length() {
    let by_length = bound(1000, Some(10), 2, &UNKNOWN);
    let counted = by_length.with_prompt(250);
    assert_eq!(counted.prompt, Quantity::whole(250 + 32));
    assert_eq!(counted.completion, by_length.completion);
    assert_eq!(by_length.with_prompt(u64::MAX).prompt, Quantity::MAX);
}

#[test]
fn what_a_prompt_names_without_holding_it_counts_too() {
    let plain = bound(0, None, 1, &UNKNOWN);
    assert_eq!(plain.with_pictures(2).prompt, Quantity::whole(32 + 2 * PICTURE_TOKENS));
    assert_eq!(plain.with_pictures(u64::MAX).prompt, Quantity::MAX);
    assert_eq!(plain.with_prompt_from(1000).prompt, Quantity::whole(1000));
    assert_eq!(plain.with_prompt_from(0), plain);
}

#[test]
fn extremes_are_held_at_the_largest_quantity() {
    let bound = bound(u64::MAX, Some(u64::MAX), u64::MAX, &UNKNOWN);
    assert_eq!((bound.prompt, bound.completion), (Quantity::MAX, Quantity::MAX));
}
