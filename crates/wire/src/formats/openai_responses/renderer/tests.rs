//! What only a renderer can get wrong: parts side by side, ends without an end, and seals of
//! others.

use bytestring::ByteString;
use serde_json::{Value, json};

use super::super::tests::{events, render};
use crate::conversation::{Citation, FinishReason, Provenance};
use crate::delta::{Delta, PartKind};

fn begin() -> Delta {
    Delta::Begin { id: Some("chatcmpl-1".into()), model: Some("theirs".into()), created: Some(7) }
}

fn open(part: u32, kind: PartKind) -> Delta {
    Delta::Open { choice: 0, part, kind }
}

fn more(part: u32, text: &str) -> Delta {
    Delta::More { part, text: text.into() }
}

fn call(id: &str) -> PartKind {
    PartKind::ToolCall { id: ByteString::from(id), name: "run".into(), custom: true }
}

fn finish(reason: FinishReason) -> Delta {
    Delta::Finish { choice: 0, reason, stop_sequence: None }
}

fn names(events: &[Value]) -> Vec<&str> {
    let types = events.iter().filter_map(|event| event["type"].as_str());
    types.map(|name| name.strip_prefix("response.").unwrap_or(name)).collect()
}

#[test]
fn calls_side_by_side_keep_their_own_arguments() {
    let close = |part| Delta::Close { part };
    let deltas = [
        begin(),
        open(0, call("a")),
        open(1, call("b")),
        more(1, "two"),
        more(0, "one"),
        close(1),
        close(0),
        finish(FinishReason::ToolCalls),
        Delta::End,
    ];
    let events = events(&render(&deltas));
    let output = &events.last().expect("an end")["response"]["output"];
    assert_eq!((&output[0]["call_id"], &output[0]["input"]), (&json!("a"), &json!("one")));
    assert_eq!((&output[1]["call_id"], &output[1]["input"]), (&json!("b"), &json!("two")));
}

#[test]
fn a_call_that_broke_off_is_never_called_done() {
    let broken = [begin(), open(0, call("a")), more(0, "rm -r /tmp/"), Delta::Close { part: 0 }];
    let error = crate::formats::openai_chat::ErrorBody {
        message: "gone".to_owned(),
        kind: None,
        code: None,
        param: None,
    };
    for end in [None, Some(Delta::Failed(error))] {
        let deltas: Vec<Delta> = broken.iter().cloned().chain(end).collect();
        let events = events(&render(&deltas));
        assert_eq!(
            names(&events),
            ["created", "in_progress", "output_item.added", "custom_tool_call_input.delta"]
        );
    }
}

#[test]
fn a_call_at_the_output_limit_is_incomplete() {
    let deltas = [
        begin(),
        open(0, call("a")),
        more(0, "rm"),
        Delta::Close { part: 0 },
        finish(FinishReason::Length),
        Delta::End,
    ];
    let events = events(&render(&deltas));
    let done = events.iter().find(|event| event["type"] == "response.output_item.done");
    assert_eq!(done.expect("it ends")["item"]["status"], "incomplete");
    assert_eq!(events.last().expect("an end")["type"], "response.incomplete");
}

#[test]
fn texts_that_follow_each_other_are_one_message() {
    let cite = Citation { url: None, title: None, span: Some((0, 2)), raw: "{}".into() };
    let deltas = [
        begin(),
        open(0, PartKind::Text),
        more(0, "é"),
        Delta::Close { part: 0 },
        open(1, PartKind::Text),
        more(1, "éb"),
        Delta::Cite { part: 1, citation: cite },
        Delta::Close { part: 1 },
        open(2, call("a")),
        Delta::Close { part: 2 },
        open(3, PartKind::Text),
        Delta::Close { part: 3 },
        finish(FinishReason::Stop),
        Delta::End,
    ];
    let events = events(&render(&deltas));
    let output = events.last().expect("an end")["response"]["output"].clone();
    let kinds: Vec<&str> =
        output.as_array().expect("items").iter().filter_map(|item| item["type"].as_str()).collect();
    assert_eq!(kinds, ["message", "custom_tool_call", "message"]);
    let cited = &output[0]["content"][1]["annotations"][0];
    assert_eq!(cited["type"], "url_citation", "another format's citation is written anew");
    assert_eq!((&cited["start_index"], &cited["end_index"]), (&json!(0), &json!(1)));
}

#[test]
fn reasoning_of_others_travels_sealed_behind_a_tag() {
    let provenance = Provenance::AnthropicMessages;
    let deltas = [
        begin(),
        open(0, PartKind::Reasoning { provenance }),
        more(0, "Hm."),
        Delta::Seal { part: 0, seal: "sig".into() },
        Delta::Close { part: 0 },
        open(1, PartKind::Redacted { data: "blob".into(), provenance }),
        Delta::Close { part: 1 },
        open(2, PartKind::Reasoning { provenance: Provenance::Plain }),
        more(2, "Plain."),
        Delta::Close { part: 2 },
        Delta::End,
    ];
    let events = events(&render(&deltas));
    let output = &events.last().expect("an end")["response"]["output"];
    assert_eq!(output[0]["encrypted_content"], "tollgate:anthropic_messages:signature:sig");
    assert_eq!(output[1]["encrypted_content"], "tollgate:anthropic_messages:redacted:blob");
    assert_eq!(output[2]["encrypted_content"], Value::Null);
}

#[test]
fn other_choices_and_unknown_parts_are_passed_over() {
    let deltas = [
        begin(),
        Delta::Open { choice: 1, part: 0, kind: PartKind::Text },
        more(0, "second"),
        Delta::Close { part: 0 },
        Delta::Close { part: 9 },
        Delta::End,
    ];
    assert_eq!(names(&events(&render(&deltas))), ["created", "in_progress", "completed"]);
}

#[test]
fn a_message_is_done_behind_the_last_of_its_texts_that_end_together() {
    let text = |part| Delta::Open { choice: 0, part, kind: PartKind::Text };
    let kind = PartKind::ToolCall { id: "c".into(), name: "f".into(), custom: false };
    let stream = render(&[
        Delta::Begin { id: None, model: None, created: None },
        text(0),
        text(1),
        Delta::Open { choice: 0, part: 2, kind },
        Delta::Close { part: 0 },
        Delta::Close { part: 1 },
        Delta::Close { part: 2 },
        Delta::Finish { choice: 0, reason: FinishReason::ToolCalls, stop_sequence: None },
        Delta::End,
    ]);
    let events = events(&stream);
    let kinds = events.iter().filter(|event| event["output_index"] == 0);
    let kinds: Vec<&str> = kinds.filter_map(|event| event["type"].as_str()).collect();
    assert_eq!(kinds.iter().filter(|kind| **kind == "response.content_part.done").count(), 2);
    assert_eq!(kinds.iter().filter(|kind| **kind == "response.output_item.done").count(), 1);
    assert_eq!(kinds.last(), Some(&"response.output_item.done"));
}
