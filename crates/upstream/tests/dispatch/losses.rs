//! Connections that are not made, or lost, or useless.

use tollgate_simulator::{Behaviour, Fault};
use tollgate_upstream::{ANSWER_HEAD_BYTES_MAX, ANSWER_HEADERS_MAX, DispatchError, Phase};

use crate::rig::{
    BUFFERED, PATIENT, STREAMED, chat_url, dispatcher, listener, request, saying, send, simulator,
    soon,
};

#[tokio::test]
async fn a_refused_connection_names_the_host_and_the_systems_error() {
    let (listener, addr) = listener().await;
    drop(listener);
    let error = send(&format!("http://{addr}/")).await.expect_err("nobody listens");
    let DispatchError::Unreachable { host, detail } = &error else { panic!("{error:?}") };
    assert_eq!(*host, addr.to_string());
    assert!(detail.contains("refused") && detail.contains("os error"), "{detail}");
    assert!(error.to_string().starts_with(&format!("cannot connect to `{addr}`: ")), "{error}");
}

#[tokio::test]
async fn a_name_that_cannot_be_looked_up_is_unreachable() {
    // Too long for a name, so that no name server is asked.
    let name = "n".repeat(64);
    let error = send(&format!("http://{name}.test/")).await.expect_err("no such host");
    let DispatchError::Unreachable { host, detail } = &error else { panic!("{error:?}") };
    assert_eq!(*host, format!("{name}.test:80"));
    assert!(detail.starts_with("dns error: "), "{detail}");
}

#[tokio::test]
async fn a_peer_that_does_not_speak_tls_is_unreachable() {
    let simulator = simulator(Behaviour::default()).await;
    let error = send(&format!("https://{}/", simulator.addr())).await.expect_err("no TLS");
    let DispatchError::Unreachable { host, detail } = &error else { panic!("{error:?}") };
    assert_eq!(*host, simulator.addr().to_string());
    assert!(detail.starts_with("TLS handshake failed: "), "{detail}");
}

#[tokio::test]
async fn a_connection_closed_instead_of_an_answer_is_a_reset_before_it() {
    let simulator = simulator(Behaviour::failing(Fault::HangUp)).await;
    let error = send(&chat_url(&simulator)).await.expect_err("no answer");
    let DispatchError::Reset { phase, detail } = &error else { panic!("{error:?}") };
    assert_eq!(*phase, Phase::FirstByte);
    assert!(detail.contains("closed"), "{detail}");
    assert_eq!(simulator.calls().count(), 1, "what was sent is not sent again");
}

#[tokio::test]
async fn a_connection_closed_within_the_body_is_a_reset_within_it() {
    let simulator = simulator(Behaviour::failing(Fault::CutAfterBytes(300))).await;
    for body in [BUFFERED, STREAMED] {
        let sent = request(&chat_url(&simulator), body);
        let mut body = soon(dispatcher().send(sent, PATIENT)).await.expect("a head").body;
        let mut size = 0;
        let error = loop {
            match soon(body.next()).await.expect("no proper end") {
                Ok(bytes) => size += bytes.len(),
                Err(error) => break error,
            }
        };
        assert_eq!(size, 300);
        assert!(matches!(error, DispatchError::Reset { phase: Phase::Idle, .. }), "{error:?}");
        assert!(body.next().await.is_none());
    }
}

#[tokio::test]
async fn a_connection_closed_before_the_body_is_a_reset_before_it() {
    let simulator = simulator(Behaviour::failing(Fault::CutAfterBytes(0))).await;
    let answer = send(&chat_url(&simulator)).await.expect("a head");
    let error = soon(answer.body.collect(u64::MAX)).await.expect_err("no body");
    assert!(matches!(error, DispatchError::Reset { phase: Phase::FirstByte, .. }), "{error:?}");
}

#[tokio::test]
async fn an_answer_in_another_protocol_is_not_http() {
    for answer in ["SSH-2.0-OpenSSH_9.2\r\n\r\n", "HTTP/9.9 200 OK\r\n\r\n", "\0\0\0\0\r\n\r\n"] {
        let error = send(&saying(answer).await).await.expect_err(answer);
        assert!(matches!(error, DispatchError::NotHttp { .. }), "{answer:?}: {error:?}");
    }
}

#[tokio::test]
async fn a_head_may_be_large_but_not_larger_than_its_limits() {
    let head = |headers: String| format!("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n{headers}\r\n");
    let long = |bytes: usize| head(format!("x-long: {}\r\n", "v".repeat(bytes)));
    let many = |count: usize| head("x-many: v\r\n".repeat(count));
    for fitting in [long(ANSWER_HEAD_BYTES_MAX / 2), many(ANSWER_HEADERS_MAX - 1)] {
        assert_eq!(send(&saying(fitting).await).await.map(|answer| answer.status), Ok(200));
    }
    for too_large in [long(4 * ANSWER_HEAD_BYTES_MAX), many(ANSWER_HEADERS_MAX)] {
        let error = send(&saying(too_large).await).await.err();
        assert_eq!(error, Some(DispatchError::HeadersTooLarge));
    }
}
