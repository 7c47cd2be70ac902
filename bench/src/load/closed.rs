//! The closed loop: each connection sends its next request when it has the answer to the last.

use std::sync::Arc;

use tokio::task::JoinSet;

use super::window::{self, Phase};
use super::{Load, Run, Timings, supervise};
use crate::clock;
use crate::connection::Connection;
use crate::request::Request;

/// Runs a load closed-loop. Each answer is measured from the moment its request was sent, so at
/// saturation this says how much goes through and not how long callers would wait.
///
/// # Errors
/// When a connection breaks or an answer is not as it should be.
pub(crate) async fn closed_loop(load: &Load) -> anyhow::Result<Run> {
    let phase = Arc::new(Phase::default());
    let mut connections = JoinSet::new();
    for _ in 0..load.connections {
        let connection = Connection::open(load.address, 0).await?;
        connections.spawn(repeat(connection, load.request.clone(), Arc::clone(&phase)));
    }
    supervise(connections, window::measure(load, &phase)).await
}

async fn repeat(
    mut connection: Connection,
    request: Request,
    phase: Arc<Phase>,
) -> anyhow::Result<Timings> {
    let mut timings = Timings::default();
    while let Some(measured) = phase.measured() {
        let sent_at = clock::now();
        let arrival = connection.exchange(&request).await?;
        timings.note(arrival, measured.then_some(sent_at))?;
    }
    Ok(timings)
}
