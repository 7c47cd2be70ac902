//! What is known of one deployment, and a call that is sent to it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tollgate_domain::{Clock, DeploymentId, FailureClass, KeyHash, Ticks};
use tollgate_faults::Reason;
use tollgate_policy::{
    Change, Ending, Health, HealthOf, HealthRules, Latency, Load, Pass, Readiness, RetryBudget,
    RetryShare,
};

/// The span that requests and tokens are counted over.
const MINUTE: Duration = Duration::from_secs(60);

/// What is known of one deployment.
#[derive(Debug)]
pub(crate) struct Record {
    id: DeploymentId,
    credential: Option<KeyHash>,
    /// The health of its credential, which others may have as well.
    shared: Arc<Mutex<Health>>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    health: Health,
    retries: RetryBudget,
    latency: Latency,
    minute: Minute,
    /// Why the last call failed that said something about it.
    last: Option<Reason>,
}

/// What was sent in the present minute.
#[derive(Debug, Default)]
struct Minute {
    began: Option<Ticks>,
    requests: u64,
    tokens: u64,
}

/// A call that is sent: whatever becomes of it, its deployment hears of it once.
#[must_use = "a call that is dropped counts as one of which nobody knows how it ended"]
pub(crate) struct Sent {
    record: Arc<Record>,
    passes: Option<(Pass, Pass)>,
    rules: HealthRules,
    alone: bool,
    began: Ticks,
    clock: Arc<dyn Clock>,
}

impl Record {
    pub(super) fn new(
        id: DeploymentId,
        credential: Option<KeyHash>,
        shared: Arc<Mutex<Health>>,
    ) -> Self {
        let state = State {
            health: Health::new(HealthOf::Deployment),
            retries: RetryBudget::default(),
            latency: Latency::default(),
            minute: Minute::default(),
            last: None,
        };
        Self { id, credential, shared, state: Mutex::new(state) }
    }

    pub(super) const fn credential(&self) -> Option<KeyHash> {
        self.credential
    }

    pub(super) fn health_of_credential(&self) -> Arc<Mutex<Health>> {
        Arc::clone(&self.shared)
    }

    /// Whether it may be called now: its own health and its credential's. `alone` says that its
    /// group has no other.
    pub(crate) fn readiness(&self, alone: bool, now: Ticks) -> Readiness {
        let own = self.state().health.readiness(alone, now);
        own.and(locked(&self.shared).readiness(alone, now))
    }

    /// Whether it takes a retry.
    pub(crate) fn may_retry(&self, now: Ticks) -> bool {
        self.state().retries.may_retry(RetryShare::default(), now)
    }

    /// What goes on there, but for the calls in flight, which its queue knows.
    pub(crate) fn load(&self, now: Ticks) -> Load {
        let mut state = self.state();
        state.minute.turn(now);
        Load {
            in_flight: 0,
            requests: state.minute.requests,
            tokens: state.minute.tokens,
            latency_micros: state.latency.micros(now),
        }
    }

    /// Why the last call failed that said something about it.
    pub(crate) fn last_failure(&self) -> Option<Reason> {
        self.state().last
    }

    /// Sends one call of so many tokens, as a retry or not.
    ///
    /// # Errors
    /// Why none may be sent at this moment.
    pub(crate) fn send(
        self: &Arc<Self>,
        (rules, alone): (&HealthRules, bool),
        (retry, tokens): (bool, u64),
        clock: &Arc<dyn Clock>,
    ) -> Result<Sent, Readiness> {
        let now = clock.ticks();
        let mut state = self.state();
        let own = state.health.take(alone, now)?;
        let shared = locked(&self.shared).take(alone, now);
        let shared = match shared {
            Ok(pass) => pass,
            Err(waits) => {
                let _ = state.health.observe(own, Ending::Unknown, (rules, alone), now);
                return Err(waits);
            }
        };
        if retry {
            // Whether one is left was asked a moment ago; another call may have taken it since.
            let _ = state.retries.retry(RetryShare::default(), now);
        } else {
            state.retries.called(RetryShare::default(), now);
        }
        state.minute.turn(now);
        state.minute.requests += 1;
        state.minute.tokens = state.minute.tokens.saturating_add(tokens);
        drop(state);
        let (record, clock) = (Arc::clone(self), Arc::clone(clock));
        let passes = Some((own, shared));
        Ok(Sent { record, passes, rules: *rules, alone, began: now, clock })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        locked(&self.state)
    }
}

impl Minute {
    fn turn(&mut self, now: Ticks) {
        if self.began.is_none_or(|began| now.since(began) >= MINUTE) {
            *self = Self { began: Some(now), requests: 0, tokens: 0 };
        }
    }
}

impl Sent {
    /// An answer began.
    pub(crate) fn answered(mut self) {
        let now = self.clock.ticks();
        self.record.state().latency.observe(now.since(self.began), now);
        self.ended(Ending::Answered, None);
    }

    /// It failed.
    pub(crate) fn failed(mut self, reason: Reason, class: FailureClass, wait: Option<Duration>) {
        let now = self.clock.ticks();
        if class == FailureClass::TimedOut {
            self.record.state().latency.observe_silence(now.since(self.began), now);
        }
        self.ended(Ending::Failed { class, wait }, Some(reason));
    }

    fn ended(&mut self, ending: Ending, reason: Option<Reason>) {
        let Some((own, shared)) = self.passes.take() else { return };
        let now = self.clock.ticks();
        let rules = (&self.rules, self.alone);
        let mut state = self.record.state();
        let of_own = state.health.observe(own, ending, rules, now);
        let of_shared = locked(&self.record.shared).observe(shared, ending, rules, now);
        if of_own.or(of_shared).is_some_and(|change| matches!(change, Change::Cooled { .. })) {
            state.last = reason;
        }
        drop(state);
        for (change, what) in [(of_own, "deployment"), (of_shared, "credential")] {
            if let Some(change) = change {
                self.record.tell(change, what, now);
            }
        }
    }
}

impl Record {
    /// Tells the operator of a change, once.
    fn tell(&self, change: Change, what: &'static str, now: Ticks) {
        let deployment = &self.id;
        match change {
            Change::Cooled { until, class } => {
                let seconds = until.since(now).as_secs_f64();
                tracing::warn!(%deployment, what, %class, seconds, "it rests after failures");
            }
            Change::Recovered => tracing::info!(%deployment, what, "it is well again"),
        }
    }
}

impl Drop for Sent {
    fn drop(&mut self) {
        self.ended(Ending::Unknown, None);
    }
}

/// A panic cannot leave a health half changed: each step is whole.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
