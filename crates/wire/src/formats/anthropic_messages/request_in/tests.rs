//! What is refused, with the place where it stands; and that nothing makes the reader panic.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn refused(body: &Value) -> String {
    match to_conversation(&Bytes::from(body.to_string()), None) {
        Ok(_) => "accepted".to_owned(),
        Err(problem) => problem.to_string(),
    }
}

fn saying(content: &Value) -> Value {
    json!({"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": content}]})
}

fn with(field: &str, value: Value) -> Value {
    let mut body = saying(&json!("hi"));
    body[field] = value;
    body
}

#[test]
fn a_problem_says_where_it_stands() {
    for (body, told) in [
        (json!({"max_tokens": 1, "messages": []}), "`model` is missing"),
        (json!({"model": "m", "max_tokens": 1}), "`messages` is missing"),
        (json!({"model": "m", "messages": [{"role": "user", "content": "x"}]}), "`max_tokens`"),
        (with("messages", json!([])), "`messages` must be an array of at least one message"),
        (with("messages", json!([{"role": "tool", "content": "x"}])), "`messages[0].role`"),
        (with("messages", json!([7])), "`messages[0]` must be an object, not a number"),
        (with("messages", json!([{"role": "user"}])), "`messages[0].content` must be a string or"),
        (with("messages", json!("hi")), "`messages` must be an array of messages, not a string"),
        (with("messages", json!(null)), "`messages` is missing"),
        (with("messages", json!([{"content": "x"}])), "`messages[0].role` must be a string"),
        (with("messages", json!([{"role": 7}])), "`messages[0].role` must be a string, not"),
        (saying(&json!({})), "`messages[0].content` must be a string or an array of content"),
        (saying(&json!([null])), "`messages[0].content[0]` must be an object"),
        (saying(&json!([{"type": "text", "text": 7}])), "`messages[0].content[0].text` must be"),
        (
            saying(&json!([{"type": "image", "source": {"type": "base64",
                "media_type": "image/png", "data": "iVBORw0KGgo"}}])),
            "`messages[0].content[0].source.data` must be whole base64 text",
        ),
        (
            saying(&json!([{"type": "document", "source": {"type": "ftp"}}])),
            "`messages[0].content[0].source.type` must be one of",
        ),
        (with("system", json!(7)), "`system` must be a string or an array"),
        (with("tools", json!({})), "`tools` must be an array"),
        (with("tools", json!(["f"])), "`tools[0]` must be an object, not a string"),
        (with("metadata", json!({"user_id": 7})), "`metadata.user_id` must be a string, not"),
        (with("max_tokens", json!("9")), "`max_tokens` must be a whole number, not a string"),
        (saying(&json!([{"type": "text"}])), "`messages[0].content[0].text` must be a string"),
        (saying(&json!([{"type": "hologram"}])), "`messages[0].content[0].type` must be one of"),
        (
            saying(&json!([{"type": "tool_use", "id": "a", "name": "b", "input": {}}])),
            "`messages[0].content[0].type` must be a block that a user can say",
        ),
        (
            with("system", json!([{"type": "image", "source": {"type": "url", "url": "u"}}])),
            "`system[0].type` must be `text`",
        ),
    ] {
        let problem = refused(&body);
        assert!(problem.starts_with(told), "{body}\n{problem}\n{told}");
    }
}

#[test]
fn a_problem_beside_the_messages_says_where_it_stands() {
    for (body, told) in [
        (with("tools", json!([{"name": "a"}])), "`tools[0].input_schema` must be an object"),
        (
            with(
                "tools",
                json!([{"name": "a", "input_schema": {}}, {"name": "a", "input_schema": {}}]),
            ),
            "`tools[1].name` must be a name that no other tool has",
        ),
        (with("tool_choice", json!({"type": "maybe"})), "`tool_choice.type` must be one of"),
        (with("thinking", json!({"type": "enabled"})), "`thinking.budget_tokens`"),
        (with("thinking", json!("on")), "`thinking` must be an object, not a string"),
        (with("output_config", json!({"effort": "huge"})), "`output_config.effort`"),
        (
            with("output_config", json!({"format": {"type": "json_schema"}})),
            "`output_config.format.schema`",
        ),
        (with("temperature", json!("warm")), "`temperature` must be a number, not a string"),
        (with("stop_sequences", json!(["a", 1])), "`stop_sequences[1]` must be a string"),
        (with("max_tokens", json!(0)), "`max_tokens` must be a whole number from 1"),
        (with("stream", json!("yes")), "`stream` must be a boolean"),
        (with("api_base", json!("https://x")), "`api_base` is not allowed"),
    ] {
        let problem = refused(&body);
        assert!(problem.starts_with(told), "{body}\n{problem}\n{told}");
    }
}

#[test]
fn a_body_that_is_no_json_object_is_refused_with_what_is_wrong() {
    for (body, told) in [
        (&b""[..], "not valid JSON"),
        (b"[]", "not valid JSON"),
        (b"{\"model\":\"m\",\"messages\":[{\"role\":\"user\"", "not valid JSON"),
        (b"{\"model\":\"\xff\"}", "not valid UTF-8"),
        (b"{\"model\":\"m\"} {}", "not valid JSON"),
    ] {
        let refused = to_conversation(&Bytes::copy_from_slice(body), None).expect_err(told);
        assert!(matches!(refused, RequestProblem::Malformed(_)), "{refused}");
        assert!(refused.to_string().contains(told), "{refused}");
    }
}

#[test]
fn nesting_is_read_up_to_its_limit() {
    let schema = |levels: usize| format!("{}{{}}{}", "{\"a\":".repeat(levels), "}".repeat(levels));
    // The body, its tools, the tool and the innermost object are four levels.
    let most = crate::json::NESTING_MAX as usize - 4;
    for (levels, fine) in [(most, true), (most + 1, false), (100_000, false)] {
        let schema = schema(levels);
        let body = format!(
            r#"{{"model":"m","max_tokens":1,"messages":[{{"role":"user","content":"x"}}],
            "tools":[{{"name":"f","input_schema":{schema}}}]}}"#
        );
        assert_eq!(to_conversation(&body.into(), None).is_ok(), fine, "{levels}");
    }
}

#[test]
fn calls_and_results_that_do_not_belong_together_are_refused() {
    let call = |id: &str| json!({"type": "tool_use", "id": id, "name": "f", "input": {}});
    let result = |id: &str| json!({"type": "tool_result", "tool_use_id": id, "content": "1"});
    let said = |turns: &[(&str, Value)]| {
        let turns = turns.iter().map(|(role, content)| json!({"role": role, "content": content}));
        with("messages", turns.collect())
    };
    for (body, told) in [
        (said(&[("user", json!([result("a")]))]), "`messages[0].content[0].tool_use_id` must be"),
        (
            said(&[("assistant", json!([call("a")])), ("user", json!([result("b")]))]),
            "`messages[1].content[0].tool_use_id` must be the id of a `tool_use` block",
        ),
        (
            said(&[("assistant", json!([call("a"), call("a")]))]),
            "`messages[0].content[1].id` must be an id that no other `tool_use` block",
        ),
        (
            said(&[("assistant", json!([{"type": "tool_use", "id": "a", "name": "f"}]))]),
            "`messages[0].content[0].input` must be an object",
        ),
        (said(&[("assistant", json!([result("a")]))]), "`messages[0].content[0]."),
        // Some models count their calls in each turn anew.
        (
            said(&[
                ("assistant", json!([call("a")])),
                ("user", json!([result("a")])),
                ("assistant", json!([call("a")])),
                ("user", json!([result("a")])),
            ]),
            "accepted",
        ),
    ] {
        let problem = refused(&body);
        assert!(problem.starts_with(told), "{body}\n{problem}\n{told}");
    }
}

#[test]
fn counting_needs_no_output_limit() {
    let body = json!({"model": "m", "messages": [{"role": "user", "content": "x"}]});
    let body = Bytes::from(body.to_string());
    let conversation = to_counted_conversation(&body, Some("path-model")).expect("a request");
    assert_eq!(conversation.model.as_str(), "path-model");
    assert_eq!(conversation.output_tokens_max, None);
}

#[test]
fn a_large_picture_stays_a_slice_of_the_body() {
    let data = "A".repeat(1 << 20);
    let source = json!({"type": "base64", "media_type": "image/png", "data": data});
    let body = saying(&json!([{"type": "image", "source": source}]));
    let body = Bytes::from(body.to_string());
    let conversation = to_conversation(&body, None).expect("a request");
    let PartBody::Image { source: crate::conversation::Source::Base64 { data, .. }, .. } =
        &conversation.messages[0].parts[0].body
    else {
        panic!("a picture");
    };
    assert!(body.as_ptr_range().contains(&data.as_ptr()), "it was copied");
}

#[test]
fn thinking_is_only_as_good_as_its_signature() {
    use crate::conversation::Provenance;
    for (signature, provenance) in
        [("c2ln", Provenance::AnthropicMessages), ("", Provenance::Plain)]
    {
        let block = json!({"type": "thinking", "thinking": "hm", "signature": signature});
        let body = with("messages", json!([{"role": "assistant", "content": [block]}]));
        let read = to_conversation(&Bytes::from(body.to_string()), None).expect("a request");
        let PartBody::Reasoning(block) = &read.messages[0].parts[0].body else {
            panic!("reasoning");
        };
        assert_eq!(block.provenance, provenance);
        assert_eq!(block.seal.is_some(), !signature.is_empty());
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let name = prop::sample::select(vec![
        "type",
        "text",
        "role",
        "content",
        "source",
        "data",
        "id",
        "name",
        "input",
        "thinking",
        "tool_use_id",
        "effort",
        "format",
        "schema",
        "citations",
        "cache_control",
    ]);
    let word = prop::sample::select(vec![
        "text",
        "image",
        "document",
        "tool_use",
        "tool_result",
        "thinking",
        "base64",
        "url",
        "user",
        "assistant",
        "system",
        "content",
        "json_schema",
        "",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        word.prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 48, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((name.clone(), inner), 0..5).prop_map(|members| {
                Value::Object(members.into_iter().map(|(n, v)| (n.to_owned(), v)).collect())
            }),
        ]
    })
}

proptest! {
    #[test]
    fn nothing_makes_the_reader_panic(
        field in prop::sample::select(vec![
            "messages", "system", "tools", "tool_choice", "thinking", "output_config", "metadata",
        ]),
        value in any_json(),
        bytes in prop::collection::vec(any::<u8>(), 0..64),
    ) {
        _ = to_conversation(&Bytes::from(with(field, value.clone()).to_string()), None);
        _ = to_conversation(&Bytes::from(saying(&value).to_string()), None);
        _ = to_conversation(&Bytes::from(bytes), None);
    }
}
