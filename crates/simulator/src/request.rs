//! Reading a chat request, as far as the simulator looks at one (openai.md §1.1, §1.2).

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;
use thiserror::Error;

/// What the simulator needs of a chat request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ChatRequest {
    pub(crate) model: String,
    pub(crate) stream: bool,
    pub(crate) include_usage: bool,
    pub(crate) tokens_max: Option<u32>,
    pub(crate) choices: u32,
    pub(crate) prompt_tokens: u32,
    pub(crate) first_tool: Option<String>,
}

/// Why a body is not a chat request.
#[derive(Debug, Error)]
pub(crate) enum BadRequest {
    #[error("the body is not a chat request: {0}")]
    Unreadable(#[from] serde_json::Error),
    #[error("`{0}` is required")]
    Missing(&'static str),
    #[error("`{field}` is {value}, which is not within 1 to {max}")]
    OutOfRange { field: &'static str, value: u64, max: u64 },
}

impl ChatRequest {
    /// Reads a body without building a tree of it.
    pub(crate) fn read(body: &[u8]) -> Result<Self, BadRequest> {
        let wire: Wire<'_> = serde_json::from_slice(body)?;
        if wire.model.is_empty() {
            return Err(BadRequest::Missing("model"));
        }
        let messages = wire.messages.ok_or(BadRequest::Missing("messages"))?;
        let prompt_tokens: u64 = messages.iter().filter_map(|m| m.content).map(words).sum();
        Ok(Self {
            model: wire.model.into_owned(),
            stream: wire.stream.unwrap_or(false),
            include_usage: wire.stream_options.and_then(|o| o.include_usage).unwrap_or(false),
            tokens_max: tokens_max(wire.max_completion_tokens, wire.max_tokens)?,
            choices: within("n", wire.n.unwrap_or(1), CHOICES_MAX)?,
            prompt_tokens: u32::try_from(prompt_tokens).unwrap_or(u32::MAX),
            first_tool: wire.tools.and_then(first_function),
        })
    }
}

fn tokens_max(completion: Option<u64>, legacy: Option<u64>) -> Result<Option<u32>, BadRequest> {
    match (completion, legacy) {
        (Some(max), _) => within("max_completion_tokens", max, u32::MAX).map(Some),
        (None, Some(max)) => within("max_tokens", max, u32::MAX).map(Some),
        (None, None) => Ok(None),
    }
}

fn within(field: &'static str, value: u64, max: u32) -> Result<u32, BadRequest> {
    u32::try_from(value)
        .ok()
        .filter(|value| (1..=max).contains(value))
        .ok_or(BadRequest::OutOfRange { field, value, max: u64::from(max) })
}

fn first_function(tools: Vec<Tool<'_>>) -> Option<String> {
    tools.into_iter().find_map(|tool| tool.function).map(|function| function.name.into_owned())
}

/// The whitespace-separated words of a message's content.
fn words(content: &RawValue) -> u64 {
    let raw = content.get();
    if let Some(inner) = raw.strip_prefix('"') {
        // Without escapes the raw text has the words of the string, and its last quote is no word
        // of its own unless whitespace comes before it.
        let inner = inner.strip_suffix('"').unwrap_or(inner);
        return if inner.contains('\\') {
            serde_json::from_str::<String>(raw).map_or(0, |text| count_words(&text))
        } else {
            count_words(inner)
        };
    }
    let parts: Vec<Part<'_>> = serde_json::from_str(raw).unwrap_or_default();
    parts.iter().map(|part| count_words(&part.text)).sum()
}

fn count_words(text: &str) -> u64 {
    text.split_whitespace().count() as u64
}

#[derive(Deserialize)]
struct Wire<'a> {
    #[serde(borrow, default)]
    model: Cow<'a, str>,
    #[serde(borrow)]
    messages: Option<Vec<Message<'a>>>,
    stream: Option<bool>,
    stream_options: Option<StreamOptions>,
    max_tokens: Option<u64>,
    max_completion_tokens: Option<u64>,
    n: Option<u64>,
    #[serde(borrow)]
    tools: Option<Vec<Tool<'a>>>,
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    content: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Part<'a> {
    #[serde(borrow, default)]
    text: Cow<'a, str>,
}

#[derive(Deserialize)]
struct StreamOptions {
    include_usage: Option<bool>,
}

#[derive(Deserialize)]
struct Tool<'a> {
    #[serde(borrow)]
    function: Option<Function<'a>>,
}

#[derive(Deserialize)]
struct Function<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
}

/// The most choices in one answer, as at OpenAI.
const CHOICES_MAX: u32 = 128;

#[cfg(test)]
mod tests {
    use super::*;

    fn prompt_tokens(content: &str) -> u32 {
        let body = format!(r#"{{"model":"m","messages":[{{"role":"user","content":{content}}}]}}"#);
        ChatRequest::read(body.as_bytes()).expect("a request").prompt_tokens
    }

    #[test]
    fn prompt_tokens_are_the_words_of_the_contents() {
        for (content, expected) in [
            (r#""""#, 0),
            (r#"" ""#, 0),
            (r#""one""#, 1),
            (r#""one two  three ""#, 3),
            (r#""one\ntwo \"three\" \u00e9""#, 4),
            ("null", 0),
            ("7", 0),
            (r#"[{"type":"text","text":"one two"},{"type":"image_url","image_url":{}}]"#, 2),
            (r#"[{"type":"text","text":"a\tb"},{"type":"text","text":"c"}]"#, 3),
        ] {
            assert_eq!(prompt_tokens(content), expected, "{content}");
        }
    }

    #[test]
    fn what_shapes_the_answer_is_read() {
        let body = br#"{"model":"a\"b","messages":[],"stream":true,"n":2,"max_tokens":9,
            "max_completion_tokens":5,"stream_options":{"include_usage":true},"unknown":{"x":[1]},
            "tools":[{"type":"custom","custom":{}},{"type":"function","function":{"name":"now"}}]}"#;
        let expected = ChatRequest {
            model: "a\"b".to_owned(),
            stream: true,
            include_usage: true,
            tokens_max: Some(5),
            choices: 2,
            prompt_tokens: 0,
            first_tool: Some("now".to_owned()),
        };
        assert_eq!(ChatRequest::read(body).expect("a request"), expected);
    }

    #[test]
    fn nonsense_is_refused_with_its_reason() {
        for (body, reason) in [
            ("", "not a chat request: EOF"),
            ("{}", "`model` is required"),
            (r#"{"model":7}"#, "invalid type: integer `7`"),
            (r#"{"model":"m"}"#, "`messages` is required"),
            (r#"{"model":"m","messages":[],"n":0}"#, "`n` is 0"),
            (r#"{"model":"m","messages":[],"n":129}"#, "within 1 to 128"),
            (r#"{"model":"m","messages":[],"max_tokens":0}"#, "`max_tokens` is 0"),
            (r#"{"model":"m","messages":[],"max_tokens":-1}"#, "invalid value"),
        ] {
            let error = ChatRequest::read(body.as_bytes()).expect_err(body).to_string();
            assert!(error.contains(reason), "{body}: {error}");
        }
    }
}
