//! Plans: who is passed over and why, and the order of the others.

use std::time::Duration;

use proptest::prelude::*;
use tollgate_domain::{FailureClass, Ticks};

use super::*;
use crate::health::Readiness;
use crate::route::shuffle::tests::seeded;
use crate::route::{Abilities, Ability, Candidate, Load, Strategy, TagAsk, TagMatch};

const NEEDS_NOTHING: Needs<'_> = Needs {
    abilities: Abilities::UNKNOWN,
    input_tokens: None,
    region: None,
    tags: None,
    rates: false,
    rate_tokens: 0,
};

fn plain() -> Contender<'static> {
    let candidate = Candidate { available: true, ..Candidate::default() };
    Contender { candidate, ..Contender::default() }
}

fn of_order(order: u32) -> Contender<'static> {
    let candidate = Candidate { order, available: true, ..Candidate::default() };
    Contender { candidate, ..Contender::default() }
}

fn loaded(load: Load) -> Contender<'static> {
    Contender { load, ..plain() }
}

fn cooling(seconds: u64) -> Readiness {
    let until = Ticks::from_nanos(0).plus(Duration::from_secs(seconds));
    Readiness::Cooling { until, class: FailureClass::Overloaded }
}

fn resting(seconds: u64) -> Contender<'static> {
    Contender { readiness: cooling(seconds), ..plain() }
}

fn planned(contenders: &[Contender<'_>], needs: &Needs<'_>, strategy: Strategy) -> Plan {
    plan_for(contenders, needs, strategy, None, &mut seeded(5))
}

/// Why each was passed over.
#[track_caller]
fn check_passed_over(contenders: &[Contender<'_>], needs: &Needs<'_>, why: &[Option<PassedOver>]) {
    let plan = planned(contenders, needs, Strategy::SimpleShuffle);
    let found = |at| plan.passed_over.iter().find(|(of, _)| *of == at).map(|(_, why)| *why);
    let found: Vec<Option<PassedOver>> = (0..contenders.len()).map(found).collect();
    assert_eq!(found, why);
}

#[test]
fn what_is_needed_and_known_to_be_lacking_passes_a_deployment_over() {
    let needs =
        Needs { abilities: Abilities::UNKNOWN.with(Ability::Images, true), ..NEEDS_NOTHING };
    let with = |has| Contender {
        abilities: Abilities::UNKNOWN.with(Ability::Images, has).with(Ability::Tools, false),
        ..plain()
    };
    let lacks = Some(PassedOver::Lacks(Ability::Images));
    check_passed_over(&[with(true), with(false), plain()], &needs, &[None, lacks, None]);
    assert_eq!(Abilities::UNKNOWN.with(Ability::Tools, false).has(Ability::Tools), Some(false));
    assert_eq!(Abilities::UNKNOWN.has(Ability::Tools), None);
}

#[test]
fn a_prompt_fits_a_window_up_to_its_last_token() {
    let needs = Needs { input_tokens: Some(100), ..NEEDS_NOTHING };
    let window = |input_max| Contender { input_max, ..plain() };
    let small = PassedOver::WindowTooSmall { input_max: 99, input_tokens: 100 };
    check_passed_over(
        &[window(Some(100)), window(Some(99)), window(None)],
        &needs,
        &[None, Some(small), None],
    );
}

#[test]
fn a_region_that_is_asked_for_is_kept_even_from_the_unknown() {
    let needs = Needs { region: Some("eu"), ..NEEDS_NOTHING };
    let region = |region| Contender { region, ..plain() };
    let other = Some(PassedOver::OtherRegion);
    check_passed_over(
        &[region(Some("eu")), region(Some("us")), region(None)],
        &needs,
        &[None, other, other],
    );
}

#[test]
fn a_blocked_deployment_is_never_planned() {
    let blocked = Contender::default();
    check_passed_over(&[blocked, plain()], &NEEDS_NOTHING, &[Some(PassedOver::Blocked), None]);
}

/// Which of the deployments with these tags take part.
#[track_caller]
fn check_tags(matching: TagMatch, asked: &[&str], deployments: &[&[&str]], expected: &[usize]) {
    let tags: Vec<Vec<Box<str>>> =
        deployments.iter().map(|tags| tags.iter().map(|tag| Box::from(*tag)).collect()).collect();
    let contenders: Vec<Contender<'_>> =
        tags.iter().map(|tags| Contender { tags, ..plain() }).collect();
    let needs = Needs { tags: Some(TagAsk { tags: asked, matching }), ..NEEDS_NOTHING };
    let mut order = planned(&contenders, &needs, Strategy::SimpleShuffle).order;
    order.sort_unstable();
    assert_eq!(order, expected);
}

#[test]
fn tags_lead_to_those_that_have_them_else_to_the_default() {
    let all: &[&[&str]] = &[&["a"], &["a", "b"], &["default"], &[]];
    check_tags(TagMatch::Any, &["a"], all, &[0, 1]);
    check_tags(TagMatch::Any, &["b", "x"], all, &[1]);
    check_tags(TagMatch::All, &["a", "b"], all, &[1]);
    check_tags(TagMatch::All, &["a", "x"], all, &[2]);
    check_tags(TagMatch::Any, &["x"], all, &[2]);
    check_tags(TagMatch::Any, &["x"], &[&["a"], &[]], &[]);
    check_tags(TagMatch::Any, &["!b", "a"], all, &[0]);
    check_tags(TagMatch::Any, &["&b", "a"], all, &[1]);
    check_tags(TagMatch::Any, &["&b"], all, &[1]);
}

#[test]
fn without_tags_a_call_goes_to_the_default_ones_where_there_are_any() {
    check_tags(TagMatch::Any, &[], &[&["a"], &["default"], &[]], &[1]);
    check_tags(TagMatch::Any, &[], &[&["a"], &[]], &[0, 1]);
    check_tags(TagMatch::Any, &["!a"], &[&["a"], &[]], &[1]);
    check_tags(TagMatch::Any, &["!a"], &[&["a", "default"], &["b"]], &[1]);
}

#[test]
fn a_deployment_whose_client_pattern_fits_counts_as_tagged() {
    let ask = TagAsk { tags: &["x"], matching: TagMatch::Any };
    let needs = Needs { tags: Some(ask), ..NEEDS_NOTHING };
    let fits = Contender { fits_client: true, ..plain() };
    check_passed_over(&[fits, plain()], &needs, &[None, Some(PassedOver::OtherTags)]);
}

#[test]
fn as_many_requests_and_tokens_as_the_rates_say_are_served() {
    let needs = Needs { rates: true, rate_tokens: 10, ..NEEDS_NOTHING };
    let with = |requests, tokens| {
        let candidate =
            Candidate { rpm: Some(5), tpm: Some(100), available: true, ..Candidate::default() };
        Contender { candidate, load: Load { requests, tokens, ..Load::default() }, ..plain() }
    };
    check_passed_over(
        &[with(4, 90), with(5, 0), with(0, 91)],
        &needs,
        &[None, Some(PassedOver::OverRequests), Some(PassedOver::OverTokens)],
    );
    let unasked = planned(&[with(9, 900)], &NEEDS_NOTHING, Strategy::SimpleShuffle);
    assert_eq!(unasked.order, [0], "the simple shuffle only weighs them");
    let kept = planned(&[with(9, 900)], &NEEDS_NOTHING, Strategy::UsageBased);
    assert_eq!(kept.nearest(), Some(PassedOver::OverRequests));
}

#[test]
fn tiers_go_in_order_and_those_that_rest_go_last_in_theirs() {
    let rests = Contender { readiness: cooling(9), ..of_order(1) };
    let contenders = [of_order(2), rests, of_order(1), of_order(2)];
    let plan = planned(&contenders, &NEEDS_NOTHING, Strategy::SimpleShuffle);
    assert_eq!(plan.order[..2], [2, 1]);
    assert_eq!(plan.passed_over.len(), 1, "that it rests is said too");
    let plan = planned(&[resting(9), resting(3), plain()], &NEEDS_NOTHING, Strategy::LeastBusy);
    assert_eq!(plan.order, [2, 1, 0]);
}

#[test]
fn each_strategy_puts_its_best_first() {
    let busy = |in_flight| loaded(Load { in_flight, ..Load::default() });
    let used = |tokens| loaded(Load { tokens, ..Load::default() });
    let price = |price_picos| Contender { price_picos, ..plain() };
    let order = |contenders: &[Contender<'_>], strategy| {
        planned(contenders, &NEEDS_NOTHING, strategy).order
    };
    assert_eq!(order(&[busy(3), busy(0), busy(1)], Strategy::LeastBusy), [1, 2, 0]);
    assert_eq!(order(&[used(30), used(5), used(10)], Strategy::UsageBased), [1, 2, 0]);
    let prices = [price(None), price(Some(7)), price(Some(0))];
    assert_eq!(order(&prices, Strategy::CostBased), [2, 1, 0]);
}

#[test]
fn those_that_a_strategy_does_not_tell_apart_share_by_weight() {
    let weighted = |weight| {
        let candidate = Candidate { weight: Some(weight), available: true, ..Candidate::default() };
        Contender { candidate, ..plain() }
    };
    let mut draw = seeded(3);
    let first = (0..1000).filter(|_| {
        let contenders = [weighted(900), weighted(100)];
        plan_for(&contenders, &NEEDS_NOTHING, Strategy::LeastBusy, None, &mut draw).order[0] == 0
    });
    assert!((860..940).contains(&first.count()));
}

#[test]
fn the_slowest_is_never_first_by_latency_and_the_fastest_mostly_is() {
    let slow = |micros, in_flight| {
        loaded(Load { latency_micros: Some(micros), in_flight, ..Load::default() })
    };
    let contenders = [slow(100, 0), slow(150, 0), slow(40, 9)];
    let mut draw = seeded(3);
    let mut first = [0u32; 3];
    for _ in 0..900 {
        let plan = plan_for(&contenders, &NEEDS_NOTHING, Strategy::LatencyBased, None, &mut draw);
        first[plan.order[0]] += 1;
    }
    assert_eq!(first[2], 0, "ten calls at 40 are slower than one at 150");
    assert!((540..660).contains(&first[0]), "{first:?}: it wins each pair that it is in");
}

#[test]
fn a_deployment_that_was_never_called_is_called_once_to_find_out() {
    let known = loaded(Load { latency_micros: Some(10), ..Load::default() });
    let order = |in_flight| {
        let contenders = [known, loaded(Load { in_flight, ..Load::default() })];
        planned(&contenders, &NEEDS_NOTHING, Strategy::LatencyBased).order
    };
    assert_eq!(order(0), [1, 0]);
    assert_eq!(order(1), [0, 1]);
}

#[test]
fn a_preferred_deployment_goes_first_in_its_tier_while_it_is_ready() {
    let order = |contenders: &[Contender<'_>], preferred| {
        let seed = &mut seeded(1);
        plan_for(contenders, &NEEDS_NOTHING, Strategy::LeastBusy, Some(preferred), seed).order
    };
    let busy = loaded(Load { in_flight: 50, ..Load::default() });
    assert_eq!(order(&[plain(), busy], 1), [1, 0]);
    assert_eq!(order(&[plain(), resting(1)], 1), [0, 1]);
    assert_eq!(order(&[of_order(0), of_order(1)], 1), [0, 1]);
    assert_eq!(order(&[plain()], 7), [0], "one that is not there");
}

#[test]
fn the_nearest_reason_is_the_one_found_out_last() {
    let needs = Needs { input_tokens: Some(9), ..NEEDS_NOTHING };
    let small = Contender { input_max: Some(1), ..plain() };
    let plan = planned(&[Contender::default(), small], &needs, Strategy::SimpleShuffle);
    let why = PassedOver::WindowTooSmall { input_max: 1, input_tokens: 9 };
    assert_eq!(plan.nearest(), Some(why));
    assert_eq!(why.class(), Some(FailureClass::ContextWindow));
}

#[test]
fn every_strategy_is_read_by_its_name() {
    for strategy in Strategy::ALL {
        assert_eq!(Strategy::parse(strategy.as_str()), Some(strategy));
    }
    assert_eq!(Strategy::parse("usage-based-routing"), Some(Strategy::UsageBased));
    assert_eq!(Strategy::parse("lar1"), None);
}

prop_compose! {
    fn any_contender()(
        order in 0u32..3, weight in proptest::option::of(0u32..4), available in 0u8..8,
        input_max in proptest::option::of(0u64..20), price_picos in proptest::option::of(0u64..5),
        (in_flight, tokens, requests) in (0u32..5, 0u64..20, 0u64..5),
        latency_micros in proptest::option::of(0u64..1000),
        tpm in proptest::option::of(0u64..30), rests in proptest::option::weighted(0.3, 0u64..9),
    ) -> Contender<'static> {
        Contender {
            candidate: Candidate { order, weight, rpm: None, tpm, available: available > 0 },
            input_max,
            price_picos,
            load: Load { in_flight, requests, tokens, latency_micros },
            readiness: rests.map_or(Readiness::Ready, cooling),
            ..Contender::default()
        }
    }
}

proptest! {
    #[test]
    fn everybody_is_planned_or_passed_over_and_tiers_never_mix(
        contenders in proptest::collection::vec(any_contender(), 0..12),
        strategy in proptest::sample::select(Strategy::ALL.to_vec()),
        (input, preferred, seed) in (0u64..20, proptest::option::of(0usize..12), any::<u64>()),
    ) {
        let needs = Needs { input_tokens: Some(input), rates: seed % 2 == 0, ..NEEDS_NOTHING };
        let plan = plan_for(&contenders, &needs, strategy, preferred, &mut seeded(seed));
        let rests = |at: usize| contenders[at].readiness.frees_at();
        let key = |at: &usize| (contenders[*at].candidate.order, rests(*at));
        prop_assert!(plan.order.is_sorted_by_key(key), "{plan:?}");
        for at in 0..contenders.len() {
            let times = plan.order.iter().filter(|planned| **planned == at).count();
            let passed = plan.passed_over.iter().filter(|(passed, _)| *passed == at).count();
            let expected = if rests(at).is_some() && times == 1 { 1 } else { 1 - times };
            prop_assert!(times <= 1 && passed == expected, "{at}: {plan:?}");
        }
    }
}
