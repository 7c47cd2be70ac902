//! Answers that are odd, and the ids that calls get.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn read(body: &Value) -> AnswerIn {
    to_answer(body.to_string().as_bytes()).expect("an object")
}

fn ids(body: &Value) -> Vec<String> {
    let AnswerIn::Answer(answer) = read(body) else { panic!("an answer") };
    let calls = answer.choices[0].parts.iter().filter_map(|part| match &part.body {
        PartBody::ToolCall(call) => Some(call.id.to_string()),
        _ => None,
    });
    calls.collect()
}

#[test]
fn calls_without_ids_get_the_same_ids_whenever_they_are_read() {
    let call = |args: Value| json!({ "functionCall": { "name": "f", "args": args } });
    let answer = |id: Value| {
        json!({ "responseId": id, "candidates": [{ "content": { "parts": [
            call(json!({ "a": 1 })),
            { "functionCall": { "id": "own", "name": "g" } },
            call(json!({ "a": 1 })),
        ] }, "finishReason": "STOP" }] })
    };
    let named = answer(json!("Ab-_/+c"));
    assert_eq!(ids(&named), ["call_Ab-_c_0", "own", "call_Ab-_c_2"]);
    assert_eq!(ids(&named), ids(&named));
    let long = ids(&answer(json!("x".repeat(100))));
    assert!(long.iter().all(|id| id.len() <= 40), "{long:?}");
    let unnamed = ids(&answer(Value::Null));
    assert!(unnamed[0].starts_with("call_") && unnamed[0] != unnamed[2], "{unnamed:?}");
    assert_eq!(unnamed, ids(&answer(Value::Null)));
}

#[test]
fn an_answer_that_is_no_object_is_malformed() {
    for body in ["", "null", "[]", "{", "\"x\"", "<html>"] {
        assert!(to_answer(body.as_bytes()).is_err(), "{body}");
    }
}

#[test]
fn what_is_not_understood_in_an_answer_is_passed_over() {
    let answer = json!({ "candidates": [{ "content": { "parts": [
        7,
        {},
        { "executableCode": { "language": "PYTHON", "code": "1" } },
        { "functionCall": {} },
        { "text": "kept" },
        { "inlineData": { "mimeType": "image/png" } },
    ] }, "finishReason": "OTHER", "index": "x" }], "usageMetadata": [] });
    let AnswerIn::Answer(answer) = read(&answer) else { panic!("an answer") };
    assert_eq!(answer.choices[0].parts, [Part::text("kept")]);
    assert_eq!(answer.choices[0].finish, Some(FinishReason::Stop));
    assert_eq!(answer.usage, None);
}

#[test]
fn an_answer_without_a_reason_is_no_clean_end() {
    let answer = json!({ "candidates": [{ "content": { "parts": [{ "text": "x" }] } }] });
    let AnswerIn::Answer(answer) = read(&answer) else { panic!("an answer") };
    assert_eq!(answer.choices[0].finish, None);
    let AnswerIn::Error(error) = read(&json!({})) else { panic!("an error") };
    assert_eq!(error.code.as_deref(), Some("empty_response"));
}

proptest! {
    #[test]
    fn no_bytes_make_reading_panic(bytes in any::<Vec<u8>>()) {
        let _ = to_answer(&bytes);
    }
}
