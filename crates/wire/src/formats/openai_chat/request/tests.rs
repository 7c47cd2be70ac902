//! Requests as clients send them, and as they should not.

use bytes::Bytes;

use super::{ChatRequest, RequestProblem};

const MESSAGES: &str = r#""messages":[{"role":"user","content":"hi"}]"#;

fn read(body: &str) -> Result<ChatRequest, RequestProblem> {
    ChatRequest::read(&Bytes::copy_from_slice(body.as_bytes()), None)
}

/// A body with a model, messages and these members.
fn with(members: &str) -> Result<ChatRequest, RequestProblem> {
    read(&format!(r#"{{"model":"m",{MESSAGES}{members}}}"#))
}

#[test]
fn a_plain_request_is_read_with_its_defaults() {
    let request = with("").expect("a request");
    assert_eq!(request.model.as_str(), "m");
    assert_eq!((request.stream, request.include_usage), (false, false));
    assert_eq!((request.output_tokens_max, request.choices), (None, 1));
    assert_eq!(request.user, None);
    assert_eq!(request.prompt_bytes, MESSAGES.len() as u64 - 11);
    assert_eq!(request.field_names().collect::<Vec<_>>(), ["model", "messages"]);
}

#[test]
fn every_field_that_is_decided_on_is_read() {
    let members = r#","str\u0065am":true,"stream_options":{"include_usage":true},"n":3,"user":"u""#;
    let request = with(members).expect("a request");
    assert_eq!((request.stream, request.include_usage), (true, true));
    assert_eq!((request.choices, request.user.as_deref()), (3, Some("u")));
}

#[test]
fn null_is_absent() {
    let request = with(
        r#","stream":null,"stream_options":null,"n":null,"max_tokens":null,"user":null,"tools":null"#,
    )
    .expect("a request");
    assert_eq!((request.stream, request.include_usage, request.choices), (false, false, 1));
    assert_eq!((request.output_tokens_max, request.user), (None, None));
    let options = with(r#","stream_options":{"include_usage":null},"user":"""#).expect("a request");
    assert_eq!((options.include_usage, options.user), (false, None));
}

#[test]
fn the_larger_of_two_output_limits_bounds_the_call() {
    let limits = [
        (r#","max_tokens":5"#, 5),
        (r#","max_completion_tokens":7"#, 7),
        (r#","max_tokens":5,"max_completion_tokens":7"#, 7),
        (r#","max_tokens":9,"max_completion_tokens":7"#, 9),
        (r#","max_tokens":1e3"#, 1000),
        (r#","max_tokens":5,"max_tokens":6"#, 6),
    ];
    for (members, wanted) in limits {
        let request = with(members).expect(members);
        assert_eq!(request.output_tokens_max, Some(wanted), "{members}");
    }
}

#[test]
fn the_prompt_is_all_that_becomes_input_tokens() {
    let plain = with("").expect("a request").prompt_bytes;
    let more = with(r#","tools":[1],"functions":[12],"response_format":{},"metadata":{"a":"b"}"#);
    assert_eq!(more.expect("a request").prompt_bytes, plain + 3 + 4 + 2);
}

#[test]
fn the_model_in_the_path_takes_precedence() {
    let body = Bytes::from(format!(r#"{{"model":7,{MESSAGES}}}"#));
    let request = ChatRequest::read(&body, Some("from-path")).expect("a request");
    assert_eq!(request.model.as_str(), "from-path");
    let problem = ChatRequest::read(&body, None).expect_err("a number");
    assert_eq!(problem.to_string(), "`model` must be a string, not a number");
}

#[test]
fn what_cannot_be_served_is_refused_in_words() {
    let cases = [
        (r#"{"model":"m"}"#, "`messages` is missing"),
        (r#"{"model":"m","messages":null}"#, "`messages` is missing"),
        (r#"{"messages":[{}]}"#, "`model` is missing"),
        (r#"{"model":null,"messages":[{}]}"#, "`model` is missing"),
        (
            r#"{"model":"","messages":[{}]}"#,
            "`model` must be 1 to 256 bytes without control characters",
        ),
        (
            r#"{"model":"m","messages":"hi"}"#,
            "`messages` must be an array of messages, not a string",
        ),
        (r#"{"model":"m","messages":[ ]}"#, "`messages` must be an array of at least one message"),
        (
            r#"{"model":"m""#,
            "the request body is not valid JSON: expected `,` or `}`, found the end at line 1, column 13",
        ),
    ];
    for (body, message) in cases {
        assert_eq!(read(body).expect_err(body).to_string(), message);
    }
    let members = [
        (r#","stream":"true""#, "`stream` must be a boolean, not a string"),
        (r#","stream":1"#, "`stream` must be a boolean, not a number"),
        (r#","stream_options":[]"#, "`stream_options` must be an object, not an array"),
        (
            r#","stream_options":{"include_usage":1}"#,
            "`stream_options.include_usage` must be a boolean, not a number",
        ),
        (r#","n":0"#, "`n` must be a whole number from 1 to 128"),
        (r#","n":129"#, "`n` must be a whole number from 1 to 128"),
        (r#","n":1.5"#, "`n` must be a whole number from 1 to 128"),
        (r#","n":"2""#, "`n` must be a whole number, not a string"),
        (r#","max_tokens":-1"#, "`max_tokens` must be a whole number from 1"),
        (r#","max_tokens":1e39"#, "`max_tokens` must be a whole number from 1"),
        (
            r#","max_completion_tokens":true"#,
            "`max_completion_tokens` must be a whole number, not a boolean",
        ),
        (r#","user":7"#, "`user` must be a string, not a number"),
    ];
    for (members, message) in members {
        assert_eq!(with(members).expect_err(members).to_string(), message);
    }
    assert_eq!(with(r#","n":128"#).expect("at the limit").choices, 128);
}

#[test]
fn a_field_that_a_client_must_not_decide_is_refused_however_it_is_spelt() {
    for name in ["api_base", r"\u0061pi_base", "aws_role_name", "api_key", "model_list"] {
        let problem = with(&format!(r#","{name}":null"#)).expect_err(name);
        let RequestProblem::NotAllowed { field } = &problem else { panic!("{problem}") };
        assert!(!field.contains('\\'));
        let said = format!("`{field}` is not allowed in a request: ");
        assert!(problem.to_string().starts_with(&said), "{problem}");
    }
}

#[test]
fn a_prompt_does_not_stand_in_a_debug_line() {
    let request = with(r#","metadata":"secret words""#).expect("a request");
    let line = format!("{request:?}");
    assert!(!line.contains("secret words") && line.contains("bytes)"), "{line}");
}
