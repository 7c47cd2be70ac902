//! Entries go once they are too old; their sums stay.

use std::sync::Arc;
use std::time::Duration;

use tollgate_domain::{Entry, Level, Timestamp};
use tollgate_store::{EntryPage, EntryRetention};

use crate::world::{FixedClock, NOW, World, entry, nanos, on_both, quick, record};

const EVER: std::ops::Range<Timestamp> =
    Timestamp::from_micros(i64::MIN)..Timestamp::from_micros(i64::MAX);
const DAY: Duration = Duration::from_secs(24 * 3600);

fn retention(world: &World, keep: Option<Duration>) -> EntryRetention {
    EntryRetention::new(world.db.clone(), Arc::new(FixedClock), DAY, Arc::new(move || keep))
}

/// Entries of two days ago, and one that is exactly a day old.
async fn fill(world: &World, old: u128) {
    let (ledger, _task) = world.ledger(quick());
    let ago = |days: i64| {
        let micros = i64::try_from(DAY.as_micros()).expect("a day");
        Timestamp::from_micros(NOW.micros() - days * micros)
    };
    record(&ledger, (1..=old).map(|number| Entry { admitted_at: ago(2), ..entry(number) }));
    record(&ledger, [Entry { admitted_at: ago(1), ..entry(old + 1) }]);
    ledger.flush().await;
}

#[test]
fn what_is_too_old_goes_with_its_corrections_and_no_sum_changes() {
    on_both(async |world| {
        fill(&world, 1_100).await;
        let entries = world.db.corrected_entries(&EntryPage::first(EVER, None)).await;
        let sheet = tollgate_domain::PriceSheetId::new("sheet-2").expect("an id");
        let corrections: Vec<_> = entries
            .expect("entries")
            .into_iter()
            .filter_map(|entry| entry.corrected(nanos(300), sheet.clone()))
            .collect();
        world.db.correct(&corrections, NOW).await.expect("corrections");
        let before = world.db.spend(Level::Key, "key-1", EVER).await.expect("spend");
        assert_eq!(retention(&world, None).sweep().await.expect("swept"), 0);
        assert_eq!(retention(&world, Some(DAY * 3)).sweep().await.expect("swept"), 0);
        let daily = retention(&world, Some(DAY));
        assert_eq!(daily.sweep().await.expect("swept"), 1_100);
        assert_eq!(daily.sweep().await.expect("swept"), 0);
        assert_eq!(world.count_entries().await, 1);
        assert_eq!(world.number("SELECT COUNT(*) FROM ledger_corrections").await, 0);
        let after = world.db.spend(Level::Key, "key-1", EVER).await.expect("spend");
        assert_eq!((after.entries, after), (1_101, before));
    });
}

#[test]
fn a_batch_takes_the_oldest_and_no_more_than_it_may() {
    on_both(async |world| {
        fill(&world, 5).await;
        let everything = Timestamp::from_micros(i64::MAX);
        assert_eq!(world.db.remove_entries(everything, 3).await.expect("removed"), 3);
        assert_eq!(world.count_entries().await, 3);
        assert_eq!(world.db.remove_entries(everything, 2).await.expect("removed"), 2);
        let left = "SELECT MAX(admitted_at) - MIN(admitted_at) FROM ledger_entries";
        assert_eq!((world.count_entries().await, world.number(left).await), (1, 0));
        assert_eq!(world.db.remove_entries(everything, 2).await.expect("removed"), 1);
    });
}
