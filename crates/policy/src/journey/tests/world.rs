//! The world of one call, and the trace of what its journey asks the shell to do.

use std::fmt::Write as _;

use expect_test::Expect;

use crate::fallback::{FallbackList, Fallbacks};
use crate::journey::*;
use crate::retry::RetryRules;
use crate::route::{Candidate, Contender, Needs, Strategy, plan_for};

use FailureClass as C;

/// The world of one call: its groups, their deployments, and how each attempt ends.
pub(super) struct World {
    /// The groups by name, each with its deployments.
    pub(super) groups: Vec<(&'static str, Vec<Contender<'static>>)>,
    pub(super) rules: JourneyRules,
    pub(super) retries: RetryRules,
    pub(super) fallbacks: Vec<(ChainKind, &'static str, Vec<&'static str>)>,
    pub(super) own: Option<Vec<&'static str>>,
    /// Groups that the caller may not use.
    pub(super) barred: Vec<&'static str>,
    pub(super) retry_budget: bool,
    pub(super) deadline_ms: Option<u64>,
    /// How long each attempt takes.
    pub(super) attempt_ms: u64,
    pub(super) needs: Needs<'static>,
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

pub(super) fn plain() -> Contender<'static> {
    of_order(0)
}

pub(super) fn of_order(order: u32) -> Contender<'static> {
    let candidate = Candidate { order, available: true, ..Candidate::default() };
    Contender { candidate, ..Contender::default() }
}

pub(super) fn at(millis: u64) -> Ticks {
    Ticks::from_nanos(0).plus(Duration::from_millis(millis))
}

pub(super) fn cooling(class: C, until_ms: u64) -> Contender<'static> {
    let readiness = Readiness::Cooling { until: at(until_ms), class };
    Contender { readiness, ..plain() }
}

pub(super) const fn fails(class: C) -> AttemptFailure {
    AttemptFailure::new(class)
}

impl World {
    /// Runs a call whose attempts fail so, one after the other, and then answer.
    pub(super) fn run(&self, failures: &[AttemptFailure]) -> String {
        let own = self.own.as_ref().map(|own| own.iter().map(|name| Arc::from(*name)).collect());
        let mut journey = Journey::new(self.rules, own, self.deadline_ms.map(at));
        let (mut now, mut trace) = (at(0), String::new());
        let mut group = self.enter(&mut journey, "a").expect("the first group");
        let mut failures = failures.iter();
        for _ in 0..200 {
            let step = self.next(&mut journey, group, now);
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

    pub(super) fn enter(&self, journey: &mut Journey, name: &str) -> Option<usize> {
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

    /// The next step of a journey that is at a group.
    pub(super) fn next(&self, journey: &mut Journey, group: usize, now: Ticks) -> Step {
        let (name, contenders) = &self.groups[group];
        let readiness = |deployment: usize| {
            let readiness = contenders[deployment].readiness;
            let over = readiness.frees_at().is_some_and(|at| at <= now);
            if over { Readiness::Ready } else { readiness }
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
        let chain = |kind: ChainKind| fallbacks.chain(kind, &[*name]).cloned();
        let may_retry = |_: usize| self.retry_budget;
        let (readiness, may_retry, chain) = (&readiness, &may_retry, &chain);
        journey.next(&Moment { now, readiness, may_retry, chain })
    }
}

#[expect(clippy::needless_pass_by_value, reason = "what is expected stands at the call")]
pub(super) fn check(world: &World, failures: &[AttemptFailure], expected: Expect) {
    expected.assert_eq(&world.run(failures));
}
