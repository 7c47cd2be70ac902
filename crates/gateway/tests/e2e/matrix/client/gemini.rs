//! A client of Google's Gemini API (spec: `POST /v1beta/models/{model}:generateContent`).

use serde_json::{Value, json};

use super::{Broken, Client, Seen};
use crate::matrix::check::{Verdict, at, count, holds, list, same, says};
use crate::matrix::scene::{OUTPUT_MAX, SYSTEM, Scene, Tool, Usage};
use crate::matrix::sse::Event;

/// The format.
pub(super) struct Gemini;

impl Client for Gemini {
    fn name(&self) -> &'static str {
        "gemini"
    }

    fn key(&self) -> (&'static str, &'static str) {
        ("x-goog-api-key", "")
    }

    fn path(&self, model: &str, stream: bool) -> String {
        let operation = if stream { "streamGenerateContent?alt=sse" } else { "generateContent" };
        format!("/v1beta/models/{model}:{operation}")
    }

    fn request(&self, _model: &str, scene: Scene, _stream: bool) -> Value {
        let mut body = json!({
            "systemInstruction": {"parts": [{"text": SYSTEM}]},
            "contents": contents(scene),
            "generationConfig": {"maxOutputTokens": OUTPUT_MAX},
        });
        if !scene.tools().is_empty() {
            let declared: Vec<Value> =
                scene.tools().iter().map(|tool| declaration(*tool)).collect();
            body["tools"] = json!([{"functionDeclarations": declared}]);
        }
        if scene == Scene::Reasoning {
            let thinking = json!({"thinkingLevel": "low", "includeThoughts": true});
            body["generationConfig"]["thinkingConfig"] = thinking;
        }
        if let Some(schema) = scene.schema() {
            body["generationConfig"]["responseMimeType"] = json!("application/json");
            body["generationConfig"]["responseJsonSchema"] = schema;
        }
        body
    }

    fn finish(&self, _scene: Scene) -> &'static str {
        "STOP"
    }

    fn answer(&self, model: &str, body: &Value) -> Verdict<Seen> {
        let mut seen = Seen::default();
        take(model, body, &mut seen)?;
        seen.usage = usage(&body["usageMetadata"])?;
        Ok(seen)
    }

    /// The last chunk tells why the answer ended and what it consumed.
    fn stream(&self, model: &str, events: &[Event]) -> Verdict<Seen> {
        let Some((last, before)) = events.split_last() else { return Err("no event".into()) };
        let mut seen = Seen::default();
        for event in before {
            let chunk = event.json()?;
            take(model, &chunk, &mut seen)?;
            holds(seen.finish.is_empty(), || format!("finished before the end: {chunk}"))?;
        }
        let last = last.json()?;
        take(model, &last, &mut seen)?;
        holds(!seen.finish.is_empty(), || format!("no finish reason: {last}"))?;
        seen.usage = usage(&last["usageMetadata"])?;
        Ok(seen)
    }

    fn broken(&self, events: &[Event]) -> Verdict<Broken> {
        let Some((last, before)) = events.split_last() else { return Err("no event".into()) };
        let mut broken = Broken::default();
        for event in before {
            let chunk = event.json()?;
            for part in list(&chunk, "/candidates/0/content/parts") {
                broken.text += part["text"].as_str().unwrap_or_default();
            }
            let finish = at(&chunk, "/candidates/0/finishReason");
            holds(finish.is_null(), || format!("it looks finished: {chunk}"))?;
            holds(chunk["error"].is_null(), || format!("something follows {chunk}"))?;
        }
        let last = last.json()?;
        let error = &last["error"];
        let told = error["code"].is_u64() && error["status"].is_string();
        holds(told, || format!("no error at the end: {last}"))?;
        broken.message = error["message"].as_str().unwrap_or_default().to_owned();
        Ok(broken)
    }
}

/// Reads an answer or a chunk of one.
fn take(model: &str, body: &Value, seen: &mut Seen) -> Verdict {
    says(body, "/modelVersion", model)?;
    holds(body["responseId"].is_string(), || format!("no responseId in {body}"))?;
    same("candidates", list(body, "/candidates").len(), 1)?;
    let candidate = at(body, "/candidates/0");
    holds(candidate["index"].is_null() || candidate["index"] == 0, || format!("{candidate}"))?;
    says(candidate, "/content/role", "model")?;
    for part in list(candidate, "/content/parts") {
        let text = part["text"].as_str().unwrap_or_default();
        let call = &part["functionCall"];
        if call.is_object() {
            let name = call["name"].as_str().unwrap_or_default().to_owned();
            seen.calls.push((name, call["args"].clone()));
        } else if part["thought"] == true {
            seen.thought += text;
        } else {
            holds(part["text"].is_string(), || format!("the part {part}"))?;
            seen.text += text;
        }
    }
    if let Some(reason) = candidate["finishReason"].as_str() {
        seen.finish = reason.to_owned();
    }
    Ok(())
}

fn contents(scene: Scene) -> Vec<Value> {
    let mut contents = vec![json!({"role": "user", "parts": [{"text": scene.question()}]})];
    if !scene.history().is_empty() {
        let calls = scene.history().iter().map(|tool| {
            let (id, name, args) = (tool.id, tool.name, tool.arguments());
            json!({"functionCall": {"id": id, "name": name, "args": args}})
        });
        let results = scene.history().iter().map(|tool| {
            let (id, name, response) = (tool.id, tool.name, tool.result());
            json!({"functionResponse": {"id": id, "name": name, "response": response}})
        });
        let (calls, results): (Vec<Value>, Vec<Value>) = (calls.collect(), results.collect());
        contents.push(json!({"role": "model", "parts": calls}));
        contents.push(json!({"role": "user", "parts": results}));
    }
    contents
}

/// Its types are in capitals, as the API's own schemas have them.
fn declaration(tool: Tool) -> Value {
    let mut schema = tool.schema();
    schema["type"] = json!("OBJECT");
    for property in
        schema["properties"].as_object_mut().into_iter().flat_map(|all| all.values_mut())
    {
        property["type"] = json!("STRING");
    }
    json!({"name": tool.name, "description": tool.about, "parameters": schema})
}

/// Its candidates are what was neither prompt nor thought.
fn usage(usage: &Value) -> Verdict<Usage> {
    let reasoning = count(usage, "/thoughtsTokenCount");
    let input = count(usage, "/promptTokenCount");
    let output = count(usage, "/candidatesTokenCount") + reasoning;
    same("totalTokenCount", count(usage, "/totalTokenCount"), input + output)?;
    Ok(Usage { input, cached: count(usage, "/cachedContentTokenCount"), output, reasoning })
}
