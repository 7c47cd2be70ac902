//! Errors inside streams: what they are called, and how they are numbered.

use super::super::tests::{events, interpret};
use super::*;
use crate::delta::Delta;

#[test]
fn an_error_inside_a_stream_is_told_in_both_ways() {
    let stream = error_event(r#"{"error":{"message":"No \"luck\"","code":"overloaded"}}"#, 7);
    let events = events(&stream);
    assert_eq!(events[0]["type"], "error");
    assert_eq!(events[0]["message"], "No \"luck\"");
    assert_eq!(
        [&events[0], &events[1]].map(|event| event["sequence_number"].as_u64()),
        [Some(7), Some(8)]
    );
    assert_eq!(events[1]["response"]["error"]["code"], "overloaded");
    let deltas = interpret([&*stream]);
    assert!(matches!(deltas.last(), Some(Delta::Failed(error)) if error.message == "No \"luck\""));
    let said = String::from_utf8(error_event("not JSON", 0).to_vec()).expect("text");
    assert_eq!(said.matches("the answer broke off").count(), 2);
}

#[test]
fn an_error_is_called_what_the_api_calls_it() {
    for (error, code) in [
        (r#"{"code":"502","type":"api_error"}"#, "server_error"),
        (r#"{"code":"504"}"#, "server_error"),
        (r#"{"code":"429","type":"throttling_error"}"#, "rate_limit_exceeded"),
        (r#"{"code":"400","type":"invalid_request_error"}"#, "invalid_request_error"),
        (r#"{"code":"context_length_exceeded","type":"x"}"#, "context_length_exceeded"),
        (r#"{"type":"server_error"}"#, "server_error"),
    ] {
        let stream = error_event(&format!(r#"{{"error":{error}}}"#), 0);
        let events = events(&stream);
        assert_eq!(events[0]["code"], code, "{error}");
        assert_eq!(events[1]["response"]["error"]["code"], code, "{error}");
    }
}

#[test]
fn the_number_of_the_next_event_is_behind_that_of_the_last() {
    for (piece, next) in [
        ("", None),
        ("data: {\"type\":\"x\",\"sequence_number\":41}\n\n", Some(42)),
        ("data: {\"sequence_number\" :4}\n\ndata: {\"sequence_number\": 5,\"a\":1}\n\n", Some(6)),
        ("data: {\"sequence_number\":1,\"delta\":\"\\\"sequence_number\\\":9\"}\n\n", Some(2)),
        ("data: {\"sequence_number\":\"x\"}\n\n", None),
    ] {
        assert_eq!(next_number(piece.as_bytes()), next, "{piece}");
    }
}
