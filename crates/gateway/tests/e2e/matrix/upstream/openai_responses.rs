//! A server of OpenAI's Responses (spec: openai.md §6).

mod events;

use bytes::Bytes;
use serde_json::{Value, json};

use super::{Stream, Upstream, named};
use crate::matrix::check::{Verdict, at, holds, inner_json, list, same, says, text_of};
use crate::matrix::scene::{OUTPUT_MAX, SYSTEM, Scene};

/// The format.
pub(super) struct OpenAiResponses;

impl Upstream for OpenAiResponses {
    fn name(&self) -> &'static str {
        "openai_responses"
    }

    fn model(&self) -> &'static str {
        "openai/responses/m"
    }

    fn base_path(&self) -> &'static str {
        "/v1"
    }

    fn path(&self, _stream: bool) -> String {
        "/v1/responses".to_owned()
    }

    fn received(&self, body: &Value, scene: Scene, stream: bool) -> Verdict {
        says(body, "/model", "m")?;
        same("stream", body["stream"] == true, stream)?;
        says(body, "/max_output_tokens", OUTPUT_MAX)?;
        says(body, "/store", false)?;
        let mut items = list(body, "/input");
        if body["instructions"].is_null() {
            let Some((system, rest)) = items.split_first() else { return Err("no input".into()) };
            let role = system["role"].as_str();
            holds(matches!(role, Some("system" | "developer")), || format!("first is {role:?}"))?;
            same("system", text_of(&system["content"]).as_str(), SYSTEM)?;
            items = rest;
        } else {
            says(body, "/instructions", SYSTEM)?;
        }
        let Some((question, history)) = items.split_first() else { return Err("no item".into()) };
        says(question, "/role", "user")?;
        same("question", text_of(&question["content"]).as_str(), scene.question())?;
        received_history(history, scene)?;
        same("tools", list(body, "/tools").len(), scene.tools().len())?;
        for (sent, tool) in list(body, "/tools").iter().zip(scene.tools()) {
            says(sent, "/type", "function")?;
            says(sent, "/name", tool.name)?;
            says(sent, "/description", tool.about)?;
            says(sent, "/parameters", tool.schema())?;
            says(sent, "/strict", false)?;
        }
        if scene == Scene::Reasoning {
            says(body, "/reasoning/effort", "low")?;
        }
        if let Some(schema) = scene.schema() {
            says(body, "/text/format/type", "json_schema")?;
            says(body, "/text/format/schema", schema)?;
            let name = at(body, "/text/format/name").as_str();
            holds(name.is_some_and(|name| !name.is_empty()), || "a schema without a name".into())?;
        }
        Ok(())
    }

    fn answer(&self, scene: Scene) -> Value {
        response(scene, "completed", &items(scene), &usage(scene))
    }

    fn stream(&self, scene: Scene) -> Stream {
        events::stream(scene)
    }

    fn failure(&self, message: &str) -> Bytes {
        let kind = "error";
        let code = "server_error";
        named(&json!({
            "type": kind, "sequence_number": 99, "code": code, "message": message, "param": null,
        }))
    }
}

fn received_history(items: &[Value], scene: Scene) -> Verdict {
    same("calls and results", items.len(), 2 * scene.history().len())?;
    let (calls, results) = items.split_at(scene.history().len());
    for (index, tool) in scene.history().iter().enumerate() {
        let (call, result) = (&calls[index], &results[index]);
        says(call, "/type", "function_call")?;
        says(call, "/call_id", tool.id)?;
        says(call, "/name", tool.name)?;
        same("arguments", inner_json(&call["arguments"])?, tool.arguments())?;
        says(result, "/type", "function_call_output")?;
        says(result, "/call_id", tool.id)?;
        let output = json!(text_of(&result["output"]));
        same("a result", inner_json(&output)?, tool.result())?;
    }
    Ok(())
}

/// The response object with these items.
fn response(scene: Scene, status: &str, output: &[Value], usage: &Value) -> Value {
    let effort = (scene == Scene::Reasoning).then_some("low");
    json!({
        "id": "resp_up", "object": "response", "created_at": 1_767_225_600, "status": status,
        "background": false, "error": null, "incomplete_details": null, "instructions": null,
        "max_output_tokens": OUTPUT_MAX, "model": "m-2026-01-01", "output": output,
        "parallel_tool_calls": true, "previous_response_id": null,
        "reasoning": {"effort": effort, "summary": null}, "service_tier": "default",
        "store": false, "temperature": 1.0, "text": {"format": {"type": "text"}},
        "tool_choice": "auto", "tools": [], "top_p": 1.0, "truncation": "disabled",
        "usage": usage, "user": null, "metadata": {},
    })
}

/// The items of the whole answer.
fn items(scene: Scene) -> Vec<Value> {
    let mut items = Vec::new();
    if !scene.thought().is_empty() {
        let summary = json!([{"type": "summary_text", "text": scene.thought().concat()}]);
        items.push(json!({"id": "rs_1", "type": "reasoning", "summary": summary}));
    }
    if !scene.said().is_empty() {
        let content = json!([text_part(&scene.said().concat())]);
        items.push(json!({
            "id": "msg_1", "type": "message", "status": "completed", "role": "assistant",
            "content": content,
        }));
    }
    for tool in scene.calls() {
        items.push(json!({
            "id": format!("fc_{}", tool.id), "type": "function_call", "status": "completed",
            "call_id": tool.id, "name": tool.name, "arguments": tool.fragments().concat(),
        }));
    }
    items
}

fn text_part(text: &str) -> Value {
    json!({"type": "output_text", "text": text, "annotations": [], "logprobs": []})
}

fn usage(scene: Scene) -> Value {
    let usage = scene.usage();
    json!({
        "input_tokens": usage.input,
        "input_tokens_details": {"cached_tokens": usage.cached},
        "output_tokens": usage.output,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": usage.input + usage.output,
    })
}
