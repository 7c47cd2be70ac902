//! The scripts on a real Redis.

mod bench;
mod history;

use std::sync::Arc;
use std::time::Duration;

use tollgate_domain::{Clock, Secret, Ticks, Timestamp};
use tollgate_policy::{Claim, Counter, Window};
use tollgate_testkit::patience::eventually;

use super::scripts::{Answer, Joining, Settled, Told};
use super::{SharedCounters, SharedOptions};
use bench::{Bench, JOINING};
use history::window;

fn on_a_runtime<F: Future<Output = ()>>(test: impl FnOnce() -> F) {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(test());
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
        bench.settle(8, &[]).await;
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
fn what_calls_used_just_before_the_seed_counts_because_the_ledger_may_lack_it() {
    on_a_runtime(async || {
        let mut bench = Bench::start().await;
        let one = |call| [(call, vec![("ever", 0, 30), ("day", 0, 30)])];
        for call in [1, 2, 3] {
            let present = bench.place.announce(&mut bench.connection, &one(call)).await;
            assert!(present.expect("an answer"));
        }
        bench.settle(1, &[5, 5]).await;
        bench.settle(2, &[6, 6]).await;
        bench.seed(0, Counter::new(0, 100)).await;
        assert_eq!(bench.counter(0).await, Counter { start: 0, used: 111, held: 30 });
        // Later the ledger has it.
        let settled_at = bench.now_ms().await;
        eventually("some time to pass", async {
            while bench.now_ms().await < settled_at + 500 {
                tokio::task::yield_now().await;
            }
        })
        .await;
        bench.settle(3, &[7, 7]).await;
        bench.seed(1, Counter::new(0, 111)).await;
        assert_eq!(bench.counter(1).await, Counter::new(0, 118));
        assert_eq!(bench.counter(0).await, Counter::new(0, 118));
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
        // What it used meanwhile is known to the ledger alone, which is asked a moment later.
        assert_eq!(bench.claim(2, &[(0, forever(1, 100))]).await, Answer::Unknown(vec![0]));
        bench.seed(0, Counter::new(0, 5)).await;
        bench.settle(1, &[20]).await;
        assert_eq!(bench.counter(0).await, Counter::new(0, 25));
    });
}

#[test]
fn a_claim_that_arrives_after_everybody_gave_it_up_is_given_back() {
    on_a_runtime(async || {
        let mut bench = Bench::start().await;
        let beat = Duration::from_millis(5);
        let url = Secret::new(bench.url());
        let options = SharedOptions { beat, ..SharedOptions::new(url, "test", "one", 10) };
        let clock = Arc::new(StandingClock);
        let (counters, task) = SharedCounters::start(options, clock).expect("a URL");
        let task = tokio::spawn(task.run());
        counters.settled_in().await;
        bench.seed(0, Counter::default()).await;
        assert_eq!(bench.claim(1 << 40, &[(0, forever(30, 100))]).await, held(0, 30));
        eventually("an audit", async {
            while bench.counter(0).await.held > 0 {
                tokio::task::yield_now().await;
            }
        })
        .await;
        counters.stop();
        eventually("the end of the task", task).await.expect("no panic");
    });
}

struct StandingClock;

impl Clock for StandingClock {
    fn now(&self) -> Timestamp {
        Timestamp::EPOCH
    }

    fn ticks(&self) -> Ticks {
        Ticks::from_nanos(0)
    }
}

#[test]
fn a_new_epoch_is_rebuilt_for_a_while_and_another_server_begins_one() {
    on_a_runtime(async || {
        let mut bench = Bench::start().await;
        let slow = Joining { rebuild: Duration::from_secs(60), ..JOINING };
        assert_eq!(bench.join("two", slow).await.epoch, bench.place.epoch);
        // As a server finds it that was started again with what another had saved.
        let mut other = redis::cmd("HSET");
        other.arg("{test}:epoch").arg("server").arg("another");
        let changed: i64 = other.query_async(&mut bench.connection).await.expect("a number");
        assert_eq!(changed, 0, "it was there");
        let joined = bench.join("one", slow).await;
        assert_ne!(joined.epoch, bench.place.epoch);
        assert!(joined.ready_in > slow.rebuild / 2 && joined.ready_in <= slow.rebuild);
        assert_eq!(bench.join("two", JOINING).await.epoch, joined.epoch);
        bench.place.epoch = joined.epoch;
        let told = Told {
            counter: "calls",
            claim: forever(1, 1),
            from_zero: true,
            kept: Duration::from_secs(60),
        };
        let answer = bench.place.claim(&mut bench.connection, 1, &[told]).await;
        assert!(matches!(answer, Ok(Answer::Wait(wait)) if wait > slow.rebuild / 2));
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
