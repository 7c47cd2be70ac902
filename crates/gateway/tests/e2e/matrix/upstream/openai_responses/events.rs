//! The events of a Responses stream, numbered (spec: openai.md §6.2).

use serde_json::{Value, json};

use super::super::{Stream, named};
use super::{items, response, text_part, usage};
use crate::matrix::scene::Scene;

/// The whole stream of a scene.
pub(super) fn stream(scene: Scene) -> Stream {
    let mut events = Events::default();
    let begun = response(scene, "in_progress", &[], &Value::Null);
    events.push("response.created", json!({"response": begun}));
    events.push("response.in_progress", json!({"response": begun}));
    let whole = items(scene);
    for (index, item) in whole.iter().enumerate() {
        events.item(scene, index, item);
    }
    events.out.completes();
    let response = response(scene, "completed", &whole, &usage(scene));
    events.push("response.completed", json!({ "response": response }));
    events.out
}

/// Numbers the events.
#[derive(Default)]
struct Events {
    out: Stream,
}

impl Events {
    fn push(&mut self, kind: &str, mut data: Value) {
        data["type"] = json!(kind);
        data["sequence_number"] = json!(self.out.records.len());
        self.out.push(named(&data));
    }

    fn item(&mut self, scene: Scene, index: usize, item: &Value) {
        let mut added = item.clone();
        added["status"] = json!("in_progress");
        match item["type"].as_str() {
            Some("message") => added["content"] = json!([]),
            Some("reasoning") => added["summary"] = json!([]),
            _ => added["arguments"] = json!(""),
        }
        let place = json!({"output_index": index});
        self.push("response.output_item.added", with(&place, json!({ "item": added })));
        if item["type"] == "function_call" {
            self.out.seen();
        }
        let place = json!({"item_id": item["id"], "output_index": index});
        match item["type"].as_str() {
            Some("message") => self.text(scene, &place),
            Some("reasoning") => self.summary(scene, &place),
            _ => self.arguments(item, scene, &place),
        }
        let done = json!({"output_index": index, "item": item});
        self.push("response.output_item.done", done);
    }

    fn text(&mut self, scene: Scene, place: &Value) {
        let place = with(place, json!({"content_index": 0}));
        let part = |text: &str| with(&place, json!({"part": text_part(text)}));
        self.push("response.content_part.added", part(""));
        for piece in scene.said() {
            let delta = json!({"delta": piece, "logprobs": [], "obfuscation": "x9"});
            self.push("response.output_text.delta", with(&place, delta));
            self.out.seen();
        }
        let whole = scene.said().concat();
        let done = with(&place, json!({"text": whole, "logprobs": []}));
        self.push("response.output_text.done", done);
        self.push("response.content_part.done", part(&whole));
    }

    fn summary(&mut self, scene: Scene, place: &Value) {
        let place = with(place, json!({"summary_index": 0}));
        let part =
            |text: &str| with(&place, json!({"part": {"type": "summary_text", "text": text}}));
        self.push("response.reasoning_summary_part.added", part(""));
        for piece in scene.thought() {
            let delta = with(&place, json!({ "delta": piece }));
            self.push("response.reasoning_summary_text.delta", delta);
        }
        let whole = scene.thought().concat();
        let done = with(&place, json!({ "text": whole }));
        self.push("response.reasoning_summary_text.done", done);
        self.push("response.reasoning_summary_part.done", part(&whole));
    }

    fn arguments(&mut self, item: &Value, scene: Scene, place: &Value) {
        let called = scene.calls().iter().find(|tool| item["call_id"] == tool.id);
        for piece in called.into_iter().flat_map(|tool| tool.fragments()) {
            let delta = with(place, json!({ "delta": piece }));
            self.push("response.function_call_arguments.delta", delta);
        }
        let done = with(place, json!({"arguments": item["arguments"], "name": item["name"]}));
        self.push("response.function_call_arguments.done", done);
    }
}

/// The members of both objects.
fn with(place: &Value, more: Value) -> Value {
    let mut both = place.clone();
    if let Value::Object(more) = more {
        for (name, value) in more {
            both[name.as_str()] = value;
        }
    }
    both
}
