//! Calls through a proxy.

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tollgate_domain::Secret;
use tollgate_simulator::Behaviour;
use tollgate_upstream::{DispatchError, PoolOptions, ProxySettings};

use crate::rig::{
    BUFFERED, PATIENT, chat_url, dispatcher_with, listener, read_request, request, simulator, soon,
};
use crate::secured::{secure_server, trusting};

fn through(proxy: &str, no_proxy: &str) -> Option<ProxySettings> {
    let proxy = Secret::new(proxy);
    Some(ProxySettings::new(Some(&proxy), Some(&proxy), no_proxy).expect("settings"))
}

/// A proxy that answers its only request itself and reports its head.
async fn answering(answer: &'static str) -> (String, oneshot::Receiver<String>) {
    let (listener, addr) = listener().await;
    let (report, head) = oneshot::channel();
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.expect("a connection");
        let _ = report.send(read_request(&mut socket).await);
        let _ = socket.write_all(answer.as_bytes()).await;
    });
    (addr.to_string(), head)
}

#[tokio::test]
async fn a_plain_upstream_is_asked_for_with_its_whole_url_and_the_proxys_credential() {
    let (proxy, head) = answering("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
    let proxy = through(&format!("http://user:word@{proxy}"), "");
    let dispatcher = dispatcher_with(PoolOptions { proxy, ..PoolOptions::default() });
    let sent = request("http://upstream.invalid/v1/chat", BUFFERED);
    let answer = soon(dispatcher.send(sent, PATIENT)).await.expect("an answer");
    assert_eq!(answer.status, 200);
    let head = soon(head).await.expect("a request");
    assert!(head.starts_with("POST http://upstream.invalid/v1/chat HTTP/1.1\r\n"), "{head}");
    assert!(head.contains("\r\nhost: upstream.invalid"), "{head}");
    assert!(head.contains("\r\nproxy-authorization: Basic dXNlcjp3b3Jk"), "{head}");
}

#[tokio::test]
async fn a_secure_upstream_is_reached_through_a_tunnel() {
    let upstream = secure_server();
    let (listener, addr) = listener().await;
    let (report, head) = oneshot::channel();
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.expect("a connection");
        let _ = report.send(read_request(&mut socket).await);
        let established = b"HTTP/1.1 200 Connection established\r\n\r\n";
        socket.write_all(established).await.expect("it is read");
        let mut onward = TcpStream::connect(upstream).await.expect("the upstream listens");
        let _ = tokio::io::copy_bidirectional(&mut socket, &mut onward).await;
    });
    let proxy = through(&format!("http://user:word@{addr}"), "");
    let dispatcher = dispatcher_with(PoolOptions { proxy, ..trusting() });
    let sent = request(&format!("https://localhost:{}/", upstream.port()), BUFFERED);
    let answer = soon(dispatcher.send(sent, PATIENT)).await.expect("an answer");
    assert_eq!(soon(answer.body.collect(100)).await.expect("a body"), "http/1.1");
    let head = soon(head).await.expect("a request");
    assert!(head.starts_with(&format!("CONNECT localhost:{} HTTP/1.1", upstream.port())), "{head}");
    assert!(head.contains("Proxy-Authorization: Basic dXNlcjp3b3Jk"), "{head}");
}

#[tokio::test]
async fn a_proxy_that_refuses_is_named() {
    let (proxy, _head) = answering("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n").await;
    let settings = through(&format!("http://{proxy}"), "");
    let dispatcher = dispatcher_with(PoolOptions { proxy: settings, ..PoolOptions::default() });
    let sent = request("https://upstream.invalid/", BUFFERED);
    let error = soon(dispatcher.send(sent, PATIENT)).await.expect_err("no tunnel");
    let DispatchError::Unreachable { host, detail } = &error else { panic!("{error:?}") };
    assert_eq!(host, "upstream.invalid:443");
    assert!(detail.starts_with(&format!("through the proxy `{proxy}`: ")), "{detail}");
    assert!(detail.contains("proxy authorization required"), "{detail}");
}

#[tokio::test]
async fn a_proxy_that_does_not_listen_is_named() {
    let (listener, addr) = listener().await;
    drop(listener);
    for url in ["http://upstream.invalid/", "https://upstream.invalid/"] {
        let proxy = through(&format!("http://{addr}"), "");
        let dispatcher = dispatcher_with(PoolOptions { proxy, ..PoolOptions::default() });
        let error = soon(dispatcher.send(request(url, BUFFERED), PATIENT)).await;
        let Err(DispatchError::Unreachable { detail, .. }) = &error else { panic!("{error:?}") };
        assert!(detail.starts_with(&format!("through the proxy `{addr}`: ")), "{detail}");
        assert!(detail.contains("refused"), "{detail}");
    }
}

#[tokio::test]
async fn a_host_without_a_proxy_is_called_directly() {
    let simulator = simulator(Behaviour::default()).await;
    let proxy = through("http://127.0.0.1:1", "127.0.0.0/8");
    let dispatcher = dispatcher_with(PoolOptions { proxy, ..PoolOptions::default() });
    let sent = request(&chat_url(&simulator), BUFFERED);
    assert_eq!(soon(dispatcher.send(sent, PATIENT)).await.expect("an answer").status, 200);
}
