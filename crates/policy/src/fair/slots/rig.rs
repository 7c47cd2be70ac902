//! Slots and calls with names, for tests.

use std::collections::HashMap;

use tollgate_domain::{KeyId, TeamId};

use super::*;
use crate::fair::{Party, Weight};

/// Slots, what holds them, and a name for each call.
pub(super) struct Rig {
    pub(super) slots: Slots,
    pub(super) now: Ticks,
    pub(super) held: Vec<(String, Slot)>,
    pub(super) places: Vec<(String, Place)>,
    names: HashMap<PlaceId, String>,
}

pub(super) fn flow(team: &str, key: &str) -> Flow {
    Flow {
        tenant: Party::Team(TeamId::new(team).expect("an id")),
        party: Party::Key(KeyId::new(key).expect("an id")),
    }
}

pub(super) fn ask(team: &str, key: &str, cost: u64) -> Ask {
    Ask {
        flow: flow(team, key),
        tenant_weight: Weight::default(),
        flow_weight: Weight::default(),
        cost,
        priority: Priority::default(),
        patience: Duration::from_secs(30),
    }
}

pub(super) const fn queueing(places: usize) -> Queueing {
    Queueing { places_per_flow_max: places, wait_max: Duration::from_secs(30) }
}

impl Rig {
    pub(super) fn new(limit: u32, places: usize) -> Self {
        let concurrency = Concurrency::new(NonZeroU32::new(limit));
        Self {
            slots: Slots::new(queueing(places), concurrency),
            now: Ticks::from_nanos(0),
            held: Vec::new(),
            places: Vec::new(),
            names: HashMap::new(),
        }
    }

    /// What becomes of a call of this name.
    pub(super) fn call(&mut self, name: &str, ask: &Ask) -> &'static str {
        match self.slots.acquire(ask, self.now) {
            Acquired::Granted(slot) => {
                self.held.push((name.to_owned(), slot));
                "granted"
            }
            Acquired::Waiting(place) => {
                self.names.insert(place.id(), name.to_owned());
                self.places.push((name.to_owned(), place));
                "waits"
            }
            Acquired::Refused(QueueFull { full: Full::Flow, .. }) => "flow full",
            Acquired::Refused(QueueFull { full: Full::Deployment, .. }) => "deployment full",
        }
    }

    /// Ends the call that was granted first, and says who is next.
    pub(super) fn release(&mut self) -> Vec<String> {
        self.release_as(Ended::Served)
    }

    pub(super) fn release_as(&mut self, ended: Ended) -> Vec<String> {
        let (_, slot) = self.held.remove(0);
        let turn = self.slots.release(slot, ended, self.now);
        self.note(turn)
    }

    pub(super) fn note(&mut self, turn: Turn) -> Vec<String> {
        let granted = turn.granted.into_iter().map(|(place, slot)| {
            let name = self.names.remove(&place).expect("a place that waits");
            self.held.push((name.clone(), slot));
            name
        });
        granted.collect()
    }

    pub(super) fn next(&mut self, releases: usize) -> Vec<String> {
        (0..releases).flat_map(|_| self.release()).collect()
    }

    pub(super) fn place(&self, name: &str) -> &Place {
        &self.places.iter().find(|(of, _)| of == name).expect("it waited").1
    }

    pub(super) fn pass(&mut self, time: Duration) {
        self.now = self.now.plus(time);
    }
}
