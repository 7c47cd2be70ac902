//! Callers that go on while something fails around them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::Method;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};
use tollgate_testkit::http::Client;
use tollgate_testkit::patience::{eventually, until};

use super::LIMITED;
use crate::stage::CHAT;

/// How often each answer was given, by its status and the reason of a refusal. A call without an
/// answer has the status 0.
pub(super) type Tally = BTreeMap<(u16, String), u64>;

/// The pace of one caller.
const PACE: Duration = Duration::from_millis(4);

/// Callers at work.
pub(super) struct Load {
    seen: Arc<Mutex<Tally>>,
    ended: Arc<AtomicBool>,
    callers: Vec<JoinHandle<()>>,
}

impl Load {
    /// Starts one caller for each client, which makes one call after the other.
    pub(super) fn start(clients: impl IntoIterator<Item = Client>) -> Self {
        let (seen, ended) = (Arc::<Mutex<Tally>>::default(), Arc::<AtomicBool>::default());
        let callers = clients
            .into_iter()
            .map(|client| tokio::spawn(go_on(client, Arc::clone(&seen), Arc::clone(&ended))))
            .collect();
        Self { seen, ended, callers }
    }

    /// How often an answer was given so far.
    pub(super) fn count(&self, status: u16, reason: &str) -> u64 {
        locked(&self.seen).get(&(status, reason.to_owned())).copied().unwrap_or(0)
    }

    /// Waits until an answer was given this often.
    pub(super) async fn await_count(&self, count: u64, status: u16, reason: &str) {
        let what = format!("{count} answers of {status} {reason}");
        until(&what, || async { (self.count(status, reason) >= count).then_some(()) }).await;
    }

    /// Ends the callers once their last calls are answered.
    pub(super) async fn end(self) -> Tally {
        self.ended.store(true, Ordering::Relaxed);
        for caller in self.callers {
            eventually("the last call of each caller", caller).await.expect("no caller panics");
        }
        locked(&self.seen).clone()
    }
}

async fn go_on(client: Client, seen: Arc<Mutex<Tally>>, ended: Arc<AtomicBool>) {
    let mut pace = interval(PACE);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while !ended.load(Ordering::Relaxed) {
        pace.tick().await;
        let answer = client.try_whole(Method::POST, CHAT, LIMITED.into()).await;
        let answer = answer.map_or_else(|_| (0, String::new()), |answer| answer.refusal());
        *locked(&seen).entry(answer).or_default() += 1;
    }
}

fn locked(seen: &Mutex<Tally>) -> MutexGuard<'_, Tally> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}
