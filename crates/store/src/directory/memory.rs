//! What was read is remembered, up to a number, until it changes.

use std::hash::Hash;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use papaya::HashMap;
use tollgate_domain::Ticks;

/// How many entries are looked at to find an old one to evict.
const EVICTION_SAMPLE: usize = 16;

/// A bounded map over the database that never keeps what was read before a change.
pub(super) struct Memory<K, V> {
    capacity: usize,
    known: HashMap<K, Loaded<V>>,
    /// Counts changes. What was read before a change is not remembered after it.
    changes: AtomicU64,
    /// Held to remember and to forget, never to look up.
    remembering: Mutex<()>,
}

struct Loaded<V> {
    at: Ticks,
    value: V,
}

/// The state of a memory before something is read for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Before(u64);

impl<K: Clone + Eq + Hash, V: Clone> Memory<K, V> {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            capacity: capacity.max(1),
            known: HashMap::new(),
            changes: AtomicU64::new(0),
            remembering: Mutex::new(()),
        }
    }

    pub(super) fn get(&self, key: &K) -> Option<V> {
        self.known.pin().get(key).map(|loaded| loaded.value.clone())
    }

    /// What was remembered not longer than `lifetime` ago.
    pub(super) fn fresh(&self, key: &K, now: Ticks, lifetime: Duration) -> Option<V> {
        let known = self.known.pin();
        let loaded = known.get(key).filter(|loaded| now.since(loaded.at) < lifetime);
        loaded.map(|loaded| loaded.value.clone())
    }

    /// To be asked for before the database is.
    pub(super) fn before(&self) -> Before {
        Before(self.changes.load(Ordering::SeqCst))
    }

    /// Remembers what was read, unless something changed in the meantime: then it may be old. Gives
    /// whether it was remembered.
    pub(super) fn remember(&self, key: &K, value: V, now: Ticks, before: Before) -> bool {
        let _remembering = self.lock();
        if self.before() != before {
            return false;
        }
        self.make_room();
        self.known.pin().insert(key.clone(), Loaded { at: now, value });
        true
    }

    /// Forgets what changed. To be called after the change is written and before that is answered.
    pub(super) fn forget(&self, key: &K) {
        let _remembering = self.lock();
        self.changes.fetch_add(1, Ordering::SeqCst);
        self.known.pin().remove(key);
    }

    /// Forgets everything that a change may have touched.
    pub(super) fn forget_where(&self, touched: impl Fn(&V) -> bool) {
        let _remembering = self.lock();
        self.changes.fetch_add(1, Ordering::SeqCst);
        self.known.pin().retain(|_, loaded| !touched(&loaded.value));
    }

    pub(super) fn len(&self) -> usize {
        self.known.len()
    }

    fn lock(&self) -> MutexGuard<'_, ()> {
        self.remembering.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Evicts the oldest of a few entries when the map is full.
    fn make_room(&self) {
        if self.known.len() < self.capacity {
            return;
        }
        let known = self.known.pin();
        let sample = known.iter().take(EVICTION_SAMPLE);
        if let Some((key, _)) = sample.min_by_key(|(_, loaded)| loaded.at) {
            known.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Ticks = Ticks::from_nanos(0);

    #[test]
    fn a_flood_of_entries_takes_bounded_memory() {
        let memory = Memory::new(10);
        for number in 0..50u64 {
            let before = memory.before();
            assert!(memory.remember(&number, (), Ticks::from_nanos(number), before));
            assert!(memory.len() <= 10);
        }
        assert!(memory.get(&49).is_some(), "what was remembered last is not what goes");
    }

    #[test]
    fn what_was_read_before_a_change_is_not_remembered_after_it() {
        let memory = Memory::new(10);
        let before = memory.before();
        memory.forget(&"another");
        assert!(!memory.remember(&"key", 1, NOW, before));
        assert!(memory.remember(&"key", 2, NOW, memory.before()));
        memory.forget_where(|value| *value == 2);
        assert_eq!(memory.get(&"key"), None);
    }

    #[test]
    fn what_is_older_than_its_lifetime_is_not_fresh() {
        let memory = Memory::new(10);
        memory.remember(&"key", (), NOW, memory.before());
        let lifetime = Duration::from_nanos(5);
        assert!(memory.fresh(&"key", Ticks::from_nanos(4), lifetime).is_some());
        assert!(memory.fresh(&"key", Ticks::from_nanos(5), lifetime).is_none());
    }
}
