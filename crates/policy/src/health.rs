//! The health of one deployment, or of one credential: whether it may be called now.
//!
//! A [`Health`] is well until failures cool it. While it rests nobody calls it. When the rest ends
//! because the upstream's own wait is over, it is well again; otherwise one call goes ahead as a
//! probe and the others keep away until the probe has been answered.
//!
//! Whose failures count is decided by [`Treatment`]: a client's fault never does, and a rejected
//! credential cools the credential, so that every deployment that has it rests. The shell keeps one
//! `Health` for each, tells both how each attempt ended, and each takes what concerns it.

mod minute;

use std::time::Duration;

use tollgate_domain::{FailureClass, Ticks};

use crate::health::minute::Minute;
use crate::treatment::{Cooling, HealthOf, PerException, Treatment};

/// When failures cool, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HealthRules {
    /// Failures in a minute that do not cool yet, where the operator says: `allowed_fails`. LiteLLM
    /// takes its default, 3, for nothing said, also where somebody wrote it (runtime-semantics
    /// §7.6); then, and without it, shares of failures decide.
    pub allowed_fails: Option<u32>,
    /// The same by class, which goes before: `allowed_fails_policy`.
    pub allowed_fails_policy: PerException,
    /// How long a rest is when the upstream names no wait: `cooldown_time`; zero for no rest.
    pub cooldown: Duration,
    /// Whether anything cools at all: not `disable_cooldowns`.
    pub cools: bool,
}

impl Default for HealthRules {
    fn default() -> Self {
        let allowed_fails_policy = PerException::default();
        Self { allowed_fails: None, allowed_fails_policy, cooldown: COOLDOWN, cools: true }
    }
}

/// How an attempt ended, as far as health depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// An answer began.
    Answered,
    /// It failed.
    Failed {
        /// What kind of failure it was.
        class: FailureClass,
        /// The wait that the upstream asked for.
        wait: Option<Duration>,
    },
    /// Nobody knows: the call was dropped, or ended before anything came.
    Unknown,
}

/// The right to send one call, to be given back with [`Health::observe`] however the call ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "what may be a probe is waited for until it is observed"]
pub struct Pass {
    at: Ticks,
    probe: bool,
}

impl Pass {
    /// Whether the call finds out if the deployment is well again.
    #[must_use]
    pub const fn is_probe(self) -> bool {
        self.probe
    }
}

/// Whether a call may be sent, and why not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Readiness {
    /// It may.
    #[default]
    Ready,
    /// It may, as a probe.
    Probe,
    /// A probe is under way. There is nothing to know before it ends, or has taken too long.
    Probing {
        /// When another probe may go ahead, whatever became of this one.
        until: Ticks,
        /// What cooled it.
        class: FailureClass,
    },
    /// It rests.
    Cooling {
        /// When the rest ends.
        until: Ticks,
        /// What cooled it.
        class: FailureClass,
    },
}

impl Readiness {
    /// Whether a call may be sent.
    #[must_use]
    pub const fn may_take(self) -> bool {
        matches!(self, Self::Ready | Self::Probe)
    }

    /// When a call may be sent; nothing where it may be now.
    #[must_use]
    pub const fn frees_at(self) -> Option<Ticks> {
        match self {
            Self::Ready | Self::Probe => None,
            Self::Probing { until, .. } | Self::Cooling { until, .. } => Some(until),
        }
    }

    /// The worse of the two: a deployment is as ready as itself and its credential are.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self.frees_at(), other.frees_at()) {
            (None, None) => {
                let probe = self == Self::Probe || other == Self::Probe;
                if probe { Self::Probe } else { Self::Ready }
            }
            (Some(_), None) => self,
            (None, Some(_)) => other,
            (Some(one), Some(two)) => {
                if one >= two {
                    self
                } else {
                    other
                }
            }
        }
    }
}

/// What an observation changed, to be told once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It rests from now on, or longer than before.
    Cooled {
        /// Until when.
        until: Ticks,
        /// Why.
        class: FailureClass,
    },
    /// It is well again.
    Recovered,
}

/// The health of one deployment or credential.
#[derive(Debug, Clone, Copy)]
pub struct Health {
    of: HealthOf,
    minute: Minute,
    /// Until when the upstream itself asked not to be called.
    told: Option<(Ticks, FailureClass)>,
    rest: Option<Rest>,
    /// Rests in a row without an answer between them.
    rests: u32,
}

/// A rest that nobody measured: a probe finds out whether it is over.
#[derive(Debug, Clone, Copy)]
struct Rest {
    since: Ticks,
    until: Ticks,
    class: FailureClass,
    /// When the probe that is under way began.
    probe: Option<Ticks>,
    /// When the last probe went ahead, whatever became of it.
    probed_at: Option<Ticks>,
}

impl Health {
    /// One that is well.
    #[must_use]
    pub const fn new(of: HealthOf) -> Self {
        Self { of, minute: Minute::new(), told: None, rest: None, rests: 0 }
    }

    /// Whether a call may be sent at `now`. `alone` says that its group has no other deployment:
    /// then there is nothing better to do than to try, once a second, unless the upstream itself
    /// named a wait (seed-behaviour S10).
    #[must_use]
    pub fn readiness(&self, alone: bool, now: Ticks) -> Readiness {
        let told = self.told.filter(|(until, _)| now < *until);
        let told =
            told.map_or(Readiness::Ready, |(until, class)| Readiness::Cooling { until, class });
        told.and(self.rest.map_or(Readiness::Ready, |rest| rest.readiness(alone, now)))
    }

    /// Takes the right to send one call.
    ///
    /// # Errors
    /// Why no call may be sent: [`Readiness::Cooling`] or [`Readiness::Probing`].
    pub fn take(&mut self, alone: bool, now: Ticks) -> Result<Pass, Readiness> {
        match self.readiness(alone, now) {
            Readiness::Ready => Ok(Pass { at: now, probe: false }),
            Readiness::Probe => {
                if let Some(rest) = &mut self.rest {
                    rest.probe = Some(now);
                    rest.probed_at = Some(now);
                }
                Ok(Pass { at: now, probe: true })
            }
            waits => Err(waits),
        }
    }

    /// Takes note of how a call ended, and says what that changed.
    pub fn observe(
        &mut self,
        pass: Pass,
        ending: Ending,
        (rules, alone): (&HealthRules, bool),
        now: Ticks,
    ) -> Option<Change> {
        let ended_probe = pass.probe && self.rest.is_some_and(|rest| rest.probe == Some(pass.at));
        if let Some(rest) = self.rest.as_mut().filter(|_| ended_probe) {
            rest.probe = None;
        }
        match ending {
            Ending::Unknown => None,
            Ending::Answered => self.answered(ended_probe, now),
            Ending::Failed { class, .. } if Treatment::shows_service(class) => {
                self.answered(ended_probe, now)
            }
            Ending::Failed { class, wait } => {
                let cooling = self.concerns(class)?;
                self.minute.count(true, now);
                if !rules.cools {
                    return None;
                }
                self.failed((class, wait, cooling), ended_probe, (rules, alone), now)
            }
        }
    }

    fn answered(&mut self, ended_probe: bool, now: Ticks) -> Option<Change> {
        self.minute.count(false, now);
        ended_probe.then(|| self.recover()).flatten()
    }

    /// Forgets everything: the operator changed what may have been wrong.
    pub const fn forget(&mut self) {
        *self = Self::new(self.of);
    }

    /// What a failure of the class does, if it is about this one's health.
    fn concerns(&self, class: FailureClass) -> Option<Cooling> {
        let cooling = Treatment::of(class).cooling;
        let of = match cooling {
            Cooling::Nothing => return None,
            Cooling::AfterFails => HealthOf::Deployment,
            Cooling::AtOnce(of, _) => of,
        };
        (of == self.of).then_some(cooling)
    }

    fn failed(
        &mut self,
        (class, wait, cooling): (FailureClass, Option<Duration>, Cooling),
        was_probe: bool,
        (rules, alone): (&HealthRules, bool),
        now: Ticks,
    ) -> Option<Change> {
        let least = match cooling {
            Cooling::AtOnce(_, least) => least,
            Cooling::AfterFails | Cooling::Nothing => Duration::ZERO,
        };
        if let Some(wait) = wait.filter(|wait| !wait.is_zero()) {
            if least.is_zero() {
                return self.believe(class, wait, now);
            }
            // No account gets credits within the seconds that some upstreams name with each error.
            return self.cool(class, wait.max(least), now);
        }
        if rules.cooldown.is_zero() && least.is_zero() {
            return None;
        }
        if self.rest.is_some() && !was_probe {
            // It began before the rest did, and says nothing about its end.
            return None;
        }
        let cools = was_probe || self.passes_bounds(class, cooling, rules, alone);
        let length = self.length(rules.cooldown.max(least), least);
        cools.then(|| self.cool(class, length, now)).flatten()
    }

    /// Whether this failure, which is counted, is one too many (runtime-semantics §7.6).
    fn passes_bounds(
        &self,
        class: FailureClass,
        cooling: Cooling,
        rules: &HealthRules,
        alone: bool,
    ) -> bool {
        if let Some(allowed) = rules.allowed_fails_policy.of(class).or(rules.allowed_fails) {
            return self.minute.fails > allowed;
        }
        match cooling {
            Cooling::Nothing => false,
            // A rate frees by itself, and nobody else would take the calls meanwhile.
            Cooling::AtOnce(..) if class == FailureClass::RateLimited => !alone,
            Cooling::AtOnce(..) => true,
            Cooling::AfterFails => self.minute.is_failing(alone),
        }
    }

    /// A rest gets twice as long each time that it did not help.
    fn length(&self, first: Duration, least: Duration) -> Duration {
        let doubled = first.saturating_mul(1 << self.rests.min(DOUBLINGS_MAX));
        doubled.min(REST_MAX.max(first)).max(least)
    }

    /// Waits as long as the upstream asks. A longer wait than the present one extends it, a shorter
    /// one does not shorten it.
    fn believe(&mut self, class: FailureClass, wait: Duration, now: Ticks) -> Option<Change> {
        let until = now.plus(wait.min(COOLDOWN_MAX));
        if self.told.is_some_and(|(told, _)| told >= until) {
            return None;
        }
        self.told = Some((until, class));
        Some(Change::Cooled { until, class })
    }

    /// Rests for so long; the same holds of longer and shorter rests.
    fn cool(&mut self, class: FailureClass, length: Duration, now: Ticks) -> Option<Change> {
        let until = now.plus(length.min(COOLDOWN_MAX));
        if self.rest.is_some_and(|rest| rest.until >= until) {
            return None;
        }
        self.rests = self.rests.saturating_add(1);
        let probed_at = self.rest.and_then(|rest| rest.probed_at);
        self.rest = Some(Rest { since: now, until, class, probe: None, probed_at });
        self.minute = Minute::new();
        Some(Change::Cooled { until, class })
    }

    fn recover(&mut self) -> Option<Change> {
        self.rests = 0;
        self.minute = Minute::new();
        self.rest.take().map(|_| Change::Recovered)
    }
}

impl Rest {
    fn readiness(&self, alone: bool, now: Ticks) -> Readiness {
        let class = self.class;
        if let Some(began) = self.probe {
            let until = began.plus(if alone { PROBE_INTERVAL } else { PROBE_PATIENCE });
            let waits = now < until;
            return if waits { Readiness::Probing { until, class } } else { Readiness::Probe };
        }
        let until = if alone { self.alone_until() } else { self.until };
        if now < until { Readiness::Cooling { until, class } } else { Readiness::Probe }
    }

    /// When the only deployment of a group may be tried: a second after it was last.
    fn alone_until(&self) -> Ticks {
        let last = self.probed_at.map_or(self.since, |at| at.max(self.since));
        self.until.min(last.plus(PROBE_INTERVAL))
    }
}

/// How long a rest is where neither the operator nor the upstream says (runtime-semantics §7.6).
pub const COOLDOWN: Duration = Duration::from_secs(5);
/// The longest rest, whoever names it (seed-behaviour S10).
pub const COOLDOWN_MAX: Duration = Duration::from_secs(3600);
/// The longest rest that doubling leads to.
const REST_MAX: Duration = Duration::from_secs(60);
/// How often a rest doubles, so that the product stays in range.
const DOUBLINGS_MAX: u32 = 6;
/// How often the only deployment of a group is tried while it rests (seed-behaviour S10).
pub const PROBE_INTERVAL: Duration = Duration::from_secs(1);
/// How long a probe is waited for before another goes ahead: answers of models take their time.
pub const PROBE_PATIENCE: Duration = Duration::from_secs(10);

#[cfg(test)]
mod laws;
#[cfg(test)]
mod tests;
