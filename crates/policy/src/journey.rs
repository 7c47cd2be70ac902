//! The journey of one call: which deployment next, when to wait, where to fall back, when to end.
//!
//! A [`Journey`] does nothing itself. Asked for the [`next`](Journey::next) step it answers with a
//! [`Step`]; told how an attempt ended it decides what may follow. The shell plans each model group
//! and hands the plan in as a [`Leg`]; it keeps health and retry budgets, which the journey asks
//! for in each [`Moment`].
//!
//! What holds, whatever the shell and the upstreams do:
//!
//! - No more attempts, fallbacks and waits than the [`JourneyRules`] and the limits here allow, and
//!   nothing begins after the deadline: the questions end.
//! - Another deployment goes before a retry of the same, at once. A retry waits its back-off.
//! - A wait that an upstream asked for, or a rest, is waited for only where no fallback takes the
//!   call; a back-off is waited for first.
//! - A model group is entered once.
//! - Nothing follows an attempt of which the client saw something, or which consumed something.
//! - The end names the first true cause: of the group that was asked for, what the call itself is
//!   at fault for, else what failed first.

mod attempt;
mod cause;
mod leg;

use std::sync::Arc;
use std::time::Duration;

use tollgate_domain::{FailureClass, Ticks};

pub use attempt::{Attempt, AttemptFailure};
pub use cause::Cause;
pub use leg::Leg;

use crate::fallback::{Chain, ChainKind};
use crate::health::Readiness;
use crate::journey::leg::Choice;
use crate::route::PassedOver;
use crate::treatment::Treatment;

/// The limits of a journey.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JourneyRules {
    /// Most attempts of a call, over all groups.
    pub attempts_max: u32,
    /// Most model groups after the first: `max_fallbacks`; zero for `disable_fallbacks`.
    pub fallbacks_max: u32,
    /// Whether deployments that were not tried yet are tried beyond the number of retries:
    /// `enable_weighted_failover`.
    pub failover: bool,
    /// Whether a request that the provider rejects goes to other groups: `fallback_on_bad_request`.
    pub fallback_on_rejection: bool,
    /// The least time that an attempt after the first needs.
    pub attempt_min: Duration,
}

impl Default for JourneyRules {
    fn default() -> Self {
        Self {
            attempts_max: CALL_ATTEMPTS_MAX,
            fallbacks_max: FALLBACKS_MAX,
            failover: true,
            fallback_on_rejection: false,
            attempt_min: ATTEMPT_MIN,
        }
    }
}

/// The state of the world when the journey is asked for its next step. Deployments are named by
/// their index in the group that was entered last.
#[derive(Clone, Copy)]
pub struct Moment<'a> {
    /// The time.
    pub now: Ticks,
    /// Whether a deployment may be called: its own health and its credential's.
    pub readiness: &'a dyn Fn(usize) -> Readiness,
    /// Whether a deployment takes a retry.
    pub may_retry: &'a dyn Fn(usize) -> bool,
    /// The fallback chain of the group for a kind of failure. Groups that the caller may not use
    /// are best left out here: a wait is given up for a fallback.
    pub chain: &'a dyn Fn(ChainKind) -> Option<Chain>,
}

/// What comes next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Send the call to this deployment, or to another of [`Journey::doors`] where this one has no
    /// place; then say [`Journey::dispatched`], or [`Journey::pass_over`] where it was not taken.
    Dispatch {
        /// The deployment that is to be preferred.
        deployment: usize,
        /// Whether the call was there before, so that its retry budget has to pay.
        retry: bool,
    },
    /// Ask again at this time.
    Wait {
        /// When.
        until: Ticks,
    },
    /// [`Journey::enter`] this group, if the caller may use it; else ask again.
    Fallback {
        /// The group.
        group: Arc<str>,
        /// What the group before it failed of.
        why: FailureClass,
    },
    /// Nothing more: the call has failed.
    End(Cause),
}

/// The journey of one call.
#[derive(Debug)]
pub struct Journey {
    rules: JourneyRules,
    /// The call's own chain, which replaces every configured one.
    own: Option<Chain>,
    deadline: Option<Ticks>,
    legs: Vec<Leg>,
    /// Whether the last leg is the present one.
    on_leg: bool,
    /// The groups to try, the next one last.
    pending: Vec<Arc<str>>,
    /// Every group that was chosen, entered or not.
    chosen: Vec<Arc<str>>,
    /// How each attempt ended, by its leg; nothing while one is under way.
    attempts: Vec<(usize, Option<FailureClass>)>,
    doors: Vec<usize>,
    waits: u32,
    waited: Duration,
    under_way: bool,
    end: Option<Cause>,
}

impl Journey {
    /// A journey that has to be over by the deadline. `own` is the call's own list of fallbacks.
    #[must_use]
    pub fn new(rules: JourneyRules, own: Option<Chain>, deadline: Option<Ticks>) -> Self {
        Self {
            rules,
            own,
            deadline,
            legs: Vec::new(),
            on_leg: false,
            pending: Vec::new(),
            chosen: Vec::new(),
            attempts: Vec::new(),
            doors: Vec::new(),
            waits: 0,
            waited: Duration::ZERO,
            under_way: false,
            end: None,
        }
    }

    /// Goes on at a model group: the one that was asked for, or the one of a
    /// [`Step::Fallback`].
    pub fn enter(&mut self, leg: Leg) {
        if self.legs.is_empty() {
            self.chosen.push(leg.group());
        }
        self.legs.push(leg);
        self.on_leg = true;
    }

    /// What comes next.
    pub fn next(&mut self, moment: &Moment<'_>) -> Step {
        if let Some(cause) = self.end {
            return Step::End(cause);
        }
        if self.under_way {
            // Nobody said how it ended, so nobody knows what it did.
            return self.end(Cause::Attempt(self.attempts.len() - 1));
        }
        let Some(leg) = self.legs.last_mut().filter(|_| self.on_leg) else {
            return self.fall_back(None, moment);
        };
        if let Some(why) = hindrance(&self.rules, self.deadline, self.attempts.len(), moment.now) {
            leg.leave(why, moment);
            return self.end(self.cause().unwrap_or(Cause::OutOfTime));
        }
        match leg.choose(self.rules.failover, moment, &mut self.doors) {
            Choice::Dispatch { deployment, retry } => Step::Dispatch { deployment, retry },
            Choice::At { at, rests } => self.wait_or_fall_back(at, rests, moment),
            Choice::Nobody => self.leave(moment),
        }
    }

    /// The deployments that may take the call now, in the order of preference; after a
    /// [`Step::Dispatch`].
    #[must_use]
    pub fn doors(&self) -> &[usize] {
        &self.doors
    }

    /// A deployment was not taken.
    pub fn pass_over(&mut self, deployment: usize, why: PassedOver) {
        if let Some(leg) = self.legs.last_mut() {
            leg.pass_over(deployment, why);
        }
    }

    /// The call was sent to a deployment.
    pub fn dispatched(&mut self, deployment: usize) -> Attempt {
        if let Some(leg) = self.legs.last_mut() {
            leg.dispatched(deployment);
        }
        self.attempts.push((self.legs.len().saturating_sub(1), None));
        self.under_way = true;
        Attempt::new(self.attempts.len() - 1, deployment)
    }

    /// The attempt gave an answer: the journey is over.
    pub fn answered(&mut self, attempt: Attempt) {
        self.under_way = false;
        self.end = Some(Cause::Answered(attempt.end().0));
    }

    /// The attempt failed. `draw` is a uniform 64-bit number.
    pub fn failed(&mut self, attempt: Attempt, failure: AttemptFailure, now: Ticks, draw: u64) {
        let (index, deployment) = attempt.end();
        self.under_way = false;
        if let Some((_, class)) = self.attempts.get_mut(index) {
            *class = Some(failure.class);
        }
        let ended =
            failure.visible || failure.consumed || failure.class == FailureClass::ClientGone;
        if ended {
            self.end = Some(Cause::Attempt(index));
        } else if let Some(leg) = self.legs.last_mut() {
            leg.failed(deployment, &failure, now, draw);
        }
    }

    /// Every group that was entered, with who was passed over there and why.
    pub fn passed_over(&self) -> impl Iterator<Item = (&str, &[(usize, PassedOver)])> {
        self.legs.iter().map(Leg::passed_over)
    }

    /// Attempts so far.
    #[must_use]
    pub fn attempts(&self) -> usize {
        self.attempts.len()
    }

    /// Model groups that were entered after the first.
    #[must_use]
    pub fn fallbacks(&self) -> usize {
        self.legs.len().saturating_sub(1)
    }

    fn wait_or_fall_back(&mut self, at: Ticks, rests: bool, moment: &Moment<'_>) -> Step {
        let wait = at.since(moment.now);
        let wait_max = self.legs.last().map_or(Duration::ZERO, Leg::wait_max);
        let in_time = self.deadline.is_none_or(|end| at.plus(self.rules.attempt_min) <= end);
        let in_bounds = wait <= wait_max
            && self.waits < WAITS_MAX
            && self.waited.saturating_add(wait) <= WAITED_MAX;
        let waits = in_time && in_bounds;
        if !waits || (rests && self.has_fallback(moment)) {
            return self.leave(moment);
        }
        self.waits += 1;
        self.waited = self.waited.saturating_add(wait);
        Step::Wait { until: at }
    }

    /// Leaves the group, which has nobody left for the call.
    fn leave(&mut self, moment: &Moment<'_>) -> Step {
        let class = self.legs.last_mut().and_then(|leg| {
            leg.leave(PassedOver::NoRetries, moment);
            leg.class()
        });
        self.fall_back(class, moment)
    }

    fn fall_back(&mut self, class: Option<FailureClass>, moment: &Moment<'_>) -> Step {
        self.on_leg = false;
        if let Some(chain) = class.and_then(|class| self.chain(class, moment)) {
            for group in chain.iter().rev() {
                if !self.chosen.contains(group) {
                    self.pending.retain(|other| other != group);
                    self.pending.push(Arc::clone(group));
                }
            }
        }
        let left = self.chosen.len() <= self.rules.fallbacks_max as usize;
        match self.pending.pop().filter(|_| left) {
            Some(group) => {
                self.chosen.push(Arc::clone(&group));
                let why = class.or_else(|| self.legs.last().and_then(Leg::class));
                Step::Fallback { group, why: why.unwrap_or(FailureClass::NotOffered) }
            }
            None => self.end(self.cause().unwrap_or(Cause::OutOfTime)),
        }
    }

    /// Whether another group would take the call.
    fn has_fallback(&self, moment: &Moment<'_>) -> bool {
        if self.chosen.len() > self.rules.fallbacks_max as usize {
            return false;
        }
        let class = self.legs.last().and_then(|leg| leg.class_at(moment));
        let chain = class.and_then(|class| self.chain(class, moment));
        let new = chain.is_some_and(|chain| chain.iter().any(|one| !self.chosen.contains(one)));
        new || !self.pending.is_empty()
    }

    /// The chain that is followed from the present group after a failure of the class.
    fn chain(&self, class: FailureClass, moment: &Moment<'_>) -> Option<Chain> {
        let rejected = class == FailureClass::RequestRejected && self.rules.fallback_on_rejection;
        let kind = Treatment::of(class).fallback.or(rejected.then_some(ChainKind::Any))?;
        match &self.own {
            Some(own) => Some(Arc::clone(own)),
            None => (moment.chain)(kind),
        }
    }

    /// The first true cause.
    fn cause(&self) -> Option<Cause> {
        let failures = self.attempts.iter().enumerate().filter(|(_, (leg, _))| *leg == 0);
        let failures: Vec<_> =
            failures.filter_map(|(at, (_, class))| Some((at, (*class)?))).collect();
        cause::first(&failures, self.legs.first()?)
    }

    fn end(&mut self, cause: Cause) -> Step {
        self.end = Some(cause);
        Step::End(cause)
    }
}

/// Why nothing more may begin.
fn hindrance(
    rules: &JourneyRules,
    deadline: Option<Ticks>,
    attempts: usize,
    now: Ticks,
) -> Option<PassedOver> {
    if attempts >= rules.attempts_max as usize {
        return Some(PassedOver::OutOfAttempts);
    }
    let least = if attempts == 0 { Duration::ZERO } else { rules.attempt_min };
    let late = deadline.is_some_and(|end| now >= end || now.plus(least) > end);
    late.then_some(PassedOver::OutOfTime)
}

/// Most attempts of a call when nobody says.
pub const CALL_ATTEMPTS_MAX: u32 = 16;
/// Most model groups after the first when nobody says (runtime-semantics §8.2).
pub const FALLBACKS_MAX: u32 = 5;
/// The least time that an attempt after the first needs when nobody says.
pub const ATTEMPT_MIN: Duration = Duration::from_millis(250);
/// Most waits of a call.
pub const WAITS_MAX: u32 = 64;
/// The longest time that a call waits in all (errors.md §2).
pub const WAITED_MAX: Duration = Duration::from_secs(60);

#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;
