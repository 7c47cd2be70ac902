//! One attempt: a request out, the head of its answer in.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use http::header::PROXY_AUTHORIZATION;
use http::uri::Scheme;
use http::{Method, Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::capture_connection;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tollgate_domain::Clock;

use crate::answer::{UpstreamAnswer, UpstreamBody};
use crate::auth::{Courier, Identities};
use crate::connect::{CONNECT_LIMIT, Connector};
use crate::deadline::Deadline;
use crate::error::{DispatchError, Phase};
use crate::failure::{NoHead, no_head};
use crate::fetch::{FetchError, FetchRules, Fetched, Fetcher};
use crate::options::{PhaseTimeouts, PoolOptions};
use crate::proxy::ProxySettings;
use crate::request::{HostPort, UpstreamRequest};
use crate::tls::{LazyTls, TlsError};

/// What is read of an answer without finding the end of its head before it is given up, in bytes:
/// 64 KiB.
pub const ANSWER_HEAD_BYTES_MAX: usize = 64 * 1024;

/// The most headers that an answer may have.
pub const ANSWER_HEADERS_MAX: usize = 128;

/// Sends requests over pooled connections. Clones share the pool. It must be used within a Tokio
/// runtime.
#[derive(Clone)]
pub struct Dispatcher {
    client: Client<Connector, Full<Bytes>>,
    proxy: Option<ProxySettings>,
    clock: Arc<dyn Clock>,
    identities: Identities,
    fetcher: Fetcher,
}

impl Dispatcher {
    /// A dispatcher with an empty pool. It opens no socket and, unless there is a CA file, reads no
    /// file yet.
    ///
    /// # Errors
    /// [`TlsError`] when the CA file cannot be used.
    pub fn new(options: PoolOptions, clock: Arc<dyn Clock>) -> Result<Self, TlsError> {
        let tls = LazyTls::new(options.ca_file.as_deref())?;
        let tls = Arc::new(tls);
        let fetcher = Fetcher::new(Arc::clone(&tls));
        let connector = Connector::new(tls, options.proxy.clone());
        let direct = client(&options, connector.direct());
        let client = client(&options, connector);
        let courier = Courier { client: client.clone(), direct };
        let identities = Identities::new(courier, Arc::clone(&clock));
        Ok(Self { client, proxy: options.proxy, clock, identities, fetcher })
    }

    /// The credentials that were fetched for this dispatcher's calls.
    #[must_use]
    pub const fn identities(&self) -> &Identities {
        &self.identities
    }

    /// Fetches a picture or a PDF that a request names by its address.
    ///
    /// # Errors
    /// [`FetchError`] with the reason.
    pub async fn fetch(&self, url: &str, rules: FetchRules<'_>) -> Result<Fetched, FetchError> {
        self.fetcher.fetch(url, rules).await
    }

    /// Sends one request and waits for the head of its answer, which may have any status. Dropping
    /// the future cancels the call.
    ///
    /// # Errors
    /// [`DispatchError`]: which phase failed and how.
    pub async fn send(
        &self,
        request: UpstreamRequest,
        timeouts: PhaseTimeouts,
    ) -> Result<UpstreamAnswer, DispatchError> {
        self.send_as(Method::POST, request, timeouts).await
    }

    /// The same with a method other than `POST`. Not for credentials that sign the method.
    ///
    /// # Errors
    /// As [`Dispatcher::send`].
    pub async fn send_as(
        &self,
        method: Method,
        request: UpstreamRequest,
        timeouts: PhaseTimeouts,
    ) -> Result<UpstreamAnswer, DispatchError> {
        let total = timeouts.total.map(|limit| Deadline::start(Phase::Total, limit, &*self.clock));
        // One limit for all that comes before the request can be sent.
        let connect = Deadline::start(Phase::Connect, timeouts.connect, &*self.clock);
        let proving = self.identities.authenticate(request);
        let mut request = match self.within(connect.or_earlier(total), proving).await {
            Ok(request) => request?,
            Err(DispatchError::Timeout { phase: Phase::Connect, limit, .. }) => {
                let detail = format!("no credential within {limit:?}");
                return Err(DispatchError::Credentials { detail });
            }
            Err(error) => return Err(error),
        };
        *request.method_mut() = method;
        self.introduce_to_proxy(&mut request);
        let upstream = request.uri().clone();
        let mut connected = capture_connection(&mut request);
        let answering = CONNECT_LIMIT.scope(connect.left(), self.client.request(request));
        tokio::pin!(answering);
        let explain = |error| match no_head(&error) {
            NoHead::ConnectExpired => connect.expired(&*self.clock),
            NoHead::NoConnection(detail) => {
                DispatchError::Unreachable { host: HostPort(&upstream).to_string(), detail }
            }
            NoHead::Broken(error) => error,
        };

        let until_connected = async {
            tokio::select! {
                biased;
                early = &mut answering => Some(early),
                _ = connected.wait_for_connection_metadata() => None,
            }
        };
        let early = self.within(connect.or_earlier(total), until_connected).await?;
        let first_byte = Deadline::start(Phase::FirstByte, timeouts.first_byte, &*self.clock);
        let head = match early {
            Some(head) => head,
            None => self.within(first_byte.or_earlier(total), answering).await?,
        };
        Ok(self.answer(head.map_err(explain)?, first_byte, timeouts, total))
    }

    async fn within<T>(
        &self,
        deadline: Deadline,
        awaited: impl Future<Output = T>,
    ) -> Result<T, DispatchError> {
        deadline.bound(&*self.clock, awaited).await
    }

    fn answer(
        &self,
        response: Response<Incoming>,
        first_byte: Deadline,
        timeouts: PhaseTimeouts,
        total: Option<Deadline>,
    ) -> UpstreamAnswer {
        let (head, incoming) = response.into_parts();
        let clock = Arc::clone(&self.clock);
        UpstreamAnswer {
            status: head.status.as_u16(),
            headers: head.headers,
            body: UpstreamBody::new(incoming, clock, first_byte, timeouts.idle, total),
        }
    }

    /// A proxy that is asked for plain `http` wants its credentials in the request; one that opens
    /// a tunnel got them from the connector.
    fn introduce_to_proxy(&self, request: &mut Request<Full<Bytes>>) {
        let Some(proxy) = &self.proxy else { return };
        if request.uri().scheme() != Some(&Scheme::HTTP) {
            return;
        }
        let found = proxy.intercept(request.uri());
        if let Some(auth) = found.as_ref().and_then(|proxy| proxy.basic_auth()) {
            let mut auth = auth.clone();
            auth.set_sensitive(true);
            request.headers_mut().insert(PROXY_AUTHORIZATION, auth);
        }
    }
}

/// A client with a pool of its own.
fn client(options: &PoolOptions, connector: Connector) -> Client<Connector, Full<Bytes>> {
    Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(options.idle_timeout)
        .pool_max_idle_per_host(options.idle_per_host_max)
        // Only where the pooled connection closed before any byte of the request was written.
        .retry_canceled_requests(true)
        .http1_max_buf_size(ANSWER_HEAD_BYTES_MAX)
        .http1_max_headers(ANSWER_HEADERS_MAX)
        .build(connector)
}

impl fmt::Debug for Dispatcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dispatcher").field("proxy", &self.proxy).finish_non_exhaustive()
    }
}
