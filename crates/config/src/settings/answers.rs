//! The settings that are about what models are given and what they answer.

use std::sync::Arc;
use std::time::Duration;

use super::{BYTES_PER_MB, MB_MAX, Settings, one_of, retention};
use crate::schema::{KnownKeys, Reader, Section};
use crate::yaml::Mapping;

/// How much of what models thought is kept in memory, for providers that want it back from clients
/// that do not send it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReasoningMemory {
    /// Most bytes of reasoning that are kept; 0 keeps none.
    pub bytes_max: usize,
    /// How long each is kept.
    pub age_max: Duration,
}

impl ReasoningMemory {
    /// What holds where the file says nothing.
    pub const DEFAULT: Self =
        Self { bytes_max: REASONING_MB * BYTES_PER_MB as usize, age_max: REASONING_AGE };
}

/// Whether and whence pictures and documents are fetched that clients name by their address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchMedia {
    /// Whether they are.
    pub enabled: bool,
    /// Hosts in lower case that are fetched from although they are not at public addresses.
    pub allowed_hosts: Arc<[Box<str>]>,
}

impl Default for FetchMedia {
    fn default() -> Self {
        Self { enabled: true, allowed_hosts: Arc::default() }
    }
}

/// Reads those of `general_settings`.
pub(super) fn read(reader: &mut Reader<'_>, general: &mut Section<'_>, settings: &mut Settings) {
    reasoning_memory(reader, general, &mut settings.reasoning_memory);
    fetch_media(reader, general, &mut settings.fetch_media);
}

fn fetch_media(reader: &mut Reader<'_>, general: &mut Section<'_>, fetch: &mut FetchMedia) {
    let mapping = general.take("fetch_media").and_then(|entry| reader.mapping(entry));
    let Some(mapping) = mapping else { return };
    let mut section = Section::new("general_settings.fetch_media", mapping);
    if let Some(enabled) = section.take("enabled").and_then(|entry| reader.flag(entry)) {
        fetch.enabled = enabled;
    }
    if let Some(entry) = section.take("allowed_hosts") {
        let hosts = reader.texts(entry).into_iter();
        fetch.allowed_hosts = hosts.map(|host| host.to_ascii_lowercase().into()).collect();
    }
    section.finish(&KnownKeys::ENTRY, &mut reader.findings);
}

/// What happens to an answer that is not the JSON that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StructureMiss {
    /// The call fails, and is charged.
    Refuse,
    /// It is handed on as it is.
    Passthrough,
}

/// Reads `general_settings.reasoning_memory`.
fn reasoning_memory(
    reader: &mut Reader<'_>,
    general: &mut Section<'_>,
    memory: &mut ReasoningMemory,
) {
    let mapping = general.take("reasoning_memory").and_then(|entry| reader.mapping(entry));
    let Some(mapping) = mapping else { return };
    let mut section = Section::new("general_settings.reasoning_memory", mapping);
    if let Some(entry) = section.take("max_size_mb") {
        let bytes = reader.count(entry, MB_MAX).map(|count| count * BYTES_PER_MB);
        let bytes = bytes.and_then(|bytes| usize::try_from(bytes).ok());
        memory.bytes_max = bytes.unwrap_or(memory.bytes_max);
    }
    if let Some(entry) = section.take("max_age") {
        memory.age_max = retention(reader, entry).unwrap_or(memory.age_max);
    }
    section.finish(&KnownKeys::ENTRY, &mut reader.findings);
}

/// Reads `litellm_settings.structured_output`.
pub(super) fn structured_output(
    reader: &mut Reader<'_>,
    mapping: &Mapping,
    miss: &mut StructureMiss,
) {
    let mut section = Section::new("litellm_settings.structured_output", mapping);
    if let Some(entry) = section.take("on_miss") {
        let choices =
            [("refuse", StructureMiss::Refuse), ("passthrough", StructureMiss::Passthrough)];
        *miss = one_of(reader, entry, &choices).unwrap_or(*miss);
    }
    section.finish(&KnownKeys::ENTRY, &mut reader.findings);
}

/// Reasoning of some thousand turns.
const REASONING_MB: usize = 64;
/// A working day, and the night after it.
const REASONING_AGE: Duration = Duration::from_secs(24 * 3600);
