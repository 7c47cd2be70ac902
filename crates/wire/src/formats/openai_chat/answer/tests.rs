//! Whole answers, and answers that are none.

use bytes::Bytes;

use super::{AnswerFacts, AnswerRead, read_answer, with_model};

fn facts(body: &str) -> AnswerFacts {
    match read_answer(body.as_bytes()).expect("a JSON object") {
        AnswerRead::Answer(facts) => facts,
        AnswerRead::Error(error) => panic!("{error:?}"),
    }
}

fn error(body: &str) -> String {
    match read_answer(body.as_bytes()).expect("a JSON object") {
        AnswerRead::Answer(facts) => panic!("{facts:?}"),
        AnswerRead::Error(error) => error.message,
    }
}

#[test]
fn the_output_of_every_choice_is_measured() {
    let cases = [
        (r#"{"content":"h\u00e9\n"}"#, 4),
        (r#"{"content":null,"refusal":"no"}"#, 2),
        (r#"{"content":"a","reasoning_content":"bcd"}"#, 4),
        (r#"{"content":"a","reasoning":"bcd","reasoning_details":[{"text":"bcd"}]}"#, 4),
        (
            r#"{"content":[{"type":"thinking","thinking":[{"type":"text","text":"ab"}]},{"text":"c"}]}"#,
            3,
        ),
        (r#"{"content":"","tool_calls":[{"function":{"name":"f","arguments":"{\"a\":1}"}}]}"#, 7),
        (r#"{"tool_calls":[{"function":{"arguments":{"a":1}}},{"custom":{"input":"xy"}}]}"#, 9),
        (r#"{"function_call":{"name":"f","arguments":"12"},"tool_calls":null}"#, 2),
        (r#"{"audio":{"data":"AAAA","transcript":"abc"}}"#, 3),
        (r#"{"content":7,"tool_calls":"x","audio":[],"reasoning":{}}"#, 0),
        ("null", 0),
    ];
    for (message, bytes) in cases {
        let choice = format!(r#"{{"message":{message},"finish_reason":"stop"}}"#);
        let found = facts(&format!(r#"{{"choices":[{choice},{choice}]}}"#));
        assert_eq!((found.output_bytes, found.finished), (bytes * 2, true), "{message}");
    }
}

#[test]
fn an_answer_is_finished_when_every_choice_is() {
    let cases = [
        (r#"[{"finish_reason":"stop"},{"finish_reason":"length"}]"#, true),
        (r#"[{"finish_reason":"stop"},{"finish_reason":null}]"#, false),
        (r#"[{"finish_reason":""}]"#, false),
        ("[]", false),
        ("null", false),
    ];
    for (choices, finished) in cases {
        assert_eq!(facts(&format!(r#"{{"choices":{choices}}}"#)).finished, finished, "{choices}");
    }
}

#[test]
fn an_error_inside_a_200_is_an_error() {
    assert_eq!(error(r#"{"error":{"message":"no"}}"#), "no");
    assert_eq!(error(r#"{"error":"no"}"#), "no");
    assert_eq!(error(r#"{"object":"error","message":"no"}"#), "no");
    assert_eq!(error(r#"{"choices":[{"error":{"message":"no"},"finish_reason":"error"}]}"#), "no");
    let unexplained = "the upstream ended the answer with finish reason `error`";
    assert_eq!(error(r#"{"choices":[{"finish_reason":"error"}]}"#), unexplained);
    for fine in [r#"{"error":null}"#, r#"{"error":{}}"#, r#"{"error":""}"#, r#"{"error":false}"#] {
        assert!(matches!(read_answer(fine.as_bytes()), Ok(AnswerRead::Answer(_))), "{fine}");
    }
}

#[test]
fn a_body_that_is_no_object_is_malformed() {
    for body in ["", "[]", "<html>", "{\"a\":1"] {
        assert!(read_answer(body.as_bytes()).is_err(), "{body}");
    }
}

#[test]
fn only_the_top_level_model_is_replaced() {
    let renamed = |body: &'static str| with_model(Bytes::from_static(body.as_bytes()), "ours");
    assert_eq!(
        renamed(r#"{"a":{"model":"x"}, "model" : "x" }"#),
        r#"{"a":{"model":"x"}, "model" : "ours" }"#
    );
    assert_eq!(renamed(r#"{"model":null}"#), r#"{"model":"ours"}"#);
    assert_eq!(renamed(r#"{"model":"x","model":"ours"}"#), r#"{"model":"ours"}"#);
    for same in [r#"{"id":"a"}"#, r#"{"model":"ours"}"#, "<html>", ""] {
        assert_eq!(renamed(same).as_ptr(), same.as_ptr(), "{same}");
    }
}
