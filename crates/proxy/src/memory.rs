//! What models thought before they called tools, kept for a while: some providers refuse a
//! conversation without it, and some clients do not send it back.
//!
//! Kept in this process only, and found again by nobody but the key that it was answered to.
//! Nothing is noted for a model group none of whose deployments wants it back.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use tollgate_config::{Deployment, ReasoningMemory, Resolved, Settings};
use tollgate_domain::{Clock, KeyId, Timestamp};
use tollgate_wire::conversation::{Conversation, ReasoningBlock};
use tollgate_wire::translate::{Thought, TurnMark, lacks_past, recalled};

use crate::authenticate::Caller;
use crate::gate::Gate;

/// What an entry takes beside its text, in bytes.
const ENTRY_BYTES: usize = 256;

/// The thoughts of all keys.
pub(crate) struct Thoughts {
    clock: Arc<dyn Clock>,
    shelf: Mutex<Shelf>,
}

/// Entries, oldest first in `order`.
#[derive(Default)]
struct Shelf {
    entries: HashMap<Place, Entry>,
    order: VecDeque<(Place, u64)>,
    bytes: usize,
    placed: u64,
}

/// Whose thoughts, and of which turn.
type Place = (KeyId, TurnMark);

struct Entry {
    reasoning: Arc<[ReasoningBlock]>,
    bytes: usize,
    expires_at: Timestamp,
    /// Tells it from another that was in the same place before.
    number: u64,
}

/// What one call may remember: its own key's thoughts.
#[derive(Clone)]
pub(crate) struct Memory {
    thoughts: Arc<Thoughts>,
    owner: KeyId,
    limits: ReasoningMemory,
}

impl Memory {
    /// The memory of a call, where one of the deployments that may serve it wants thoughts back.
    pub(crate) fn of(
        gate: &Gate,
        settings: &Settings,
        caller: &Caller,
        resolved: &Resolved,
    ) -> Option<Self> {
        let limits = settings.reasoning_memory;
        let wanted = limits.bytes_max > 0 && resolved.deployments.iter().any(|one| wants(one));
        wanted.then(|| Self {
            thoughts: Arc::clone(gate.thoughts()),
            owner: caller.attribution().key.clone(),
            limits,
        })
    }

    /// Keeps what was thought in an answer to this call.
    pub(crate) fn keep(&self, thought: &Thought) {
        self.thoughts.keep(&self.owner, thought, self.limits);
    }

    /// The conversation with what is remembered of the turns that lack their reasoning, where the
    /// deployment would refuse it otherwise and anything is.
    pub(crate) fn recall(&self, c: &Conversation, deployment: &Deployment) -> Option<Conversation> {
        if !lacks_past(c, &deployment.provider.quirks) {
            return None;
        }
        recalled(c, &mut |turn| self.thoughts.find(&self.owner, *turn))
    }
}

/// Whether a deployment wants thoughts back.
pub(crate) fn wants(deployment: &Deployment) -> bool {
    deployment.provider.quirks.thinking.as_ref().is_some_and(|switch| switch.needs_past)
}

impl Thoughts {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, shelf: Mutex::default() }
    }

    fn keep(&self, owner: &KeyId, thought: &Thought, limits: ReasoningMemory) {
        if thought.bytes() + ENTRY_BYTES > limits.bytes_max {
            return;
        }
        let now = self.clock.now();
        let expires_at = now.plus(limits.age_max);
        let mut shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        shelf.put((owner.clone(), thought.turn), thought, expires_at);
        shelf.make_room(now, limits.bytes_max);
    }

    fn find(&self, owner: &KeyId, turn: TurnMark) -> Option<Arc<[ReasoningBlock]>> {
        let now = self.clock.now();
        let shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = shelf.entries.get(&(owner.clone(), turn))?;
        (entry.expires_at > now).then(|| Arc::clone(&entry.reasoning))
    }
}

impl Shelf {
    /// What is thought in the same turn again takes the place of what was.
    fn put(&mut self, place: Place, thought: &Thought, expires_at: Timestamp) {
        self.placed += 1;
        let (number, bytes) = (self.placed, thought.bytes() + ENTRY_BYTES);
        let reasoning = Arc::clone(&thought.reasoning);
        let entry = Entry { reasoning, bytes, expires_at, number };
        self.bytes += bytes;
        if let Some(before) = self.entries.insert(place.clone(), entry) {
            self.bytes -= before.bytes;
        }
        self.order.push_back((place, number));
    }

    /// Lets the oldest go until the rest fits and is young enough. A place in the order whose entry
    /// was replaced is let go as well once there are as many of them as entries.
    fn make_room(&mut self, now: Timestamp, bytes_max: usize) {
        while let Some((place, number)) = self.order.front() {
            let current = self.entries.get(place).filter(|entry| entry.number == *number);
            if current.is_some_and(|entry| entry.expires_at > now && self.bytes <= bytes_max) {
                break;
            }
            if let Some(entry) = current {
                self.bytes -= entry.bytes;
                self.entries.remove(place);
            }
            self.order.pop_front();
        }
        if self.order.len() > 2 * self.entries.len() {
            let entries = &self.entries;
            self.order.retain(|(place, number)| {
                entries.get(place).is_some_and(|entry| entry.number == *number)
            });
        }
    }
}

#[cfg(test)]
mod tests;
