//! A server of Google's Gemini API (spec: gemini.md §1–3): a model of the third generation, which
//! takes ids of calls and signs the first of them.

use bytes::Bytes;
use serde_json::{Value, json};

use super::{Stream, Upstream};
use crate::matrix::check::{Verdict, at, list, same, says, text_of};
use crate::matrix::scene::{OUTPUT_MAX, SYSTEM, Scene, Tool};

/// The format.
pub(super) struct Gemini;

const SIGNATURE: &str = "c2VhbGVk";

impl Upstream for Gemini {
    fn name(&self) -> &'static str {
        "gemini"
    }

    fn model(&self) -> &'static str {
        "gemini/gemini-3-pro"
    }

    fn path(&self, stream: bool) -> String {
        let operation = if stream { "streamGenerateContent?alt=sse" } else { "generateContent" };
        format!("/v1beta/models/gemini-3-pro:{operation}")
    }

    fn key(&self) -> (&'static str, &'static str) {
        ("x-goog-api-key", "")
    }

    fn received(&self, body: &Value, scene: Scene, _stream: bool) -> Verdict {
        says(body, "/generationConfig/maxOutputTokens", OUTPUT_MAX)?;
        same("system", text_of(at(body, "/systemInstruction/parts")).as_str(), SYSTEM)?;
        says(body, "/contents/0/role", "user")?;
        same("question", text_of(at(body, "/contents/0/parts")).as_str(), scene.question())?;
        received_history(body, scene)?;
        same("tools", list(body, "/tools").len(), usize::from(!scene.tools().is_empty()))?;
        let declared = list(body, "/tools/0/functionDeclarations");
        same("functions", declared.len(), scene.tools().len())?;
        for (sent, tool) in declared.iter().zip(scene.tools()) {
            says(sent, "/name", tool.name)?;
            says(sent, "/description", tool.about)?;
            // The API reads names in either case; one SDK writes this one in small letters.
            let names = ["parametersJsonSchema", "parameters_json_schema", "parameters"];
            let schema = names.into_iter().find_map(|name| sent.get(name));
            same("parameters", schema.map(in_small_letters), Some(tool.schema()))?;
        }
        if scene == Scene::Reasoning {
            says(body, "/generationConfig/thinkingConfig/thinkingLevel", "low")?;
            says(body, "/generationConfig/thinkingConfig/includeThoughts", true)?;
        }
        if let Some(schema) = scene.schema() {
            says(body, "/generationConfig/responseMimeType", "application/json")?;
            says(body, "/generationConfig/responseJsonSchema", schema)?;
        }
        Ok(())
    }

    fn answer(&self, scene: Scene) -> Value {
        let mut parts = Vec::new();
        if !scene.thought().is_empty() {
            parts.push(json!({"text": scene.thought().concat(), "thought": true}));
        }
        if !scene.said().is_empty() {
            parts.push(json!({"text": scene.said().concat()}));
        }
        parts.extend(calls(scene));
        chunk(scene, &parts, true)
    }

    /// The reason why it ended and the usage stand in the last chunk, beside its last part.
    fn stream(&self, scene: Scene) -> Stream {
        let mut out = Stream::default();
        for piece in scene.thought() {
            out.push(event(&chunk(scene, &[json!({"text": piece, "thought": true})], false)));
        }
        let texts = scene.said().iter().map(|piece| json!({"text": piece}));
        let parts: Vec<Value> = texts.chain(calls(scene)).collect();
        for (at, part) in parts.iter().enumerate() {
            let last = at + 1 == parts.len();
            if last {
                out.completes();
            }
            out.push(event(&chunk(scene, std::slice::from_ref(part), last)));
            out.seen();
        }
        out
    }

    fn failure(&self, message: &str) -> Bytes {
        let error = json!({"code": 503, "message": message, "status": "UNAVAILABLE"});
        event(&json!({ "error": error }))
    }
}

fn received_history(body: &Value, scene: Scene) -> Verdict {
    let turns = if scene.history().is_empty() { 1 } else { 3 };
    same("contents", list(body, "/contents").len(), turns)?;
    for (index, tool) in scene.history().iter().enumerate() {
        says(body, "/contents/1/role", "model")?;
        let call = at(body, &format!("/contents/1/parts/{index}/functionCall"));
        says(call, "/id", tool.id)?;
        says(call, "/name", tool.name)?;
        says(call, "/args", tool.arguments())?;
        says(body, "/contents/2/role", "user")?;
        let result = at(body, &format!("/contents/2/parts/{index}/functionResponse"));
        says(result, "/id", tool.id)?;
        says(result, "/name", tool.name)?;
        says(result, "/response", tool.result())?;
    }
    Ok(())
}

/// A schema whose types are written small, as JSON Schema has them.
fn in_small_letters(schema: &Value) -> Value {
    let mut schema = schema.clone();
    let kind = schema["type"].as_str().map(str::to_lowercase);
    if let Some(kind) = kind {
        schema["type"] = json!(kind);
    }
    let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
    for property in properties.into_iter().flat_map(|all| all.values_mut()) {
        *property = in_small_letters(property);
    }
    schema
}

/// Of calls side by side only the first is signed.
fn calls(scene: Scene) -> Vec<Value> {
    let call = |(index, tool): (usize, &Tool)| {
        let (id, name, args) = (tool.id, tool.name, tool.arguments());
        let mut part = json!({"functionCall": {"id": id, "name": name, "args": args}});
        if index == 0 {
            part["thoughtSignature"] = json!(SIGNATURE);
        }
        part
    };
    scene.calls().iter().enumerate().map(call).collect()
}

fn chunk(scene: Scene, parts: &[Value], last: bool) -> Value {
    let mut candidate = json!({"content": {"parts": parts, "role": "model"}, "index": 0});
    let usage = scene.usage();
    let mut told = json!({"promptTokenCount": usage.input, "totalTokenCount": usage.input});
    if last {
        candidate["finishReason"] = json!("STOP");
        told["candidatesTokenCount"] = json!(usage.output - usage.reasoning);
        told["totalTokenCount"] = json!(usage.input + usage.output);
        for (name, count) in
            [("cachedContentTokenCount", usage.cached), ("thoughtsTokenCount", usage.reasoning)]
        {
            if count > 0 {
                told[name] = json!(count);
            }
        }
    }
    json!({
        "candidates": [candidate], "usageMetadata": told, "modelVersion": "gemini-3-pro",
        "responseId": "response-up",
    })
}

/// Events end their lines as HTTP does.
fn event(data: &Value) -> Bytes {
    format!("data: {data}\r\n\r\n").into()
}
