//! Queues on Tokio's clock, and calls that enter them.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::Instant;
use tollgate_config::FairQueueSettings;
use tollgate_domain::{Attribution, Clock, DeploymentId, KeyId, TeamId, Ticks, Timestamp};
use tollgate_faults::Refusal;

use crate::queue::{Asking, Door, Gauges, Queues, Slot, Standing};

/// Tokio's clock as ours, so that a test that pauses one pauses both.
struct TokioClock(Instant);

impl Clock for TokioClock {
    fn now(&self) -> Timestamp {
        Timestamp::EPOCH.plus(self.0.elapsed())
    }

    fn ticks(&self) -> Ticks {
        Ticks::from_nanos(u64::try_from(self.0.elapsed().as_nanos()).expect("a short test"))
    }
}

/// Queues, and deployments that all take so many calls at once.
pub(super) struct World {
    pub(super) queues: Queues,
    settings: FairQueueSettings,
    pub(super) limit: Mutex<Option<u32>>,
}

pub(super) const LONG: Duration = Duration::from_secs(600);

impl World {
    pub(super) fn new(limit: u32) -> Arc<Self> {
        Self::with(limit, FairQueueSettings::default())
    }

    pub(super) fn with(limit: u32, settings: FairQueueSettings) -> Arc<Self> {
        let queues = Queues::new(Arc::new(TokioClock(Instant::now())));
        Arc::new(Self { queues, settings, limit: Mutex::new(Some(limit)) })
    }

    /// A call of this key to the first of these deployments that takes it.
    pub(super) async fn call(
        &self,
        key: &str,
        deployments: &[&str],
        left: Duration,
    ) -> Result<(usize, Slot), Refusal> {
        let limit = *self.limit.lock().expect("no panic");
        let ids: Vec<DeploymentId> = deployments.iter().map(|id| deployment(id)).collect();
        let doors = ids.iter().map(|deployment| Door {
            deployment,
            calls_at_once_max: limit.and_then(std::num::NonZeroU32::new),
        });
        let asking = Asking {
            settings: &self.settings,
            who: &who(key),
            address: None,
            standing: Standing::default(),
            priority: None,
            tokens: 1000,
            left,
        };
        self.queues.enter(doors, &asking).await
    }

    pub(super) async fn enter(&self, key: &str) -> Result<Slot, Refusal> {
        self.call(key, &["d"], LONG).await.map(|(_, slot)| slot)
    }

    /// A call in a task of its own, which waits by the time this returns.
    pub(super) async fn waiting(
        self: &Arc<Self>,
        key: &'static str,
    ) -> JoinHandle<Result<Slot, Refusal>> {
        let (this, before) = (Arc::clone(self), self.gauges().depth);
        let task = tokio::spawn(async move { this.enter(key).await });
        while self.gauges().depth == before {
            tokio::task::yield_now().await;
        }
        task
    }

    pub(super) fn gauges(&self) -> Gauges {
        self.of("d").expect("it was called")
    }

    pub(super) fn of(&self, id: &str) -> Option<Gauges> {
        let all = self.queues.gauges();
        all.into_iter().find(|(of, _)| of.as_str() == id).map(|(_, gauges)| gauges)
    }

    /// Calls under way and calls that wait.
    pub(super) fn counts(&self) -> (u32, usize) {
        let Gauges { in_flight, depth, .. } = self.gauges();
        let id = deployment("d");
        let queue = self.queues.of(&Door { deployment: &id, calls_at_once_max: None });
        assert_eq!(queue.waiters(), depth, "nobody else is kept in mind");
        (in_flight, depth)
    }
}

pub(super) fn deployment(id: &str) -> DeploymentId {
    DeploymentId::new(id).expect("an id")
}

fn who(key: &str) -> Attribution {
    let team = Some(TeamId::new("t").expect("an id"));
    Attribution { team, ..Attribution::to_key(KeyId::new(key).expect("an id")) }
}

pub(super) fn told(refusal: &Refusal) -> (&'static str, u16, Option<u64>) {
    (refusal.reason.slug(), refusal.status(), refusal.retry_after_seconds())
}
