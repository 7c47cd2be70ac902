//! What planning a call costs: fifty deployments, each looked at by every filter.

use std::hint::black_box;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use serde::Serialize;
use tollgate_policy::{
    Abilities, Ability, Candidate, Contender, Load, Needs, Strategy, TagAsk, TagMatch, plan_for,
};

use crate::plan::Plan;
use crate::samples::rounded;

/// Deployments of the model group.
pub(crate) const DEPLOYMENTS: usize = 50;
/// Plans that are timed together: few enough for a quick run, and long enough for the clock.
const PLANS: u32 = 20_000;

/// What planning costs.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Planning {
    /// Deployments of the model group.
    pub(crate) deployments: usize,
    /// The processor time of one plan by each strategy, in microseconds: the median of the rounds.
    pub(crate) strategies: Vec<(&'static str, f64)>,
}

impl Planning {
    /// The time of the strategy that takes longest, in microseconds.
    pub(crate) fn slowest_us(&self) -> f64 {
        self.strategies.iter().map(|(_, micros)| *micros).fold(0.0, f64::max)
    }
}

/// Measures in this process: a plan is one function that asks nobody.
pub(crate) fn measure(plan: Plan) -> Planning {
    let tags: [Box<str>; 2] = ["paid".into(), "eu".into()];
    let contenders: Vec<Contender<'_>> = (0..DEPLOYMENTS).map(|at| contender(at, &tags)).collect();
    let needs = Needs {
        abilities: Abilities::UNKNOWN.with(Ability::Tools, true).with(Ability::Images, true),
        input_tokens: Some(8000),
        region: Some("eu"),
        tags: Some(TagAsk { tags: &["paid"], matching: TagMatch::Any }),
        rates: true,
        rate_tokens: 8000,
    };
    let strategies = Strategy::ALL.map(|strategy| {
        let mut rounds: Vec<f64> =
            (0..plan.rounds).map(|round| round_us(&contenders, &needs, strategy, round)).collect();
        rounds.sort_by(f64::total_cmp);
        (strategy.as_str(), rounded(rounds[rounds.len() / 2]))
    });
    Planning { deployments: DEPLOYMENTS, strategies: strategies.to_vec() }
}

/// One that every filter looks at to the end and leaves.
fn contender(at: usize, tags: &[Box<str>]) -> Contender<'_> {
    let at = at as u64;
    let candidate = Candidate {
        order: 0,
        weight: Some(100 + (at as u32 * 37) % 400),
        rpm: Some(10_000),
        tpm: Some(10_000_000),
        available: true,
    };
    Contender {
        candidate,
        abilities: Abilities::UNKNOWN.with(Ability::Tools, true).with(Ability::Images, true),
        input_max: Some(128_000),
        region: Some("eu"),
        tags,
        price_picos: Some(1000 + at * 13 % 90),
        load: Load {
            in_flight: (at * 7 % 20) as u32,
            requests: at * 11 % 900,
            tokens: at * 1009 % 90_000,
            latency_micros: Some(300_000 + at * 7919 % 500_000),
        },
        ..Contender::default()
    }
}

/// The processor time of one plan in a round of many, in microseconds.
fn round_us(contenders: &[Contender<'_>], needs: &Needs<'_>, strategy: Strategy, seed: u32) -> f64 {
    let mut state = u64::from(seed) + 1;
    let mut draw = || {
        // Splitmix64, about what the gateway's own generator costs.
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed ^ (mixed >> 27)
    };
    let began = processor_time();
    for _ in 0..PLANS {
        black_box(plan_for(black_box(contenders), black_box(needs), strategy, None, &mut draw));
    }
    (processor_time() - began).as_secs_f64() * 1e6 / f64::from(PLANS)
}

/// The processor time of this thread.
fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_deployment_is_planned_by_every_strategy() {
        let tags: [Box<str>; 1] = ["paid".into()];
        let contenders: Vec<Contender<'_>> =
            (0..DEPLOYMENTS).map(|at| contender(at, &tags)).collect();
        let needs = Needs { rates: true, ..Needs::default() };
        for strategy in Strategy::ALL {
            let plan = plan_for(&contenders, &needs, strategy, None, &mut || 7);
            assert_eq!(plan.order.len(), DEPLOYMENTS, "{}", strategy.as_str());
        }
    }
}
