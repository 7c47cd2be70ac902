//! Journeys, each as the trace of what it asked the shell to do.

use std::fmt::Write as _;

use expect_test::{Expect, expect};

use super::*;
use crate::fallback::{FallbackList, Fallbacks};
use crate::retry::RetryRules;
use crate::route::{Candidate, Contender, Needs, Strategy, plan_for};
use crate::treatment::{Exception, PerException};

use FailureClass as C;

/// The world of one call: its groups, their deployments, and how each attempt ends.
struct World {
    /// The groups by name, each with its deployments.
    groups: Vec<(&'static str, Vec<Contender<'static>>)>,
    rules: JourneyRules,
    retries: RetryRules,
    fallbacks: Vec<(ChainKind, &'static str, Vec<&'static str>)>,
    own: Option<Vec<&'static str>>,
    /// Groups that the caller may not use.
    barred: Vec<&'static str>,
    retry_budget: bool,
    deadline_ms: Option<u64>,
    /// How long each attempt takes.
    attempt_ms: u64,
    needs: Needs<'static>,
}

impl Default for World {
    fn default() -> Self {
        Self {
            groups: vec![("a", vec![plain()])],
            rules: JourneyRules::default(),
            retries: RetryRules::default(),
            fallbacks: Vec::new(),
            own: None,
            barred: Vec::new(),
            retry_budget: true,
            deadline_ms: None,
            attempt_ms: 10,
            needs: Needs::default(),
        }
    }
}

fn plain() -> Contender<'static> {
    of_order(0)
}

fn of_order(order: u32) -> Contender<'static> {
    let candidate = Candidate { order, available: true, ..Candidate::default() };
    Contender { candidate, ..Contender::default() }
}

fn at(millis: u64) -> Ticks {
    Ticks::from_nanos(0).plus(Duration::from_millis(millis))
}

fn cooling(class: C, until_ms: u64) -> Contender<'static> {
    let readiness = Readiness::Cooling { until: at(until_ms), class };
    Contender { readiness, ..plain() }
}

const fn fails(class: C) -> AttemptFailure {
    AttemptFailure::new(class)
}

impl World {
    /// Runs a call whose attempts fail so, one after the other, and then answer.
    fn run(&self, failures: &[AttemptFailure]) -> String {
        let own = self.own.as_ref().map(|own| own.iter().map(|name| Arc::from(*name)).collect());
        let mut journey = Journey::new(self.rules, own, self.deadline_ms.map(at));
        let (mut now, mut trace) = (at(0), String::new());
        let mut group = self.enter(&mut journey, "a").expect("the first group");
        let mut failures = failures.iter();
        for _ in 0..200 {
            let step = journey.next(&self.moment(group, now));
            let elapsed = now.since(at(0)).as_millis();
            match step {
                Step::Dispatch { deployment, retry } => {
                    let again = if retry { " again" } else { "" };
                    writeln!(trace, "{elapsed}: {}{deployment}{again}", self.groups[group].0)
                        .expect("a string");
                    let attempt = journey.dispatched(deployment);
                    now = now.plus(Duration::from_millis(self.attempt_ms));
                    match failures.next() {
                        Some(failure) => journey.failed(attempt, *failure, now, 0),
                        None => journey.answered(attempt),
                    }
                }
                Step::Wait { until } => now = until,
                Step::Fallback { group: to, why } => {
                    writeln!(trace, "{elapsed}: to {to}: {why}").expect("a string");
                    group = self.enter(&mut journey, &to).unwrap_or(group);
                }
                Step::End(cause) => {
                    writeln!(trace, "{elapsed}: {cause:?}").expect("a string");
                    for (group, passed_over) in journey.passed_over() {
                        for (deployment, why) in passed_over {
                            writeln!(trace, "  {group}{deployment} {}", why.as_str())
                                .expect("a string");
                        }
                    }
                    return trace;
                }
            }
        }
        panic!("no end:\n{trace}");
    }

    fn enter(&self, journey: &mut Journey, name: &str) -> Option<usize> {
        if self.barred.contains(&name) {
            return None;
        }
        let at = self.groups.iter().position(|(group, _)| *group == name)?;
        let contenders = &self.groups[at].1;
        // A draw of zero takes the first.
        let plan = plan_for(contenders, &self.needs, Strategy::SimpleShuffle, None, &mut || 0);
        journey.enter(Leg::new(name.into(), contenders, plan, self.retries));
        Some(at)
    }

    fn moment(&self, group: usize, now: Ticks) -> Moment<'_> {
        // Leaked, so that the closures can borrow it: a few bytes for each step of a test.
        let readiness = move |deployment: usize| {
            let readiness = self.groups[group].1[deployment].readiness;
            if readiness.frees_at().is_some_and(|at| at <= now) {
                return Readiness::Ready;
            }
            readiness
        };
        let entries: Vec<FallbackList<'_>> = self
            .fallbacks
            .iter()
            .map(|(kind, group, targets)| FallbackList {
                kind: *kind,
                group,
                targets: targets.clone(),
            })
            .collect();
        let (fallbacks, _) = Fallbacks::compile(&entries, &|name| Some(name.into()));
        let name = self.groups[group].0;
        let chain = move |kind: ChainKind| fallbacks.chain(kind, &[name]).cloned();
        let may_retry = |_: usize| self.retry_budget;
        Moment {
            now,
            readiness: Box::leak(Box::new(readiness)),
            may_retry: Box::leak(Box::new(may_retry)),
            chain: Box::leak(Box::new(chain)),
        }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "what is expected stands at the call")]
fn check(world: &World, failures: &[AttemptFailure], expected: Expect) {
    expected.assert_eq(&world.run(failures));
}

#[test]
fn another_deployment_is_tried_at_once_and_a_retry_waits_its_back_off() {
    let world = World { groups: vec![("a", vec![plain(), plain()])], ..World::default() };
    check(
        &world,
        &[fails(C::ProviderFailed); 3],
        expect![[r#"
        0: a0
        10: a1
        385: a0 again
        395: a1 again
        405: Answered(3)
    "#]],
    );
}

#[test]
fn retries_end_with_their_number_and_the_first_failure_is_told() {
    check(
        &World::default(),
        &[fails(C::TimedOut); 9],
        expect![[r#"
        0: a0
        385: a0 again
        1145: a0 again
        1155: Attempt(0)
    "#]],
    );
    let none = RetryRules { num_retries: 0, ..RetryRules::default() };
    let world = World { retries: none, ..World::default() };
    check(
        &world,
        &[fails(C::TimedOut)],
        expect![[r#"
        0: a0
        10: Attempt(0)
    "#]],
    );
}

#[test]
fn without_failover_other_deployments_count_as_retries_within_their_tier() {
    let groups = vec![("a", vec![plain(), plain(), plain(), of_order(1), of_order(1)])];
    let rules = JourneyRules { failover: false, ..JourneyRules::default() };
    let retries = RetryRules { num_retries: 1, ..RetryRules::default() };
    let world = World { groups, rules, retries, ..World::default() };
    check(
        &world,
        &[fails(C::ProviderFailed); 9],
        expect![[r#"
        0: a0
        10: a1
        20: a3
        30: a4
        40: Attempt(0)
          a2 no_retries
    "#]],
    );
}

#[test]
fn a_fault_of_the_calls_own_ends_the_journey_and_is_what_is_told() {
    let world = World { groups: vec![("a", vec![plain(), plain()])], ..World::default() };
    let failures = [fails(C::ProviderFailed), fails(C::RequestRejected)];
    check(
        &world,
        &failures,
        expect![[r#"
        0: a0
        10: a1
        20: Attempt(1)
    "#]],
    );
}

#[test]
fn a_policy_that_names_a_class_has_it_tried_again() {
    let policy = PerException::default().with(Exception::BadRequest, 1);
    let retries = RetryRules { policy, ..RetryRules::default() };
    let world = World { retries, ..World::default() };
    check(
        &world,
        &[fails(C::RequestRejected); 3],
        expect![[r#"
        0: a0
        385: a0 again
        395: Attempt(0)
    "#]],
    );
}

#[test]
fn what_the_client_saw_or_has_to_pay_for_is_final() {
    let groups = vec![("a", vec![plain(), plain()]), ("b", vec![plain()])];
    let fallbacks = vec![(ChainKind::Any, "a", vec!["b"])];
    let world = World { groups, fallbacks, ..World::default() };
    let visible = AttemptFailure { visible: true, ..fails(C::AnswerUnreadable) };
    check(
        &world,
        &[fails(C::Overloaded), visible],
        expect![[r#"
        0: a0
        10: a1
        20: Attempt(1)
    "#]],
    );
    let consumed = AttemptFailure { consumed: true, ..fails(C::AnswerUnfit) };
    check(
        &world,
        &[consumed],
        expect![[r#"
        0: a0
        10: Attempt(0)
    "#]],
    );
}

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
fn a_wait_that_is_too_long_ends_the_call_now() {
    let long = Duration::from_secs(11);
    check(
        &World::default(),
        &[fails(C::RateLimited).after(long)],
        expect![[r#"
        0: a0
        10: Attempt(0)
    "#]],
    );
    let limited = || vec![cooling(C::RateLimited, 60_000), cooling(C::RateLimited, 30_000)];
    let world = World { groups: vec![("a", limited())], ..World::default() };
    check(
        &world,
        &[],
        expect![[r#"
        0: AllRateLimited { frees_at: Some(Ticks(30000000000)) }
          a1 cooling
          a0 cooling
    "#]],
    );
    let one_is_faulty = vec![cooling(C::RateLimited, 60_000), cooling(C::Unreachable, 30_000)];
    let world = World { groups: vec![("a", one_is_faulty)], ..World::default() };
    check(
        &world,
        &[],
        expect![[r#"
        0: NobodyAble(Cooling { class: Unreachable, until: Ticks(30000000000) })
          a1 cooling
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
fn nothing_begins_after_the_deadline() {
    let world = World { deadline_ms: Some(1000), attempt_ms: 500, ..World::default() };
    check(
        &world,
        &[fails(C::ProviderFailed); 9],
        expect![[r#"
        0: a0
        500: Attempt(0)
    "#]],
    );
    let world = World { deadline_ms: Some(0), ..World::default() };
    check(
        &world,
        &[],
        expect![[r#"
        0: OutOfTime
          a0 out_of_time
    "#]],
    );
}

#[test]
fn nobody_makes_more_attempts_than_the_call_may() {
    let rules = JourneyRules { attempts_max: 2, ..JourneyRules::default() };
    let groups = vec![("a", vec![plain(); 4]), ("b", vec![plain()])];
    let fallbacks = vec![(ChainKind::Any, "a", vec!["b"])];
    let world = World { groups, rules, fallbacks, ..World::default() };
    check(
        &world,
        &[fails(C::ProviderFailed); 9],
        expect![[r#"
        0: a0
        10: a1
        20: Attempt(0)
          a2 out_of_attempts
          a3 out_of_attempts
    "#]],
    );
}

#[test]
fn a_deployment_without_retries_left_in_its_budget_is_not_tried_again() {
    let world = World { retry_budget: false, ..World::default() };
    check(
        &world,
        &[fails(C::ProviderFailed); 9],
        expect![[r#"
        0: a0
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

#[test]
fn who_is_passed_over_makes_way_for_the_next() {
    let world = World { groups: vec![("a", vec![plain(), plain()])], ..World::default() };
    let mut journey = Journey::new(world.rules, None, None);
    let group = world.enter(&mut journey, "a").expect("a group");
    let moment = world.moment(group, at(0));
    assert_eq!(journey.next(&moment), Step::Dispatch { deployment: 0, retry: false });
    assert_eq!(journey.doors(), [0, 1]);
    journey.pass_over(0, PassedOver::LimitReached);
    assert_eq!(journey.next(&moment), Step::Dispatch { deployment: 1, retry: false });
    assert_eq!(journey.doors(), [1]);
    let until = at(500);
    journey.pass_over(1, PassedOver::Cooling { class: C::Overloaded, until });
    assert_eq!(journey.next(&moment), Step::Wait { until });
    let later = world.moment(group, until);
    assert_eq!(journey.next(&later), Step::Dispatch { deployment: 1, retry: false });
    journey.pass_over(1, PassedOver::QueueFull);
    let end = Step::End(Cause::NobodyAble(PassedOver::QueueFull));
    assert_eq!(journey.next(&later), end);
    assert_eq!(journey.next(&later), end, "the end is the end");
}

#[test]
fn an_attempt_of_which_nobody_hears_is_the_last() {
    let world = World::default();
    let mut journey = Journey::new(world.rules, None, None);
    let group = world.enter(&mut journey, "a").expect("a group");
    let moment = world.moment(group, at(0));
    let _ = journey.next(&moment);
    drop(journey.dispatched(0));
    assert_eq!(journey.next(&moment), Step::End(Cause::Attempt(0)));
}
