//! What arrives at the upstream, and what comes back.

use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use tollgate_domain::Secret;
use tollgate_simulator::{Behaviour, End, Fault};
use tollgate_upstream::{Credential, DispatchError, UpstreamRequest};

use crate::rig::{
    BUFFERED, PATIENT, STREAMED, chat_url, dispatcher, request, saying, send, simulator, soon,
};

#[tokio::test]
async fn the_upstream_gets_the_body_byte_for_byte_and_the_credential() {
    let simulator = simulator(Behaviour::default()).await;
    let body = "{ \"model\":\"m\",\t\"messages\":[],\"x\":1e-7 }";
    let sent = UpstreamRequest {
        auth: Credential::Bearer(Secret::new("sk-1")),
        headers: vec![(HeaderName::from_static("x-extra"), HeaderValue::from_static("yes"))],
        ..request(&format!("{}?api-version=1", chat_url(&simulator)), body)
    };
    let answer = soon(dispatcher().send(sent, PATIENT)).await.expect("an answer");
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers["content-type"], "application/json");
    let body_back = answer.body.collect(10_000).await.expect("a body");
    assert!(body_back.starts_with(b"{\"id\":\"chatcmpl-"));

    let call = soon(simulator.calls().await_ended(0)).await;
    assert_eq!(call.body, body);
    assert_eq!(call.path, "/v1/chat/completions?api-version=1");
    assert_eq!(call.header("authorization"), Some("Bearer sk-1"));
    assert_eq!(call.header("x-extra"), Some("yes"));
    assert_eq!(call.header("content-type"), Some("application/json"));
    assert_eq!(call.header("host"), Some(simulator.addr().to_string().as_str()));
    let agent = concat!("tollgate/", env!("CARGO_PKG_VERSION"));
    assert_eq!(call.header("user-agent"), Some(agent));
    assert_eq!(call.header("accept-encoding"), None);
}

#[tokio::test]
async fn a_stream_comes_through_unchanged_and_ends() {
    let simulator = simulator(Behaviour::answering(50)).await;
    let sent = request(&chat_url(&simulator), STREAMED);
    let mut body = dispatcher().send(sent, PATIENT).await.expect("an answer").body;
    let mut text = Vec::new();
    while let Some(bytes) = soon(body.next()).await {
        text.extend_from_slice(&bytes.expect("bytes"));
    }
    assert!(text.ends_with(b"data: [DONE]\n\n"));
    assert!(body.next().await.is_none());
    let call = soon(simulator.calls().await_ended(0)).await;
    assert_eq!((call.tokens_sent, call.end), (50, End::Finished));
}

#[tokio::test]
async fn every_status_is_an_answer_and_redirects_are_not_followed() {
    let simulator = simulator(Behaviour::default()).await;
    let here = HeaderValue::try_from(chat_url(&simulator)).expect("a URL");
    for status in [301, 307, 400, 401, 429, 500, 529] {
        let headers = vec![(http::header::LOCATION, here.clone())];
        simulator.then(Behaviour { headers, ..Behaviour::refusing(status) });
        let answer = send(&chat_url(&simulator)).await.expect("an answer");
        assert_eq!(answer.status, status);
        assert!(!answer.body.collect(10_000).await.expect("a body").is_empty());
    }
    assert_eq!(simulator.calls().count(), 7);
}

#[tokio::test]
async fn retry_after_and_other_headers_come_back() {
    let fault = Fault::Status { status: 429, retry_after: Some(PATIENT.idle), body: None };
    let simulator = simulator(Behaviour::failing(fault)).await;
    let answer = send(&chat_url(&simulator)).await.expect("an answer");
    assert_eq!(answer.headers["retry-after"], "20");
    assert_eq!(answer.headers["x-request-id"], "1");
}

#[tokio::test]
async fn a_body_is_collected_up_to_its_limit() {
    let simulator = simulator(Behaviour::default()).await;
    let size = {
        let answer = send(&chat_url(&simulator)).await.expect("an answer");
        answer.body.collect(u64::MAX).await.expect("a body").len() as u64
    };
    for (limit, fits) in [(size, true), (size - 1, false), (0, false)] {
        let answer = send(&chat_url(&simulator)).await.expect("an answer");
        let collected = answer.body.collect(limit).await;
        match fits {
            true => assert_eq!(collected.map(|body| body.len() as u64), Ok(size)),
            false => assert_eq!(collected, Err(DispatchError::TooLarge { limit })),
        }
    }
}

#[tokio::test]
async fn a_body_of_unknown_length_is_collected_up_to_its_limit() {
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n\
         3\r\nabc\r\n2\r\nde\r\n0\r\nx-trailer: ignored\r\n\r\n";
    for limit in [5, 6] {
        let answer = send(&saying(chunked).await).await.expect("an answer");
        assert_eq!(answer.body.collect(limit).await, Ok(Bytes::from_static(b"abcde")));
    }
    for limit in [0, 2, 4] {
        let answer = send(&saying(chunked).await).await.expect("an answer");
        let collected = answer.body.collect(limit).await;
        assert_eq!(collected, Err(DispatchError::TooLarge { limit }), "{limit}");
    }
}

#[tokio::test]
async fn an_empty_body_is_no_failure() {
    for head in ["204 No Content\r\n", "200 OK\r\ncontent-length: 0\r\n"] {
        let url = saying(format!("HTTP/1.1 {head}\r\n")).await;
        let answer = send(&url).await.expect("an answer");
        assert_eq!(answer.body.collect(0).await, Ok(Bytes::new()), "{head}");
    }
}

#[tokio::test]
async fn a_compressed_body_is_left_as_it_is() {
    let url = saying(
        b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 3\r\n\r\n\x1f\x8b\x08"
            .as_slice(),
    );
    let answer = send(&url.await).await.expect("an answer");
    assert_eq!(answer.headers["content-encoding"], "gzip");
    assert_eq!(answer.body.collect(3).await, Ok(Bytes::from_static(b"\x1f\x8b\x08")));
}

#[tokio::test]
async fn an_interim_answer_is_passed_over() {
    let url = saying(
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n\
         HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
    );
    let answer = send(&url.await).await.expect("an answer");
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body.collect(2).await, Ok(Bytes::from_static(b"ok")));
}

#[tokio::test]
async fn what_cannot_be_sent_is_refused_before_anything_is() {
    let simulator = simulator(Behaviour::default()).await;
    let ftp = chat_url(&simulator).replace("http://", "ftp://");
    assert!(matches!(send(&ftp).await, Err(DispatchError::BadUrl { .. })));
    let auth = Credential::Bearer(Secret::new("sk\r\nx-injected: 1"));
    let sent = UpstreamRequest { auth, ..request(&chat_url(&simulator), BUFFERED) };
    let refused = dispatcher().send(sent, PATIENT).await;
    assert!(matches!(refused, Err(DispatchError::BadHeader { .. })), "{refused:?}");
    assert_eq!(simulator.calls().count(), 0);
}
