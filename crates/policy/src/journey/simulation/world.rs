//! One small world: its deployments, its rules and what happens in it.

use std::sync::Arc;
use std::time::Duration;

use tollgate_domain::Ticks;

use super::call::Call;
use super::checks::Tally;
use super::faults::{Dice, Faults, OWN_FAULTS};
use crate::fallback::{Chain, ChainKind, FallbackList, Fallbacks};
use crate::health::{Health, HealthRules, Pass, Readiness};
use crate::journey::{JourneyRules, Leg, Moment};
use crate::retry::{RetryBudget, RetryRules, RetryShare};
use crate::route::{Candidate, Contender, Needs, Strategy, plan_for};
use crate::treatment::{Exception, HealthOf, PerException};

/// A deployment.
pub(super) struct Member {
    pub(super) candidate: Candidate,
    credential: usize,
    health: Health,
    pub(super) budget: RetryBudget,
    pub(super) faults: Faults,
    pub(super) in_flight: u32,
    /// Until when its upstream asked not to be called.
    pub(super) told_until: Ticks,
    pub(super) calls: u64,
    pub(super) retries: u64,
}

/// A model group.
pub(super) struct Group {
    pub(super) name: Arc<str>,
    pub(super) members: Vec<Member>,
}

pub(super) struct World {
    pub(super) seed: u64,
    pub(super) dice: Dice,
    pub(super) now: Ticks,
    pub(super) start: Ticks,
    pub(super) groups: Vec<Group>,
    credentials: Vec<Health>,
    pub(super) rules: JourneyRules,
    pub(super) retries: RetryRules,
    pub(super) health_rules: HealthRules,
    pub(super) share: RetryShare,
    pub(super) fallbacks: Fallbacks,
    strategy: Strategy,
    calls: Vec<Option<Call>>,
    pub(super) tally: Tally,
}

impl World {
    pub(super) fn made_by(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let start = Ticks::from_nanos(1);
        let credentials = vec![Health::new(HealthOf::Credential); 1 + dice.below(3)];
        let names: Vec<String> = (0..1 + dice.below(4)).map(|at| format!("group-{at}")).collect();
        let groups =
            names.iter().map(|name| group(name, credentials.len(), &mut dice, start)).collect();
        let mut world = Self {
            seed,
            now: start,
            start,
            groups,
            credentials,
            rules: rules(&mut dice),
            retries: retries(&mut dice),
            health_rules: health_rules(&mut dice),
            share: RetryShare {
                per_mille: dice.one_of(&[0, 200]),
                per_second: dice.one_of(&[0, 1]),
            },
            fallbacks: fallbacks(&names, &mut dice),
            strategy: dice.one_of(&Strategy::ALL),
            calls: Vec::new(),
            tally: Tally::default(),
            dice,
        };
        for _ in 0..2 + world.dice.below(6) {
            let call = world.call();
            world.calls.push(Some(call));
        }
        world
    }

    fn call(&mut self) -> Call {
        let dice = &mut self.dice;
        let at = self.start.plus(dice.millis(8000));
        let within = if dice.percent(3) { 1 } else { 30_000 };
        let deadline = dice.percent(70).then(|| at.plus(dice.millis(within)));
        let own_fault = dice.percent(10).then(|| dice.one_of(&OWN_FAULTS));
        let own: Option<Chain> = dice
            .percent(10)
            .then(|| self.groups.iter().rev().map(|group| Arc::clone(&group.name)).collect());
        let group = dice.below(self.groups.len());
        Call::new(group, (at, deadline), own_fault, self.rules, own)
    }

    /// Lets everything happen, in the order of time.
    pub(super) fn run(&mut self) {
        loop {
            let open = self.calls.iter().enumerate();
            let open = open.filter_map(|(at, call)| Some((call.as_ref()?.at()?, at)));
            let Some((when, which)) = open.min() else { break };
            self.now = self.now.max(when);
            let Some(mut call) = self.calls[which].take() else { break };
            call.go_on(self);
            self.calls[which] = Some(call);
        }
    }

    /// What happened, once nothing is left under way.
    pub(super) fn tally(mut self) -> Tally {
        for call in self.calls.iter().flatten() {
            call.check_over(self.seed);
        }
        let seed = self.seed;
        let elapsed = self.now.since(self.start);
        for member in self.groups.iter_mut().flat_map(|group| &mut group.members) {
            assert_eq!(member.in_flight, 0, "seed {seed}: a slot was not given back");
            member.check_retries(self.share, elapsed, seed);
            let later = self.now.plus(Duration::from_secs(4000));
            assert!(
                member.health.readiness(false, later).may_take(),
                "seed {seed}: rests for ever"
            );
        }
        self.tally
    }

    /// Whether the member may be called: its own health and its credential's.
    pub(super) fn readiness(&self, group: usize, member: usize) -> Readiness {
        let alone = self.is_alone(group);
        let member = &self.groups[group].members[member];
        let own = member.health.readiness(alone, self.now);
        own.and(self.credentials[member.credential].readiness(alone, self.now))
    }

    pub(super) fn is_alone(&self, group: usize) -> bool {
        self.groups[group].members.len() == 1
    }

    /// Takes the right to call the member, of both.
    pub(super) fn take(&mut self, group: usize, member: usize) -> Result<[Pass; 2], Readiness> {
        let (alone, now) = (self.is_alone(group), self.now);
        let member = &mut self.groups[group].members[member];
        let own = member.health.take(alone, now)?;
        match self.credentials[member.credential].take(alone, now) {
            Ok(credential) => Ok([own, credential]),
            Err(why) => {
                let rules = (&self.health_rules, alone);
                member.health.observe(own, crate::health::Ending::Unknown, rules, now);
                Err(why)
            }
        }
    }

    /// Tells both how a call ended.
    pub(super) fn observe(
        &mut self,
        (group, member): (usize, usize),
        [own, credential]: [Pass; 2],
        ending: crate::health::Ending,
    ) {
        let (alone, now) = (self.is_alone(group), self.now);
        let rules = (&self.health_rules, alone);
        let member = &mut self.groups[group].members[member];
        let credentials = &mut self.credentials[member.credential];
        let changes = [
            member.health.observe(own, ending, rules, now),
            credentials.observe(credential, ending, rules, now),
        ];
        changes.into_iter().flatten().for_each(|change| self.tally.changed(change, ending));
    }

    /// A plan of the group for a call that goes there now.
    pub(super) fn leg(&mut self, group: usize) -> Leg {
        let contenders: Vec<Contender<'_>> = (0..self.groups[group].members.len())
            .map(|at| Contender {
                candidate: self.groups[group].members[at].candidate,
                readiness: self.readiness(group, at),
                ..Contender::default()
            })
            .collect();
        let dice = &mut self.dice;
        let preferred = dice.percent(20).then(|| dice.below(contenders.len()));
        let needs = Needs::default();
        let plan = plan_for(&contenders, &needs, self.strategy, preferred, &mut || dice.draw());
        Leg::new(Arc::clone(&self.groups[group].name), &contenders, plan, self.retries)
    }

    /// Hands over the state of the world at a group.
    pub(super) fn at<T>(&self, group: usize, ask: impl FnOnce(&Moment<'_>) -> T) -> T {
        let readiness = |member: usize| self.readiness(group, member);
        let may_retry = |member: usize| {
            self.groups[group].members[member].budget.may_retry(self.share, self.now)
        };
        let chain = |kind: ChainKind| self.chain(kind, group);
        let (readiness, may_retry, chain) = (&readiness, &may_retry, &chain);
        ask(&Moment { now: self.now, readiness, may_retry, chain })
    }

    pub(super) fn chain(&self, kind: ChainKind, group: usize) -> Option<Chain> {
        self.fallbacks.chain(kind, &[&self.groups[group].name]).cloned()
    }
}

impl Member {
    fn check_retries(&self, share: RetryShare, elapsed: Duration, seed: u64) {
        let most = 10_000
            + self.calls * u64::from(share.per_mille)
            + elapsed.as_millis() as u64 * u64::from(share.per_second);
        assert!(self.retries * 1000 <= most, "seed {seed}: retries multiply an outage");
    }
}

fn group(name: &str, credentials: usize, dice: &mut Dice, start: Ticks) -> Group {
    let member = |dice: &mut Dice| Member {
        candidate: Candidate {
            order: dice.one_of(&[0, 0, 1, 2]),
            weight: dice.one_of(&[None, Some(1), Some(9)]),
            available: dice.percent(95),
            ..Candidate::default()
        },
        credential: dice.below(credentials),
        health: Health::new(HealthOf::Deployment),
        budget: RetryBudget::default(),
        faults: Faults::drawn(dice, start),
        in_flight: 0,
        told_until: start,
        calls: 0,
        retries: 0,
    };
    Group { name: name.into(), members: (0..1 + dice.below(5)).map(|_| member(dice)).collect() }
}

fn rules(dice: &mut Dice) -> JourneyRules {
    JourneyRules {
        attempts_max: dice.one_of(&[1, 3, 8, 16]),
        fallbacks_max: dice.one_of(&[0, 1, 5]),
        failover: dice.percent(60),
        fallback_on_rejection: dice.percent(10),
        ..JourneyRules::default()
    }
}

fn retries(dice: &mut Dice) -> RetryRules {
    let policy = PerException::default();
    let named = policy.with(dice.one_of(&Exception::ALL), dice.one_of(&[0, 1, 3]));
    RetryRules {
        num_retries: dice.one_of(&[0, 1, 2, 4]),
        policy: if dice.percent(20) { named } else { policy },
        ..RetryRules::default()
    }
}

fn health_rules(dice: &mut Dice) -> HealthRules {
    HealthRules {
        allowed_fails: dice.one_of(&[None, Some(0), Some(1), Some(3)]),
        cooldown: Duration::from_secs(dice.one_of(&[0, 1, 5])),
        cools: dice.percent(90),
        ..HealthRules::default()
    }
}

/// Chains at random, loops among them: a journey has to end all the same.
fn fallbacks(names: &[String], dice: &mut Dice) -> Fallbacks {
    let mut entries = Vec::new();
    for group in names {
        for kind in [ChainKind::Any, ChainKind::ContextWindow, ChainKind::ContentPolicy] {
            let targets: Vec<&str> =
                names.iter().filter(|_| dice.percent(40)).map(String::as_str).collect();
            entries.push(FallbackList { kind, group, targets });
        }
    }
    Fallbacks::compile(&entries, &|name| Some(name.into())).0
}
