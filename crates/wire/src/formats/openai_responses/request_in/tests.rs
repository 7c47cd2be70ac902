//! Reading requests: how items fold, what is kept, and what is not copied.

use super::*;
use crate::conversation::{PartBody, Provenance, ReasoningBlock, Role, Source};

fn read(json: &str) -> Conversation {
    to_conversation(&Bytes::from(json.to_owned()), None).expect("a request")
}

fn refused(json: &str) -> String {
    let body = Bytes::from(json.to_owned());
    to_conversation(&body, None).expect_err("no request").to_string()
}

#[test]
fn the_models_items_of_one_turn_fold_into_one_message() {
    let conversation = read(
        r#"{"model":"m","input":[
            {"role":"user","content":"a"},
            {"type":"reasoning","summary":[],"encrypted_content":"x"},
            {"role":"assistant","content":"b"},
            {"type":"function_call","call_id":"1","name":"f","arguments":"{}"},
            {"type":"custom_tool_call","call_id":"2","name":"g","input":"t"},
            {"type":"function_call_output","call_id":"1","output":"r"},
            {"type":"custom_tool_call_output","call_id":"2","output":"s"},
            {"type":"function_call","call_id":"3","name":"f","arguments":"{}"},
            {"role":"assistant","content":"c"},
            {"role":"user","content":"d"}]}"#,
    );
    let shape: Vec<(Role, usize)> =
        conversation.messages.iter().map(|message| (message.role, message.parts.len())).collect();
    let expected = [
        (Role::User, 1),
        (Role::Assistant, 4),
        (Role::User, 2),
        (Role::Assistant, 1),
        (Role::Assistant, 1),
        (Role::User, 1),
    ];
    assert_eq!(shape, expected);
}

#[test]
fn seals_tell_whose_reasoning_it_is() {
    for (sealed, seal, redacted, provenance) in [
        ("\"gAAA\"", Some("gAAA"), true, Provenance::OpenAiResponses),
        (
            "\"tollgate:anthropic_messages:signature:s\"",
            Some("s"),
            false,
            Provenance::AnthropicMessages,
        ),
        ("\"tollgate:gemini:redacted:s\"", Some("s"), true, Provenance::Gemini),
        ("null", None, false, Provenance::Plain),
        ("\"\"", None, false, Provenance::Plain),
    ] {
        let item = format!(
            r#"{{"type":"reasoning","summary":[{{"type":"summary_text","text":"t"}}],
                "encrypted_content":{sealed}}}"#
        );
        let conversation = read(&format!(r#"{{"model":"m","input":[{item}]}}"#));
        let seal = seal.map(ByteString::from);
        let block = ReasoningBlock { text: "t".into(), seal, redacted, provenance };
        assert_eq!(conversation.messages[0].parts[0].body, PartBody::Reasoning(block), "{sealed}");
    }
}

#[test]
fn a_picture_is_a_slice_of_the_body() {
    let json = format!(
        r#"{{"model":"m","input":[{{"role":"user","content":[
            {{"type":"input_image","image_url":"data:image/png;base64,{}"}}]}}]}}"#,
        "A".repeat(4096)
    );
    let body = Bytes::from(json);
    let conversation = to_conversation(&body, None).expect("a request");
    let PartBody::Image { source: Source::Base64 { data, media_type }, .. } =
        &conversation.messages[0].parts[0].body
    else {
        panic!("a picture");
    };
    assert_eq!(&**media_type, "image/png");
    let (own, part) = (body.as_ptr_range(), data.as_bytes().as_ptr_range());
    assert!(own.start <= part.start && part.end <= own.end, "nothing was copied");
}

#[test]
fn outputs_may_answer_calls_that_the_provider_keeps() {
    let output = r#"{"type":"function_call_output","call_id":"9","output":"r"}"#;
    assert_eq!(
        refused(&format!(r#"{{"model":"m","input":[{output}]}}"#)),
        "`input[0].call_id` must be the `call_id` of a call among the items before it"
    );
    for kept in [
        format!(r#"{{"model":"m","previous_response_id":"resp_1","input":[{output}]}}"#),
        format!(r#"{{"model":"m","conversation":"conv_1","input":[{output}]}}"#),
        format!(r#"{{"model":"m","input":[{{"type":"item_reference","id":"fc_9"}},{output}]}}"#),
    ] {
        let conversation = read(&kept);
        assert_eq!(conversation.messages.len(), 1);
        assert_eq!(conversation.unmapped.len(), 1, "what the provider keeps is named");
    }
    assert_eq!(read(r#"{"model":"m","previous_response_id":"r"}"#).messages, []);
}

#[test]
fn problems_say_where_they_are() {
    for (json, problem) in [
        (r#"{"input":"a"}"#, "`model` is missing"),
        (r#"{"model":"m"}"#, "`input` is missing"),
        (
            r#"{"model":"m","input":7}"#,
            "`input` must be a string or an array of items, not a number",
        ),
        (r#"{"model":"m","input":[7]}"#, "`input[0]` must be an object, not a number"),
        (r#"{"model":"m","input":[{"x":1}]}"#, "`input[0].type` must be a string, not null"),
        (
            r#"{"model":"m","input":[{"role":"assistant",
                "content":[{"type":"input_image","image_url":"https://a"}]}]}"#,
            "`input[0].content[0].type` must be a part that this role can say",
        ),
        (
            r#"{"model":"m","input":[{"role":"user",
                "content":[{"type":"input_file","file_data":"abc=="}]}]}"#,
            "`input[0].content[0].file_data` must be complete base64",
        ),
        (
            r#"{"model":"m","input":[{"role":"user",
                "content":[{"type":"input_image","image_url":"data:image/png"}]}]}"#,
            "`input[0].content[0].image_url` must be an address, or \
             `data:<media type>;base64,<data>`",
        ),
        (
            r#"{"model":"m","input":"a","tools":[{"type":"function"}]}"#,
            "`tools[0].name` must be a string, not null",
        ),
        (
            r#"{"model":"m","input":"a","tool_choice":"maybe"}"#,
            "`tool_choice` must be `auto`, `none`, `required` or an object",
        ),
        (
            r#"{"model":"m","input":"a","text":{"format":{"type":"xml"}}}"#,
            "`text.format.type` must be `text`, `json_object` or `json_schema`",
        ),
        (
            r#"{"model":"m","input":"a","max_output_tokens":-1}"#,
            "`max_output_tokens` must be a whole number from 1",
        ),
        (r#"{"model":"m","input":"a","stream":"yes"}"#, "`stream` must be a boolean, not a string"),
        (
            r#"{"model":"m","input":"a","temperature":"hot"}"#,
            "`temperature` must be a number, not a string",
        ),
    ] {
        assert_eq!(refused(json), problem);
    }
    let deep = format!(r#"{{"model":"m","input":{}"#, "[".repeat(200));
    assert!(refused(&deep).contains("nest"), "{}", refused(&deep));
}

#[test]
fn bytes_that_are_no_text_or_no_object_are_refused_as_a_whole() {
    let bodies: [&'static [u8]; 4] = [b"", b"{\"input\":\"\xff\"}", b"{\"input\":[", b"[]"];
    for body in bodies {
        let problem = to_conversation(&Bytes::from_static(body), Some("m"));
        assert!(matches!(problem, Err(RequestProblem::Malformed(_))), "{problem:?}");
    }
}

#[test]
fn the_path_names_the_model_before_the_body() {
    let body = Bytes::from_static(br#"{"model":"body","input":"a"}"#);
    let conversation = to_conversation(&body, Some("path")).expect("a request");
    assert_eq!(conversation.model.as_str(), "path");
}

#[test]
fn an_item_of_another_kind_keeps_its_place_before_reasoning_that_is_left_out() {
    use crate::capability::Capability;
    use crate::formats::openai_responses::from_conversation;
    use crate::formats::translation::{Leniency, Target};
    let conversation = read(
        r#"{"model":"m","input":[
            {"type":"own_call","call_id":"c"},
            {"type":"reasoning","summary":[]},
            {"type":"function_call_output","call_id":"c","output":"o"}]}"#,
    );
    let target = Target {
        model: "m",
        capability: &Capability::UNKNOWN,
        leniency: Leniency::default(),
        quirks: crate::provider::Quirks::none(),
    };
    let written = from_conversation(&conversation, &target).expect("its own format");
    let text = std::str::from_utf8(&written.body).expect("UTF-8");
    let at = |kind: &str| text.find(kind).expect(kind);
    assert!(at("own_call") < at("function_call_output"), "{text}");
    to_conversation(&written.body, None).expect("what is written reads");
}

#[test]
fn a_call_and_a_tool_that_come_twice_are_refused_at_the_second() {
    let call = r#"{"type":"function_call","call_id":"1","name":"f","arguments":"{}"}"#;
    let refusal = refused(&format!(r#"{{"model":"m","input":[{call},{call}]}}"#));
    assert!(refusal.starts_with("`input[1].call_id` must be another one"), "{refusal}");
    let tools = r#"{"type":"function","name":"f"},{"type":"web_search"},{"type":"web_search"}"#;
    let again = r#"{"type":"custom","name":"f"}"#;
    let refusal = refused(&format!(r#"{{"model":"m","input":"a","tools":[{tools},{again}]}}"#));
    assert!(refusal.starts_with("`tools[3].name` must be a name that no other"), "{refusal}");
    read(&format!(r#"{{"model":"m","input":"a","tools":[{tools}]}}"#));
}
