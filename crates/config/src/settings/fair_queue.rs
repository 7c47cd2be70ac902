//! `router_settings.fair_queue`: who waits before a busy deployment, how many and for how long.

use std::time::Duration;

use tollgate_policy::{FlowBy, PLACES_PER_FLOW_MAX};

use crate::schema::{KnownKeys, Reader, Section};
use crate::settings::choice;
use crate::yaml::Entry;

/// The fair queue that stands before every deployment whose concurrency is limited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FairQueueSettings {
    /// Whether calls wait at all. Without it, a call that finds no slot free is refused, and no
    /// limit is learned.
    pub enabled: bool,
    /// The most calls of one flow that wait before one deployment, from 1.
    pub places_per_flow_max: usize,
    /// The longest wait; a call's own deadline may end it before.
    pub wait_max: Duration,
    /// What tells the flows of a team apart: the first of these that a call has. Never empty.
    pub fairness_key: Vec<FlowBy>,
}

impl Default for FairQueueSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            places_per_flow_max: PLACES_PER_FLOW,
            wait_max: WAIT,
            fairness_key: FAIRNESS_KEY.to_vec(),
        }
    }
}

/// Reads the mapping; what is wrong in it keeps its default.
pub(super) fn read(reader: &mut Reader<'_>, entry: &Entry) -> FairQueueSettings {
    let mut queue = FairQueueSettings::default();
    let Some(mapping) = reader.mapping(entry) else { return queue };
    let mut section = Section::new("router_settings.fair_queue", mapping);
    if let Some(enabled) = section.take("enabled").and_then(|entry| reader.flag(entry)) {
        queue.enabled = enabled;
    }
    if let Some(entry) = section.take("max_queue_per_flow") {
        queue.places_per_flow_max = places(reader, entry).unwrap_or(PLACES_PER_FLOW);
    }
    if let Some(entry) = section.take("max_queue_wait") {
        queue.wait_max = wait(reader, entry).unwrap_or(WAIT);
    }
    if let Some(entry) = section.take("fairness_key") {
        queue.fairness_key = fairness_key(reader, entry).unwrap_or(queue.fairness_key);
    }
    section.finish(&KnownKeys::ENTRY, &mut reader.findings);
    queue
}

fn places(reader: &mut Reader<'_>, entry: &Entry) -> Option<usize> {
    let count = reader.count(entry, u64::try_from(PLACES_PER_FLOW_MAX).unwrap_or(u64::MAX))?;
    if count == 0 {
        let message = format!("`{}` is 0, so no call could wait", entry.name);
        reader.out_of_range(entry, message, "set `enabled: false` for that");
        return None;
    }
    usize::try_from(count).ok()
}

fn wait(reader: &mut Reader<'_>, entry: &Entry) -> Option<Duration> {
    let wait = reader.seconds(entry)?;
    if wait > WAIT_MAX {
        let message = format!("`{}` is above {} seconds", entry.name, WAIT_MAX.as_secs());
        reader.out_of_range(entry, message, "clients give up long before that");
        return None;
    }
    Some(wait)
}

fn fairness_key(reader: &mut Reader<'_>, entry: &Entry) -> Option<Vec<FlowBy>> {
    let findings = reader.findings.len();
    let names = reader.texts(entry);
    let keys: Vec<FlowBy> =
        names.iter().filter_map(|name| choice(reader, entry, name, &FlowBy::NAMED)).collect();
    if keys.is_empty() && reader.findings.len() == findings {
        let message = format!("`{}` is empty", entry.name);
        reader.out_of_range(entry, message, "leave it out for `[key, team]`");
    }
    (!keys.is_empty()).then_some(keys)
}

/// The calls of one flow that wait, where nothing else is set.
const PLACES_PER_FLOW: usize = 64;
/// The longest wait, where nothing else is set.
const WAIT: Duration = Duration::from_secs(30);
/// The longest wait that may be asked for: ten minutes, what a call may take altogether.
const WAIT_MAX: Duration = Duration::from_secs(600);
/// What tells flows apart, where nothing else is set.
const FAIRNESS_KEY: [FlowBy; 2] = [FlowBy::Key, FlowBy::Team];
