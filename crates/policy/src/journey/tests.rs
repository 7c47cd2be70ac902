//! Journeys within a model group, each as the trace of what it asked the shell to do.

mod fallbacks;
mod world;

use expect_test::expect;

use self::world::{World, at, check, cooling, fails, of_order, plain};
use super::*;
use crate::retry::RetryRules;
use crate::treatment::{Exception, PerException};

use FailureClass as C;

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
fn who_is_passed_over_makes_way_for_the_next() {
    let world = World { groups: vec![("a", vec![plain(), plain()])], ..World::default() };
    let mut journey = Journey::new(world.rules, None, None);
    let group = world.enter(&mut journey, "a").expect("a group");
    let next = |journey: &mut Journey, millis| world.next(journey, group, at(millis));
    assert_eq!(next(&mut journey, 0), Step::Dispatch { deployment: 0, retry: false });
    assert_eq!(journey.doors(), [0, 1]);
    journey.pass_over(0, PassedOver::LimitReached);
    assert_eq!(next(&mut journey, 0), Step::Dispatch { deployment: 1, retry: false });
    assert_eq!(journey.doors(), [1]);
    let until = at(500);
    journey.pass_over(1, PassedOver::Cooling { class: C::Overloaded, until });
    assert_eq!(next(&mut journey, 0), Step::Wait { until });
    assert_eq!(next(&mut journey, 500), Step::Dispatch { deployment: 1, retry: false });
    journey.pass_over(1, PassedOver::QueueFull);
    let end = Step::End(Cause::NobodyAble(PassedOver::QueueFull));
    assert_eq!(next(&mut journey, 500), end);
    assert_eq!(next(&mut journey, 500), end, "the end is the end");
}

#[test]
fn an_attempt_of_which_nobody_hears_is_the_last() {
    let world = World::default();
    let mut journey = Journey::new(world.rules, None, None);
    let group = world.enter(&mut journey, "a").expect("a group");
    let next = |journey: &mut Journey, millis| world.next(journey, group, at(millis));
    let _ = next(&mut journey, 0);
    drop(journey.dispatched(0));
    assert_eq!(next(&mut journey, 0), Step::End(Cause::Attempt(0)));
}
