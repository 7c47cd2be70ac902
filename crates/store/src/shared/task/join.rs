//! How a node takes its place in an epoch, with all that its calls hold.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use redis::RedisError;
use redis::aio::MultiplexedConnection;
use tollgate_policy::Held;

use super::super::scripts::{HeldOf, Joined, Joining, Place, Settled};
use super::{BATCH_MAX, GROWN_BEATS, Lost, SharedTask};
use crate::meters::Meter;

impl SharedTask {
    /// Takes the node's place in the present epoch, or in a new one, and makes known what its calls
    /// hold. Until that is done no claim is granted on this node.
    pub(super) async fn join(
        &mut self,
        connection: &mut MultiplexedConnection,
    ) -> Result<Place, Lost> {
        self.renew |= self.close_outage();
        let joined = self.say_hello(connection).await?;
        self.renew = false;
        // Nobody else was there, or everybody has known this node all along.
        let known = joined.kept || (self.epoch.is_none() && self.options.sole);
        self.beats_to_grow = if known { 0 } else { GROWN_BEATS };
        let place = Place { names: Arc::clone(&self.names), epoch: Arc::clone(&joined.epoch) };
        if self.epoch.as_ref() != Some(&joined.epoch) {
            // What has settled before is in the ledger, from which the new counters are seeded.
            self.receive();
            self.forget_pending();
            self.epoch = Some(Arc::clone(&joined.epoch));
        }
        self.give_back_unknown(&place, connection).await?;
        self.announce(&place, connection).await?;
        self.settle(&place, connection).await?;
        self.publish(&place, connection, joined.nodes);
        Ok(place)
    }

    pub(super) async fn say_hello(
        &self,
        connection: &mut MultiplexedConnection,
    ) -> Result<Joined, RedisError> {
        let first = self.epoch.is_none();
        let joining = Joining {
            lease: self.options.lease,
            rebuild: if first && self.options.sole { Duration::ZERO } else { self.options.rebuild },
            renew: self.renew,
        };
        self.names.join(connection, &joining).await
    }

    /// Gives back what Redis has of calls that this node knows nothing of: claims whose answer was
    /// lost on the way. None is under way while the node joins.
    async fn give_back_unknown(
        &mut self,
        place: &Place,
        connection: &mut MultiplexedConnection,
    ) -> Result<(), Lost> {
        let unknown = self.unknown(place, connection).await?;
        self.pending.extend(unknown.into_iter().map(given_back));
        Ok(())
    }

    /// The same for a claim that arrived after its node had joined through another connection. One
    /// that is merely under way is known by the next audit.
    pub(super) async fn audit(
        &mut self,
        place: &Place,
        connection: &mut MultiplexedConnection,
    ) -> Result<(), Lost> {
        let unknown = self.unknown(place, connection).await?;
        let stale = unknown.intersection(&self.suspects).copied();
        self.pending.extend(stale.map(given_back));
        self.suspects = unknown;
        self.settle(place, connection).await
    }

    async fn unknown(
        &self,
        place: &Place,
        connection: &mut MultiplexedConnection,
    ) -> Result<HashSet<u64>, RedisError> {
        let recorded = place.recorded(connection).await?;
        let pending: HashSet<u64> = self.pending.iter().map(|settled| settled.call).collect();
        let live = self.live.pin();
        let is_unknown = |call: &u64| !live.contains_key(call) && !pending.contains(call);
        Ok(recorded.into_iter().filter(is_unknown).collect())
    }

    async fn announce(
        &self,
        place: &Place,
        connection: &mut MultiplexedConnection,
    ) -> Result<(), Lost> {
        let calls: Vec<_> =
            self.live.pin().iter().map(|(call, held)| (*call, Arc::clone(held))).collect();
        for batch in calls.chunks(BATCH_MAX) {
            let told = batch.iter().map(|(call, held)| {
                let held = held.iter().map(|(meter, _, held)| held_of(meter, held));
                (*call, held.collect())
            });
            let told: Vec<(u64, Vec<HeldOf<'_>>)> = told.collect();
            if !place.announce(connection, &told).await? {
                return Err(Lost::Place);
            }
        }
        Ok(())
    }

    /// Takes in what has settled so far.
    fn receive(&mut self) {
        while let Ok(settled) = self.settled.try_recv() {
            self.pending.push(settled);
        }
    }

    pub(super) fn forget_pending(&mut self) {
        let live = self.live.pin();
        for settled in self.pending.drain(..) {
            live.remove(&settled.call);
        }
    }
}

const fn given_back(call: u64) -> Settled {
    Settled { call, used: Vec::new() }
}

fn held_of<'a>(meter: &'a Meter, held: &Held) -> HeldOf<'a> {
    (meter.name(), held.start, held.amount)
}
