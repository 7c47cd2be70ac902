//! What a killed gateway left open is settled once.

use std::time::Duration;

use tollgate_domain::{OpenEntry, Quantity, Timestamp, Usage, UsageKind};
use tollgate_store::{Db, LedgerOptions, OutputSoFar, Recovered, Spool};

use crate::world::{NOW, World, call, entry, nanos, on_both, opening, quick, record};

/// Leaves calls open, each with what it put out, as `kill -9` does: the writer stops, without a
/// word.
pub(crate) async fn crash_with(world: &World, calls: Vec<(OpenEntry, OutputSoFar)>) {
    let (ledger, task) = world.ledger(quick());
    let mut slots = Vec::new();
    for (opening, output) in calls {
        let mut slot = ledger.reserve().expect("a place");
        slot.progress(output);
        slot.open(opening);
        slots.push(slot);
    }
    ledger.flush().await;
    task.abort();
    assert!(task.await.is_err());
    drop(slots);
}

pub(crate) const NOTHING: OutputSoFar = OutputSoFar { deltas: 0, bytes: 0, cost: Some(nanos(0)) };

#[test]
fn an_open_call_is_charged_its_input_and_the_output_that_was_recorded() {
    on_both(async |world| {
        let some = OutputSoFar { deltas: 3, bytes: 41, cost: Some(nanos(60)) };
        crash_with(&world, vec![(opening(1), some), (opening(2), NOTHING)]).await;
        let now = Timestamp::from_micros(NOW.micros() + 5);
        let recovered = world.recover(None, now).await;
        let expected = Recovered { settled: 2, cost: nanos(260), ..Recovered::default() };
        assert_eq!(recovered, expected);
        let row = world.db.entry(call(1)).await.expect("entries").expect("an entry");
        assert_eq!((row.outcome.as_str(), row.usage_source.as_str()), ("interrupted", "estimated"));
        assert_eq!((row.admitted_at, row.settled_at), (NOW.micros(), now.micros()));
        // Eleven tokens: 41 bytes make more of them than three deltas do.
        let usage = Usage::UNKNOWN
            .with(UsageKind::Input, Quantity::whole(10))
            .with(UsageKind::Output, Quantity::whole(11));
        assert_eq!((row.cost(), row.usage), (Some(nanos(160)), usage));
        assert_eq!(row.price_sheet_id.as_deref(), Some("sheet-1"));
        let spent = world.spent("key-1").await;
        assert_eq!(spent, nanos(260));
    });
}

#[test]
fn what_was_recorded_and_not_written_is_in_the_spool_of_a_killed_process() {
    on_both(async |world| {
        if let Db::Sqlite { .. } = world.db {
            // A file admits one gateway.
            return;
        }
        let spool = Spool::in_folder(world.folder.path());
        let options = LedgerOptions { spool: Some(spool.clone()), ..quick() };
        // One writes, one never comes to it, and one lives on.
        let (written, writing) = world.ledger(options.clone());
        let late = LedgerOptions { commit_interval: Duration::from_secs(3_600), ..options.clone() };
        let (unwritten, waiting) = world.ledger(late);
        let (living, _task) = world.ledger(options);
        let mut slots: Vec<_> = [&written, &unwritten, &living]
            .map(|ledger| ledger.reserve().expect("a place"))
            .into_iter()
            .zip([1, 2, 3])
            .map(|(mut slot, number)| {
                slot.open(opening(number));
                slot
            })
            .collect();
        record(&unwritten, [entry(4)]);
        written.flush().await;
        living.flush().await;
        for task in [writing, waiting] {
            task.abort();
            assert!(task.await.is_err());
        }
        let alive = slots.pop();
        drop((slots, written, unwritten));
        // Nobody is alone: the living one is there as well.
        let recovered = world.recover_beside_others(&spool, NOW).await;
        let expected =
            Recovered { replayed: 1, settled: 2, cost: nanos(200), ..Recovered::default() };
        assert_eq!(recovered, expected);
        assert_eq!((world.count_entries().await, world.count_openings().await), (3, 1));
        assert_eq!(world.spent("key-1").await, nanos(450));
        assert_eq!(world.recover_beside_others(&spool, NOW).await, Recovered::default());
        alive.expect("the living one's").close(&entry(3));
        living.flush().await;
        assert_eq!((world.count_entries().await, world.count_openings().await), (4, 0));
    });
}

#[test]
fn a_cost_is_known_only_when_both_its_parts_are() {
    on_both(async |world| {
        let unpriced = OutputSoFar { cost: None, ..NOTHING };
        let no_price = OpenEntry { input_cost: None, ..opening(2) };
        crash_with(&world, vec![(opening(1), unpriced), (no_price, NOTHING)]).await;
        let recovered = world.recover(None, NOW).await;
        assert_eq!((recovered.settled, recovered.unpriced, recovered.cost), (2, 2, nanos(0)));
        for number in [1, 2] {
            let row = world.db.entry(call(number)).await.expect("entries").expect("an entry");
            assert_eq!(row.cost(), None);
        }
    });
}

#[test]
fn recovery_settles_any_number_of_calls_and_each_once() {
    on_both(async |world| {
        crash_with(&world, (0..1_203).map(|number| (opening(number), NOTHING)).collect()).await;
        let recovered = world.recover(None, NOW).await;
        assert_eq!((recovered.settled, recovered.cost), (1_203, nanos(120_300)));
        let again = world.recover(None, NOW).await;
        assert_eq!(again, Recovered::default());
        assert_eq!((world.count_entries().await, world.count_openings().await), (1_203, 0));
    });
}

#[test]
fn a_call_that_has_its_entry_is_not_charged_again() {
    on_both(async |world| {
        crash_with(&world, vec![(opening(1), NOTHING)]).await;
        // The entry without the end of its opening: only an older gateway's spool could do this.
        let (ledger, _task) = world.ledger(quick());
        record(&ledger, [entry(1)]);
        ledger.flush().await;
        crash_with(&world, vec![(opening(1), NOTHING)]).await;
        let recovered = world.recover(None, NOW).await;
        assert_eq!(recovered, Recovered::default());
        let row = world.db.entry(call(1)).await.expect("entries").expect("an entry");
        assert_eq!((row.outcome.as_str(), world.count_openings().await), ("completed", 0));
    });
}
