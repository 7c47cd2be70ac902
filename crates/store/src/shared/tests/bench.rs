//! A Redis of a test's own, with this node's place on it and the counters that histories use.

use std::sync::Arc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use tollgate_domain::Timestamp;
use tollgate_policy::{Claim, Counter};
use tollgate_testkit::redis::TestRedis;

use crate::shared::scripts::{Answer, Joined, Joining, Names, Place, Settled, Told, kept};

/// The counters of a history. The last two start from zero, the others are seeded.
pub(super) const COUNTERS: [&str; 5] = ["ever", "day", "model", "minute", "calls"];
pub(super) const SEEDED: usize = 3;

/// How a node joins that lives.
pub(super) const JOINING: Joining =
    Joining { lease: Duration::from_secs(600), rebuild: Duration::ZERO, renew: false };

/// A server and this node's place on it.
pub(super) struct Bench {
    redis: TestRedis,
    pub(super) connection: MultiplexedConnection,
    pub(super) place: Place,
}

impl Bench {
    pub(super) async fn start() -> Self {
        let redis = TestRedis::start().await;
        let client = redis::Client::open(redis.url()).expect("a URL");
        let connection = client.get_multiplexed_async_connection().await.expect("a server");
        let names = Names { namespace: "test".to_owned(), node: "one".to_owned() };
        let mut bench = Self {
            redis,
            connection,
            place: Place { names: Arc::new(names), epoch: Arc::from("") },
        };
        bench.renew().await;
        bench
    }

    pub(super) fn url(&self) -> String {
        self.redis.url()
    }

    /// A new epoch, in which every counter is unknown.
    pub(super) async fn renew(&mut self) {
        let joined = self.join("one", Joining { renew: true, ..JOINING }).await;
        self.place.epoch = joined.epoch;
    }

    pub(super) async fn join(&mut self, node: &str, joining: Joining) -> Joined {
        let names = Names { namespace: "test".to_owned(), node: node.to_owned() };
        names.join(&mut self.connection, &joining).await.expect("it joins")
    }

    pub(super) async fn claim(&mut self, call: u64, claims: &[(usize, Claim)]) -> Answer {
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

    pub(super) async fn now_ms(&mut self) -> u64 {
        let time = redis::cmd("TIME").query_async(&mut self.connection).await;
        let (seconds, micros): (u64, u64) = time.expect("a time");
        seconds * 1_000 + micros / 1_000
    }

    pub(super) async fn seed(&mut self, at: usize, counter: Counter) {
        let seeds = [(COUNTERS[at], counter, Duration::from_secs(600))];
        let present = self.place.seed(&mut self.connection, &seeds).await.expect("an answer");
        assert!(present);
    }

    pub(super) async fn settle(&mut self, call: u64, used: &[i64]) {
        let settled = [Settled { call, used: used.to_vec() }];
        let present = self.place.settle(&mut self.connection, &settled).await.expect("an answer");
        assert!(present);
    }

    /// A counter as it stands, zero where there is none.
    pub(super) async fn counter(&mut self, at: usize) -> Counter {
        let key = format!("{{test}}:{}:counter:{}", self.place.epoch, COUNTERS[at]);
        let mut command = redis::cmd("HMGET");
        command.arg(key).arg(&["s", "u", "h"]);
        let [start, used, held]: [Option<i64>; 3] =
            command.query_async(&mut self.connection).await.expect("numbers");
        let or_zero = |number: Option<i64>| number.unwrap_or(0);
        Counter { start: or_zero(start), used: or_zero(used), held: or_zero(held) }
    }
}
