//! Writing requests of other formats: what becomes of what this one cannot say.

use bytestring::ByteString;
use serde_json::{Value, json};
use tollgate_domain::ModelName;

use super::*;
use crate::capability::Capability;
use crate::conversation::{
    Arguments, CacheHint, ReasoningBlock, Source, Tool, ToolCall, ToolChoice, ToolKind, ToolResult,
};
use crate::formats::translation::Leniency;
use crate::provider::Quirks;

fn conversation(parts: Vec<Part>) -> Conversation {
    Conversation {
        model: ModelName::new("m").expect("a name"),
        stream: false,
        include_usage: false,
        messages: vec![Message { role: Role::User, parts, name: None }],
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

fn write(c: &Conversation, leniency: Leniency<'_>) -> Result<(Value, Written), Unsupported> {
    let target = Target {
        model: "upstream",
        capability: &Capability::UNKNOWN,
        quirks: Quirks::none(),
        leniency,
    };
    let written = from_conversation(c, &target)?;
    Ok((serde_json::from_slice(&written.body).expect("JSON"), written))
}

const DROPS: Leniency<'static> = Leniency { drops: true, repairs: false, passes: &[] };

fn hello() -> Conversation {
    conversation(vec![Part::text("Hello")])
}

#[test]
fn no_call_is_without_an_item() {
    let system =
        |text: &str| Message { role: Role::System, parts: vec![Part::text(text)], name: None };
    let mut alone = conversation(Vec::new());
    alone.messages.insert(0, system("Be brief."));
    let (body, _) = write(&alone, DROPS).expect("it can be said");
    let content = json!([{"type": "input_text", "text": "Be brief."}]);
    assert_eq!(body["input"], json!([{"type": "message", "role": "system", "content": content}]));
    assert_eq!(body.get("instructions"), None, "{body}");

    let refused = write(&conversation(Vec::new()), DROPS).expect_err("nothing is said");
    assert_eq!(&*refused.field, "messages");
    let mut going_on = alone;
    going_on.unmapped = vec![("previous_response_id".into(), ByteString::from("\"resp_1\""))];
    let (body, _) = write(&going_on, DROPS).expect("the provider knows what was said");
    assert_eq!((&body["instructions"], &body["input"]), (&json!("Be brief."), &json!([])));
}

#[test]
fn what_the_format_cannot_say_is_refused_or_dropped() {
    let number = || Some(Number("1.0".into()));
    let mut stop = hello();
    stop.sampling.stop = vec!["x".into()];
    let mut several = hello();
    several.choices = 2;
    let mut seed = hello();
    seed.sampling.seed = number();
    let mut top_k = hello();
    top_k.sampling.top_k = number();
    for (c, field) in [(stop, "stop"), (several, "n"), (seed, "seed"), (top_k, "top_k")] {
        let refused = write(&c, Leniency::default()).expect_err(field);
        assert_eq!((&*refused.field, &*refused.model), (field, "upstream"));
        assert!(refused.detail.contains("drop_params: true"));
        let (body, written) = write(&c, DROPS).expect("it drops");
        assert_eq!(written.dropped, [Box::from(field)]);
        assert_eq!(body.get(field), None);
        if field != "n" {
            let passes = [Box::from(field)];
            let leniency = Leniency { passes: &passes, ..Leniency::default() };
            let (body, _) = write(&c, leniency).expect("it passes");
            assert!(body.get(field).is_some(), "{field}");
        }
    }
}

#[test]
fn fields_of_other_formats_are_left_out_and_named() {
    let mut c = hello();
    c.unmapped = [("metadata", "{\"a\":1}"), ("logit_bias", "{}"), ("verbosity", "\"low\"")]
        .map(|(name, raw)| (name.into(), raw.into()))
        .to_vec();
    c.messages[0].parts[0].cache = Some(CacheHint::Short);
    let (body, written) = write(&c, Leniency::default()).expect("harmless");
    assert_eq!(written.dropped, ["logit_bias", "cache_control"].map(Box::from));
    assert_eq!(body["metadata"], json!({"a": 1}));
    assert_eq!(body["text"], json!({"verbosity": "low"}));
    assert_eq!(body["store"], false, "nothing is stored that the client did not ask for");
}

#[test]
fn only_own_sealed_reasoning_goes_back() {
    let block = |provenance, seal: Option<&str>| {
        let seal = seal.map(ByteString::from);
        let redacted = true;
        Part::new(PartBody::Reasoning(ReasoningBlock {
            text: "t".into(),
            seal,
            redacted,
            provenance,
        }))
    };
    let mut c = hello();
    c.messages.push(Message {
        role: Role::Assistant,
        parts: vec![
            block(Provenance::AnthropicMessages, Some("theirs")),
            block(Provenance::Plain, None),
            block(Provenance::OpenAiResponses, Some("own")),
        ],
        name: None,
    });
    let (body, written) = write(&c, Leniency::default()).expect("reasoning is no reason to refuse");
    assert_eq!(body["input"].as_array().map(Vec::len), Some(2));
    assert_eq!(body["input"][1]["encrypted_content"], "own");
    assert_eq!(body["include"], json!(["reasoning.encrypted_content"]));
    assert_eq!(written.dropped, ["reasoning_content"].map(Box::from));
}

#[test]
fn calls_and_results_become_items_of_their_kind() {
    let call = |id: &str, arguments| {
        let (id, name, seal) = (id.into(), "run".into(), None);
        Part::new(PartBody::ToolCall(ToolCall { id, name, arguments, seal }))
    };
    let result = |call: &str, parts| {
        let call = call.into();
        Part::new(PartBody::ToolResult(ToolResult { call, parts, failed: false }))
    };
    let mut c = hello();
    let asked = vec![
        Part::text("Wait."),
        call("a", Arguments::Json(ByteString::new())),
        call("b", Arguments::Text("ls".into())),
    ];
    c.messages.push(Message { role: Role::Assistant, parts: asked, name: None });
    let answered =
        vec![result("a", Vec::new()), result("b", vec![Part::text("ok")]), Part::text("Go on.")];
    c.messages.push(Message { role: Role::User, parts: answered, name: None });
    let (body, _) = write(&c, Leniency::default()).expect("all of it can be said");
    let input = body["input"].as_array().expect("items");
    let kinds: Vec<&str> = input.iter().filter_map(|item| item["type"].as_str()).collect();
    let expected = [
        "message",
        "message",
        "function_call",
        "custom_tool_call",
        "function_call_output",
        "custom_tool_call_output",
        "message",
    ];
    assert_eq!(kinds, expected);
    assert_eq!((&input[2]["arguments"], &input[4]["output"]), (&json!("{}"), &json!("")));
    assert_eq!(input[1]["content"][0]["type"], "output_text");
}

#[test]
fn tools_of_other_formats_are_written_in_this_one() {
    let tool = |name: &str, kind| {
        let (description, strict, cache) = (None, None, None);
        Tool { name: name.into(), description, kind, strict, cache }
    };
    let nested = r#"{"type":"grammar","grammar":{"syntax":"lark","definition":"start: x"}}"#;
    let mut c = hello();
    c.tools = vec![
        tool("f", ToolKind::Function { parameters: None }),
        tool("g", ToolKind::Custom { format: Some(nested.into()) }),
    ];
    c.tool_choice = ToolChoice::Named("g".into());
    let (body, _) = write(&c, Leniency::default()).expect("tools");
    assert_eq!(body["tools"][0]["strict"], false, "an absent `strict` means true in this format");
    let flat = json!({"type": "grammar", "syntax": "lark", "definition": "start: x"});
    assert_eq!(body["tools"][1]["format"], flat);
    assert_eq!(body["tool_choice"], json!({"type": "custom", "name": "g"}));

    let declaration = r#"{"type":"web_search_20250305","name":"web_search"}"#.into();
    c.tools.push(tool("web_search", ToolKind::Hosted { declaration }));
    assert_eq!(&*write(&c, Leniency::default()).expect_err("foreign").field, "tools[2]");
    let (body, _) = write(&c, DROPS).expect("it drops");
    assert_eq!(body["tools"].as_array().map(Vec::len), Some(2));
}

#[test]
fn budgets_become_efforts_and_small_limits_the_least_one() {
    for (mode, effort, adjusted) in [
        (ReasoningMode::Disabled, Some("none"), 0),
        (ReasoningMode::Adaptive, None, 0),
        (ReasoningMode::Budget(1024), Some("low"), 1),
        (ReasoningMode::Budget(2048), Some("medium"), 1),
        (ReasoningMode::Budget(4096), Some("high"), 1),
    ] {
        let mut c = hello();
        c.reasoning.mode = Some(mode);
        let (body, written) = write(&c, Leniency::default()).expect("it can think");
        assert_eq!(body["reasoning"]["effort"].as_str(), effort, "{mode:?}");
        assert_eq!(written.adjusted.len(), adjusted, "{mode:?}");
    }
    let mut c = hello();
    c.output_tokens_max = Some(15);
    let (body, written) = write(&c, Leniency::default()).expect("a limit");
    assert_eq!(body["max_output_tokens"], 16);
    assert_eq!(written.adjusted, ["max_output_tokens"].map(Box::from));
}

#[test]
fn a_single_system_text_becomes_the_instructions() {
    let system = |parts| Message { role: Role::System, parts, name: None };
    let mut c = hello();
    c.messages.insert(0, system(vec![Part::text("Be kind.")]));
    let (body, _) = write(&c, Leniency::default()).expect("instructions");
    assert_eq!(body["instructions"], "Be kind.");
    assert_eq!(body["input"].as_array().map(Vec::len), Some(1));
    c.messages.insert(0, system(vec![Part::text("One."), Part::text("Two.")]));
    let (body, _) = write(&c, Leniency::default()).expect("items");
    assert_eq!(body.get("instructions"), None);
    assert_eq!(body["input"][0]["role"], "system");
}

#[test]
fn a_message_behind_the_instructions_keeps_its_place_in_what_is_said_about_it() {
    let audio = Part::new(PartBody::Audio { source: Source::Url("https://a".into()) });
    for instructions in [false, true] {
        let mut c = conversation(vec![audio.clone()]);
        if instructions {
            let parts = vec![Part::text("Be kind.")];
            c.messages.insert(0, Message { role: Role::System, parts, name: None });
        }
        let refused = write(&c, Leniency::default()).expect_err("no place for it");
        let place = format!("messages[{}]", usize::from(instructions));
        assert!(refused.field.starts_with(&place), "{refused}");
    }
}

#[test]
fn media_that_the_format_does_not_take_are_named() {
    let at_address = PartBody::Audio { source: Source::Url("https://a".into()) };
    let refused = write(&conversation(vec![Part::new(at_address)]), DROPS);
    let refused = refused.expect_err("what is said is never left out");
    assert_eq!(&*refused.field, "messages[0]");
    let note = PartBody::Document { source: Source::Text("Note".into()), name: None };
    let (body, _) = write(&conversation(vec![Part::new(note)]), Leniency::default()).expect("text");
    assert_eq!(body["input"][0]["content"][0], json!({"type": "input_text", "text": "Note"}));
}

#[test]
fn no_tools_are_written_where_all_were_another_providers() {
    let mut c = hello();
    let declaration = r#"{"type":"bash_20250124","name":"bash"}"#.into();
    let kind = ToolKind::Hosted { declaration };
    let (name, description) = ("bash".into(), None);
    c.tools = vec![Tool { name, description, kind, strict: None, cache: None }];
    let (body, written) = write(&c, DROPS).expect("it drops");
    assert_eq!(body.get("tools"), None);
    assert_eq!(*written.dropped, ["tools[0]".into()]);
}
