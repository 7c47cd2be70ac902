//! What a target is asked, by what its record allows.

use serde_json::{Value, json};

use super::super::names::JSON_TOOL;
use super::*;
use crate::capability::Capability;
use crate::conversation::{
    Arguments, Message, Number, Part, PartBody, Provenance, Reasoning, ReasoningBlock,
    ResponseFormat, Sampling, Tool, ToolCall, ToolChoice, ToolKind, ToolResult,
};
use crate::formats::translation::Leniency;
use crate::provider::Quirks;
use tollgate_domain::ModelName;

const SCHEMA: &str = r#"{"type":"object","properties":{},"additionalProperties":false}"#;
const OPUS_4_5: &str = "claude-opus-4-5";
const OPUS_4_7: &str = "claude-opus-4-7";
const SONNET_5: &str = "claude-sonnet-5";
const SONNET_5_5: &str = "claude-sonnet-5-5";
const OPUS_5_5: &str = "claude-opus-5-5";

fn message(role: Role, parts: Vec<Part>) -> Message {
    Message { role, parts, name: None }
}

fn said(role: Role, text: &'static str) -> Message {
    message(role, vec![Part::text(text)])
}

fn call(id: &'static str) -> Part {
    let arguments = Arguments::Json("{}".into());
    Part::new(PartBody::ToolCall(ToolCall {
        id: id.into(),
        name: "look".into(),
        arguments,
        seal: None,
    }))
}

fn result(id: &'static str) -> Part {
    let parts = vec![Part::text(id)];
    Part::new(PartBody::ToolResult(ToolResult { call: id.into(), parts, failed: false }))
}

fn tool(name: &'static str) -> Tool {
    let kind = ToolKind::Function { parameters: Some(SCHEMA.into()) };
    Tool { name: name.into(), description: None, kind, strict: None, cache: None }
}

fn conversation(messages: Vec<Message>) -> Conversation {
    Conversation {
        model: ModelName::new("group").expect("a name"),
        stream: false,
        include_usage: true,
        messages,
        tools: Vec::new(),
        tool_choice: ToolChoice::Unsaid,
        parallel_tools: None,
        response_format: ResponseFormat::Text,
        sampling: Sampling::default(),
        reasoning: Reasoning::default(),
        output_tokens_max: Some(8000),
        choices: 1,
        user: None,
        unmapped: Vec::new(),
    }
}

fn hello() -> Conversation {
    conversation(vec![said(Role::User, "hello")])
}

fn leniency(drops: bool, repairs: bool) -> Leniency<'static> {
    Leniency { drops, repairs, passes: &[] }
}

fn written_on(
    platform: &str,
    model: &str,
    c: &Conversation,
    leniency: Leniency<'_>,
) -> Result<(Value, Written), Unsupported> {
    let target = Target {
        model,
        capability: Capability::of(platform, model),
        quirks: Quirks::none(),
        leniency,
    };
    let written = from_conversation(c, &target)?;
    Ok((serde_json::from_slice(&written.body).expect("JSON"), written))
}

fn strict(model: &str, c: &Conversation) -> Result<(Value, Written), Unsupported> {
    written_on("anthropic", model, c, leniency(false, false))
}

fn lenient(model: &str, c: &Conversation) -> (Value, Written) {
    written_on("anthropic", model, c, leniency(true, false)).expect("lenient")
}

fn reasoning(mode: Option<ReasoningMode>, effort: Option<Effort>) -> Conversation {
    Conversation { reasoning: Reasoning { mode, effort, summary: None }, ..hello() }
}

#[test]
fn thinking_is_asked_for_in_the_way_the_model_knows() {
    use ReasoningMode::{Adaptive, Budget, Disabled};
    let adaptive = json!({"type": "adaptive"});
    let summarized = json!({"type": "adaptive", "display": "summarized"});
    let off = json!({"type": "disabled"});
    for (model, mode, effort, thinking, said_effort, adjusted) in [
        (OPUS_4_5, None, None, Value::Null, "", ""),
        (
            OPUS_4_5,
            Some(Budget(2048)),
            None,
            json!({"type": "enabled", "budget_tokens": 2048}),
            "",
            "",
        ),
        (
            OPUS_4_5,
            Some(Budget(9000)),
            None,
            json!({"type": "enabled", "budget_tokens": 7999}),
            "",
            "thinking",
        ),
        (
            OPUS_4_5,
            None,
            Some(Effort::High),
            json!({"type": "enabled", "budget_tokens": 4096}),
            "",
            "",
        ),
        (OPUS_4_5, None, Some(Effort::None), off, "", ""),
        (OPUS_4_7, Some(Budget(2048)), None, adaptive.clone(), "medium", "thinking"),
        (OPUS_4_7, Some(Adaptive), Some(Effort::XHigh), adaptive, "xhigh", ""),
        (OPUS_4_7, None, Some(Effort::Minimal), summarized, "low", "reasoning_effort"),
        (
            SONNET_5_5,
            Some(Disabled),
            Some(Effort::Max),
            json!({"type": "between_tools"}),
            "high",
            "thinking",
        ),
        (OPUS_5_5, Some(Disabled), None, Value::Null, "low", "thinking"),
        (OPUS_5_5, None, Some(Effort::None), Value::Null, "low", "reasoning_effort"),
    ] {
        let (body, written) = strict(model, &reasoning(mode, effort)).expect("expressible");
        assert_eq!(body["thinking"], thinking, "{model} {mode:?} {effort:?}");
        let effort_written = body["output_config"]["effort"].as_str().unwrap_or_default();
        assert_eq!(effort_written, said_effort, "{model} {mode:?} {effort:?}");
        let told = written.adjusted.first().map_or("", |field| field);
        assert_eq!(told, adjusted, "{model} {mode:?} {effort:?}");
    }
}

#[test]
fn adaptive_thinking_never_becomes_a_budget() {
    let c = reasoning(Some(ReasoningMode::Adaptive), None);
    assert_eq!(&*strict(OPUS_4_5, &c).expect_err("unknown to it").field, "thinking");
    let (body, written) = lenient(OPUS_4_5, &c);
    assert_eq!((body["thinking"].clone(), &*written.dropped[0]), (Value::Null, "thinking"));
}

#[test]
fn a_forced_tool_and_thinking_are_refused_before_they_are_sent() {
    let c = |mode, effort| Conversation {
        tools: vec![tool("look")],
        tool_choice: ToolChoice::Named("look".into()),
        ..reasoning(mode, effort)
    };
    let both = c(Some(ReasoningMode::Adaptive), None);
    let refusal = strict(OPUS_4_7, &both).expect_err("they exclude each other");
    assert!(refusal.thinking_with_forced_tool && refusal.detail.contains("tool_choice"));
    let (body, written) = lenient(OPUS_4_7, &both);
    assert_eq!(body["thinking"]["type"], "disabled");
    assert_eq!(body["tool_choice"], json!({"type": "tool", "name": "look"}));
    assert_eq!(written.dropped, ["thinking".into()]);

    // The model's own habit gives way, and so does an effort, which implies no will to think.
    let (body, written) = strict(SONNET_5, &c(None, None)).expect("its habit gives way");
    assert_eq!(
        (&body["thinking"]["type"], &*written.adjusted[0]),
        (&json!("disabled"), "thinking")
    );
    let (body, written) = strict(SONNET_5, &c(None, Some(Effort::High))).expect("gives way");
    assert_eq!(body["thinking"]["type"], "disabled");
    assert_eq!(written.adjusted, ["reasoning_effort".into()]);

    // Where no tool can ever be forced, the choice becomes free only with leave to do so.
    let refusal = strict(OPUS_5_5, &c(None, None)).expect_err("never forced");
    assert!(refusal.thinking_with_forced_tool && &*refusal.field == "tool_choice");
    let (body, written) = lenient(OPUS_5_5, &c(None, None));
    assert_eq!(
        (&body["tool_choice"]["type"], &*written.adjusted[0]),
        (&json!("auto"), "tool_choice")
    );
}

#[test]
fn a_json_answer_never_brings_a_forced_tool_to_a_thinking_model() {
    let schema = |schema: &'static str, c: Conversation| Conversation {
        response_format: ResponseFormat::JsonSchema {
            name: None,
            description: None,
            schema: schema.into(),
            strict: None,
        },
        ..c
    };
    let (body, written) = strict(OPUS_4_7, &schema(SCHEMA, hello())).expect("native");
    assert_eq!(body["output_config"]["format"]["type"], "json_schema");
    assert!(written.adjusted.is_empty() && body["tools"].is_null());
    for platform in ["bedrock", "vertex_ai"] {
        let forced =
            written_on(platform, OPUS_4_7, &schema(SCHEMA, hello()), leniency(false, false));
        assert_eq!(forced.expect("a tool").0["tool_choice"]["name"], JSON_TOOL);
        let c = schema(SCHEMA, reasoning(Some(ReasoningMode::Adaptive), None));
        let free = written_on(platform, OPUS_4_7, &c, leniency(false, false)).expect("a tool");
        assert_eq!(free.0["tool_choice"], json!({"type": "auto"}), "{platform}");
        assert_eq!(free.0["thinking"]["type"], "adaptive", "{platform}");
        assert!(free.0["system"][0]["text"].as_str().expect("told so").contains(JSON_TOOL));
        assert_eq!(free.1.adjusted, ["response_format".into()]);
    }
    let loose = r#"{"type":"object","properties":{"n":{"type":"integer","minimum":1}}}"#;
    let (body, _) = strict(OPUS_5_5, &schema(loose, hello())).expect("a tool");
    assert_eq!(
        (&body["tool_choice"]["type"], &body["tools"][0]["name"]),
        (&json!("auto"), &json!(JSON_TOOL))
    );
    let any = Conversation { response_format: ResponseFormat::JsonObject, ..hello() };
    let (body, written) = strict(OPUS_4_7, &any).expect("in words");
    assert!(body["system"][0]["text"].as_str().expect("told so").contains("JSON object"));
    assert_eq!(written.adjusted, ["response_format".into()]);
}

#[test]
fn sampling_is_left_out_only_with_leave() {
    let c = |temperature: &'static str, top_p: Option<&'static str>| {
        let number = |text: &'static str| Number(text.into());
        let sampling = Sampling {
            temperature: Some(number(temperature)),
            top_p: top_p.map(number),
            ..Sampling::default()
        };
        Conversation { sampling, ..hello() }
    };
    let (body, written) = strict(OPUS_4_5, &c("1.7", None)).expect("clamped");
    assert_eq!((&body["temperature"], &*written.adjusted[0]), (&json!(1), "temperature"));
    let (body, written) = strict(OPUS_4_5, &c("1e-1", Some("0.9"))).expect("one of the two");
    assert_eq!((body["top_p"].clone(), &*written.dropped[0]), (Value::Null, "top_p"));
    assert_eq!(&*strict(OPUS_4_7, &c("0.2", None)).expect_err("none").field, "temperature");
    assert_eq!(lenient(OPUS_4_7, &c("0.2", None)).1.dropped, ["temperature".into()]);
    assert!(strict(OPUS_4_7, &c("1.0", None)).expect("the default").0["temperature"].is_null());
}

#[test]
fn messages_become_turns_with_results_first() {
    let c = conversation(vec![
        said(Role::System, "be brief"),
        said(Role::Developer, "be kind"),
        said(Role::User, "go"),
        message(Role::Assistant, vec![call("a"), call("b.1")]),
        message(Role::User, vec![result("b.1")]),
        message(Role::User, vec![Part::text("and?"), result("a")]),
        said(Role::System, "mind the time"),
        said(Role::User, ""),
        said(Role::User, "well?"),
    ]);
    let (body, _) = strict(OPUS_4_5, &c).expect("expressible");
    assert_eq!(body["system"].as_array().map(Vec::len), Some(2));
    let turns = body["messages"].as_array().expect("turns");
    let roles: Vec<_> = turns.iter().map(|turn| turn["role"].as_str().expect("a role")).collect();
    assert_eq!(roles, ["user", "assistant", "user"]);
    let answers = turns[2]["content"].as_array().expect("blocks");
    assert_eq!(answers[0]["tool_use_id"], "a");
    assert_eq!(answers[1]["tool_use_id"], turns[1]["content"][1]["id"], "rewritten alike");
    assert_ne!(answers[1]["tool_use_id"], "b.1");
    assert_eq!(answers[3]["text"], "<system-reminder>\nmind the time\n</system-reminder>");
    assert_eq!(answers[4]["text"], "well?");
}

#[test]
fn a_system_message_keeps_its_place_where_the_model_takes_it_there() {
    let c = conversation(vec![said(Role::User, "go"), said(Role::System, "now")]);
    let (body, _) = strict(OPUS_5_5, &c).expect("expressible");
    assert_eq!(body["messages"][1]["role"], "system");
    let (body, _) = strict(OPUS_4_7, &c).expect("expressible");
    assert_eq!(body["messages"].as_array().map(Vec::len), Some(1));
}

#[test]
fn reasoning_that_nobody_signed_is_never_sent() {
    let block = |provenance, seal: Option<&'static str>| {
        let seal = seal.map(Into::into);
        let block = ReasoningBlock { text: "hm".into(), seal, redacted: false, provenance };
        Part::new(PartBody::Reasoning(block))
    };
    let c = conversation(vec![
        said(Role::User, "go"),
        message(
            Role::Assistant,
            vec![
                block(Provenance::Plain, None),
                block(Provenance::Gemini, Some("g")),
                block(Provenance::AnthropicMessages, None),
                block(Provenance::AnthropicMessages, Some("s")),
                Part::text("gone"),
            ],
        ),
        said(Role::User, "more"),
    ]);
    let (body, written) = strict(OPUS_4_7, &c).expect("expressible");
    let blocks = body["messages"][1]["content"].as_array().expect("blocks");
    assert_eq!(blocks.len(), 2);
    assert_eq!(blocks[0], json!({"type": "thinking", "thinking": "hm", "signature": "s"}));
    assert_eq!(written.dropped, ["reasoning".into()]);
}

#[test]
fn an_open_tool_loop_without_signed_thinking_goes_on_without_a_budget() {
    let mut c = conversation(vec![
        said(Role::User, "go"),
        message(Role::Assistant, vec![call("a")]),
        message(Role::User, vec![result("a")]),
    ]);
    c.tools = vec![tool("look")];
    c.reasoning.mode = Some(ReasoningMode::Budget(2048));
    let (body, written) = strict(OPUS_4_5, &c).expect("expressible");
    assert_eq!(
        (&body["thinking"]["type"], &*written.adjusted[0]),
        (&json!("disabled"), "thinking")
    );
}

#[test]
fn messages_are_repaired_only_with_leave() {
    let c = conversation(vec![
        said(Role::Assistant, "hi"),
        said(Role::User, "go"),
        message(Role::Assistant, vec![call("a")]),
        message(Role::User, vec![result("x"), Part::text("forget it")]),
        said(Role::Assistant, "I begin: "),
    ]);
    let refusal = strict(OPUS_4_7, &c).expect_err("no prefill");
    assert_eq!(&*refusal.field, "messages");
    let (body, written) =
        written_on("anthropic", OPUS_4_7, &c, leniency(false, true)).expect("repaired");
    assert_eq!(written.adjusted, ["messages".into()]);
    let turns = body["messages"].as_array().expect("turns");
    assert_eq!((&turns[0]["role"], &turns[6]["role"]), (&json!("user"), &json!("user")));
    assert_eq!(turns[4]["content"][0]["is_error"], true);
    assert_eq!(turns[4]["content"].as_array().map(Vec::len), Some(2));
    let (body, _) = strict(OPUS_4_5, &c).expect("prefill");
    assert_eq!(body["messages"][4]["content"][0]["text"], "I begin:");
}

#[test]
fn the_limit_that_the_api_wants_is_there_without_the_client() {
    for (model, stream, budget, limit) in [
        (OPUS_4_5, false, None, 8192),
        (OPUS_4_5, true, None, 32_768),
        (OPUS_4_5, false, Some(16_000), 20_096),
        (OPUS_4_5, false, Some(63_000), 64_000),
        ("some-model", true, None, 4096),
    ] {
        let mode = budget.map(ReasoningMode::Budget);
        let c = Conversation { output_tokens_max: None, stream, ..reasoning(mode, None) };
        assert_eq!(strict(model, &c).expect("expressible").0["max_tokens"], limit, "{model}");
    }
}

#[test]
fn the_same_conversation_always_gives_the_same_bytes() {
    let c = Conversation { tools: vec![tool("b"), tool("a")], ..hello() };
    let first = strict(OPUS_4_7, &c).expect("expressible").1;
    assert_eq!(strict(OPUS_4_7, &c).expect("expressible").1, first);
    let body = String::from_utf8(first.body.to_vec()).expect("UTF-8");
    assert!(body.find("\"name\":\"b\"") < body.find("\"name\":\"a\""), "the client's order");
}
