//! Counters that many nodes share, where a Redis is configured.

use std::fmt::Write as _;
use std::sync::Arc;

use anyhow::Context as _;
use tokio::task::JoinHandle;
use tollgate_config::{Settings, StoreFailure};
use tollgate_domain::{Clock, Random};
use tollgate_store::{Db, Recovered, SharedCounters, SharedOptions, WhileAway};

/// What tells the counters of this database's gateways from others' on the same Redis.
const NAMESPACE: &str = "counters_namespace";

/// Shared counters and their task.
pub(crate) struct Sharing {
    pub(crate) counters: SharedCounters,
    task: JoinHandle<()>,
}

impl Sharing {
    /// Joins the nodes that share counters, where a Redis is configured. One that is away keeps
    /// nobody from starting: what its absence means is configured.
    ///
    /// # Errors
    /// When the Redis's URL is none or the database fails.
    pub(crate) async fn start(
        db: &Db,
        settings: &Settings,
        (sole, recovered): (bool, &Recovered),
        (clock, random): (&Arc<dyn Clock>, &dyn Random),
    ) -> anyhow::Result<Option<Self>> {
        let Some(url) = settings.redis_url.clone() else { return Ok(None) };
        let namespace = db.put_setting_once(NAMESPACE, &drawn(random)).await?;
        let calls = usize::try_from(settings.calls_in_flight_max)?;
        let options = SharedOptions {
            while_away: match settings.on_store_failure {
                StoreFailure::Closed => WhileAway::Refuse,
                StoreFailure::LocalSlice => WhileAway::Share,
            },
            sole,
            // No counter has seen what calls cost that a crash left open.
            renew: recovered.settled > 0 || recovered.replayed > 0,
            ..SharedOptions::new(url, &format!("tollgate-{namespace}"), &drawn(random), calls)
        };
        let (counters, task) = SharedCounters::start(options, Arc::clone(clock))
            .context("cannot use the Redis that is configured")?;
        let task = tokio::spawn(task.run());
        counters.settled_in().await;
        Ok(Some(Self { counters, task }))
    }

    /// Makes the nodes count anew from the ledger, after a program changed what it says of the
    /// past.
    /// Gives whether they do; where no Redis is configured, nobody else counts.
    ///
    /// # Errors
    /// As [`Sharing::start`].
    pub(crate) async fn renew(
        db: &Db,
        settings: &Settings,
        (clock, random): (&Arc<dyn Clock>, &dyn Random),
    ) -> anyhow::Result<bool> {
        let corrected = Recovered { settled: 1, ..Recovered::default() };
        let start = (false, &corrected);
        let Some(sharing) = Self::start(db, settings, start, (clock, random)).await? else {
            return Ok(true);
        };
        let renewed = sharing.counters.health().failing_since.is_none();
        sharing.end().await;
        Ok(renewed)
    }

    /// Settles what is left and ends. No call may be under way.
    pub(crate) async fn end(self) {
        self.counters.stop();
        if self.task.await.is_err() {
            tracing::error!("the task of the counters ended by a panic; its lease ends by itself");
        }
    }
}

/// An identity that nobody else has.
fn drawn(random: &dyn Random) -> String {
    let mut bytes = [0; 8];
    random.fill(&mut bytes);
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a text cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
