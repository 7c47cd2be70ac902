//! Many long streams at once, and the memory that the watched process held meanwhile.

use std::time::Duration;

use anyhow::Context as _;
use tokio::task::JoinSet;

use super::{Load, Timings};
use crate::clock;
use crate::connection::Connection;
use crate::gauge::Memory;
use crate::request::Request;

/// What streams at once took.
#[derive(Debug)]
pub(crate) struct StreamsRun {
    pub(crate) timings: Timings,
    /// Resident memory in KiB at equal intervals, until the first stream ended.
    pub(crate) rss_kib: Vec<u64>,
}

/// Sends one request on each connection at once and reads every answer to its end, within the
/// load's length.
///
/// # Errors
/// When a connection breaks, an answer is not as it should be, or the answers take longer than the
/// load's length.
pub(crate) async fn streams_at_once(load: &Load) -> anyhow::Result<StreamsRun> {
    let mut streams = JoinSet::new();
    for _ in 0..load.connections {
        let connection = Connection::open(load.address, 0).await?;
        streams.spawn(once(connection, load.request.clone()));
    }
    let mut rss_kib = Vec::new();
    let mut timings = Timings::default();
    let watching = async {
        let mut beat = tokio::time::interval(SAMPLE_INTERVAL);
        loop {
            tokio::select! {
                ended = streams.join_next() => match ended {
                    Some(ended) => timings.merge(&ended??),
                    None => return anyhow::Ok(()),
                },
                _ = beat.tick(), if timings.answered == 0 => {
                    let memory = load.watched.map(Memory::of).transpose()?;
                    rss_kib.extend(memory.map(|memory| memory.rss_kib));
                }
            }
        }
    };
    tokio::time::timeout(load.length, watching)
        .await
        .with_context(|| format!("the streams are not over after {:?}", load.length))??;
    Ok(StreamsRun { timings, rss_kib })
}

async fn once(mut connection: Connection, request: Request) -> anyhow::Result<Timings> {
    let mut timings = Timings::default();
    let sent_at = clock::now();
    let arrival = connection.exchange(&request).await?;
    timings.note(arrival, Some(sent_at))?;
    Ok(timings)
}

/// How often the memory is looked at.
const SAMPLE_INTERVAL: Duration = Duration::from_millis(20);
