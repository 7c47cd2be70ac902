//! Each phase has its limit, and its expiry names it.

use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tollgate_simulator::{Behaviour, Fault};
use tollgate_upstream::{DispatchError, Phase, PhaseTimeouts, UpstreamBody};

use crate::rig::{
    BRIEF, BUFFERED, PATIENT, STREAMED, chat_url, dispatcher, listener, read_request, request,
    simulator, soon,
};

/// The phase that expired, once it is sure that it took its limit, and little more.
fn expired(error: &DispatchError) -> Option<Phase> {
    match error {
        DispatchError::Timeout { phase, limit, elapsed } => {
            assert_eq!(*limit, BRIEF);
            assert!(*elapsed >= BRIEF && *elapsed < Duration::from_secs(10), "{elapsed:?}");
            Some(*phase)
        }
        _ => None,
    }
}

/// Sends a request that fails within one of the limits, and gives the failure with what is left of
/// the answer. On a busy machine a brief limit may expire before the head is there.
async fn failure(
    url: &str,
    body: &'static str,
    timeouts: PhaseTimeouts,
) -> (DispatchError, Option<UpstreamBody>) {
    let mut body = match soon(dispatcher().send(request(url, body), timeouts)).await {
        Ok(answer) => answer.body,
        Err(error) => return (error, None),
    };
    loop {
        match soon(body.next()).await {
            Some(Ok(_)) => {}
            Some(Err(error)) => return (error, Some(body)),
            None => panic!("a proper end"),
        }
    }
}

#[tokio::test]
async fn a_handshake_that_hangs_is_a_connect_timeout() {
    let (listener, addr) = listener().await;
    let timeouts = PhaseTimeouts { connect: BRIEF, ..PATIENT };
    let (error, _) = failure(&format!("https://{addr}/"), BUFFERED, timeouts).await;
    assert_eq!(expired(&error), Some(Phase::Connect), "{error}");
    drop(listener);
}

#[tokio::test]
async fn a_connect_limit_does_not_bind_what_comes_after() {
    let connect = Duration::from_millis(200);
    let simulator = simulator(Behaviour::failing(Fault::SlowHeaders(connect * 2))).await;
    let sent = request(&chat_url(&simulator), BUFFERED);
    let timeouts = PhaseTimeouts { connect, ..PATIENT };
    let answer = soon(dispatcher().send(sent, timeouts)).await.expect("an answer");
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn a_late_head_is_a_first_byte_timeout() {
    let simulator = simulator(Behaviour::failing(Fault::SlowHeaders(PATIENT.idle))).await;
    let timeouts = PhaseTimeouts { first_byte: BRIEF, ..PATIENT };
    let (error, body) = failure(&chat_url(&simulator), BUFFERED, timeouts).await;
    assert_eq!(expired(&error), Some(Phase::FirstByte), "{error}");
    assert!(body.is_none());
}

#[tokio::test]
async fn a_head_without_a_body_is_a_first_byte_timeout_too() {
    let simulator = simulator(Behaviour::failing(Fault::Stall { after_tokens: 0 })).await;
    let first_byte = Duration::from_millis(200);
    let timeouts = PhaseTimeouts { first_byte, ..PATIENT };
    for (index, body) in [(0, BUFFERED), (1, STREAMED)] {
        let (error, body) = failure(&chat_url(&simulator), body, timeouts).await;
        let phase = Phase::FirstByte;
        let is_expiry = matches!(error, DispatchError::Timeout { phase: p, .. } if p == phase);
        assert!(is_expiry, "{error}");
        // The connection is closed by the failure, not only by dropping the body.
        soon(simulator.calls().await_cancelled(index)).await;
        let mut body = body.expect("the head was there");
        assert!(body.next().await.is_none());
    }
}

#[tokio::test]
async fn a_stream_that_stops_is_an_idle_timeout() {
    let simulator = simulator(Behaviour::failing(Fault::Stall { after_tokens: 3 })).await;
    let timeouts = PhaseTimeouts { idle: BRIEF, ..PATIENT };
    let (error, _body) = failure(&chat_url(&simulator), STREAMED, timeouts).await;
    assert_eq!(expired(&error), Some(Phase::Idle), "{error}");
    assert_eq!(soon(simulator.calls().await_cancelled(0)).await.tokens_sent, 3);
}

#[tokio::test]
async fn a_flowing_stream_may_take_longer_than_any_limit_but_the_total() {
    let paced = Behaviour::answering(50).paced(Duration::ZERO, 100.0);
    let simulator = simulator(paced).await;
    let shorter = Duration::from_millis(400);
    let timeouts = PhaseTimeouts { first_byte: shorter, idle: shorter, ..PATIENT };
    let sent = request(&chat_url(&simulator), STREAMED);
    let answer = soon(dispatcher().send(sent, timeouts)).await.expect("a head");
    assert!(soon(answer.body.collect(u64::MAX)).await.is_ok());

    let timeouts = PhaseTimeouts { total: Some(BRIEF), ..PATIENT };
    let (error, _) = failure(&chat_url(&simulator), STREAMED, timeouts).await;
    assert_eq!(expired(&error), Some(Phase::Total), "{error}");
}

#[tokio::test]
async fn the_total_binds_every_phase() {
    let timeouts = PhaseTimeouts { total: Some(BRIEF), ..PATIENT };
    let (listener, addr) = listener().await;
    let (error, _) = failure(&format!("https://{addr}/"), BUFFERED, timeouts).await;
    assert_eq!(expired(&error), Some(Phase::Total), "{error}");
    drop(listener);
    for fault in [
        Fault::SlowHeaders(PATIENT.idle),
        Fault::Stall { after_tokens: 0 },
        Fault::Stall { after_tokens: 2 },
    ] {
        let simulator = simulator(Behaviour::failing(fault.clone())).await;
        let (error, _) = failure(&chat_url(&simulator), STREAMED, timeouts).await;
        assert_eq!(expired(&error), Some(Phase::Total), "{fault:?}: {error}");
    }
}

#[tokio::test]
async fn time_that_the_caller_takes_is_not_idle_time() {
    let (listener, addr) = listener().await;
    let (go_on, gone_on) = tokio::sync::oneshot::channel::<()>();
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.expect("a connection");
        read_request(&mut socket).await;
        let head = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\na";
        socket.write_all(head).await.expect("it is read");
        gone_on.await.expect("the test goes on");
        socket.write_all(b"b").await.expect("it is read");
    });
    let timeouts = PhaseTimeouts { idle: Duration::from_secs(5), ..PATIENT };
    let sent = request(&format!("http://{addr}/"), BUFFERED);
    let mut body = soon(dispatcher().send(sent, timeouts)).await.expect("a head").body;
    assert_eq!(soon(body.next()).await, Some(Ok("a".into())));
    // The clock runs on while nobody asks for more, and stands still where sockets are waited for.
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(60)).await;
    tokio::time::resume();
    go_on.send(()).expect("the server waits");
    assert_eq!(soon(body.next()).await, Some(Ok("b".into())));
    assert_eq!(soon(body.next()).await, None);
}
