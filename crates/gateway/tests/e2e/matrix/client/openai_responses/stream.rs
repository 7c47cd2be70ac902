//! The order of the events of a Responses stream (spec: openai.md §6.2), followed strictly.

use serde_json::{Value, json};

use super::super::Seen;
use crate::matrix::check::{Verdict, at, holds, inner_json, same, says};
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
    Ok((reading.told, response))
}

#[derive(Default)]
struct Reading {
    told: Seen,
    /// The item that is open, as it was added, and the text of its part so far.
    item: Option<Value>,
    text: String,
    /// Whether a part of the open item is open.
    part: bool,
    items: u64,
    response: Option<Value>,
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
        match name {
            "response.output_item.added" => self.add(data),
            "response.output_item.done" => self.done(data),
            "response.completed" => {
                holds(self.item.is_none(), || "an item is open at the end".into())?;
                self.response = Some(data["response"].clone());
                Ok(())
            }
            _ => self.within(name, data),
        }
    }

    fn add(&mut self, data: &Value) -> Verdict {
        holds(self.item.is_none(), || format!("two items are open: {data}"))?;
        says(data, "/output_index", self.items)?;
        self.item = Some(data["item"].clone());
        self.text.clear();
        Ok(())
    }

    fn done(&mut self, data: &Value) -> Verdict {
        let Some(item) = self.item.take() else { return Err("no item is open".into()) };
        holds(!self.part, || "a part is open at the end of its item".into())?;
        says(data, "/output_index", self.items)?;
        says(data, "/item/id", item["id"].clone())?;
        says(data, "/item/type", item["type"].clone())?;
        if item["type"] == "function_call" {
            says(data, "/item/call_id", item["call_id"].clone())?;
            let name = item["name"].as_str().unwrap_or_default().to_owned();
            self.told.calls.push((name, inner_json(&json!(self.text))?));
        }
        self.items += 1;
        Ok(())
    }

    /// An event of the open item.
    fn within(&mut self, name: &str, data: &Value) -> Verdict {
        let Some(item) = &self.item else { return Err(format!("`{name}` outside of an item")) };
        says(data, "/item_id", item["id"].clone())?;
        says(data, "/output_index", self.items)?;
        let kind = item["type"].as_str().unwrap_or_default();
        match (kind, name.strip_prefix("response.").unwrap_or_default()) {
            ("message", "content_part.added") | ("reasoning", "reasoning_summary_part.added") => {
                holds(!self.part, || "two parts are open".into())?;
                self.part = true;
                self.text.clear();
            }
            ("message", "output_text.delta") => {
                says(data, "/content_index", 0)?;
                holds(self.part, || "text outside of a part".into())?;
                let delta = self.more(data);
                self.told.text += delta;
            }
            ("reasoning", "reasoning_summary_text.delta") => {
                says(data, "/summary_index", 0)?;
                holds(self.part, || "reasoning outside of a part".into())?;
                let delta = self.more(data);
                self.told.thought += delta;
            }
            ("function_call", "function_call_arguments.delta") => _ = self.more(data),
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
        Ok(())
    }

    fn more<'d>(&mut self, data: &'d Value) -> &'d str {
        let delta = at(data, "/delta").as_str().unwrap_or_default();
        self.text.push_str(delta);
        delta
    }
}
