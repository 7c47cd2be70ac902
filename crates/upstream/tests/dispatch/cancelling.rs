//! Dropping is cancelling, and the upstream notices.

use tollgate_simulator::{Behaviour, Fault};

use crate::rig::{
    BUFFERED, PATIENT, STREAMED, chat_url, dispatcher, listener, request, simulator, soon,
};

#[tokio::test]
async fn dropping_a_body_closes_the_connection_to_the_upstream() {
    let slow = Behaviour::answering(1_000).paced(std::time::Duration::ZERO, 0.1);
    let simulator = simulator(slow).await;
    let dispatcher = dispatcher();
    for index in 0..3 {
        let sent = request(&chat_url(&simulator), STREAMED);
        let mut body = soon(dispatcher.send(sent, PATIENT)).await.expect("a head").body;
        soon(body.next()).await.expect("a chunk").expect("bytes");
        drop(body);
        let call = soon(simulator.calls().await_cancelled(index)).await;
        assert!(call.tokens_sent < 1_000);
    }
}

#[tokio::test]
async fn dropping_a_body_before_its_first_byte_closes_the_connection_too() {
    let simulator = simulator(Behaviour::failing(Fault::Stall { after_tokens: 0 })).await;
    let sent = request(&chat_url(&simulator), STREAMED);
    drop(soon(dispatcher().send(sent, PATIENT)).await.expect("a head"));
    soon(simulator.calls().await_cancelled(0)).await;
}

#[tokio::test]
async fn dropping_the_wait_for_an_answer_closes_the_connection() {
    let simulator = simulator(Behaviour::failing(Fault::SlowHeaders(PATIENT.idle))).await;
    let dispatcher = dispatcher();
    let sending = dispatcher.send(request(&chat_url(&simulator), BUFFERED), PATIENT);
    tokio::select! {
        answer = sending => panic!("an answer before its time: {answer:?}"),
        () = simulator.calls().await_count(1) => {}
    }
    soon(simulator.calls().await_cancelled(0)).await;
}

#[tokio::test]
async fn dropping_the_wait_for_a_connection_closes_it() {
    let (listener, addr) = listener().await;
    let dispatcher = dispatcher();
    let sending = dispatcher.send(request(&format!("https://{addr}/"), BUFFERED), PATIENT);
    let mut socket = tokio::select! {
        answer = sending => panic!("an answer without a handshake: {answer:?}"),
        accepted = listener.accept() => accepted.expect("a connection").0,
    };
    let mut hello = Vec::new();
    let closed = tokio::io::AsyncReadExt::read_to_end(&mut socket, &mut hello);
    soon(closed).await.expect("the connection is closed");
}

#[tokio::test]
async fn dropping_a_wait_for_the_next_bytes_loses_none() {
    let paced = Behaviour::answering(5).paced(std::time::Duration::ZERO, 100.0);
    let simulator = simulator(paced).await;
    let sent = request(&chat_url(&simulator), STREAMED);
    let mut body = soon(dispatcher().send(sent, PATIENT)).await.expect("a head").body;
    let mut text = Vec::new();
    loop {
        let wait = tokio::time::timeout(std::time::Duration::from_millis(1), body.next());
        match wait.await {
            Err(_) => {}
            Ok(Some(bytes)) => text.extend_from_slice(&bytes.expect("bytes")),
            Ok(None) => break,
        }
    }
    let text = String::from_utf8(text).expect("UTF-8");
    assert_eq!(text.matches("data: ").count(), 8, "{text}");
}
