//! Journeys, health and retry budgets together, in many small worlds made by seed.
//!
//! Each world has a few model groups, deployments that fail for a while in their own way, and a few
//! calls that meet them at overlapping times. Nothing here sleeps or asks a clock: the next thing
//! that happens is taken from the calls' own times. A failing seed says its number, and runs alone
//! by [`one_seed`].

mod call;
mod checks;
mod faults;
mod world;

use world::World;

/// Every seed up to this one is run.
const SEEDS: u64 = 10_000;

/// Runs one world, with what goes wrong told with its seed.
fn run(seed: u64) -> checks::Tally {
    let mut world = World::made_by(seed);
    world.run();
    world.tally()
}

#[test]
fn in_ten_thousand_worlds_nothing_happens_that_must_not() {
    let mut sum = checks::Tally::default();
    for seed in 0..SEEDS {
        sum.add(&run(seed));
    }
    // The worlds are worth something only if everything happens in them.
    sum.check_variety();
}

#[test]
fn one_seed_runs_alike_each_time() {
    assert_eq!(run(42), run(42));
}
