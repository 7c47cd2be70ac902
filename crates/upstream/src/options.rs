//! What a dispatcher is made with, and the limits of one dispatch.

use std::path::PathBuf;
use std::time::Duration;

use crate::proxy::ProxySettings;

/// How connections are made and kept.
#[derive(Debug, Clone)]
pub struct PoolOptions {
    /// How long an unused connection is kept. 60 s unless told otherwise: less than the usual limit
    /// of providers, so that seldom one is reused that the other side is just closing.
    pub idle_timeout: Duration,
    /// How many unused connections are kept for each host. 1,024 unless told otherwise.
    pub idle_per_host_max: usize,
    /// A PEM file with certificates that are trusted besides the system's.
    pub ca_file: Option<PathBuf>,
    /// Proxies to go through.
    pub proxy: Option<ProxySettings>,
}

impl Default for PoolOptions {
    fn default() -> Self {
        Self {
            idle_timeout: Duration::from_secs(60),
            idle_per_host_max: 1_024,
            ca_file: None,
            proxy: None,
        }
    }
}

/// The limits of one dispatch, each of a phase (see [`Phase`](crate::Phase)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PhaseTimeouts {
    /// Until there is a connection. Not used when one is at hand.
    pub connect: Duration,
    /// From there until the first byte of the body. It covers the head too: a stream whose head
    /// comes at once and whose first event does not come is as late as one without a head.
    pub first_byte: Duration,
    /// Between two parts of the body. Time that the caller takes between asking for them does not
    /// count.
    pub idle: Duration,
    /// The whole of it, if it has a limit.
    pub total: Option<Duration>,
}
