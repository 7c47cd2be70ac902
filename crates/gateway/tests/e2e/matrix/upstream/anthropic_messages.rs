//! A server of Anthropic's Messages (spec: anthropic.md §6).

use bytes::Bytes;
use serde_json::{Value, json};

use super::{Stream, Upstream, named};
use crate::matrix::check::{Verdict, at, inner_json, list, same, says, text_of};
use crate::matrix::scene::{OUTPUT_MAX, SYSTEM, Scene};

/// The format.
pub(super) struct AnthropicMessages;

/// The provider's name of the model, one that thinks adaptively and keeps schemas.
const MODEL: &str = "claude-opus-4-6";
const SIGNATURE: &str = "c2lnbmVk";

impl Upstream for AnthropicMessages {
    fn name(&self) -> &'static str {
        "anthropic_messages"
    }

    fn model(&self) -> &'static str {
        "anthropic/claude-opus-4-6"
    }

    fn path(&self, _stream: bool) -> String {
        "/v1/messages".to_owned()
    }

    fn key(&self) -> (&'static str, &'static str) {
        ("x-api-key", "")
    }

    fn received(&self, body: &Value, scene: Scene, stream: bool) -> Verdict {
        says(body, "/model", MODEL)?;
        same("stream", body["stream"] == true, stream)?;
        says(body, "/max_tokens", OUTPUT_MAX)?;
        same("system", text_of(&body["system"]).as_str(), SYSTEM)?;
        says(body, "/messages/0/role", "user")?;
        same("question", text_of(at(body, "/messages/0/content")).as_str(), scene.question())?;
        received_history(body, scene)?;
        same("tools", list(body, "/tools").len(), scene.tools().len())?;
        for (sent, tool) in list(body, "/tools").iter().zip(scene.tools()) {
            says(sent, "/name", tool.name)?;
            says(sent, "/description", tool.about)?;
            says(sent, "/input_schema", tool.schema())?;
        }
        if scene == Scene::Reasoning {
            says(body, "/thinking/type", "adaptive")?;
            says(body, "/output_config/effort", "low")?;
        }
        if let Some(schema) = scene.schema() {
            says(body, "/output_config/format/type", "json_schema")?;
            says(body, "/output_config/format/schema", schema)?;
        }
        Ok(())
    }

    fn answer(&self, scene: Scene) -> Value {
        let mut content = Vec::new();
        if !scene.thought().is_empty() {
            let thought = scene.thought().concat();
            content.push(json!({"type": "thinking", "thinking": thought, "signature": SIGNATURE}));
        }
        if !scene.said().is_empty() {
            content.push(json!({"type": "text", "text": scene.said().concat()}));
        }
        for tool in scene.calls() {
            let input = tool.arguments();
            content.push(
                json!({"type": "tool_use", "id": tool.id, "name": tool.name, "input": input}),
            );
        }
        json!({
            "id": "msg_up", "type": "message", "role": "assistant", "model": MODEL,
            "content": content, "stop_reason": stop_reason(scene), "stop_sequence": null,
            "usage": usage(scene, scene.usage().output),
        })
    }

    fn stream(&self, scene: Scene) -> Stream {
        let mut out = Stream::default();
        let message = json!({
            "id": "msg_up", "type": "message", "role": "assistant", "model": MODEL, "content": [],
            "stop_reason": null, "stop_sequence": null, "usage": usage(scene, 1),
        });
        out.push(named(&json!({"type": "message_start", "message": message})));
        out.push(named(&json!({"type": "ping"})));
        let mut blocks = Blocks { out, index: 0 };
        blocks.push_all(scene);
        let mut out = blocks.out;
        out.completes();
        let delta = json!({"stop_reason": stop_reason(scene), "stop_sequence": null});
        let usage = usage(scene, scene.usage().output);
        out.push(named(&json!({"type": "message_delta", "delta": delta, "usage": usage})));
        out.push(named(&json!({"type": "message_stop"})));
        out
    }

    fn failure(&self, message: &str) -> Bytes {
        let error = json!({"type": "overloaded_error", "message": message});
        named(&json!({"type": "error", "error": error}))
    }
}

/// Numbers the blocks.
struct Blocks {
    out: Stream,
    index: usize,
}

impl Blocks {
    fn push_all(&mut self, scene: Scene) {
        if !scene.thought().is_empty() {
            self.start(&json!({"type": "thinking", "thinking": "", "signature": ""}));
            for piece in scene.thought() {
                self.delta(&json!({"type": "thinking_delta", "thinking": piece}));
            }
            self.delta(&json!({"type": "signature_delta", "signature": SIGNATURE}));
            self.stop();
        }
        if !scene.said().is_empty() {
            self.start(&json!({"type": "text", "text": ""}));
            for piece in scene.said() {
                self.delta(&json!({"type": "text_delta", "text": piece}));
                self.out.seen();
            }
            self.stop();
        }
        for tool in scene.calls() {
            let (id, name) = (tool.id, tool.name);
            self.start(&json!({"type": "tool_use", "id": id, "name": name, "input": {}}));
            self.out.seen();
            // The first piece may be empty.
            self.delta(&json!({"type": "input_json_delta", "partial_json": ""}));
            for piece in tool.fragments() {
                self.delta(&json!({"type": "input_json_delta", "partial_json": piece}));
            }
            self.stop();
        }
    }

    fn start(&mut self, block: &Value) {
        let (kind, index) = ("content_block_start", self.index);
        self.out.push(named(&json!({"type": kind, "index": index, "content_block": block})));
    }

    fn delta(&mut self, delta: &Value) {
        let (kind, index) = ("content_block_delta", self.index);
        self.out.push(named(&json!({"type": kind, "index": index, "delta": delta})));
    }

    fn stop(&mut self) {
        self.out.push(named(&json!({"type": "content_block_stop", "index": self.index})));
        self.index += 1;
    }
}

fn received_history(body: &Value, scene: Scene) -> Verdict {
    let turns = if scene.history().is_empty() { 1 } else { 3 };
    same("messages", list(body, "/messages").len(), turns)?;
    for (index, tool) in scene.history().iter().enumerate() {
        let call = at(body, &format!("/messages/1/content/{index}"));
        says(call, "/type", "tool_use")?;
        says(call, "/id", tool.id)?;
        says(call, "/name", tool.name)?;
        says(call, "/input", tool.arguments())?;
        let result = at(body, &format!("/messages/2/content/{index}"));
        says(result, "/type", "tool_result")?;
        says(result, "/tool_use_id", tool.id)?;
        let content = json!(text_of(&result["content"]));
        same("a result", inner_json(&content)?, tool.result())?;
    }
    Ok(())
}

fn stop_reason(scene: Scene) -> &'static str {
    if scene.calls().is_empty() { "end_turn" } else { "tool_use" }
}

/// Its input is what was not cached.
fn usage(scene: Scene, output: u64) -> Value {
    let usage = scene.usage();
    let mut told = json!({
        "input_tokens": usage.input - usage.cached,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": usage.cached,
        "output_tokens": output,
        "service_tier": "standard",
    });
    if usage.reasoning > 0 && output == usage.output {
        told["output_tokens_details"] = json!({"thinking_tokens": usage.reasoning});
    }
    told
}
