//! The places of one flow, in the order in which they are served.

use std::collections::BTreeMap;

use tollgate_domain::Ticks;

use crate::fair::ask::Priority;
use crate::fair::round::{Places, Taken};

/// Names a place in the queue of one deployment; never used twice there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PlaceId(pub(super) u64);

/// Places by priority, and by arrival among equals.
#[derive(Debug, Default)]
pub(super) struct Line {
    places: BTreeMap<(Priority, PlaceId), Waiter>,
}

/// What a place costs and how long it lasts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Waiter {
    /// In tokens.
    pub(super) cost: u64,
    pub(super) expires_at: Ticks,
}

impl Line {
    pub(super) fn join(&mut self, place: (Priority, PlaceId), waiter: Waiter) {
        self.places.insert(place, waiter);
    }

    /// Whether the place was there.
    pub(super) fn leave(&mut self, place: &(Priority, PlaceId)) -> bool {
        self.places.remove(place).is_some()
    }
}

impl Places for Line {
    fn wait(&self) -> bool {
        !self.places.is_empty()
    }

    fn len(&self) -> usize {
        self.places.len()
    }

    fn flows(&self) -> usize {
        usize::from(self.wait())
    }

    fn take(&mut self) -> Option<Taken> {
        let ((_, place), waiter) = self.places.pop_first()?;
        Some(Taken { place, cost: waiter.cost })
    }

    fn expire(&mut self, now: Ticks, expired: &mut Vec<PlaceId>) -> Option<Ticks> {
        let mut earliest: Option<Ticks> = None;
        self.places.retain(|(_, place), waiter| {
            if waiter.expires_at <= now {
                expired.push(*place);
                return false;
            }
            earliest = Some(earliest.map_or(waiter.expires_at, |at| at.min(waiter.expires_at)));
            true
        });
        earliest
    }
}
