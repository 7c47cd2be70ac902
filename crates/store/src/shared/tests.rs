//! The scripts on a real Redis, step by step beside `policy`.

use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use redis::aio::MultiplexedConnection;
use tollgate_domain::Timestamp;
use tollgate_policy::{Claim, Counter, Held, Over, Window, take};
use tollgate_testkit::patience::eventually;
use tollgate_testkit::redis::TestRedis;

use super::scripts::{Answer, Joined, Joining, Names, Place, Settled, Told, kept};
use super::*;

/// The counters of a history. The last two start from zero, the others are seeded.
const COUNTERS: [&str; 5] = ["ever", "day", "model", "minute", "calls"];
const SEEDED: usize = 3;

/// How a node joins that lives.
const JOINING: Joining<'_> =
    Joining { lease: Duration::from_secs(600), rebuild: Duration::ZERO, renew: false, server: "" };

/// A server and this node's place on it.
struct Bench {
    _redis: TestRedis,
    connection: MultiplexedConnection,
    place: Place,
}

impl Bench {
    async fn start() -> Self {
        let redis = TestRedis::start().await;
        let client = redis::Client::open(redis.url()).expect("a URL");
        let connection = client.get_multiplexed_async_connection().await.expect("a server");
        let names = Names { namespace: "test".to_owned(), node: "one".to_owned() };
        let mut bench = Self {
            _redis: redis,
            connection,
            place: Place { names: Arc::new(names), epoch: Arc::from("") },
        };
        bench.renew().await;
        bench
    }

    /// A new epoch, in which every counter is unknown.
    async fn renew(&mut self) {
        let joined = self.join("one", Joining { renew: true, ..JOINING }).await;
        self.place.epoch = joined.epoch;
    }

    async fn join(&mut self, node: &str, joining: Joining<'_>) -> Joined {
        let names = Names { namespace: "test".to_owned(), node: node.to_owned() };
        names.join(&mut self.connection, &joining).await.expect("it joins")
    }

    async fn claim(&mut self, call: u64, claims: &[(usize, Claim)]) -> Answer {
        let told = claims.iter().map(|(at, claim)| Told {
            counter: COUNTERS[*at],
            claim: *claim,
            from_zero: *at >= SEEDED,
            kept: kept(&claim.window, Timestamp::from_micros(0)),
        });
        let told: Vec<Told<'_>> = told.collect();
        loop {
            match self.place.claim(&mut self.connection, call, &told).await.expect("an answer") {
                Answer::Wait(_) => tokio::task::yield_now().await,
                answer => return answer,
            }
        }
    }

    async fn seed(&mut self, at: usize, counter: Counter) {
        let seeds = [(COUNTERS[at], counter, Duration::from_secs(600))];
        let present = self.place.seed(&mut self.connection, &seeds).await.expect("an answer");
        assert!(present);
    }

    async fn settle(&mut self, call: u64, used: &[i64]) {
        let settled = [Settled { call, used: used.to_vec() }];
        let present = self.place.settle(&mut self.connection, &settled).await.expect("an answer");
        assert!(present);
    }

    /// A counter as it stands, zero where there is none.
    async fn counter(&mut self, at: usize) -> Counter {
        let key = format!("{{test}}:{}:counter:{}", self.place.epoch, COUNTERS[at]);
        let mut command = redis::cmd("HMGET");
        command.arg(key).arg(&["s", "u", "h"]);
        let [start, used, held]: [Option<i64>; 3] =
            command.query_async(&mut self.connection).await.expect("numbers");
        let or_zero = |number: Option<i64>| number.unwrap_or(0);
        Counter { start: or_zero(start), used: or_zero(used), held: or_zero(held) }
    }
}

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

/// Small amounts, those about 2^53, where doubles end, and those at the end of 64 bits.
fn amount() -> impl Strategy<Value = i64> {
    const DOUBLES_END: i64 = 1 << 53;
    prop_oneof![
        6 => 0..50_i64,
        1 => 999_999_990..1_000_000_010_i64,
        2 => (DOUBLES_END - 3)..(DOUBLES_END + 4),
        1 => (i64::MAX - 3)..=i64::MAX,
    ]
}

fn cap() -> impl Strategy<Value = Option<i64>> {
    prop_oneof![1 => Just(None), 8 => amount().prop_map(Some), 1 => (-9..0_i64).prop_map(Some)]
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
        1 => Just(i64::MIN)];
    prop::collection::vec(seed, SEEDED).prop_map(|seeds| [seeds[0], seeds[1], seeds[2]])
}

/// The window that a counter has at a second.
fn window(at: usize, second: i64) -> Window {
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
        for at in 0..COUNTERS.len() {
            if self.known[at] {
                prop_assert_eq!(bench.counter(at).await, self.counters[at], "{}", COUNTERS[at]);
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

fn on_a_runtime<F: Future<Output = ()>>(test: impl FnOnce() -> F) {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(test());
}

/// Whatever happens, the scripts answer as `policy` decides and leave the counters that it leaves.
#[test]
fn the_scripts_answer_every_step_as_policy_does() {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(2).enable_all().build().expect("a runtime");
    let bench = std::cell::RefCell::new(runtime.block_on(Bench::start()));
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

const fn forever(amount: i64, cap: i64) -> Claim {
    Claim { amount, cap: Some(cap), window: Window::Forever }
}

fn held(used: i64, held: i64) -> Answer {
    Answer::Held(vec![Counter { start: 0, used, held }])
}

#[test]
fn amounts_are_exact_where_doubles_are_not_and_at_the_end_of_64_bits() {
    on_a_runtime(async || {
        let mut bench = Bench::start().await;
        let odd = (1 << 53) + 1;
        bench.seed(0, Counter::new(0, odd)).await;
        let over = bench.claim(1, &[(0, forever(2, odd + 1))]).await;
        assert_eq!(over, Answer::Over(0, Counter { start: 0, used: odd, held: 0 }));
        assert_eq!(bench.claim(2, &[(0, forever(1, odd + 1))]).await, held(odd, 1));
        bench.settle(2, &[1]).await;
        assert_eq!(bench.counter(0).await, Counter::new(0, odd + 1));

        bench.seed(1, Counter::new(0, i64::MAX - 1)).await;
        let most = i64::MAX;
        assert_eq!(bench.claim(3, &[(1, forever(1, most))]).await, held(most - 1, 1));
        assert!(matches!(bench.claim(4, &[(1, forever(1, most))]).await, Answer::Over(0, _)));
        bench.settle(3, &[most]).await;
        assert_eq!(bench.counter(1).await, Counter::new(0, most), "it is held at the largest");

        bench.seed(2, Counter::new(0, i64::MIN)).await;
        assert_eq!(bench.claim(5, &[(2, forever(most, 0))]).await, held(i64::MIN, most));
    });
}

#[test]
fn what_calls_hold_already_is_held_beside_what_the_ledger_says() {
    on_a_runtime(async || {
        let mut bench = Bench::start().await;
        let calls = [(7, vec![("ever", 0, 30), ("day", 5, 40)]), (8, vec![("ever", 0, 12)])];
        for _ in 0..2 {
            let present = bench.place.announce(&mut bench.connection, &calls).await;
            assert!(present.expect("an answer"), "told twice, held once");
        }
        assert_eq!(bench.claim(1, &[(0, forever(1, 100))]).await, Answer::Unknown(vec![0]));
        bench.settle(8, &[12]).await;
        bench.seed(0, Counter::new(0, 50)).await;
        assert_eq!(bench.claim(1, &[(0, forever(20, 100))]).await, held(50, 50));
        // The call of another day was admitted a moment after the ledger was asked.
        bench.seed(1, Counter::new(3, 77)).await;
        assert_eq!(bench.counter(1).await, Counter { start: 5, used: 0, held: 40 });
        bench.settle(7, &[25, 35]).await;
        assert_eq!(bench.counter(0).await, Counter { start: 0, used: 75, held: 20 });
        assert_eq!(bench.counter(1).await, Counter::new(5, 35));
    });
}

#[test]
fn a_node_that_was_silent_for_too_long_holds_again_what_its_calls_hold() {
    on_a_runtime(async || {
        let mut bench = Bench::start().await;
        bench.seed(0, Counter::default()).await;
        assert_eq!(bench.claim(1, &[(0, forever(30, 100))]).await, held(0, 30));
        let ending = Joining { lease: Duration::from_millis(1), ..JOINING };
        assert!(bench.join("one", ending).await.kept, "its lease had not ended before");
        eventually("the end of the lease", async {
            while bench.join("two", JOINING).await.nodes > 1 || bench.counter(0).await.held > 0 {
                tokio::task::yield_now().await;
            }
        })
        .await;
        assert_eq!(bench.claim(2, &[(0, forever(1, 100))]).await, Answer::Lost);
        let joined = bench.join("one", JOINING).await;
        assert_eq!((joined.kept, joined.nodes), (false, 2));
        let calls = [(1, vec![("ever", 0, 30)])];
        assert!(bench.place.announce(&mut bench.connection, &calls).await.expect("an answer"));
        assert_eq!(bench.counter(0).await.held, 30);
        bench.settle(1, &[20]).await;
        assert_eq!(bench.counter(0).await, Counter::new(0, 20));
    });
}

#[test]
fn a_new_epoch_is_rebuilt_for_a_while_and_another_server_begins_one() {
    on_a_runtime(async || {
        let mut bench = Bench::start().await;
        let slow = Duration::from_secs(60);
        let server = Joining { rebuild: slow, server: "a", ..JOINING };
        let joined = bench.join("one", server).await;
        assert_ne!(joined.epoch, bench.place.epoch);
        assert!(joined.ready_in > slow / 2 && joined.ready_in <= slow, "{joined:?}");
        for same in [server, Joining { server: "", ..JOINING }] {
            assert_eq!(bench.join("two", same).await.epoch, joined.epoch);
        }
        bench.place.epoch = joined.epoch;
        let told = Told {
            counter: "calls",
            claim: forever(1, 1),
            from_zero: true,
            kept: Duration::from_secs(60),
        };
        let answer = bench.place.claim(&mut bench.connection, 1, &[told]).await;
        assert!(matches!(answer, Ok(Answer::Wait(wait)) if wait > slow / 2));
    });
}

#[test]
fn a_node_of_another_epoch_is_told_to_join_again() {
    on_a_runtime(async || {
        let mut bench = Bench::start().await;
        let before = bench.place.clone();
        bench.renew().await;
        let told = Told {
            counter: "calls",
            claim: forever(1, 1),
            from_zero: true,
            kept: Duration::from_secs(60),
        };
        let connection = &mut bench.connection;
        let answer = before.claim(connection, 1, &[told]).await.expect("an answer");
        assert_eq!(answer, Answer::Lost);
        let settled = [Settled { call: 1, used: vec![] }];
        assert!(!before.settle(connection, &settled).await.expect("an answer"));
        assert!(!before.announce(connection, &[]).await.expect("an answer"));
        assert!(!before.seed(connection, &[]).await.expect("an answer"));
    });
}

#[test]
fn every_key_expires_and_all_live_in_one_slot() {
    on_a_runtime(async || {
        let mut bench = Bench::start().await;
        bench.seed(0, Counter::default()).await;
        let claims = [(0, forever(1, 9)), (3, Claim { window: window(3, 600), ..forever(1, 9) })];
        assert!(matches!(bench.claim(1, &claims).await, Answer::Held(_)));
        let keys: Vec<String> =
            redis::cmd("KEYS").arg("*").query_async(&mut bench.connection).await.expect("keys");
        assert_eq!(keys.len(), 5, "{keys:?}");
        for key in keys {
            assert!(key.starts_with("{test}:"), "{key}");
            let kept: i64 =
                redis::cmd("PTTL").arg(&key).query_async(&mut bench.connection).await.expect("it");
            // One epoch and one list of nodes stay; neither grows with the traffic.
            let stays = key == "{test}:epoch" || key == "{test}:nodes";
            assert_eq!(kept < 0, stays, "{key}: {kept}");
        }
    });
}
