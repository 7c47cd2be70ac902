//! Making a connection: name lookup, TCP, the proxy if there is one, TLS if the URL wants it, all
//! within one limit.

use std::error::Error as StdError;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use http::uri::Scheme;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::client::proxy::matcher::Intercept;
use hyper_util::rt::TokioIo;
use thiserror::Error;
use tokio::net::TcpStream;
use tower_service::Service;

use crate::failure::{causes, chain};
use crate::proxy::ProxySettings;
use crate::request::HostPort;
use crate::tls::LazyTls;

tokio::task_local! {
    /// The connect limit of the dispatch that is being polled. The pool gives the connector only a
    /// URI, yet each deployment has a limit of its own.
    pub(crate) static CONNECT_LIMIT: Duration;
}

/// Why there is no connection.
#[derive(Debug, Error)]
pub(crate) enum ConnectError {
    #[error("the connect limit has expired")]
    Expired,
    #[error("{0}")]
    Failed(String),
}

/// What the pool makes connections with.
#[derive(Debug, Clone)]
pub(crate) struct Connector {
    tcp: HttpConnector,
    tls: Arc<LazyTls>,
    proxy: Option<ProxySettings>,
}

impl Connector {
    pub(crate) fn new(tls: Arc<LazyTls>, proxy: Option<ProxySettings>) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_keepalive(Some(KEEPALIVE));
        Self { tcp, tls, proxy }
    }

    /// The same past every proxy.
    pub(crate) fn direct(&self) -> Self {
        Self { proxy: None, ..self.clone() }
    }

    async fn connect(mut self, upstream: Uri, limit: Duration) -> Result<Stream, ConnectError> {
        // The share of each address, so that one that swallows packets does not use up the time of
        // the others.
        self.tcp.set_connect_timeout(Some(limit));
        let secure = upstream.scheme() == Some(&Scheme::HTTPS);
        let proxy = self.proxy.as_ref().and_then(|proxy| proxy.intercept(&upstream));
        let outcome = match (&proxy, secure) {
            (None, false) => self.plain(upstream).await,
            (Some(proxy), false) => self.plain(proxy.uri().clone()).await,
            (None, true) => {
                let tcp = self.tcp.clone();
                self.secure(tcp, upstream).await
            }
            (Some(proxy), true) => {
                let tunnel = self.tunnel(proxy);
                self.secure(tunnel, upstream).await
            }
        };
        match outcome {
            Ok(io) => Ok(Stream { io, asks_proxy: proxy.is_some() && !secure }),
            Err(error) => Err(explain(&*error, proxy.as_ref())),
        }
    }

    async fn plain(&mut self, to: Uri) -> Result<Io, BoxError> {
        Ok(MaybeHttpsStream::Http(self.tcp.call(to).await?))
    }

    async fn secure<T>(&self, transport: T, to: Uri) -> Result<Io, BoxError>
    where
        T: Service<Uri, Response = TokioIo<TcpStream>>,
        T::Future: Send + 'static,
        T::Error: Into<BoxError>,
    {
        let config = self.tls.config().await?;
        HttpsConnector::from((transport, config)).call(to).await
    }

    fn tunnel(&self, proxy: &Intercept) -> Tunnel<HttpConnector> {
        let tunnel = Tunnel::new(proxy.uri().clone(), self.tcp.clone());
        match proxy.basic_auth() {
            Some(auth) => tunnel.with_auth(auth.clone()),
            None => tunnel,
        }
    }
}

impl Service<Uri> for Connector {
    type Response = Stream;
    type Error = ConnectError;
    type Future = Pin<Box<dyn Future<Output = Result<Stream, ConnectError>> + Send>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, upstream: Uri) -> Self::Future {
        let limit = CONNECT_LIMIT.try_with(|limit| *limit).unwrap_or(CONNECT_LIMIT_DEFAULT);
        let connecting = self.clone().connect(upstream, limit);
        Box::pin(async move {
            let outcome = tokio::time::timeout(limit, connecting).await;
            outcome.unwrap_or(Err(ConnectError::Expired))
        })
    }
}

fn explain(error: &(dyn StdError + 'static), proxy: Option<&Intercept>) -> ConnectError {
    if expired(error) {
        return ConnectError::Expired;
    }
    let text = chain(error);
    // Of the connectors only the TLS one gives a bare IO error.
    let text = if error.is::<io::Error>() { format!("TLS handshake failed: {text}") } else { text };
    ConnectError::Failed(match proxy {
        Some(proxy) => format!("through the proxy `{}`: {text}", HostPort(proxy.uri())),
        None => text,
    })
}

/// Whether the limit that we gave to TCP is behind an error. The system's own `ETIMEDOUT` has a
/// code; ours has none.
fn expired(error: &(dyn StdError + 'static)) -> bool {
    causes(error).any(|cause| {
        cause
            .downcast_ref::<io::Error>()
            .is_some_and(|io| io.kind() == io::ErrorKind::TimedOut && io.raw_os_error().is_none())
    })
}

/// An established connection.
#[derive(Debug)]
pub(crate) struct Stream {
    io: Io,
    /// The peer is a proxy that must be told the whole URL.
    asks_proxy: bool,
}

type Io = MaybeHttpsStream<TokioIo<TcpStream>>;
type BoxError = Box<dyn StdError + Send + Sync>;

impl Connection for Stream {
    fn connected(&self) -> Connected {
        self.io.connected().proxy(self.asks_proxy)
    }
}

impl Read for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buffer)
    }
}

impl Write for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, parts)
    }
}

/// Probes of an idle connection begin after this, so that a long silence of a stream does not hide
/// a dead peer.
const KEEPALIVE: Duration = Duration::from_secs(60);

/// The limit where no dispatch has set one.
const CONNECT_LIMIT_DEFAULT: Duration = Duration::from_secs(10);
