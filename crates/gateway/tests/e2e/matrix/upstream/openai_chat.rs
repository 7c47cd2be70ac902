//! A server of OpenAI's Chat Completions; its reasoning stands in `reasoning_content`, as most
//! servers of the format have it (spec: openai.md §1, compat-providers.md).

use bytes::Bytes;
use serde_json::{Value, json};

use super::{Stream, Upstream, unnamed};
use crate::matrix::check::{Verdict, at, holds, inner_json, list, same, says, text_of};
use crate::matrix::scene::{OUTPUT_MAX, SYSTEM, Scene};

/// The format.
pub(super) struct OpenAiChat;

impl Upstream for OpenAiChat {
    fn name(&self) -> &'static str {
        "openai_chat"
    }

    /// The provider speaks Responses as well; the prefix keeps it to this format.
    fn model(&self) -> &'static str {
        "openai/chat_completions/m"
    }

    fn base_path(&self) -> &'static str {
        "/v1"
    }

    fn path(&self, _stream: bool) -> String {
        "/v1/chat/completions".to_owned()
    }

    fn received(&self, body: &Value, scene: Scene, stream: bool) -> Verdict {
        says(body, "/model", "m")?;
        same("stream", body["stream"] == true, stream)?;
        same("stream_options", at(body, "/stream_options/include_usage") == true, stream)?;
        let limits = ["max_tokens", "max_completion_tokens"].map(|name| body[name].as_u64());
        holds(limits.iter().flatten().eq([&OUTPUT_MAX]), || format!("limits {limits:?}"))?;
        let messages = list(body, "/messages");
        let role = at(body, "/messages/0/role").as_str();
        holds(matches!(role, Some("system" | "developer")), || format!("first is {role:?}"))?;
        same("system", text_of(at(body, "/messages/0/content")).as_str(), SYSTEM)?;
        says(body, "/messages/1/role", "user")?;
        same("question", text_of(at(body, "/messages/1/content")).as_str(), scene.question())?;
        received_history(messages.get(2..).unwrap_or_default(), scene)?;
        received_tools(body, scene)?;
        if scene == Scene::Reasoning {
            says(body, "/reasoning_effort", "low")?;
        }
        if let Some(schema) = scene.schema() {
            says(body, "/response_format/type", "json_schema")?;
            says(body, "/response_format/json_schema/schema", schema)?;
            let name = at(body, "/response_format/json_schema/name").as_str();
            holds(name.is_some_and(|name| !name.is_empty()), || "a schema without a name".into())?;
        }
        Ok(())
    }

    fn answer(&self, scene: Scene) -> Value {
        let mut message = json!({"role": "assistant", "content": scene.said().concat()});
        if !scene.thought().is_empty() {
            message["reasoning_content"] = json!(scene.thought().concat());
        }
        if !scene.calls().is_empty() {
            message["content"] = Value::Null;
            message["tool_calls"] = calls(scene);
        }
        let choice = json!({
            "index": 0, "message": message, "logprobs": null, "finish_reason": finish(scene),
        });
        json!({
            "id": "chatcmpl-up", "object": "chat.completion", "created": 1_767_225_600,
            "model": "m-2026-01-01", "choices": [choice], "usage": usage(scene),
            "service_tier": "default", "system_fingerprint": "fp_1",
        })
    }

    fn stream(&self, scene: Scene) -> Stream {
        let mut out = Stream::default();
        let content = if scene.calls().is_empty() { json!("") } else { Value::Null };
        out.push(chunk(&json!({"role": "assistant", "content": content}), None));
        for piece in scene.thought() {
            out.push(chunk(&json!({"reasoning_content": piece}), None));
        }
        for piece in scene.said() {
            out.push(chunk(&json!({"content": piece}), None));
            out.seen();
        }
        for (index, tool) in scene.calls().iter().enumerate() {
            let function = json!({"name": tool.name, "arguments": ""});
            let kind = "function";
            let call = json!({"index": index, "id": tool.id, "type": kind, "function": function});
            out.push(chunk(&json!({"tool_calls": [call]}), None));
            out.seen();
        }
        // Fragments of several calls may interleave.
        for at in 0..2 {
            for (index, tool) in scene.calls().iter().enumerate() {
                let function = json!({"arguments": tool.fragments()[at]});
                let call = json!({"index": index, "function": function});
                out.push(chunk(&json!({"tool_calls": [call]}), None));
            }
        }
        out.completes();
        out.push(chunk(&json!({}), Some(finish(scene))));
        out.push(unnamed(&told(&json!([]), &usage(scene))));
        out.push("data: [DONE]\n\n");
        out
    }

    fn failure(&self, message: &str) -> Bytes {
        let error = json!({
            "message": message, "type": "server_error", "param": null, "code": "server_error",
        });
        unnamed(&json!({ "error": error }))
    }
}

fn received_history(messages: &[Value], scene: Scene) -> Verdict {
    let Some((call, results)) = messages.split_first() else {
        return holds(scene.history().is_empty(), || "the calls and results are missing".into());
    };
    says(call, "/role", "assistant")?;
    same("results", results.len(), scene.history().len())?;
    for (index, tool) in scene.history().iter().enumerate() {
        let call = at(call, &format!("/tool_calls/{index}")).clone();
        says(&call, "/id", tool.id)?;
        says(&call, "/type", "function")?;
        says(&call, "/function/name", tool.name)?;
        same("arguments", inner_json(&call["function"]["arguments"])?, tool.arguments())?;
        let result = &results[index];
        says(result, "/role", "tool")?;
        says(result, "/tool_call_id", tool.id)?;
        let content = json!(text_of(&result["content"]));
        same("a result", inner_json(&content)?, tool.result())?;
    }
    Ok(())
}

/// Tools as this format declares them, which others have taken over.
pub(super) fn received_tools(body: &Value, scene: Scene) -> Verdict {
    same("tools", list(body, "/tools").len(), scene.tools().len())?;
    for (sent, tool) in list(body, "/tools").iter().zip(scene.tools()) {
        says(sent, "/type", "function")?;
        says(sent, "/function/name", tool.name)?;
        says(sent, "/function/description", tool.about)?;
        says(sent, "/function/parameters", tool.schema())?;
    }
    Ok(())
}

fn calls(scene: Scene) -> Value {
    let calls = scene.calls().iter().map(|tool| {
        let function = json!({"name": tool.name, "arguments": tool.fragments().concat()});
        json!({"id": tool.id, "type": "function", "function": function})
    });
    calls.collect()
}

fn chunk(delta: &Value, finish: Option<&str>) -> Bytes {
    let choice = json!({
        "index": 0, "delta": delta, "logprobs": null, "finish_reason": finish,
    });
    unnamed(&told(&json!([choice]), &Value::Null))
}

fn told(choices: &Value, usage: &Value) -> Value {
    json!({
        "id": "chatcmpl-up", "object": "chat.completion.chunk", "created": 1_767_225_600,
        "model": "m-2026-01-01", "service_tier": "default", "system_fingerprint": "fp_1",
        "choices": choices, "usage": usage,
    })
}

fn finish(scene: Scene) -> &'static str {
    if scene.calls().is_empty() { "stop" } else { "tool_calls" }
}

fn usage(scene: Scene) -> Value {
    let usage = scene.usage();
    json!({
        "prompt_tokens": usage.input,
        "completion_tokens": usage.output,
        "total_tokens": usage.input + usage.output,
        "prompt_tokens_details": {"cached_tokens": usage.cached, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning, "audio_tokens": 0},
    })
}
