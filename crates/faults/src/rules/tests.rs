//! The rules as a list: every phrase can match, and no rule is out of reach.

use super::*;

fn phrases(sign: &Sign) -> &'static [&'static str] {
    match sign {
        Any | Code(_) => &[],
        CodeHolds(phrases) | Says(phrases) | Begins(phrases) | SaysWithoutWait(phrases) => phrases,
    }
}

#[test]
fn phrases_are_in_lower_case_because_messages_are_lowered() {
    for phrase in RULES.iter().flat_map(|rule| phrases(&rule.sign)) {
        assert_eq!(phrase.to_lowercase(), *phrase);
        assert!(phrase.len() >= 5, "`{phrase}` is too short to tell anything");
    }
}

#[test]
fn a_rule_with_words_names_one_status() {
    for rule in RULES.iter().filter(|rule| !phrases(&rule.sign).is_empty()) {
        assert_eq!(rule.statuses.start(), rule.statuses.end());
    }
}

#[test]
fn every_rule_can_be_reached() {
    for (at, rule) in RULES.iter().enumerate() {
        let free = |status: &u16| {
            let settles =
                |before: &&Rule| matches!(before.sign, Any) && before.statuses.contains(status);
            !RULES[..at].iter().any(|before| settles(&before))
        };
        assert!(rule.statuses.clone().any(|status| free(&status)), "rule {at}");
    }
}
