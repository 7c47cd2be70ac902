//! The part of a journey that passes through one model group.

use std::sync::Arc;
use std::time::Duration;

use tollgate_domain::{FailureClass, Ticks};

use crate::journey::{AttemptFailure, Moment};
use crate::retry::{RetryRules, back_off};
use crate::route::{Contender, PassedOver, Plan};
use crate::treatment::Treatment;

/// One model group of a journey: its plan, and what became of it.
#[derive(Debug)]
pub struct Leg {
    group: Arc<str>,
    places: Vec<Place>,
    passed_over: Vec<(usize, PassedOver)>,
    retries: RetryRules,
    /// The highest tier that was tried, and the attempts in it.
    tier: u32,
    spent: u32,
    /// Attempts at deployments that were tried before.
    retried: u32,
    /// The last failure, and the number of retries of the deployment it was at.
    last: Option<(FailureClass, Option<u32>)>,
}

/// A deployment of the plan.
#[derive(Debug)]
struct Place {
    deployment: usize,
    order: u32,
    num_retries: Option<u32>,
    tries: u32,
    /// What its last attempt failed of.
    class: Option<FailureClass>,
    /// The first time it may be tried again.
    ready_at: Option<Ticks>,
    /// Whether its upstream asked for that wait.
    asked: bool,
    /// How often it rested when it was to be taken.
    races: u32,
    /// Whether it takes no part any more.
    out: bool,
}

/// Who takes the call next.
pub(super) enum Choice {
    /// One that is ready.
    Dispatch { deployment: usize, retry: bool },
    /// Nobody before this time. `rests` says that an upstream asked for it, or that failures did,
    /// rather than a back-off alone.
    At { at: Ticks, rests: bool },
    /// Nobody any more.
    Nobody,
}

impl Leg {
    /// A group as planned. `contenders` are those that the plan was made of.
    #[must_use]
    pub fn new(
        group: Arc<str>,
        contenders: &[Contender<'_>],
        plan: Plan,
        retries: RetryRules,
    ) -> Self {
        let place = |deployment: &usize| {
            let contender = contenders.get(*deployment)?;
            Some(Place {
                deployment: *deployment,
                order: contender.candidate.order,
                num_retries: contender.num_retries,
                tries: 0,
                class: None,
                ready_at: None,
                asked: false,
                races: 0,
                out: false,
            })
        };
        let places = plan.order.iter().filter_map(place).collect();
        let Plan { passed_over, .. } = plan;
        Self { group, places, passed_over, retries, tier: 0, spent: 0, retried: 0, last: None }
    }

    pub(super) fn group(&self) -> Arc<str> {
        Arc::clone(&self.group)
    }

    pub(super) fn passed_over(&self) -> (&str, &[(usize, PassedOver)]) {
        (&self.group, &self.passed_over)
    }

    pub(super) const fn wait_max(&self) -> Duration {
        self.retries.wait_max
    }

    /// Those that were never tried and are ready, else the first that is ready to be tried again,
    /// else when somebody is.
    pub(super) fn choose(
        &self,
        failover: bool,
        moment: &Moment<'_>,
        doors: &mut Vec<usize>,
    ) -> Choice {
        doors.clear();
        let mut again: Option<&Place> = None;
        let mut soonest: Option<(Ticks, bool)> = None;
        for place in self.places.iter().filter(|place| self.allows(place, failover, moment)) {
            let rests_until = (moment.readiness)(place.deployment).frees_at();
            let held_until = place.ready_at.filter(|at| *at > moment.now);
            match rests_until.max(held_until) {
                None if place.tries == 0 => doors.push(place.deployment),
                None => again = again.filter(|one| one.tries <= place.tries).or(Some(place)),
                Some(at) => {
                    let rests = rests_until.is_some() || place.asked;
                    let first = soonest.is_none_or(|(other, _)| at < other);
                    soonest = if first { Some((at, rests)) } else { soonest };
                }
            }
        }
        let retry = doors.is_empty();
        doors.extend(again.filter(|_| retry).map(|place| place.deployment));
        match (doors.first(), soonest) {
            (Some(deployment), _) => Choice::Dispatch { deployment: *deployment, retry },
            (None, Some((at, rests))) => Choice::At { at, rests },
            (None, None) => Choice::Nobody,
        }
    }

    /// Whether the deployment may be tried after what failed so far, ready or not.
    fn allows(&self, place: &Place, failover: bool, moment: &Moment<'_>) -> bool {
        if place.out {
            return false;
        }
        let Some((class, num_retries)) = self.last else { return place.tries == 0 };
        let named = self.retries.policy.of(class).is_some_and(|retries| retries > 0);
        if !Treatment::of(class).elsewhere && !named {
            return false;
        }
        // Without failover each tier has its own number of attempts, and there is no way back down.
        let in_tier = |most: u32| place.order == self.tier && self.spent <= most;
        if let Some(own) = place.class {
            let most = self.retries.retries(own, place.num_retries);
            let left = if failover { self.retried < most } else { in_tier(most) };
            return left
                && self.retries.again(own, place.tries)
                && (moment.may_retry)(place.deployment);
        }
        let most = self.retries.retries(class, num_retries);
        failover || place.order > self.tier || in_tier(most)
    }

    pub(super) fn pass_over(&mut self, deployment: usize, why: PassedOver) {
        self.passed_over.retain(|(other, _)| *other != deployment);
        self.passed_over.push((deployment, why));
        let Some(place) = self.place(deployment) else { return };
        if let PassedOver::Cooling { until, .. } = why {
            place.ready_at = place.ready_at.max(Some(until));
            place.races += 1;
            place.out |= place.races >= RACES_MAX;
        } else {
            place.out = true;
        }
    }

    pub(super) fn dispatched(&mut self, deployment: usize) {
        let Some(place) = self.place(deployment) else { return };
        let (order, again) = (place.order, place.tries > 0);
        place.tries += 1;
        if order > self.tier {
            (self.tier, self.spent) = (order, 0);
        }
        self.spent += 1;
        self.retried += u32::from(again);
    }

    pub(super) fn failed(
        &mut self,
        deployment: usize,
        failure: &AttemptFailure,
        now: Ticks,
        draw: u64,
    ) {
        let least = self.retries.wait_min;
        let Some(place) = self.place(deployment) else { return };
        place.class = Some(failure.class);
        place.asked = failure.wait.is_some_and(|wait| !wait.is_zero());
        place.ready_at = Some(now.plus(back_off(place.tries, failure.wait, least, draw)));
        self.last = Some((failure.class, place.num_retries));
    }

    /// Notes for those that take no part any more why that is so: that they rest, else `why`.
    pub(super) fn leave(&mut self, why: PassedOver, moment: &Moment<'_>) {
        let Self { places, passed_over, .. } = self;
        for place in places.iter_mut().filter(|place| !place.out) {
            let resting = PassedOver::resting((moment.readiness)(place.deployment));
            // What it was planned with may be long past.
            passed_over.retain(|(deployment, why)| {
                *deployment != place.deployment || !matches!(why, PassedOver::Cooling { .. })
            });
            if resting.is_some() || place.tries == 0 {
                passed_over.push((place.deployment, resting.unwrap_or(why)));
            }
            place.out = true;
        }
    }

    /// The class whose fallback chain follows: that of the last failure, else of what came nearest.
    pub(super) fn class(&self) -> Option<FailureClass> {
        match self.last {
            Some((class, _)) => Some(class),
            None => self.nearest()?.class(),
        }
    }

    /// The same before the group is left.
    pub(super) fn class_at(&self, moment: &Moment<'_>) -> Option<FailureClass> {
        let resting = |place: &Place| PassedOver::resting((moment.readiness)(place.deployment));
        let resting = self.places.iter().filter(|place| !place.out).filter_map(resting).max();
        self.last.map(|(class, _)| class).or_else(|| resting.max(self.nearest())?.class())
    }

    /// The reason of the deployment that came nearest to serving the call.
    pub(super) fn nearest(&self) -> Option<PassedOver> {
        self.passed_over.iter().map(|(_, why)| *why).max()
    }

    /// What cools those that rested when the group was left, untried.
    pub(super) fn resting(&self) -> impl Iterator<Item = FailureClass> + Clone {
        let untried = self.places.iter().filter(|place| place.tries == 0);
        untried.filter_map(|place| Some(self.rest_of(place)?.0))
    }

    /// Whether more than one deployment could serve the call.
    pub(super) const fn has_others(&self) -> bool {
        self.places.len() > 1
    }

    /// Whether every deployment that could serve the call was tried or rested.
    pub(super) fn is_spent(&self) -> bool {
        self.places.iter().all(|place| place.tries > 0 || self.rest_of(place).is_some())
    }

    /// When the first of those that could serve the call can be tried again.
    pub(super) fn frees_at(&self) -> Option<Ticks> {
        let frees_at = |place: &Place| place.ready_at.max(self.rest_of(place).map(|rest| rest.1));
        self.places.iter().filter_map(frees_at).min()
    }

    /// What a deployment rested of when the group was left, and until when.
    fn rest_of(&self, place: &Place) -> Option<(FailureClass, Ticks)> {
        self.passed_over.iter().find_map(|(deployment, why)| match why {
            PassedOver::Cooling { class, until } if *deployment == place.deployment => {
                Some((*class, *until))
            }
            _ => None,
        })
    }

    fn place(&mut self, deployment: usize) -> Option<&mut Place> {
        self.places.iter_mut().find(|place| place.deployment == deployment)
    }
}

/// How often a deployment may rest at the moment when it was to be taken, before the call gives it
/// up.
const RACES_MAX: u32 = 8;
