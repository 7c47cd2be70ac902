//! Random histories, step by step on Redis and beside it in `policy`.

use std::cell::RefCell;
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tollgate_domain::Timestamp;
use tollgate_policy::{Claim, Counter, Held, Over, Window, take};

use super::bench::{Bench, COUNTERS, SEEDED};
use crate::shared::scripts::Answer;

/// One step of a random history.
#[derive(Debug, Clone)]
enum Step {
    /// Claims of some counters, each with an amount and a cap.
    Claim(Vec<(usize, i64, Option<i64>)>),
    /// Settles the nth open call; without an amount it is given back.
    Settle(usize, Option<i64>),
    /// Settles again what was settled last.
    SettleAgain,
    /// The clock goes on, or is another node's, which is behind.
    Wait(i64),
}

/// Small amounts, those whose sums are about a limb, those about 2^53, where doubles end, and those
/// at the end of 64 bits.
fn amount() -> impl Strategy<Value = i64> {
    const DOUBLES_END: i64 = 1 << 53;
    prop_oneof![
        6 => 0..50_i64,
        3 => (1..5_i64, -1..=1_i64).prop_map(|(halves, off)| halves * 500_000_000 + off),
        2 => (DOUBLES_END - 3)..(DOUBLES_END + 4),
        1 => (i64::MAX - 3)..=i64::MAX,
    ]
}

fn cap() -> impl Strategy<Value = Option<i64>> {
    prop_oneof![1 => Just(None), 8 => amount().prop_map(Some), 1 => (-9..0_i64).prop_map(Some),
        1 => Just(Some(-1_000_000_000))]
}

fn step() -> impl Strategy<Value = Step> {
    let claims = prop::collection::vec((0..COUNTERS.len(), amount(), cap()), 1..5);
    prop_oneof![
        5 => claims.prop_map(Step::Claim),
        3 => (any::<usize>(), prop::option::of(amount()))
            .prop_map(|(nth, used)| Step::Settle(nth, used)),
        1 => Just(Step::SettleAgain),
        1 => (-30..90_i64).prop_map(Step::Wait),
    ]
}

/// A seed may be anything that a sum of a ledger with corrections can be.
fn seeds() -> impl Strategy<Value = [i64; SEEDED]> {
    let seed = prop_oneof![4 => Just(0), 2 => amount(), 1 => -2_000_000_000..0_i64,
        1 => Just(-1_000_000_000),
        1 => Just(i64::MIN)];
    prop::collection::vec(seed, SEEDED).prop_map(|seeds| [seeds[0], seeds[1], seeds[2]])
}

/// The window that a counter has at a second.
pub(super) fn window(at: usize, second: i64) -> Window {
    let instant = |second: i64| Timestamp::from_micros(second * 1_000_000);
    match COUNTERS[at] {
        "day" => {
            let start = second.div_euclid(100) * 100;
            Window::Between(instant(start), instant(start + 100))
        }
        "minute" => Window::Opened { now: instant(second), length: Duration::from_secs(60) },
        _ => Window::Forever,
    }
}

/// `policy`'s counters, and the calls that hold of them.
struct Model {
    counters: [Counter; COUNTERS.len()],
    known: [bool; COUNTERS.len()],
    seeds: [i64; SEEDED],
    open: Vec<(u64, Vec<(usize, Held)>)>,
    settled: Option<(u64, Vec<i64>)>,
    calls: u64,
    second: i64,
}

impl Model {
    fn new(seeds: [i64; SEEDED]) -> Self {
        Self {
            counters: [Counter::default(); COUNTERS.len()],
            known: std::array::from_fn(|at| at >= SEEDED),
            seeds,
            open: Vec::new(),
            settled: None,
            calls: 0,
            second: 10_000,
        }
    }

    async fn step(&mut self, bench: &mut Bench, step: Step) -> Result<(), TestCaseError> {
        match step {
            Step::Wait(seconds) => self.second += seconds,
            Step::Claim(wishes) => self.claim(bench, &distinct(wishes)).await?,
            Step::Settle(nth, used) if !self.open.is_empty() => {
                let (call, held) = self.open.swap_remove(nth % self.open.len());
                for (at, held) in &held {
                    self.counters[*at].settle(*held, used.unwrap_or(0));
                }
                let used: Vec<i64> = used.map(|used| vec![used; held.len()]).unwrap_or_default();
                bench.settle(call, &used).await;
                self.settled = Some((call, used));
            }
            Step::SettleAgain => {
                if let Some((call, used)) = &self.settled {
                    bench.settle(*call, used).await;
                }
            }
            Step::Settle(..) => {}
        }
        for (at, name) in COUNTERS.iter().enumerate() {
            if self.known[at] {
                prop_assert_eq!(bench.counter(at).await, self.counters[at], "{}", name);
            }
        }
        Ok(())
    }

    async fn claim(
        &mut self,
        bench: &mut Bench,
        wishes: &[(usize, i64, Option<i64>)],
    ) -> Result<(), TestCaseError> {
        let second = self.second;
        let claims = wishes
            .iter()
            .map(|&(at, amount, cap)| (at, Claim { amount, cap, window: window(at, second) }));
        let claims: Vec<(usize, Claim)> = claims.collect();
        self.calls += 1;
        let unknown: Vec<usize> =
            (0..claims.len()).filter(|place| !self.known[claims[*place].0]).collect();
        if !unknown.is_empty() {
            prop_assert_eq!(bench.claim(self.calls, &claims).await, Answer::Unknown(unknown));
            for (at, claim) in claims.iter().filter(|(at, _)| *at < SEEDED) {
                self.seed(bench, *at, &claim.window).await;
            }
        }
        let answer = bench.claim(self.calls, &claims).await;
        let mut counters: Vec<Counter> = claims.iter().map(|(at, _)| self.counters[*at]).collect();
        let only: Vec<Claim> = claims.iter().map(|(_, claim)| *claim).collect();
        let mut borrowed: Vec<&mut Counter> = counters.iter_mut().collect();
        let expected = take(&mut borrowed, &only);
        for ((at, _), counter) in claims.iter().zip(&counters) {
            self.counters[*at] = *counter;
        }
        match expected {
            Ok(held) => {
                prop_assert_eq!(answer, Answer::Held(counters));
                self.open.push((self.calls, claims.iter().map(|(at, _)| *at).zip(held).collect()));
            }
            Err(Over { index, used, held, .. }) => {
                let counter = Counter { start: counters[index].start, used, held };
                prop_assert_eq!(answer, Answer::Over(index, counter));
            }
        }
        Ok(())
    }

    async fn seed(&mut self, bench: &mut Bench, at: usize, window: &Window) {
        let start = match window {
            Window::Between(start, _) => start.micros(),
            Window::Forever | Window::Opened { .. } => 0,
        };
        let seed = Counter::new(start, self.seeds[at]);
        bench.seed(at, seed).await;
        if !self.known[at] {
            self.counters[at] = seed;
            self.known[at] = true;
        }
    }
}

/// The first wish for each counter, in their order.
fn distinct(wishes: Vec<(usize, i64, Option<i64>)>) -> Vec<(usize, i64, Option<i64>)> {
    let mut first: Vec<(usize, i64, Option<i64>)> = Vec::new();
    for wish in wishes {
        if first.iter().all(|(at, ..)| *at != wish.0) {
            first.push(wish);
        }
    }
    first
}

/// Whatever happens, the scripts answer as `policy` decides and leave the counters that it leaves.
#[test]
fn the_scripts_answer_every_step_as_policy_does() {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(2).enable_all().build().expect("a runtime");
    let bench = RefCell::new(runtime.block_on(Bench::start()));
    let histories = (seeds(), prop::collection::vec(step(), 1..60));
    let mut runner = TestRunner::new(Config { cases: 96, ..Config::default() });
    runner
        .run(&histories, |(seeds, steps)| {
            let mut bench = bench.borrow_mut();
            runtime.block_on(async {
                bench.renew().await;
                let mut model = Model::new(seeds);
                for step in steps {
                    model.step(&mut bench, step).await?;
                }
                Ok(())
            })
        })
        .expect("the same answers");
}
