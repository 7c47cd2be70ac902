//! What the tests need: a clock, a dispatcher, a request, a simulator and a server that says
//! exactly what it is told.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;
use tollgate_domain::{Clock, Ticks, Timestamp};
use tollgate_simulator::{Behaviour, Script, Simulator};
use tollgate_upstream::{
    Credential, DispatchError, Dispatcher, PhaseTimeouts, PoolOptions, UpstreamAnswer,
    UpstreamRequest,
};

/// Tokio's clock as ours.
struct TokioClock(Instant);

impl Clock for TokioClock {
    fn now(&self) -> Timestamp {
        Timestamp::EPOCH.plus(self.0.elapsed())
    }

    fn ticks(&self) -> Ticks {
        Ticks::from_nanos(u64::try_from(self.0.elapsed().as_nanos()).expect("a short test"))
    }
}

pub(crate) fn dispatcher() -> Dispatcher {
    dispatcher_with(PoolOptions::default())
}

/// A dispatcher and the hand on its clock: seconds since the epoch.
pub(crate) fn dispatcher_at(seconds: u64) -> (Dispatcher, Arc<AtomicU64>) {
    let hand = Arc::new(AtomicU64::new(seconds));
    let clock = Arc::new(HandClock(Arc::clone(&hand)));
    (Dispatcher::new(PoolOptions::default(), clock).expect("a dispatcher"), hand)
}

/// A clock that stands where the test puts it.
struct HandClock(Arc<AtomicU64>);

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp::EPOCH.plus(Duration::from_secs(self.0.load(Ordering::SeqCst)))
    }

    fn ticks(&self) -> Ticks {
        Ticks::from_nanos(self.0.load(Ordering::SeqCst).saturating_mul(1_000_000_000))
    }
}

pub(crate) fn dispatcher_with(options: PoolOptions) -> Dispatcher {
    Dispatcher::new(options, Arc::new(TokioClock(Instant::now()))).expect("a dispatcher")
}

/// Limits that no test reaches.
pub(crate) const PATIENT: PhaseTimeouts = PhaseTimeouts {
    connect: Duration::from_secs(20),
    first_byte: Duration::from_secs(20),
    idle: Duration::from_secs(20),
    total: None,
};

/// A limit that is reached at once.
pub(crate) const BRIEF: Duration = Duration::from_millis(20);

pub(crate) const BUFFERED: &str = r#"{"model":"m","messages":[]}"#;
pub(crate) const STREAMED: &str = r#"{"model":"m","messages":[],"stream":true}"#;

pub(crate) fn request(url: &str, body: &'static str) -> UpstreamRequest {
    UpstreamRequest {
        url: url.to_owned(),
        auth: Credential::None,
        headers: Vec::new(),
        body: Bytes::from_static(body.as_bytes()),
    }
}

pub(crate) async fn send(url: &str) -> Result<UpstreamAnswer, DispatchError> {
    soon(dispatcher().send(request(url, BUFFERED), PATIENT)).await
}

pub(crate) async fn simulator(behaviour: Behaviour) -> Simulator {
    let addr = SocketAddr::from(([127, 0, 0, 1], 0));
    Simulator::start(addr, Script::new(behaviour)).await.expect("a free port")
}

pub(crate) fn chat_url(simulator: &Simulator) -> String {
    format!("{}/chat/completions", simulator.base_url())
}

/// A wait that must not be for ever.
pub(crate) async fn soon<T>(wait: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(15), wait).await.expect("this is to happen soon")
}

pub(crate) async fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    let addr = listener.local_addr().expect("an address");
    (listener, addr)
}

/// Reads one request with a body of a known length; its head. Empty when the peer has closed.
pub(crate) async fn read_request(socket: &mut TcpStream) -> String {
    let mut seen = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&seen).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |length| length.parse().expect("a number")) {
                return head.to_owned();
            }
        }
        match socket.read(&mut buffer).await {
            Ok(0) | Err(_) => return String::new(),
            Ok(count) => seen.extend_from_slice(&buffer[..count]),
        }
    }
}

/// A server that answers its only request with exactly these bytes and closes. Gives its URL.
pub(crate) async fn saying(answer: impl Into<Vec<u8>>) -> String {
    let (listener, addr) = listener().await;
    let answer = answer.into();
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.expect("a connection");
        read_request(&mut socket).await;
        let _ = socket.write_all(&answer).await;
    });
    format!("http://{addr}/v1/chat/completions")
}
