//! Buffered answers in the client's words, and bodies that are no answers.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::names::fitted;
use super::*;

fn read(content: &Value, wording: &Wording) -> Choice {
    let body = json!({"content": content, "stop_reason": "tool_use"}).to_string();
    match to_answer_in(body.as_bytes(), wording).expect("an object") {
        AnswerIn::Answer(mut answer) => answer.choices.remove(0),
        AnswerIn::Error(error) => panic!("{error:?}"),
    }
}

#[test]
fn the_tool_that_stands_in_for_json_becomes_the_text_alone() {
    let content = json!([
        {"type": "text", "text": "Sure: "},
        {"type": "tool_use", "id": "t", "name": "json_tool_call", "input": {"a": 1}},
    ]);
    let choice = read(&content, &Wording::of_json_tool());
    assert_eq!(choice.parts, [Part::text("{\"a\":1}")]);
    assert_eq!(choice.finish, Some(FinishReason::Stop));
    // To a client that has a tool of this name it is a call like any other.
    let choice = read(&content, &Wording::default());
    assert_eq!((choice.parts.len(), choice.finish), (2, Some(FinishReason::ToolCalls)));
}

#[test]
fn calls_come_back_under_the_clients_names_and_in_its_kind_of_arguments() {
    let wording = Wording::renaming("files.patch", true);
    let name = fitted("files.patch");
    let call = |input| json!([{"type": "tool_use", "id": "t", "name": name, "input": input}]);
    let choice = read(&call(json!({"input": "+ line"})), &wording);
    let [Part { body: PartBody::ToolCall(call), .. }] = choice.parts.as_slice() else {
        panic!("a call: {choice:?}");
    };
    assert_eq!(&*call.name, "files.patch");
    assert_eq!(call.arguments, Arguments::Text("+ line".into()));
}

#[test]
fn a_body_that_is_no_object_is_malformed() {
    for body in ["", "[]", "<html>", "{\"content\":"] {
        assert!(to_answer(body.as_bytes()).is_err(), "{body}");
    }
}

proptest! {
    #[test]
    fn nothing_makes_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        _ = to_answer(&bytes);
        _ = read_error(&bytes);
    }
}
