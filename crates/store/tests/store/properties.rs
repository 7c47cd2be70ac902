//! Whatever happens in whatever order, each call has at most one entry and the sums are the
//! entries'.

use std::sync::atomic::{AtomicU64, Ordering};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tokio::task::JoinHandle;
use tollgate_domain::{Entry, OpenEntry};
use tollgate_store::{Ledger, LedgerSlot, OutputSoFar};

use crate::world::{NOW, World, attribution, entry, nanos, on_both, opening, quick};

/// How many calls one sequence has.
const CALLS: usize = 6;
/// How many sequences are tried on each engine.
const CASES: u32 = 24;

/// One thing that happens.
#[derive(Debug, Clone, Copy)]
enum Step {
    Open(usize),
    Progress(usize, u16),
    Close(usize, Option<u16>),
    Abandon(usize),
    Flush,
    /// The writer dies where it stands, perhaps within a transaction; then the next start.
    Crash,
}

fn step() -> impl Strategy<Value = Step> {
    let call = 0..CALLS;
    prop_oneof![
        4 => call.clone().prop_map(Step::Open),
        2 => (call.clone(), any::<u16>()).prop_map(|(call, cost)| Step::Progress(call, cost)),
        4 => (call.clone(), any::<Option<u16>>()).prop_map(|(call, cost)| Step::Close(call, cost)),
        1 => call.prop_map(Step::Abandon),
        2 => Just(Step::Flush),
        2 => Just(Step::Crash),
    ]
}

/// A gateway and what it must not have lost.
struct Gateway<'a> {
    world: &'a World,
    ledger: Ledger,
    task: JoinHandle<()>,
    /// The sequence's number, which makes its calls unlike those of others.
    case: u128,
    slots: [Option<LedgerSlot>; CALLS],
    opened: [bool; CALLS],
    /// Calls that opened since the last start; the crash that comes may take what was not flushed.
    recent: [bool; CALLS],
    /// Calls that are durably open or settled.
    durable: [bool; CALLS],
}

impl<'a> Gateway<'a> {
    fn start(world: &'a World, case: u128) -> Self {
        let (ledger, task) = world.ledger(quick());
        let (slots, opened, recent, durable) = Default::default();
        Self { world, ledger, task, case, slots, opened, recent, durable }
    }

    fn number(&self, call: usize) -> u128 {
        self.case * 100 + call as u128
    }

    fn entry(&self, call: usize, cost: Option<u16>) -> Entry {
        Entry {
            attribution: attribution(if call.is_multiple_of(2) { "even" } else { "odd" }),
            cost: cost.map(|cost| nanos(i64::from(cost))),
            ..entry(self.number(call))
        }
    }

    async fn take(&mut self, step: Step) {
        match step {
            Step::Open(call) if !self.opened[call] => {
                let opening = OpenEntry {
                    attribution: self.entry(call, None).attribution,
                    ..opening(self.number(call))
                };
                let mut slot = self.ledger.reserve().expect("a place");
                slot.open(opening);
                self.slots[call] = Some(slot);
                (self.opened[call], self.recent[call]) = (true, true);
            }
            Step::Progress(call, cost) => {
                if let Some(slot) = &self.slots[call] {
                    let cost = Some(nanos(i64::from(cost)));
                    slot.progress(OutputSoFar { deltas: 1, bytes: 9, cost });
                }
            }
            Step::Close(call, cost) => {
                if let Some(slot) = self.slots[call].take() {
                    slot.close(&self.entry(call, cost));
                }
            }
            Step::Abandon(call) => drop(self.slots[call].take()),
            Step::Flush => self.flush().await,
            Step::Crash => self.crash().await,
            Step::Open(_) => {}
        }
    }

    async fn flush(&mut self) {
        self.ledger.flush().await;
        for (durable, recent) in self.durable.iter_mut().zip(self.recent) {
            *durable |= recent;
        }
    }

    async fn crash(&mut self) {
        self.task.abort();
        let _ = (&mut self.task).await;
        (self.slots, self.recent) = Default::default();
        self.world.recover(None, NOW).await;
        (self.ledger, self.task) = self.world.ledger(quick());
    }
}

async fn run(world: &World, case: u128, steps: Vec<Step>) {
    let mut gateway = Gateway::start(world, case);
    for step in steps {
        gateway.take(step).await;
    }
    gateway.crash().await;
    for call in 0..CALLS {
        let found = world.db.entry(crate::world::call(gateway.number(call))).await;
        let settled = found.expect("entries").is_some();
        assert!(settled || !gateway.durable[call], "call {call} was durable and is lost");
        assert!(!settled || gateway.opened[call], "call {call} never was");
    }
    assert_eq!(world.count_openings().await, 0);
    assert_sums_are_the_entries(world).await;
}

/// Every sum equals that over the entries, which were written since the database was created.
async fn assert_sums_are_the_entries(world: &World) {
    let differing = "SELECT COUNT(*) FROM (\
         SELECT key_id AS subject, COUNT(*) AS entries, \
           CAST(COALESCE(SUM(cost_nanos), 0) AS BIGINT) AS cost, \
           COUNT(*) - COUNT(cost_nanos) AS unpriced, \
           CAST(COALESCE(SUM(output_milli), 0) AS BIGINT) AS output \
         FROM ledger_entries GROUP BY key_id) e \
         FULL OUTER JOIN (SELECT * FROM spend_quarter_hours WHERE kind = 'key') s \
         ON s.subject = e.subject \
         WHERE s.entries IS NULL OR e.entries IS NULL OR s.entries <> e.entries \
           OR s.cost_nanos <> e.cost OR s.unpriced <> e.unpriced OR s.output_milli <> e.output";
    assert_eq!(world.number(differing).await, 0, "sums per key differ from the entries");
    let total = world.count_entries().await;
    let all = "SELECT CAST(COALESCE(SUM(entries), 0) AS BIGINT) FROM spend_quarter_hours \
         WHERE kind = 'all'";
    assert_eq!(world.number(all).await, total);
}

#[test]
fn no_call_is_lost_or_counted_twice_by_any_sequence_of_crashes() {
    on_both(async |world| {
        let runtime = tokio::runtime::Handle::current();
        let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
        let case = AtomicU64::new(1);
        let sequences = prop::collection::vec(step(), 1..40);
        tokio::task::block_in_place(|| {
            let tried = TestRunner::new(config).run(&sequences, |steps| {
                let case = case.fetch_add(1, Ordering::Relaxed);
                runtime.block_on(run(&world, u128::from(case), steps));
                Ok(())
            });
            tried.expect("the law holds");
        });
    });
}
