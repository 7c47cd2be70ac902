//! A client of OpenAI's Chat Completions (spec: `POST /chat/completions`).

use serde_json::{Value, json};

use super::{Broken, Client, Seen};
use crate::matrix::check::{Verdict, at, count, holds, inner_json, list, same, says};
use crate::matrix::scene::{OUTPUT_MAX, SCHEMA_NAME, SYSTEM, Scene, Tool, Usage};
use crate::matrix::sse::Event;

/// The format.
pub(super) struct OpenAiChat;

impl Client for OpenAiChat {
    fn name(&self) -> &'static str {
        "openai_chat"
    }

    fn path(&self, _model: &str, _stream: bool) -> String {
        "/v1/chat/completions".to_owned()
    }

    fn request(&self, model: &str, scene: Scene, stream: bool) -> Value {
        let mut body = json!({
            "model": model,
            "max_tokens": OUTPUT_MAX,
            "messages": messages(scene),
        });
        if stream {
            body["stream"] = json!(true);
            body["stream_options"] = json!({"include_usage": true});
        }
        if !scene.tools().is_empty() {
            body["tools"] = scene.tools().iter().map(|tool| declaration(*tool)).collect();
        }
        if scene == Scene::Reasoning {
            body["reasoning_effort"] = json!("low");
        }
        if let Some(schema) = scene.schema() {
            let schema = json!({"name": SCHEMA_NAME, "schema": schema, "strict": true});
            body["response_format"] = json!({"type": "json_schema", "json_schema": schema});
        }
        body
    }

    fn finish(&self, scene: Scene) -> &'static str {
        if scene == Scene::Tools { "tool_calls" } else { "stop" }
    }

    fn answer(&self, model: &str, body: &Value) -> Verdict<Seen> {
        says(body, "/object", "chat.completion")?;
        says(body, "/model", model)?;
        holds(body["id"].is_string() && body["created"].is_u64(), || format!("head of {body}"))?;
        same("choices", list(body, "/choices").len(), 1)?;
        says(body, "/choices/0/index", 0)?;
        says(body, "/choices/0/message/role", "assistant")?;
        let message = at(body, "/choices/0/message");
        let calls = list(message, "/tool_calls").iter().map(|call| {
            says(call, "/type", "function")?;
            holds(call["id"].as_str().is_some_and(|id| !id.is_empty()), || format!("id: {call}"))?;
            Ok((word(&call["function"]["name"]), inner_json(&call["function"]["arguments"])?))
        });
        Ok(Seen {
            text: word(&message["content"]),
            thought: word(&message["reasoning_content"]),
            calls: calls.collect::<Verdict<_>>()?,
            finish: word(at(body, "/choices/0/finish_reason")),
            usage: usage(&body["usage"])?,
        })
    }

    fn stream(&self, model: &str, events: &[Event]) -> Verdict<Seen> {
        let Some((done, chunks)) = events.split_last() else { return Err("no event".into()) };
        same("the last event", done.data.as_str(), "[DONE]")?;
        let mut seen = Gathered::default();
        for chunk in chunks {
            seen.take(model, &chunk.json()?)?;
        }
        seen.whole()
    }

    fn broken(&self, events: &[Event]) -> Verdict<Broken> {
        let Some((last, chunks)) = events.split_last() else { return Err("no event".into()) };
        let mut broken = Broken::default();
        for chunk in chunks {
            let chunk = chunk.json()?;
            broken.text += &word(at(&chunk, "/choices/0/delta/content"));
            let finish = at(&chunk, "/choices/0/finish_reason");
            holds(finish.is_null(), || format!("it looks finished: {chunk}"))?;
            holds(chunk["error"].is_null(), || format!("something follows the error {chunk}"))?;
        }
        let last = last.json()?;
        broken.message = word(at(&last, "/error/message"));
        holds(last["error"]["type"].is_string(), || format!("no error at the end: {last}"))?;
        Ok(broken)
    }
}

/// What the chunks so far have told.
#[derive(Default)]
struct Gathered {
    /// `id` and `created`, which all chunks share.
    head: Option<(Value, Value)>,
    text: String,
    thought: String,
    calls: Vec<(String, String)>,
    finish: Option<String>,
    usage: Option<Usage>,
}

impl Gathered {
    fn take(&mut self, model: &str, chunk: &Value) -> Verdict {
        says(chunk, "/object", "chat.completion.chunk")?;
        says(chunk, "/model", model)?;
        let head = (chunk["id"].clone(), chunk["created"].clone());
        holds(head.0.is_string() && head.1.is_u64(), || format!("head of {chunk}"))?;
        let first = self.head.is_none();
        same("the head of a chunk", &head, self.head.get_or_insert_with(|| head.clone()))?;
        holds(self.usage.is_none(), || format!("something follows the usage: {chunk}"))?;
        let Some(choice) = list(chunk, "/choices").first() else {
            self.usage = Some(usage(&chunk["usage"])?);
            return holds(self.finish.is_some(), || "usage before the finish".into());
        };
        holds(self.finish.is_none(), || format!("something follows the finish: {chunk}"))?;
        says(chunk, "/usage", Value::Null)?;
        says(choice, "/index", 0)?;
        let delta = &choice["delta"];
        if first {
            says(delta, "/role", "assistant")?;
        }
        self.text += &word(&delta["content"]);
        self.thought += &word(&delta["reasoning_content"]);
        for call in list(delta, "/tool_calls") {
            self.take_call(call)?;
        }
        self.finish = choice["finish_reason"].as_str().map(str::to_owned);
        Ok(())
    }

    /// Id, type and name come once, in the first fragment of an index.
    fn take_call(&mut self, call: &Value) -> Verdict {
        let index = usize::try_from(call["index"].as_u64().unwrap_or(u64::MAX)).unwrap_or_default();
        let name = at(call, "/function/name");
        if index == self.calls.len() {
            says(call, "/type", "function")?;
            holds(call["id"].as_str().is_some_and(|id| !id.is_empty()), || format!("id: {call}"))?;
            holds(name.is_string(), || format!("no name in {call}"))?;
            self.calls.push((word(name), String::new()));
        } else {
            holds(call["id"].is_null() && name.is_null(), || format!("named twice: {call}"))?;
        }
        let Some((_, arguments)) = self.calls.get_mut(index) else {
            return Err(format!("index out of order: {call}"));
        };
        *arguments += &word(at(call, "/function/arguments"));
        Ok(())
    }

    fn whole(self) -> Verdict<Seen> {
        let parsed = self
            .calls
            .into_iter()
            .map(|(name, arguments)| Ok((name, inner_json(&json!(arguments))?)));
        Ok(Seen {
            text: self.text,
            thought: self.thought,
            calls: parsed.collect::<Verdict<_>>()?,
            finish: self.finish.ok_or("no finish reason")?,
            usage: self.usage.ok_or("no usage although it was asked for")?,
        })
    }
}

fn messages(scene: Scene) -> Vec<Value> {
    let mut messages = vec![
        json!({"role": "system", "content": SYSTEM}),
        json!({"role": "user", "content": scene.question()}),
    ];
    if !scene.history().is_empty() {
        let calls: Vec<Value> = scene.history().iter().map(|tool| call(*tool)).collect();
        messages.push(json!({"role": "assistant", "content": null, "tool_calls": calls}));
    }
    for tool in scene.history() {
        let content = tool.result().to_string();
        messages.push(json!({"role": "tool", "tool_call_id": tool.id, "content": content}));
    }
    messages
}

fn call(tool: Tool) -> Value {
    let function = json!({"name": tool.name, "arguments": tool.arguments().to_string()});
    json!({"id": tool.id, "type": "function", "function": function})
}

fn declaration(tool: Tool) -> Value {
    let function = json!({
        "name": tool.name,
        "description": tool.about,
        "parameters": tool.schema(),
    });
    json!({"type": "function", "function": function})
}

fn usage(usage: &Value) -> Verdict<Usage> {
    let (input, output) = (count(usage, "/prompt_tokens"), count(usage, "/completion_tokens"));
    same("total_tokens", count(usage, "/total_tokens"), input + output)?;
    let cached = count(usage, "/prompt_tokens_details/cached_tokens");
    let reasoning = count(usage, "/completion_tokens_details/reasoning_tokens");
    Ok(Usage { input, cached, output, reasoning })
}

fn word(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
