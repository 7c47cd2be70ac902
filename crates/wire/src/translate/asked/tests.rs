//! What is read of a request before any translation.

use super::*;

#[test]
fn the_input_of_a_responses_call_is_a_text_or_a_list_that_holds_something() {
    for (body, problem) in [
        (r#"{"model":"m","input":"hi"}"#, None),
        (r#"{"model":"m","input":[{"role":"user","content":"hi"}]}"#, None),
        (r#"{"model":"m","previous_response_id":"resp_1"}"#, None),
        (r#"{"model":"m","input":""}"#, Some("out of range")),
        (r#"{"model":"m","input":[ ]}"#, Some("out of range")),
        (r#"{"model":"m","input":5}"#, Some("wrong type")),
        (r#"{"model":"m"}"#, Some("missing")),
    ] {
        let format = ClientFormat::OpenAiResponses;
        let read = ClientRequest::read(format, &Bytes::from(body), PathSays::default());
        let found = read.err().map(|problem| match problem {
            RequestProblem::OutOfRange { .. } => "out of range",
            RequestProblem::WrongType { .. } => "wrong type",
            RequestProblem::Missing { .. } => "missing",
            _ => "another",
        });
        assert_eq!(found, problem, "{body}");
    }
}
