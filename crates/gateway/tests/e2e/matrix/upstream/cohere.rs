//! A server of Cohere's second API (spec: others.md, "Cohere v2").

use bytes::Bytes;
use serde_json::{Value, json};

use super::openai_chat::received_tools;
use super::{Reports, Stream, Upstream, named};
use crate::matrix::check::{Verdict, at, inner_json, list, same, says, text_of};
use crate::matrix::scene::{OUTPUT_MAX, SYSTEM, Scene};

/// The format.
pub(super) struct Cohere;

impl Upstream for Cohere {
    fn name(&self) -> &'static str {
        "cohere"
    }

    fn model(&self) -> &'static str {
        "cohere_chat/m"
    }

    fn path(&self, _stream: bool) -> String {
        "/v2/chat".to_owned()
    }

    fn received(&self, body: &Value, scene: Scene, stream: bool) -> Verdict {
        says(body, "/model", "m")?;
        same("stream", body["stream"] == true, stream)?;
        says(body, "/max_tokens", OUTPUT_MAX)?;
        says(body, "/messages/0/role", "system")?;
        same("system", text_of(at(body, "/messages/0/content")).as_str(), SYSTEM)?;
        says(body, "/messages/1/role", "user")?;
        same("question", text_of(at(body, "/messages/1/content")).as_str(), scene.question())?;
        received_history(body, scene)?;
        received_tools(body, scene)?;
        if scene == Scene::Reasoning {
            says(body, "/thinking/type", "enabled")?;
        }
        if let Some(schema) = scene.schema() {
            says(body, "/response_format/type", "json_object")?;
            says(body, "/response_format/json_schema", schema)?;
        }
        Ok(())
    }

    fn answer(&self, scene: Scene) -> Value {
        let mut content = Vec::new();
        if !scene.thought().is_empty() {
            content.push(json!({"type": "thinking", "thinking": scene.thought().concat()}));
        }
        if !scene.said().is_empty() {
            content.push(json!({"type": "text", "text": scene.said().concat()}));
        }
        let mut message = json!({"role": "assistant", "content": content});
        if !scene.calls().is_empty() {
            message = json!({"role": "assistant", "tool_calls": calls(scene)});
        }
        json!({
            "id": "c14c80c3", "finish_reason": finish(scene), "message": message,
            "usage": usage(scene),
        })
    }

    fn stream(&self, scene: Scene) -> Stream {
        let mut out = Stream::default();
        let message = json!({
            "role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": [],
        });
        let begun = json!({"type": "message-start", "id": "c14c80c3"});
        out.push(named(&with(begun, &message)));
        let mut index = 0;
        for (kind, pieces) in [("thinking", scene.thought()), ("text", scene.said())] {
            if pieces.is_empty() {
                continue;
            }
            let place = |event: &str| json!({"type": event, "index": index});
            let empty = json!({"content": {"type": kind, kind: ""}});
            out.push(named(&with(place("content-start"), &empty)));
            for piece in pieces {
                let more = json!({"content": {kind: piece}});
                out.push(named(&with(place("content-delta"), &more)));
                if kind == "text" {
                    out.seen();
                }
            }
            out.push(named(&place("content-end")));
            index += 1;
        }
        push_calls(&mut out, scene);
        out.completes();
        let delta = json!({"finish_reason": finish(scene), "usage": usage(scene)});
        out.push(named(&json!({"type": "message-end", "id": "c14c80c3", "delta": delta})));
        out
    }

    fn failure(&self, message: &str) -> Bytes {
        let delta = json!({"error": message, "finish_reason": "ERROR"});
        named(&json!({"type": "message-end", "id": "c14c80c3", "delta": delta}))
    }

    fn reports(&self) -> Reports {
        Reports { cached: true, reasoning: false }
    }
}

fn push_calls(out: &mut Stream, scene: Scene) {
    for (index, tool) in scene.calls().iter().enumerate() {
        let place = |event: &str| json!({"type": event, "index": index});
        let function = json!({"name": tool.name, "arguments": ""});
        let call = json!({"id": tool.id, "type": "function", "function": function});
        out.push(named(&with(place("tool-call-start"), &json!({ "tool_calls": call }))));
        out.seen();
        for piece in tool.fragments() {
            let more = json!({"tool_calls": {"function": {"arguments": piece}}});
            out.push(named(&with(place("tool-call-delta"), &more)));
        }
        out.push(named(&place("tool-call-end")));
    }
}

/// An event with a piece of the message.
fn with(mut event: Value, message: &Value) -> Value {
    event["delta"] = json!({ "message": message });
    event
}

fn received_history(body: &Value, scene: Scene) -> Verdict {
    let messages = if scene.history().is_empty() { 2 } else { 3 + scene.history().len() };
    same("messages", list(body, "/messages").len(), messages)?;
    for (index, tool) in scene.history().iter().enumerate() {
        says(body, "/messages/2/role", "assistant")?;
        let call = at(body, &format!("/messages/2/tool_calls/{index}"));
        says(call, "/id", tool.id)?;
        says(call, "/type", "function")?;
        says(call, "/function/name", tool.name)?;
        same("arguments", inner_json(&call["function"]["arguments"])?, tool.arguments())?;
        let result = at(body, &format!("/messages/{}", 3 + index));
        says(result, "/role", "tool")?;
        says(result, "/tool_call_id", tool.id)?;
        let document = at(result, "/content/0/document/data");
        let said = match document {
            Value::Null => text_of(&result["content"]),
            Value::String(data) => data.clone(),
            data => data.to_string(),
        };
        same("a result", inner_json(&json!(said))?, tool.result())?;
    }
    Ok(())
}

fn calls(scene: Scene) -> Vec<Value> {
    let calls = scene.calls().iter().map(|tool| {
        let function = json!({"name": tool.name, "arguments": tool.fragments().concat()});
        json!({"id": tool.id, "type": "function", "function": function})
    });
    calls.collect()
}

fn finish(scene: Scene) -> &'static str {
    if scene.calls().is_empty() { "COMPLETE" } else { "TOOL_CALL" }
}

fn usage(scene: Scene) -> Value {
    let usage = scene.usage();
    let tokens = json!({"input_tokens": usage.input, "output_tokens": usage.output});
    json!({"billed_units": tokens, "tokens": tokens, "cached_tokens": usage.cached})
}
