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
use crate::provider::Quirks;

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
    let target = Target { model: "up", capability, quirks: Quirks::none(), leniency };
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
    let target = Target { model: "up", capability: &WEAK, quirks: Quirks::none(), leniency };
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

/// Writes for a provider of the catalog.
fn write_to(provider: &str, model: &str, c: &Conversation, drops: bool) -> (Value, Written) {
    let catalog = crate::provider::Catalog::embedded().expect("the catalog");
    let quirks = &catalog.find(provider).expect("a provider").quirks;
    let leniency = Leniency { drops, ..Leniency::default() };
    let capability = Capability::of(provider, model);
    let written = from_conversation(c, &Target { model, capability, quirks, leniency });
    let written = written.unwrap_or_else(|problem| panic!("{provider}: {problem}"));
    (serde_json::from_slice(&written.body).expect("JSON"), written)
}

#[test]
fn reasoning_goes_back_to_providers_that_want_it_whoever_thought_it() {
    let call = json!([{"id": "a", "type": "function", "function": {"name": "f"}}]);
    let conversation = conversation(json!({ "messages": [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "reasoning_content": "Plain.", "content": "", "tool_calls": call},
        {"role": "tool", "tool_call_id": "a", "content": "1"},
        {"role": "assistant", "content": "ok", "thinking_blocks": [
            {"type": "thinking", "thinking": "Signed.", "signature": "c2ln"}]},
        {"role": "user", "content": "And?"},
    ]}));
    for provider in ["deepseek", "moonshot", "zai", "xiaomi_mimo", "dashscope", "hosted_vllm"] {
        let (body, written) = write_to(provider, "m", &conversation, false);
        let back = |at: usize| body["messages"][at]["reasoning_content"].clone();
        assert_eq!((back(1), back(3)), (json!("Plain."), json!("Signed.")), "{provider}");
        assert!(written.adjusted.is_empty(), "{provider}");
    }
    for provider in ["minimax", "openrouter"] {
        let (body, _) = write_to(provider, "m", &conversation, false);
        let back = |at: usize| body["messages"][at]["reasoning_details"].clone();
        let plain = json!({"type": "reasoning.text", "text": "Plain.", "format": "unknown"});
        let signed = json!({"type": "reasoning.text", "text": "Signed.", "signature": "c2ln",
            "format": "anthropic-claude-v1"});
        for (at, mut wanted) in [(1, plain), (3, signed)] {
            wanted["index"] = json!(0);
            assert_eq!(back(at), json!([wanted]), "{provider}");
        }
    }
    for provider in ["groq", "mistral", "openai", "together_ai"] {
        let (body, written) = write_to(provider, "m", &conversation, false);
        assert!(!body.to_string().contains("Plain."), "{provider}");
        assert!(written.dropped.is_empty(), "{provider}: it goes without a word");
    }
}

#[test]
fn thinking_is_switched_as_the_provider_has_it() {
    let on = json!({"type": "enabled"});
    let off = json!({"type": "disabled"});
    let budget = json!({"type": "enabled", "budget_tokens": 2000});
    let adaptive = json!({"type": "adaptive"});
    for (provider, asked, field, wanted, effort) in [
        ("deepseek", json!({"thinking": budget}), "thinking", on.clone(), Value::Null),
        (
            "deepseek",
            json!({"thinking": adaptive, "reasoning_effort": "xhigh"}),
            "thinking",
            on.clone(),
            json!("high"),
        ),
        // An effort beside thinking that is off is an error there.
        (
            "deepseek",
            json!({"thinking": off, "reasoning_effort": "high"}),
            "thinking",
            off.clone(),
            Value::Null,
        ),
        ("deepseek", json!({"reasoning_effort": "none"}), "thinking", off.clone(), Value::Null),
        ("deepseek", json!({}), "thinking", Value::Null, Value::Null),
        ("moonshot", json!({"thinking": adaptive}), "thinking", on.clone(), Value::Null),
        ("zai", json!({"thinking": off}), "thinking", off.clone(), Value::Null),
        ("xiaomi_mimo", json!({"reasoning_effort": "low"}), "thinking", on, Value::Null),
        ("dashscope", json!({"thinking": budget}), "enable_thinking", json!(true), Value::Null),
        ("dashscope", json!({"thinking": off}), "enable_thinking", json!(false), Value::Null),
    ] {
        let (body, _) = write_to(provider, "m", &conversation(asked.clone()), false);
        let got = |name: &str| body.get(name).cloned().unwrap_or_default();
        assert_eq!((got(field), got("reasoning_effort")), (wanted, effort), "{provider} {asked}");
    }
    let asked = conversation(json!({ "thinking": budget }));
    assert_eq!(write_to("dashscope", "m", &asked, false).0["thinking_budget"], 2000);
}

#[test]
fn a_history_that_lost_its_reasoning_is_answered_without_thinking() {
    let call = json!([{"id": "a", "type": "function", "function": {"name": "f"}}]);
    let turns = json!([
        {"role": "assistant", "content": null, "tool_calls": call},
        {"role": "tool", "tool_call_id": "a", "content": "1"},
    ]);
    let thinking = json!({"type": "adaptive"});
    let off = json!({"type": "disabled"});
    for (provider, thinking, wanted, adjusted) in [
        ("deepseek", Value::Null, off.clone(), true),
        ("deepseek", thinking.clone(), off.clone(), true),
        ("moonshot", thinking.clone(), off, true),
        // Whether it thinks unasked is not known of all of its models.
        ("moonshot", Value::Null, Value::Null, false),
        ("zai", thinking, json!({"type": "enabled"}), false),
    ] {
        let asked = conversation(json!({"messages": turns, "thinking": thinking}));
        let (body, written) = write_to(provider, "m", &asked, false);
        assert_eq!(body.get("thinking").cloned().unwrap_or_default(), wanted, "{provider}");
        assert_eq!(written.adjusted.contains(&"thinking".into()), adjusted, "{provider}");
        assert!(body.get("reasoning_content").is_none());
    }
}

#[test]
fn what_a_reasoning_model_does_not_take_is_refused_or_dropped() {
    let logged = json!({"logprobs": true, "top_logprobs": 2});
    for (model, fields, unsupported) in [
        ("gpt-5", json!({"temperature": 0.5, "top_p": 0.9}), &["temperature", "top_p"][..]),
        ("gpt-5", json!({"temperature": 1, "presence_penalty": 0, "logprobs": false}), &[]),
        ("gpt-5", json!({"stop": "x", "logit_bias": {"1": 1}}), &["stop", "logit_bias"]),
        ("gpt-5", logged.clone(), &["logprobs", "top_logprobs"]),
        ("gpt-5.1", logged, &[]),
        ("gpt-5.1", json!({"temperature": 0.5}), &[]),
        ("o3", json!({"verbosity": "low", "stop": "x"}), &["verbosity"]),
    ] {
        let asked = conversation(fields.clone());
        let quirks = Quirks::none();
        let capability = Capability::of("openai", model);
        let strict = Target { model, capability, quirks, leniency: Leniency::default() };
        let refused = from_conversation(&asked, &strict).err().map(|problem| problem.field);
        assert_eq!(refused.as_deref(), unsupported.first().copied(), "{model} {fields}");
        let (body, written) = write_to("openai", model, &asked, true);
        let dropped: Vec<&str> = written.dropped.iter().map(|field| &**field).collect();
        assert_eq!(dropped, unsupported, "{model} {fields}");
        assert!(unsupported.iter().all(|field| body.get(field).is_none()));
    }
}

#[test]
fn an_effort_that_the_model_does_not_know_becomes_the_nearest() {
    for (model, asked, wanted) in [
        ("gpt-5", "none", "minimal"),
        ("gpt-5", "xhigh", "high"),
        ("gpt-5.5", "minimal", "low"),
        ("gpt-6", "max", "max"),
        ("o3", "minimal", "low"),
        ("gpt-4o", "minimal", "minimal"),
    ] {
        let asked = conversation(json!({ "reasoning_effort": asked }));
        let (body, written) = write_to("openai", model, &asked, false);
        assert_eq!(body["reasoning_effort"], wanted, "{model}");
        let adjusted = asked.reasoning.effort.is_some_and(|effort| effort.name() != wanted);
        assert_eq!(written.adjusted.contains(&"reasoning_effort".into()), adjusted, "{model}");
    }
}

#[test]
fn a_cache_hint_is_put_in_the_targets_word() {
    let hint = json!({"type": "ephemeral", "ttl": "1h"});
    let asked = conversation(json!({
        "messages": [{"role": "user", "content": [
            {"type": "text", "text": "a", "cache_control": hint}, {"type": "text", "text": "b"}]}],
        "tools": [{"type": "function", "function": {"name": "f"}, "cache_control": hint}],
    }));
    for (provider, model, word, on_part, on_tool) in [
        ("openrouter", "m", "cache_control", hint.clone(), hint.clone()),
        ("dashscope", "m", "cache_control", hint.clone(), hint),
        (
            "openai",
            "gpt-5.6",
            "prompt_cache_breakpoint",
            json!({"mode": "explicit", "ttl": "12h"}),
            Value::Null,
        ),
        ("openai", "gpt-5.5", "cache_control", Value::Null, Value::Null),
        ("deepseek", "m", "cache_control", Value::Null, Value::Null),
    ] {
        let (body, written) = write_to(provider, model, &asked, false);
        let of = |object: &Value| object.get(word).cloned().unwrap_or_default();
        assert_eq!(of(&body["messages"][0]["content"][0]), on_part, "{provider} {model}");
        assert_eq!(of(&body["tools"][0]), on_tool, "{provider} {model}");
        let told = written.dropped.contains(&"cache_control".into());
        assert_eq!(told, on_tool.is_null(), "{provider} {model}");
    }
}
