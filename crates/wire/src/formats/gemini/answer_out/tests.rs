//! Answers of other formats, written for clients of this one.

use serde_json::{Value, json};

use super::*;
use crate::conversation::{FinishReason, ReasoningBlock, ToolCall};

fn write(parts: Vec<Part>, finish: Option<FinishReason>) -> Value {
    let choice = Choice { parts, finish, stop_sequence: None };
    let answer =
        Answer { id: None, model: None, created: Some(1), choices: vec![choice], usage: None };
    let (model, id) = ("m".to_owned(), "call1".to_owned());
    let reply = Reply { model, id, created: 1, include_usage: true, seal: None };
    serde_json::from_slice(&from_answer(&answer, &reply)).expect("what is written is JSON")
}

#[test]
fn what_another_provider_sealed_loses_its_seal_and_keeps_its_words() {
    let block = |text: &str, redacted| {
        let provenance = Provenance::AnthropicMessages;
        let seal = Some("foreign".into());
        Part::new(PartBody::Reasoning(ReasoningBlock {
            text: text.into(),
            seal,
            redacted,
            provenance,
        }))
    };
    let written = write(vec![block("hm", false), block("", true)], Some(FinishReason::Paused));
    assert_eq!(
        written,
        json!({
            "candidates": [{
                "content": { "parts": [{ "text": "hm", "thought": true }], "role": "model" },
                "finishReason": "STOP",
                "index": 0,
            }],
            "modelVersion": "m",
            "responseId": "call1",
        })
    );
}

#[test]
fn arguments_are_an_object_whatever_the_model_wrote() {
    for (arguments, expected) in [
        (Arguments::Json("{\"a\":1}".into()), json!({ "a": 1 })),
        (Arguments::Json(" ".into()), json!({})),
        (Arguments::Json("{\"a\":".into()), json!({ "input": "{\"a\":" })),
        (Arguments::Json("[1]".into()), json!({ "input": "[1]" })),
        (Arguments::Text("select 1".into()), json!({ "input": "select 1" })),
    ] {
        let call = ToolCall { id: "c".into(), name: "f".into(), arguments, seal: None };
        let written = write(vec![Part::new(PartBody::ToolCall(call))], None);
        assert_eq!(
            written["candidates"][0]["content"]["parts"][0],
            json!({ "functionCall": { "id": "c", "name": "f", "args": expected } })
        );
        assert_eq!(written["candidates"][0].get("finishReason"), None, "nobody said why");
    }
}
