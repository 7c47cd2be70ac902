//! Server-sent events as a client reads them.

use super::check::{Verdict, json};
use serde_json::Value;

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) name: Option<String>,
    pub(crate) data: String,
}

impl Event {
    /// Its data as JSON.
    pub(crate) fn json(&self) -> Verdict<Value> {
        json(&self.data)
    }
}

/// The whole events of a stream; comments are passed over, and so is what an unfinished event
/// begins with, as the standard has it.
pub(crate) fn events(stream: &[u8]) -> Verdict<Vec<Event>> {
    let text = std::str::from_utf8(stream).map_err(|error| format!("no text: {error}"))?;
    let text = text.replace("\r\n", "\n");
    let mut events = Vec::new();
    let (mut name, mut data) = (None, Vec::new());
    for line in text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')) {
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "" if line.is_empty() && !data.is_empty() => {
                events.push(Event { name: name.take(), data: data.join("\n") });
                data.clear();
            }
            "event" => name = Some(value.to_owned()),
            "data" => data.push(value.to_owned()),
            _ => {}
        }
    }
    Ok(events)
}
