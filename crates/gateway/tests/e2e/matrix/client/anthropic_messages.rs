//! A client of Anthropic's Messages (spec: `POST /v1/messages`).

use serde_json::{Value, json};

use super::{Broken, Client, Seen};
use crate::matrix::check::{Verdict, at, count, holds, json, list, same, says};
use crate::matrix::scene::{OUTPUT_MAX, SYSTEM, Scene, Tool, Usage};
use crate::matrix::sse::Event;

/// The format.
pub(super) struct AnthropicMessages;

impl Client for AnthropicMessages {
    fn name(&self) -> &'static str {
        "anthropic_messages"
    }

    fn key(&self) -> (&'static str, &'static str) {
        ("x-api-key", "")
    }

    fn path(&self, _model: &str, _stream: bool) -> String {
        "/v1/messages".to_owned()
    }

    fn request(&self, model: &str, scene: Scene, stream: bool) -> Value {
        let mut body = json!({
            "model": model,
            "max_tokens": OUTPUT_MAX,
            "system": SYSTEM,
            "messages": messages(scene),
            "stream": stream,
        });
        if !scene.tools().is_empty() {
            body["tools"] = scene.tools().iter().map(|tool| declaration(*tool)).collect();
        }
        if scene == Scene::Reasoning {
            body["thinking"] = json!({"type": "adaptive", "display": "summarized"});
            body["output_config"] = json!({"effort": "low"});
        }
        if let Some(schema) = scene.schema() {
            body["output_config"] = json!({"format": {"type": "json_schema", "schema": schema}});
        }
        body
    }

    fn finish(&self, scene: Scene) -> &'static str {
        if scene == Scene::Tools { "tool_use" } else { "end_turn" }
    }

    fn answer(&self, model: &str, body: &Value) -> Verdict<Seen> {
        head(model, body)?;
        let mut seen = Seen { usage: usage(&body["usage"]), ..Seen::default() };
        for block in list(body, "/content") {
            let text = |name: &str| block[name].as_str().unwrap_or_default();
            match text("type") {
                "text" => seen.text += text("text"),
                "thinking" => {
                    holds(block["signature"].is_string(), || format!("unsigned: {block}"))?;
                    seen.thought += text("thinking");
                }
                "tool_use" => {
                    holds(!text("id").is_empty(), || format!("no id in {block}"))?;
                    seen.calls.push((text("name").to_owned(), block["input"].clone()));
                }
                other => return Err(format!("a block of type `{other}`")),
            }
        }
        seen.finish = body["stop_reason"].as_str().unwrap_or_default().to_owned();
        Ok(seen)
    }

    fn stream(&self, model: &str, events: &[Event]) -> Verdict<Seen> {
        let mut gathered = Gathered::default();
        for event in events {
            gathered.take(model, event)?;
        }
        holds(gathered.stopped, || "no message_stop".into())?;
        gathered.seen.finish = gathered.finish.ok_or("no stop reason")?;
        Ok(gathered.seen)
    }

    fn broken(&self, events: &[Event]) -> Verdict<Broken> {
        let Some((last, before)) = events.split_last() else { return Err("no event".into()) };
        let mut broken = Broken::default();
        for event in before {
            let data = event.json()?;
            broken.text += at(&data, "/delta/text").as_str().unwrap_or_default();
            let name = event.name.as_deref().unwrap_or_default();
            let ends = ["message_delta", "message_stop", "error"].contains(&name);
            holds(!ends, || format!("it looks finished: {data}"))?;
        }
        let error = last.json()?;
        same("the last event", last.name.as_deref(), Some("error"))?;
        says(&error, "/type", "error")?;
        holds(error["error"]["type"].is_string(), || format!("no type in {error}"))?;
        broken.message = at(&error, "/error/message").as_str().unwrap_or_default().to_owned();
        Ok(broken)
    }
}

/// What the events so far have told.
#[derive(Default)]
struct Gathered {
    seen: Seen,
    begun: bool,
    /// The block that is open: its type, and for a call its name and what has come of its input.
    block: Option<(String, String, String)>,
    blocks: u64,
    finish: Option<String>,
    stopped: bool,
}

impl Gathered {
    fn take(&mut self, model: &str, event: &Event) -> Verdict {
        let data = event.json()?;
        let name = event.name.as_deref().unwrap_or_default();
        says(&data, "/type", name)?;
        holds(!self.stopped, || format!("`{name}` follows message_stop"))?;
        holds(name == "ping" || self.begun == (name != "message_start"), || {
            format!("`{name}` out of order")
        })?;
        match name {
            "ping" => Ok(()),
            "message_start" => {
                self.begun = true;
                same("content", list(&data, "/message/content").len(), 0)?;
                holds(data["message"]["usage"]["output_tokens"].is_u64(), || format!("{data}"))?;
                head(model, &data["message"])
            }
            "content_block_start" => self.open(&data),
            "content_block_delta" => self.more(&data),
            "content_block_stop" => self.close(&data),
            "message_delta" => {
                holds(self.block.is_none(), || "a block is open at the end".into())?;
                self.seen.usage = usage(&data["usage"]);
                self.finish = at(&data, "/delta/stop_reason").as_str().map(str::to_owned);
                Ok(())
            }
            "message_stop" => {
                self.stopped = true;
                holds(self.finish.is_some(), || "message_stop before message_delta".into())
            }
            other => Err(format!("an event of type `{other}`")),
        }
    }

    fn open(&mut self, data: &Value) -> Verdict {
        holds(self.block.is_none(), || format!("two blocks are open: {data}"))?;
        says(data, "/index", self.blocks)?;
        let block = &data["content_block"];
        let text = |name: &str| block[name].as_str().unwrap_or_default().to_owned();
        if text("type") == "tool_use" {
            holds(!text("id").is_empty(), || format!("no id in {data}"))?;
            says(block, "/input", json!({}))?;
        }
        self.block = Some((text("type"), text("name"), String::new()));
        Ok(())
    }

    fn more(&mut self, data: &Value) -> Verdict {
        says(data, "/index", self.blocks)?;
        let Some((kind, _, input)) = &mut self.block else {
            return Err(format!("no block is open: {data}"));
        };
        let text = |name: &str| at(data, &format!("/delta/{name}")).as_str().unwrap_or_default();
        match (kind.as_str(), text("type")) {
            ("text", "text_delta") => self.seen.text += text("text"),
            ("thinking", "thinking_delta") => self.seen.thought += text("thinking"),
            ("thinking", "signature_delta") => {}
            ("tool_use", "input_json_delta") => *input += text("partial_json"),
            (kind, delta) => return Err(format!("a `{delta}` in a block of type `{kind}`")),
        }
        Ok(())
    }

    fn close(&mut self, data: &Value) -> Verdict {
        says(data, "/index", self.blocks)?;
        let Some((kind, name, input)) = self.block.take() else {
            return Err(format!("no block is open: {data}"));
        };
        if kind == "tool_use" {
            self.seen.calls.push((name, json(&input)?));
        }
        self.blocks += 1;
        Ok(())
    }
}

fn head(model: &str, message: &Value) -> Verdict {
    says(message, "/type", "message")?;
    says(message, "/role", "assistant")?;
    says(message, "/model", model)?;
    let id = message["id"].as_str().unwrap_or_default();
    holds(id.starts_with("msg_"), || format!("the id `{id}`"))
}

fn messages(scene: Scene) -> Vec<Value> {
    let mut messages = vec![json!({"role": "user", "content": scene.question()})];
    if !scene.history().is_empty() {
        let calls = scene.history().iter().map(|tool| {
            let (id, name, input) = (tool.id, tool.name, tool.arguments());
            json!({"type": "tool_use", "id": id, "name": name, "input": input})
        });
        let results = scene.history().iter().map(|tool| {
            let content = tool.result().to_string();
            json!({"type": "tool_result", "tool_use_id": tool.id, "content": content})
        });
        let (calls, results): (Vec<Value>, Vec<Value>) = (calls.collect(), results.collect());
        messages.push(json!({"role": "assistant", "content": calls}));
        messages.push(json!({"role": "user", "content": results}));
    }
    messages
}

fn declaration(tool: Tool) -> Value {
    json!({"name": tool.name, "description": tool.about, "input_schema": tool.schema()})
}

/// Its input is what was neither read from the cache nor written to it.
fn usage(usage: &Value) -> Usage {
    let cached = count(usage, "/cache_read_input_tokens");
    let written = count(usage, "/cache_creation_input_tokens");
    Usage {
        input: count(usage, "/input_tokens") + cached + written,
        cached,
        output: count(usage, "/output_tokens"),
        reasoning: count(usage, "/output_tokens_details/thinking_tokens"),
    }
}
