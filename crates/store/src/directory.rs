//! The keys in memory: a known key costs no database, and a change binds the next request.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use papaya::HashMap;
use tollgate_domain::{Attribution, KeyHash, KeyId, Ticks};
use tollgate_policy::Grant;

use crate::{Db, KeyBudget, KeyRow, StoreError};

/// How long a key that does not exist is remembered as such.
pub const NEGATIVE_LIFETIME: Duration = Duration::from_secs(2);
/// How many keys that do not exist are remembered; a flood of wrong keys evicts only those.
pub const UNKNOWN_KEYS_MAX: usize = 10_000;
/// How many entries are looked at to find an old one to evict.
const EVICTION_SAMPLE: usize = 16;
/// How often a key is read again because it changed while it was read.
const LOAD_TRIES: usize = 3;

/// A key with all that its calls need.
#[derive(Debug)]
pub struct KeyRecord {
    /// The key as stored.
    pub row: KeyRow,
    /// Which models it may call.
    pub grant: Grant,
    /// Who its calls are charged to.
    pub attribution: Arc<Attribution>,
    /// Its money: the same budget for as long as the process lives, whatever changes about the key.
    pub budget: Arc<KeyBudget>,
}

/// What memory knows about a hash.
#[derive(Debug, Clone)]
pub enum Cached {
    /// The key.
    Known(Arc<KeyRecord>),
    /// There was no such key a moment ago.
    Unknown,
}

/// The keys in memory, over those in the database.
///
/// Records and hashes without a key are bounded. A budget stays once it is loaded, because money
/// may be held in it and entries of it may be under way to the database: one small value for every
/// existing key that was used since the start.
#[derive(Debug)]
pub struct KeyDirectory {
    db: Db,
    capacity: usize,
    known: HashMap<KeyHash, Loaded<Arc<KeyRecord>>>,
    unknown: HashMap<KeyHash, Loaded<()>>,
    budgets: HashMap<KeyId, Arc<KeyBudget>>,
    /// Counts changes. What was read before a change is not remembered after it.
    changes: AtomicU64,
    /// Held to remember and to forget, never to look up.
    remembering: Mutex<()>,
}

#[derive(Debug)]
struct Loaded<T> {
    at: Ticks,
    value: T,
}

impl KeyDirectory {
    /// An empty directory that remembers up to `capacity` keys.
    #[must_use]
    pub fn new(db: Db, capacity: usize) -> Self {
        Self {
            db,
            capacity: capacity.max(1),
            known: HashMap::new(),
            unknown: HashMap::new(),
            budgets: HashMap::new(),
            changes: AtomicU64::new(0),
            remembering: Mutex::new(()),
        }
    }

    /// What memory knows about a hash, or `None` when the database must be asked.
    #[must_use]
    pub fn cached(&self, hash: &KeyHash, now: Ticks) -> Option<Cached> {
        if let Some(loaded) = self.known.pin().get(hash) {
            return Some(Cached::Known(Arc::clone(&loaded.value)));
        }
        let unknown = self.unknown.pin();
        let fresh = |loaded: &Loaded<()>| now.since(loaded.at) < NEGATIVE_LIFETIME;
        unknown.get(hash).filter(|loaded| fresh(loaded)).map(|_| Cached::Unknown)
    }

    /// The key with this hash, from memory or from the database.
    ///
    /// # Errors
    /// [`StoreError`] when memory does not know the key and the database fails. Whether the key
    /// exists is not known then.
    pub async fn find(
        &self,
        hash: &KeyHash,
        now: Ticks,
    ) -> Result<Option<Arc<KeyRecord>>, StoreError> {
        match self.cached(hash, now) {
            Some(Cached::Known(record)) => Ok(Some(record)),
            Some(Cached::Unknown) => Ok(None),
            None => self.load(hash, now).await,
        }
    }

    /// Forgets what is known about a hash. To be called after the key was inserted, updated or
    /// deleted and before that is answered, so that the next request is decided by the new state.
    pub fn forget(&self, hash: &KeyHash) {
        let _remembering = self.remembering.lock().unwrap_or_else(PoisonError::into_inner);
        self.changes.fetch_add(1, Ordering::SeqCst);
        self.known.pin().remove(hash);
        self.unknown.pin().remove(hash);
    }

    /// How many keys are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether no key is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    async fn load(&self, hash: &KeyHash, now: Ticks) -> Result<Option<Arc<KeyRecord>>, StoreError> {
        let mut tries = 0;
        loop {
            let changes = self.changes.load(Ordering::SeqCst);
            let record = match self.db.find_key(hash).await? {
                Some(row) => Some(Arc::new(self.record(row).await?)),
                None => None,
            };
            tries += 1;
            if self.remember(hash, record.as_ref(), now, changes) || tries == LOAD_TRIES {
                return Ok(record);
            }
        }
    }

    async fn record(&self, row: KeyRow) -> Result<KeyRecord, StoreError> {
        let budget = self.budget(&row).await?;
        let attribution = Arc::new(row.attribution());
        Ok(KeyRecord { grant: Grant::read(&row.models), row, attribution, budget })
    }

    /// The key's one budget. When two requests load it at once, the first to finish gives it to
    /// both: no call of the key was admitted before.
    async fn budget(&self, row: &KeyRow) -> Result<Arc<KeyBudget>, StoreError> {
        if let Some(budget) = self.budgets.pin().get(&row.id) {
            return Ok(Arc::clone(budget));
        }
        let spent = self.db.spend_of_key(&row.id).await?;
        let budget = Arc::new(KeyBudget::new(row.max_budget, spent));
        Ok(Arc::clone(self.budgets.pin().get_or_insert(row.id.clone(), budget)))
    }

    /// Remembers what was read, unless a key changed since `changes` was: then it may be old.
    fn remember(
        &self,
        hash: &KeyHash,
        record: Option<&Arc<KeyRecord>>,
        now: Ticks,
        changes: u64,
    ) -> bool {
        let _remembering = self.remembering.lock().unwrap_or_else(PoisonError::into_inner);
        if self.changes.load(Ordering::SeqCst) != changes {
            return false;
        }
        match record {
            Some(record) => {
                record.budget.set_cap(record.row.max_budget);
                make_room(&self.known, self.capacity);
                self.known.pin().insert(*hash, Loaded { at: now, value: Arc::clone(record) });
            }
            None => {
                make_room(&self.unknown, UNKNOWN_KEYS_MAX);
                self.unknown.pin().insert(*hash, Loaded { at: now, value: () });
            }
        }
        true
    }
}

/// Evicts the oldest of a few entries when the map is full.
fn make_room<T>(map: &HashMap<KeyHash, Loaded<T>>, capacity: usize) {
    if map.len() < capacity {
        return;
    }
    let map = map.pin();
    let sample = map.iter().take(EVICTION_SAMPLE);
    if let Some((hash, _)) = sample.min_by_key(|(_, loaded)| loaded.at) {
        map.remove(hash);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_wrong_keys_takes_bounded_memory() {
        let map = HashMap::new();
        for number in 0..50u64 {
            make_room(&map, 10);
            let (hash, at) = (KeyHash::of(&number.to_string()), Ticks::from_nanos(number));
            map.pin().insert(hash, Loaded { at, value: () });
            assert!(map.len() <= 10);
        }
        let last = KeyHash::of("49");
        assert!(map.pin().contains_key(&last), "what was remembered last is not what goes");
    }
}
