//! Patterns and what they capture.

use proptest::prelude::*;

use super::*;

fn captures<'t>(pattern: &str, name: &'t str) -> Option<Vec<&'t str>> {
    Pattern::read(pattern).expect("a pattern").captures(name)
}

#[test]
fn a_wildcard_stands_for_any_text_and_the_whole_name_must_match() {
    let cases: [(&str, &str, Option<&[&str]>); 10] = [
        ("openai/*", "openai/gpt-4o", Some(&["gpt-4o"])),
        ("openai/*", "openai/", Some(&[""])),
        ("openai/*", "azure/gpt-4o", None),
        ("openai/*", "my-openai/gpt-4o", None),
        ("*", "anything/at all", Some(&["anything/at all"])),
        ("claude-*-latest", "claude-3-5-latest", Some(&["3-5"])),
        ("claude-*-latest", "claude-latest", None),
        ("*/*", "a/b/c", Some(&["a/b", "c"])),
        ("a*a", "a", None),
        ("gpt.*", "gptx", None),
    ];
    for (pattern, name, expected) in cases {
        assert_eq!(captures(pattern, name).as_deref(), expected, "{pattern} {name}");
    }
    assert_eq!(Pattern::read("gpt-4o"), None);
}

#[test]
fn captured_text_fills_the_target_from_left_to_right() {
    let cases: [(&str, &[&str], &str); 5] = [
        ("gpt-4o", &["x"], "gpt-4o"),
        ("*", &["gpt-4o"], "gpt-4o"),
        ("a-*-b-*", &["1", "2"], "a-1-b-2"),
        ("*", &["1", "2"], "whole"),
        ("*-*", &["1"], "1-*"),
    ];
    for (target, captured, expected) in cases {
        assert_eq!(fill(target, captured, "whole"), expected, "{target}");
    }
}

#[test]
fn more_literal_text_is_more_specific() {
    let mut patterns = ["*", "openai/*", "*/*", "openai/gpt-*", "openai/gpt-*-*"]
        .map(|text| (Pattern::read(text).expect("a pattern").specificity(), text));
    patterns.sort();
    let order = patterns.map(|(_, text)| text);
    assert_eq!(order, ["openai/gpt-*-*", "openai/gpt-*", "openai/*", "*/*", "*"]);
}

proptest! {
    #[test]
    fn what_is_captured_fills_the_pattern_to_the_name_again(
        pattern in "[ab/]{0,4}\\*[ab/]{0,4}(\\*[ab/]{0,3}){0,3}",
        name in "[ab/]{0,16}",
    ) {
        let pattern = Pattern::read(&pattern).expect("a pattern");
        if let Some(captured) = pattern.captures(&name) {
            prop_assert_eq!(captured.len(), pattern.wildcards());
            prop_assert_eq!(pattern.fill(&captured), name);
        }
    }

    #[test]
    fn a_filled_pattern_matches(texts in proptest::collection::vec("[ab]{0,4}", 3)) {
        let pattern = Pattern::read("x*a*b*").expect("a pattern");
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        prop_assert!(pattern.captures(&pattern.fill(&texts)).is_some());
    }
}
