//! The ledger while the database does not take entries, and the spool.

use std::os::unix::fs::PermissionsExt as _;

use tollgate_store::{Ledger, LedgerOptions, Recovered, Spool};

use crate::world::{NOW, World, call, entry, nanos, on_both, opening, quick, record};

async fn wait_until_failing(ledger: &Ledger) {
    let mut health = ledger.watch_health();
    health.wait_for(|health| health.failing_since.is_some()).await.expect("the task runs");
}

async fn spent(world: &World) -> i64 {
    world.spent("key-1").await.nanos()
}

#[test]
fn what_is_recorded_while_the_database_is_away_is_written_when_it_is_back() {
    on_both(async |world| {
        let (ledger, _task) = world.ledger(quick());
        let mut slot = ledger.reserve().expect("a place");
        slot.open(opening(0));
        ledger.flush().await;
        world.take_away().await;
        slot.close(&entry(0));
        record(&ledger, (1..100).map(entry));
        wait_until_failing(&ledger).await;
        record(&ledger, (100..200).map(entry));
        let health = ledger.health();
        assert_eq!(health.failing_since, Some(NOW));
        assert!(health.failure.is_some_and(|text| text.contains("ledger_entries")));
        assert!(health.backlog > 0);
        world.give_back().await;
        ledger.flush().await;
        assert_eq!((world.count_entries().await, world.count_openings().await), (200, 0));
        assert_eq!(spent(&world).await, 200 * 250);
        assert_eq!((ledger.health().failing_since, ledger.health().backlog), (None, 0));
    });
}

#[test]
fn when_memory_is_full_calls_are_refused_and_none_that_was_taken_is_lost() {
    on_both(async |world| {
        let options = LedgerOptions { queue: 8, backlog: 5, ..quick() };
        let (ledger, _task) = world.ledger(options);
        world.take_away().await;
        record(&ledger, [entry(0)]);
        wait_until_failing(&ledger).await;
        // Takes calls until none is taken any more: the writer may be about to empty the queue.
        let (mut taken, mut refused) = (1, 0);
        while refused < 1_000 {
            match ledger.reserve() {
                Some(slot) => {
                    slot.close(&entry(taken));
                    (taken, refused) = (taken + 1, 0);
                }
                None => refused += 1,
            }
            tokio::task::yield_now().await;
        }
        assert!(taken < 40, "{taken} calls were taken");
        world.give_back().await;
        ledger.flush().await;
        assert_eq!(world.count_entries().await, i64::try_from(taken).expect("few"));
        assert!(ledger.reserve().is_some());
    });
}

/// A gateway that ends while the database is away, with one call whose opening was written.
async fn end_while_away(world: &World) -> Spool {
    let spool = Spool::in_folder(world.folder.path());
    let (ledger, task) = world.ledger(LedgerOptions { spool: Some(spool.clone()), ..quick() });
    let mut slot = ledger.reserve().expect("a place");
    slot.open(opening(1));
    ledger.flush().await;
    world.take_away().await;
    slot.close(&entry(1));
    record(&ledger, [entry(2), entry(3)]);
    ledger.stop();
    task.await.expect("the task ends");
    world.give_back().await;
    spool
}

#[test]
fn entries_wait_on_disk_when_the_gateway_ends_and_are_replayed_once() {
    on_both(async |world| {
        let spool = end_while_away(&world).await;
        let bytes = std::fs::read(spool.path()).expect("a spool");
        let mode = std::fs::metadata(spool.path()).expect("a spool").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let recovered = world.recover(Some(&spool), NOW).await;
        assert_eq!(recovered, Recovered { replayed: 3, ..Recovered::default() });
        assert!(!spool.path().exists());
        assert_eq!((world.count_entries().await, world.count_openings().await), (3, 0));
        // A crash after the entries were committed and before the file was removed.
        std::fs::write(spool.path(), bytes).expect("the file again");
        world.recover(Some(&spool), NOW).await;
        assert_eq!((world.count_entries().await, spent(&world).await), (3, 750));
    });
}

#[test]
fn a_line_cut_short_costs_only_itself_and_is_kept() {
    on_both(async |world| {
        let spool = end_while_away(&world).await;
        let text = std::fs::read_to_string(spool.path()).expect("a spool");
        let cut = &text[..text.len() - 20];
        std::fs::write(spool.path(), cut).expect("a spool");
        let (ledger, task) = world.ledger(LedgerOptions { spool: Some(spool.clone()), ..quick() });
        world.take_away().await;
        record(&ledger, [entry(4)]);
        ledger.stop();
        task.await.expect("the task ends");
        world.give_back().await;
        let recovered = world.recover(Some(&spool), NOW).await;
        assert_eq!((recovered.replayed, recovered.unreadable), (3, 1));
        for (number, there) in [(1, true), (2, true), (3, false), (4, true)] {
            let found = world.db.entry(call(number)).await.expect("entries");
            assert_eq!(found.is_some(), there, "call {number}");
        }
        let kept = world.folder.path().join("ledger.spool.unreadable");
        let kept = std::fs::read_to_string(kept).expect("what could not be read");
        assert!(text.contains(kept.trim()) && kept.len() > 100);
    });
}

#[test]
fn without_a_spool_nothing_is_replayed() {
    on_both(async |world| {
        let spool = Spool::in_folder(world.folder.path());
        let recovered = world.recover(Some(&spool), NOW).await;
        assert_eq!(recovered, Recovered::default());
        assert_eq!(recovered.cost, nanos(0));
    });
}
