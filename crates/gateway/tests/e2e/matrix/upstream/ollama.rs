//! A server of Ollama's own API, whose streams are lines of JSON (spec: compat-providers.md).

use bytes::Bytes;
use serde_json::{Value, json};

use super::openai_chat::received_tools;
use super::{Reports, Stream, Upstream};
use crate::matrix::check::{Verdict, at, holds, inner_json, list, same, says};
use crate::matrix::scene::{OUTPUT_MAX, SYSTEM, Scene, Tool};

/// The format.
pub(super) struct Ollama;

impl Upstream for Ollama {
    fn name(&self) -> &'static str {
        "ollama"
    }

    fn model(&self) -> &'static str {
        "ollama_chat/m"
    }

    fn path(&self, _stream: bool) -> String {
        "/api/chat".to_owned()
    }

    /// Left to itself the server streams.
    fn received(&self, body: &Value, scene: Scene, stream: bool) -> Verdict {
        says(body, "/model", "m")?;
        says(body, "/stream", stream)?;
        says(body, "/options/num_predict", OUTPUT_MAX)?;
        says(body, "/messages/0/role", "system")?;
        says(body, "/messages/0/content", SYSTEM)?;
        says(body, "/messages/1/role", "user")?;
        says(body, "/messages/1/content", scene.question())?;
        received_history(body, scene)?;
        received_tools(body, scene)?;
        if scene == Scene::Reasoning {
            let think = &body["think"];
            holds(*think == true || think == "low", || format!("think is {think}"))?;
        }
        if let Some(schema) = scene.schema() {
            says(body, "/format", schema)?;
        }
        Ok(())
    }

    fn answer(&self, scene: Scene) -> Value {
        let mut message = json!({"role": "assistant", "content": scene.said().concat()});
        if !scene.thought().is_empty() {
            message["thinking"] = json!(scene.thought().concat());
        }
        if !scene.calls().is_empty() {
            message["tool_calls"] = scene.calls().iter().map(call).collect();
        }
        ended(scene, &message)
    }

    fn stream(&self, scene: Scene) -> Stream {
        let mut out = Stream::default();
        for piece in scene.thought() {
            out.push(part(&json!({"role": "assistant", "content": "", "thinking": piece})));
        }
        for piece in scene.said() {
            out.push(part(&json!({"role": "assistant", "content": piece})));
            out.seen();
        }
        for tool in scene.calls() {
            let calls = json!([call(tool)]);
            let message = json!({"role": "assistant", "content": "", "tool_calls": calls});
            out.push(part_at(&message, tool.id.len()));
            out.seen();
        }
        out.completes();
        out.push(line(&ended(scene, &json!({"role": "assistant", "content": ""}))));
        out
    }

    fn failure(&self, message: &str) -> Bytes {
        line(&json!({ "error": message }))
    }

    fn stream_type(&self) -> &'static str {
        "application/x-ndjson"
    }

    fn reports(&self) -> Reports {
        Reports { cached: false, reasoning: false }
    }
}

/// Arguments are objects, and results name their tool.
fn received_history(body: &Value, scene: Scene) -> Verdict {
    let messages = if scene.history().is_empty() { 2 } else { 3 + scene.history().len() };
    same("messages", list(body, "/messages").len(), messages)?;
    for (index, tool) in scene.history().iter().enumerate() {
        says(body, "/messages/2/role", "assistant")?;
        let call = at(body, &format!("/messages/2/tool_calls/{index}"));
        says(call, "/function/name", tool.name)?;
        says(call, "/function/arguments", tool.arguments())?;
        let result = at(body, &format!("/messages/{}", 3 + index));
        says(result, "/role", "tool")?;
        says(result, "/tool_name", tool.name)?;
        same("a result", inner_json(&result["content"])?, tool.result())?;
    }
    Ok(())
}

fn call(tool: &Tool) -> Value {
    json!({"function": {"name": tool.name, "arguments": tool.arguments()}})
}

fn part(message: &Value) -> Bytes {
    part_at(message, 0)
}

/// A part of this second. Calls have no ids here, and the time is what tells those of one answer
/// from those of another.
fn part_at(message: &Value, second: usize) -> Bytes {
    let made = format!("2026-01-01T00:00:{second:02}.000000Z");
    line(&json!({"model": "m", "created_at": made, "message": message, "done": false}))
}

fn ended(scene: Scene, message: &Value) -> Value {
    let usage = scene.usage();
    json!({
        "model": "m", "created_at": "2026-01-01T00:00:00.000000Z", "message": message,
        "done": true, "done_reason": "stop", "total_duration": 5_191_566_416_u64,
        "load_duration": 2_154_458, "prompt_eval_count": usage.input,
        "prompt_eval_duration": 383_809_000, "eval_count": usage.output,
        "eval_duration": 4_799_921_000_u64,
    })
}

fn line(value: &Value) -> Bytes {
    format!("{value}\n").into()
}
