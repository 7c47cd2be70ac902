//! The table of treatments, in laws that hold for every class.

use super::*;

#[test]
fn a_fault_of_the_clients_cools_nobody_and_is_never_tried_elsewhere() {
    let of_client = FailureClass::ALL.into_iter().filter(|class| Treatment::is_of_the_call(*class));
    for class in of_client.chain([FailureClass::ClientGone]) {
        let treatment = Treatment::of(class);
        assert_eq!(treatment.cooling, Cooling::Nothing, "{class}");
        assert_eq!(treatment.again, Again::Never, "{class}");
        assert!(!treatment.elsewhere, "{class}");
        assert_ne!(treatment.fallback, Some(ChainKind::Any), "{class}");
    }
}

#[test]
fn what_is_tried_again_at_one_deployment_is_tried_elsewhere_too() {
    for class in FailureClass::ALL {
        let treatment = Treatment::of(class);
        assert!(treatment.again == Again::Never || treatment.elsewhere, "{class}");
    }
}

#[test]
fn what_was_charged_is_not_produced_a_second_time() {
    for class in FailureClass::ALL {
        let Treatment { charge, again, elsewhere, fallback, .. } = Treatment::of(class);
        let ends = again == Again::Never && !elsewhere && fallback.is_none();
        assert!(charge == Charge::Nothing || ends, "{class}");
    }
}

#[test]
fn a_policy_counts_by_the_names_of_litellm() {
    let policy = PerException::default().with(Exception::RateLimit, 4);
    assert_eq!(policy.of(FailureClass::RateLimited), Some(4));
    assert_eq!(policy.of(FailureClass::QuotaExhausted), Some(4));
    assert_eq!(policy.of(FailureClass::TimedOut), None);
    assert_eq!(policy.of(FailureClass::ModelUnknown), None);
    let other = PerException::default().with(Exception::RateLimit, 9).with(Exception::Timeout, 1);
    let both = policy.or(other);
    assert_eq!(both.get(Exception::RateLimit), Some(4), "the nearer policy decides");
    assert_eq!(both.get(Exception::Timeout), Some(1));
}

#[test]
fn the_keys_of_both_policies_begin_alike() {
    for exception in Exception::ALL {
        let retries = exception.retries_key().strip_suffix("Retries");
        assert_eq!(retries, exception.allowed_fails_key().strip_suffix("AllowedFails"));
        assert!(retries.is_some_and(|name| name.ends_with("Error")), "{exception:?}");
    }
}
