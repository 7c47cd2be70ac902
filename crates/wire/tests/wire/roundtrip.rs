//! What is written in a format reads back in it: conversations, and streamed answers.

use std::fmt::Write as _;

use proptest::prelude::*;
use serde_json::Value;
use tollgate_wire::Quirks;
use tollgate_wire::capability::Capability;
use tollgate_wire::conversation::{
    Arguments, Conversation, Message, Part, PartBody, Provenance, ResponseFormat, Role, ToolKind,
};
use tollgate_wire::delta::{Close, Delta, PartKind};
use tollgate_wire::formats::translation::{Leniency, Target};

use crate::bodies::deltas::obey_the_laws;
use crate::bodies::formats::{CLIENTS, Client, client, reply, upstream};
use crate::bodies::requests::check_conversation;
use crate::bodies::streams::{check_clients, interpret};
use crate::generate::{MODEL, answer, conversation};

/// What a conversation says, as far as a format has words for it. Neighbouring messages of one role
/// are one, as are neighbouring texts.
fn told(c: &Conversation, format: &str) -> String {
    let mut told = format!("{:?} {:?}\n", c.output_tokens_max, c.tool_choice);
    let sampling = &c.sampling;
    let stop = (format != "openai_responses").then_some(&sampling.stop);
    let _ = writeln!(told, "{:?} {:?} {stop:?}", sampling.temperature, sampling.top_p);
    for tool in &c.tools {
        let takes = match &tool.kind {
            ToolKind::Function { parameters } => parameters.as_deref().map(json),
            ToolKind::Custom { .. } | ToolKind::Hosted { .. } => None,
        };
        // A function without a schema takes no arguments, which some formats write down.
        let takes = takes.filter(|schema| schema.get("additionalProperties").is_some());
        let _ = writeln!(told, "tool {} {:?} {takes:?}", tool.name, tool.description);
    }
    // Older models of `gemini` keep a schema only where there are no tools.
    let keeps_schema = format != "gemini" || c.tools.is_empty();
    if let ResponseFormat::JsonSchema { schema, .. } = &c.response_format
        && keeps_schema
    {
        let _ = writeln!(told, "schema {}", json(schema));
    }
    let mut last = None;
    for message in &c.messages {
        told_message(message, format, &mut last, &mut told);
    }
    told
}

fn told_message(message: &Message, format: &str, last: &mut Option<Role>, told: &mut String) {
    if last.replace(message.role) != Some(message.role) {
        let _ = writeln!(told, "{:?}", message.role);
    }
    for part in &message.parts {
        let _ = writeln!(told, "  {}", told_part(part, format));
    }
}

fn told_part(part: &Part, format: &str) -> String {
    // Calls of this format need no ids; what reads them makes some.
    let id = |id: &str| if format == "gemini" { String::new() } else { id.to_owned() };
    match &part.body {
        PartBody::ToolCall(call) => {
            let (Arguments::Json(arguments) | Arguments::Text(arguments)) = &call.arguments;
            format!("call {} {} {}", id(&call.id), call.name, json(arguments))
        }
        PartBody::ToolResult(result) => {
            format!("result {} {} {:?}", id(&result.call), result.failed, result.parts)
        }
        PartBody::Image { source, .. } => format!("image {source:?}"),
        other => format!("{other:?}"),
    }
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

/// What the deltas of an answer say in a format, neighbouring texts of one kind joined.
fn said(deltas: &[Delta], format: &str) -> Vec<(String, String)> {
    let mut said: Vec<(String, String)> = Vec::new();
    let mut open = Vec::new();
    for delta in deltas {
        match delta {
            Delta::Open { part, kind, .. } => open.push((*part, name(kind, format))),
            Delta::More { part, text } => {
                let (_, name) = open.iter().find(|(open, _)| open == part).expect("it is open");
                match said.last_mut().filter(|(last, _)| last == name) {
                    Some((_, known)) => known.push_str(text),
                    None => said.push((name.clone(), text.to_string())),
                }
            }
            Delta::Seal { seal, .. } => said.push(("seal".to_owned(), seal.to_string())),
            Delta::Finish { reason, .. } => said.push(("finish".to_owned(), format!("{reason:?}"))),
            Delta::End => said.push(("end".to_owned(), String::new())),
            Delta::Begin { .. } | Delta::Cite { .. } | Delta::Close { .. } => {}
            Delta::Usage(_) | Delta::Failed(_) => {}
        }
    }
    for (name, text) in said.iter_mut().filter(|(name, _)| name.starts_with("call")) {
        *text = format!("{name}: {}", json(text));
    }
    said
}

fn name(kind: &PartKind, format: &str) -> String {
    let refuses_in_text = matches!(format, "anthropic_messages" | "gemini");
    match kind {
        PartKind::Refusal if !refuses_in_text => "refusal".to_owned(),
        PartKind::Text | PartKind::Refusal => "text".to_owned(),
        PartKind::Reasoning { .. } | PartKind::Redacted { .. } => "reasoning".to_owned(),
        PartKind::ToolCall { id, name, .. } => format!("call {id} {name}"),
    }
}

/// What the usage of an answer comes to.
fn used(deltas: &[Delta]) -> Option<(u64, u64)> {
    let usage = deltas.iter().rev().find_map(|delta| match delta {
        Delta::Usage(usage) => Some(usage),
        _ => None,
    })?;
    Some((usage.prompt()?.rounded(), usage.completion()?.rounded()))
}

/// Whose reasoning a format carries as its own, and whether it carries seals.
fn provenance(format: &str) -> (Provenance, bool) {
    match format {
        "openai_chat" => (Provenance::Plain, false),
        "openai_responses" => (Provenance::OpenAiResponses, true),
        "anthropic_messages" => (Provenance::AnthropicMessages, true),
        _ => (Provenance::Gemini, true),
    }
}

fn check_answer(client: &Client, deltas: &[Delta]) {
    obey_the_laws(deltas);
    check_clients(deltas);
    let Some(upstream) = upstream(client.name) else { return };
    let mut renderer = (client.renderer)(reply());
    let mut written = Vec::new();
    deltas.iter().for_each(|delta| renderer.delta(delta, &mut written));
    let again = interpret(upstream, &[&written], Close::Clean);
    let stream = String::from_utf8_lossy(&written);
    assert_eq!(said(&again, client.name), said(deltas, client.name), "{}: {stream}", client.name);
    assert_eq!(used(&again), used(deltas), "{}: {stream}", client.name);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_conversation_reads_back_in_every_format(given in conversation()) {
        let leniency = Leniency { drops: true, ..Leniency::default() };
        for client in &CLIENTS {
            let name = client.name;
            let Some(upstream) = upstream(name) else { continue };
            let (capability, quirks) = (&Capability::UNKNOWN, Quirks::none());
            let target = Target { model: MODEL, capability, leniency, quirks };
            let written = (upstream.write)(&given, &target).expect("every format can say it");
            let text = String::from_utf8_lossy(&written.body);
            let read = (client.read)(&written.body);
            let again = read.unwrap_or_else(|problem| panic!("{name}: {problem}: {text}"));
            prop_assert_eq!(told(&again, name), told(&given, name), "{}: {}", name, text);
        }
    }

    #[test]
    fn a_conversation_is_written_for_every_upstream(given in conversation()) {
        check_conversation(client("openai_chat").expect("a format of the table"), &given);
    }

    #[test]
    fn a_streamed_answer_reads_back_in_every_format(
        chat in answer(Provenance::Plain, false),
        responses in answer(Provenance::OpenAiResponses, true),
        messages in answer(Provenance::AnthropicMessages, true),
        gemini in answer(Provenance::Gemini, true),
    ) {
        for deltas in [chat, responses, messages, gemini] {
            let own = deltas.iter().find_map(|delta| match delta {
                Delta::Open { kind: PartKind::Reasoning { provenance }, .. } => Some(*provenance),
                _ => None,
            });
            for client in &CLIENTS {
                if own.is_none_or(|own| own == provenance(client.name).0) {
                    check_answer(client, &deltas);
                }
            }
        }
    }
}
