//! Answers as they should be.

use std::time::Duration;

use http::Method;
use tokio::time::Instant;
use tollgate_simulator::{Behaviour, End, Script};

use crate::client::{BUFFERED, STREAMED, chat, open, send, simulator, soon};

#[tokio::test]
async fn a_buffered_call_is_answered_and_recorded() {
    let simulator = simulator(Script::new(Behaviour::answering(4))).await;
    let answer = chat(&simulator, BUFFERED).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
    assert_eq!(answer.header("x-request-id"), Some("1"));
    assert_eq!(answer.json()["choices"][0]["message"]["content"], "the keeper opens every");
    assert_eq!(answer.json()["usage"]["prompt_tokens"], 2);

    let call = soon(simulator.calls().await_ended(0)).await;
    assert_eq!((call.method.as_str(), call.path.as_str()), ("POST", "/v1/chat/completions"));
    assert_eq!(call.header("authorization"), Some("Bearer sk-test"));
    assert_eq!(call.body, BUFFERED);
    assert_eq!((call.status, call.tokens_sent, call.end), (200, 4, End::Finished));
}

#[tokio::test]
async fn a_streamed_call_is_answered_and_recorded() {
    let simulator = simulator(Script::new(Behaviour::answering(4))).await;
    let answer = chat(&simulator, STREAMED).await;
    assert_eq!(answer.header("content-type"), Some("text/event-stream; charset=utf-8"));
    assert!(answer.broken.is_none());
    assert_eq!(answer.text().matches("\"content\":\"").count(), 5);
    assert!(answer.text().ends_with("\n\ndata: [DONE]\n\n"), "{}", answer.text());
    let call = soon(simulator.calls().await_ended(0)).await;
    assert_eq!((call.tokens_sent, call.end), (4, End::Finished));
}

#[tokio::test]
async fn an_answer_without_tokens_is_still_a_whole_answer() {
    let simulator = simulator(Script::new(Behaviour::answering(0))).await;
    assert_eq!(chat(&simulator, BUFFERED).await.json()["usage"]["completion_tokens"], 0);
    let streamed = chat(&simulator, STREAMED).await;
    assert_eq!(streamed.text().matches("data: ").count(), 3);
}

#[tokio::test]
async fn the_same_request_gives_the_same_bytes() {
    let (one, other) = (simulator(Script::default()).await, simulator(Script::default()).await);
    for body in [BUFFERED, STREAMED] {
        assert_eq!(chat(&one, body).await.body, chat(&other, body).await.body);
    }
}

#[tokio::test]
async fn a_connection_serves_one_call_after_another() {
    let simulator = simulator(Script::default()).await;
    let socket = tokio::net::TcpStream::connect(simulator.addr()).await.expect("a connection");
    let io = hyper_util::rt::TokioIo::new(socket);
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(io).await.expect("a handshake");
    tokio::spawn(connection);
    for _ in 0..3 {
        sender.ready().await.expect("the connection is kept");
        let request = http::Request::post("/chat/completions")
            .header("host", "simulator")
            .body(http_body_util::Full::new(bytes::Bytes::from_static(BUFFERED.as_bytes())));
        let response = sender.send_request(request.expect("a request")).await.expect("an answer");
        assert_eq!(response.status(), 200);
        http_body_util::BodyExt::collect(response.into_body()).await.expect("a body");
    }
    assert_eq!(simulator.calls().count(), 3);
}

#[tokio::test]
async fn a_paced_stream_comes_bit_by_bit() {
    let behaviour = Behaviour::answering(41).paced(Duration::from_millis(5), 200.0);
    let simulator = simulator(Script::new(behaviour)).await;
    let began = Instant::now();
    let response = open(&simulator, Method::POST, "/v1/chat/completions", STREAMED).await;
    let mut body = response.expect("a head").into_body();
    let mut chunks = 0;
    while let Some(frame) = http_body_util::BodyExt::frame(&mut body).await {
        frame.expect("a frame");
        chunks += 1;
    }
    assert!(began.elapsed() >= Duration::from_millis(205), "{:?}", began.elapsed());
    assert!(chunks >= 2, "{chunks}");
}

#[tokio::test]
async fn a_paced_buffered_answer_comes_when_its_last_token_is_due() {
    let behaviour = Behaviour::answering(3).paced(Duration::from_millis(5), 200.0);
    let simulator = simulator(Script::new(behaviour)).await;
    let began = Instant::now();
    assert_eq!(chat(&simulator, BUFFERED).await.status, 200);
    assert!(began.elapsed() >= Duration::from_millis(15), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_client_that_leaves_is_noticed_at_once() {
    let slow = Behaviour::answering(1_000).paced(Duration::ZERO, 1.0);
    let simulator = simulator(Script::new(slow)).await;
    let streamed = open(&simulator, Method::POST, "/v1/chat/completions", STREAMED).await;
    let streamed = streamed.expect("a head");
    soon(simulator.calls().await_tokens(0, 1)).await;
    drop(streamed);
    let call = soon(simulator.calls().await_cancelled(0)).await;
    assert!((1..1_000).contains(&call.tokens_sent), "{}", call.tokens_sent);

    let mut buffered = Box::pin(open(&simulator, Method::POST, "/chat/completions", BUFFERED));
    tokio::select! {
        answer = &mut buffered => panic!("an answer before its time: {answer:?}"),
        () = simulator.calls().await_count(2) => {}
    }
    drop(buffered);
    let call = soon(simulator.calls().await_cancelled(1)).await;
    assert_eq!((call.status, call.tokens_sent), (0, 0));
}

#[tokio::test]
async fn models_are_listed() {
    let script = Script::default().for_model("gpt-\"x\"", Behaviour::default());
    let simulator = simulator(script).await;
    let list = send(&simulator, Method::GET, "/v1/models", "").await.json();
    assert_eq!(list["object"], "list");
    assert_eq!(list["data"][0]["id"], "simulated");
    assert_eq!(list["data"][1]["id"], "gpt-\"x\"");
}

#[tokio::test]
async fn what_the_simulator_does_not_serve_is_refused_in_the_providers_words() {
    let simulator = simulator(Script::default()).await;
    for (method, path, body, status) in [
        (Method::POST, "/v1/embeddings", "{}", 404),
        (Method::GET, "/", "", 404),
        (Method::GET, "/v1/chat/completions", "", 405),
        (Method::POST, "/v1/models", "", 405),
        (Method::POST, "/v1/chat/completions", "{", 400),
        (Method::POST, "/v1/chat/completions", r#"{"model":"m"}"#, 400),
        (Method::POST, "/v1/chat/completions", r#"{"model":"m?tps=x","messages":[]}"#, 400),
    ] {
        let answer = send(&simulator, method, path, body).await;
        assert_eq!(answer.status, status, "{path} {body}");
        let error = &answer.json()["error"];
        assert_eq!(error["type"], "invalid_request_error", "{path} {body}");
        assert!(error["message"].is_string() && error["code"].is_null(), "{error}");
    }
    assert_eq!(simulator.calls().count(), 7);
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused() {
    let simulator = simulator(Script::default()).await;
    let large = " ".repeat(tollgate_simulator::BODY_BYTES_MAX + 1);
    assert_eq!(chat(&simulator, &large).await.status, 413);
    let largest = format!("{BUFFERED}{}", &large[..large.len() - 1 - BUFFERED.len()]);
    assert_eq!(chat(&simulator, &largest).await.status, 200);
}

#[tokio::test]
async fn a_simulator_that_was_shut_down_refuses_connections() {
    let simulator = simulator(Script::new(Behaviour::answering(9).paced(soon_not(), 1.0))).await;
    let addr = simulator.addr();
    let calls = simulator.calls().clone();
    let head = open(&simulator, Method::POST, "/v1/chat/completions", STREAMED).await;
    soon(simulator.shutdown()).await;
    assert_eq!(calls.find(0).map(|call| call.end), Some(End::Cancelled));
    assert!(http_body_util::BodyExt::collect(head.expect("a head").into_body()).await.is_err());
    assert!(tokio::net::TcpStream::connect(addr).await.is_err());
}

fn soon_not() -> Duration {
    Duration::from_secs(3_600)
}
