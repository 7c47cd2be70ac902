//! Counts of whole prompts against those that the cookbook's rules give by hand.

use bytes::Bytes;
use tollgate_policy::{ModelLimits, bound};
use tollgate_tokens::Tokenizers;
use tollgate_wire::translate::{ClientFormat, ClientRequest, PathSays};

use super::*;

static TABLES: Tokenizers = Tokenizers::new();

fn table() -> &'static Table {
    TABLES.load(Encoding::O200k).expect("the table is built in");
    TABLES.table(Encoding::O200k).expect("it is loaded")
}

fn counted(format: ClientFormat, body: &str) -> u64 {
    let path = PathSays { model: Some("m"), ..PathSays::default() };
    let request = ClientRequest::read(format, &Bytes::copy_from_slice(body.as_bytes()), path);
    let request = request.expect("a request");
    count(&request.counted().expect("a conversation"), table())
}

fn chat(members: &str) -> u64 {
    counted(ClientFormat::OpenAiChat, &format!(r#"{{"model":"m",{members}}}"#))
}

#[test]
fn messages_count_as_the_cookbook_says() {
    // The cookbook's own example: 124 tokens with gpt-4o, six messages, four of them named.
    let example = r#""messages":[
        {"role":"system","content":"You are a helpful, pattern-following assistant that translates corporate jargon into plain English."},
        {"role":"system","name":"example_user","content":"New synergies will help drive top-line growth."},
        {"role":"system","name":"example_assistant","content":"Things working well together will increase revenue."},
        {"role":"system","name":"example_user","content":"Let's circle back when we have more bandwidth to touch base on opportunities for increased leverage."},
        {"role":"system","name":"example_assistant","content":"Let's talk later when we're less busy about how to do better."},
        {"role":"user","content":"This late pivot means we don't have time to boil the ocean for the client deliverable."}]"#;
    assert_eq!(chat(example), 124);
    assert_eq!(chat(r#""messages":[{"role":"user","content":"hello"}]"#), 3 + 1 + 1 + 3);
}

#[test]
fn every_format_counts_the_same_texts() {
    let said = chat(
        r#""messages":[{"role":"system","content":"be brief"},
        {"role":"user","content":"hello world"}]"#,
    );
    assert_eq!(said, 2 * (3 + 1) + 2 + 2 + 3);
    for (format, body) in [
        (
            ClientFormat::AnthropicMessages,
            r#"{"system":"be brief",
                "messages":[{"role":"user","content":[{"type":"text","text":"hello world"}]}]}"#,
        ),
        (
            ClientFormat::Gemini,
            r#"{"systemInstruction":{"parts":[{"text":"be brief"}]},
                "contents":[{"role":"user","parts":[{"text":"hello world"}]}]}"#,
        ),
        (ClientFormat::OpenAiResponses, r#"{"instructions":"be brief","input":"hello world"}"#),
    ] {
        assert_eq!(counted(format, body), said, "{format:?}");
    }
}

#[test]
fn escapes_are_read_before_they_are_counted() {
    let plain = chat(r#""messages":[{"role":"user","content":"Größe \n 你好"}]"#);
    let escaped =
        chat(r#""messages":[{"role":"user","content":"Gr\u00f6\u00dfe \n \u4f60\u597d"}]"#);
    assert_eq!(plain, escaped);
}

#[test]
fn tools_and_their_results_are_part_of_the_prompt() {
    let bare = r#""messages":[{"role":"user","content":"hello"}]"#;
    let tool = r#""tools":[{"type":"function","function":{"name":"add","description":"adds",
        "parameters":{"type":"object","properties":{"a":{"type":"number"}}}}}]"#;
    let with_tool = chat(&format!("{bare},{tool}"));
    let schema = r#"{"type":"object","properties":{"a":{"type":"number"}}}"#;
    let texts = ["add", "adds", schema].map(|text| table().count(text)).iter().sum::<u64>();
    assert_eq!(with_tool, chat(bare) + TOOLS_TOKENS + TOOL_TOKENS + texts);
    let rest = r#",{"role":"assistant","tool_calls":[{"id":"c1","type":"function",
        "function":{"name":"add","arguments":"{\"a\":1}"}}]},
        {"role":"tool","tool_call_id":"c1","content":"one"}"#;
    let with_result = chat(&format!("{}{rest}]", bare.trim_end_matches(']')));
    assert!(with_result >= chat(bare) + 3 * 3 + table().count(r#"{"a":1}"#));
}

#[test]
fn a_count_of_ordinary_text_is_within_the_bound_by_length() {
    for text in [
        "The quick brown fox jumps over the lazy dog.",
        "fn main() { println!(\\\"{}\\\", 6 * 7); }",
        "Съешь же ещё этих мягких французских булок, да выпей чаю.",
        "这是一个用于计数的测试文本，包含标点符号。",
        "1234567890 3.14159 2026-11-29",
    ] {
        let members = format!(r#""messages":[{{"role":"user","content":"{text}"}}]"#);
        let body = Bytes::from(format!(r#"{{"model":"m",{members}}}"#));
        let request = ClientRequest::read(ClientFormat::OpenAiChat, &body, PathSays::default());
        let asked = request.expect("a request").asked;
        let by_length = bound(asked.prompt_bytes, None, 1, &ModelLimits::default());
        let counted = by_length.with_prompt(chat(&members));
        assert!(counted.prompt <= by_length.prompt, "{text}: {counted:?} {by_length:?}");
    }
}

#[test]
fn pictures_count_by_their_bytes() {
    let picture = |data: &str| {
        chat(&format!(
            r#""messages":[{{"role":"user","content":[{{"type":"image_url",
                "image_url":{{"url":"data:image/png;base64,{data}"}}}}]}}]"#
        ))
    };
    assert_eq!(picture(&"A".repeat(4000)) - picture(&"A".repeat(400)), 1800);
}
