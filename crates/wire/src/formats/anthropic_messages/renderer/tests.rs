//! Blocks stand one behind the other, whatever order the deltas come in.

use super::*;
use crate::conversation::Provenance;

fn render(deltas: &[Delta]) -> Vec<String> {
    let (model, id) = ("m".to_owned(), "1".to_owned());
    let reply = Reply { model, id, created: 0, include_usage: true, seal: None };
    let mut renderer = MessagesRenderer::new(reply);
    let mut out = Vec::new();
    deltas.iter().for_each(|delta| renderer.delta(delta, &mut out));
    let text = String::from_utf8(out).expect("UTF-8");
    text.split("\n\n").filter(|event| !event.is_empty()).map(brief).collect()
}

/// An event without its name and without the punctuation that is always the same.
fn brief(event: &str) -> String {
    let (_, data) = event.split_once("\ndata: ").expect("an event has data");
    let value: serde_json::Value = serde_json::from_str(data).expect("JSON");
    let kind = value["type"].as_str().expect("a type").trim_start_matches("content_block_");
    let inner = [&value["content_block"], &value["delta"]].map(|v| match v.as_object() {
        Some(members) => members
            .iter()
            .filter(|(name, _)| *name != "type")
            .map(|(_, value)| value.to_string())
            .collect(),
        None => String::new(),
    });
    format!("{kind} {} {}", value["index"], inner.concat()).trim().to_owned()
}

fn open(part: u32, kind: PartKind) -> Delta {
    Delta::Open { choice: 0, part, kind }
}

fn more(part: u32, text: &'static str) -> Delta {
    Delta::More { part, text: text.into() }
}

fn call(id: &'static str, custom: bool) -> PartKind {
    PartKind::ToolCall { id: id.into(), name: "n".into(), custom }
}

#[test]
fn parts_that_come_side_by_side_are_written_one_behind_the_other() {
    let events = render(&[
        open(0, call("a", false)),
        open(1, call("b", false)),
        open(2, PartKind::Text),
        more(1, "{\"b\""),
        more(0, "{}"),
        more(1, ":2}"),
        Delta::Close { part: 1 },
        more(2, "after"),
        Delta::Close { part: 0 },
        more(2, "wards"),
        Delta::Close { part: 2 },
    ]);
    assert_eq!(
        events,
        [
            "start 0 \"a\"{}\"n\"",
            "delta 0 \"{}\"",
            "stop 0",
            "start 1 \"b\"{}\"n\"",
            "delta 1 \"{\\\"b\\\":2}\"",
            "stop 1",
            "start 2 \"\"",
            "delta 2 \"after\"",
            "delta 2 \"wards\"",
            "stop 2",
        ]
    );
}

#[test]
fn free_text_is_wrapped_into_an_object_as_it_comes() {
    let events = render(&[
        open(0, call("a", true)),
        more(0, "say \"hi\""),
        more(0, "\n"),
        Delta::Close { part: 0 },
    ]);
    let arguments: String = events
        .iter()
        .filter_map(|event| event.strip_prefix("delta 0 "))
        .map(|quoted| serde_json::from_str::<String>(quoted).expect("a string"))
        .collect();
    assert_eq!(arguments, r#"{"input":"say \"hi\"\n"}"#);
}

#[test]
fn reasoning_without_a_seal_has_an_empty_signature_and_with_one_its_own() {
    let reasoning = || PartKind::Reasoning { provenance: Provenance::Plain };
    let plain = render(&[open(0, reasoning()), more(0, "hm"), Delta::Close { part: 0 }]);
    assert_eq!(plain, ["start 0 \"\"\"\"", "delta 0 \"hm\"", "stop 0"]);
    let sealed = render(&[
        open(0, reasoning()),
        Delta::Seal { part: 0, seal: "gw1.x".into() },
        Delta::Close { part: 0 },
    ]);
    assert_eq!(sealed[1], "delta 0 \"gw1.x\"");
}

#[test]
fn a_turn_of_tool_calls_ends_as_one_and_other_choices_are_not_written() {
    let finish = |choice| Delta::Finish { choice, reason: FinishReason::Stop, stop_sequence: None };
    let events = render(&[
        open(0, call("a", false)),
        Delta::Open { choice: 1, part: 1, kind: PartKind::Text },
        more(1, "unheard"),
        Delta::Close { part: 1 },
        Delta::Close { part: 0 },
        finish(0),
        finish(1),
        Delta::End,
    ]);
    assert_eq!(events[2], "message_delta null \"tool_use\"null");
    assert_eq!(events.len(), 4);
}
