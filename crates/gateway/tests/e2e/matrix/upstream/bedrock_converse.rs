//! A server of Amazon Bedrock's Converse (spec: bedrock.md §3–4), called with an API key.

use bytes::Bytes;
use serde_json::{Value, json};
use tollgate_testkit::aws_events;

use super::{Stream, Upstream};
use crate::matrix::check::{Verdict, at, holds, inner_json, list, same, says, text_of};
use crate::matrix::scene::{OUTPUT_MAX, SYSTEM, Scene};

/// The format.
pub(super) struct BedrockConverse;

const SIGNATURE: &str = "c2lnbmVk";

impl Upstream for BedrockConverse {
    fn name(&self) -> &'static str {
        "bedrock_converse"
    }

    /// An id whose colon must be encoded in the path.
    fn model(&self) -> &'static str {
        "bedrock/converse/us.anthropic.claude-opus-4-6-v1:0"
    }

    fn path(&self, stream: bool) -> String {
        let operation = if stream { "converse-stream" } else { "converse" };
        format!("/model/us.anthropic.claude-opus-4-6-v1%3A0/{operation}")
    }

    fn received(&self, body: &Value, scene: Scene, _stream: bool) -> Verdict {
        says(body, "/inferenceConfig/maxTokens", OUTPUT_MAX)?;
        same("system", text_of(&body["system"]).as_str(), SYSTEM)?;
        says(body, "/messages/0/role", "user")?;
        same("question", text_of(at(body, "/messages/0/content")).as_str(), scene.question())?;
        received_history(body, scene)?;
        let declared = list(body, "/toolConfig/tools");
        same("tools", declared.len(), scene.tools().len())?;
        for (sent, tool) in declared.iter().zip(scene.tools()) {
            says(sent, "/toolSpec/name", tool.name)?;
            says(sent, "/toolSpec/description", tool.about)?;
            says(sent, "/toolSpec/inputSchema/json", tool.schema())?;
        }
        if scene == Scene::Reasoning {
            says(body, "/additionalModelRequestFields/thinking/type", "adaptive")?;
            let more = at(body, "/additionalModelRequestFields/output_config/effort");
            let own = at(body, "/outputConfig/effort");
            holds(more == "low" || own == "low", || format!("no effort in {body}"))?;
            let asked = list(body, "/additionalModelResponseFieldPaths");
            let asked = asked.iter().any(|path| path == "/usage/output_tokens_details");
            holds(asked, || format!("the reasoning tokens are not asked for in {body}"))?;
        }
        if let Some(schema) = scene.schema() {
            let format = at(body, "/outputConfig/textFormat");
            says(format, "/type", "json_schema")?;
            let sent = inner_json(at(format, "/structure/jsonSchema/schema"))?;
            same("schema", sent, schema)?;
        }
        Ok(())
    }

    fn answer(&self, scene: Scene) -> Value {
        let mut content = Vec::new();
        if !scene.thought().is_empty() {
            let thought = json!({"text": scene.thought().concat(), "signature": SIGNATURE});
            content.push(json!({"reasoningContent": {"reasoningText": thought}}));
        }
        if !scene.said().is_empty() {
            content.push(json!({"text": scene.said().concat()}));
        }
        for tool in scene.calls() {
            let (id, name, input) = (tool.id, tool.name, tool.arguments());
            content.push(json!({"toolUse": {"toolUseId": id, "name": name, "input": input}}));
        }
        let mut answer = stopped(scene);
        answer["output"] = json!({"message": {"role": "assistant", "content": content}});
        answer["usage"] = usage(scene);
        answer["metrics"] = json!({"latencyMs": 12});
        answer
    }

    fn stream(&self, scene: Scene) -> Stream {
        let mut out = Stream::default();
        event(&mut out, "messageStart", &json!({"role": "assistant"}));
        let mut index = 0;
        if !scene.thought().is_empty() {
            for piece in scene.thought() {
                delta(&mut out, index, &json!({"reasoningContent": {"text": piece}}));
            }
            delta(&mut out, index, &json!({"reasoningContent": {"signature": SIGNATURE}}));
            stop(&mut out, &mut index);
        }
        if !scene.said().is_empty() {
            for piece in scene.said() {
                delta(&mut out, index, &json!({"text": piece}));
                out.seen();
            }
            stop(&mut out, &mut index);
        }
        for tool in scene.calls() {
            let start = json!({"toolUse": {"toolUseId": tool.id, "name": tool.name}});
            let begun = json!({"contentBlockIndex": index, "start": start});
            event(&mut out, "contentBlockStart", &begun);
            out.seen();
            for piece in tool.fragments() {
                delta(&mut out, index, &json!({"toolUse": {"input": piece}}));
            }
            stop(&mut out, &mut index);
        }
        out.completes();
        event(&mut out, "messageStop", &stopped(scene));
        let told = json!({"usage": usage(scene), "metrics": {"latencyMs": 12}});
        event(&mut out, "metadata", &told);
        out
    }

    fn failure(&self, message: &str) -> Bytes {
        let payload = json!({ "message": message }).to_string();
        aws_events::exception("internalServerException", &payload)
    }

    fn stream_type(&self) -> &'static str {
        "application/vnd.amazon.eventstream"
    }
}

/// An event, padded as the service pads it.
fn event(out: &mut Stream, kind: &str, payload: &Value) {
    let mut payload = payload.clone();
    payload["p"] = json!("abcdefgh");
    out.push(aws_events::event(kind, &payload.to_string()));
}

fn delta(out: &mut Stream, index: u64, delta: &Value) {
    let payload = json!({"contentBlockIndex": index, "delta": delta});
    event(out, "contentBlockDelta", &payload);
}

fn stop(out: &mut Stream, index: &mut u64) {
    event(out, "contentBlockStop", &json!({"contentBlockIndex": *index}));
    *index += 1;
}

fn received_history(body: &Value, scene: Scene) -> Verdict {
    let turns = if scene.history().is_empty() { 1 } else { 3 };
    same("messages", list(body, "/messages").len(), turns)?;
    for (index, tool) in scene.history().iter().enumerate() {
        let call = at(body, &format!("/messages/1/content/{index}/toolUse"));
        says(call, "/toolUseId", tool.id)?;
        says(call, "/name", tool.name)?;
        says(call, "/input", tool.arguments())?;
        let result = at(body, &format!("/messages/2/content/{index}/toolResult"));
        says(result, "/toolUseId", tool.id)?;
        let said = at(result, "/content/0/json").clone();
        let said = match said {
            Value::Null => inner_json(&json!(text_of(&result["content"])))?,
            said => said,
        };
        same("a result", said, tool.result())?;
    }
    Ok(())
}

/// Why it ended; with it what the request asked the model for beyond the API's own members.
fn stopped(scene: Scene) -> Value {
    let reason = if scene.calls().is_empty() { "end_turn" } else { "tool_use" };
    let mut stopped = json!({ "stopReason": reason });
    if scene.usage().reasoning > 0 {
        let details = json!({"thinking_tokens": scene.usage().reasoning});
        let usage = json!({"usage": {"output_tokens_details": details}});
        stopped["additionalModelResponseFields"] = usage;
    }
    stopped
}

/// Its input is what was not cached; the total counts everything.
fn usage(scene: Scene) -> Value {
    let usage = scene.usage();
    json!({
        "inputTokens": usage.input - usage.cached,
        "outputTokens": usage.output,
        "totalTokens": usage.input + usage.output,
        "cacheReadInputTokens": usage.cached,
        "cacheWriteInputTokens": 0,
    })
}
