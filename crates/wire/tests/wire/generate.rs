//! Random conversations and answers in the hub's own words: what every wire format can say.

use bytestring::ByteString;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use tollgate_domain::{ModelName, Quantity, Usage, UsageKind};
use tollgate_wire::conversation::{
    Arguments, Conversation, FinishReason, Message, Number, Part, PartBody, Provenance, Reasoning,
    ResponseFormat, Role, Sampling, Source, Tool, ToolCall, ToolChoice, ToolKind, ToolResult,
};
use tollgate_wire::delta::{Delta, PartKind};

/// The model of every conversation.
pub(crate) const MODEL: &str = "some-model";

/// A schema that every format can have enforced.
const SCHEMA: &str =
    r#"{"type":"object","properties":{"a":{"type":"string"}},"additionalProperties":false}"#;

/// What a turn is made of: what the user says, whether with a picture, what the model says, and
/// what it calls.
type Turn = (String, bool, String, Vec<&'static str>);

fn text() -> impl Strategy<Value = String> {
    "[a-z\"\\\\/é😀{}]([ a-z\n\t\u{2028}\u{1}\u{7f}é😀]{0,10}[a-z\"\\\\é😀}])?"
}

fn arguments() -> impl Strategy<Value = &'static str> {
    select(vec![r#"{"a":1}"#, r#"{"a":[{"b":"\"é"}],"c":null}"#, "{}", r#"{"d":"x\ny"}"#])
}

/// A conversation that ends with the user.
pub(crate) fn conversation() -> impl Strategy<Value = Conversation> {
    let turn = (text(), any::<bool>(), text(), vec(arguments(), 0..3));
    let settings = (
        option::of(select(vec!["0", "0.5", "1.0"])),
        option::of(select(vec!["0.25", "1e-2"])),
        vec(text(), 0..2),
        any::<bool>(),
        // Below 16 there is an upstream that takes 16.
        16..9000_u64,
    );
    let tools = (vec((option::of(text()), any::<bool>()), 0..3), 0..4_usize, any::<bool>());
    (option::of(text()), vec(turn, 0..4), text(), settings, tools).prop_map(
        |(system, turns, last, settings, (tools, choice, schema))| {
            let (temperature, top_p, stop, stream, output_tokens_max) = settings;
            let number = |text: Option<&'static str>| text.map(|it| Number(it.into()));
            let tools: Vec<Tool> = tools.into_iter().enumerate().map(tool).collect();
            Conversation {
                model: ModelName::new(MODEL).expect("a name"),
                stream,
                include_usage: true,
                messages: messages(system, turns, last),
                tool_choice: tool_choice(&tools, choice),
                tools,
                parallel_tools: None,
                response_format: if schema { json_schema() } else { ResponseFormat::Text },
                sampling: Sampling {
                    temperature: number(temperature),
                    top_p: number(top_p),
                    stop: stop.into_iter().map(ByteString::from).collect(),
                    ..Sampling::default()
                },
                reasoning: Reasoning::default(),
                output_tokens_max: Some(output_tokens_max),
                choices: 1,
                user: None,
                unmapped: Vec::new(),
            }
        },
    )
}

fn json_schema() -> ResponseFormat {
    let (name, schema) = (Some("answer".into()), SCHEMA.into());
    ResponseFormat::JsonSchema { name, description: None, schema, strict: Some(true) }
}

fn tool((number, (description, takes)): (usize, (Option<String>, bool))) -> Tool {
    Tool {
        name: format!("tool_{number}").into(),
        description: description.map(ByteString::from),
        kind: ToolKind::Function { parameters: takes.then(|| SCHEMA.into()) },
        strict: None,
        cache: None,
    }
}

fn tool_choice(tools: &[Tool], choice: usize) -> ToolChoice {
    match (tools, choice) {
        ([], _) | (_, 0) => ToolChoice::Unsaid,
        (_, 1) => ToolChoice::Auto,
        (_, 2) => ToolChoice::Required,
        ([first, ..], _) => ToolChoice::Named(first.name.clone()),
    }
}

fn messages(system: Option<String>, turns: Vec<Turn>, last: String) -> Vec<Message> {
    let message = |role, parts| Message { role, parts, name: None };
    let mut calls = 0;
    let mut messages = Vec::new();
    messages.extend(system.map(|text| message(Role::System, vec![Part::text(text)])));
    for (asked, picture, said, called) in turns {
        let mut parts = vec![Part::text(asked)];
        if picture {
            let (media_type, data) = ("image/png".into(), "aGVsbG8=".into());
            let source = Source::Base64 { media_type, data };
            parts.push(Part::new(PartBody::Image { source, detail: None }));
        }
        messages.push(message(Role::User, parts));
        let mut parts = vec![Part::text(said)];
        let mut results = Vec::new();
        for arguments in called {
            let (id, name) = (ByteString::from(format!("call_{calls}")), "tool_0".into());
            calls += 1;
            let arguments = Arguments::Json(arguments.into());
            let call = ToolCall { id: id.clone(), name, arguments, seal: None };
            parts.push(Part::new(PartBody::ToolCall(call)));
            let parts = vec![Part::text("result")];
            let result = ToolResult { call: id, parts, failed: false };
            results.push(Part::new(PartBody::ToolResult(result)));
        }
        messages.push(message(Role::Assistant, parts));
        if !results.is_empty() {
            messages.push(message(Role::User, results));
        }
    }
    messages.push(message(Role::User, vec![Part::text(last)]));
    messages
}

/// What a streamed part is: of which kind, its texts, and a tool call's arguments.
type Streamed = (u8, Vec<String>, &'static str);

/// The deltas of a whole answer of one choice. Reasoning is of this provenance and, where it is
/// sealed, sealed.
pub(crate) fn answer(provenance: Provenance, seals: bool) -> impl Strategy<Value = Vec<Delta>> {
    let part = (0..4_u8, vec(text(), 1..4), arguments());
    (vec(part, 1..6), any::<bool>(), 1..900_u64, 0..900_u64).prop_map(
        move |(parts, long, prompt, completion)| {
            let says = |wanted: u8| parts.iter().any(|(kind, ..)| *kind == wanted);
            let (calls, declines) = (says(3), says(1) && !says(0));
            let mut deltas = vec![Delta::Begin {
                id: Some("answer-1".into()),
                model: Some(MODEL.into()),
                created: Some(7),
            }];
            for (number, part) in (0..).zip(parts) {
                stream_part(number, part, provenance, seals, &mut deltas);
            }
            let reason = match (calls, long) {
                (true, _) => FinishReason::ToolCalls,
                (false, _) if declines => FinishReason::Refused,
                (false, true) => FinishReason::Length,
                (false, false) => FinishReason::Stop,
            };
            deltas.push(Delta::Finish { choice: 0, reason, stop_sequence: None });
            let usage = Usage::UNKNOWN
                .with(UsageKind::Input, Quantity::whole(prompt))
                .with(UsageKind::Output, Quantity::whole(completion));
            deltas.push(Delta::Usage(usage));
            deltas.push(Delta::End);
            deltas
        },
    )
}

fn stream_part(
    part: u32,
    (kind, texts, arguments): Streamed,
    provenance: Provenance,
    seals: bool,
    deltas: &mut Vec<Delta>,
) {
    let more = |text: &str| Delta::More { part, text: text.into() };
    let (kind, texts) = match kind {
        0 => (PartKind::Text, texts),
        1 => (PartKind::Refusal, texts),
        2 => (PartKind::Reasoning { provenance }, texts),
        _ => {
            let (id, name) = (format!("call_{part}").into(), "tool_0".into());
            let (head, tail) = arguments.split_at(1);
            let kind = PartKind::ToolCall { id, name, custom: false };
            (kind, vec![head.to_owned(), tail.to_owned()])
        }
    };
    let sealed = seals && matches!(kind, PartKind::Reasoning { .. });
    deltas.push(Delta::Open { choice: 0, part, kind });
    deltas.extend(texts.iter().map(|text| more(text)));
    if sealed {
        deltas.push(Delta::Seal { part, seal: format!("c2VhbA{part}==").into() });
    }
    deltas.push(Delta::Close { part });
}
