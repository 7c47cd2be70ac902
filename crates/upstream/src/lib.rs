//! The only egress: sends one request to one upstream and gives back its answer as it comes.
//!
//! [`Dispatcher::send`] is one attempt. It knows nothing of models, retries or prices, follows no
//! redirect, decodes no body, and repeats a request only when no byte of it had been sent. Each
//! phase has a limit of its own, and a failure says which phase it happened in ([`DispatchError`]).
//! Dropping the future or the [`UpstreamBody`] that it gave closes the connection, which is how a
//! call is cancelled.
//!
//! No clock but the given one is read for what is reported; timers are Tokio's. The environment is
//! not read here, except by `rustls-native-certs`, which honours `SSL_CERT_FILE` and
//! `SSL_CERT_DIR`.

mod answer;
pub mod auth;
mod connect;
mod deadline;
mod dispatch;
mod error;
mod failure;
mod fetch;
mod options;
mod proxy;
mod request;
mod tls;

pub use answer::{UpstreamAnswer, UpstreamBody};
pub use auth::encode;
pub use dispatch::{ANSWER_HEAD_BYTES_MAX, ANSWER_HEADERS_MAX, Dispatcher};
pub use error::{DispatchError, Phase};
pub use fetch::{FETCHES_AT_ONCE_MAX, FetchError, FetchRules, Fetched, REDIRECTS_MAX};
pub use options::{PhaseTimeouts, PoolOptions};
pub use proxy::{ProxyError, ProxySettings};
pub use request::{Credential, UpstreamRequest};
pub use tls::TlsError;
