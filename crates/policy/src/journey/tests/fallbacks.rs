//! Journeys over several model groups.

use std::time::Duration;

use expect_test::expect;

use super::world::check;
use super::world::{World, cooling, fails, plain};
use crate::fallback::ChainKind;
use crate::journey::JourneyRules;
use crate::route::{Contender, Needs};

use tollgate_domain::FailureClass as C;

#[test]
fn a_back_off_is_waited_for_before_a_fallback_and_an_asked_for_wait_is_not() {
    let groups = vec![("a", vec![plain()]), ("b", vec![plain()])];
    let fallbacks = vec![(ChainKind::Any, "a", vec!["b"])];
    let world = World { groups, fallbacks, ..World::default() };
    check(
        &world,
        &[fails(C::ProviderFailed); 3],
        expect![[r#"
        0: a0
        385: a0 again
        1145: a0 again
        1155: to b: provider_failed
        1155: b0
        1165: Answered(3)
    "#]],
    );
    let asked = fails(C::RateLimited).after(Duration::from_secs(1));
    check(
        &world,
        &[asked],
        expect![[r#"
        0: a0
        10: to b: rate_limited
        10: b0
        20: Answered(1)
    "#]],
    );
    let groups = vec![("a", vec![cooling(C::RateLimited, 3000)]), ("b", vec![plain()])];
    let world = World { groups, ..world };
    check(
        &world,
        &[],
        expect![[r#"
        0: to b: rate_limited
        0: b0
        10: Answered(0)
          a0 cooling
    "#]],
    );
    let alone = World { fallbacks: Vec::new(), ..world };
    check(
        &alone,
        &[],
        expect![[r#"
        3000: a0
        3010: Answered(0)
          a0 cooling
    "#]],
    );
}

#[test]
fn each_kind_of_failure_follows_its_chain() {
    let groups = ["a", "b", "c", "d"].map(|name| (name, vec![plain()])).to_vec();
    let fallbacks = vec![
        (ChainKind::Any, "a", vec!["b"]),
        (ChainKind::ContextWindow, "a", vec!["c"]),
        (ChainKind::ContentPolicy, "a", vec!["d"]),
    ];
    let world = World { groups, fallbacks, ..World::default() };
    check(
        &world,
        &[fails(C::ContextWindow)],
        expect![[r#"
        0: a0
        10: to c: context_window
        10: c0
        20: Answered(1)
    "#]],
    );
    check(
        &world,
        &[fails(C::ContentPolicy)],
        expect![[r#"
        0: a0
        10: to d: content_policy
        10: d0
        20: Answered(1)
    "#]],
    );
    check(
        &world,
        &[fails(C::CredentialRejected)],
        expect![[r#"
        0: a0
        10: to b: credential_rejected
        10: b0
        20: Answered(1)
    "#]],
    );
    check(
        &world,
        &[fails(C::RequestRejected)],
        expect![[r#"
        0: a0
        10: Attempt(0)
    "#]],
    );
    let rules = JourneyRules { fallback_on_rejection: true, ..JourneyRules::default() };
    let world = World { rules, ..world };
    check(
        &world,
        &[fails(C::RequestRejected)],
        expect![[r#"
        0: a0
        10: to b: request_rejected
        10: b0
        20: Answered(1)
    "#]],
    );
}

#[test]
fn a_prompt_that_fits_nowhere_follows_the_chain_for_long_prompts() {
    let small = Contender { input_max: Some(5), ..plain() };
    let groups = vec![("a", vec![small, small]), ("b", vec![plain()])];
    let fallbacks = vec![(ChainKind::ContextWindow, "a", vec!["b"])];
    let needs = Needs { input_tokens: Some(6), ..Needs::default() };
    let world = World { groups, fallbacks, needs, ..World::default() };
    check(
        &world,
        &[],
        expect![[r#"
        0: to b: context_window
        0: b0
        10: Answered(0)
          a0 window_too_small
          a1 window_too_small
    "#]],
    );
    check(
        &World { fallbacks: Vec::new(), ..world },
        &[],
        expect![[r#"
        0: NobodyAble(WindowTooSmall { input_max: 5, input_tokens: 6 })
          a0 window_too_small
          a1 window_too_small
    "#]],
    );
}

#[test]
fn chains_are_followed_depth_first_and_no_group_is_entered_twice() {
    let groups = ["a", "b", "c", "d"].map(|name| (name, vec![plain()])).to_vec();
    let fallbacks = vec![
        (ChainKind::Any, "a", vec!["b", "d"]),
        (ChainKind::Any, "b", vec!["c", "a"]),
        (ChainKind::Any, "c", vec!["a", "b"]),
    ];
    let world = World { groups, fallbacks, ..World::default() };
    check(
        &world,
        &[fails(C::ModelUnknown); 9],
        expect![[r#"
        0: a0
        10: to b: model_unknown
        10: b0
        20: to c: model_unknown
        20: c0
        30: to d: model_unknown
        30: d0
        40: Attempt(0)
    "#]],
    );
    let rules = JourneyRules { fallbacks_max: 2, ..JourneyRules::default() };
    let world = World { rules, ..world };
    check(
        &world,
        &[fails(C::ModelUnknown); 9],
        expect![[r#"
        0: a0
        10: to b: model_unknown
        10: b0
        20: to c: model_unknown
        20: c0
        30: Attempt(0)
    "#]],
    );
    let rules = JourneyRules { fallbacks_max: 0, ..JourneyRules::default() };
    let world = World { rules, ..world };
    check(
        &world,
        &[fails(C::ModelUnknown); 9],
        expect![[r#"
        0: a0
        10: Attempt(0)
    "#]],
    );
}

#[test]
fn the_calls_own_list_replaces_the_configured_chains() {
    let groups = ["a", "b", "c", "d"].map(|name| (name, vec![plain()])).to_vec();
    let fallbacks = vec![(ChainKind::Any, "a", vec!["b"]), (ChainKind::Any, "c", vec!["b"])];
    let own = Some(vec!["c", "d"]);
    let world = World { groups, fallbacks, own, ..World::default() };
    check(
        &world,
        &[fails(C::ModelUnknown); 9],
        expect![[r#"
        0: a0
        10: to c: model_unknown
        10: c0
        20: to d: model_unknown
        20: d0
        30: Attempt(0)
    "#]],
    );
}

#[test]
fn a_group_that_the_caller_may_not_use_is_passed_by() {
    let groups = ["a", "b", "c"].map(|name| (name, vec![plain()])).to_vec();
    let fallbacks = vec![(ChainKind::Any, "a", vec!["b", "c"])];
    let world = World { groups, fallbacks, barred: vec!["b"], ..World::default() };
    check(
        &world,
        &[fails(C::ModelUnknown)],
        expect![[r#"
        0: a0
        10: to b: model_unknown
        10: to c: model_unknown
        10: c0
        20: Answered(1)
    "#]],
    );
    let world = World { barred: vec!["b", "c"], ..world };
    check(
        &world,
        &[fails(C::ModelUnknown)],
        expect![[r#"
        0: a0
        10: to b: model_unknown
        10: to c: model_unknown
        10: Attempt(0)
    "#]],
    );
}

#[test]
fn a_group_without_anybody_says_why() {
    let blocked = Contender::default();
    let groups = vec![("a", vec![blocked]), ("b", vec![plain()])];
    let fallbacks = vec![(ChainKind::Any, "a", vec!["b"])];
    let world = World { groups, fallbacks, ..World::default() };
    check(
        &world,
        &[],
        expect![[r#"
        0: NobodyAble(Blocked)
          a0 blocked
    "#]],
    );
    let world = World { groups: vec![("a", Vec::new())], ..World::default() };
    check(
        &world,
        &[],
        expect![[r#"
        0: Empty
    "#]],
    );
}
