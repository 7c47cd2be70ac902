//! JSON schemas inside requests: whatever a client calls one is written for every upstream.

use bytes::Bytes;
use tollgate_wire::json::Object;

use super::formats;
use super::requests::check_conversation;

/// Requests around a schema, `$` in its place.
const REQUESTS: [(&str, &str); 4] = [
    (
        "openai_chat",
        r#"{"model":"m","messages":[{"role":"user","content":"a"}],
        "tools":[{"type":"function","function":{"name":"f","parameters":$,"strict":true}}],
        "response_format":{"type":"json_schema","json_schema":{"name":"n","schema":$}}}"#,
    ),
    (
        "openai_responses",
        r#"{"model":"m","input":"a","tools":[{"type":"function","name":"f","parameters":$}],
        "text":{"format":{"type":"json_schema","name":"n","schema":$,"strict":true}}}"#,
    ),
    (
        "anthropic_messages",
        r#"{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"a"}],
        "tools":[{"name":"f","input_schema":$}],
        "output_config":{"format":{"type":"json_schema","schema":$}}}"#,
    ),
    (
        "gemini",
        r#"{"contents":[{"role":"user","parts":[{"text":"a"}]}],
        "tools":[{"functionDeclarations":[{"name":"f","parameters":$,"response":$},
        {"name":"g","parametersJsonSchema":$}]}],
        "generationConfig":{"responseMimeType":"application/json","responseSchema":$}}"#,
    ),
];

/// The body of the target `schema`.
pub(crate) fn check(data: &[u8]) {
    let Ok(schema) = std::str::from_utf8(data) else { return };
    if Object::scan(data).is_err() {
        return;
    }
    for (name, request) in REQUESTS {
        let client = formats::client(name).expect("a format of the table");
        let body = Bytes::from(request.replace('$', schema));
        // Only what nests too deeply around a schema is refused for it.
        if let Ok(conversation) = (client.read)(&body) {
            check_conversation(client, &conversation);
        }
    }
}
