//! Connections are kept, reused, given up, and replaced.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc;
use tollgate_upstream::{Dispatcher, PoolOptions};

use crate::rig::{
    BUFFERED, PATIENT, dispatcher, dispatcher_with, listener, read_request, request, soon,
};

/// A server that answers `per_connection` requests on each connection, counts connections, and
/// reports each that it finds, or makes, closed.
async fn server(per_connection: usize) -> (String, Arc<AtomicUsize>, mpsc::Receiver<()>) {
    let (listener, addr) = listener().await;
    let (closed, closings) = mpsc::channel(16);
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&connections);
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            let closed = closed.clone();
            tokio::spawn(async move {
                for _ in 0..per_connection {
                    if read_request(&mut socket).await.is_empty() {
                        break;
                    }
                    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
                    socket.write_all(answer).await.expect("it is read");
                }
                drop(socket);
                let _ = closed.send(()).await;
            });
        }
    });
    (format!("http://{addr}/"), connections, closings)
}

async fn call(dispatcher: &Dispatcher, url: &str) {
    let answer = soon(dispatcher.send(request(url, BUFFERED), PATIENT)).await.expect("an answer");
    assert_eq!(answer.body.collect(2).await.expect("a body"), "ok");
    // The connection goes back to the pool in a task of its own.
    tokio::task::yield_now().await;
}

#[tokio::test]
async fn one_connection_serves_one_call_after_another() {
    let (url, connections, _closings) = server(usize::MAX).await;
    let dispatcher = dispatcher();
    for _ in 0..10 {
        call(&dispatcher.clone(), &url).await;
    }
    assert_eq!(connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_connection_that_the_upstream_closed_is_replaced() {
    let (url, connections, mut closings) = server(1).await;
    let dispatcher = dispatcher();
    for _ in 0..3 {
        call(&dispatcher, &url).await;
        soon(closings.recv()).await.expect("a connection is closed");
    }
    assert_eq!(connections.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn an_unused_connection_is_closed_in_time() {
    let (url, _, mut closings) = server(usize::MAX).await;
    let idle_timeout = Duration::from_millis(10);
    let dispatcher = dispatcher_with(PoolOptions { idle_timeout, ..PoolOptions::default() });
    call(&dispatcher, &url).await;
    soon(closings.recv()).await.expect("a connection is closed");
    drop(dispatcher);
}
