//! Bad requests of every kind, and that reading copies no media.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::capability::Capability;
use crate::conversation::{PartBody, Source};
use crate::formats::gemini::from_conversation;
use crate::formats::translation::{Leniency, Target};
use crate::provider::Quirks;

fn read(body: &Value) -> Result<Conversation, RequestProblem> {
    to_conversation(&body.to_string().into(), Some("m"), false)
}

fn with_part(part: &Value) -> Value {
    json!({ "contents": [{ "role": "user", "parts": [part] }] })
}

fn with_setting(name: &str, value: Value) -> Value {
    let said = json!([{ "role": "user", "parts": [{ "text": "x" }] }]);
    Value::Object([("contents".to_owned(), said), (name.to_owned(), value)].into_iter().collect())
}

fn with_functions(functions: &Value) -> Value {
    with_setting("tools", json!([{ "functionDeclarations": functions }]))
}

fn each_problem_names(cases: impl IntoIterator<Item = (Value, &'static str)>) {
    for (body, place) in cases {
        let problem = read(&body).expect_err(&body.to_string()).to_string();
        assert!(problem.starts_with(&format!("`{place}` ")), "{problem} for {body}");
    }
}

#[test]
fn a_problem_of_contents_names_the_place_where_it_stands() {
    let inline = "contents[0].parts[0].inlineData";
    let data = |data: &str| json!({ "inlineData": { "mimeType": "a/b", "data": data } });
    each_problem_names([
        (json!({}), "contents"),
        (json!({ "contents": null }), "contents"),
        (json!({ "contents": "x" }), "contents"),
        (json!({ "contents": [] }), "contents"),
        (json!({ "contents": [7] }), "contents[0]"),
        (json!({ "contents": [{ "role": 1, "parts": [] }] }), "contents[0].role"),
        (json!({ "contents": [{ "role": "system", "parts": [] }] }), "contents[0].role"),
        (json!({ "contents": [{ "parts": {} }] }), "contents[0].parts"),
        (with_part(&json!("x")), "contents[0].parts[0]"),
        (with_part(&json!({ "text": 1 })), "contents[0].parts[0].text"),
        (with_part(&json!({ "text": "x", "thought": 1 })), "contents[0].parts[0].thought"),
        (
            with_part(&json!({ "text": "x", "thoughtSignature": 1 })),
            "contents[0].parts[0].thoughtSignature",
        ),
        (with_part(&json!({ "inlineData": 1 })), inline),
        (
            with_part(&json!({ "inlineData": { "data": "aGk=" } })),
            "contents[0].parts[0].inlineData.mimeType",
        ),
        (with_part(&data("aGk==")), "contents[0].parts[0].inlineData.data"),
        (with_part(&data("a")), "contents[0].parts[0].inlineData.data"),
        (with_part(&data("a!k=")), "contents[0].parts[0].inlineData.data"),
        (with_part(&json!({ "fileData": {} })), "contents[0].parts[0].fileData.fileUri"),
        (with_setting("systemInstruction", json!("x")), "systemInstruction"),
        (
            with_setting(
                "systemInstruction",
                json!({ "parts": [{ "fileData": { "fileUri": "x" } }] }),
            ),
            "systemInstruction.parts[0]",
        ),
    ]);
}

#[test]
fn a_problem_of_calls_and_responses_names_the_place_where_it_stands() {
    let call =
        json!({ "role": "model", "parts": [{ "functionCall": { "name": "f", "id": "1" } }] });
    let answer = json!({ "role": "user", "parts": [
        { "functionResponse": { "name": "f", "id": "1", "response": {} } },
    ] });
    let with_call = |call| json!({ "contents": [{ "role": "model", "parts": [call] }] });
    each_problem_names([
        (
            with_part(&json!({ "functionCall": { "name": "f" } })),
            "contents[0].parts[0].functionCall",
        ),
        (json!({ "contents": [call, answer, answer] }), "contents[2].parts[0].functionResponse.id"),
        (
            json!({ "contents": [{ "role": "model", "parts": answer["parts"] }] }),
            "contents[0].parts[0].functionResponse",
        ),
        (
            with_call(json!({ "functionCall": { "name": "f", "args": [] } })),
            "contents[0].parts[0].functionCall.args",
        ),
        (with_call(json!({ "functionCall": {} })), "contents[0].parts[0].functionCall.name"),
        (
            with_call(json!({ "functionCall": { "name": "f", "id": 7 } })),
            "contents[0].parts[0].functionCall.id",
        ),
    ]);
}

#[test]
fn a_problem_of_settings_names_the_place_where_it_stands() {
    let calling = |config| with_setting("toolConfig", json!({ "functionCallingConfig": config }));
    let generation = |config| with_setting("generationConfig", config);
    let thinking = |config| generation(json!({ "thinkingConfig": config }));
    each_problem_names([
        (with_setting("tools", json!({})), "tools"),
        (with_setting("tools", json!([[]])), "tools[0]"),
        (with_functions(&json!([{}])), "tools[0].functionDeclarations[0].name"),
        (
            with_functions(&json!([{ "name": "f" }, { "name": "f" }])),
            "tools[0].functionDeclarations[1].name",
        ),
        (
            with_functions(&json!([{ "name": "f", "parameters": [] }])),
            "tools[0].functionDeclarations[0].parameters",
        ),
        (
            calling(json!({ "mode": "ANY", "allowedFunctionNames": [1] })),
            "toolConfig.functionCallingConfig.allowedFunctionNames[0]",
        ),
        (generation(json!({ "temperature": "hot" })), "generationConfig.temperature"),
        (generation(json!({ "candidateCount": 9 })), "generationConfig.candidateCount"),
        (generation(json!({ "maxOutputTokens": 0 })), "generationConfig.maxOutputTokens"),
        (generation(json!({ "stopSequences": [null] })), "generationConfig.stopSequences[0]"),
        (
            thinking(json!({ "thinkingBudget": -2 })),
            "generationConfig.thinkingConfig.thinkingBudget",
        ),
        (
            thinking(json!({ "thinkingLevel": "LOTS" })),
            "generationConfig.thinkingConfig.thinkingLevel",
        ),
    ]);
}

#[test]
fn what_is_no_json_or_nests_too_deep_is_refused_as_a_whole() {
    let deep = format!("{{\"contents\":{}{}}}", "[".repeat(200), "]".repeat(200));
    let bodies: [&[u8]; 4] = [b"", b"{\"contents\":\"\xff\"}", b"{\"contents\":[", deep.as_bytes()];
    for body in bodies {
        let problem = to_conversation(&Bytes::copy_from_slice(body), Some("m"), false);
        assert!(matches!(problem, Err(RequestProblem::Malformed(_))), "{problem:?}");
    }
}

#[test]
fn the_path_names_the_model_and_whether_it_streams() {
    let body = json!({ "model": "models/a", "contents": [{ "parts": [{ "text": "x" }] }] });
    let body = Bytes::from(body.to_string());
    let by_body = to_conversation(&body, None, false).expect("a request");
    assert_eq!((by_body.model.as_str(), by_body.stream), ("a", false));
    let by_path = to_conversation(&body, Some("b"), true).expect("a request");
    assert_eq!((by_path.model.as_str(), by_path.stream), ("b", true));
    let nobody = br#"{"contents":[{"parts":[{"text":"x"}]}]}"#.as_slice().into();
    let problem = to_conversation(&nobody, None, false).expect_err("no model");
    assert_eq!(problem, RequestProblem::Missing { field: "model" });
}

#[test]
fn media_are_slices_of_the_body() {
    let data = "QUJD".repeat(1000);
    let part = json!({ "inlineData": { "mimeType": "image/png", "data": data } });
    let body = Bytes::from(with_part(&part).to_string());
    let conversation = to_conversation(&body, Some("m"), false).expect("a request");
    let PartBody::Image { source: Source::Base64 { data, .. }, .. } =
        &conversation.messages[0].parts[0].body
    else {
        panic!("an image");
    };
    assert!(body.as_ptr_range().contains(&data.as_ptr()), "not copied");
}

#[test]
fn base64_of_the_url_alphabet_becomes_the_usual_one() {
    let part = json!({ "inlineData": { "mimeType": "image/png", "data": "-_-_AA" } });
    let conversation = read(&with_part(&part)).expect("a request");
    let PartBody::Image { source: Source::Base64 { data, .. }, .. } =
        &conversation.messages[0].parts[0].body
    else {
        panic!("an image");
    };
    assert_eq!(&**data, "+/+/AA==");
}

/// Names that mean something, so that arbitrary values get far.
const NAMES: [&str; 28] = [
    "contents",
    "parts",
    "role",
    "text",
    "thought",
    "thoughtSignature",
    "functionCall",
    "functionResponse",
    "name",
    "args",
    "response",
    "id",
    "inlineData",
    "mimeType",
    "data",
    "fileData",
    "fileUri",
    "tools",
    "functionDeclarations",
    "parameters",
    "googleSearch",
    "toolConfig",
    "functionCallingConfig",
    "mode",
    "generationConfig",
    "thinkingConfig",
    "thinkingBudget",
    "system_instruction",
];

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        prop::sample::select(vec!["user", "model", "ANY", "aGk=", "image/png", "f", ""])
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(7, 64, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((prop::sample::select(NAMES.to_vec()), inner), 0..6).prop_map(
                |members| {
                    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
                }
            ),
        ]
    })
}

proptest! {
    #[test]
    fn no_body_makes_reading_or_writing_panic(mut body in any_value(), parts in any_value()) {
        if let Some(body) = body.as_object_mut() {
            body.insert("contents".to_owned(), json!([{ "role": "model", "parts": [parts] }]));
        }
        if let Ok(conversation) = read(&body) {
            for model in ["gemini-3-pro", "gemini-2.5-flash", "gemini-2.0-flash", "other"] {
                let leniency = Leniency { drops: true, ..Leniency::default() };
                let target = Target {
                    model,
                    capability: &Capability::UNKNOWN,
                    quirks: Quirks::none(),
                    leniency,
                };
                if let Ok(written) = from_conversation(&conversation, &target) {
                    prop_assert!(serde_json::from_slice::<Value>(&written.body).is_ok());
                }
            }
        }
    }

    #[test]
    fn no_bytes_make_reading_panic(bytes in any::<Vec<u8>>()) {
        let _ = to_conversation(&bytes.into(), Some("m"), true);
    }
}
