//! What must hold in every world.

use tollgate_domain::{FailureClass, Ticks};

use super::call::{Call, Visit};
use super::world::World;
use crate::health::{Change, Ending};
use crate::journey::Cause;
use crate::treatment::{Cooling, Treatment};

/// What happened.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    answered: u64,
    failed: u64,
    attempts: u64,
    retries: u64,
    probes: u64,
    waits: u64,
    pub(super) fallbacks: u64,
    cooled: u64,
    recovered: u64,
    rate_limited: u64,
    nobody_able: u64,
    out_of_time: u64,
}

impl Tally {
    pub(super) const fn began(&mut self, retry: bool, probe: bool) {
        self.attempts += 1;
        self.retries += retry as u64;
        self.probes += probe as u64;
    }

    pub(super) fn changed(&mut self, change: Change, ending: Ending) {
        match change {
            Change::Recovered => self.recovered += 1,
            Change::Cooled { class, .. } => {
                self.cooled += 1;
                let failed = matches!(ending, Ending::Failed { class: of, .. } if of == class);
                assert!(failed, "only a failure cools");
                let nothing = Treatment::of(class).cooling == Cooling::Nothing;
                assert!(!nothing && !Treatment::is_of_the_call(class), "{class} cools nobody");
            }
        }
    }

    pub(super) fn add(&mut self, other: &Self) {
        for (sum, part) in self.figures().into_iter().zip(other.values()) {
            *sum += part;
        }
    }

    pub(super) fn check_variety(&self) {
        assert!(self.values().into_iter().all(|figure| figure > 100), "{self:?}");
    }

    fn figures(&mut self) -> [&mut u64; 12] {
        [
            &mut self.answered,
            &mut self.failed,
            &mut self.attempts,
            &mut self.retries,
            &mut self.probes,
            &mut self.waits,
            &mut self.fallbacks,
            &mut self.cooled,
            &mut self.recovered,
            &mut self.rate_limited,
            &mut self.nobody_able,
            &mut self.out_of_time,
        ]
    }

    const fn values(&self) -> [u64; 12] {
        [
            self.answered,
            self.failed,
            self.attempts,
            self.retries,
            self.probes,
            self.waits,
            self.fallbacks,
            self.cooled,
            self.recovered,
            self.rate_limited,
            self.nobody_able,
            self.out_of_time,
        ]
    }
}

impl World {
    /// A call is about to be sent: the deployment may be called, and the call may send.
    pub(super) fn check_door(&self, call: &Call, member: usize, retry: bool) {
        let (seed, now) = (self.seed, self.now);
        let visit = call.visits.last().expect("it entered a group");
        let at = &self.groups[visit.group].members[member];
        assert!(at.candidate.available, "seed {seed}: a blocked deployment");
        assert!(self.readiness(visit.group, member).may_take(), "seed {seed}: it rests");
        assert!(now >= at.told_until, "seed {seed}: its upstream asked not to be called");
        assert!(call.attempts < self.rules.attempts_max, "seed {seed}: too many attempts");
        assert!(call.deadline.is_none_or(|end| now < end), "seed {seed}: after the deadline");
        assert!(!call.sealed, "seed {seed}: after an end");
        assert!(!self.is_of_all(visit), "seed {seed}: what failed would fail here too");
        assert_eq!(visit.tried.contains(&member), retry, "seed {seed}: a retry is a second time");
        if !self.rules.failover {
            assert!(!self.tier_is_spent(visit, member), "seed {seed}: too many in its tier");
        }
        if retry {
            let left = self.has_untried(call, visit);
            assert!(!left, "seed {seed}: a retry before another deployment");
        }
    }

    pub(super) fn check_wait(&mut self, call: &Call, until: Ticks) {
        let seed = self.seed;
        self.tally.waits += 1;
        assert!(until > self.now, "seed {seed}: it waits for the past");
        assert!(until.since(self.now) <= self.retries.wait_max, "seed {seed}: too long a wait");
        assert!(call.deadline.is_none_or(|end| until < end), "seed {seed}: it waits for nothing");
        let visit = call.visits.last().expect("it entered a group");
        assert!(!self.has_untried(call, visit), "seed {seed}: it waits though one is ready");
    }

    /// A group is left: nobody there could have served the call.
    pub(super) fn check_left(&self, call: &Call) {
        let Some(visit) = call.visits.last() else { return };
        let left = self.has_untried(call, visit);
        assert!(!left, "seed {}: it leaves a group where one is ready", self.seed);
    }

    /// Whether the group has a deployment that is ready, was not tried, and is allowed.
    fn has_untried(&self, call: &Call, visit: &Visit) -> bool {
        if call.sealed || self.is_of_all(visit) {
            return false;
        }
        (0..self.groups[visit.group].members.len()).any(|member| {
            self.groups[visit.group].members[member].candidate.available
                && !visit.tried.contains(&member)
                && !visit.passed_over.contains(&member)
                && (self.rules.failover || !self.tier_is_spent(visit, member))
                && self.readiness(visit.group, member).may_take()
        })
    }

    /// Whether what failed last would fail everywhere in the group.
    fn is_of_all(&self, visit: &Visit) -> bool {
        let named = |class| self.retries.policy.of(class).is_some_and(|retries| retries > 0);
        visit.last.is_some_and(|class| !Treatment::of(class).elsewhere && !named(class))
    }

    /// Whether so many attempts were made in the member's tier that it may have no more.
    fn tier_is_spent(&self, visit: &Visit, member: usize) -> bool {
        let order = |member: usize| self.groups[visit.group].members[member].candidate.order;
        let tier = visit.tried.iter().map(|tried| order(*tried)).max().unwrap_or(0);
        let Some(last) = visit.last.filter(|_| order(member) <= tier) else { return false };
        if order(member) < tier {
            return true;
        }
        // From when the highest tier was entered.
        let since = visit.tried.iter().position(|tried| order(*tried) == tier).unwrap_or(0);
        let most = if visit.tried.contains(&member) {
            // By what it failed of itself, which is not known here.
            FailureClass::ALL.into_iter().map(|class| self.retries.retries(class, None)).max()
        } else {
            Some(self.retries.retries(last, None))
        };
        most.is_some_and(|most| visit.tried.len() - since > most as usize)
    }

    pub(super) fn check_end(&mut self, call: &Call, cause: Cause) {
        let (seed, now) = (self.seed, self.now);
        assert!(call.deadline.is_none_or(|end| now <= end), "seed {seed}: after the deadline");
        match cause {
            Cause::Answered(_) => self.tally.answered += 1,
            Cause::AllRateLimited { .. } => self.tally.rate_limited += 1,
            Cause::NobodyAble(_) | Cause::Empty => self.tally.nobody_able += 1,
            Cause::OutOfTime => self.tally.out_of_time += 1,
            Cause::Attempt(at) => {
                self.tally.failed += 1;
                assert!(at < call.attempts as usize, "seed {seed}: an attempt that was not made");
            }
        }
        let spent = call.attempts >= self.rules.attempts_max;
        let least = self.rules.attempt_min;
        let late = call.deadline.is_some_and(|end| now.plus(least) > end);
        if matches!(cause, Cause::Answered(_)) || call.sealed || spent || late {
            return;
        }
        self.check_left(call);
        self.check_chains(call);
    }

    /// Every group that a chain leads to was chosen, as far as fallbacks are allowed.
    fn check_chains(&self, call: &Call) {
        if call.chosen.len() > self.rules.fallbacks_max as usize {
            return;
        }
        for visit in &call.visits {
            let kind = visit.last.and_then(|class| Treatment::of(class).fallback);
            let chain = kind.and_then(|kind| self.chain(kind, visit.group));
            let chain = chain.filter(|_| call.own.is_none()).unwrap_or_default();
            for target in chain.iter() {
                let at = self.groups.iter().position(|group| group.name == *target);
                let chosen = at.is_some_and(|at| call.chosen.contains(&at));
                assert!(chosen, "seed {}: `{target}` was not tried", self.seed);
            }
        }
    }
}
