//! How long the gateway takes from being started to being ready.

use anyhow::Context as _;
use serde::Serialize;

use crate::samples::{Samples, rounded};
use crate::site::{Gateway, Simulator, Site};

/// How often each kind of start is measured.
const STARTS: u32 = 10;

/// Milliseconds to ready.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Startup {
    pub(crate) median_ms: f64,
    pub(crate) max_ms: f64,
    pub(crate) starts: u32,
}

/// Starts and ends gateways on one data directory that exists, or each on a fresh one.
///
/// # Errors
/// When one does not start or does not end in order.
pub(crate) async fn measure(
    site: &Site,
    simulator: &Simulator,
    existing: Option<&str>,
) -> anyhow::Result<Startup> {
    let mut samples = Samples::default();
    for start in 0..STARTS {
        let fresh = format!("fresh-{start}");
        let started = Gateway::start(site, simulator, existing.unwrap_or(&fresh)).await?;
        samples.push(started.ready_after);
        started.gateway.stop().await?;
    }
    let summary = samples.summary().context("nothing was started")?;
    let ms = |micros: f64| rounded(micros / 1000.0);
    Ok(Startup { median_ms: ms(summary.p50_us), max_ms: ms(summary.max_us), starts: STARTS })
}
