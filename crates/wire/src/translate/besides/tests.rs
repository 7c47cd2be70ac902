//! What requests of each format may cost besides their text.

use bytes::Bytes;

use super::*;
use crate::translate::{ClientRequest, PathSays};

fn besides(format: ClientFormat, body: &str) -> Besides {
    let path = PathSays { model: Some("m"), ..PathSays::default() };
    let read = ClientRequest::read(format, &Bytes::copy_from_slice(body.as_bytes()), path);
    read.expect("a request").besides()
}

fn with(prompt: &str, fields: &str) -> String {
    format!(r#"{{"model":"m",{prompt}{}{fields}}}"#, if fields.is_empty() { "" } else { "," })
}

const SAID: &[(ClientFormat, &str)] = &[
    (ClientFormat::OpenAiChat, r#""messages":[{"role":"user","content":"search the web"}]"#),
    (ClientFormat::OpenAiResponses, r#""input":"search the \"image_url\" web""#),
    (ClientFormat::AnthropicMessages, r#""messages":[{"role":"user","content":"web_search_"}]"#),
    (ClientFormat::Gemini, r#""contents":[{"parts":[{"text":"googleSearch \"fileData\""}]}]"#),
];

fn prompt(format: ClientFormat) -> &'static str {
    SAID.iter().find(|(known, _)| *known == format).expect("a prompt").1
}

#[test]
fn a_request_of_words_and_functions_has_nothing_besides() {
    let function = r#""tools":[{"type":"function","name":"web","function":{"name":"web"}}]"#;
    for (format, prompt) in SAID {
        assert_eq!(besides(*format, &with(prompt, "")), Besides::NOTHING, "{format:?}");
        assert_eq!(besides(*format, &with(prompt, function)), Besides::NOTHING, "{format:?}");
    }
}

#[test]
fn searches_are_as_many_as_the_request_allows() {
    let [chat, responses] = [ClientFormat::OpenAiChat, ClientFormat::OpenAiResponses];
    let [messages, gemini] = [ClientFormat::AnthropicMessages, ClientFormat::Gemini];
    let cases = [
        (chat, r#""web_search_options":{}"#, Some(1)),
        (chat, r#""web_search_options":{},"n":3"#, Some(3)),
        (chat, r#""web_search_options":null"#, Some(0)),
        (chat, r#""enable_search":true"#, None),
        (chat, r#""enable_search":false"#, Some(0)),
        (chat, r#""tools":[{"type":"browser_search"}]"#, None),
        (chat, r#""tools":[{"type":"function","function":{"name":"search"}}]"#, Some(0)),
        (responses, r#""tools":[{"type":"web_search"}]"#, None),
        (responses, r#""tools":[{"type":"web\u005fsearch"}]"#, None),
        (responses, r#""tools":[{"type":"web_search_preview"}],"max_tool_calls":4"#, Some(4)),
        (responses, r#""tools":[{"type":"function","name":"web_search"}]"#, Some(0)),
        (messages, r#""tools":[{"type":"web_search_20250305","max_uses":5}]"#, Some(5)),
        (messages, r#""tools":[{"type":"web_search_20250305"}]"#, None),
        (messages, r#""tools":[{"name":"web_search_","input_schema":{}}]"#, Some(0)),
        (gemini, r#""tools":[{"googleSearch":{}}]"#, None),
        (gemini, r#""tools":[{"google_search":{}}]"#, None),
        (gemini, r#""tools":[{"functionDeclarations":[{"name":"googleSearch"}]}]"#, Some(0)),
    ];
    for (format, fields, searches) in cases {
        let found = besides(format, &with(prompt(format), fields));
        assert_eq!(found.searches, searches, "{format:?} {fields}");
        assert!(!found.billed_tools, "{format:?} {fields}");
    }
}

#[test]
fn tools_that_travel_in_the_input_count_too() {
    let tools = r#"{"type":"additional_tools","tools":[{"type":"web_search"}]}"#;
    let body = format!(r#"{{"model":"m","input":[{tools}]}}"#);
    assert_eq!(besides(ClientFormat::OpenAiResponses, &body).searches, None);
}

#[test]
fn tools_that_nothing_measures_are_told() {
    let cases = [
        (ClientFormat::OpenAiChat, r#""plugins":[{"id":"web"}]"#, true),
        (ClientFormat::OpenAiChat, r#""plugins":[]"#, false),
        (ClientFormat::OpenAiResponses, r#""tools":[{"type":"image_generation"}]"#, true),
        (ClientFormat::OpenAiResponses, r#""tools":[{"type":"code_interpreter"}]"#, true),
        (ClientFormat::OpenAiResponses, r#""tools":[{"type":"custom","name":"x"}]"#, false),
        (ClientFormat::AnthropicMessages, r#""tools":[{"type":"code_execution_20250825"}]"#, true),
        (ClientFormat::AnthropicMessages, r#""tools":[{"type":"bash_20250124"}]"#, false),
        (ClientFormat::Gemini, r#""tools":[{"googleMaps":{}}]"#, true),
        (ClientFormat::Gemini, r#""tools":[{"codeExecution":{}}]"#, false),
    ];
    for (format, fields, billed_tools) in cases {
        let found = besides(format, &with(prompt(format), fields));
        assert_eq!(found.billed_tools, billed_tools, "{format:?} {fields}");
        assert_eq!(found.searches, Some(0), "{format:?} {fields}");
    }
}

#[test]
fn what_is_not_in_the_body_is_counted_or_told() {
    let [chat, responses] = [ClientFormat::OpenAiChat, ClientFormat::OpenAiResponses];
    let [messages, gemini] = [ClientFormat::AnthropicMessages, ClientFormat::Gemini];
    let picture = r#"{"type":"input_image","image_url":"https://a.test/1.png"}"#;
    let cases = [
        (chat, r#""messages":[{"content":[{"image_url":{"url":"http://a.test"}}]}]"#, 1, false),
        (chat, r#""messages":[{"content":[{"file":{"file_id":"f"}}]}]"#, 0, true),
        (responses, &format!(r#""input":[{{"content":[{picture},{picture}]}}]"#), 2, false),
        (responses, r#""input":"more","previous_response_id":"r""#, 0, true),
        (responses, r#""input":[{"type":"input_file","file_url":"https://a.test"}]"#, 0, true),
        (responses, r#""input":"\u0066ile""#, 0, true),
        (responses, r#""input":"a \u003cb\u003e \u00e9""#, 0, false),
        (messages, r#""messages":[{"content":[{"type":"image","source":{}}]}]"#, 1, false),
        (messages, r#""messages":[{"type":"document","source":{"type":"url"}}]"#, 0, true),
        (gemini, r#""contents":[{"parts":[{"fileData":{}}]}]"#, 0, true),
        (gemini, r#""contents":[{}],"cachedContent":"c""#, 0, true),
    ];
    for (format, fields, pictures, elsewhere) in cases {
        let body = format!(r#"{{"model":"m",{fields}}}"#);
        let found = besides(format, &body);
        assert_eq!((found.pictures, found.elsewhere), (pictures, elsewhere), "{format:?} {fields}");
    }
}
