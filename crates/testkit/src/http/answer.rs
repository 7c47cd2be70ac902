//! An answer, whole or on its way.

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Response};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use serde_json::Value;
use tokio::task::JoinHandle;

use crate::patience::eventually;

/// A whole answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, byte for byte.
    pub body: Bytes,
}

impl Answer {
    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// When it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("not JSON ({error}): {}", self.text()))
    }

    /// The value of a header; empty when it is not there.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        header(&self.headers, name)
    }

    /// The status and the reason that a refusal gives; the reason is empty when there is none.
    #[must_use]
    pub fn refusal(&self) -> (u16, String) {
        let body: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        let reason = body["error"]["gateway"]["reason"].as_str().unwrap_or_default();
        (self.status, reason.to_owned())
    }

    /// The body as JSON, of an answer with status 200.
    ///
    /// # Panics
    /// When the status is another one.
    #[track_caller]
    pub fn ok(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text());
        self.json()
    }
}

/// How a body ended.
#[derive(Debug)]
pub enum Ending {
    /// As HTTP says it should: its last chunk or its whole length came.
    Clean,
    /// The connection was closed before that.
    Broken(hyper::Error),
}

/// An answer whose body is still coming. Dropping it closes the connection, as a client that
/// leaves.
#[derive(Debug)]
pub struct Streaming {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    body: Incoming,
    seen: BytesMut,
    connection: JoinHandle<()>,
}

impl Streaming {
    pub(super) fn new(response: Response<Incoming>, connection: JoinHandle<()>) -> Self {
        let (parts, body) = response.into_parts();
        let (status, headers) = (parts.status.as_u16(), parts.headers);
        Self { status, headers, body, seen: BytesMut::new(), connection }
    }

    /// The value of a header; empty when it is not there.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        header(&self.headers, name)
    }

    /// The next piece of the body; `None` at its clean end.
    pub async fn next(&mut self) -> Option<Result<Bytes, hyper::Error>> {
        loop {
            match self.body.frame().await? {
                Err(error) => return Some(Err(error)),
                Ok(frame) => {
                    if let Ok(data) = frame.into_data() {
                        self.seen.extend_from_slice(&data);
                        return Some(Ok(data));
                    }
                }
            }
        }
    }

    /// Reads until the body so far holds this text.
    ///
    /// # Panics
    /// When the body ends, or the wait gets too long, before that.
    pub async fn read_until(&mut self, text: &str) {
        let what = format!("`{text}` in a stream");
        let reading = async {
            while !self.seen_text().contains(text) {
                match self.next().await {
                    Some(Ok(_)) => {}
                    other => {
                        panic!("the stream ended ({other:?}) before `{text}`: {:?}", self.seen)
                    }
                }
            }
        };
        eventually(&what, reading).await;
    }

    /// What has come so far, as text.
    #[must_use]
    pub fn seen_text(&self) -> String {
        String::from_utf8_lossy(&self.seen).into_owned()
    }

    /// Reads to the end: the whole body, the part already read included, and how it ended.
    ///
    /// # Panics
    /// When it does not end in time.
    pub async fn rest(mut self) -> (Bytes, Ending) {
        let reading = async {
            loop {
                match self.next().await {
                    None => return Ending::Clean,
                    Some(Err(error)) => return Ending::Broken(error),
                    Some(Ok(_)) => {}
                }
            }
        };
        let ending = eventually("the end of an answer", reading).await;
        (self.seen.split().freeze(), ending)
    }
}

impl Drop for Streaming {
    fn drop(&mut self) {
        self.connection.abort();
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}
