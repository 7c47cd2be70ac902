//! Health, step by step.

use super::*;
use crate::treatment::Exception;

use FailureClass as C;

fn at(seconds: u64) -> Ticks {
    Ticks::from_nanos(0).plus(Duration::from_secs(seconds))
}

fn half(half_seconds: u64) -> Ticks {
    Ticks::from_nanos(0).plus(Duration::from_millis(500 * half_seconds))
}

/// One health with its rules, as a member of a larger group or alone.
struct Patient {
    health: Health,
    rules: HealthRules,
    alone: bool,
}

impl Patient {
    fn new(rules: HealthRules) -> Self {
        Self { health: Health::new(HealthOf::Deployment), rules, alone: false }
    }

    fn readiness(&self, now: Ticks) -> Readiness {
        self.health.readiness(self.alone, now)
    }

    /// Takes a call and has it end so at the same instant.
    fn call(&mut self, ending: Ending, now: Ticks) -> Option<Change> {
        let pass = self.health.take(self.alone, now).expect("it may be called");
        self.observe(pass, ending, now)
    }

    fn observe(&mut self, pass: Pass, ending: Ending, now: Ticks) -> Option<Change> {
        self.health.observe(pass, ending, (&self.rules, self.alone), now)
    }

    /// Calls so often, all failing so, and says whether it still may be called.
    fn survives(&mut self, fails: u32, class: C) -> bool {
        (0..fails).all(|_| {
            let may = self.readiness(at(1)).may_take();
            may.then(|| self.call(failed(class), at(1)));
            may
        }) && self.readiness(at(1)).may_take()
    }
}

const fn failed(class: C) -> Ending {
    Ending::Failed { class, wait: None }
}

fn waits(class: C, seconds: u64) -> Ending {
    Ending::Failed { class, wait: Some(Duration::from_secs(seconds)) }
}

fn allowing(fails: u32) -> HealthRules {
    HealthRules { allowed_fails: Some(fails), ..HealthRules::default() }
}

#[test]
fn a_faulty_deployment_among_others_rests_once_most_of_five_calls_failed() {
    let mut patient = Patient::new(HealthRules::default());
    assert!(patient.survives(4, C::ProviderFailed));
    assert!(!patient.survives(1, C::ProviderFailed));
    let mut patient = Patient::new(HealthRules::default());
    for _ in 0..50 {
        assert_eq!(patient.call(Ending::Answered, at(1)), None);
        assert_eq!(patient.call(failed(C::ProviderFailed), at(1)), None, "half is not most");
    }
}

#[test]
fn failures_of_another_minute_do_not_count() {
    let mut patient = Patient::new(allowing(1));
    assert_eq!(patient.call(failed(C::ProviderFailed), at(0)), None);
    assert_eq!(patient.call(failed(C::ProviderFailed), at(60)), None);
    assert!(patient.call(failed(C::ProviderFailed), at(61)).is_some());
}

#[test]
fn the_only_deployment_of_a_group_goes_on_until_a_thousand_calls_failed() {
    let mut patient = Patient::new(HealthRules::default());
    patient.alone = true;
    assert!(patient.survives(999, C::ProviderFailed));
    assert!(!patient.survives(1, C::ProviderFailed));
    assert!(patient.readiness(at(2)).may_take(), "and even then it is tried each second");
}

#[test]
fn a_rate_limit_rests_at_once_where_others_take_the_calls() {
    let mut patient = Patient::new(HealthRules::default());
    let until = at(6);
    let cooled = Some(Change::Cooled { until, class: C::RateLimited });
    assert_eq!(patient.call(failed(C::RateLimited), at(1)), cooled);
    assert_eq!(patient.readiness(at(5)), Readiness::Cooling { until, class: C::RateLimited });
    let mut alone = Patient { alone: true, ..Patient::new(HealthRules::default()) };
    assert_eq!(alone.call(failed(C::RateLimited), at(1)), None);
    assert_eq!(alone.readiness(at(1)), Readiness::Ready);
}

#[test]
fn an_upstream_that_names_its_wait_is_believed_to_the_second() {
    for alone in [false, true] {
        let mut patient = Patient { alone, ..Patient::new(HealthRules::default()) };
        let _ = patient.call(waits(C::RateLimited, 30), at(1));
        assert!(!patient.readiness(at(30)).may_take());
        assert_eq!(patient.readiness(at(31)), Readiness::Ready, "no probe is needed");
    }
}

#[test]
fn a_longer_wait_extends_a_rest_and_a_shorter_one_does_not_shorten_it() {
    let mut patient = Patient::new(HealthRules::default());
    let passes: Vec<Pass> =
        (0..3).map(|_| patient.health.take(false, at(0)).expect("ready")).collect();
    let until = |patient: &Patient| patient.readiness(at(1)).frees_at();
    let _ = patient.observe(passes[0], waits(C::RateLimited, 20), at(1));
    assert_eq!(patient.observe(passes[1], waits(C::RateLimited, 5), at(1)), None);
    assert_eq!(until(&patient), Some(at(21)));
    let _ = patient.observe(passes[2], waits(C::RateLimited, 40), at(1));
    assert_eq!(until(&patient), Some(at(41)));
}

#[test]
fn no_wait_is_longer_than_an_hour() {
    let mut patient = Patient::new(HealthRules::default());
    let _ = patient.call(waits(C::RateLimited, u64::MAX), at(0));
    assert_eq!(patient.readiness(at(1)).frees_at(), Some(at(3600)));
}

#[test]
fn after_a_rest_one_probe_goes_ahead_and_the_others_keep_away() {
    let mut patient = Patient::new(allowing(0));
    let _ = patient.call(failed(C::Unreachable), at(0));
    let probe = patient.health.take(false, at(5)).expect("a probe");
    assert!(probe.is_probe());
    let until = at(15);
    let probing = Readiness::Probing { until, class: C::Unreachable };
    assert_eq!(patient.health.take(false, at(6)), Err(probing));
    assert_eq!(patient.observe(probe, Ending::Answered, at(7)), Some(Change::Recovered));
    assert_eq!(patient.readiness(at(7)), Readiness::Ready);
}

#[test]
fn a_probe_that_fails_doubles_the_rest_up_to_a_minute() {
    let mut patient = Patient::new(allowing(0));
    let mut now = 0;
    let _ = patient.call(failed(C::Unreachable), at(now));
    for rest in [5, 10, 20, 40, 60, 60] {
        assert_eq!(patient.readiness(at(now)).frees_at(), Some(at(now + rest)));
        now += rest;
        let _ = patient.call(failed(C::Unreachable), at(now));
    }
    now += 60;
    assert_eq!(patient.call(Ending::Answered, at(now)), Some(Change::Recovered));
    let _ = patient.call(failed(C::Unreachable), at(now));
    assert_eq!(patient.readiness(at(now)).frees_at(), Some(at(now + 5)), "and begins anew");
}

#[test]
fn a_probe_of_which_nobody_hears_holds_nobody_for_ever() {
    let mut patient = Patient::new(allowing(0));
    let _ = patient.call(failed(C::Unreachable), at(0));
    let lost = patient.health.take(false, at(5)).expect("a probe");
    assert!(!patient.readiness(at(14)).may_take());
    let second = patient.health.take(false, at(15)).expect("another");
    assert_eq!(patient.observe(lost, Ending::Answered, at(16)), None, "its time is over");
    assert_eq!(patient.observe(second, Ending::Unknown, at(17)), None);
    assert_eq!(patient.readiness(at(17)), Readiness::Probe, "a dropped probe makes way at once");
}

#[test]
fn a_provider_that_rejects_the_probes_request_is_well() {
    let mut patient = Patient::new(allowing(0));
    let _ = patient.call(failed(C::Unreachable), at(0));
    assert_eq!(patient.call(failed(C::RequestRejected), at(5)), Some(Change::Recovered));
}

#[test]
fn who_began_before_the_rest_says_nothing_about_its_end() {
    let mut patient = Patient::new(allowing(0));
    let early = patient.health.take(false, at(0)).expect("ready");
    let late = patient.health.take(false, at(0)).expect("ready");
    let _ = patient.call(failed(C::Unreachable), at(0));
    assert_eq!(patient.observe(early, Ending::Answered, at(1)), None);
    assert_eq!(patient.observe(late, failed(C::Unreachable), at(4)), None);
    assert_eq!(patient.readiness(at(4)).frees_at(), Some(at(5)));
}

#[test]
fn a_fault_of_the_clients_never_counts() {
    for class in [C::RequestRejected, C::ContextWindow, C::ContentPolicy, C::ClientGone] {
        let mut patient = Patient::new(allowing(0));
        assert!(patient.survives(2000, class), "{class}");
    }
}

#[test]
fn a_rejected_credential_cools_the_credential_and_not_the_deployment() {
    let rules = HealthRules::default();
    for (of, cools) in [(HealthOf::Credential, true), (HealthOf::Deployment, false)] {
        for alone in [false, true] {
            let mut patient = Patient { health: Health::new(of), rules, alone };
            let change = patient.call(failed(C::CredentialRejected), at(0));
            assert_eq!(change.is_some(), cools, "{of:?}");
        }
    }
    let mut credential = Patient { health: Health::new(HealthOf::Credential), rules, alone: false };
    assert!(credential.survives(2000, C::ProviderFailed), "what the deployment does is no news");
    let _ = credential.call(failed(C::CredentialRejected), at(1));
    assert_eq!(credential.readiness(at(1)).frees_at(), Some(at(61)));
}

#[test]
fn an_account_without_credits_rests_a_quarter_of_an_hour_whatever_it_says() {
    let rules = HealthRules::default();
    let mut patient = Patient { health: Health::new(HealthOf::Credential), rules, alone: false };
    let _ = patient.call(waits(C::QuotaExhausted, 2), at(0));
    assert_eq!(patient.readiness(at(1)).frees_at(), Some(at(900)));
    assert_eq!(patient.readiness(at(900)), Readiness::Probe);
}

#[test]
fn the_only_deployment_is_tried_once_a_second_while_it_rests() {
    let rules = HealthRules::default();
    let mut patient = Patient { health: Health::new(HealthOf::Credential), rules, alone: true };
    let _ = patient.call(failed(C::CredentialRejected), half(0));
    for second in 1..5 {
        assert!(!patient.readiness(half(2 * second - 1)).may_take());
        let _ = patient.call(failed(C::CredentialRejected), half(2 * second));
    }
    assert_eq!(patient.call(Ending::Answered, half(10)), Some(Change::Recovered));
}

#[test]
fn what_the_operator_allows_by_class_goes_before_the_number_for_all() {
    let policy = PerException::default().with(Exception::Timeout, 3);
    let rules = HealthRules { allowed_fails_policy: policy, ..allowing(0) };
    assert!(Patient::new(rules).survives(3, C::TimedOut));
    assert!(!Patient::new(rules).survives(4, C::TimedOut));
    assert!(!Patient::new(rules).survives(1, C::ProviderFailed));
    assert!(Patient::new(allowing(2)).survives(2, C::RateLimited), "a rate limit counts like all");
}

#[test]
fn without_cooldowns_nobody_rests() {
    let off = HealthRules { cools: false, ..allowing(0) };
    assert!(Patient::new(off).survives(100, C::ProviderFailed));
    let mut patient = Patient::new(off);
    assert_eq!(patient.call(waits(C::RateLimited, 60), at(0)), None);
    let none = HealthRules { cooldown: Duration::ZERO, ..allowing(0) };
    assert!(Patient::new(none).survives(100, C::ProviderFailed));
    let _ = Patient::new(none).call(waits(C::RateLimited, 60), at(0));
}

#[test]
fn what_is_forgotten_is_well() {
    let mut patient = Patient::new(allowing(0));
    let _ = patient.call(failed(C::Unreachable), at(0));
    patient.health.forget();
    assert_eq!(patient.readiness(at(0)), Readiness::Ready);
}

#[test]
fn the_worse_of_two_decides() {
    let class = C::Unreachable;
    let short = Readiness::Cooling { until: at(1), class };
    let long = Readiness::Probing { until: at(2), class };
    assert_eq!(Readiness::Ready.and(Readiness::Probe), Readiness::Probe);
    assert_eq!(Readiness::Ready.and(Readiness::Ready), Readiness::Ready);
    for (one, two, worse) in [(Readiness::Probe, short, short), (short, long, long)] {
        assert_eq!((one.and(two), two.and(one)), (worse, worse));
    }
}
