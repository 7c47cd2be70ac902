//! What is refused names its place, and what is read shares the body's bytes.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::conversation::{PartBody, Role, Source};

fn read(body: &Value) -> Result<Conversation, RequestProblem> {
    to_conversation(&body.to_string().into(), None)
}

fn with(field: &str, value: Value) -> Value {
    let mut body = json!({"model": "m", "messages": [{"role": "user", "content": "Hi"}]});
    body[field] = value;
    body
}

fn said(content: &Value) -> Value {
    with("messages", json!([{"role": "user", "content": content}]))
}

#[test]
fn a_bad_message_is_refused_with_its_place() {
    let call = |call: Value| json!([{"role": "assistant", "tool_calls": [call]}]);
    let cases = [
        (json!("hi"), "`messages` must be an array of messages, not a string"),
        (json!(null), "`messages` is missing"),
        (json!([]), "`messages` must be an array of at least one message"),
        (json!([1]), "`messages[0]` must be an object, not a number"),
        (json!([{"content": "x"}]), "`messages[0].role` must be a string, not absent"),
        (json!([{"role": 1}]), "`messages[0].role` must be a string, not a number"),
        (
            json!([{"role": "robot", "content": "x"}]),
            "`messages[0].role` must be one of `system`, `developer`, `user`, `assistant`, `tool`",
        ),
        (
            json!([{"role": "user"}]),
            "`messages[0].content` must be a string or an array of parts, not absent",
        ),
        (
            json!([{"role": "user", "content": 1}]),
            "`messages[0].content` must be a string or an array of parts, not a number",
        ),
        (
            json!([{"role": "tool", "tool_call_id": "x", "content": "y"}]),
            "`messages[0].tool_call_id` must be the id of a tool call in a message before it",
        ),
        (
            json!([{"role": "function", "name": "f", "content": "y"}]),
            "`messages[0].name` must be the name of a function called in a message before it",
        ),
        (
            call(json!({"function": {"name": "f"}})),
            "`messages[0].tool_calls[0].id` must be a string, not absent",
        ),
        (
            call(json!({"id": "a"})),
            "`messages[0].tool_calls[0].function` must be an object, not absent",
        ),
        (
            call(json!({"id": "a", "function": {"name": "f", "arguments": 1}})),
            "`messages[0].tool_calls[0].function.arguments` must be a string, not a number",
        ),
    ];
    for (messages, problem) in cases {
        let refused = read(&with("messages", messages)).expect_err(problem);
        assert_eq!(refused.to_string(), problem);
    }
}

#[test]
fn a_body_that_is_no_json_object_is_refused_with_what_is_wrong() {
    for (body, told) in [
        (&b""[..], "not valid JSON"),
        (b"null", "not valid JSON"),
        (b"{\"model\":\"m\",\"messages\":[{\"role\":\"user\"", "not valid JSON"),
        (b"{\"model\":\"\xff\"}", "not valid UTF-8"),
    ] {
        let refused = to_conversation(&Bytes::copy_from_slice(body), None).expect_err(told);
        assert!(matches!(refused, RequestProblem::Malformed(_)), "{refused}");
        assert!(refused.to_string().contains(told), "{refused}");
    }
}

#[test]
fn nesting_is_read_up_to_its_limit() {
    // The body, its tools, the tool, the function and the innermost object are five levels.
    let most = crate::json::NESTING_MAX as usize - 5;
    for (levels, fine) in [(most, true), (most + 1, false), (100_000, false)] {
        let schema = format!("{}{{}}{}", "{\"a\":".repeat(levels), "}".repeat(levels));
        let body = format!(
            r#"{{"model":"m","messages":[{{"role":"user","content":"x"}}],"tools":[
            {{"type":"function","function":{{"name":"f","parameters":{schema}}}}}]}}"#
        );
        assert_eq!(to_conversation(&body.into(), None).is_ok(), fine, "{levels}");
    }
}

#[test]
fn the_calls_of_one_message_can_be_told_apart() {
    let call = json!({"id": "a", "type": "function", "function": {"name": "f"}});
    let twice = json!([{"role": "assistant", "tool_calls": [call, call]}]);
    let problem = read(&with("messages", twice)).expect_err("the same id twice");
    let told = "`messages[0].tool_calls[1].id` must be an id that no other call of the message has";
    assert_eq!(problem.to_string(), told);
    // Some models count their calls in each turn anew.
    let turn = json!({"role": "assistant", "tool_calls": [call]});
    let result = json!({"role": "tool", "tool_call_id": "a", "content": "1"});
    read(&with("messages", json!([turn, result, turn, result]))).expect("two turns");
}

#[test]
fn a_bad_part_is_refused_with_its_place() {
    let cases = [
        (json!({"text": "x"}), "type` must be a string, not absent"),
        (json!({"type": "text"}), "text` must be a string, not absent"),
        (
            json!({"type": "video"}),
            "type` must be one of `text`, `image_url`, `input_audio`, `file`, `refusal`",
        ),
        (
            json!({"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo"}}),
            "image_url.url` must be complete base64 with its padding",
        ),
        (
            json!({"type": "image_url", "image_url": {"url": "data:image/png;base64,"}}),
            "image_url.url` must be complete base64 with its padding",
        ),
        (
            json!({"type": "image_url", "image_url": {"url": "data:nothing"}}),
            "image_url.url` must be a data URI like `data:image/png;base64,…`",
        ),
        (
            json!({"type": "image_url", "image_url": ""}),
            "image_url` must be an address or a data URI",
        ),
        (
            json!({"type": "input_audio", "input_audio": {"format": "wav", "data": "a=bc"}}),
            "input_audio.data` must be complete base64 with its padding",
        ),
        (json!({"type": "file", "file": {}}), "file.file_id` must be a string, not absent"),
    ];
    for (part, problem) in cases {
        let refused = read(&said(&json!([{"type": "text", "text": "ok"}, part])));
        let place = "`messages[0].content[1].";
        assert_eq!(refused.expect_err(problem).to_string(), format!("{place}{problem}"));
    }
}

#[test]
fn a_name_that_two_tools_have_is_refused_at_the_second() {
    let function = json!({"type": "function", "function": {"name": "f"}});
    let custom = json!({"type": "custom", "custom": {"name": "f"}});
    for (fields, place) in [
        (json!({"tools": [function, function]}), "tools[1].function.name"),
        (json!({"tools": [function, custom]}), "tools[1].custom.name"),
        (json!({"tools": [function], "functions": [{"name": "f"}]}), "functions[0].name"),
    ] {
        let mut body = with("user", json!("u"));
        for (name, value) in fields.as_object().expect("fields") {
            body[name] = value.clone();
        }
        let problem = read(&body).expect_err("twice").to_string();
        assert_eq!(problem, format!("`{place}` must be a name that no other tool has"));
    }
}

#[test]
fn a_bad_field_is_refused_with_its_place() {
    let tools = |tool: Value| ("tools", json!([tool]));
    let cases = [
        (("temperature", json!("hot")), "`temperature` must be a number, not a string"),
        (("stop", json!([1])), "`stop[0]` must be a string, not a number"),
        (
            ("reasoning_effort", json!("lots")),
            "`reasoning_effort` must be one of `none`, `minimal`, `low`, `medium`, `high`, \
             `xhigh`, `max`",
        ),
        (
            ("thinking", json!({"type": "enabled", "budget_tokens": -1})),
            "`thinking.budget_tokens` must be a whole number, not a number",
        ),
        (
            ("response_format", json!({"type": "xml"})),
            "`response_format.type` must be one of `text`, `json_object`, `json_schema`",
        ),
        (
            ("tool_choice", json!("maybe")),
            "`tool_choice` must be `auto`, `none`, `required` or an object",
        ),
        (
            ("tool_choice", json!({"type": "function"})),
            "`tool_choice.function` must be an object, not absent",
        ),
        (tools(json!({})), "`tools[0].type` must be a string, not absent"),
        (
            tools(json!({"type": "function", "function": {"name": ""}})),
            "`tools[0].function.name` must be a name",
        ),
        (
            tools(json!({"type": "function", "function": {"name": "f", "parameters": "{}"}})),
            "`tools[0].function.parameters` must be an object, not a string",
        ),
        (("messages", json!([])), "`messages` must be an array of at least one message"),
    ];
    for ((field, value), problem) in cases {
        let refused = read(&with(field, value)).expect_err(problem);
        assert_eq!(refused.to_string(), problem);
    }
}

#[test]
fn a_body_nested_too_deep_is_malformed() {
    let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
    let body = format!(r#"{{"model":"m","messages":[{{"role":"user","content":{deep}}}]}}"#);
    assert!(matches!(to_conversation(&body.into(), None), Err(RequestProblem::Malformed(_))));
}

#[test]
fn media_are_slices_of_the_body() {
    let data = "iVBORw0KGgoA".repeat(100);
    let url = format!("data:image/png;base64,{data}");
    let part = json!({"type": "image_url", "image_url": {"url": url}});
    let body = Bytes::from(said(&json!([part])).to_string());
    let conversation = to_conversation(&body, None).expect("a request");
    let parts = &conversation.messages[0].parts;
    let PartBody::Image { source: Source::Base64 { data, .. }, .. } = &parts[0].body else {
        panic!("not a picture: {parts:?}");
    };
    assert!(body.as_ptr_range().contains(&data.as_bytes().as_ptr()));
}

#[test]
fn results_that_follow_each_other_become_one_message_of_the_user() {
    let call = |id: &str| json!({"id": id, "function": {"name": "f", "arguments": "{}"}});
    let conversation = read(&with(
        "messages",
        json!([
            {"role": "assistant", "tool_calls": [call("a"), call("b")]},
            {"role": "tool", "tool_call_id": "a", "content": "1"},
            {"role": "tool", "tool_call_id": "b", "content": "2"},
            {"role": "user", "content": "3"},
        ]),
    ));
    let messages = conversation.expect("a request").messages;
    let shape: Vec<_> = messages.iter().map(|it| (it.role, it.parts.len())).collect();
    assert_eq!(shape, [(Role::Assistant, 2), (Role::User, 2), (Role::User, 1)]);
}

#[test]
fn the_last_of_two_members_counts() {
    let body = r#"{"model":"m","seed":1,"x":1,"messages":[{"role":"user","content":"Hi"}],
        "seed":2,"x":2}"#;
    let conversation = to_conversation(&body.into(), None).expect("a request");
    assert_eq!(conversation.sampling.seed, Some(Number("2".into())));
    assert_eq!(conversation.unmapped, [("x".into(), "2".into())]);
}

fn any_json() -> impl Strategy<Value = Value> {
    let words = prop_oneof![
        Just("text"),
        Just("user"),
        Just("tool"),
        Just("assistant"),
        Just("image_url"),
        Just("data:image/png;base64,AAAA"),
        Just("function"),
        Just("a"),
        Just("é\n"),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        words.prop_map(Value::from),
    ];
    let names = prop_oneof![
        Just("role"),
        Just("content"),
        Just("type"),
        Just("text"),
        Just("tool_calls"),
        Just("id"),
        Just("function"),
        Just("name"),
        Just("arguments"),
        Just("tool_call_id"),
        Just("image_url"),
        Just("url"),
        Just("file"),
        Just("thinking"),
        Just("thinking_blocks"),
        Just("tools"),
        Just("tool_choice"),
        Just("response_format"),
        Just("stop"),
        Just("cache_control"),
    ];
    leaf.prop_recursive(5, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(names.clone().prop_map(String::from), inner, 0..5)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_request_makes_the_reader_panic(messages in prop::collection::vec(any_json(), 1..4),
        field in prop_oneof![Just("tools"), Just("tool_choice"), Just("stop"), Just("thinking")],
        value in any_json())
    {
        let mut body = with("messages", messages.into());
        body[field] = value;
        let _ = read(&body);
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in any::<Vec<u8>>()) {
        let _ = to_conversation(&bytes.into(), None);
    }
}
