//! The server itself: a listener, its connections, and the end of both.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::behaviour::Behaviour;
use crate::record::Calls;
use crate::routes::{self, State};
use crate::script::Script;

/// The most connections at a time. More wait to be accepted.
pub const CONNECTIONS_MAX: usize = 16_384;

/// A running simulator. It stops when it is dropped.
#[derive(Debug)]
pub struct Simulator {
    addr: SocketAddr,
    state: Arc<State>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

/// What a simulator keeps and offers besides answers.
#[derive(Debug, Clone)]
pub struct Options {
    /// How many calls are kept in the record; all are counted. 10,000 unless told otherwise.
    pub calls_kept_max: usize,
    /// Whether `/_simulator/…` is served. Whoever can reach it can read the calls and change the
    /// answers.
    pub control_routes: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { calls_kept_max: 10_000, control_routes: true }
    }
}

impl Simulator {
    /// Starts on the current Tokio runtime, with everything recorded and the control routes served.
    /// Port 0 takes any free one.
    ///
    /// # Errors
    /// What the operating system says when the address cannot be listened on.
    pub async fn start(addr: SocketAddr, script: Script) -> io::Result<Self> {
        Self::start_with(addr, script, Options::default()).await
    }

    /// The same with these options.
    ///
    /// # Errors
    /// What the operating system says when the address cannot be listened on.
    pub async fn start_with(
        addr: SocketAddr,
        script: Script,
        options: Options,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(addr).await?;
        let addr = listener.local_addr()?;
        let calls = Calls::new(options.calls_kept_max);
        let state = Arc::new(State::new(script, calls, options.control_routes));
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        tasks.spawn(accept(listener, Arc::clone(&state), stop.clone(), tasks.clone()));
        Ok(Self { addr, state, stop, tasks })
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The base URL to configure for it: `http://127.0.0.1:4010/v1`.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.addr)
    }

    /// What it was asked.
    #[must_use]
    pub fn calls(&self) -> &Calls {
        &self.state.calls
    }

    /// Answers one call, after those already scripted in this way, with this behaviour.
    pub fn then(&self, behaviour: Behaviour) {
        self.state.script().push(behaviour);
    }

    /// Replaces the whole script, one-shot behaviours included.
    pub fn follow(&self, script: Script) {
        *self.state.script() = script;
    }

    /// Closes the listener and every connection, and waits until they are gone: from then on its
    /// address refuses connections.
    pub async fn shutdown(self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn accept(
    listener: TcpListener,
    state: Arc<State>,
    stop: CancellationToken,
    tasks: TaskTracker,
) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let accepting = async {
        loop {
            let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
            match listener.accept().await {
                Ok((socket, _)) => {
                    let connection = connection(socket, Arc::clone(&state), stop.clone());
                    tasks.spawn(async move {
                        connection.await;
                        drop(place);
                    });
                }
                // Out of file descriptors, or the peer has gone already. Neither gets better by
                // spinning.
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            }
        }
    };
    stop.run_until_cancelled(accepting).await;
}

/// Serves one connection to its end. How it ends is the record's business, not ours: half of the
/// faults are errors.
async fn connection(socket: TcpStream, state: Arc<State>, stop: CancellationToken) {
    let _ = socket.set_nodelay(true);
    let service = service_fn(move |request| routes::serve(Arc::clone(&state), request));
    let serving = http1::Builder::new().serve_connection(TokioIo::new(socket), service);
    let _ = stop.run_until_cancelled(serving).await;
}

/// The wait after a failed accept.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);
