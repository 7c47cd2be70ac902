//! Counters that nodes share: many nodes, nodes that die, and Redis lost and found.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use tokio::task::JoinHandle;
use tollgate_domain::{Clock as _, Entry, KeyHash, Level, Secret};
use tollgate_policy::{Calendar, Demand, Measure, Used};
use tollgate_store::{
    ClaimError, Claims, KeyDirectory, KeyRow, LimitFields, SharedCounters, SharedOptions, WhileAway,
};
use tollgate_testkit::patience::{eventually, until};
use tollgate_testkit::redis::TestRedis;

use crate::keys::key;
use crate::world::{ManualClock, World, entry, nanos, on_both, quick, record};

/// How often the nodes of these tests say that they live.
const BEAT: Duration = Duration::from_millis(20);

/// One of several gateways on the same database and the same Redis.
struct Node {
    directory: Arc<KeyDirectory>,
    counters: SharedCounters,
    task: JoinHandle<()>,
    clock: Arc<ManualClock>,
}

impl Node {
    /// A node that has joined.
    async fn start(world: &World, redis: &TestRedis, name: &str) -> Self {
        Self::with(world, options(redis, name)).await
    }

    async fn with(world: &World, options: SharedOptions) -> Self {
        let clock = Arc::new(ManualClock::default());
        let (counters, task) = SharedCounters::start(options, clock.clone()).expect("a URL");
        let task = tokio::spawn(task.run());
        eventually("a node's start", counters.settled_in()).await;
        let calendar = Arc::new(Calendar::default());
        let directory = KeyDirectory::new(world.db.clone(), 100, clock.clone(), calendar)
            .with_shared(counters.clone());
        Self { directory: Arc::new(directory), counters, task, clock }
    }

    async fn call(&self, most: i64) -> Result<Claims, ClaimError> {
        let record = self.directory.find(&KeyHash::of("key-1")).await.expect("keys");
        let chain = self.directory.chain(&record.expect("a key")).await.expect("a chain");
        let demand = Demand { money: nanos(most), tokens: 10 };
        self.directory.claim(&chain, &["gpt-4o"], &demand, self.clock.now()).await
    }

    /// The used and held that a claim of everything is refused with; nothing while Redis is away.
    async fn look(&self) -> Option<(i64, i64)> {
        match self.call(i64::MAX).await {
            Err(ClaimError::Exceeded(exceeded)) => {
                assert_eq!(exceeded.tally.measure, Measure::Money);
                assert_eq!(exceeded.level.subject.level, Level::Key);
                Some((exceeded.over.used, exceeded.over.held))
            }
            Err(ClaimError::CountersAway) => None,
            other => panic!("no budget affords everything: {other:?}"),
        }
    }

    async fn money(&self) -> (i64, i64) {
        self.look().await.expect("Redis is there")
    }

    /// Waits until the counter stands so.
    async fn money_becomes(&self, money: (i64, i64)) {
        until(&format!("{money:?} used and held"), || async {
            (self.look().await == Some(money)).then_some(())
        })
        .await;
    }

    async fn sees_nodes(&self, count: u32) {
        until("the other nodes", || async {
            (self.counters.health().nodes == count).then_some(())
        })
        .await;
    }

    async fn is_away(&self, away: bool) {
        until("a change of Redis", || async {
            (self.counters.health().failing_since.is_some() == away).then_some(())
        })
        .await;
    }

    /// Dies as a process does that is killed: nothing is settled or given back.
    fn die(self, held: Claims) {
        self.task.abort();
        std::mem::forget(held);
    }
}

fn options(redis: &TestRedis, name: &str) -> SharedOptions {
    SharedOptions {
        beat: BEAT,
        lease: Duration::from_secs(60),
        rebuild: 4 * BEAT,
        answer_within: Duration::from_secs(20),
        ..SharedOptions::new(Secret::new(redis.url()), "test", name, 2_000)
    }
}

const fn cost(count: i64) -> Used {
    Used { cost: nanos(count), tokens: 3 }
}

/// Runs a test on both databases, with a key that may spend so much and a Redis of its own.
fn with_budget<F: Future<Output = ()>>(cap: i64, test: impl Fn(Arc<World>, TestRedis) -> F + Copy) {
    on_both(async |world| {
        let limits = LimitFields { max_budget: Some(nanos(cap)), ..LimitFields::default() };
        let row = KeyRow { limits, ..key("key-1") };
        world.edit().insert_key(&row).await.expect("a new key");
        test(Arc::new(world), TestRedis::start().await).await;
    });
}

/// Records calls of the key that cost 250 nano-dollars each.
async fn spend_in_ledger(world: &World, calls: std::ops::Range<u128>) {
    let (ledger, _task) = world.ledger(quick());
    record(&ledger, calls.map(|number| Entry { ..entry(number) }));
    ledger.flush().await;
}

#[test]
fn what_is_waived_on_one_node_counts_no_more_on_any() {
    with_budget(1_000, async |world, redis| {
        spend_in_ledger(&world, 1..2).await;
        let one = Node::start(&world, &redis, "one").await;
        let other = Node::start(&world, &redis, "other").await;
        let held = other.call(100).await.expect("it fits");
        assert_eq!((one.money().await, other.money().await), ((250, 100), (250, 100)));
        let found = one.directory.find(&KeyHash::of("key-1")).await.expect("keys");
        let record = found.expect("a key");
        one.directory.waive(world.edit(), &record.own, nanos(20), "w").await.expect("waived");
        one.money_becomes((20, 100)).await;
        other.money_becomes((20, 100)).await;
        held.settle(&Used { cost: nanos(70), tokens: 3 });
        one.money_becomes((90, 0)).await;
    });
}

#[test]
fn two_nodes_race_five_hundred_calls_for_a_budget_of_a_hundred_and_a_hundred_pass() {
    with_budget(700, async |world, redis| {
        let nodes =
            [Node::start(&world, &redis, "one").await, Node::start(&world, &redis, "two").await];
        let nodes: [Arc<Node>; 2] = nodes.map(Arc::new);
        let call = |number: usize| {
            let node = Arc::clone(&nodes[number % 2]);
            tokio::spawn(async move { node.call(7).await })
        };
        let calls: Vec<_> = (0..500).map(call).collect();
        let mut held = Vec::new();
        for call in calls {
            match call.await.expect("no panic") {
                Ok(claims) => held.push(claims),
                Err(ClaimError::Exceeded(exceeded)) => assert_eq!(exceeded.over.held, 700),
                Err(other) => panic!("{other:?}"),
            }
        }
        assert_eq!(held.len(), 100);
        assert!(held.iter().all(|claims| claims.money() == nanos(7)));
        for (number, claims) in held.into_iter().enumerate() {
            if number % 2 == 0 { claims.settle(&cost(5)) } else { drop(claims) }
        }
        for node in &nodes {
            node.money_becomes((250, 0)).await;
        }
    });
}

#[test]
fn an_unknown_counter_begins_with_what_the_ledger_says() {
    with_budget(600, async |world, redis| {
        spend_in_ledger(&world, 1..3).await;
        let (one, two) =
            (Node::start(&world, &redis, "one").await, Node::start(&world, &redis, "two").await);
        assert_eq!(one.money().await, (500, 0));
        let held = two.call(100).await.expect("it fits exactly");
        assert_eq!(one.money().await, (500, 100));
        held.settle(&cost(40));
        one.money_becomes((540, 0)).await;
    });
}

#[test]
fn what_a_dead_node_holds_is_given_back_once_and_only_after_its_lease() {
    with_budget(100, async |world, redis| {
        let short = Duration::from_millis(300);
        let dying = SharedOptions { lease: short, ..options(&redis, "one") };
        let dying = Node::with(&world, dying).await;
        let two = Node::start(&world, &redis, "two").await;
        let kept = two.call(25).await.expect("it fits");
        let held = dying.call(60).await.expect("it fits");
        // For as long as it lives its lease is renewed, however short.
        assert_eq!(two.money().await, (0, 85));
        dying.die(held);
        // It starts again at once, as another: what it held is not its own any more.
        let one = Node::start(&world, &redis, "one again").await;
        let again = one.call(10).await.expect("it fits");
        two.money_becomes((0, 35)).await;
        for _ in 0..20 {
            assert_eq!(two.money().await, (0, 35));
        }
        kept.settle(&cost(1));
        again.settle(&cost(2));
        two.money_becomes((3, 0)).await;
    });
}

#[test]
fn what_a_dead_node_used_and_did_not_tell_is_found_in_the_ledger() {
    with_budget(1_000, async |world, redis| {
        let dying = SharedOptions { lease: Duration::from_millis(300), ..options(&redis, "one") };
        let dying = Node::with(&world, dying).await;
        let two = Node::start(&world, &redis, "two").await;
        let held = dying.call(300).await.expect("it fits");
        let kept = two.call(100).await.expect("it fits");
        dying.die(held);
        spend_in_ledger(&world, 1..2).await;
        two.money_becomes((250, 100)).await;
        kept.settle(&cost(50));
        two.money_becomes((300, 0)).await;
    });
}

#[test]
fn a_claim_that_nobody_waits_for_is_given_back() {
    with_budget(100, async |world, redis| {
        let node = Node::start(&world, &redis, "one").await;
        assert_eq!(node.money().await, (0, 0));
        let mut left = 0;
        for _ in 0..100 {
            let mut call = pin!(node.call(100));
            let polled = call.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            left += usize::from(polled.is_pending());
        }
        assert!(left > 0, "Redis is not quick enough to answer every one at once");
        node.money_becomes((0, 0)).await;
        drop(node.call(100).await.expect("all of it is free"));
    });
}

#[test]
fn without_redis_those_with_a_budget_are_refused_and_others_are_not() {
    with_budget(100, async |world, mut redis| {
        let rated = LimitFields { rpm_limit: Some(4), ..LimitFields::default() };
        let rated = KeyRow { limits: rated, ..key("rated") };
        world.edit().insert_key(&rated).await.expect("a new key");
        let one = Node::start(&world, &redis, "one").await;
        let two = Node::start(&world, &redis, "two").await;
        one.sees_nodes(2).await;
        let held = one.call(60).await.expect("it fits");
        redis.kill();
        assert!(matches!(two.call(1).await, Err(ClaimError::CountersAway)));
        one.is_away(true).await;
        let record = one.directory.find(&rated.hash).await.expect("keys").expect("a key");
        let chain = one.directory.chain(&record).await.expect("a chain");
        let demand = Demand { money: nanos(5), tokens: 1 };
        let call =
            async || one.directory.claim(&chain, &["gpt-4o"], &demand, one.clock.now()).await;
        let first = call().await.expect("half of the four are its own");
        let second = call().await.expect("and this one");
        assert!(matches!(call().await, Err(ClaimError::Exceeded(_))));
        redis.restart().await;
        // The call under way holds as before.
        two.money_becomes((0, 60)).await;
        held.settle(&cost(20));
        two.money_becomes((20, 0)).await;
        drop((first, second));
    });
}

#[test]
fn without_redis_each_node_grants_its_share_and_all_of_it_counts_afterwards() {
    with_budget(1_000, async |world, mut redis| {
        let share = |name| SharedOptions { while_away: WhileAway::Share, ..options(&redis, name) };
        let one = Node::with(&world, share("one")).await;
        let two = Node::with(&world, share("two")).await;
        one.sees_nodes(2).await;
        two.sees_nodes(2).await;
        spend_in_ledger(&world, 1..2).await;
        assert_eq!((one.money().await, two.money().await), ((250, 0), (250, 0)));
        let before = one.call(50).await.expect("it fits");
        assert_eq!(two.money().await, (250, 50));
        redis.kill();
        // 700 are left: 350 for each.
        let alone = one.call(300).await.expect("its share");
        assert!(one.call(51).await.is_err());
        let settled = two.call(350).await.expect("its share");
        assert!(matches!(two.call(1).await, Err(ClaimError::Exceeded(_))));
        one.is_away(true).await;
        settled.settle(&cost(250));
        spend_in_ledger(&world, 2..3).await;
        redis.restart().await;
        one.is_away(false).await;
        two.is_away(false).await;
        // Two entries of 250, and what two calls of the first node hold.
        one.money_becomes((500, 350)).await;
        two.money_becomes((500, 350)).await;
        alone.settle(&cost(10));
        before.settle(&cost(10));
        two.money_becomes((520, 0)).await;
    });
}

#[test]
fn a_node_that_starts_without_redis_grants_a_share_only_when_it_knows_to_be_alone() {
    with_budget(100, async |world, mut redis| {
        redis.kill();
        let share = SharedOptions { while_away: WhileAway::Share, ..options(&redis, "one") };
        let sole = Node::with(&world, SharedOptions { sole: true, ..share.clone() }).await;
        let held = sole.call(60).await.expect("the whole is its share");
        assert!(matches!(sole.call(41).await, Err(ClaimError::Exceeded(_))));
        let one = Node::with(&world, SharedOptions { node: "two".to_owned(), ..share }).await;
        assert!(matches!(one.call(1).await, Err(ClaimError::CountersAway)));
        redis.restart().await;
        one.money_becomes((0, 60)).await;
        held.settle(&cost(10));
        one.money_becomes((10, 0)).await;
    });
}

#[test]
fn a_node_that_the_others_have_not_seen_grants_no_share_of_what_they_divide() {
    with_budget(100, async |world, mut redis| {
        let (beat, while_away) = (Duration::from_secs(3_600), WhileAway::Share);
        let options = options(&redis, "one");
        let seldom = SharedOptions { beat, while_away, sole: true, ..options };
        let one = Node::with(&world, seldom.clone()).await;
        let late = SharedOptions { sole: false, node: "two".to_owned(), ..seldom };
        let two = Node::with(&world, late).await;
        let _held = [one.call(10).await.expect("it fits"), two.call(10).await.expect("it fits")];
        assert_eq!((two.counters.health().nodes, one.money().await), (0, (0, 20)));
        assert_eq!(one.counters.health().nodes, 1);
        redis.kill();
        assert!(matches!(two.call(1).await, Err(ClaimError::CountersAway)));
        let mut rest = Vec::new();
        while let Ok(claims) = one.call(1).await {
            rest.push(claims);
        }
        assert_eq!(rest.len(), 80);
        assert!(matches!(one.call(1).await, Err(ClaimError::Exceeded(_))));
    });
}

#[test]
fn a_redis_that_forgot_everything_is_told_again() {
    with_budget(1_000, async |world, redis| {
        let one = Node::start(&world, &redis, "one").await;
        let two = Node::start(&world, &redis, "two").await;
        let held = [one.call(100).await.expect("it fits"), two.call(200).await.expect("it fits")];
        spend_in_ledger(&world, 1..2).await;
        redis.forget_everything().await;
        assert_eq!(one.money().await, (250, 300));
        assert_eq!(two.money().await, (250, 300));
        held.into_iter().for_each(|claims| claims.settle(&cost(100)));
        one.money_becomes((450, 0)).await;
    });
}

#[test]
fn a_redis_that_comes_back_with_an_older_memory_is_not_believed() {
    with_budget(1_000, async |world, mut redis| {
        let one = Node::start(&world, &redis, "one").await;
        one.call(90).await.expect("it fits").settle(&cost(90));
        one.money_becomes((90, 0)).await;
        redis.save().await;
        one.call(250).await.expect("it fits").settle(&cost(250));
        one.money_becomes((340, 0)).await;
        // The ledger has both as one entry less than Redis had, to tell them apart.
        spend_in_ledger(&world, 1..2).await;
        redis.kill();
        redis.restart().await;
        one.money_becomes((250, 0)).await;
    });
}

#[test]
fn a_node_that_ends_settles_everything_first() {
    with_budget(100, async |world, redis| {
        let one = Node::start(&world, &redis, "one").await;
        let two = Node::start(&world, &redis, "two").await;
        let held = one.call(60).await.expect("it fits");
        one.counters.stop();
        held.settle(&cost(33));
        drop(one.directory);
        eventually("the end of the task", one.task).await.expect("no panic");
        assert_eq!(two.money().await, (33, 0));
    });
}
