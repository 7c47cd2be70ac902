//! Calls that enter, wait, leave and are cut off.

mod world;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tollgate_config::FairQueueSettings;

use self::world::{LONG, World, told};
use super::*;

#[tokio::test(start_paused = true)]
async fn a_call_of_another_key_comes_after_at_most_two_of_a_burst() {
    let settings = FairQueueSettings { places_per_flow_max: 100, ..FairQueueSettings::default() };
    let world = World::with(2, settings);
    let mut slots =
        vec![world.enter("a").await.expect("free"), world.enter("a").await.expect("free")];
    let (granted, mut grants) = mpsc::channel(128);
    let mut tasks = JoinSet::new();
    for key in std::iter::repeat_n("a", 100).chain(["b"]) {
        let (world, granted) = (Arc::clone(&world), granted.clone());
        tasks.spawn(async move {
            let slot = world.enter(key).await.expect("its turn comes");
            granted.send((key, slot)).await.expect("room for all");
        });
        tokio::task::yield_now().await;
    }
    assert_eq!(world.counts(), (2, 101));
    let mut keys = Vec::new();
    for slot in slots.drain(..) {
        drop(slot);
        let (key, slot) = grants.recv().await.expect("one for one");
        keys.push((key, slot));
    }
    assert!(keys.iter().any(|(key, _)| *key == "b"));
    assert_eq!(world.counts(), (2, 99));
}

#[tokio::test(start_paused = true)]
async fn a_slot_is_given_back_whatever_ends_its_call() {
    let world = World::new(1);
    drop(world.enter("a").await.expect("free"));
    assert_eq!(world.counts(), (0, 0));
    let this = Arc::clone(&world);
    let panicking = tokio::spawn(async move {
        let _slot = this.enter("a").await.expect("free");
        panic!("on purpose");
    });
    assert!(panicking.await.expect_err("it panics").is_panic());
    assert_eq!(world.counts(), (0, 0));
    let this = Arc::clone(&world);
    let stuck = tokio::spawn(async move {
        let _slot = this.enter("a").await.expect("free");
        std::future::pending::<()>().await;
    });
    while world.counts() != (1, 0) {
        tokio::task::yield_now().await;
    }
    stuck.abort();
    assert!(stuck.await.expect_err("it is cut").is_cancelled());
    assert_eq!(world.counts(), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_call_waits_as_long_as_it_may_and_no_longer() {
    let world = World::new(1);
    let slot = world.enter("a").await.expect("free");
    for (left, waited) in [(LONG, 30), (Duration::from_secs(4), 4), (Duration::ZERO, 0)] {
        let began = Instant::now();
        let refused = world.call("a", &["d"], left).await.expect_err("its turn does not come");
        let elapsed = began.elapsed().as_millis();
        assert!((waited * 1000..=waited * 1000 + 1).contains(&elapsed), "{elapsed} ms");
        let (reason, status, retry_after) = told(&refused);
        assert_eq!((reason, status), ("queue_timeout", 429));
        assert!((1..=30).contains(&retry_after.expect("a time")));
        assert_eq!(world.counts(), (1, 0), "its place is free again");
    }
    drop(slot);
    assert!(world.enter("a").await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_call_that_finds_its_callers_places_taken_is_refused_and_another_callers_is_not() {
    let settings = FairQueueSettings { places_per_flow_max: 1, ..FairQueueSettings::default() };
    let world = World::with(1, settings);
    let slot = world.enter("a").await.expect("free");
    let first = world.waiting("a").await;
    tokio::time::advance(Duration::from_secs(3)).await;
    let refused = world.enter("a").await.expect_err("full");
    assert_eq!(told(&refused), ("queue_full", 429, Some(3)), "measured: nothing came in 3 s");
    assert_eq!(refused.message, "the model is busy, and of this caller's calls 1 wait, the most");
    let other = world.waiting("b").await;
    drop(slot);
    drop(first.await.expect("no panic").expect("its turn"));
    drop(other.await.expect("no panic").expect("its turn"));
    assert_eq!(world.counts(), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_leaves_gives_its_place_up() {
    let world = World::new(1);
    let slot = world.enter("a").await.expect("free");
    let (gone, stays) = (world.waiting("a").await, world.waiting("a").await);
    gone.abort();
    assert!(gone.await.expect_err("cut").is_cancelled());
    assert_eq!(world.counts(), (1, 1));
    drop(slot);
    drop(stays.await.expect("no panic").expect("its turn"));
    assert_eq!(world.counts(), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_slot_that_comes_to_a_caller_that_is_leaving_goes_to_the_next() {
    let world = World::new(1);
    let slot = world.enter("a").await.expect("free");
    let (gone, stays) = (world.waiting("a").await, world.waiting("b").await);
    // Nothing is polled in between: the slot is on its way to the task when that is cut off.
    drop(slot);
    assert_eq!(world.counts(), (1, 1));
    gone.abort();
    assert!(gone.await.expect_err("cut").is_cancelled());
    drop(stays.await.expect("no panic").expect("its turn"));
    assert_eq!(world.counts(), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_slot_that_becomes_free_when_a_time_is_over_is_not_lost() {
    let world = World::new(1);
    let slot = world.enter("a").await.expect("free");
    let late = world.waiting("a").await;
    // The task is not polled between these two.
    tokio::time::advance(Duration::from_secs(30)).await;
    drop(slot);
    let refused = late.await.expect("no panic").expect_err("its time was over");
    assert_eq!(told(&refused).0, "queue_timeout");
    assert_eq!(world.counts(), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn calls_that_do_not_wait_are_refused_at_the_limit() {
    let settings = FairQueueSettings { enabled: false, ..FairQueueSettings::default() };
    let world = World::with(1, settings);
    let mut slot = world.enter("a").await.expect("free");
    let refused = world.enter("a").await.expect_err("no slot");
    assert_eq!(told(&refused), ("concurrency_limited", 429, Some(1)));
    slot.attempted(Some(Reason::UpstreamRateLimited));
    drop(slot);
    *world.limit.lock().expect("no panic") = None;
    let _first = world.enter("a").await.expect("free");
    let _second = world.enter("a").await.expect("nothing limits, and nothing was learned");
}

#[tokio::test(start_paused = true)]
async fn a_call_goes_where_a_slot_is_free_and_else_waits_where_it_is_to_go_first() {
    let settings = FairQueueSettings { places_per_flow_max: 1, ..FairQueueSettings::default() };
    let world = World::with(1, settings);
    let both = ["d", "e"];
    let (at, first) = world.call("a", &both, LONG).await.expect("free");
    assert_eq!(at, 0);
    let (at, second) = world.call("a", &both, LONG).await.expect("the other is free");
    assert_eq!(at, 1);
    let mut waiting = Vec::new();
    for depth in [(1, 0), (1, 1)] {
        let this = Arc::clone(&world);
        waiting.push(tokio::spawn(async move { this.call("a", &both, LONG).await }));
        tokio::task::yield_now().await;
        let depths = ["d", "e"].map(|id| world.of(id).expect("it was called").depth);
        assert_eq!((depths[0], depths[1]), depth, "the first, then the one that has a place");
    }
    let refused = world.call("a", &both, LONG).await.expect_err("no place anywhere");
    assert_eq!(told(&refused).0, "queue_full");
    drop((first, second));
    for (at, task) in waiting.into_iter().enumerate() {
        let (came, _slot) = task.await.expect("no panic").expect("its turn");
        assert_eq!(came, at);
    }
}

#[tokio::test(start_paused = true)]
async fn an_upstreams_refusals_limit_the_calls_that_go_there_at_once() {
    for (reason, limit) in [
        (Reason::UpstreamError, None),
        (Reason::UpstreamOverloaded, Some(4)),
        (Reason::UpstreamRateLimited, Some(4)),
    ] {
        let world = World::new(0);
        let mut slots = Vec::new();
        for _ in 0..8 {
            slots.push(world.enter("a").await.expect("nothing limits"));
        }
        assert_eq!(world.gauges(), Gauges { in_flight: 8, depth: 0, limit: None });
        tokio::time::advance(Duration::from_secs(1)).await;
        slots[0].attempted(Some(reason));
        drop(slots.remove(0));
        assert_eq!(world.gauges(), Gauges { in_flight: 7, depth: 0, limit });
        slots[0].attempted(None);
        slots.truncate(4);
        assert_eq!(world.gauges(), Gauges { in_flight: 4, depth: 0, limit });
    }
}

#[tokio::test(start_paused = true)]
async fn answers_raise_a_limit_that_was_learned() {
    let world = World::new(0);
    let mut slot = world.enter("a").await.expect("nothing limits");
    tokio::time::advance(Duration::from_secs(1)).await;
    slot.attempted(Some(Reason::UpstreamRateLimited));
    drop(slot);
    assert_eq!(world.gauges().limit, Some(1));
    tokio::time::advance(Duration::from_secs(1)).await;
    let mut slot = world.enter("a").await.expect("free");
    let waits = [world.waiting("a").await, world.waiting("b").await];
    slot.attempted(None);
    drop(slot);
    assert_eq!(world.gauges(), Gauges { in_flight: 2, depth: 0, limit: Some(2) });
    for waiting in waits {
        drop(waiting.await.expect("no panic").expect("its turn"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_no_deployment_has_a_place_for_is_told_the_soonest() {
    let settings = FairQueueSettings { places_per_flow_max: 1, ..FairQueueSettings::default() };
    let world = World::with(1, settings);
    let (_, first) = world.call("a", &["d"], LONG).await.expect("free");
    let in_first = world.waiting("a").await;
    tokio::time::advance(Duration::from_secs(17)).await;
    let (_, second) = world.call("a", &["e"], LONG).await.expect("free");
    let this = Arc::clone(&world);
    let in_second = tokio::spawn(async move { this.call("a", &["e"], LONG).await });
    tokio::task::yield_now().await;
    tokio::time::advance(Duration::from_secs(3)).await;
    for order in [["d", "e"], ["e", "d"]] {
        let refused = world.call("a", &order, LONG).await.expect_err("no place");
        assert_eq!(told(&refused), ("queue_full", 429, Some(3)), "{order:?}");
    }
    drop((first, second));
    assert!(in_first.await.expect("no panic").is_ok());
    assert!(in_second.await.expect("no panic").is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_is_reconfigured_holds_from_the_next_call_on() {
    let world = World::new(1);
    let first = world.enter("a").await.expect("free");
    let waits = world.waiting("a").await;
    *world.limit.lock().expect("no panic") = Some(3);
    let third = world.enter("b").await.expect("free");
    let second = waits.await.expect("no panic").expect("its turn");
    assert_eq!(world.gauges(), Gauges { in_flight: 3, depth: 0, limit: Some(3) });
    drop((first, second, third));
}

#[tokio::test(start_paused = true)]
async fn a_deployment_that_is_gone_is_forgotten_once_no_call_is_there() {
    let world = World::new(1);
    let slot = world.enter("a").await.expect("free");
    drop(world.call("a", &["e"], LONG).await.expect("free"));
    world.queues.retain(|_| false);
    assert_eq!((world.of("d").is_some(), world.of("e").is_some()), (true, false));
    world.queues.retain(|id| id.as_str() == "d");
    drop(slot);
    world.queues.retain(|id| id.as_str() == "d");
    assert!(world.of("d").is_some());
    world.queues.retain(|_| false);
    assert!(world.of("d").is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn threads_that_enter_leave_and_are_cut_off_lose_no_slot_and_pass_no_limit() {
    const LIMIT: usize = 3;
    let settings = FairQueueSettings { places_per_flow_max: 2048, ..FairQueueSettings::default() };
    let world = World::with(3, settings);
    let (under_way, served) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let mut tasks = Vec::new();
    for number in 0..600_usize {
        let (world, under_way) = (Arc::clone(&world), Arc::clone(&under_way));
        let served = Arc::clone(&served);
        tasks.push(tokio::spawn(async move {
            let key = ["a", "b", "c", "d"][number % 4];
            let mut slot = world.enter(key).await.expect("its turn comes");
            let now = under_way.fetch_add(1, Ordering::SeqCst) + 1;
            let under_way = OnDrop(|| _ = under_way.fetch_sub(1, Ordering::SeqCst));
            assert!(now <= LIMIT, "{now}");
            for _ in 0..number % 7 {
                tokio::task::yield_now().await;
            }
            slot.attempted(None);
            served.fetch_add(1, Ordering::SeqCst);
            drop(under_way);
            drop(slot);
        }));
    }
    // Every third is cut off wherever it is: not begun, waiting, under way or over.
    for task in tasks.iter().step_by(3) {
        task.abort();
        tokio::task::yield_now().await;
    }
    for task in tasks {
        let outcome = task.await;
        assert!(!outcome.is_err_and(|error| error.is_panic()));
    }
    assert!(served.load(Ordering::SeqCst) >= 400);
    assert_eq!(world.counts(), (0, 0));
}

/// Runs when it is dropped, also when its task is cut off.
struct OnDrop<F: Fn()>(F);

impl<F: Fn()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}
