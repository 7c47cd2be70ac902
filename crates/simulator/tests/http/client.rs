//! A client for one call at a time, each on its own connection.

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tollgate_simulator::{Script, Simulator};

/// An answer as far as it came.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    /// What broke it off, if it did not end properly.
    pub(crate) broken: Option<hyper::Error>,
}

impl Answer {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("UTF-8")
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("text"))
    }
}

pub(crate) async fn simulator(script: Script) -> Simulator {
    Simulator::start(SocketAddr::from(([127, 0, 0, 1], 0)), script).await.expect("a free port")
}

/// Sends a request and gives the head of its answer. Dropping it closes the connection.
pub(crate) async fn open(
    simulator: &Simulator,
    method: Method,
    path: &str,
    body: &str,
) -> hyper::Result<http::Response<Incoming>> {
    let socket = TcpStream::connect(simulator.addr()).await.expect("a connection");
    let (mut sender, connection) = http1::handshake(TokioIo::new(socket)).await?;
    tokio::spawn(connection);
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "simulator")
        .header("authorization", "Bearer sk-test")
        .body(Full::new(Bytes::copy_from_slice(body.as_bytes())));
    sender.send_request(request.expect("a request")).await
}

pub(crate) async fn send(simulator: &Simulator, method: Method, path: &str, body: &str) -> Answer {
    let response = open(simulator, method, path, body).await.expect("a head");
    let (parts, mut incoming) = response.into_parts();
    let (mut body, mut broken) = (Vec::new(), None);
    while let Some(frame) = incoming.frame().await {
        match frame {
            Ok(frame) => body.extend_from_slice(&frame.into_data().expect("data")),
            Err(error) => broken = Some(error),
        }
    }
    Answer { status: parts.status.as_u16(), headers: parts.headers, body, broken }
}

pub(crate) async fn chat(simulator: &Simulator, body: &str) -> Answer {
    send(simulator, Method::POST, "/v1/chat/completions", body).await
}

/// A wait that must not be for ever.
pub(crate) async fn soon<T>(wait: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(10), wait).await.expect("this is to happen soon")
}

pub(crate) const BUFFERED: &str =
    r#"{"model":"m","messages":[{"role":"user","content":"Hello you"}]}"#;
pub(crate) const STREAMED: &str =
    r#"{"model":"m","messages":[{"role":"user","content":"Hello you"}],"stream":true}"#;
