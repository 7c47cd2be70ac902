//! What one call holds in Redis, from before it is claimed until it is settled.

use std::sync::Arc;

use papaya::HashMap;
use tokio::sync::mpsc::OwnedPermit;
use tollgate_policy::{Held, Measure, Used};

use super::scripts::Settled;
use crate::meters::Meter;

/// What a call holds of each counter, in the order of its claim.
pub(super) type HeldMeters = Arc<[(Arc<Meter>, Measure, Held)]>;

/// Every call of this node that holds something, to be told to Redis again when it forgot.
pub(super) type Live = Arc<HashMap<u64, HeldMeters>>;

/// A call's place in the queue of settlements. It is taken before the claim is sent, so that
/// settling neither waits nor fails, and what was claimed for somebody who did not wait for the
/// answer is given back.
#[derive(Debug)]
pub(crate) struct Hold {
    call: u64,
    held: HeldMeters,
    place: Option<OwnedPermit<Settled>>,
}

impl Hold {
    pub(super) fn new(call: u64, place: OwnedPermit<Settled>) -> Self {
        Self { call, held: Arc::from([]), place: Some(place) }
    }

    pub(super) const fn call(&self) -> u64 {
        self.call
    }

    /// The claim was granted: `live` knows it until it has settled.
    pub(super) fn granted(&mut self, held: HeldMeters, live: &Live) {
        live.pin().insert(self.call, Arc::clone(&held));
        self.held = held;
    }

    /// The claim was not granted, so there is nothing to give back.
    pub(super) fn refused(mut self) {
        self.place = None;
    }

    /// What is held of each meter.
    pub(crate) fn held(&self) -> &[(Arc<Meter>, Measure, Held)] {
        &self.held
    }

    /// Replaces what is held by what the call used.
    pub(crate) fn settle(mut self, used: &Used) {
        let amounts = self.held.iter().map(|(_, measure, _)| measure.used(used)).collect();
        self.end(amounts);
    }

    fn end(&mut self, used: Vec<i64>) {
        let Some(place) = self.place.take() else { return };
        for (at, (meter, _, held)) in self.held.iter().enumerate() {
            meter.settle(*held, used.get(at).copied().unwrap_or(0));
        }
        place.send(Settled { call: self.call, used });
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.end(Vec::new());
    }
}
