//! Whether a stream takes more memory the longer its answer is.

use std::time::Duration;

use anyhow::Context as _;
use serde::Serialize;

use crate::gauge;
use crate::load::{Load, StreamsRun, streams_at_once};
use crate::request::Chat;
use crate::site::{Gateway, Simulator, Site, Target};

/// Streams at once.
const STREAMS: usize = 200;
/// Tokens of the short answers: what `setup/behaviours.json` says.
const SHORT_TOKENS: u32 = 100;
/// Tokens of the long answers: what `setup/behaviours.json` says.
const LONG_TOKENS: u32 = 5000;
/// One part in so many of a run is its beginning, in which memory is still being taken up.
const BEGINNING: usize = 10;
/// Runs of short streams before the measuring, so that what streams need once is there.
const WARM_UPS: u32 = 3;
/// Longest time for one run; paced as scripted the long one takes 21 seconds.
const RUN_MAX: Duration = Duration::from_secs(120);

/// The memory of many streams.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct StreamMemory {
    pub(crate) streams: usize,
    pub(crate) short_tokens: u32,
    pub(crate) long_tokens: u32,
    pub(crate) rss_kib_before: u64,
    /// At the median while all short streams were open.
    pub(crate) rss_kib_short: u64,
    /// At the median while all long streams were open.
    pub(crate) rss_kib_long: u64,
    /// What one more short stream takes, in KiB.
    pub(crate) kib_per_stream: f64,
    /// What one long stream takes more than a short one, in KiB.
    pub(crate) kib_per_stream_longer: f64,
    /// What 1,000 more tokens add to a stream that is under way, in bytes.
    pub(crate) bytes_per_1000_tokens: f64,
    /// How long the long streams took, at the median, in seconds; at their pace 21.
    pub(crate) long_seconds: f64,
}

/// Compares short with long streams through a gateway of their own: one that has carried other load
/// holds free memory in which growth would hide.
///
/// # Errors
/// When a stream is not answered to its end.
pub(crate) async fn measure(site: &Site, simulator: &Simulator) -> anyhow::Result<StreamMemory> {
    let gateway = Gateway::start(site, simulator, "streams").await?.gateway;
    let target = gateway.target().await?;
    gauge::when_quiet(gateway.pid()).await?;
    let before = gauge::Memory::of(gateway.pid())?.rss_kib;
    for _ in 0..WARM_UPS {
        run("short-stream", &target).await?;
    }
    let short = run("short-stream", &target).await?;
    let long = run("long-stream", &target).await?;
    gateway.stop().await?;
    compared(before, &short, &long).context("the streams had no answers to measure")
}

async fn run(model: &'static str, target: &Target) -> anyhow::Result<StreamsRun> {
    let load = Load {
        address: target.address,
        request: Chat { model, streamed: true }.request(target.address, &target.key),
        connections: STREAMS,
        watched: target.watched,
        warm_up: Duration::ZERO,
        length: RUN_MAX,
    };
    let run = streams_at_once(&load).await;
    run.with_context(|| format!("{STREAMS} streams of `{model}`, {}", target.name))
}

fn compared(before: u64, short: &StreamsRun, long: &StreamsRun) -> Option<StreamMemory> {
    let (rss_kib_short, rss_kib_long) = (median(&short.rss_kib)?, median(&long.rss_kib)?);
    let each = |later: u64, earlier: u64| (later as f64 - earlier as f64) / STREAMS as f64;
    let tenths = |kib: f64| (kib * 10.0).round() / 10.0;
    Some(StreamMemory {
        streams: STREAMS,
        short_tokens: SHORT_TOKENS,
        long_tokens: LONG_TOKENS,
        rss_kib_before: before,
        rss_kib_short,
        rss_kib_long,
        kib_per_stream: tenths(each(rss_kib_short, before)),
        kib_per_stream_longer: tenths(each(rss_kib_long, rss_kib_short)),
        bytes_per_1000_tokens: bytes_per_1000_tokens(&long.rss_kib)?,
        long_seconds: (long.timings.last_byte.median_us()? / 1e5).round() / 10.0,
    })
}

/// How the memory of the same streams grows while they go on. Two runs are further apart than this
/// for reasons of the allocator.
fn bytes_per_1000_tokens(rss_kib: &[u64]) -> Option<f64> {
    let steady = rss_kib.get(rss_kib.len() / BEGINNING..)?;
    let (early, late) = steady.split_at(steady.len() / 2);
    let growth_kib = median(late)? as f64 - median(early)? as f64;
    // The middles of the halves are half of what is compared apart.
    let tokens = f64::from(LONG_TOKENS - LONG_TOKENS / BEGINNING as u32) / 2.0;
    Some((growth_kib * 1024.0 / STREAMS as f64 / (tokens / 1000.0)).round())
}

fn median(values: &[u64]) -> Option<u64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::Timings;

    fn run(rss_kib: Vec<u64>) -> StreamsRun {
        let mut timings = Timings::default();
        timings.last_byte.push(Duration::from_secs(21));
        StreamsRun { timings, rss_kib }
    }

    #[test]
    fn what_a_stream_takes_and_what_its_length_adds_are_two_things() {
        let long = run([vec![9; 100], vec![31_000; 900]].concat());
        let memory = compared(20_000, &run(vec![30_000; 3]), &long).expect("a comparison");
        assert_eq!((memory.kib_per_stream, memory.kib_per_stream_longer), (50.0, 5.0));
        assert_eq!((memory.bytes_per_1000_tokens, memory.long_seconds), (0.0, 21.0));
    }

    #[test]
    fn one_kept_byte_per_token_is_seen() {
        // After one part in ten of the time, 200 streams have 500 tokens each; at the end 5,000.
        let kib = |step: u64| 30_000 + step * 5 * STREAMS as u64 / 1024;
        let growth = bytes_per_1000_tokens(&(0..1000).map(kib).collect::<Vec<_>>());
        assert!((990.0..1010.0).contains(&growth.expect("samples")), "{growth:?}");
        assert_eq!(bytes_per_1000_tokens(&[]), None);
    }

    #[test]
    fn the_lengths_are_those_of_the_script() {
        let behaviours: serde_json::Value =
            serde_json::from_str(include_str!("../../setup/behaviours.json")).expect("JSON");
        assert_eq!(behaviours["models"]["short-stream"]["tokens"], SHORT_TOKENS);
        assert_eq!(behaviours["models"]["long-stream"]["tokens"], LONG_TOKENS);
    }
}
