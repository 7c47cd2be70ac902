//! Conversations that go on, and what is kept of them.

use serde_json::{Value, json};

use super::*;

fn bytes(value: &Value) -> Bytes {
    value.to_string().into()
}

fn values(items: &[ByteString]) -> Value {
    items.iter().map(|item| serde_json::from_str::<Value>(item).expect("JSON")).collect()
}

#[test]
fn input_of_any_form_becomes_items_with_ids() {
    let text = |kind: &str, text: &str| json!([{ "type": kind, "text": text }]);
    for (input, expected) in [
        (
            json!("a \"b\""),
            json!([{
                "type": "message", "role": "user", "id": "msg_1_in0",
                "content": text("input_text", "a \"b\""),
            }]),
        ),
        (
            json!([
                { "role": "assistant", "content": "x" },
                { "type": "function_call", "call_id": "c", "name": "f", "arguments": "{}" },
                { "type": "function_call_output", "id": "mine", "call_id": "c", "output": "y" },
                { "type": "new_kind", "id": null },
            ]),
            json!([
                {
                    "type": "message", "role": "assistant", "id": "msg_1_in0",
                    "content": text("output_text", "x"),
                },
                {
                    "type": "function_call", "call_id": "c", "name": "f", "arguments": "{}",
                    "id": "fc_1_in1",
                },
                { "type": "function_call_output", "id": "mine", "call_id": "c", "output": "y" },
                { "type": "new_kind", "id": "item_1_in3" },
            ]),
        ),
    ] {
        let items = input_items(&bytes(&json!({ "input": input })), "resp_1").expect("items");
        assert_eq!(values(&items), expected);
    }
    assert_eq!(input_items(&bytes(&json!({})), "1"), Ok(Vec::new()));
}

#[test]
fn a_continued_request_says_what_was_said_before_it() {
    let first = bytes(&json!({ "input": "hi" }));
    let answer = bytes(&json!({ "output": [
        { "type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "e" },
        { "type": "message", "id": "msg_1", "role": "assistant", "content": [] },
        7,
    ] }));
    let mut earlier = input_items(&first, "a").expect("items");
    earlier.extend(output_items(&answer));
    assert_eq!(earlier.len(), 3, "what is no item is passed over");
    let body = Bytes::from_static(
        br#"{"model":"m", "previous_response_id":"resp_a","temperature":1e0,"input":[
        {"type":"item_reference","id":"msg_1"},{"role":"user","content":"and?"}]}"#,
    );
    let continued = continue_from(&body, &earlier).expect("it continues");
    let text = std::str::from_utf8(&continued).expect("text");
    assert!(text.starts_with(r#"{"model":"m","temperature":1e0,"input":["#), "{text}");
    let written: Value = serde_json::from_str(text).expect("JSON");
    let items = written["input"].as_array().expect("items");
    assert_eq!(items.len(), 4);
    assert_eq!(Value::from(items[..3].to_vec()), values(&earlier));
    assert_eq!(items[3], json!({ "role": "user", "content": "and?" }));
}

#[test]
fn a_text_continues_as_a_message_and_nothing_continues_as_it_was() {
    let earlier = [ByteString::from_static(r#"{"type":"message","id":"m"}"#)];
    for (body, items) in [
        (json!({ "input": "x", "previous_response_id": "r" }), 2),
        (json!({ "previous_response_id": "r" }), 1),
    ] {
        let continued = continue_from(&bytes(&body), &earlier).expect("it continues");
        let written: Value = serde_json::from_slice(&continued).expect("JSON");
        assert_eq!(written["input"].as_array().map(Vec::len), Some(items), "{body}");
        assert_eq!(written.get("previous_response_id"), None);
    }
}

#[test]
fn what_cannot_be_continued_says_where() {
    let items = vec![json!({ "type": "message" }); KEPT_ITEMS_MAX];
    let full = bytes(&json!({ "input": items }));
    let kept = input_items(&full, "1").expect("just within the limit");
    let place = |problem: RequestProblem| problem.to_string();
    let over = continue_from(&bytes(&json!({ "input": "x" })), &kept).expect_err("one too many");
    assert!(place(over).starts_with("`previous_response_id` must be a conversation of at most"));
    for (body, expected) in [
        (json!({ "input": 7 }), "`input` must be a string or an array of items, not a number"),
        (json!({ "input": [7] }), "`input[0]` must be an object, not a number"),
    ] {
        assert_eq!(place(input_items(&bytes(&body), "1").expect_err("no items")), expected);
        assert_eq!(place(continue_from(&bytes(&body), &[]).expect_err("no items")), expected);
    }
    let big = ByteString::from(format!(r#"{{"text":"{}"}}"#, "x".repeat(KEPT_BYTES_MAX)));
    let over = continue_from(&bytes(&json!({ "input": "x" })), &[big]);
    assert!(over.is_err(), "bytes are limited too");
}

#[test]
fn a_request_says_what_it_continues_and_whether_it_is_kept() {
    for (body, stored) in [
        (json!({}), true),
        (json!({ "store": null }), true),
        (json!({ "store": true }), true),
        (json!({ "store": false }), false),
        (json!([]), false),
    ] {
        assert_eq!(wants_store(&bytes(&body)), stored, "{body}");
    }
    let id = |body| previous_response_id(&bytes(&body));
    assert_eq!(id(json!({ "previous_response_id": "r" })), Ok(Some("r".into())));
    assert_eq!(id(json!({ "previous_response_id": "" })), Ok(None));
    assert_eq!(id(json!({})), Ok(None));
    id(json!({ "previous_response_id": 7 })).expect_err("no text");
    id(json!({ "previous_response_id": "r", "conversation": "c" })).expect_err("both");
}

#[test]
fn items_are_read_from_the_array_that_they_are_kept_as() {
    let items = [r#"{ "id":"a", "n":1e0 }"#, r#"{"type":"x","content":[{"text":"],["}]}"#];
    let items = items.map(ByteString::from_static);
    let array = item_array(&items);
    assert_eq!(items_of_array(&array), items);
    assert_eq!(items.each_ref().map(item_id), [Some("a".to_owned()), None]);
    assert_eq!(items_of_array(&item_array(&[])), <[ByteString; 0]>::default());
}
