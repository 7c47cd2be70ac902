//! Retries: their number, their waits, and what a deployment takes of them.

use proptest::prelude::*;
use tollgate_domain::Ticks;

use super::budget::RETRY_BURST;
use super::*;
use crate::treatment::Exception;

const SECOND: Duration = Duration::from_secs(1);

fn at(millis: u64) -> Ticks {
    Ticks::from_nanos(0).plus(Duration::from_millis(millis))
}

#[test]
fn the_nearest_number_of_retries_counts() {
    let policy = PerException::default().with(Exception::RateLimit, 5);
    let rules = RetryRules { num_retries: 1, policy, ..RetryRules::default() };
    let of_call = RetryRules { of_call: Some(0), ..rules };
    assert_eq!(rules.retries(FailureClass::Unreachable, None), 1, "the router's");
    assert_eq!(rules.retries(FailureClass::RateLimited, None), 5, "the policy's");
    assert_eq!(rules.retries(FailureClass::RateLimited, Some(3)), 3, "the deployment's");
    assert_eq!(of_call.retries(FailureClass::RateLimited, Some(3)), 0, "the call's");
}

#[test]
fn only_what_may_pass_is_tried_again_unless_a_policy_names_it() {
    let rules = RetryRules::default();
    assert!(rules.again(FailureClass::Overloaded, 9));
    assert!(rules.again(FailureClass::AnswerUnreadable, 1), "once");
    assert!(!rules.again(FailureClass::AnswerUnreadable, 2), "and not twice");
    assert!(!rules.again(FailureClass::RequestRejected, 1));
    assert!(!rules.again(FailureClass::CredentialRejected, 1));
    let named = |exception, count| {
        let policy = PerException::default().with(exception, count);
        RetryRules { policy, ..rules }
    };
    assert!(named(Exception::BadRequest, 1).again(FailureClass::RequestRejected, 1));
    assert!(!named(Exception::BadRequest, 0).again(FailureClass::RequestRejected, 1));
    assert!(!named(Exception::BadRequest, 1).again(FailureClass::CallRefused, 1), "nobody's class");
}

#[test]
fn a_back_off_doubles_up_to_its_limit_and_is_spread_by_the_draw() {
    let wait = |tries, draw| back_off(tries, None, Duration::ZERO, draw).as_millis();
    assert_eq!(
        [1, 2, 3, 4, 5, 6, 99].map(|tries| wait(tries, 0)),
        [375, 750, 1500, 3000, 6000, 6000, 6000]
    );
    assert_eq!([wait(1, u64::MAX / 2), wait(1, u64::MAX)], [499, 624]);
    assert_eq!(back_off(1, None, SECOND, 0), SECOND, "never below the operator's minimum");
    assert_eq!(back_off(u32::MAX, None, Duration::ZERO, u64::MAX).as_secs(), 9);
}

#[test]
fn a_wait_that_the_upstream_asks_for_is_kept_and_hardly_lengthened() {
    let hint = Some(Duration::from_secs(20));
    assert_eq!(back_off(1, hint, Duration::ZERO, 0), Duration::from_secs(20));
    assert_eq!(back_off(7, hint, Duration::ZERO, u64::MAX).as_millis(), 21_999);
    assert_eq!(back_off(1, Some(Duration::ZERO), Duration::ZERO, 0).as_millis(), 375, "no wait");
    let forever = back_off(1, Some(Duration::MAX), Duration::ZERO, u64::MAX);
    assert_eq!(forever, Duration::MAX);
}

#[test]
fn a_quiet_deployment_takes_a_burst_of_retries_and_then_one_each_second() {
    let (share, mut budget) = (RetryShare::default(), RetryBudget::default());
    let burst = (0..20).filter(|_| budget.retry(share, at(0))).count();
    assert_eq!(burst as u64, RETRY_BURST);
    assert!(!budget.may_retry(share, at(999)));
    assert!(budget.may_retry(share, at(1000)) && budget.retry(share, at(1000)));
    assert!(!budget.retry(share, at(1500)));
    assert!(budget.retry(share, at(2000)), "the half second was not lost");
}

#[test]
fn calls_pay_for_retries_by_the_share() {
    let (share, mut budget) =
        (RetryShare { per_mille: 250, per_second: 0 }, RetryBudget::default());
    while budget.retry(share, at(0)) {}
    (0..3).for_each(|_| budget.called(share, at(0)));
    assert!(!budget.retry(share, at(0)));
    budget.called(share, at(0));
    assert!(budget.retry(share, at(0)) && !budget.retry(share, at(0)));
}

proptest! {
    #[test]
    fn retries_never_pass_the_share_the_burst_and_the_seconds_together(
        share in (0u32..1000, 0u32..4),
        steps in proptest::collection::vec((any::<bool>(), 0u64..800), 0..200),
    ) {
        let share = RetryShare { per_mille: share.0, per_second: share.1 };
        let (mut budget, mut now) = (RetryBudget::default(), 0);
        let (mut calls, mut retries) = (0u64, 0u64);
        for (call, passed) in steps {
            now += passed;
            if call {
                budget.called(share, at(now));
                calls += 1;
            } else {
                let may = budget.may_retry(share, at(now));
                let did = budget.retry(share, at(now));
                prop_assert_eq!(may, did, "what is asked is what is done");
                retries += u64::from(did);
            }
            let most = RETRY_BURST * 1000 + calls * u64::from(share.per_mille)
                + now * u64::from(share.per_second);
            prop_assert!(retries * 1000 <= most, "{retries} retries of {calls} calls in {now} ms");
        }
    }

    #[test]
    fn a_wait_stays_between_its_bounds(
        tries in any::<u32>(), hint in proptest::option::of(0u64..10_000_000), draw in any::<u64>(),
        least in 0u64..20_000,
    ) {
        let least = Duration::from_millis(least);
        let hint = hint.map(Duration::from_millis).filter(|hint| !hint.is_zero());
        let wait = back_off(tries, hint, least, draw);
        prop_assert!(wait >= least && wait >= hint.unwrap_or_default());
        let most = hint.map_or(BACK_OFF_MAX * 5 / 4, |hint| hint * 11 / 10);
        prop_assert!(wait <= most.max(least), "{wait:?}");
    }
}
