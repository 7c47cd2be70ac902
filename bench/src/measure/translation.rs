//! What translating costs: a client of the Messages API in front of a chat upstream, against
//! clients and upstreams that speak the same.

use std::time::Duration;

use anyhow::Context as _;
use serde::Serialize;

use crate::connection::Connection;
use crate::gauge::{self, Cpu, Memory};
use crate::load::{Load, streams_at_once};
use crate::measure::cost::{self, Cost};
use crate::plan::Plan;
use crate::request::{Chat, Dialect, Request};
use crate::samples::rounded;
use crate::site::{Gateway, STREAM_DELTAS, Simulator, Site, Target};

/// Deltas of a stream: what `setup/behaviours.json` says, and what the Messages upstream sends.
const DELTAS: u32 = STREAM_DELTAS;
/// Streams at once whose deltas come one at a time.
const PACED_STREAMS: usize = 20;
/// Deltas of each of them: what `setup/behaviours.json` says.
const PACED_DELTAS: u32 = 500;
/// Calls at once with a megabyte of pictures each.
const PROMPTS: usize = 16;
/// Longest time for one run of streams or of slow answers.
const RUN_MAX: Duration = Duration::from_secs(60);

/// What translating costs.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Translation {
    /// Processor time per buffered call of 2,048 bytes, in microseconds.
    pub(crate) call_us: Ways,
    /// The translated call over the cheaper of the two that are not.
    pub(crate) call_ratio: f64,
    /// Deltas of each stream.
    pub(crate) deltas: u32,
    /// Processor time per delta of a stream that comes as fast as it can, in microseconds.
    pub(crate) delta_us: Ways,
    /// The same where every delta comes, and goes, alone; chat, then translated.
    pub(crate) paced_delta_us: [f64; 2],
    /// The most memory that one more call with a megabyte of pictures took, in KiB; chat, then
    /// translated.
    pub(crate) prompt_kib: [f64; 2],
}

/// One figure for each way of a call.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Ways {
    /// Chat to chat.
    pub(crate) chat: f64,
    /// Messages to Messages.
    pub(crate) messages: f64,
    /// Messages to chat.
    pub(crate) translated: f64,
}

/// A way of a call: what the client speaks, and the model, whose upstream speaks what it speaks.
type Way = (Dialect, &'static str);

/// Measures through a gateway of its own.
///
/// # Errors
/// When a call is not answered as it should be.
pub(crate) async fn measure(
    site: &Site,
    plan: Plan,
    simulator: &Simulator,
) -> anyhow::Result<Translation> {
    let gateway = Gateway::start(site, simulator, "translation").await?.gateway;
    let target = gateway.target().await?;
    let call_us = calls(plan, &target).await?;
    let delta_us = deltas(plan, &target).await?;
    let paced_delta_us =
        [paced(&target, Dialect::Chat).await?, paced(&target, Dialect::Messages).await?];
    gateway.stop().await.context("after the translations")?;
    let prompt_kib = [
        prompts(site, simulator, Dialect::Chat).await?,
        prompts(site, simulator, Dialect::Messages).await?,
    ];
    let call_ratio = call_us.translated / call_us.chat.min(call_us.messages);
    let call_ratio = (call_ratio * 100.0).round() / 100.0;
    Ok(Translation { call_us, call_ratio, deltas: DELTAS, delta_us, paced_delta_us, prompt_kib })
}

/// Buffered calls, in turns.
async fn calls(plan: Plan, target: &Target) -> anyhow::Result<Ways> {
    let ways =
        [(Dialect::Chat, "answer"), (Dialect::Messages, "messages"), (Dialect::Messages, "answer")];
    let mut costs: [Cost; 3] = Default::default();
    for _ in 0..plan.rounds {
        for (way, cost) in ways.iter().zip(&mut costs) {
            let run = cost::of_calls(plan, target, request(*way, false, target)).await;
            cost.merge(run.with_context(|| format!("calls, {way:?}"))?);
        }
    }
    Ok(Ways::of(&costs))
}

/// Long streams one after the other, in turns.
async fn deltas(plan: Plan, target: &Target) -> anyhow::Result<Ways> {
    let ways =
        [(Dialect::Chat, "deltas"), (Dialect::Messages, "messages"), (Dialect::Messages, "deltas")];
    let streams = if plan.quick { 10 } else { 40 };
    let mut costs: [Cost; 3] = Default::default();
    for _ in 0..plan.rounds {
        for (way, cost) in ways.iter().zip(&mut costs) {
            let cpu = streams_in_line(target, *way, streams);
            let cpu = cpu.await.with_context(|| format!("streams, {way:?}"))?;
            cost.add(u64::from(streams * DELTAS), cpu);
        }
    }
    Ok(Ways::of(&costs))
}

/// The processor time of so many streams behind a first one that is not counted.
async fn streams_in_line(target: &Target, way: Way, streams: u32) -> anyhow::Result<Duration> {
    let pid = target.watched.context("the gateway is not watched")?;
    let request = request(way, true, target);
    let mut connection = Connection::open(target.address, 0).await?;
    connection.exchange(&request).await?;
    let before: Cpu = gauge::when_quiet(pid).await?;
    for _ in 0..streams {
        connection.exchange(&request).await?;
    }
    Ok(gauge::when_quiet(pid).await?.since(&before))
}

/// The processor time per delta of many streams at once whose deltas come one at a time.
async fn paced(target: &Target, dialect: Dialect) -> anyhow::Result<f64> {
    let pid = target.watched.context("the gateway is not watched")?;
    let load = at_once(target, request((dialect, "paced-deltas"), true, target), PACED_STREAMS);
    let before = gauge::when_quiet(pid).await?;
    let run = streams_at_once(&load).await.with_context(|| format!("paced, {dialect:?}"))?;
    let cpu = gauge::when_quiet(pid).await?.since(&before);
    let mut cost = Cost::default();
    cost.add(run.timings.answered * u64::from(PACED_DELTAS), cpu);
    Ok(cost.each_us())
}

/// The most memory per call, in KiB, of many calls at once with a megabyte of pictures, in a
/// gateway that has carried nothing else.
async fn prompts(site: &Site, simulator: &Simulator, dialect: Dialect) -> anyhow::Result<f64> {
    let data = format!("prompts-{dialect:?}");
    let gateway = Gateway::start(site, simulator, &data).await?.gateway;
    let target = gateway.target().await?;
    gauge::when_quiet(gateway.pid()).await?;
    let before = Memory::of(gateway.pid())?.rss_kib;
    let chat = Chat { model: "slow-answer", streamed: false };
    let request = chat.images_in(dialect, target.address, &target.key);
    let load = at_once(&target, request, PROMPTS);
    streams_at_once(&load).await.with_context(|| format!("pictures, {dialect:?}"))?;
    let most = Memory::of(gateway.pid())?.rss_kib_max;
    gateway.stop().await.context("after the pictures")?;
    Ok(rounded(most.saturating_sub(before) as f64 / PROMPTS as f64))
}

fn request((dialect, model): Way, streamed: bool, target: &Target) -> Request {
    Chat { model, streamed }.request_in(dialect, target.address, &target.key)
}

/// One call on each connection, all at once.
fn at_once(target: &Target, request: Request, connections: usize) -> Load {
    Load {
        address: target.address,
        request,
        connections,
        watched: target.watched,
        warm_up: Duration::ZERO,
        length: RUN_MAX,
    }
}

impl Ways {
    fn of([chat, messages, translated]: &[Cost; 3]) -> Self {
        Self {
            chat: chat.each_us(),
            messages: messages.each_us(),
            translated: translated.each_us(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lengths_are_those_of_the_script() {
        let behaviours: serde_json::Value =
            serde_json::from_str(include_str!("../../setup/behaviours.json")).expect("JSON");
        assert_eq!(behaviours["models"]["deltas"]["tokens"], DELTAS);
        assert_eq!(behaviours["models"]["paced-deltas"]["tokens"], PACED_DELTAS);
    }
}
