//! What each format asks for, and what is refused before anything is sent.

use bytes::Bytes;

use super::*;

fn read(format: ClientFormat, body: &str) -> Result<ClientRequest, RequestProblem> {
    let gemini = format == ClientFormat::Gemini;
    let path = PathSays { model: gemini.then_some("m"), stream: gemini, array: false };
    ClientRequest::read(format, &Bytes::copy_from_slice(body.as_bytes()), path)
}

#[test]
fn each_format_says_the_same_in_its_own_words() {
    let cases = [
        (
            ClientFormat::OpenAiChat,
            r#"{"model":"m","stream":true,"max_tokens":7,"user":"u","messages":[{}]}"#,
        ),
        (
            ClientFormat::OpenAiResponses,
            r#"{"model":"m","stream":true,"max_output_tokens":7,"user":"u","input":"hi"}"#,
        ),
        (
            ClientFormat::AnthropicMessages,
            r#"{"model":"m","stream":true,"max_tokens":7,"metadata":{"user_id":"u"},"messages":[{}]}"#,
        ),
    ];
    for (format, body) in cases {
        let asked = read(format, body).expect(body).asked;
        assert_eq!((asked.model.as_str(), asked.stream), ("m", true), "{body}");
        assert_eq!(asked.output_tokens_max, Some(7), "{body}");
        assert_eq!(asked.user.as_deref(), Some("u"), "{body}");
        assert!(asked.prompt_bytes > 0, "{body}");
    }
    let body = r#"{"contents":[{}],"generationConfig":{"maxOutputTokens":7,"candidateCount":2}}"#;
    let asked = read(ClientFormat::Gemini, body).expect("a request").asked;
    assert_eq!((asked.model.as_str(), asked.stream, asked.choices), ("m", true, 2));
    assert_eq!(asked.output_tokens_max, Some(7));
}

#[test]
fn an_input_is_a_text_a_list_or_the_continuation_of_earlier_turns() {
    let responses = ClientFormat::OpenAiResponses;
    for good in [
        r#"{"model":"m","input":"hi"}"#,
        r#"{"model":"m","input":[{}]}"#,
        r#"{"model":"m","previous_response_id":"resp_1"}"#,
    ] {
        assert!(read(responses, good).is_ok(), "{good}");
    }
    for bad in [r#"{"model":"m","input":""}"#, r#"{"model":"m","input":[]}"#, r#"{"model":"m"}"#] {
        assert!(read(responses, bad).is_err(), "{bad}");
    }
}

#[test]
fn what_is_wrong_is_named_by_its_field() {
    let cases = [
        (ClientFormat::AnthropicMessages, r#"{"messages":[{}]}"#, "`model` is missing"),
        (ClientFormat::AnthropicMessages, r#"{"model":"m"}"#, "`messages` is missing"),
        (ClientFormat::AnthropicMessages, r#"{"model":"m","messages":{}}"#, "`messages` must be"),
        (ClientFormat::AnthropicMessages, r#"{"model":"m","messages":[]}"#, "`messages` must be"),
        (
            ClientFormat::AnthropicMessages,
            r#"{"model":"m","messages":[{}],"stream":"yes"}"#,
            "`stream` must be a boolean, not a string",
        ),
        (
            ClientFormat::OpenAiResponses,
            r#"{"model":"m","input":"a","max_output_tokens":-1}"#,
            "`max_output_tokens` must be",
        ),
        (ClientFormat::OpenAiResponses, r#"{"model":"m","input":7}"#, "`input` must be"),
        (ClientFormat::Gemini, r"{}", "`contents` is missing"),
        (ClientFormat::Gemini, r#"{"contents":[{}],"api_base":"x"}"#, "`api_base` is not allowed"),
        (ClientFormat::Gemini, "[]", "not valid JSON"),
    ];
    for (format, body, wanted) in cases {
        let problem = read(format, body).expect_err(body).to_string();
        assert!(problem.contains(wanted), "{body}: {problem}");
    }
}

#[test]
fn a_number_that_is_none_or_endless_is_refused_in_every_format() {
    let bodies = [
        (ClientFormat::OpenAiChat, "max_tokens", r#""messages":[{}]"#),
        (ClientFormat::OpenAiResponses, "max_output_tokens", r#""input":"hi""#),
        (ClientFormat::AnthropicMessages, "max_tokens", r#""messages":[{}]"#),
    ];
    for (format, limit, prompt) in bodies {
        let with = |field: &str, value: &str| {
            read(format, &format!(r#"{{"model":"m",{prompt},"{field}":{value}}}"#)).map(|_| ())
        };
        for value in ["-1", "1.5", "1e400", "-1e400", "\"5\"", "NaN", "Infinity", "-Infinity"] {
            assert!(with(limit, value).is_err(), "{format:?} {value}");
        }
        for value in ["1e400", "-1e400", "NaN", "Infinity", "-Infinity"] {
            assert!(with("temperature", value).is_err(), "{format:?} {value}");
        }
        for value in ["1", "1.0", "1e2", "18446744073709551615", "null"] {
            assert_eq!(with(limit, value), Ok(()), "{format:?} {value}");
        }
        assert_eq!(with("temperature", "-0.5"), Ok(()), "what a model takes is the provider's");
    }
}

#[test]
fn googles_counts_may_stand_in_quotes_and_are_whole() {
    let asked = |fields: &str| {
        let body = format!(r#"{{"contents":[{{}}],"generationConfig":{{{fields}}}}}"#);
        let asked = read(ClientFormat::Gemini, &body).map(|read| read.asked);
        asked.map(|asked| (asked.output_tokens_max, asked.choices))
    };
    for (fields, expected) in [
        (r#""maxOutputTokens":"65536""#, (Some(65_536), 1)),
        (r#""max_output_tokens":1e3,"candidateCount":"2""#, (Some(1_000), 2)),
        (r#""maxOutputTokens":0"#, (None, 1)),
        (r#""maxOutputTokens":null"#, (None, 1)),
    ] {
        assert_eq!(asked(fields), Ok(expected), "{fields}");
    }
    for value in ["-1", "1.5", "\"-1\"", "\"NaN\"", "\"1.5\"", "1e400", "true"] {
        for name in ["maxOutputTokens", "candidateCount"] {
            assert!(asked(&format!(r#""{name}":{value}"#)).is_err(), "{name} {value}");
        }
    }
    assert!(asked(r#""temperature":1e400"#).is_err());
}
