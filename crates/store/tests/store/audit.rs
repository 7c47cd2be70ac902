//! The record of changes: one row for each change, in its transaction, without secrets.

use serde_json::json;
use tollgate_domain::{Level, Timestamp};
use tollgate_store::{AuditFilter, By, EntityRow, Replaced};

use crate::keys::key;
use crate::world::{World, on_both};

const NOW: Timestamp = Timestamp::from_micros(5);

async fn recorded(world: &World, wanted: &AuditFilter) -> Vec<(String, String, String)> {
    let page = world.db.audit_log(wanted, (0, 100)).await.expect("a page");
    assert_eq!(page.total, page.rows.len() as u64);
    let rows = page.rows.into_iter().rev();
    rows.map(|row| (row.action, row.kind, row.object)).collect()
}

#[test]
fn every_change_is_recorded_with_what_was_before_and_after() {
    on_both(async |world| {
        let mut team = EntityRow::new(Level::Team, "", "loom", NOW);
        world.edit().insert_entity(&team).await.expect("a team");
        team.blocked = true;
        team.metadata.insert("api_key".to_owned(), json!("sk-secret"));
        assert_eq!(world.edit().update_entity(&mut team).await.expect("done"), Replaced::Done);
        world.edit().insert_key(&key("k")).await.expect("a key");
        let ids = ["loom".to_owned()];
        world.edit().delete_entities(Level::Team, "", &ids).await.expect("deleted");

        let all = recorded(&world, &AuditFilter::default()).await;
        let named = |action: &str, kind: &str, id: &str| {
            (action.to_owned(), kind.to_owned(), id.to_owned())
        };
        let expected = [
            named("created", "team", "loom"),
            named("blocked", "team", "loom"),
            named("created", "key", "k"),
            named("deleted", "team", "loom"),
        ];
        assert_eq!(all, expected);
        let blocked = AuditFilter { action: Some("blocked".to_owned()), ..AuditFilter::default() };
        let page = world.db.audit_log(&blocked, (0, 9)).await.expect("a page");
        let row = &page.rows[0];
        assert_eq!((&*row.changed_by, row.changed_at), ("admin", Timestamp::from_micros(0)));
        assert_eq!(row.before.as_ref().expect("before")["blocked"], json!(false));
        let after = row.after.as_ref().expect("after");
        assert_eq!(after["metadata"], json!({"api_key": "[redacted]"}));
        let of_keys = AuditFilter { kind: Some("key".to_owned()), ..AuditFilter::default() };
        assert_eq!(recorded(&world, &of_keys).await, expected[2..3]);
    });
}

#[test]
fn a_change_that_fails_leaves_no_record() {
    on_both(async |world| {
        world.edit().insert_key(&key("k")).await.expect("a key");
        world.edit().insert_key(&key("k")).await.expect_err("it exists");
        let absent = ["loom".to_owned()];
        world.edit().delete_entities(Level::Team, "", &absent).await.expect_err("no team");
        assert_eq!(recorded(&world, &AuditFilter::default()).await.len(), 1);
    });
}

#[test]
fn of_two_who_change_the_same_one_reads_again() {
    on_both(async |world| {
        let first = EntityRow::new(Level::Team, "", "loom", NOW);
        world.edit().insert_entity(&first).await.expect("a team");
        let (mut ada, mut bob) = (first.clone(), first);
        ada.alias = Some("by ada".to_owned());
        bob.blocked = true;
        let by = By::program("ada", NOW);
        let replaced = world.db.edit(&by).update_entity(&mut ada).await.expect("done");
        assert_eq!(replaced, Replaced::Done);
        let stale = world.edit().update_entity(&mut bob).await.expect("an answer");
        assert_eq!(stale, Replaced::ChangedMeanwhile);
        let kept = world.db.find_entity(Level::Team, "", "loom").await.expect("a row");
        let mut kept = kept.expect("the team");
        assert_eq!((kept.alias.as_deref(), kept.blocked), (Some("by ada"), false));
        assert_eq!(kept.updated_by.as_deref(), Some("ada"));
        kept.blocked = true;
        assert_eq!(world.edit().update_entity(&mut kept).await.expect("done"), Replaced::Done);
    });
}
