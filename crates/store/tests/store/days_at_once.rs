//! Days are summed while others write to them, on the same database and by several nodes; and
//! whatever happens in whatever order.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use sqlx::PgPool;
use tollgate_domain::{Level, Subject};
use tollgate_store::{Db, ImportedSum, Spend, SumOf};

use crate::days::{HOUR, ago, call_of, must_be_exact, spans, sweep_of};
use crate::world::{World, nanos, on_both, quick, record};

/// How many sequences are tried on each engine.
const CASES: u32 = 6;
/// Quarter-hours before the present that are written to: nine days.
const QUARTERS: u32 = 9 * 96;
const ZONES: [&str; 5] =
    ["UTC", "Asia/Kathmandu", "Africa/Cairo", "America/New_York", "Pacific/Chatham"];

/// One thing that happens.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// A call of one of two keys, so many quarter-hours ago.
    Call(u32, bool),
    /// Another gateway says what a team spent in a quarter-hour.
    Import(u32, u16),
    Sweep(usize),
    /// A page of a zone is read.
    Page(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let zone = 0..ZONES.len();
    prop_oneof![
        6 => (0..QUARTERS, any::<bool>()).prop_map(|(ago, key)| Step::Call(ago, key)),
        1 => (0..QUARTERS, any::<u16>()).prop_map(|(ago, cost)| Step::Import(ago, cost)),
        2 => zone.clone().prop_map(Step::Sweep),
        2 => zone.prop_map(Step::Page),
    ]
}

fn quarters(count: u32) -> Duration {
    HOUR / 4 * count
}

fn imported(before: u32, cost: i64) -> ImportedSum {
    let of = SumOf::Whole(Subject::new(Level::Team, "engine"));
    let spend = Spend { entries: 1, cost: nanos(cost), ..Spend::default() };
    ImportedSum { of, at: ago(quarters(before)), spend }
}

async fn run(world: &World, number: &AtomicU64, steps: Vec<Step>) {
    let (ledger, task) = world.ledger(quick());
    for step in steps {
        match step {
            Step::Call(before, key) => {
                let number = u128::from(number.fetch_add(1, Ordering::Relaxed));
                let key = if key { "key-1" } else { "key-2" };
                record(&ledger, [call_of(key, number, quarters(before))]);
                ledger.flush().await;
            }
            Step::Import(before, cost) => {
                let sums = [imported(before, i64::from(cost))];
                world.db.import_sums(&sums).await.expect("a sum");
            }
            Step::Sweep(zone) => drop(sweep_of(&world.db, ZONES[zone]).await),
            Step::Page(zone) => must_be_exact(&world.db, &spans(ZONES[zone])).await,
        }
    }
    for zone in ZONES {
        must_be_exact(&world.db, &spans(zone)).await;
    }
    drop(ledger);
    task.await.expect("the task ends");
}

#[test]
fn a_page_is_the_sum_of_its_quarter_hours_after_any_sequence_of_writes_and_sweeps() {
    on_both(async |world| {
        let runtime = tokio::runtime::Handle::current();
        let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
        let number = AtomicU64::new(1);
        let sequences = prop::collection::vec(step(), 1..16);
        tokio::task::block_in_place(|| {
            let tried = TestRunner::new(config).run(&sequences, |steps| {
                runtime.block_on(run(&world, &number, steps));
                Ok(())
            });
            tried.expect("the law holds");
        });
    });
}

/// Writes to old days, one call after the other.
async fn write_late(db: &Db, first: u32) {
    for number in first..first + 40 {
        let sums = [imported(120 + number % 5 * 96, i64::from(number))];
        db.import_sums(&sums).await.expect("a sum");
    }
}

/// Reads a page until the writers are done: what it says lies between the sums before and after.
async fn read_pages(db: &Db, done: &AtomicBool) {
    let team = Subject::new(Level::Team, "engine");
    let whole = spans("UTC")[12];
    let plain = async || {
        let sum = db.spend(Level::Team, "engine", whole.range()).await.expect("a sum");
        sum.cost.nanos()
    };
    while !done.load(Ordering::SeqCst) {
        let before = plain().await;
        let found = db.spends(std::slice::from_ref(&team), &[whole]).await.expect("sums");
        let (read, after) = (found[0][0].cost.nanos(), plain().await);
        assert!(before <= read && read <= after, "{before} <= {read} <= {after}");
    }
}

async fn sweep_until(db: &Db, done: &AtomicBool) {
    while !done.load(Ordering::SeqCst) {
        sweep_of(db, "UTC").await;
    }
}

#[test]
fn pages_are_exact_while_two_nodes_sum_days_that_are_written_to() {
    on_both(async |world| {
        let (ledger, _task) = world.ledger(quick());
        record(&ledger, [call_of("key-1", 1, HOUR * 24 * 7)]);
        ledger.flush().await;
        let other = Db::open(&world.url).await.expect("a second node");
        let done = AtomicBool::new(false);
        let writing = async {
            // The second writes the same quarter-hours after the first, so that sums only grow.
            write_late(&world.db, 1).await;
            write_late(&other, 100).await;
            done.store(true, Ordering::SeqCst);
        };
        tokio::join!(
            writing,
            sweep_until(&world.db, &done),
            sweep_until(&other, &done),
            read_pages(&world.db, &done),
            read_pages(&other, &done),
        );
        must_be_exact(&world.db, &spans("UTC")).await;
        sweep_of(&other, "UTC").await;
        let open = "SELECT COUNT(*) FROM summed_days WHERE summed = 0";
        assert_eq!(world.number(open).await, 0);
        must_be_exact(&world.db, &spans("UTC")).await;
        other.close().await;
    });
}

/// How many transactions wait for a lock of another.
async fn waiting(pool: &PgPool) -> i64 {
    let text = "SELECT COUNT(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' \
         AND datname = current_database()";
    sqlx::query_scalar(text).fetch_one(pool).await.expect("a number")
}

async fn until_so_many_wait(pool: &PgPool, count: i64) {
    while waiting(pool).await < count {
        tokio::task::yield_now().await;
    }
}

#[test]
fn a_day_is_not_begun_while_somebody_writes_to_it() {
    on_both(async |world| {
        // On SQLite there is only one transaction that writes.
        let Db::Postgres(pool) = &world.db else { return };
        let (ledger, _task) = world.ledger(quick());
        record(&ledger, [call_of("key-1", 1, HOUR * 24)]);
        ledger.flush().await;
        let mut holding = pool.begin().await.expect("a transaction");
        let hold = "SELECT cost_nanos FROM spend_quarter_hours WHERE kind = 'all' FOR UPDATE";
        sqlx::query(hold).fetch_all(&mut *holding).await.expect("a lock");
        // Comes before there is a mark of the day, and has to wait in the middle.
        record(&ledger, [call_of("key-1", 2, HOUR * 24)]);
        until_so_many_wait(pool, 1).await;
        let db = world.db.clone();
        let mut summing = tokio::spawn(async move { sweep_of(&db, "UTC").await });
        tokio::select! {
            () = until_so_many_wait(pool, 2) => {}
            summed = &mut summing => panic!("{summed:?} days were summed meanwhile"),
        }
        holding.commit().await.expect("the lock is given back");
        assert_eq!(summing.await.expect("a sweep"), 1);
        ledger.flush().await;
        must_be_exact(&world.db, &spans("UTC")).await;
        let entries = "SELECT entries FROM spend_days WHERE kind = 'all'";
        assert_eq!(world.number(entries).await, 2);
    });
}

#[test]
fn a_day_that_is_written_to_while_it_is_summed_is_summed_again() {
    on_both(async |world| {
        let Db::Postgres(pool) = &world.db else { return };
        let (ledger, _task) = world.ledger(quick());
        record(&ledger, [call_of("key-1", 1, HOUR * 24)]);
        ledger.flush().await;
        assert_eq!(sweep_of(&world.db, "UTC").await, 1);
        record(&ledger, [call_of("key-1", 2, HOUR * 24)]);
        ledger.flush().await;
        let mut holding = pool.begin().await.expect("a transaction");
        let hold = "SELECT cost_nanos FROM spend_days WHERE kind = 'all' FOR UPDATE";
        sqlx::query(hold).fetch_all(&mut *holding).await.expect("a lock");
        let db = world.db.clone();
        let summing = tokio::spawn(async move { sweep_of(&db, "UTC").await });
        // It has read the two calls, and waits as it writes their sum.
        until_so_many_wait(pool, 1).await;
        record(&ledger, [call_of("key-1", 3, HOUR * 24)]);
        tokio::select! {
            () = until_so_many_wait(pool, 2) => {}
            () = ledger.flush() => panic!("a day was written to beside its summing"),
        }
        holding.commit().await.expect("the lock is given back");
        summing.await.expect("the sweep ends");
        ledger.flush().await;
        // Whichever of the two came first by then.
        assert_eq!(world.number("SELECT COUNT(*) FROM summed_days WHERE summed = 1").await, 0);
        must_be_exact(&world.db, &spans("UTC")).await;
        assert_eq!(sweep_of(&world.db, "UTC").await, 1);
        must_be_exact(&world.db, &spans("UTC")).await;
    });
}
