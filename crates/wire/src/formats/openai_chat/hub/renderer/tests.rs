//! The chunks are OpenAI's own sequence, and reading them gives back what was written.

use proptest::prelude::*;
use serde_json::Value;
use tollgate_domain::{Quantity, UsageKind};

use super::super::tests::{check_laws, interpret, render, reply};
use super::*;
use crate::delta::Close;

fn begin() -> Delta {
    Delta::Begin { id: Some("id1".into()), model: Some("up".into()), created: Some(7) }
}

fn chunks(stream: &str) -> Vec<Value> {
    let data = stream.split_terminator("\n\n").map(|event| {
        event.strip_prefix("data: ").unwrap_or_else(|| panic!("not an event: {event}"))
    });
    let json = data.filter(|data| *data != "[DONE]");
    json.map(|data| serde_json::from_str(data).expect("JSON")).collect()
}

#[test]
fn every_chunk_has_the_same_id_time_and_model() {
    let finish = Delta::Finish { choice: 0, reason: FinishReason::Stop, stop_sequence: None };
    for chunk in chunks(&render(&[begin(), finish, Delta::End], reply(false))) {
        assert_eq!(chunk["id"], "id1");
        assert_eq!(chunk["created"], 7);
        assert_eq!(chunk["model"], "client-model");
        assert_eq!(chunk.get("usage"), None, "nobody asked for it");
    }
}

#[test]
fn an_answer_without_an_id_gets_the_calls() {
    let anonymous = Delta::Begin { id: None, model: None, created: None };
    let open = Delta::Open { choice: 0, part: 0, kind: PartKind::Text };
    let written = chunks(&render(&[anonymous, open], reply(false)));
    assert_eq!((&written[0]["id"], &written[0]["created"]), (&"call1".into(), &1.into()));
}

#[test]
fn a_call_without_arguments_is_called_with_an_empty_object() {
    let kind = PartKind::ToolCall { id: "a".into(), name: "f".into(), custom: false };
    let open = Delta::Open { choice: 0, part: 0, kind };
    let written = chunks(&render(&[begin(), open, Delta::Close { part: 0 }], reply(false)));
    let last = &written[2]["choices"][0]["delta"]["tool_calls"][0];
    assert_eq!(last["function"]["arguments"], "{}");
}

#[test]
fn a_failure_is_an_error_event_and_no_end() {
    let error = ErrorBody {
        message: "broken".into(),
        kind: Some("server_error".into()),
        code: None,
        param: None,
    };
    assert_eq!(
        render(&[begin(), Delta::Failed(error)], reply(true)),
        concat!(
            r#"data: {"error":{"message":"broken","type":"server_error","param":null,"#,
            "\"code\":null}}\n\n"
        )
    );
}

#[test]
fn deltas_of_parts_that_are_not_open_are_passed_over() {
    let lost = [
        Delta::More { part: 9, text: "x".into() },
        Delta::Seal { part: 9, seal: "x".into() },
        Delta::Close { part: 9 },
    ];
    assert_eq!(render(&lost, reply(false)), "");
}

#[test]
fn a_fragment_that_signs_a_call_still_has_a_function() {
    let kind = PartKind::ToolCall { id: "c".into(), name: "f".into(), custom: false };
    let signed = [
        begin(),
        Delta::Open { choice: 0, part: 1, kind },
        Delta::Seal { part: 1, seal: "x".into() },
    ];
    let told = concat!(
        r#"{"index":0,"function":{"arguments":""},"#,
        r#""extra_content":{"google":{"thought_signature":"x"}}}"#,
    );
    let stream = render(&signed, reply(false));
    assert!(stream.contains(told), "{stream}");
}

/// A part that is written and read back.
#[derive(Debug, Clone)]
struct Spoken {
    kind: PartKind,
    texts: Vec<String>,
    seal: Option<String>,
}

fn any_part() -> impl Strategy<Value = Spoken> {
    let texts = || prop::collection::vec("[a-z\"\\\\\né]{1,4}", 1..4);
    let owner = prop_oneof![
        Just(Provenance::Plain),
        Just(Provenance::AnthropicMessages),
        Just(Provenance::Gemini),
        Just(Provenance::OpenAiResponses),
    ];
    let thought = (owner, texts(), prop::option::of("[A-Z]{1,4}"));
    let call = (any::<bool>(), "[a-z]{1,8}", "[a-z]{1,3}", texts(), prop::option::of("[A-Z]{1,4}"));
    let redacted = (
        "[A-Z]{1,4}",
        prop_oneof![
            Just(Provenance::AnthropicMessages),
            Just(Provenance::Gemini),
            Just(Provenance::OpenAiResponses),
        ],
    );
    prop_oneof![
        texts().prop_map(|texts| Spoken { kind: PartKind::Text, texts, seal: None }),
        texts().prop_map(|texts| Spoken { kind: PartKind::Refusal, texts, seal: None }),
        thought.prop_map(|(provenance, texts, seal)| Spoken {
            kind: PartKind::Reasoning { provenance },
            texts,
            seal: seal.filter(|_| provenance != Provenance::Plain),
        }),
        redacted.prop_map(|(data, provenance)| Spoken {
            kind: PartKind::Redacted { data: data.into(), provenance },
            texts: Vec::new(),
            seal: None,
        }),
        call.prop_map(|(custom, id, name, texts, seal)| Spoken {
            kind: PartKind::ToolCall { id: id.into(), name: name.into(), custom },
            texts,
            seal,
        }),
    ]
}

fn stream_of(parts: &[Spoken]) -> Vec<Delta> {
    let mut deltas = vec![begin()];
    for (part, spoken) in (0..).zip(parts) {
        deltas.push(Delta::Open { choice: 0, part, kind: spoken.kind.clone() });
        let more = |text: &String| Delta::More { part, text: text.as_str().into() };
        deltas.extend(spoken.texts.iter().map(more));
        let seal = spoken.seal.as_ref();
        deltas.extend(seal.map(|seal| Delta::Seal { part, seal: seal.as_str().into() }));
        deltas.push(Delta::Close { part });
    }
    let calls = parts.iter().any(|it| matches!(it.kind, PartKind::ToolCall { .. }));
    let reason = if calls { FinishReason::ToolCalls } else { FinishReason::Stop };
    deltas.push(Delta::Finish { choice: 0, reason, stop_sequence: None });
    let usage = Usage::UNKNOWN
        .with(UsageKind::Input, Quantity::whole(5))
        .with(UsageKind::CachedRead, Quantity::whole(3))
        .with(UsageKind::Output, Quantity::whole(2))
        .with(UsageKind::Reasoning, Quantity::whole(1));
    deltas.extend([Delta::Usage(usage), Delta::End]);
    deltas
}

/// What a part held: its kind, its text and its seal.
type Held = (PartKind, String, Option<String>);

/// Closing is not written in this format: calls stay open until the choice ends. What matters is
/// what every part held and how it all ended.
fn assembled(deltas: &[Delta]) -> (Vec<Held>, Vec<Delta>) {
    let mut parts: Vec<Held> = Vec::new();
    let mut rest = Vec::new();
    for delta in deltas {
        match delta {
            Delta::Open { kind, .. } => parts.push((kind.clone(), String::new(), None)),
            Delta::More { part, text } => parts[*part as usize].1.push_str(text),
            Delta::Seal { part, seal } => parts[*part as usize].2 = Some(seal.to_string()),
            Delta::Begin { .. } | Delta::Close { .. } | Delta::Usage(_) => {}
            other => rest.push(other.clone()),
        }
    }
    (parts, rest)
}

/// Whether two neighbours would run into one: the format does not say where a text ends.
fn run_together(parts: &[Spoken]) -> bool {
    parts.windows(2).any(|pair| pair[0].kind == pair[1].kind && pair[0].seal.is_none())
}

proptest! {
    #[test]
    fn what_is_written_reads_back(parts in prop::collection::vec(any_part(), 0..6)) {
        prop_assume!(!run_together(&parts));
        let mut ids = std::collections::BTreeSet::new();
        prop_assume!(parts.iter().all(|part| match &part.kind {
            PartKind::ToolCall { id, .. } => ids.insert(id.clone()),
            _ => true,
        }));
        let deltas = stream_of(&parts);
        let written = render(&deltas, reply(true));
        let read = interpret([written.as_bytes()], Close::Cut);
        check_laws(&read);
        prop_assert_eq!(assembled(&read), assembled(&deltas));
        let usage = |deltas: &[Delta]| deltas.iter().rev().find_map(|delta| match delta {
            Delta::Usage(usage) => Some((usage.prompt(), usage.completion())),
            _ => None,
        });
        prop_assert_eq!(usage(&read), usage(&deltas));
    }
}
