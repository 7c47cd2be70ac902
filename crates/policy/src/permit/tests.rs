//! Grants: LiteLLM's special words, wildcards, and that the list and the check agree.

use proptest::prelude::*;

use super::*;

fn grant(models: &[&str]) -> Grant {
    Grant::read(&models.iter().map(|model| (*model).to_owned()).collect::<Vec<_>>())
}

#[test]
fn the_special_words_grant_everything_or_nothing() {
    for all in [&[][..], &["*"], &["all-proxy-models"], &["gpt-4o", "*"], &["all-team-models"]] {
        assert_eq!(grant(all), Grant::Everything, "{all:?}");
    }
    for none in
        [&["no-default-models"][..], &["no-default-models", "*"], &["gpt", "no-default-models"]]
    {
        assert_eq!(grant(none), Grant::Only(Vec::new()), "{none:?}");
    }
    assert!(!grant(&["no-default-models"]).allows("gpt-4o"));
    assert!(!grant(&[""]).allows("gpt-4o"), "an empty name is no wildcard");
}

#[test]
fn an_access_group_is_named_whole_and_never_by_a_wildcard() {
    assert!(grant(&["gpt-4o", "beta"]).names("beta"));
    for models in [&["bet*"][..], &["gpt-4o", "*eta"], &["no-default-models", "beta"], &[]] {
        assert!(!grant(models).names("beta"), "{models:?}");
    }
}

#[test]
fn a_star_stands_for_any_text_and_all_else_for_itself() {
    let cases = [
        ("gpt-4o", "gpt-4o", true),
        ("gpt-4o", "gpt-4o-mini", false),
        ("gpt-4o", "my-gpt-4o", false),
        ("gpt-4o", "GPT-4o", false),
        ("openai/*", "openai/gpt-4o", true),
        ("openai/*", "openai/", true),
        ("openai/*", "openai/a/b", true),
        ("openai/*", "openai", false),
        ("openai/*", "xopenai/gpt", false),
        ("*-mini", "gpt-4o-mini", true),
        ("*-mini", "gpt-4o-mini-x", false),
        ("gpt-*-mini", "gpt--mini", true),
        ("gpt-*-mini", "gpt-mini", false),
        ("a*b*c", "a-b-b-c", true),
        ("a*b*c", "a-c-b", false),
        ("ab*ba", "aba", false),
        ("**", "", true),
        ("gpt-4.1", "gpt-4x1", false),
        ("gpt-[45]*", "gpt-4o", false),
        ("gpt-[45]*", "gpt-[45]o", true),
        ("(a+)+*", "aaaaaaaa", false),
        ("é*", "élan", true),
        ("*é", "caf\u{e8}", false),
    ];
    for (pattern, name, expected) in cases {
        assert_eq!(ModelPattern::new(pattern).matches(name), expected, "{pattern} {name}");
    }
}

#[test]
fn many_stars_do_not_take_long() {
    let pattern = ModelPattern::new(&"a*".repeat(10_000));
    assert!(!pattern.matches(&"a".repeat(256)));
    assert!(ModelPattern::new(&"*".repeat(10_000)).matches(&"a".repeat(256)));
}

#[test]
fn a_caller_sees_the_groups_it_may_call_in_their_order() {
    let names: Vec<ModelName> = ["openai/gpt", "claude", "openai/o3", "gemini"]
        .into_iter()
        .map(|name| ModelName::new(name).expect("a name"))
        .collect();
    let visible = visible_models(names.iter(), &grant(&["gemini", "openai/*"]));
    let visible: Vec<&str> = visible.into_iter().map(ModelName::as_str).collect();
    assert_eq!(visible, ["openai/gpt", "openai/o3", "gemini"]);
}

/// The plain meaning of a pattern, by trying every length for a star.
fn matches_slowly(pattern: &[char], name: &[char]) -> bool {
    match pattern.split_first() {
        None => name.is_empty(),
        Some(('*', rest)) => (0..=name.len()).any(|taken| matches_slowly(rest, &name[taken..])),
        Some((letter, rest)) => name.first() == Some(letter) && matches_slowly(rest, &name[1..]),
    }
}

proptest! {
    #[test]
    fn a_pattern_means_what_trying_every_length_finds(
        pattern in "[ab*]{0,8}", name in "[ab]{0,8}",
    ) {
        let letters = |text: &str| text.chars().collect::<Vec<_>>();
        let expected = matches_slowly(&letters(&pattern), &letters(&name));
        prop_assert_eq!(ModelPattern::new(&pattern).matches(&name), expected);
    }

    #[test]
    fn what_is_listed_is_what_is_allowed(
        models in proptest::collection::vec("[ab*]{1,4}|no-default-models|all-proxy-models", 0..4),
        names in proptest::collection::vec("[ab]{1,4}", 0..8),
    ) {
        let grant = Grant::read(&models);
        let names: Vec<ModelName> =
            names.iter().map(|name| ModelName::new(name).expect("a name")).collect();
        let listed = visible_models(names.iter(), &grant);
        for name in &names {
            prop_assert_eq!(listed.contains(&name), grant.allows(name.as_str()));
        }
    }
}
