//! How long each phase of a call may take, and which of the many settings decides.

use std::time::Duration;

/// The limits of one deployment, each above zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Name look-up, TCP and TLS.
    pub connect: Duration,
    /// From the request to the head of an answer that is not streamed.
    pub first_byte: Duration,
    /// From the request to the head of a stream.
    pub stream_first_byte: Duration,
    /// Between two chunks of an answer.
    pub idle: Duration,
    /// One whole answer that is not streamed, all attempts included.
    pub total: Duration,
    /// One whole stream, or `None`: a flowing stream is not cut unless the operator asks for it.
    pub stream_total: Option<Duration>,
}

/// What one deployment says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct OwnTimeouts {
    /// `litellm_params.timeout`, else `litellm_params.request_timeout`.
    pub(crate) timeout: Option<Duration>,
    /// `litellm_params.stream_timeout`.
    pub(crate) stream_timeout: Option<Duration>,
    /// `litellm_params.idle_timeout`.
    pub(crate) idle_timeout: Option<Duration>,
}

/// What the settings say for every deployment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct SharedTimeouts {
    /// `router_settings.timeout`.
    pub(crate) timeout: Option<Duration>,
    /// `router_settings.stream_timeout`.
    pub(crate) stream_timeout: Option<Duration>,
    /// `router_settings.total_timeout`.
    pub(crate) total_timeout: Option<Duration>,
    /// `litellm_settings.request_timeout`.
    pub(crate) request_timeout: Option<Duration>,
}

impl Timeouts {
    /// Nearest setting first (runtime-semantics §8.4): the deployment, the router, the request
    /// timeout of all, the default. For a stream the `stream_timeout` of deployment and router go
    /// before all of these.
    pub(crate) fn resolve(own: &OwnTimeouts, shared: &SharedTimeouts) -> Self {
        let first_byte =
            own.timeout.or(shared.timeout).or(shared.request_timeout).unwrap_or(FIRST_BYTE);
        Self {
            connect: CONNECT,
            first_byte,
            stream_first_byte: own.stream_timeout.or(shared.stream_timeout).unwrap_or(first_byte),
            idle: own.idle_timeout.unwrap_or(IDLE),
            // A longer wait for one attempt, asked for, must not be cut by a default.
            total: shared.total_timeout.unwrap_or(TOTAL.max(first_byte)),
            stream_total: shared.total_timeout,
        }
    }
}

/// Ten seconds: three TCP handshake attempts, and TLS.
const CONNECT: Duration = Duration::from_secs(10);
/// Ten minutes, what the vendors' own client libraries wait.
const FIRST_BYTE: Duration = Duration::from_secs(600);
/// Five minutes, longer than any vendor lets a stream be silent while it thinks.
const IDLE: Duration = Duration::from_secs(300);
/// Ten minutes over all attempts.
const TOTAL: Duration = Duration::from_secs(600);

#[cfg(test)]
mod tests;
