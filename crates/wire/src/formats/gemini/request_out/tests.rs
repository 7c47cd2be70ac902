//! Conversations of other formats, and what each generation of models takes.

use bytestring::ByteString;
use serde_json::{Value, json};

use super::*;
use crate::capability::Capability;
use crate::conversation::{
    Arguments, CacheHint, Effort, Message, Number, Part, PartBody, Provenance, Reasoning,
    ReasoningBlock, ReasoningMode, ResponseFormat, Role, Sampling, Source, Tool, ToolCall,
    ToolChoice, ToolKind, ToolResult,
};
use crate::formats::translation::Leniency;
use crate::provider::Quirks;

fn conversation(messages: Vec<Message>) -> Conversation {
    Conversation {
        model: tollgate_domain::ModelName::new("m").expect("a name"),
        stream: false,
        include_usage: false,
        messages,
        tools: Vec::new(),
        tool_choice: ToolChoice::Unsaid,
        parallel_tools: None,
        response_format: ResponseFormat::Text,
        sampling: Sampling::default(),
        reasoning: Reasoning::default(),
        output_tokens_max: None,
        choices: 1,
        user: None,
        unmapped: Vec::new(),
    }
}

fn says(role: Role, text: &'static str) -> Message {
    Message { role, parts: vec![Part::text(text)], name: None }
}

fn hello() -> Conversation {
    conversation(vec![says(Role::User, "hi")])
}

fn calls(id: &'static str, arguments: Arguments) -> Part {
    let (id, name) = (ByteString::from_static(id), ByteString::from_static("f"));
    Part::new(PartBody::ToolCall(ToolCall { id, name, arguments, seal: None }))
}

fn gives(call: &'static str, parts: Vec<Part>) -> Part {
    let call = ByteString::from_static(call);
    Part::new(PartBody::ToolResult(ToolResult { call, parts, failed: false }))
}

fn function(kind: ToolKind) -> Tool {
    Tool { name: "f".into(), description: None, kind, strict: None, cache: None }
}

fn write(c: &Conversation, model: &str, drops: bool) -> Result<Written, Unsupported> {
    let leniency = Leniency { drops, ..Leniency::default() };
    from_conversation(
        c,
        &Target { model, capability: &Capability::UNKNOWN, quirks: Quirks::none(), leniency },
    )
}

fn body(c: &Conversation, model: &str) -> Value {
    let written = write(c, model, false).expect("it can be written");
    serde_json::from_slice(&written.body).expect("what is written is JSON")
}

fn names(names: &[Box<str>]) -> Vec<&str> {
    names.iter().map(|name| &**name).collect()
}

#[test]
fn system_messages_stand_before_everything_or_become_reminders() {
    let c = conversation(vec![
        says(Role::System, "a"),
        says(Role::Developer, "b"),
        says(Role::User, "hi"),
        says(Role::System, "c"),
        says(Role::User, "you"),
    ]);
    let written = write(&c, "gemini-3-pro", false).expect("it can be written");
    assert_eq!(names(&written.adjusted), ["messages[3].role"]);
    assert_eq!(
        body(&c, "gemini-3-pro"),
        json!({
            "contents": [{ "role": "user", "parts": [
                { "text": "hi" },
                { "text": "<system-reminder>\nc\n</system-reminder>" },
                { "text": "you" },
            ] }],
            "systemInstruction": { "parts": [{ "text": "a" }, { "text": "b" }] },
        })
    );
}

#[test]
fn results_follow_their_calls_in_order_and_foreign_calls_get_a_seal() {
    let picture = Part::new(PartBody::Image {
        source: Source::Base64 { media_type: "image/png".into(), data: "aGk=".into() },
        detail: None,
    });
    let c = conversation(vec![
        says(Role::User, "go"),
        Message {
            role: Role::Assistant,
            parts: vec![
                calls("c1", Arguments::Json("{\"a\":1.0}".into())),
                calls("c2", Arguments::Json(String::new().into())),
                calls("c3", Arguments::Json("{broken".into())),
            ],
            name: None,
        },
        Message {
            role: Role::User,
            parts: vec![
                gives("c3", vec![Part::text("[1]")]),
                Part::text("and?"),
                gives("c1", vec![Part::text("{\"b\":2}"), picture]),
                gives("c2", vec![]),
            ],
            name: None,
        },
    ]);
    let third = body(&c, "gemini-3-pro");
    assert_eq!(
        third["contents"][1]["parts"],
        json!([
            {
                "functionCall": { "id": "c1", "name": "f", "args": { "a": 1.0 } },
                "thoughtSignature": "c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I=",
            },
            { "functionCall": { "id": "c2", "name": "f", "args": {} } },
            { "functionCall": { "id": "c3", "name": "f", "args": { "input": "{broken" } } },
        ])
    );
    let media = json!([{ "inlineData": { "mimeType": "image/png", "data": "aGk=" } }]);
    // The picture makes the text no whole JSON object; it stays one because pictures go beside.
    assert_eq!(
        third["contents"][2]["parts"],
        json!([
            { "functionResponse": {
                "id": "c1", "name": "f", "response": { "b": 2 }, "parts": media,
            } },
            { "functionResponse": { "id": "c2", "name": "f", "response": { "output": "" } } },
            { "functionResponse": { "id": "c3", "name": "f", "response": { "output": "[1]" } } },
            { "text": "and?" },
        ])
    );
    let second = body(&c, "gemini-2.5-pro");
    assert_eq!(
        second["contents"][1]["parts"][0],
        json!({ "functionCall": { "name": "f", "args": { "a": 1.0 } } })
    );
    assert_eq!(second["contents"][2]["parts"][4], media[0]);
}

#[test]
fn a_result_without_a_call_is_refused_whatever_the_leniency() {
    let parts = vec![gives("gone", vec![])];
    let c = conversation(vec![Message { role: Role::User, parts, name: None }]);
    let refused = write(&c, "gemini-3-pro", true).expect_err("nothing can be written");
    assert_eq!(&*refused.field, "messages[0]");
}

#[test]
fn a_tool_that_takes_text_takes_it_as_the_argument_its_calls_have() {
    let call = calls("c1", Arguments::Text("a \"b\"".into()));
    let said = Message { role: Role::Assistant, parts: vec![call], name: None };
    let tools = vec![function(ToolKind::Custom { format: None })];
    let c = Conversation { tools, ..conversation(vec![says(Role::User, "go"), said]) };
    let written = body(&c, "gemini-3-pro");
    let declared = &written["tools"][0]["functionDeclarations"][0]["parametersJsonSchema"];
    assert_eq!(declared["required"], json!(["input"]));
    let args = &written["contents"][1]["parts"][0]["functionCall"]["args"];
    assert_eq!(*args, json!({ "input": "a \"b\"" }));
}

fn effort(effort: Effort) -> Reasoning {
    Reasoning { effort: Some(effort), ..Reasoning::default() }
}

fn mode(mode: ReasoningMode) -> Reasoning {
    Reasoning { mode: Some(mode), ..Reasoning::default() }
}

fn thinks(model: &str, reasoning: &Reasoning, expected: &Value) {
    let c = Conversation { reasoning: reasoning.clone(), ..hello() };
    let written = body(&c, model)["generationConfig"]["thinkingConfig"].take();
    assert_eq!(written, *expected, "{model} {reasoning:?}");
}

#[test]
fn the_third_generation_is_told_a_level() {
    for (model, reasoning, shown, level) in [
        ("gemini-3-pro", effort(Effort::High), true, "high"),
        ("gemini-3-pro", effort(Effort::None), false, "low"),
        ("gemini-3.1-pro", effort(Effort::Medium), true, "medium"),
        ("gemini-3-flash", mode(ReasoningMode::Disabled), false, "minimal"),
    ] {
        thinks(model, &reasoning, &json!({ "includeThoughts": shown, "thinkingLevel": level }));
    }
    thinks("gemini-3-pro", &Reasoning::default(), &Value::Null);
    let adaptive = mode(ReasoningMode::Adaptive);
    thinks("gemini-3-flash", &adaptive, &json!({ "includeThoughts": true }));
}

#[test]
fn a_budget_stays_in_the_range_of_its_model() {
    for (model, reasoning, shown, budget) in [
        ("gemini-3-flash", mode(ReasoningMode::Budget(9)), true, 9),
        ("gemini-2.5-pro", mode(ReasoningMode::Disabled), false, 128),
        ("gemini-2.5-flash", effort(Effort::None), false, 0),
        ("gemini-2.5-flash-lite", effort(Effort::Minimal), true, 512),
        ("gemini-2.5-flash", mode(ReasoningMode::Budget(99_999)), true, 24_576),
        ("gemini-2.5-flash", mode(ReasoningMode::Adaptive), true, -1),
    ] {
        thinks(model, &reasoning, &json!({ "includeThoughts": shown, "thinkingBudget": budget }));
    }
    thinks("gemini-2.0-flash", &effort(Effort::None), &Value::Null);
    let summary = Reasoning { summary: Some(true), ..Reasoning::default() };
    thinks("gemini-2.5-flash", &summary, &json!({ "includeThoughts": true }));
}

#[test]
fn what_the_target_lacks_is_refused_or_left_out() {
    let number = || Some(Number("1e-1".into()));
    let with_sampling = |sampling| Conversation { sampling, ..hello() };
    let tool = |kind| Conversation { tools: vec![function(kind)], ..hello() };
    let plain = || ToolKind::Function { parameters: None };
    let hosted = r#"{"type":"web_search"}"#;
    for (model, c, field) in [
        (
            "gemini-3-pro",
            with_sampling(Sampling { presence_penalty: number(), ..Sampling::default() }),
            "presence_penalty",
        ),
        (
            "gemini-3-pro",
            with_sampling(Sampling { frequency_penalty: number(), ..Sampling::default() }),
            "frequency_penalty",
        ),
        (
            "gemini-3-pro",
            with_sampling(Sampling { stop: vec!["x".into(); 6], ..Sampling::default() }),
            "stop",
        ),
        ("gemini-3-pro", Conversation { choices: 9, ..hello() }, "n"),
        ("gemini-3-pro", tool(ToolKind::Hosted { declaration: hosted.into() }), "tools[0]"),
        (
            "gemini-2.5-pro",
            Conversation { response_format: ResponseFormat::JsonObject, ..tool(plain()) },
            "response_format",
        ),
        (
            "gemini-2.0-flash",
            Conversation {
                reasoning: Reasoning { effort: Some(Effort::Low), ..Reasoning::default() },
                ..hello()
            },
            "reasoning_effort",
        ),
        (
            "gemini-3-pro",
            conversation(vec![Message {
                role: Role::User,
                parts: vec![Part::new(PartBody::Document {
                    source: Source::File("file-1".into()),
                    name: None,
                })],
                name: None,
            }]),
            "messages[0].content",
        ),
    ] {
        let refused = write(&c, model, false).expect_err(field);
        assert_eq!((&*refused.field, &*refused.model), (field, model));
        assert!(refused.detail.contains("drop_params"), "{}", refused.detail);
        let written = write(&c, model, true).expect(field);
        assert_eq!(names(&written.dropped), [field]);
    }
}

#[test]
fn what_the_operator_lets_pass_goes_out() {
    let sampling =
        Sampling { presence_penalty: Some(Number("0.50".into())), ..Sampling::default() };
    let c = Conversation { sampling, ..hello() };
    let passes = ["presence_penalty".into()];
    let leniency = Leniency { passes: &passes, ..Leniency::default() };
    let target = Target {
        model: "gemini-3-pro",
        capability: &Capability::UNKNOWN,
        quirks: Quirks::none(),
        leniency,
    };
    let written = from_conversation(&c, &target).expect("it passes");
    assert!(written.body.ends_with(br#""generationConfig":{"presencePenalty":0.50}}"#));
}

#[test]
fn hints_are_dropped_without_a_word_to_the_client() {
    let mut c = hello();
    c.parallel_tools = Some(false);
    c.user = Some("u".into());
    c.messages[0].name = Some("n".into());
    c.messages[0].parts[0].cache = Some(CacheHint::Short);
    c.messages.push(Message {
        role: Role::Assistant,
        parts: vec![
            Part::new(PartBody::Reasoning(ReasoningBlock {
                text: "hm".into(),
                seal: Some("foreign".into()),
                redacted: false,
                provenance: Provenance::AnthropicMessages,
            })),
            Part::text("yes"),
        ],
        name: None,
    });
    c.unmapped = vec![
        ("metadata".into(), "{}".into()),
        ("generationConfig.speechConfig".into(), "{}".into()),
        ("tools[0].x".into(), "1".into()),
    ];
    let written = write(&c, "gemini-3-pro", false).expect("hints are never refused");
    assert_eq!(
        names(&written.dropped),
        [
            "reasoning",
            "parallel_tool_calls",
            "user",
            "cache_control",
            "name",
            "metadata",
            "tools[0].x"
        ]
    );
    let text = String::from_utf8(written.body.to_vec()).expect("UTF-8");
    assert!(!text.contains("foreign") && !text.contains("metadata"), "{text}");
    assert!(text.ends_with(r#""generationConfig":{"speechConfig":{}}}"#), "{text}");
}

#[test]
fn every_tool_choice_has_its_mode() {
    let among = |required| ToolChoice::Among { names: vec!["a".into(), "b".into()], required };
    for (choice, expected) in [
        (ToolChoice::Auto, json!({ "mode": "AUTO" })),
        (ToolChoice::None, json!({ "mode": "NONE" })),
        (ToolChoice::Required, json!({ "mode": "ANY" })),
        (ToolChoice::Named("f".into()), json!({ "mode": "ANY", "allowedFunctionNames": ["f"] })),
        (among(true), json!({ "mode": "ANY", "allowedFunctionNames": ["a", "b"] })),
        (among(false), json!({ "mode": "VALIDATED", "allowedFunctionNames": ["a", "b"] })),
    ] {
        let tools = vec![function(ToolKind::Function { parameters: None })];
        let c = Conversation { tool_choice: choice, tools, ..hello() };
        let config = body(&c, "gemini-3-pro")["toolConfig"]["functionCallingConfig"].take();
        assert_eq!(config, expected);
    }
    let c = Conversation { tool_choice: ToolChoice::None, ..hello() };
    assert_eq!(body(&c, "gemini-3-pro").get("toolConfig"), None, "without tools there is none");
}
