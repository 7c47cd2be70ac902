//! Suggestions: what is near, what is not, and that the banded distance is the distance.

use proptest::prelude::*;

use super::*;

#[track_caller]
fn check(wanted: &str, names: &[&str], expected: &[&str]) {
    assert_eq!(nearest(wanted, names.iter().copied(), 3), expected, "{wanted}");
}

#[test]
fn a_misspelling_finds_the_name_that_was_meant() {
    let names = ["gpt-4o", "gpt-4o-mini", "gpt-4.1", "claude-sonnet-4", "openai/o3-mini"];
    check("gpt4o", &names, &["gpt-4o"]);
    check("gtp-4o-mini", &names, &["gpt-4o-mini"]);
    check("claude-sonet-4", &names, &["claude-sonnet-4"]);
    check("GPT-4O", &names, &["gpt-4o", "gpt-4.1"]);
    check("gpt-4", &names, &["gpt-4o"]);
    check("o3-mini", &names, &["openai/o3-mini"]);
    check("azure/o3-mini", &names, &["openai/o3-mini"]);
    check("openai/gpt-4o", &names, &["gpt-4o", "gpt-4.1"]);
}

#[test]
fn a_name_that_is_far_from_all_has_no_suggestion() {
    check("llama-3-70b", &["gpt-4o", "claude-sonnet-4"], &[]);
    check("x", &["gpt-4o"], &[]);
    check("a-long-provider/o3", &["gpt", "a-long-provider/gpt"], &[]);
    check("", &["a"], &[]);
    check("gpt-4o", &["gpt-4o", ""], &[]);
    assert!(nearest("gpt-4", ["gpt-4o"].into_iter(), 0).is_empty());
}

#[test]
fn the_nearest_come_first_and_only_as_many_as_wanted() {
    let names = ["modelxyz", "modelb", "modelax", "modela1", "modelaxy", "modela1"];
    check("modela", &names, &["modela1", "modelax", "modelb"]);
}

#[test]
fn long_texts_and_long_lists_are_cut() {
    let long = "a".repeat(257);
    assert!(nearest(&long, ["aaaa"].into_iter(), 3).is_empty());
    assert!(nearest("aaaa", [long.as_str()].into_iter(), 3).is_empty());
    let at_edge = "a".repeat(256);
    assert_eq!(nearest(&at_edge, [&at_edge[1..]].into_iter(), 3).len(), 1);
    let names = std::iter::repeat_n("zzzzzzzz", NAMES_MAX).chain(["gpt-4o"]);
    assert!(nearest("gpt-4", names, 3).is_empty(), "only the first {NAMES_MAX} are looked at");
    let names = std::iter::repeat_n("zzzzzzzz", NAMES_MAX - 1).chain(["gpt-4o"]);
    assert_eq!(nearest("gpt-4", names, 3), ["gpt-4o"]);
}

/// The distance by its definition, without a band.
fn distance_slowly(a: &[char], b: &[char]) -> usize {
    let (Some((last_a, rest_a)), Some((last_b, rest_b))) = (a.split_last(), b.split_last()) else {
        return a.len() + b.len();
    };
    let replaced = distance_slowly(rest_a, rest_b) + usize::from(last_a != last_b);
    let edits = replaced.min(distance_slowly(rest_a, b) + 1).min(distance_slowly(a, rest_b) + 1);
    match (rest_a.split_last(), rest_b.split_last()) {
        (Some((before_a, head_a)), Some((before_b, head_b)))
            if before_a == last_b && before_b == last_a =>
        {
            edits.min(distance_slowly(head_a, head_b) + 1)
        }
        _ => edits,
    }
}

proptest! {
    #[test]
    fn the_banded_distance_is_the_distance(
        a in "[abc]{0,6}", b in "[abcé]{0,6}", limit in 1usize..6,
    ) {
        let expected = distance_slowly(&letters(&a), &letters(&b));
        prop_assert_eq!(distance(&a, &b, limit), (expected <= limit).then_some(expected));
    }

    #[test]
    fn no_text_makes_it_fail(
        wanted in ".{0,40}", names in proptest::collection::vec(".{0,40}", 0..6),
    ) {
        let found = nearest(&wanted, names.iter().map(String::as_str), 2);
        prop_assert!(found.len() <= 2);
    }
}
