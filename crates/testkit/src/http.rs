//! A small HTTP client for tests: one connection per request, and every byte shown as it came.

mod answer;

use std::net::SocketAddr;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request};
use http_body_util::Full;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::patience::eventually;
use crate::promised;

pub use answer::{Answer, Ending, Streaming};

/// Calls one server, with one key or none.
#[derive(Debug, Clone)]
pub struct Client {
    address: SocketAddr,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// A request that got no answer.
pub type Unanswered = Box<dyn std::error::Error + Send + Sync>;

impl Client {
    /// Calls the server at `http://ADDRESS:PORT`.
    ///
    /// # Panics
    /// When the text is no such address.
    #[must_use]
    pub fn new(base_url: &str) -> Self {
        let address = base_url.strip_prefix("http://").and_then(|rest| rest.parse().ok());
        let address = address.unwrap_or_else(|| panic!("`{base_url}` is no http://ADDRESS:PORT"));
        Self { address, headers: Vec::new() }
    }

    /// The same with `authorization: Bearer KEY`.
    #[must_use]
    pub fn with_key(self, key: &str) -> Self {
        self.with_header("authorization", &format!("Bearer {key}"))
    }

    /// The same with one more header.
    ///
    /// # Panics
    /// When it is no header.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("the test names a header");
        let value = HeaderValue::from_str(value).expect("the test gives the header a value");
        self.headers.push((name, value));
        self
    }

    /// `GET path`, the whole answer.
    ///
    /// # Panics
    /// When there is no whole answer in time.
    pub async fn get(&self, path: &str) -> Answer {
        self.whole(Method::GET, path, Bytes::new()).await
    }

    /// `POST path` with JSON, the whole answer.
    ///
    /// # Panics
    /// When there is no whole answer in time.
    pub async fn post(&self, path: &str, body: impl Into<Bytes>) -> Answer {
        self.whole(Method::POST, path, body.into()).await
    }

    /// `POST path` with JSON, the answer from its head on.
    ///
    /// # Panics
    /// When there is no head of an answer in time.
    pub async fn open(&self, path: &str, body: impl Into<Bytes>) -> Streaming {
        let sent = self.try_open(Method::POST, path, body.into());
        let answer = eventually("the head of an answer", sent).await;
        answer.unwrap_or_else(|error| panic!("POST {path} was not answered: {error}"))
    }

    async fn whole(&self, method: Method, path: &str, body: Bytes) -> Answer {
        let what = format!("the whole answer to {method} {path}");
        let answer = eventually(&what, self.try_whole(method, path, body)).await;
        answer.unwrap_or_else(|error| panic!("no {what}: {error}"))
    }

    /// The whole answer, or why there is none, however long it takes.
    ///
    /// # Errors
    /// When the server cannot be reached, or breaks off.
    ///
    /// # Panics
    /// When the answer breaks what the gateway's description promises of it.
    pub async fn try_whole(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<Answer, Unanswered> {
        let streaming = self.try_open(method.clone(), path, body).await?;
        let (status, headers) = (streaming.status, streaming.headers.clone());
        match streaming.rest().await {
            (body, Ending::Clean) => {
                let breach = promised::breach(&method, path, status, &body);
                assert_eq!(breach, None, "{}", String::from_utf8_lossy(&body));
                Ok(Answer { status, headers, body })
            }
            (_, Ending::Broken(error)) => Err(error.into()),
        }
    }

    /// The answer from its head on, or why there is none, however long it takes.
    ///
    /// # Errors
    /// When the server cannot be reached, or breaks off.
    pub async fn try_open(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<Streaming, Unanswered> {
        let socket = TcpStream::connect(self.address).await?;
        socket.set_nodelay(true)?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(socket)).await?;
        let connection = tokio::spawn(async move {
            // How the connection ends is seen by whoever reads the body.
            let _ = connection.await;
        });
        let response = sender.send_request(self.request(method, path, body)?).await?;
        Ok(Streaming::new(response, connection))
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<Request<Full<Bytes>>, http::Error> {
        let mut request = Request::builder().method(method).uri(path);
        request = request.header(http::header::HOST, self.address.to_string());
        if !body.is_empty() {
            request = request.header(http::header::CONTENT_TYPE, "application/json");
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        request.body(Full::new(body))
    }
}
