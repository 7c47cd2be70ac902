//! What the target cannot express is refused or, where the deployment drops it, named.

use bytes::Bytes;
use serde_json::{Value, json};

use super::super::request_in::to_conversation;
use super::*;
use crate::capability::Capability;
use crate::conversation::{Message, Part, PartBody, Role, Source, ToolResult};
use crate::formats::translation::Leniency;

const WEAK: Capability = Capability {
    forced_tool: false,
    native_structured_output: false,
    sampling: false,
    output_tokens_max: Some(100),
    ..Capability::UNKNOWN
};

fn conversation(fields: Value) -> Conversation {
    let mut body = json!({"model": "m", "messages": [{"role": "user", "content": "Hi"}]});
    let Value::Object(fields) = fields else { panic!("fields are an object") };
    body.as_object_mut().expect("an object").extend(fields);
    to_conversation(&Bytes::from(body.to_string()), None).expect("a request")
}

fn write(
    conversation: &Conversation,
    capability: &Capability,
    drops: bool,
) -> Result<(Value, Written), Unsupported> {
    let leniency = Leniency { drops, ..Leniency::default() };
    let target = Target { model: "up", capability, leniency };
    let written = from_conversation(conversation, &target)?;
    Ok((serde_json::from_slice(&written.body).expect("JSON"), written))
}

fn tools() -> Value {
    json!([{"type": "function", "function": {"name": "f"}}])
}

#[test]
fn what_the_model_cannot_do_is_refused_or_left_out() {
    let schema = json!({"type": "json_schema", "json_schema": {"name": "n", "schema": {}}});
    let cases = [
        (json!({"temperature": 0.5}), "temperature"),
        (json!({"top_k": 5}), "top_k"),
        (json!({"response_format": schema}), "response_format"),
        (json!({"tools": [{"type": "web_search"}]}), "tools"),
    ];
    for (fields, field) in cases {
        let conversation = conversation(fields);
        let refused = write(&conversation, &WEAK, false).expect_err(field);
        assert_eq!(&*refused.field, field);
        assert!(refused.detail.contains("drop_params: true"), "{refused}");
        let (body, written) = write(&conversation, &WEAK, true).expect("dropped");
        assert_eq!(body.get(field), None);
        assert_eq!(written.dropped, [field.into()]);
    }
}

#[test]
fn a_forced_tool_becomes_a_free_choice_where_it_may() {
    let conversation = conversation(json!({"tools": tools(), "tool_choice": "required"}));
    assert!(write(&conversation, &WEAK, false).is_err());
    let (body, written) = write(&conversation, &WEAK, true).expect("weakened");
    assert_eq!(body["tool_choice"], "auto");
    assert_eq!(written.adjusted, ["tool_choice".into()]);
}

#[test]
fn thinking_and_a_forced_tool_are_told_apart_from_other_refusals() {
    let capability = Capability { forced_tool_with_thinking: false, ..Capability::UNKNOWN };
    let fields = json!({"tools": tools(), "tool_choice": "required",
        "thinking": {"type": "enabled", "budget_tokens": 5000}});
    let refused = write(&conversation(fields), &capability, false).expect_err("both at once");
    assert!(refused.thinking_with_forced_tool);
}

#[test]
fn a_fifth_stop_text_is_one_too_many() {
    let conversation = conversation(json!({"stop": ["a", "b", "c", "d", "e"]}));
    assert_eq!(&*write(&conversation, &WEAK, false).expect_err("five").field, "stop");
    let (body, written) = write(&conversation, &WEAK, true).expect("cut");
    assert_eq!(body["stop"], json!(["a", "b", "c", "d"]));
    assert_eq!(written.adjusted, ["stop".into()]);
}

#[test]
fn the_output_limit_is_held_at_the_models_own() {
    let (body, written) = write(&conversation(json!({"max_tokens": 500})), &WEAK, false).expect("");
    assert_eq!(body["max_completion_tokens"], 100);
    assert_eq!(written.adjusted, ["max_completion_tokens".into()]);
}

#[test]
fn thinking_switched_off_is_said_only_to_models_that_would_think() {
    let conversation = conversation(json!({"thinking": {"type": "disabled"}}));
    let (body, _) = write(&conversation, &Capability::UNKNOWN, false).expect("written");
    assert_eq!(body.get("reasoning_effort"), None);
    let thinker = Capability { thinks_by_default: true, ..Capability::UNKNOWN };
    let (body, _) = write(&conversation, &thinker, false).expect("written");
    assert_eq!(body["reasoning_effort"], "none");
}

#[test]
fn a_budget_becomes_an_effort() {
    for (tokens, effort) in [
        (1023, "minimal"),
        (1024, "low"),
        (2047, "low"),
        (2048, "medium"),
        (4095, "medium"),
        (4096, "high"),
    ] {
        let thinking = json!({"type": "enabled", "budget_tokens": tokens});
        let conversation = conversation(json!({ "thinking": thinking }));
        let (body, _) = write(&conversation, &Capability::UNKNOWN, false).expect("written");
        assert_eq!(body["reasoning_effort"], effort, "{tokens}");
    }
}

#[test]
fn a_stream_is_always_asked_for_its_usage() {
    let (body, _) = write(&conversation(json!({"stream": true})), &WEAK, false).expect("written");
    assert_eq!(body["stream_options"], json!({"include_usage": true}));
}

#[test]
fn fields_that_are_named_to_pass_pass() {
    let conversation = conversation(json!({"top_k": 5, "x_own": [1]}));
    let passes = ["top_k".into(), "x_own".into()];
    let leniency = Leniency { passes: &passes, ..Leniency::default() };
    let target = Target { model: "up", capability: &WEAK, leniency };
    let written = from_conversation(&conversation, &target).expect("they pass");
    let body: Value = serde_json::from_slice(&written.body).expect("JSON");
    assert_eq!((&body["top_k"], &body["x_own"]), (&json!(5), &json!([1])));
    assert!(written.dropped.is_empty());
}

#[test]
fn results_stand_before_what_the_user_says_and_shows() {
    let picture = Source::Base64 { media_type: "image/png".into(), data: "AAAA".into() };
    let result = ToolResult {
        call: "a".into(),
        parts: vec![
            Part::text("seen"),
            Part::new(PartBody::Image { source: picture, detail: None }),
        ],
        failed: true,
    };
    let parts = vec![Part::text("And?"), Part::new(PartBody::ToolResult(result))];
    let mut conversation = conversation(json!({}));
    conversation.messages = vec![Message { role: Role::User, parts, name: None }];
    let (body, written) = write(&conversation, &Capability::UNKNOWN, false).expect("written");
    assert_eq!(
        body["messages"],
        json!([
            {"role": "tool", "tool_call_id": "a", "content": "seen"},
            {"role": "user", "content": [
                {"type": "text", "text": "And?"},
                {"type": "text", "text": "[shown by tool call a]"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
            ]},
        ])
    );
    assert_eq!(written.dropped, ["is_error".into()]);
}

#[test]
fn media_that_have_no_form_here_are_refused() {
    let url = || Source::Url("https://a.test/x".into());
    let bodies = [
        PartBody::Document { source: url(), name: None },
        PartBody::Audio { source: url() },
        PartBody::Image { source: Source::File("f".into()), detail: None },
    ];
    for body in bodies {
        let mut conversation = conversation(json!({}));
        conversation.messages[0].parts = vec![Part::new(body), Part::text("x")];
        let refused = write(&conversation, &Capability::UNKNOWN, false).expect_err("no form");
        assert!(refused.field.starts_with("messages.content."), "{refused}");
        let (_, written) = write(&conversation, &Capability::UNKNOWN, true).expect("dropped");
        assert_eq!(written.dropped.len(), 1);
    }
}
