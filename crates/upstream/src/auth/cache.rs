//! Credentials that were fetched, each once for everybody, and renewed before they end.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared};
use tollgate_domain::{Clock, Identity, Ticks, Timestamp};

use super::errand::Courier;
use super::explain::{TokenFault, explain};
use super::grant::Grant;
use super::{Proof, aws, entra, google};

/// The credentials of every identity in use. Clones share them.
#[derive(Clone)]
pub struct Identities {
    courier: Courier,
    clock: Arc<dyn Clock>,
    slots: Arc<Mutex<HashMap<Arc<Identity>, Slot>>>,
}

#[derive(Default)]
struct Slot {
    held: Option<Held>,
    flight: Option<Flight>,
}

#[derive(Clone)]
struct Held {
    grant: Grant,
    fetched_at: Timestamp,
    fetched: Ticks,
}

/// A fetch under way, which goes on when nobody waits for it any more.
type Flight = Shared<BoxFuture<'static, Result<Proof, Arc<str>>>>;

impl Identities {
    pub(crate) fn new(courier: Courier, clock: Arc<dyn Clock>) -> Self {
        Self { courier, clock, slots: Arc::default() }
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    /// Lets go of a credential that an upstream refused with 401, so that the next call fetches
    /// another. `false` when that is no use, because it was fetched less than [`FRESH`] ago by both
    /// clocks (the monotonic one stands still while a machine sleeps): then the identity itself is
    /// refused.
    pub fn forget(&self, identity: &Identity) -> bool {
        let mut slots = self.slots();
        let Some(slot) = slots.get_mut(identity) else { return true };
        let (now, ticks) = (self.clock.now(), self.clock.ticks());
        match &slot.held {
            Some(held) if held.is_fresh(now, ticks) => false,
            Some(held) if held.grant.expires_at.is_none() => false,
            Some(_) | None => {
                slot.held = None;
                true
            }
        }
    }

    /// Why a resource of Entra's refused an answer with this status and body, by the token of the
    /// identity that was sent last; `None` for the identity means that a key was sent.
    #[must_use]
    pub fn explain(
        &self,
        identity: Option<&Identity>,
        (status, body): (u16, &str),
    ) -> Option<TokenFault> {
        let now = self.clock.now();
        let Some(identity) = identity else { return explain(None, status, body, now) };
        let held = self.slots().get(identity).and_then(|slot| slot.held.clone())?;
        let Proof::Bearer(token) = held.grant.proof else { return None };
        explain(Some(token.expose()), status, body, now)
    }

    /// A credential that is good now: the one at hand, or a new one. One whose life is 80 % over is
    /// renewed beside the call.
    ///
    /// # Errors
    /// Every link of the identity and why it has none.
    pub(crate) async fn proof(&self, identity: &Arc<Identity>) -> Result<Proof, Arc<str>> {
        let now = self.clock.now();
        let flight = {
            let mut slots = self.slots();
            if slots.len() >= IDENTITIES_MAX && !slots.contains_key(identity) {
                slots.retain(|_, slot| slot.flight.is_some());
            }
            let slot = slots.entry(Arc::clone(identity)).or_default();
            let usable = slot.held.as_ref().filter(|held| held.is_good(now));
            let usable = usable.map(|held| (held.grant.proof.clone(), held.is_due(now)));
            if let Some((proof, false)) = usable {
                return Ok(proof);
            }
            let flight = slot.flight.get_or_insert_with(|| self.fly(Arc::clone(identity))).clone();
            if let Some((proof, true)) = usable {
                return Ok(proof);
            }
            flight
        };
        flight.await
    }

    /// Starts a fetch. It needs the lock only at its end, in a task of its own.
    fn fly(&self, identity: Arc<Identity>) -> Flight {
        let this = self.clone();
        let task = tokio::spawn(async move {
            let now = this.clock.now();
            let fetching = fetch(&this.courier, &identity, now);
            let fetched = match tokio::time::timeout(FETCH_LIMIT, fetching).await {
                Ok(fetched) => fetched.map_err(Arc::from),
                Err(_) => Err(Arc::from(format!("no credential within {FETCH_LIMIT:?}"))),
            };
            let mut slots = this.slots();
            let slot = slots.entry(identity).or_default();
            slot.flight = None;
            let grant = fetched?;
            let proof = grant.proof.clone();
            slot.held = Some(Held { grant, fetched_at: now, fetched: this.clock.ticks() });
            Ok(proof)
        });
        let ended = task.map(|end| end.unwrap_or_else(|_| Err(Arc::from("the fetch was aborted"))));
        ended.boxed().shared()
    }

    fn slots(&self) -> MutexGuard<'_, HashMap<Arc<Identity>, Slot>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn is_good(&self, now: Timestamp) -> bool {
        self.grant.expires_at.is_none_or(|end| end.since(now) > MARGIN)
    }

    fn is_fresh(&self, now: Timestamp, ticks: Ticks) -> bool {
        now.since(self.fetched_at).max(ticks.since(self.fetched)) < FRESH
    }

    fn is_due(&self, now: Timestamp) -> bool {
        let Some(end) = self.grant.expires_at else { return false };
        now >= self.fetched_at.plus(end.since(self.fetched_at) / 5 * 4)
    }
}

async fn fetch(courier: &Courier, identity: &Identity, now: Timestamp) -> Result<Grant, String> {
    match identity {
        Identity::Aws(aws) => aws::fetch(courier, aws, now).await,
        Identity::Entra(entra) => entra::fetch(courier, entra, now).await,
        Identity::Google(google) => google::fetch(courier, google, now).await,
    }
}

impl fmt::Debug for Identities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identities").field("known", &self.slots().len()).finish_non_exhaustive()
    }
}

/// The most identities whose credentials are kept. One more and all are fetched anew.
pub const IDENTITIES_MAX: usize = 1_024;

/// A credential this young is not fetched again because an upstream refuses it.
const FRESH: Duration = Duration::from_secs(10);

/// A credential with less life than this is not used: a call must reach the upstream with it.
const MARGIN: Duration = Duration::from_secs(5);

/// How long all links of an identity together may take.
const FETCH_LIMIT: Duration = Duration::from_secs(60);
