//! How a dispatch fails.

use std::fmt;
use std::time::Duration;

use thiserror::Error;

/// Why there is no answer, or no more of it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DispatchError {
    /// No connection: the name is not known, nobody listens, or the TLS handshake or the proxy
    /// failed. Nothing of the request was sent.
    #[error("cannot connect to `{host}`: {detail}")]
    Unreachable {
        /// Host and port.
        host: String,
        /// What the system, the peer or the TLS library said.
        detail: String,
    },
    /// No credential could be had, so nothing was sent to the upstream.
    #[error("no credential for the upstream: {detail}")]
    Credentials {
        /// Each source and why it has none. No secret is in it.
        detail: String,
    },
    /// A phase took longer than its limit.
    #[error("{phase_says} {limit:?} (after {elapsed:?})", phase_says = phase.says())]
    Timeout {
        /// The phase whose limit expired.
        phase: Phase,
        /// Its limit.
        limit: Duration,
        /// How long the phase had lasted when that was noticed.
        elapsed: Duration,
    },
    /// The connection was lost before the answer ([`Phase::FirstByte`]) or within it
    /// ([`Phase::Idle`]).
    #[error("the connection was lost {where_lost}: {detail}", where_lost = where_lost(*phase))]
    Reset {
        /// The phase it was lost in.
        phase: Phase,
        /// What the system or the HTTP library said.
        detail: String,
    },
    /// The peer does not speak HTTP/1.1.
    #[error("the answer is not HTTP: {detail}")]
    NotHttp {
        /// What was wrong with it.
        detail: String,
    },
    /// The body is larger than the caller allowed.
    #[error("the answer is larger than {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// The head of the answer has more bytes or headers than
    /// [`ANSWER_HEAD_BYTES_MAX`](crate::ANSWER_HEAD_BYTES_MAX) and
    /// [`ANSWER_HEADERS_MAX`](crate::ANSWER_HEADERS_MAX) allow.
    #[error("the head of the answer is too large")]
    HeadersTooLarge,
    /// The URL cannot be called. Nothing of it is repeated: it may hold a key.
    #[error("the upstream's URL cannot be used: {detail}")]
    BadUrl {
        /// What is wrong with it.
        detail: String,
    },
    /// A header cannot be sent.
    #[error("the header `{name}` cannot be sent: {detail}")]
    BadHeader {
        /// The header.
        name: String,
        /// Why. The value is not repeated: it may be a key.
        detail: &'static str,
    },
}

/// The part of a dispatch in which something happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Until there is a connection: name lookup, TCP, proxy and TLS.
    Connect,
    /// From there until the first byte of the answer's body; an answer without a body, until its
    /// head.
    FirstByte,
    /// Between two parts of the body.
    Idle,
    /// From the start to the last byte.
    Total,
}

impl Phase {
    /// The name of the phase, as in configuration and error bodies.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::FirstByte => "first_byte",
            Self::Idle => "idle",
            Self::Total => "total",
        }
    }

    const fn says(self) -> &'static str {
        match self {
            Self::Connect => "no connection within",
            Self::FirstByte => "no byte of the answer within",
            Self::Idle => "no further byte of the answer within",
            Self::Total => "the answer was not complete within",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

const fn where_lost(phase: Phase) -> &'static str {
    match phase {
        Phase::Connect | Phase::FirstByte => "before the answer began",
        Phase::Idle | Phase::Total => "before the answer ended",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_what_happened_and_when() {
        let (limit, elapsed) = (Duration::from_secs(30), Duration::from_millis(30_002));
        for (error, text) in [
            (
                DispatchError::Unreachable { host: "a:443".into(), detail: "refused".into() },
                "cannot connect to `a:443`: refused",
            ),
            (
                DispatchError::Timeout { phase: Phase::FirstByte, limit, elapsed },
                "no byte of the answer within 30s (after 30.002s)",
            ),
            (
                DispatchError::Reset { phase: Phase::Idle, detail: "closed".into() },
                "the connection was lost before the answer ended: closed",
            ),
        ] {
            assert_eq!(error.to_string(), text);
        }
    }
}
