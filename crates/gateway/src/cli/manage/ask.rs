//! One request to the gateway. It goes the way of every other connection outward.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use tollgate_domain::Secret;
use tollgate_upstream::{Credential, Dispatcher, PhaseTimeouts, PoolOptions, UpstreamRequest};

use super::request::Request;
use crate::clock::SystemClock;

/// Largest answer that is read, in bytes.
const ANSWER_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// How long a connection may take.
const CONNECT_MAX: Duration = Duration::from_secs(10);
/// How long the gateway may take to answer, and between two parts of the answer.
const ANSWER_MAX: Duration = Duration::from_secs(60);

/// Sends a request to the gateway at this address: its status and its body.
///
/// # Errors
/// When the address is none, or nothing answers there.
pub(super) async fn ask(url: &str, key: Secret, request: Request) -> anyhow::Result<(u16, Bytes)> {
    let dispatcher = Dispatcher::new(PoolOptions::default(), Arc::new(SystemClock::start()))?;
    let body = request.body.map(|body| Bytes::from(body.to_string())).unwrap_or_default();
    let sent = UpstreamRequest {
        url: format!("{}{}", url.trim_end_matches('/'), request.path),
        auth: Credential::Bearer(key),
        headers: Vec::new(),
        body,
    };
    let timeouts = PhaseTimeouts {
        connect: CONNECT_MAX,
        first_byte: ANSWER_MAX,
        idle: ANSWER_MAX,
        total: None,
    };
    let asking = async {
        let answer = dispatcher.send_as(request.method, sent, timeouts).await?;
        Ok::<_, tollgate_upstream::DispatchError>((
            answer.status,
            answer.body.collect(ANSWER_BYTES_MAX).await?,
        ))
    };
    asking.await.with_context(|| format!("no answer from the gateway at {url}"))
}
