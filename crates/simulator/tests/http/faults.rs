//! What each fault looks like from outside.

use std::time::Duration;

use http::{HeaderName, HeaderValue, Method};
use http_body_util::BodyExt;
use tokio::time::Instant;
use tollgate_simulator::{Behaviour, End, Fault, Script};

use crate::client::{BUFFERED, STREAMED, chat, open, simulator, soon};

#[tokio::test]
async fn a_status_comes_with_an_error_object_that_fits_it() {
    let simulator = simulator(Script::default()).await;
    for (status, code) in [
        (400, "invalid_value"),
        (401, "invalid_api_key"),
        (404, "model_not_found"),
        (429, "rate_limit_exceeded"),
        (500, "server_error"),
        (503, "server_error"),
        (529, "overloaded"),
    ] {
        simulator.then(Behaviour::refusing(status));
        let answer = chat(&simulator, STREAMED).await;
        assert_eq!(answer.status, status);
        assert_eq!(answer.json()["error"]["code"], code);
        assert_eq!(answer.header("retry-after"), None);
    }
}

#[tokio::test]
async fn a_status_can_have_a_retry_after_headers_and_a_body_of_its_own() {
    let fault = |body: &str| Fault::Status {
        status: 502,
        retry_after: Some(Duration::from_millis(1_500)),
        body: Some(body.to_owned()),
    };
    let header = (HeaderName::from_static("x-should-retry"), HeaderValue::from_static("false"));
    let simulator = simulator(Script::default()).await;
    for (body, content_type) in [
        ("<html>bad gateway", "text/html; charset=utf-8"),
        ("{\"detail\":1}", "application/json"),
        ("no", "text/plain"),
        ("", "text/plain"),
    ] {
        let headers = vec![header.clone()];
        simulator.then(Behaviour { headers, ..Behaviour::failing(fault(body)) });
        let answer = chat(&simulator, BUFFERED).await;
        assert_eq!((answer.status, answer.text()), (502, body));
        assert_eq!(answer.header("content-type"), Some(content_type));
        assert_eq!(answer.header("retry-after"), Some("2"));
        assert_eq!(answer.header("x-should-retry"), Some("false"));
    }
    let call = soon(simulator.calls().await_ended(3)).await;
    assert_eq!((call.status, call.end), (502, End::Finished));
}

#[tokio::test]
async fn a_cut_comes_after_exactly_so_many_bytes() {
    let simulator = simulator(Script::default()).await;
    for body in [BUFFERED, STREAMED] {
        let whole = chat(&simulator, body).await.body.len();
        for bytes in [0, 1, 100, whole - 1] {
            simulator.then(Behaviour::failing(Fault::CutAfterBytes(bytes as u64)));
            let answer = chat(&simulator, body).await;
            assert_eq!(answer.body.len(), bytes);
            assert!(answer.broken.is_some(), "{bytes}");
        }
        simulator.then(Behaviour::failing(Fault::CutAfterBytes(whole as u64)));
        let answer = chat(&simulator, body).await;
        assert_eq!((answer.body.len(), answer.broken.is_none()), (whole, true));
    }
}

#[tokio::test]
async fn a_cut_stream_counts_the_tokens_that_went_whole() {
    let simulator = simulator(Script::default()).await;
    let text = chat(&simulator, STREAMED).await;
    let third = text.text().match_indices("\n\n").nth(2).expect("three events").0;
    simulator.then(Behaviour::failing(Fault::CutAfterBytes(third as u64 + 2)));
    chat(&simulator, STREAMED).await;
    let call = soon(simulator.calls().await_ended(1)).await;
    assert_eq!((call.tokens_sent, call.end), (2, End::Finished));
}

#[tokio::test]
async fn a_hang_up_is_no_answer_at_all() {
    let simulator = simulator(Script::new(Behaviour::failing(Fault::HangUp))).await;
    let answer = open(&simulator, Method::POST, "/v1/chat/completions", BUFFERED).await;
    assert!(answer.expect_err("no answer").is_incomplete_message());
    let call = soon(simulator.calls().await_ended(0)).await;
    assert_eq!((call.status, call.end), (0, End::Finished));
}

#[tokio::test]
async fn a_stall_sends_so_many_tokens_and_keeps_the_connection() {
    let stall = |after_tokens| Behaviour::failing(Fault::Stall { after_tokens });
    let simulator = simulator(Script::default().then(stall(2)).then(stall(0)).then(stall(0))).await;
    for (index, body, begins) in [(0, STREAMED, true), (1, STREAMED, false), (2, BUFFERED, false)] {
        let response = open(&simulator, Method::POST, "/v1/chat/completions", body).await;
        let mut body = response.expect("a head").into_body();
        if begins {
            let data = body.frame().await.expect("a frame").expect("data").into_data();
            let text = String::from_utf8(data.expect("data").to_vec()).expect("UTF-8");
            assert_eq!(text.matches("data: ").count(), 3, "{text}");
        }
        assert!(tokio::time::timeout(Duration::from_millis(5), body.frame()).await.is_err());
        drop(body);
        let call = soon(simulator.calls().await_cancelled(index)).await;
        assert_eq!(call.tokens_sent, if begins { 2 } else { 0 });
    }
}

#[tokio::test]
async fn slow_headers_are_slow() {
    let delay = Duration::from_millis(10);
    let simulator = simulator(Script::new(Behaviour::failing(Fault::SlowHeaders(delay)))).await;
    for body in [BUFFERED, STREAMED] {
        let began = Instant::now();
        let head = open(&simulator, Method::POST, "/v1/chat/completions", body).await;
        assert_eq!(head.expect("a head").status(), 200);
        assert!(began.elapsed() >= delay);
    }
}

#[tokio::test]
async fn what_goes_wrong_inside_a_200_differs_with_the_kind_of_answer() {
    for (fault, buffered, streamed) in [
        (Fault::ErrorInside200, r#"{"error":{"message":"#, "data: {\"error\":{"),
        (Fault::ErrorEvent { after_tokens: 1 }, r#"{"error":{"message":"#, "data: {\"id\""),
        (Fault::Html, "<!DOCTYPE html>", "<!DOCTYPE html>"),
        (Fault::EndEarly { after_tokens: 1 }, "", "data: {\"id\""),
        (Fault::MalformedFrame { at: 1 }, r#"{"id":"chatcmpl-"#, "data: {\"id\""),
    ] {
        let simulator = simulator(Script::new(Behaviour::failing(fault.clone()))).await;
        let answer = chat(&simulator, BUFFERED).await;
        assert_eq!((answer.status, answer.broken.is_none()), (200, true), "{fault:?}");
        assert!(answer.text().starts_with(buffered), "{fault:?}: {}", answer.text());
        assert!(!answer.text().contains("choices"), "{fault:?}: {}", answer.text());
        let answer = chat(&simulator, STREAMED).await;
        assert_eq!((answer.status, answer.broken.is_none()), (200, true), "{fault:?}");
        assert!(answer.text().starts_with(streamed), "{fault:?}: {}", answer.text());
        soon(simulator.calls().await_ended(1)).await;
    }
}
