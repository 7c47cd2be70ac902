//! Fallback chains: who is tried after whom, and what is said about chains that cannot be so.

use super::*;

fn list<'a>(kind: ChainKind, group: &'a str, targets: &[&'a str]) -> FallbackList<'a> {
    FallbackList { kind, group, targets: targets.to_vec() }
}

/// Groups `a` to `d`, the alias `nick` of `a`, and anything behind `open/`.
fn resolve(name: &str) -> Option<Box<str>> {
    match name {
        "nick" => Some("a".into()),
        "a" | "b" | "c" | "d" => Some(name.into()),
        _ => name.starts_with("open/").then(|| name.into()),
    }
}

fn compiled(entries: &[FallbackList<'_>]) -> Fallbacks {
    let (fallbacks, problems) = Fallbacks::compile(entries, &resolve);
    assert_eq!(problems, []);
    fallbacks
}

fn chain<'f>(fallbacks: &'f Fallbacks, kind: ChainKind, names: &[&str]) -> Vec<&'f str> {
    let chain = fallbacks.chain(kind, names).map_or(&[][..], |chain| chain);
    chain.iter().map(|name| &**name).collect()
}

#[track_caller]
fn check_problem(entries: &[FallbackList<'_>], expected: &[FallbackProblem]) {
    assert_eq!(Fallbacks::compile(entries, &resolve).1, expected);
}

const fn problem(entry: usize, target: Option<usize>, trouble: FallbackTrouble) -> FallbackProblem {
    FallbackProblem { entry, target, trouble }
}

#[test]
fn the_nearest_name_with_a_chain_decides() {
    let fallbacks = compiled(&[
        list(ChainKind::Any, "a", &["b", "c"]),
        list(ChainKind::Any, "open/*", &["d"]),
        list(ChainKind::Any, "*", &["c"]),
    ]);
    assert_eq!(chain(&fallbacks, ChainKind::Any, &["a"]), ["b", "c"]);
    assert_eq!(chain(&fallbacks, ChainKind::Any, &["open/x", "open/*"]), ["d"]);
    assert_eq!(chain(&fallbacks, ChainKind::Any, &["b"]), ["c"], "the default");
    assert_eq!(fallbacks.configured(ChainKind::Any), ["*", "a", "open/*"]);
    assert!(!fallbacks.is_empty() && Fallbacks::default().is_empty());
}

#[test]
fn an_alias_and_what_it_stands_for_have_one_chain() {
    let fallbacks = compiled(&[list(ChainKind::Any, "nick", &["b"])]);
    assert_eq!(chain(&fallbacks, ChainKind::Any, &["nick", "a"]), ["b"]);
    assert_eq!(chain(&fallbacks, ChainKind::Any, &["a"]), ["b"]);
    let fallbacks = compiled(&[list(ChainKind::Any, "b", &["nick"])]);
    assert_eq!(chain(&fallbacks, ChainKind::Any, &["b"]), ["a"], "targets are resolved");
}

#[test]
fn a_typed_chain_goes_before_the_general_one_and_never_after_another_type() {
    let fallbacks =
        compiled(&[list(ChainKind::Any, "a", &["b"]), list(ChainKind::ContextWindow, "a", &["c"])]);
    assert_eq!(chain(&fallbacks, ChainKind::ContextWindow, &["a"]), ["c"]);
    assert_eq!(chain(&fallbacks, ChainKind::ContentPolicy, &["a"]), ["b"]);
    assert_eq!(chain(&fallbacks, ChainKind::Any, &["a"]), ["b"]);
    let only_typed = compiled(&[list(ChainKind::ContextWindow, "a", &["c"])]);
    assert!(chain(&only_typed, ChainKind::Any, &["a"]).is_empty());
    assert!(chain(&only_typed, ChainKind::ContentPolicy, &["a"]).is_empty());
}

#[test]
fn names_that_nobody_knows_are_told_with_their_place() {
    check_problem(
        &[list(ChainKind::Any, "a", &["b", "gone"]), list(ChainKind::Any, "lost", &["b"])],
        &[
            problem(0, Some(1), FallbackTrouble::Unknown("gone".into())),
            problem(1, None, FallbackTrouble::Unknown("lost".into())),
        ],
    );
}

#[test]
fn what_cannot_be_is_left_out_and_told() {
    check_problem(
        &[
            list(ChainKind::Any, "a", &["nick", "b", "b"]),
            list(ChainKind::Any, "a", &["c"]),
            list(ChainKind::ContentPolicy, "a", &["c"]),
        ],
        &[
            problem(0, Some(0), FallbackTrouble::Itself),
            problem(0, Some(2), FallbackTrouble::Twice),
            problem(1, None, FallbackTrouble::Again),
        ],
    );
    let (fallbacks, _) =
        Fallbacks::compile(&[list(ChainKind::Any, "a", &["nick", "gone", "b", "b"])], &resolve);
    assert_eq!(chain(&fallbacks, ChainKind::Any, &["a"]), ["b"]);
}

#[test]
fn a_loop_is_told_once_with_its_way() {
    let way =
        |names: &[&str]| FallbackTrouble::Loop(names.iter().map(|name| Box::from(*name)).collect());
    check_problem(
        &[
            list(ChainKind::Any, "a", &["d", "b"]),
            list(ChainKind::Any, "b", &["c"]),
            list(ChainKind::Any, "c", &["a"]),
        ],
        &[problem(2, Some(0), way(&["a", "b", "c"]))],
    );
    // Two kinds together make no loop: a call leaves a group for one kind of failure.
    check_problem(
        &[list(ChainKind::Any, "a", &["b"]), list(ChainKind::ContextWindow, "b", &["a"])],
        &[],
    );
    // The default leads back to a group without its being a loop: it is for those without a chain.
    check_problem(&[list(ChainKind::Any, "*", &["a", "b"])], &[]);
}

#[test]
fn a_chain_has_a_longest_length() {
    let names: Vec<String> = (0..=CHAIN_MAX).map(|number| format!("open/{number}")).collect();
    let targets: Vec<&str> = names.iter().map(String::as_str).collect();
    let (fallbacks, problems) =
        Fallbacks::compile(&[list(ChainKind::Any, "a", &targets)], &resolve);
    assert_eq!(problems, [problem(0, Some(CHAIN_MAX), FallbackTrouble::TooLong)]);
    assert_eq!(chain(&fallbacks, ChainKind::Any, &["a"]).len(), CHAIN_MAX);
}

#[test]
fn a_long_line_of_chains_is_walked_without_end_of_stack() {
    let names: Vec<String> = (0..2_000).map(|number| format!("open/{number}")).collect();
    let entries: Vec<FallbackList<'_>> =
        names.windows(2).map(|pair| list(ChainKind::Any, &pair[0], &[&pair[1]])).collect();
    assert_eq!(Fallbacks::compile(&entries, &resolve).1, []);
}
