//! The order in which the deployments of a model group are tried.

/// What planning needs to know about a deployment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Candidate {
    /// The deployment's tier; a tier is tried only after every lower one.
    pub order: u32,
    /// Its share of the calls, relative to its tier. Only ratios count; configuration writes
    /// thousandths, so that a weight of `0.5` is 500.
    pub weight: Option<u32>,
    /// Requests per minute it may take, its share where no deployment of the tier has a weight.
    pub rpm: Option<u64>,
    /// Tokens per minute it may take, its share where no deployment has a weight or `rpm`.
    pub tpm: Option<u64>,
    /// Whether it may be planned at all: not cooling, not blocked, able to serve the call.
    pub available: bool,
}

/// The indexes of the available candidates in the order to try them: tiers ascending, and within a
/// tier a random order in which each place is drawn in proportion to the share of those left.
///
/// A tier shares by `weight` if any of its candidates has one, else by `rpm`, else by `tpm`, else
/// evenly (runtime-semantics §7.3, without its dependence on who is listed first). A candidate
/// without a share is tried after those that have one. `draw` gives uniform 64-bit numbers.
pub fn plan(candidates: &[Candidate], draw: &mut dyn FnMut() -> u64) -> Vec<usize> {
    let mut left: Vec<(usize, Candidate)> =
        candidates.iter().copied().enumerate().filter(|(_, c)| c.available).collect();
    left.sort_by_key(|(_, candidate)| candidate.order);
    let mut planned = Vec::with_capacity(left.len());
    for tier in left.chunk_by(|(_, a), (_, b)| a.order == b.order) {
        shuffle(tier, draw, &mut planned);
    }
    planned
}

/// Appends the members of one tier, drawn by share without replacement.
fn shuffle(tier: &[(usize, Candidate)], draw: &mut dyn FnMut() -> u64, planned: &mut Vec<usize>) {
    let share = share_of(tier);
    let mut left: Vec<(usize, u64)> = tier.iter().map(|(at, c)| (*at, share(c))).collect();
    while left.len() > 1 {
        if left.iter().all(|(_, share)| *share == 0) {
            // Nothing tells the rest apart: all the same chance.
            left.iter_mut().for_each(|(_, share)| *share = 1);
        }
        let total: u64 = left.iter().map(|(_, share)| share).sum();
        let place = pick(&left, scaled(draw(), total));
        planned.push(left.remove(place).0);
    }
    planned.extend(left.into_iter().map(|(at, _)| at));
}

/// The first measure by which the members of a tier can be told apart.
fn share_of(tier: &[(usize, Candidate)]) -> fn(&Candidate) -> u64 {
    let measures: [fn(&Candidate) -> u64; 3] = [
        |candidate| u64::from(candidate.weight.unwrap_or(0)),
        |candidate| candidate.rpm.unwrap_or(0).min(SHARE_MAX),
        |candidate| candidate.tpm.unwrap_or(0).min(SHARE_MAX),
    ];
    let usable = measures.into_iter().find(|share| tier.iter().any(|(_, c)| share(c) > 0));
    usable.unwrap_or(|_| 1)
}

/// The place of the member whose share covers `point`, which is below the total of all shares.
fn pick(left: &[(usize, u64)], point: u64) -> usize {
    let mut passed = 0;
    let covers = |(_, share): &(usize, u64)| {
        passed += share;
        point < passed
    };
    left.iter().position(covers).unwrap_or(0)
}

/// A uniform 64-bit number brought below `total`.
fn scaled(number: u64, total: u64) -> u64 {
    let product = (u128::from(number) * u128::from(total)) >> 64;
    u64::try_from(product).unwrap_or(0)
}

/// The largest share, 10¹²: a sum over sixteen million deployments stays within `u64`.
const SHARE_MAX: u64 = 1_000_000_000_000;

#[cfg(test)]
mod tests;
