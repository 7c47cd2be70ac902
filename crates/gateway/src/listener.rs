//! The accept loop: connections in, with limits, and out again in order.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use axum::Router;
use axum::extract::ConnectInfo;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Most connections at once.
const CONNECTIONS_MAX: usize = 20_000;
/// Longest wait for the head of a request.
const HEAD_WAIT_MAX: Duration = Duration::from_secs(30);
/// Largest head of a request, in bytes.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// How long accepting pauses after the system refused a connection, for instance for lack of file
/// descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Accepts connections until cancelled, then lets those under way finish within the grace period.
pub(crate) async fn run(
    listener: TcpListener,
    app: Arc<ArcSwap<Router>>,
    ending: CancellationToken,
    grace: Duration,
) {
    let graceful = GracefulShutdown::new();
    let tasks = TaskTracker::new();
    let cut = CancellationToken::new();
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { break };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = ending.cancelled() => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let connection = graceful.watch(connection(stream, peer, Router::clone(&app.load())));
        let cut = cut.clone();
        tasks.spawn(async move {
            // A connection that breaks is the client's business; however it ends, its calls settle
            // by being dropped.
            tokio::select! {
                _ = connection => {}
                () = cut.cancelled() => {}
            }
            drop(place);
        });
    }
    drop(listener);
    tasks.close();
    if tokio::time::timeout(grace, graceful.shutdown()).await.is_err() {
        let open = tasks.len();
        tracing::warn!(open, "the grace period is over; calls still under way are cut");
        cut.cancel();
    }
    tasks.wait().await;
}

/// The gateway as one connection sees it: every request says where it came from.
struct Peered {
    peer: SocketAddr,
    app: TowerToHyperService<Router>,
}

impl Service<Request<Incoming>> for Peered {
    type Response = <TowerToHyperService<Router> as Service<Request<Incoming>>>::Response;
    type Error = <TowerToHyperService<Router> as Service<Request<Incoming>>>::Error;
    type Future = <TowerToHyperService<Router> as Service<Request<Incoming>>>::Future;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        request.extensions_mut().insert(ConnectInfo(self.peer));
        self.app.call(request)
    }
}

fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    app: Router,
) -> http1::Connection<TokioIo<TcpStream>, Peered> {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY could not be set");
    }
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WAIT_MAX)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), Peered { peer, app: TowerToHyperService::new(app) })
}

/// Answers while the gateway is not ready yet: alive, and why nothing is served.
pub(crate) fn starting(reason: &str) -> Router {
    use axum::routing::get;
    use http::{StatusCode, header};
    let body = serde_json::json!({ "status": "unhealthy", "reasons": [reason] }).to_string();
    let unready = move || {
        let body = body.clone();
        async move {
            Ok::<_, Infallible>((
                StatusCode::SERVICE_UNAVAILABLE,
                // A connection made now must not keep this answer for later.
                [(header::CONNECTION, "close"), (header::CONTENT_TYPE, "application/json")],
                body,
            ))
        }
    };
    let alive = || async { ([(header::CONNECTION, "close")], axum::Json("I'm alive!")) };
    Router::new()
        .route("/health/liveliness", get(alive))
        .route("/health/liveness", get(alive))
        .fallback(unready)
}
