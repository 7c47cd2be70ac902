//! The processor time of one call, or of one of whatever else there is much of.

use std::time::Duration;

use anyhow::Context as _;

use crate::gauge;
use crate::load::{Load, closed_loop};
use crate::plan::{Plan, WARM_UP};
use crate::request::Request;
use crate::site::Target;

/// Connections of a load of buffered calls.
const CONNECTIONS: usize = 16;

/// What so many calls, or deltas, took.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Cost {
    count: u64,
    cpu: Duration,
}

impl Cost {
    pub(crate) fn add(&mut self, count: u64, cpu: Duration) {
        self.count += count;
        self.cpu += cpu;
    }

    pub(crate) fn merge(&mut self, other: Self) {
        self.add(other.count, other.cpu);
    }

    /// In microseconds each.
    pub(crate) fn each_us(&self) -> f64 {
        let us = self.cpu.as_secs_f64() * 1e6 / self.count as f64;
        (us * 100.0).round() / 100.0
    }
}

/// The processor time of buffered calls on a few connections, with what the process puts off until
/// after them.
///
/// # Errors
/// When a call is not answered as it should be, or nothing is watched.
pub(crate) async fn of_calls(
    plan: Plan,
    target: &Target,
    request: Request,
) -> anyhow::Result<Cost> {
    let load = Load {
        address: target.address,
        request,
        connections: CONNECTIONS,
        watched: target.watched,
        warm_up: WARM_UP,
        length: plan.length,
    };
    let run = closed_loop(&load).await?;
    let (pid, watched) = (target.watched, run.window.watched);
    let (pid, watched) = pid.zip(watched).context("the gateway was not watched")?;
    let cpu = gauge::when_quiet(pid).await?.since(&watched.before);
    Ok(Cost { count: run.timings.last_byte.count() as u64, cpu })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cost_is_shared_out_over_all_rounds() {
        let mut cost = Cost::default();
        cost.add(1000, Duration::from_millis(3));
        cost.add(1000, Duration::from_millis(4));
        assert_eq!(cost.each_us(), 3.5);
    }
}
