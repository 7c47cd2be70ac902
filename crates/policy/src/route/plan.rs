//! The plan of one call at one model group.

use crate::route::filter::{self, Tagged};
use crate::route::shuffle::to_front;
use crate::route::{Contender, Needs, PassedOver, Strategy, order};

/// Which deployments can serve a call, and in which order, and why the others cannot.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// The deployments to try, by their index: tier by tier, in each those that are ready in the
    /// strategy's order, then those that rest in the order in which they come back.
    pub order: Vec<usize>,
    /// Those that cannot serve the call, and those of the order that rest, with the reason.
    pub passed_over: Vec<(usize, PassedOver)>,
}

impl Plan {
    /// The reason of the deployment that came nearest to serving the call, of those passed over.
    #[must_use]
    pub fn nearest(&self) -> Option<PassedOver> {
        self.passed_over.iter().map(|(_, why)| *why).max()
    }
}

/// Plans a call at the deployments of a model group. `preferred` is one that the call has reason to
/// go back to, such as a prompt cache there: it goes first in its tier while it is ready. `draw`
/// gives uniform 64-bit numbers.
#[must_use]
pub fn plan_for(
    contenders: &[Contender<'_>],
    needs: &Needs<'_>,
    strategy: Strategy,
    preferred: Option<usize>,
    draw: &mut dyn FnMut() -> u64,
) -> Plan {
    let mut plan = able(contenders, needs, strategy);
    let tier_of = |at: usize| contenders[at].candidate.order;
    let resting = |at: usize| contenders[at].readiness.frees_at();
    plan.order.sort_by_key(|at| (tier_of(*at), resting(*at)));
    for tier in plan.order.chunk_by_mut(|a, b| tier_of(*a) == tier_of(*b)) {
        let ready = tier.partition_point(|at| resting(*at).is_none());
        let ready = &mut tier[..ready];
        order::order(ready, contenders, strategy, draw);
        if let Some(place) = ready.iter().position(|at| Some(*at) == preferred) {
            to_front(&mut ready[..=place]);
        }
    }
    plan
}

/// The deployments that can serve the call, as they are listed.
fn able(contenders: &[Contender<'_>], needs: &Needs<'_>, strategy: Strategy) -> Plan {
    let mut order = Vec::with_capacity(contenders.len());
    let mut passed_over = Vec::new();
    for (at, contender) in contenders.iter().enumerate() {
        match filter::unfit(contender, needs) {
            Some(why) => passed_over.push((at, why)),
            None => order.push(at),
        }
    }
    let tagged = Tagged::of(needs, order.iter().map(|at| &contenders[*at]));
    let rates = needs.rates || strategy.keeps_rates();
    order.retain(|at| {
        let contender = &contenders[*at];
        let why = if tagged.leaves(contender) {
            filter::over_rate(contender, needs).filter(|_| rates)
        } else {
            Some(PassedOver::OtherTags)
        };
        let resting = || PassedOver::resting(contender.readiness);
        passed_over.extend(why.or_else(resting).map(|why| (*at, why)));
        why.is_none()
    });
    Plan { order, passed_over }
}

#[cfg(test)]
mod tests;
