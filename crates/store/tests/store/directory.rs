//! Keys in memory.

use std::sync::Arc;
use std::time::Duration;

use tollgate_domain::{Entry, KeyHash, Ticks};
use tollgate_store::{Cached, KeyDirectory, KeyRecord, KeyRow, NEGATIVE_LIFETIME};

use crate::keys::key;
use crate::world::{World, entry, nanos, on_both, quick, record};

const START: Ticks = Ticks::from_nanos(0);

fn after(duration: Duration) -> Ticks {
    Ticks::from_nanos(u64::try_from(duration.as_nanos()).expect("short"))
}

async fn find(directory: &KeyDirectory, id: &str, now: Ticks) -> Option<Arc<KeyRecord>> {
    directory.find(&KeyHash::of(id), now).await.expect("keys")
}

async fn with_key(world: &World, row: KeyRow) -> KeyDirectory {
    world.db.insert_key(&row).await.expect("a new key");
    KeyDirectory::new(world.db.clone(), 100)
}

#[test]
fn a_known_key_costs_no_database_and_an_unknown_one_is_not_taken_for_absent() {
    on_both(async |world| {
        let row = KeyRow { models: vec!["gpt-4o".to_owned()], ..key("k") };
        let directory = with_key(&world, row.clone()).await;
        assert!(directory.cached(&row.hash, START).is_none());
        let first = find(&directory, "k", START).await.expect("a key");
        world.db.close().await;
        let again = find(&directory, "k", after(Duration::from_secs(86_400))).await;
        assert!(again.is_some_and(|again| Arc::ptr_eq(&first, &again)));
        assert!(matches!(directory.cached(&row.hash, START), Some(Cached::Known(_))));
        assert_eq!(first.attribution.key, row.id);
        assert!(first.grant.allows("gpt-4o") && !first.grant.allows("gpt-4"));
        let unreachable = directory.find(&KeyHash::of("other"), START).await;
        assert!(unreachable.expect_err("nobody knows").is_unavailable());
    });
}

#[test]
fn an_absent_key_is_remembered_for_a_moment_only() {
    on_both(async |world| {
        let directory = KeyDirectory::new(world.db.clone(), 100);
        assert!(find(&directory, "k", START).await.is_none());
        world.db.insert_key(&key("k")).await.expect("a new key");
        let within = after(NEGATIVE_LIFETIME - Duration::from_nanos(1));
        assert!(find(&directory, "k", within).await.is_none());
        assert!(find(&directory, "k", after(NEGATIVE_LIFETIME)).await.is_some());
    });
}

#[test]
fn a_change_binds_the_next_request_and_keeps_the_money_that_is_held() {
    on_both(async |world| {
        let directory = with_key(&world, key("k")).await;
        assert!(find(&directory, "new", START).await.is_none());
        let before = find(&directory, "k", START).await.expect("a key");
        let hold = before.budget.hold(nanos(70)).expect("no cap");

        let changed = KeyRow { blocked: true, max_budget: Some(nanos(100)), ..key("k") };
        assert!(world.db.update_key(&changed).await.expect("an update"));
        directory.forget(&changed.hash);
        let after = find(&directory, "k", START).await.expect("a key");
        assert!(after.row.blocked);
        assert!(Arc::ptr_eq(&before.budget, &after.budget));
        assert!(before.budget.hold(nanos(31)).is_err(), "the new cap binds old records too");
        hold.settle(nanos(50));
        assert_eq!((after.budget.spent(), after.budget.held()), (nanos(50), nanos(0)));

        world.db.insert_key(&key("new")).await.expect("a new key");
        directory.forget(&KeyHash::of("new"));
        assert!(find(&directory, "new", START).await.is_some());
        let gone = [changed.hash];
        world.db.delete_keys(&gone, crate::world::NOW, None).await.expect("deleted");
        directory.forget(&changed.hash);
        assert!(find(&directory, "k", START).await.is_none());
    });
}

#[test]
fn a_key_whose_text_is_renewed_keeps_its_budget() {
    on_both(async |world| {
        let directory = with_key(&world, key("k")).await;
        let before = find(&directory, "k", START).await.expect("a key");
        let renewed = KeyRow { hash: KeyHash::of("renewed"), ..key("k") };
        assert!(world.db.update_key(&renewed).await.expect("an update"));
        directory.forget(&key("k").hash);
        directory.forget(&renewed.hash);
        assert!(find(&directory, "k", START).await.is_none());
        let after = find(&directory, "renewed", START).await.expect("a key");
        assert!(Arc::ptr_eq(&before.budget, &after.budget));
    });
}

#[test]
fn a_budget_starts_with_what_the_ledger_says() {
    on_both(async |world| {
        let (ledger, _task) = world.ledger(quick());
        record(&ledger, [entry(1), Entry { cost: None, ..entry(2) }, entry(3)]);
        ledger.flush().await;
        let row = KeyRow { max_budget: Some(nanos(600)), ..key("key-1") };
        let directory = with_key(&world, row).await;
        let record = find(&directory, "key-1", START).await.expect("a key");
        assert_eq!((record.budget.spent(), record.budget.cap()), (nanos(500), Some(nanos(600))));
        assert!(record.budget.hold(nanos(101)).is_err());
    });
}

#[test]
fn requests_that_load_a_key_at_once_share_one_budget() {
    on_both(async |world| {
        let directory = Arc::new(with_key(&world, key("k")).await);
        let one = || {
            let directory = Arc::clone(&directory);
            tokio::spawn(async move { find(&directory, "k", START).await.expect("a key") })
        };
        let tasks: Vec<_> = (0..16).map(|_| one()).collect();
        let mut budgets = Vec::new();
        for task in tasks {
            budgets.push(Arc::clone(&task.await.expect("no panic").budget));
        }
        assert!(budgets.iter().all(|budget| Arc::ptr_eq(budget, &budgets[0])));
    });
}

#[test]
fn memory_holds_no_more_keys_than_it_may() {
    on_both(async |world| {
        let directory = KeyDirectory::new(world.db.clone(), 3);
        for number in 0..6u64 {
            let id = format!("k{number}");
            world.db.insert_key(&key(&id)).await.expect("a new key");
            let found = find(&directory, &id, Ticks::from_nanos(number)).await;
            assert!(found.is_some() && directory.len() <= 3);
        }
        assert!(matches!(directory.cached(&KeyHash::of("k5"), START), Some(Cached::Known(_))));
        assert!(directory.cached(&KeyHash::of("k0"), START).is_none(), "the oldest went");
        assert!(find(&directory, "k0", START).await.is_some());
    });
}
