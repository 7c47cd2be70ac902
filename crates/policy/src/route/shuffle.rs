//! A random order in which each place is drawn in proportion to the shares of those left.

use crate::route::Candidate;

/// The indexes of the available candidates in the order to try them: tiers ascending, and within a
/// tier a random order in which each place is drawn in proportion to the share of those left.
///
/// A tier shares by `weight` if any of its candidates has one, else by `rpm`, else by `tpm`, else
/// evenly (runtime-semantics §7.3, without its dependence on who is listed first). A candidate
/// without a share is tried after those that have one. Only the first [`PLACES_DRAWN`] places of a
/// tier are drawn so; behind them the others follow from a random one on. `draw` gives uniform
/// 64-bit numbers.
pub fn plan(candidates: &[Candidate], draw: &mut dyn FnMut() -> u64) -> Vec<usize> {
    let mut planned: Vec<usize> =
        (0..candidates.len()).filter(|at| candidates[*at].available).collect();
    planned.sort_by_key(|at| candidates[*at].order);
    for tier in planned.chunk_by_mut(|a, b| candidates[*a].order == candidates[*b].order) {
        shuffle(tier, &|at| &candidates[at], draw);
    }
    planned
}

/// Orders the members of one tier, drawn by share without replacement.
pub(super) fn shuffle<'c>(
    tier: &mut [usize],
    candidate: &impl Fn(usize) -> &'c Candidate,
    draw: &mut dyn FnMut() -> u64,
) {
    let Some(share) = share_of(tier, candidate) else { return evenly(tier, draw) };
    let mut left: Vec<u64> = tier.iter().map(|at| share(candidate(*at))).collect();
    let mut total: u64 = left.iter().sum();
    let drawn = tier.len().min(PLACES_DRAWN);
    for place in 0..drawn {
        if total == 0 {
            // Nothing tells the rest apart: all the same chance.
            return evenly(&mut tier[place..], draw);
        }
        let picked = place + pick(&left[place..], below(draw(), total));
        total -= left[picked];
        to_front(&mut left[place..=picked]);
        to_front(&mut tier[place..=picked]);
    }
    from_any(&mut tier[drawn..], draw);
}

/// Brings the last one to the front; the others keep their order.
pub(super) fn to_front<T: Copy>(list: &mut [T]) {
    if let Some(last) = list.last().copied() {
        list.copy_within(..list.len() - 1, 1);
        list[0] = last;
    }
}

/// Has the members follow from a random one on.
pub(super) fn from_any(tail: &mut [usize], draw: &mut dyn FnMut() -> u64) {
    if tail.len() > 1 {
        tail.rotate_left(index_below(draw(), tail.len()));
    }
}

/// Orders the members, each with the same chance at each place.
fn evenly(tier: &mut [usize], draw: &mut dyn FnMut() -> u64) {
    let drawn = tier.len().saturating_sub(1).min(PLACES_DRAWN);
    for place in 0..drawn {
        let picked = place + index_below(draw(), tier.len() - place);
        to_front(&mut tier[place..=picked]);
    }
    from_any(&mut tier[drawn..], draw);
}

/// The first measure by which the members of a tier can be told apart.
fn share_of<'c>(
    tier: &[usize],
    candidate: &impl Fn(usize) -> &'c Candidate,
) -> Option<fn(&Candidate) -> u64> {
    let measures: [fn(&Candidate) -> u64; 3] = [
        |candidate| u64::from(candidate.weight.unwrap_or(0)),
        |candidate| candidate.rpm.unwrap_or(0).min(SHARE_MAX),
        |candidate| candidate.tpm.unwrap_or(0).min(SHARE_MAX),
    ];
    measures.into_iter().find(|share| tier.iter().any(|at| share(candidate(*at)) > 0))
}

/// The place of the member whose share covers `point`, which is below the total of all shares.
fn pick(left: &[u64], point: u64) -> usize {
    let mut passed = 0;
    let covers = |share: &u64| {
        passed += share;
        point < passed
    };
    left.iter().position(covers).unwrap_or(0)
}

/// A uniform 64-bit number brought below `total`.
pub(super) fn below(number: u64, total: u64) -> u64 {
    let product = (u128::from(number) * u128::from(total)) >> 64;
    u64::try_from(product).unwrap_or(0)
}

/// A uniform 64-bit number as an index of so many.
pub(super) fn index_below(number: u64, count: usize) -> usize {
    usize::try_from(below(number, count as u64)).unwrap_or(0)
}

/// How many places of a tier are drawn. Few calls ever get further, and drawing takes time for each
/// place.
pub(super) const PLACES_DRAWN: usize = 8;
/// The largest share, 10¹²: a sum over sixteen million deployments stays within `u64`.
const SHARE_MAX: u64 = 1_000_000_000_000;

#[cfg(test)]
pub(super) mod tests;
