//! Latency, throughput and processor time of each load against each target.

use std::time::Duration;

use anyhow::Context as _;
use serde::Serialize;

use crate::gauge;
use crate::load::{Load, Run, Timings, closed_loop, fixed_rate};
use crate::plan::{Loop, Plan, Shape, WARM_UP};
use crate::samples::{Summary, rounded};
use crate::site::Target;

/// What one load against one target came to.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Row {
    pub(crate) load: String,
    pub(crate) target: &'static str,
    pub(crate) connections: usize,
    pub(crate) calls_per_second: f64,
    /// To the first byte of the body.
    pub(crate) first_byte: Summary,
    /// To the end of the answer.
    pub(crate) last_byte: Summary,
    /// The median of each round: how far these are apart is how far the figures can be trusted.
    pub(crate) p50_us_by_round: Vec<f64>,
    /// What the watched process used, when there is one.
    pub(crate) used: Option<Used>,
    /// What it takes longer than directly; only where latency is what the load is for.
    pub(crate) added: Option<Added>,
    /// Whether the load is meant to find out how much goes through.
    pub(crate) saturating: bool,
    /// All calls answered, those of the warm-up included.
    pub(crate) answered: u64,
    /// All calls refused for too much load, which are in no other figure but the processor time.
    pub(crate) refused: u64,
    /// What all these calls cost by the price, in millionths of a dollar.
    #[serde(skip)]
    pub(crate) cost_micros: u64,
}

/// Percentiles minus the same ones of calls directly to the simulator, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Added {
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
    pub(crate) first_byte_p50_us: f64,
    pub(crate) first_byte_p99_us: f64,
}

impl Added {
    fn over(direct: &Row, row: &Row) -> Self {
        let added = |of: fn(&Row) -> f64| rounded(of(row) - of(direct));
        Self {
            p50_us: added(|row| row.last_byte.p50_us),
            p99_us: added(|row| row.last_byte.p99_us),
            first_byte_p50_us: added(|row| row.first_byte.p50_us),
            first_byte_p99_us: added(|row| row.first_byte.p99_us),
        }
    }
}

/// What the watched process used for a load.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Used {
    /// Processor time per measured call, with what was put off until after the load.
    pub(crate) cpu_us_per_call: f64,
    /// The share of a core while the load was on, 0 to 1 on one core.
    pub(crate) busy: f64,
    /// Resident memory at the end of the load, the most of all rounds.
    pub(crate) rss_kib: u64,
}

/// Runs every load against every target. The first target is what the others are compared with.
///
/// # Errors
/// When a call is not answered as it should be; the error says for which load and target.
pub(crate) async fn measure(plan: Plan, targets: &[Target]) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for shape in Shape::all() {
        let mut sums: Vec<Sum> = targets.iter().map(|_| Sum::default()).collect();
        for _ in 0..plan.rounds {
            for (target, sum) in targets.iter().zip(&mut sums) {
                let ran = one_round(plan, shape, target, sum).await;
                ran.with_context(|| format!("{}, {}", shape.title(), target.name))?;
            }
        }
        let found = targets.iter().zip(&sums).map(|(target, sum)| sum.row(shape, target));
        let found: Option<Vec<Row>> = found.collect();
        rows.extend(compared(found.context("a load had no answers to measure")?));
    }
    Ok(rows)
}

/// The rows of one load, each but the first compared with the first.
fn compared(mut rows: Vec<Row>) -> Vec<Row> {
    if let Some((direct, others)) = rows.split_first_mut() {
        for row in others.iter_mut().filter(|row| !row.saturating) {
            row.added = Some(Added::over(direct, row));
        }
    }
    rows
}

async fn one_round(plan: Plan, shape: Shape, target: &Target, sum: &mut Sum) -> anyhow::Result<()> {
    let mut request = shape.chat.request(target.address, &target.key);
    request.may_be_refused = shape.is_saturating();
    let load = Load {
        address: target.address,
        request,
        connections: shape.connections,
        watched: target.watched,
        warm_up: WARM_UP,
        length: plan.length,
    };
    let run = match shape.loop_kind {
        Loop::Closed => closed_loop(&load).await?,
        Loop::FixedRate(per_second) => fixed_rate(&load, per_second).await?,
    };
    sum.add(&run, target).await
}

/// The rounds of one load against one target.
#[derive(Default)]
struct Sum {
    timings: Timings,
    elapsed: Duration,
    cpu_within: Duration,
    cpu_settled: Duration,
    rss_kib: u64,
    p50_us_by_round: Vec<f64>,
}

impl Sum {
    async fn add(&mut self, run: &Run, target: &Target) -> anyhow::Result<()> {
        self.timings.merge(&run.timings);
        self.elapsed += run.window.elapsed;
        self.p50_us_by_round.extend(run.timings.last_byte.median_us());
        if let (Some(pid), Some(watched)) = (target.watched, &run.window.watched) {
            self.cpu_within += watched.cpu;
            self.cpu_settled += gauge::when_quiet(pid).await?.since(&watched.before);
            self.rss_kib = self.rss_kib.max(watched.memory.rss_kib);
        }
        Ok(())
    }

    fn row(&self, shape: Shape, target: &Target) -> Option<Row> {
        let calls = self.timings.last_byte.count() as f64;
        let used = target.watched.map(|_| Used {
            cpu_us_per_call: rounded(self.cpu_settled.as_secs_f64() * 1e6 / calls),
            busy: (self.cpu_within.as_secs_f64() / self.elapsed.as_secs_f64() * 1000.0).round()
                / 1000.0,
            rss_kib: self.rss_kib,
        });
        Some(Row {
            load: shape.title(),
            target: target.name,
            connections: shape.connections,
            calls_per_second: rounded(calls / self.elapsed.as_secs_f64()),
            first_byte: self.timings.first_byte.summary()?,
            last_byte: self.timings.last_byte.summary()?,
            p50_us_by_round: self.p50_us_by_round.clone(),
            used,
            added: None,
            saturating: shape.is_saturating(),
            answered: self.timings.answered,
            refused: self.timings.refused,
            cost_micros: self.timings.answered * shape.cost_micros(),
        })
    }
}
