//! The order of the events of a Responses stream (spec: openai.md §6.2), followed strictly. Items
//! may be open side by side: every event names the one it belongs to.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::Seen;
use crate::matrix::check::{Verdict, count, holds, inner_json, same, says};
use crate::matrix::sse::Event;

/// What the events told piece by piece, and the response in the last one.
pub(super) fn whole(events: &[Event]) -> Verdict<(Seen, Value)> {
    let mut reading = Reading::default();
    for (number, event) in events.iter().enumerate() {
        let data = event.json()?;
        let name = event.name.as_deref().unwrap_or_default();
        says(&data, "/type", name)?;
        says(&data, "/sequence_number", number)?;
        reading.take(number, name, &data).map_err(|why| format!("event {number}: {why}"))?;
    }
    let response = reading.response.ok_or("no response.completed")?;
    reading.told.calls = reading.calls.into_values().collect();
    Ok((reading.told, response))
}

#[derive(Default)]
struct Reading {
    told: Seen,
    /// The calls by the index of their items.
    calls: BTreeMap<u64, (String, Value)>,
    /// The items that are open, by their index.
    open: BTreeMap<u64, Item>,
    items: u64,
    response: Option<Value>,
}

/// An item that is open.
struct Item {
    /// As it was added.
    added: Value,
    /// What has come of its part, or of its arguments.
    text: String,
    /// Whether a part of it is open.
    part: bool,
}

impl Reading {
    fn take(&mut self, number: usize, name: &str, data: &Value) -> Verdict {
        holds(self.response.is_none(), || format!("`{name}` follows the end"))?;
        match (number, name) {
            (0, "response.created") | (1, "response.in_progress") => {
                return says(data, "/response/status", "in_progress");
            }
            (0 | 1, other) => return Err(format!("`{other}` out of order")),
            _ => {}
        }
        let index = count(data, "/output_index");
        match name {
            "response.output_item.added" => {
                says(data, "/output_index", self.items)?;
                self.items += 1;
                let added = data["item"].clone();
                self.open.insert(index, Item { added, text: String::new(), part: false });
                Ok(())
            }
            "response.output_item.done" => self.done(index, data),
            "response.completed" => {
                holds(self.open.is_empty(), || "an item is open at the end".into())?;
                self.response = Some(data["response"].clone());
                Ok(())
            }
            _ => {
                let item = self.open.get_mut(&index);
                let item = item.ok_or_else(|| format!("`{name}` outside of an item"))?;
                let told = item.take(name, data)?;
                match item.added["type"].as_str() {
                    Some("message") => self.told.text += told,
                    Some("reasoning") => self.told.thought += told,
                    _ => {}
                }
                Ok(())
            }
        }
    }

    fn done(&mut self, index: u64, data: &Value) -> Verdict {
        let Some(item) = self.open.remove(&index) else { return Err("no item is open".into()) };
        holds(!item.part, || "a part is open at the end of its item".into())?;
        says(data, "/item/id", item.added["id"].clone())?;
        says(data, "/item/type", item.added["type"].clone())?;
        if item.added["type"] == "function_call" {
            says(data, "/item/call_id", item.added["call_id"].clone())?;
            let name = item.added["name"].as_str().unwrap_or_default().to_owned();
            self.calls.insert(index, (name, inner_json(&json!(item.text))?));
        }
        Ok(())
    }
}

impl Item {
    /// An event of the item: what it tells.
    fn take<'d>(&mut self, name: &str, data: &'d Value) -> Verdict<&'d str> {
        says(data, "/item_id", self.added["id"].clone())?;
        let kind = self.added["type"].as_str().unwrap_or_default();
        let name = name.strip_prefix("response.").unwrap_or_default();
        match (kind, name) {
            ("message", "content_part.added") | ("reasoning", "reasoning_summary_part.added") => {
                holds(!self.part, || "two parts are open".into())?;
                self.part = true;
                self.text.clear();
            }
            ("message", "output_text.delta") => {
                says(data, "/content_index", 0)?;
                holds(self.part, || "text outside of a part".into())?;
                return Ok(self.more(data));
            }
            ("reasoning", "reasoning_summary_text.delta") => {
                says(data, "/summary_index", 0)?;
                holds(self.part, || "reasoning outside of a part".into())?;
                return Ok(self.more(data));
            }
            ("function_call", "function_call_arguments.delta") => return Ok(self.more(data)),
            ("message", "output_text.done") | ("reasoning", "reasoning_summary_text.done") => {
                says(data, "/text", self.text.as_str())?;
            }
            ("function_call", "function_call_arguments.done") => {
                says(data, "/arguments", self.text.as_str())?;
            }
            ("message", "content_part.done") | ("reasoning", "reasoning_summary_part.done") => {
                same("an open part", self.part, true)?;
                self.part = false;
                says(data, "/part/text", self.text.as_str())?;
            }
            (kind, other) => return Err(format!("`{other}` in an item of type `{kind}`")),
        }
        Ok("")
    }

    fn more<'d>(&mut self, data: &'d Value) -> &'d str {
        let delta = data["delta"].as_str().unwrap_or_default();
        self.text.push_str(delta);
        delta
    }
}
