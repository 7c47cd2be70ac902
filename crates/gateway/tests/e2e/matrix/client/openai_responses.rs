//! A client of OpenAI's Responses (spec: `POST /responses`).

mod stream;

use serde_json::{Value, json};

use super::{Broken, Client, Seen};
use crate::matrix::check::{Verdict, at, count, holds, inner_json, list, same, says};
use crate::matrix::scene::{OUTPUT_MAX, SCHEMA_NAME, SYSTEM, Scene, Tool, Usage};
use crate::matrix::sse::Event;

/// The format.
pub(super) struct OpenAiResponses;

impl Client for OpenAiResponses {
    fn name(&self) -> &'static str {
        "openai_responses"
    }

    fn path(&self, _model: &str, _stream: bool) -> String {
        "/v1/responses".to_owned()
    }

    fn request(&self, model: &str, scene: Scene, stream: bool) -> Value {
        let mut body = json!({
            "model": model,
            "max_output_tokens": OUTPUT_MAX,
            "instructions": SYSTEM,
            "input": input(scene),
            "store": false,
        });
        if stream {
            body["stream"] = json!(true);
        }
        if !scene.tools().is_empty() {
            body["tools"] = scene.tools().iter().map(|tool| declaration(*tool)).collect();
        }
        if scene == Scene::Reasoning {
            body["reasoning"] = json!({"effort": "low", "summary": "auto"});
        }
        if let Some(schema) = scene.schema() {
            let kind = "json_schema";
            let format =
                json!({"type": kind, "name": SCHEMA_NAME, "schema": schema, "strict": true});
            body["text"] = json!({"format": format});
        }
        body
    }

    fn finish(&self, _scene: Scene) -> &'static str {
        "completed"
    }

    fn answer(&self, model: &str, body: &Value) -> Verdict<Seen> {
        says(body, "/object", "response")?;
        says(body, "/model", model)?;
        holds(body["id"].as_str().is_some_and(|id| id.starts_with("resp_")), || {
            format!("the id {}", body["id"])
        })?;
        says(body, "/error", Value::Null)?;
        says(body, "/incomplete_details", Value::Null)?;
        let mut seen = Seen { usage: usage(&body["usage"])?, ..Seen::default() };
        for item in list(body, "/output") {
            take_item(item, &mut seen)?;
        }
        seen.finish = body["status"].as_str().unwrap_or_default().to_owned();
        Ok(seen)
    }

    /// What the events told piece by piece is what the response in the last one says.
    fn stream(&self, model: &str, events: &[Event]) -> Verdict<Seen> {
        let (told, response) = stream::whole(events)?;
        let seen = self.answer(model, &response)?;
        same("the text of the deltas", &told.text, &seen.text)?;
        same("the reasoning of the deltas", &told.thought, &seen.thought)?;
        same("the calls of the deltas", &told.calls, &seen.calls)?;
        Ok(seen)
    }

    /// The error stands in an event of its own, in the response of the last event, or in both.
    fn broken(&self, events: &[Event]) -> Verdict<Broken> {
        let ends = |event: &&Event| event.name.as_deref().is_some_and(|name| ENDS.contains(&name));
        let before: Vec<&Event> = events.iter().take_while(|event| !ends(event)).collect();
        let last: Vec<Option<&str>> =
            events.iter().skip(before.len()).map(|event| event.name.as_deref()).collect();
        let told = match last.as_slice() {
            [Some("error")] | [Some("error"), Some("response.failed")] => "",
            [Some("response.failed")] => "/response/error",
            other => return Err(format!("it ends with {other:?}")),
        };
        let mut broken = Broken::default();
        for event in &before {
            if event.name.as_deref() == Some("response.output_text.delta") {
                broken.text += event.json()?["delta"].as_str().unwrap_or_default();
            }
        }
        for event in events.iter().filter(|event| event.name.as_deref() == Some(FAILED)) {
            let data = event.json()?;
            says(&data, "/response/status", "failed")?;
            holds(at(&data, "/response/error/code").is_string(), || format!("no code: {data}"))?;
        }
        let data = events.get(before.len()).ok_or("no end")?.json()?;
        let error = at(&data, told);
        holds(error["code"].is_string(), || format!("no code in {error}"))?;
        broken.message = error["message"].as_str().unwrap_or_default().to_owned();
        Ok(broken)
    }
}

/// The event of a response that failed.
const FAILED: &str = "response.failed";
/// The events that end a stream.
const ENDS: [&str; 4] = ["response.completed", "response.incomplete", FAILED, "error"];

/// Reads an item of the output, which is complete.
fn take_item(item: &Value, seen: &mut Seen) -> Verdict {
    holds(item["id"].as_str().is_some_and(|id| !id.is_empty()), || format!("no id in {item}"))?;
    match item["type"].as_str().unwrap_or_default() {
        "message" => {
            says(item, "/role", "assistant")?;
            says(item, "/status", "completed")?;
            for part in list(item, "/content") {
                says(part, "/type", "output_text")?;
                holds(part["annotations"].is_array(), || format!("no annotations in {part}"))?;
                seen.text += part["text"].as_str().unwrap_or_default();
            }
        }
        "reasoning" => {
            for part in list(item, "/summary") {
                says(part, "/type", "summary_text")?;
                seen.thought += part["text"].as_str().unwrap_or_default();
            }
        }
        "function_call" => {
            says(item, "/status", "completed")?;
            let call = item["call_id"].as_str().unwrap_or_default();
            holds(!call.is_empty(), || format!("no call_id in {item}"))?;
            let name = item["name"].as_str().unwrap_or_default().to_owned();
            seen.calls.push((name, inner_json(&item["arguments"])?));
        }
        other => return Err(format!("an item of type `{other}`")),
    }
    Ok(())
}

fn input(scene: Scene) -> Vec<Value> {
    let content = json!([{"type": "input_text", "text": scene.question()}]);
    let question = json!({"type": "message", "role": "user", "content": content});
    let calls = scene.history().iter().map(|tool| {
        let (id, arguments) = (tool.id, tool.arguments().to_string());
        let kind = "function_call";
        json!({"type": kind, "call_id": id, "name": tool.name, "arguments": arguments})
    });
    let results = scene.history().iter().map(|tool| {
        let output = tool.result().to_string();
        json!({"type": "function_call_output", "call_id": tool.id, "output": output})
    });
    std::iter::once(question).chain(calls).chain(results).collect()
}

fn declaration(tool: Tool) -> Value {
    json!({
        "type": "function",
        "name": tool.name,
        "description": tool.about,
        "parameters": tool.schema(),
        "strict": false,
    })
}

fn usage(usage: &Value) -> Verdict<Usage> {
    let (input, output) = (count(usage, "/input_tokens"), count(usage, "/output_tokens"));
    same("total_tokens", count(usage, "/total_tokens"), input + output)?;
    let cached = count(usage, "/input_tokens_details/cached_tokens");
    let reasoning = count(usage, "/output_tokens_details/reasoning_tokens");
    Ok(Usage { input, cached, output, reasoning })
}
