//! The order of the deployments of one tier, by strategy.

use crate::route::shuffle::{PLACES_DRAWN, from_any, index_below, shuffle};
use crate::route::{Contender, Load, Strategy};

/// Orders the members of a tier, which are all ready.
pub(super) fn order(
    tier: &mut [usize],
    contenders: &[Contender<'_>],
    strategy: Strategy,
    draw: &mut dyn FnMut() -> u64,
) {
    if tier.len() < 2 {
        return;
    }
    let key: fn(&Contender<'_>) -> u64 = match strategy {
        Strategy::SimpleShuffle => return share(tier, contenders, draw),
        Strategy::LatencyBased => return better_of_two(tier, contenders, draw),
        Strategy::LeastBusy => |contender| u64::from(contender.load.in_flight),
        Strategy::UsageBased => |contender| contender.load.tokens,
        // A price that nobody knows is no low one.
        Strategy::CostBased => |contender| contender.price_picos.unwrap_or(u64::MAX),
    };
    let mut keyed: Vec<(u64, usize)> = tier.iter().map(|at| (key(&contenders[*at]), *at)).collect();
    keyed.sort_unstable();
    tier.iter_mut().zip(&keyed).for_each(|(place, (_, at))| *place = *at);
    // Those that the strategy does not tell apart share by weight.
    let mut place = 0;
    while place < tier.len().min(PLACES_DRAWN) {
        let alike = keyed[place..].iter().take_while(|(key, _)| *key == keyed[place].0).count();
        share(&mut tier[place..place + alike], contenders, draw);
        place += alike;
    }
}

fn share(tier: &mut [usize], contenders: &[Contender<'_>], draw: &mut dyn FnMut() -> u64) {
    if tier.len() > 1 {
        shuffle(tier, &|at| &contenders[at].candidate, draw);
    }
}

/// Each place goes to the better of two of those left, drawn at random: near the best without all
/// calls meeting there.
fn better_of_two(tier: &mut [usize], contenders: &[Contender<'_>], draw: &mut dyn FnMut() -> u64) {
    let drawn = (tier.len() - 1).min(PLACES_DRAWN);
    for place in 0..drawn {
        let left = &tier[place..];
        let number = draw();
        let one = index_below(number, left.len());
        let step = 1 + index_below(number.rotate_left(32), left.len() - 1);
        let other = if one + step < left.len() { one + step } else { one + step - left.len() };
        let wait = |at: usize| expected_wait(&contenders[left[at]].load);
        let better = if wait(other) < wait(one) { other } else { one };
        tier.swap(place, place + better);
    }
    from_any(&mut tier[drawn..], draw);
}

/// How long an answer may take there, in microseconds: the latency once for each call under way and
/// for this one. A deployment that was never called is called once to find out.
fn expected_wait(load: &Load) -> u64 {
    let calls = u64::from(load.in_flight);
    match load.latency_micros {
        Some(micros) => micros.saturating_mul(calls + 1),
        None => UNSEEN_MICROS.saturating_mul(calls),
    }
}

/// What a first call under way counts for while nobody knows how long it takes: an hour.
const UNSEEN_MICROS: u64 = 3_600_000_000;
