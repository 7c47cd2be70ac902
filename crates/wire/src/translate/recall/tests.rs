//! Thoughts are noted alike from whole answers and streams, and find their way back into the turn.

use super::*;
use crate::conversation::{Arguments, Choice, FinishReason, Role, ToolCall};
use crate::formats::openai_chat::to_conversation;

fn call(id: &str) -> Part {
    call_with(id, "{}")
}

fn call_with(id: &str, arguments: &str) -> Part {
    let arguments = Arguments::Json(arguments.into());
    Part::new(PartBody::ToolCall(ToolCall {
        id: id.into(),
        name: "f".into(),
        arguments,
        seal: None,
    }))
}

fn reasoning(text: &str, seal: Option<&str>) -> ReasoningBlock {
    let (seal, provenance) = (seal.map(Into::into), Provenance::Plain);
    ReasoningBlock { text: text.into(), seal, redacted: false, provenance }
}

fn answer(parts: Vec<Part>) -> Answer {
    let finish = Some(FinishReason::ToolCalls);
    let choices = vec![Choice { parts, finish, stop_sequence: None }];
    Answer { id: None, model: None, created: None, choices, usage: None }
}

fn thinking(text: &str) -> Part {
    Part::new(PartBody::Reasoning(reasoning(text, None)))
}

fn tool_delta(part: u32, id: &str) -> Delta {
    let kind = PartKind::ToolCall { id: id.into(), name: "f".into(), custom: false };
    Delta::Open { choice: 0, part, kind }
}

fn streamed(pieces: &[&str]) -> Notes {
    let mut notes = Notes::default();
    let kind = PartKind::Reasoning { provenance: Provenance::Plain };
    notes.take(&Delta::Open { choice: 0, part: 0, kind });
    for piece in pieces {
        notes.take(&Delta::More { part: 0, text: (*piece).into() });
    }
    notes.take(&Delta::Open { choice: 0, part: 1, kind: PartKind::Text });
    notes.take(&Delta::More { part: 1, text: "I look.".into() });
    notes
}

#[test]
fn a_stream_and_a_whole_answer_are_noted_alike() {
    let mut notes = streamed(&["hm", "m"]);
    notes.take(&tool_delta(2, "call_1"));
    notes.take(&Delta::More { part: 2, text: "{}".into() });
    let whole = answer(vec![thinking("hmm"), Part::text("I look."), call("call_1")]);
    let thought = Thought::of(&whole).expect("a thought");
    assert_eq!(thought.reasoning[..], [reasoning("hmm", None)]);
    assert_eq!(notes.finish(), Some(thought));
}

#[test]
fn only_turns_that_think_and_call_tools_are_noted() {
    assert_eq!(streamed(&["hm"]).finish(), None, "no call");
    assert_eq!(Thought::of(&answer(vec![thinking("hm"), Part::text("x")])), None, "no call");
    assert_eq!(Thought::of(&answer(vec![call("a")])), None, "no thought");
    let mut silent = Notes::default();
    silent.take(&tool_delta(0, "a"));
    assert_eq!(silent.finish(), None, "no thought");
}

#[test]
fn of_a_longer_answer_nothing_is_noted() {
    let half = "x".repeat(THOUGHT_BYTES_MAX / 2);
    let long = [&*half, &half, "x"];
    for (pieces, noted) in [(&long[..1], true), (&long[..], false)] {
        let mut notes = streamed(pieces);
        notes.take(&tool_delta(2, "call_1"));
        assert_eq!(notes.finish().is_some(), noted, "{} pieces", pieces.len());
    }
}

#[test]
fn a_turn_is_known_by_its_calls_and_its_text() {
    let mark = |parts: &[Part]| TurnMark::of(parts).expect("calls");
    let turn = mark(&[Part::text("I look."), call("a"), call("b")]);
    assert_eq!(turn, mark(&[Part::text(" I look.\n"), call("a"), call("b")]), "blanks around");
    let spelled = |arguments| mark(&[call_with("functions.f:0", arguments)]);
    assert_eq!(spelled("{\"b\":1,\"a\":[2]}"), spelled(" {\"a\": [2], \"b\": 1}"));
    assert_eq!(spelled(""), spelled("{}"));
    for other in [
        vec![Part::text("I look."), call("a")],
        vec![Part::text("I look."), call("b"), call("a")],
        vec![Part::text("I look."), call("ab")],
        vec![Part::text("I look."), call_with("a", "{\"n\":1}"), call("b")],
        vec![Part::text("I look"), call("a"), call("b")],
    ] {
        assert_ne!(turn, mark(&other), "{other:?}");
    }
}

#[test]
fn what_is_remembered_goes_back_to_the_turns_that_lack_it() {
    let body = br#"{"model":"m","messages":[
        {"role":"user","content":"q"},
        {"role":"assistant","content":"I look.","tool_calls":[
            {"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]},
        {"role":"tool","tool_call_id":"a","content":"1"},
        {"role":"assistant","content":null,"reasoning_content":"kept","tool_calls":[
            {"id":"b","type":"function","function":{"name":"f","arguments":"{}"}}]},
        {"role":"tool","tool_call_id":"b","content":"2"}]}"#;
    let c = to_conversation(&bytes::Bytes::from_static(body), None).expect("a conversation");
    let thought = Thought::of(&answer(vec![thinking("hm"), Part::text("I look."), call("a")]));
    let thought = thought.expect("a thought");
    let mut asked = 0;
    let filled = recalled(&c, &mut |turn| {
        asked += 1;
        (*turn == thought.turn).then(|| Arc::clone(&thought.reasoning))
    });
    let filled = filled.expect("it is remembered");
    assert_eq!(asked, 1, "only what is not there is asked for");
    assert_eq!(filled.messages[1].role, Role::Assistant);
    assert_eq!(filled.messages[1].parts[0], thinking("hm"));
    assert_eq!(filled.messages[1].parts[1..], c.messages[1].parts[..]);
    assert_eq!(filled.messages[3], c.messages[3]);
    assert_eq!(recalled(&c, &mut |_| None), None);
}
