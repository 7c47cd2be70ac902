//! Requests that the target cannot express, and rules that every request keeps.

use bytes::Bytes;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::tests::keeps_the_rules;
use super::super::to_answer_in;
use super::*;
use crate::capability::Capability;
use crate::conversation::{
    Arguments, CacheHint, Message, Part, PartBody, Role, Source, ToolCall, ToolResult,
};
use crate::formats::openai_chat::to_conversation;
use crate::formats::translation::{AnswerIn, Leniency};
use crate::provider::Quirks;

const OPUS: &str = "us.anthropic.claude-opus-4-7";
const OPUS_5_5: &str = "us.anthropic.claude-opus-5-5";
const SONNET: &str = "anthropic.claude-3-5-sonnet-20241022-v2:0";
const NOVA_2: &str = "us.amazon.nova-2-lite-v1:0";
const NOVA: &str = "us.amazon.nova-pro-v1:0";
const OSS: &str = "openai.gpt-oss-120b-1:0";
const MISTRAL: &str = "mistral.mistral-large-2407-v1:0";
const OPAQUE: &str = "arn:aws:bedrock:us-east-1:1:application-inference-profile/x";
const ALL: [&str; 8] = [OPUS, OPUS_5_5, SONNET, NOVA_2, NOVA, OSS, MISTRAL, OPAQUE];

const STRICT: Leniency<'_> = Leniency { drops: false, repairs: false, passes: &[] };
const LENIENT: Leniency<'_> = Leniency { drops: true, repairs: true, passes: &[] };

fn target<'a>(model: &'a str, leniency: Leniency<'a>) -> Target<'a> {
    Target { model, capability: Capability::of("bedrock", model), leniency, quirks: Quirks::none() }
}

/// A chat request with these members beside its model and its one message.
fn chat(members: &Value) -> Conversation {
    let mut body = json!({"model": "m", "messages": [{"role": "user", "content": "Hi"}]});
    let object = body.as_object_mut().expect("an object");
    object.extend(members.as_object().expect("members").clone());
    to_conversation(&Bytes::from(body.to_string()), None).expect("a valid request")
}

fn written(c: &Conversation, target: &Target<'_>) -> Value {
    let written = from_conversation(c, target).expect("it can be said");
    serde_json::from_slice(&written.body).expect("JSON")
}

fn tools(names: &[&str]) -> Value {
    let tool = |name: &&str| json!({"type": "function", "function": {"name": name}});
    names.iter().map(tool).collect()
}

#[test]
fn what_carries_meaning_is_left_out_only_with_leave() {
    let named = json!({"type": "function", "function": {"name": "a"}});
    for (model, members, field) in [
        (OSS, json!({"top_k": 3}), "top_k"),
        (NOVA, json!({"stop": ["1", "2", "3", "4", "5"]}), "stop"),
        (NOVA, json!({"reasoning_effort": "low"}), "reasoning_effort"),
        (MISTRAL, json!({"tools": tools(&["a", "b"]), "tool_choice": named}), "tool_choice"),
        (OPUS_5_5, json!({"tools": tools(&["a"]), "tool_choice": "required"}), "tool_choice"),
        (OPUS, json!({"temperature": 0.5}), "temperature"),
        (OPAQUE, json!({"logit_bias": {"1": 2}}), "logit_bias"),
        (OPAQUE, json!({"n": 2}), "n"),
    ] {
        let c = chat(&members);
        let refused = from_conversation(&c, &target(model, STRICT));
        assert_eq!(refused.expect_err("refused").field.as_ref(), field, "{model} {members}");
        let lenient = from_conversation(&c, &target(model, LENIENT)).expect("left out");
        let noted = [lenient.dropped, lenient.adjusted].concat();
        assert!(noted.iter().any(|noted| **noted == *field), "{model} {members}: {noted:?}");
    }
}

#[test]
fn the_gateway_never_forces_a_tool_on_a_model_that_reasons() {
    let schema = json!({"type": "object", "properties": {"n": {"type": "integer", "minimum": 1}}});
    let format = json!({"type": "json_schema", "json_schema": {"name": "s", "schema": schema}});
    for (model, effort, forces) in [
        (OPUS, None, true),
        (OPUS, Some("low"), false),
        (OPUS_5_5, None, false),
        (SONNET, None, true),
        (NOVA_2, None, true),
        (NOVA_2, Some("low"), false),
        (OSS, None, false),
        (OSS, Some("high"), false),
        (MISTRAL, None, true),
    ] {
        let c = chat(&json!({"response_format": format, "reasoning_effort": effort}));
        let body = written(&c, &target(model, STRICT));
        let spec = &body["toolConfig"]["tools"][0]["toolSpec"];
        assert_eq!(spec["name"], "json_tool_call", "{model}");
        let free = body["toolConfig"]["toolChoice"] == json!({"auto": {}});
        assert_eq!(free, !forces, "{model} {effort:?}");
        assert_eq!(body["system"].is_array(), free, "{model}: who is free is told");
    }
}

#[test]
fn a_schema_goes_out_as_a_text_where_it_is_kept() {
    let schema = json!({"type": "object", "properties": {}, "additionalProperties": false});
    let format = json!({"type": "json_schema", "json_schema": {"name": "s", "schema": schema}});
    let c = chat(&json!({"response_format": format}));
    let body = written(&c, &target(OPUS, STRICT));
    let kept = &body["outputConfig"]["textFormat"]["structure"]["jsonSchema"]["schema"];
    let text = kept.as_str().expect("a text");
    assert_eq!(serde_json::from_str::<Value>(text).expect("JSON"), schema);
    assert!(body["toolConfig"].is_null());
    for model in [SONNET, NOVA, OPAQUE] {
        let body = written(&c, &target(model, STRICT));
        assert!(body["outputConfig"].is_null() && body["toolConfig"].is_object(), "{model}");
    }
}

#[test]
fn answers_come_back_in_the_clients_words() {
    let c = chat(&json!({"tools": tools(&["files.read-all"])}));
    let format =
        json!({"type": "json_schema", "json_schema": {"name": "s", "schema": {"type": "object"}}});
    let json = chat(&json!({"response_format": format}));
    for model in ALL {
        let target = target(model, LENIENT);
        let body = written(&c, &target);
        let theirs = &body["toolConfig"]["tools"][0]["toolSpec"]["name"];
        let answer = |name: &Value| {
            let call = json!({"toolUse": {"toolUseId": "t", "name": name, "input": {"a": 1}}});
            let message = json!({"role": "assistant", "content": [{"text": "Sure"}, call]});
            json!({"output": {"message": message}, "stopReason": "tool_use"}).to_string()
        };
        let read = to_answer_in(answer(theirs).as_bytes(), &wording(&c, &target));
        let AnswerIn::Answer(read) = read.expect("an object") else { panic!("{model}") };
        let call = read.choices[0].parts.iter().find_map(|part| match &part.body {
            PartBody::ToolCall(call) => Some(&*call.name),
            _ => None,
        });
        assert_eq!(call, Some("files.read-all"), "{model}");
        let name = json!("json_tool_call");
        let read = to_answer_in(answer(&name).as_bytes(), &wording(&json, &target));
        let AnswerIn::Answer(read) = read.expect("an object") else { panic!("{model}") };
        assert_eq!(read.choices[0].parts, [Part::text("{\"a\":1}")], "{model}");
    }
}

#[test]
fn fields_that_the_operator_lets_pass_go_to_the_model() {
    let passes = ["verbosity".into()];
    let leniency = Leniency { passes: &passes, ..STRICT };
    let body = written(&chat(&json!({"verbosity": "low"})), &target(OSS, leniency));
    assert_eq!(body["additionalModelRequestFields"], json!({"verbosity": "low"}));
}

#[test]
fn a_budget_without_a_limit_brings_a_limit_that_exceeds_it() {
    let mut c = chat(&json!({}));
    c.reasoning.mode = Some(crate::conversation::ReasoningMode::Budget(20_000));
    let body = written(&c, &target("anthropic.claude-sonnet-4-5", STRICT));
    let budget = &body["additionalModelRequestFields"]["thinking"]["budget_tokens"];
    assert_eq!(budget.as_u64(), Some(20_000));
    assert!(body["inferenceConfig"]["maxTokens"].as_u64().expect("a limit") > 20_000);
    assert!(written(&chat(&json!({})), &target(OPUS, STRICT))["inferenceConfig"].is_null());
}

#[test]
fn a_turn_that_a_repair_empties_leaves_no_two_turns_of_one_speaker() {
    let orphan = ToolResult { call: "1".into(), parts: Vec::new(), failed: false };
    let said = [
        (Role::User, Part::text("a")),
        (Role::Assistant, Part::text("b")),
        (Role::User, Part::new(PartBody::ToolResult(orphan))),
        (Role::Assistant, Part::text("c")),
        (Role::User, Part::text("d")),
    ];
    let message = |(role, part)| Message { role, parts: vec![part], name: None };
    let c = Conversation { messages: said.map(message).to_vec(), ..chat(&json!({})) };
    let body = written(&c, &target(OPUS, LENIENT));
    assert_eq!(body["messages"].as_array().map(Vec::len), Some(3));
    assert_eq!(body["messages"][1]["content"], json!([{"text": "b"}, {"text": "c"}]));
}

fn part() -> impl Strategy<Value = PartBody> {
    let text = |text: &'static str| PartBody::Text { text: text.into(), citations: Vec::new() };
    let base64 = |media_type: &'static str| Source::Base64 {
        media_type: media_type.into(),
        data: "AA==".into(),
    };
    let call = |id: &'static str| {
        let arguments = Arguments::Json("{}".into());
        let call = ToolCall { id: id.into(), name: "a.b".into(), arguments, seal: None };
        PartBody::ToolCall(call)
    };
    let result = |id: &'static str, parts: Vec<Part>| {
        PartBody::ToolResult(ToolResult { call: id.into(), parts, failed: true })
    };
    let picture = PartBody::Image { source: base64("image/png"), detail: None };
    let document =
        PartBody::Document { source: base64("application/pdf"), name: Some("a.b".into()) };
    prop_oneof![
        Just(text("a")),
        Just(text(" \n")),
        Just(PartBody::Refusal { text: "no".into() }),
        Just(picture),
        Just(document),
        Just(call("1")),
        Just(call("2")),
        Just(result("1", Vec::new())),
        Just(result("2", vec![Part::text("r"), Part::text("")])),
    ]
}

fn message() -> impl Strategy<Value = Message> {
    let hint = prop_oneof![Just(None), Just(Some(CacheHint::Short)), Just(Some(CacheHint::Hour))];
    let parts = prop::collection::vec((part(), hint), 0..4);
    let role = prop_oneof![Just(Role::User), Just(Role::Assistant), Just(Role::System)];
    (role, parts).prop_map(|(role, parts)| {
        let fits = |body: &PartBody| match body {
            PartBody::Text { .. } | PartBody::Refusal { .. } => true,
            PartBody::ToolCall(_) => role == Role::Assistant,
            _ => role == Role::User,
        };
        let parts = parts.into_iter().filter(|(body, _)| fits(body));
        let parts = parts.map(|(body, cache)| Part { body, cache }).collect();
        Message { role, parts, name: None }
    })
}

proptest! {
    #[test]
    fn whatever_is_said_the_services_rules_are_kept(
        messages in prop::collection::vec(message(), 0..8),
        model in prop::sample::select(ALL.to_vec()),
    ) {
        let c = Conversation { messages, ..chat(&json!({})) };
        let target = target(model, LENIENT);
        let first = from_conversation(&c, &target);
        prop_assert_eq!(&first, &from_conversation(&c, &target));
        if let Ok(written) = first {
            keeps_the_rules(&serde_json::from_slice(&written.body).expect("JSON"));
        }
    }
}
