//! What a node grants by itself while the store of the counters is away: its share of what was
//! left.
//!
//! What the cap left when the store went away is divided by the number of nodes seen last, rounded
//! down, so that all nodes together stay within it. A node that has not claimed of a counter for a
//! while knows an older state of it; what others spent since then is not in its share.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use papaya::HashMap;
use tollgate_policy::Counter;

use crate::meters::Meter;

/// One time without the store.
#[derive(Debug)]
pub(super) struct Outage {
    /// What this node granted since it began, by the names of the counters.
    slices: HashMap<Box<str>, Arc<Meter>>,
    nodes: u32,
    door: Mutex<Door>,
}

/// Held while a claim is taken alone, so that none is between two worlds when the store is back.
#[derive(Debug)]
pub(super) struct Door {
    /// Whether claims are taken alone.
    pub(super) open: bool,
    /// Whether one was, so that the counters in the store lack it.
    pub(super) used: bool,
}

impl Outage {
    pub(super) fn begin(nodes: u32) -> Self {
        let door = Mutex::new(Door { open: true, used: false });
        Self { slices: HashMap::new(), nodes, door }
    }

    pub(super) fn door(&self) -> MutexGuard<'_, Door> {
        self.door.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this node knows into how many shares a cap is divided: one that never saw the store
    /// does not.
    pub(super) const fn knows_nodes(&self) -> bool {
        self.nodes > 0
    }

    /// The meter of what this node granted by itself of another meter's limit.
    pub(super) fn slice(&self, meter: &Meter) -> Arc<Meter> {
        let slices = self.slices.pin();
        if let Some(slice) = slices.get(meter.name()) {
            return Arc::clone(slice);
        }
        Arc::clone(slices.get_or_insert(Box::from(meter.name()), Arc::new(meter.another())))
    }

    /// This node's share of a cap, of which the store has seen `known` used and held.
    pub(super) fn share(&self, cap: i64, known: &Counter) -> i64 {
        share(cap, known, self.nodes)
    }
}

fn share(cap: i64, known: &Counter, nodes: u32) -> i64 {
    let left = cap.saturating_sub(known.used.saturating_add(known.held));
    left.max(0) / i64::from(nodes.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shares_of_all_nodes_never_pass_what_is_left() {
        for (cap, used, held, nodes, share_of_one) in [
            (100, 0, 0, 2, 50),
            (100, 90, 0, 2, 5),
            (100, 90, 7, 2, 1),
            (100, 100, 0, 2, 0),
            (100, 90, 50, 3, 0),
            (1, 0, 0, 2, 0),
            (i64::MAX, 0, 0, 1, i64::MAX),
            (i64::MAX, i64::MAX, i64::MAX, 2, 0),
            (-5, 0, 0, 1, 0),
            (7, 0, 0, 0, 7),
        ] {
            let known = Counter { start: 0, used, held };
            assert_eq!(share(cap, &known, nodes), share_of_one, "{cap} {used} {held} {nodes}");
        }
    }
}
