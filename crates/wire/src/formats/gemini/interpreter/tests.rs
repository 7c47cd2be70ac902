//! Streams that are odd. Whole streams are among the fixtures.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn feed(chunks: &[Value]) -> Vec<Delta> {
    let mut interpreter = GeminiInterpreter::new();
    let mut deltas = Vec::new();
    for chunk in chunks {
        interpreter.record(None, chunk.to_string().as_bytes(), &mut deltas).expect("a chunk");
    }
    interpreter.close(Close::Clean, &mut deltas);
    deltas
}

fn chunk(parts: &Value, finish: Option<&str>) -> Value {
    json!({ "candidates": [{ "content": { "parts": parts }, "finishReason": finish }] })
}

#[test]
fn a_signed_text_and_what_follows_it_are_two_parts() {
    let deltas = feed(&[
        chunk(&json!([{ "text": "a", "thoughtSignature": "s1" }]), None),
        chunk(&json!([{ "text": "b" }, { "text": "", "thoughtSignature": "s2" }]), Some("STOP")),
    ]);
    let redacted = |data: &'static str| PartKind::Redacted {
        data: ByteString::from_static(data),
        provenance: Provenance::Gemini,
    };
    let open = |part, kind| Delta::Open { choice: 0, part, kind };
    let more = |part, text: &'static str| Delta::More { part, text: text.into() };
    let close = |part| Delta::Close { part };
    assert_eq!(
        deltas[1..],
        [
            open(0, PartKind::Text),
            more(0, "a"),
            close(0),
            open(1, redacted("s1")),
            close(1),
            open(2, PartKind::Text),
            more(2, "b"),
            close(2),
            open(3, redacted("s2")),
            close(3),
            finished(0, FinishReason::Stop),
            Delta::End,
        ]
    );
}

#[test]
fn a_sealed_thought_is_closed_with_its_seal() {
    let deltas = feed(&[
        chunk(&json!([{ "text": "hm", "thought": true }]), None),
        chunk(&json!([{ "text": "", "thought": true, "thoughtSignature": "s" }]), None),
    ]);
    assert_eq!(deltas[3..], [Delta::Seal { part: 0, seal: "s".into() }, Delta::Close { part: 0 },]);
}

#[test]
fn a_stream_without_a_reason_has_no_end() {
    for chunks in [
        vec![],
        vec![json!({})],
        vec![chunk(&json!([{ "text": "x" }]), None)],
        vec![json!({ "candidates": [
            { "index": 0, "finishReason": "STOP" },
            { "index": 1, "content": { "parts": [{ "text": "x" }] } },
        ] })],
    ] {
        assert!(!feed(&chunks).contains(&Delta::End), "{chunks:?}");
    }
}

#[test]
fn nothing_follows_a_failure() {
    let deltas = feed(&[
        json!({ "error": { "message": "no" } }),
        chunk(&json!([{ "text": "x" }]), Some("STOP")),
    ]);
    assert!(matches!(deltas.as_slice(), [Delta::Failed(_)]), "{deltas:?}");
}

#[test]
fn a_chunk_that_cannot_be_read_says_what_is_wrong() {
    let mut interpreter = GeminiInterpreter::new();
    for (data, told) in [
        ("{", "expected"),
        ("[DONE]", "expected an object"),
        (r#"{"candidates":[{"index":128}]}"#, "candidate 128"),
    ] {
        let problem = interpreter.record(None, data.as_bytes(), &mut Vec::new());
        assert!(problem.expect_err(data).contains(told), "{data}");
    }
}

/// Parts as candidates hold them.
fn any_part() -> impl Strategy<Value = Value> {
    let seal = prop::option::of(Just("s"));
    let text = prop::sample::select(vec!["", "a", "é\n"]);
    prop_oneof![
        (text, any::<bool>(), seal.clone()).prop_map(|(text, thought, seal)| {
            json!({ "text": text, "thought": thought, "thoughtSignature": seal })
        }),
        seal.prop_map(|seal| {
            json!({ "functionCall": { "name": "f" }, "thoughtSignature": seal })
        }),
        Just(json!({ "inlineData": { "mimeType": "a/b", "data": "aGk=" } })),
        Just(json!(null)),
    ]
}

proptest! {
    #[test]
    fn whatever_comes_every_part_is_opened_and_closed_once(
        chunks in prop::collection::vec(
            (
                prop::collection::vec(any_part(), 0..4),
                0u8..3,
                prop::option::weighted(0.2, Just("STOP")),
            ),
            0..6,
        ),
    ) {
        let chunks: Vec<Value> = chunks
            .into_iter()
            .map(|(parts, index, finish)| {
                json!({ "candidates": [
                    { "index": index, "content": { "parts": parts }, "finishReason": finish },
                ] })
            })
            .collect();
        let (mut opened, mut open) = (0, Vec::new());
        for delta in feed(&chunks) {
            match delta {
                Delta::Open { part, .. } => {
                    prop_assert_eq!(part, opened);
                    opened += 1;
                    open.push(part);
                }
                Delta::More { part, text } => {
                    prop_assert!(open.contains(&part) && !text.is_empty());
                }
                Delta::Seal { part, .. } => prop_assert!(open.contains(&part)),
                Delta::Close { part } => {
                    let at = open.iter().position(|open| *open == part);
                    prop_assert!(at.is_some());
                    open.remove(at.expect("asserted"));
                }
                _ => {}
            }
        }
        prop_assert!(open.is_empty());
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in any::<Vec<u8>>()) {
        let _ = GeminiInterpreter::new().record(None, &bytes, &mut Vec::new());
    }
}
