//! Tables and laws of what may be handed on.

use proptest::prelude::*;
use tollgate_domain::ModelName;

use super::*;
use crate::limits::Raise;
use crate::window::Period;

fn words() -> ModelWords {
    let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    ModelWords {
        aliases: [("fast", "small"), ("best", "large")]
            .map(|(alias, target)| (alias.to_owned(), target.to_owned()))
            .into(),
        groups: set(&["cheap", "dear"]),
        groups_of: [
            ("small", "cheap"),
            ("fast", "cheap"),
            ("large", "dear"),
            ("best", "dear"),
            ("x/tiny", "cheap"),
        ]
        .map(|(name, group)| (name.to_owned(), set(&[group])))
        .into(),
    }
}

/// Every name that a call may carry here.
const NAMES: [&str; 9] =
    ["small", "large", "fast", "best", "x/tiny", "x/other", "cheap", "dear", "xs"];

/// Whether a grant allows a call of a name, as calls are decided.
fn callable(grant: &Grant, words: &ModelWords, name: &str) -> bool {
    let target = words.aliases.get(name);
    let groups = words.groups_of.get(name).into_iter().flatten();
    grant.allows(name)
        || target.is_some_and(|target| grant.allows(target))
        || groups.into_iter().any(|group| grant.names(group))
}

fn grant(models: &[&str]) -> Grant {
    Grant::read(&models.iter().map(|model| (*model).to_owned()).collect::<Vec<_>>())
}

fn missing(held: &[&[&str]], wanted: &[&str]) -> Option<Option<String>> {
    let held: Vec<Grant> = held.iter().map(|models| grant(models)).collect();
    uncovered(&held.iter().collect::<Vec<_>>(), &grant(wanted), &words())
}

#[test]
fn models_are_within_what_every_level_holds() {
    type Case =
        (&'static [&'static [&'static str]], &'static [&'static str], Option<Option<&'static str>>);
    let cases: [Case; 22] = [
        (&[&[]], &["anything", "x/*"], None),
        (&[], &[], None),
        (&[&["small"]], &["small"], None),
        (&[&["small"]], &["large"], Some(Some("large"))),
        (&[&["small"]], &[], Some(None)),
        (&[&["small"]], &["*"], Some(None)),
        (&[&["small"]], &["all-team-models"], Some(None)),
        (&[&["small"]], &["no-default-models"], None),
        (&[&["no-default-models"]], &["small"], Some(Some("small"))),
        // Patterns.
        (&[&["x/*"]], &["x/tiny", "x/t*", "x/*"], None),
        (&[&["x/*"]], &["x*"], Some(Some("x*"))),
        (&[&["x/t*"]], &["x/*"], Some(Some("x/*"))),
        (&[&["*ll"]], &["small"], None),
        (&[&["a*b*c"]], &["a*bc", "ab*c"], None),
        (&[&["a*bc"]], &["a*b*c"], Some(Some("a*b*c"))),
        // Other names.
        (&[&["small"]], &["fast"], None),
        (&[&["fast"]], &["small"], Some(Some("small"))),
        // Groups: their models are within them, and they are within nothing but themselves.
        (&[&["cheap"]], &["small", "x/tiny", "fast", "cheap"], None),
        (&[&["cheap"]], &["x/other"], Some(Some("x/other"))),
        (&[&["small", "x/*", "chea*"]], &["cheap"], Some(Some("cheap"))),
        // Every level counts.
        (&[&[], &["small", "large"], &["large", "x/*"]], &["large"], None),
        (&[&["small", "large"], &["large", "x/*"]], &["large", "small"], Some(Some("small"))),
    ];
    for (held, wanted, expected) in cases {
        let expected = expected.map(|part| part.map(str::to_owned));
        assert_eq!(missing(held, wanted), expected, "{held:?} {wanted:?}");
    }
}

const fn dollars(count: i64) -> Money {
    Money::from_nanos(count * 1_000_000_000)
}

fn bound(cap: i64, period: Option<&str>) -> MoneyBound {
    let period = period.map(|word| Period::parse(word).expect("a period"));
    MoneyBound { cap: Some(dollars(cap)), period, running: None }
}

fn money(bounds: &[(i64, Option<&str>)]) -> Limits {
    let money = bounds.iter().map(|(cap, period)| bound(*cap, *period)).collect();
    Limits { whole: Bounds { money, ..Bounds::default() }, ..Limits::default() }
}

fn of_model(bounds: Bounds) -> Limits {
    let model = ModelName::new("small").expect("a name");
    Limits { models: [(model, bounds)].into(), ..Limits::default() }
}

#[test]
fn limits_are_no_wider_than_those_held() {
    let rate = |requests| Bounds { requests: Some(requests), ..Bounds::default() };
    let whole = |whole| Limits { whole, ..Limits::default() };
    let day = Some("1d");
    let raised = |by| {
        let until = Timestamp::from_micros(1);
        Limits { raise: Some(Raise { by: dollars(by), until }), ..money(&[(5, day)]) }
    };
    let anniversary = |limits| Limits { anniversary: true, ..limits };
    for (held, wanted, expected) in [
        (Limits::default(), Limits::default(), None),
        (Limits::default(), money(&[(9, None)]), None),
        (money(&[(9, None)]), Limits::default(), Some("max_budget")),
        (money(&[(9, None)]), money(&[(9, None)]), None),
        (money(&[(9, None)]), money(&[(10, None)]), Some("max_budget")),
        // A daily budget can pass one for all time; one for all time keeps every daily one.
        (money(&[(9, None)]), money(&[(1, day)]), Some("max_budget")),
        (money(&[(9, day)]), money(&[(9, None)]), None),
        (money(&[(9, day)]), money(&[(1, Some("1h"))]), Some("max_budget")),
        (money(&[(9, day), (50, Some("1mo"))]), money(&[(9, day)]), Some("max_budget")),
        (money(&[(9, day)]), money(&[(50, Some("1mo")), (9, day)]), None),
        (money(&[(9, day)]), raised(4), None),
        (money(&[(9, day)]), raised(5), Some("max_budget")),
        (money(&[(9, day)]), anniversary(money(&[(9, day)])), Some("max_budget")),
        (anniversary(money(&[(9, day)])), anniversary(money(&[(9, day)])), None),
        (whole(rate(60)), whole(rate(60)), None),
        (whole(rate(60)), whole(rate(61)), Some("rpm_limit")),
        (whole(rate(60)), Limits::default(), Some("rpm_limit")),
        (
            whole(Bounds { tokens: Some(1), ..Bounds::default() }),
            Limits::default(),
            Some("tpm_limit"),
        ),
        (
            whole(Bounds { calls: Some(1), ..Bounds::default() }),
            Limits::default(),
            Some("max_parallel_requests"),
        ),
        // What binds every model binds each.
        (of_model(rate(5)), whole(rate(5)), None),
        (of_model(rate(5)), of_model(rate(6)), Some("model_rpm_limit")),
        (whole(rate(5)), of_model(rate(5)), Some("rpm_limit")),
    ] {
        let found = above(&held, &wanted).map(|excess| excess.field);
        assert_eq!(found, expected, "{held:?} {wanted:?}");
    }
}

#[test]
fn what_expires_or_is_limited_to_routes_hands_on_no_more() {
    let at = |micros| Some(Timestamp::from_micros(micros));
    for (held, wanted, longer) in [
        (None, None, false),
        (None, at(5), false),
        (at(5), at(5), false),
        (at(5), at(6), true),
        (at(5), None, true),
    ] {
        assert_eq!(later(held, wanted), longer, "{held:?} {wanted:?}");
    }
    let routes = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    for (held, wanted, missing) in [
        (routes(&[]), routes(&["/key/info"]), None),
        (routes(&["/key/info", "info_routes"]), routes(&["info_routes"]), None),
        (routes(&["/key/info"]), routes(&["/key/list"]), Some(Some("/key/list".to_owned()))),
        (routes(&["/key/info"]), routes(&[]), Some(None)),
    ] {
        assert_eq!(routes_beyond(&held, &wanted).map(|excess| excess.part), missing);
    }
}

#[test]
fn the_first_excess_is_named() {
    let (held, wanted) = (grant(&["small"]), grant(&["small", "large"]));
    let none = Limits::default();
    let holding = Holding { grants: vec![&held], limits: &none, expires_at: None, routes: &[] };
    let asked = Wanted { grant: &wanted, limits: &none, expires_at: None, routes: &[] };
    let expected = Excess { field: "models", part: Some("large".to_owned()) };
    assert_eq!(excess(&holding, &asked, &words()), Some(expected));
}

fn any_grant() -> impl Strategy<Value = Grant> {
    let entries = ["small", "large", "fast", "best", "cheap", "dear", "x/*", "x*", "*l*", "x/t*"];
    proptest::collection::vec(0..entries.len(), 1..4)
        .prop_map(move |places| grant(&places.iter().map(|at| entries[*at]).collect::<Vec<_>>()))
}

fn any_limits() -> impl Strategy<Value = Limits> {
    let period = prop_oneof![Just(None), Just(Some("1d")), Just(Some("1mo"))];
    let caps = proptest::collection::vec((0..4i64, period), 0..3);
    let rates = (proptest::option::of(0..4u64), proptest::option::of(0..4u64));
    (caps, rates, any::<bool>()).prop_map(|(caps, (requests, calls), by_model)| {
        let limits = money(&caps);
        let bounds = Bounds { requests, calls, ..limits.whole };
        if by_model { of_model(bounds) } else { Limits { whole: bounds, ..limits } }
    })
}

proptest! {
    #[test]
    fn nobody_calls_through_what_they_gave_what_they_cannot_call(
        held in any_grant(),
        wanted in any_grant(),
    ) {
        let words = words();
        if uncovered(&[&held], &wanted, &words).is_none() {
            for name in NAMES.into_iter().filter(|name| callable(&wanted, &words, name)) {
                prop_assert!(callable(&held, &words, name), "{held:?} {wanted:?} {name}");
            }
        }
    }

    #[test]
    fn everybody_may_hand_on_what_they_have(grant in any_grant(), limits in any_limits()) {
        prop_assert_eq!(uncovered(&[&grant], &grant, &words()), None);
        prop_assert_eq!(above(&limits, &limits), None);
    }

    #[test]
    fn what_is_handed_on_twice_is_within_the_first(
        limits in [any_limits(), any_limits(), any_limits()],
    ) {
        let [first, second, third] = &limits;
        if above(first, second).is_none() && above(second, third).is_none() {
            prop_assert_eq!(above(first, third), None);
        }
    }
}
