//! Rows and sums that another gateway brings.

use std::time::Duration;

use tollgate_domain::{BudgetId, KeyHash, Level, Money, Subject, Timestamp};
use tollgate_policy::Span;
use tollgate_store::{
    BudgetRow, EntityRow, ImportedRow, ImportedSum, KeyRow, LimitFields, Replaced, Spend, SumOf,
    Written,
};

use crate::keys::key;
use crate::world::{NOW, World, entry, nanos, on_both, quick, record};

const DAY: Duration = Duration::from_secs(86_400);

fn brought(id: &str) -> KeyRow {
    KeyRow { updated_by: Some("import".to_owned()), ..key(id) }
}

fn team() -> Subject {
    Subject::new(Level::Team, "engine")
}

/// What the source says of the team's spend in a quarter-hour.
fn sum(of: SumOf, at: Timestamp, cost: i64) -> ImportedSum {
    ImportedSum { of, at, spend: Spend { entries: 3, cost: nanos(cost), ..Spend::default() } }
}

async fn write(world: &World, rows: &[ImportedRow]) -> Vec<Written> {
    world.edit().import_rows(rows).await.expect("rows")
}

async fn spent(world: &World, span: Span) -> Money {
    world.db.spent(&team(), None, span).await.expect("spend")
}

#[test]
fn rows_are_written_once_follow_the_source_and_give_way_to_changes_made_here() {
    on_both(|world| async move {
        let by = Some("import".to_owned());
        let id = BudgetId::new("shared").expect("an id");
        let budget = BudgetRow {
            id,
            limits: LimitFields::default(),
            created_at: NOW,
            created_by: None,
            updated_at: NOW,
            updated_by: by.clone(),
        };
        let entity = EntityRow::new(Level::Team, "", "engine", NOW);
        let entity = EntityRow { updated_by: by, ..entity };
        let mut rows = [
            ImportedRow::Budget(budget),
            ImportedRow::Entity(entity.clone()),
            ImportedRow::Key(brought("k")),
        ];
        assert_eq!(write(&world, &rows).await, [Written::Inserted; 3]);
        assert_eq!(write(&world, &rows).await, [Written::Unchanged; 3]);
        assert_eq!(world.db.count_imported(&rows).await.expect("a count"), 3);

        rows[1] = ImportedRow::Entity(EntityRow { blocked: true, ..entity.clone() });
        rows[2] = ImportedRow::Key(KeyRow { blocked: true, ..brought("k") });
        let changed = [Written::Unchanged, Written::Updated, Written::Updated];
        assert_eq!(write(&world, &rows).await, changed);

        let mut here = world.db.find_key(&KeyHash::of("k")).await.expect("keys").expect("it");
        here.blocked = false;
        let replaced = world.edit().update_key(&mut here).await.expect("an update");
        assert_eq!(replaced, Replaced::Done);
        assert_eq!(write(&world, &rows[2..]).await, [Written::Kept]);
        let found = world.db.find_key(&KeyHash::of("k")).await.expect("keys").expect("the key");
        assert!(!found.blocked, "what was changed here stays");
    });
}

#[test]
fn a_key_that_was_deleted_here_stays_deleted() {
    on_both(|world| async move {
        let rows = [ImportedRow::Key(brought("k"))];
        assert_eq!(write(&world, &rows).await, [Written::Inserted]);
        world.edit().delete_keys(&[KeyHash::of("k")]).await.expect("deleted");
        assert_eq!(write(&world, &rows).await, [Written::Deleted]);
        assert_eq!(world.db.count_imported(&rows).await.expect("a count"), 1, "it came over");
        assert_eq!(world.db.find_key(&KeyHash::of("k")).await.expect("keys"), None);
    });
}

#[test]
fn of_two_keys_with_one_alias_the_second_has_none() {
    on_both(|world| async move {
        let named =
            |id: &str| ImportedRow::Key(KeyRow { alias: Some("ci".to_owned()), ..brought(id) });
        let rows = [named("k-1"), named("k-2")];
        assert_eq!(write(&world, &rows).await, [Written::Inserted, Written::WithoutAlias]);
        assert_eq!(write(&world, &rows).await, [Written::Unchanged; 2], "again nothing changes");
    });
}

#[test]
fn sums_are_what_the_source_says_beside_what_was_spent_here() {
    on_both(|world| async move {
        let (ledger, writing) = world.ledger(quick());
        record(&ledger, [entry(1)]);
        ledger.flush().await;
        let at = NOW.quarter_hour();
        let ever = Timestamp::EPOCH..Timestamp::from_micros(i64::MAX);
        let spend =
            || async { world.db.spend(Level::Team, "engine", ever.clone()).await.expect("spend") };
        let said = |cost| [sum(SumOf::Whole(team()), at, cost)];
        assert_eq!(world.db.import_sums(&said(1_000)).await.expect("sums"), 1);
        assert_eq!(world.db.import_sums(&said(1_000)).await.expect("sums"), 0, "once");
        assert_eq!((spend().await.cost, spend().await.entries), (nanos(1_250), 4));
        assert_eq!(world.db.import_sums(&said(900)).await.expect("sums"), 1);
        assert_eq!(spend().await.cost, nanos(1_150), "the source's figure is replaced");
        let recorded = world.db.imported_sums(&said(0)).await.expect("sums");
        assert_eq!(recorded[0].cost, nanos(900), "what was spent here is not among it");
        drop(ledger);
        writing.await.expect("the task ends");
    });
}

#[test]
fn an_opening_balance_counts_for_limits_and_not_for_usage() {
    on_both(|world| async move {
        let start = NOW.quarter_hour();
        let opening = sum(SumOf::Opening(team()), start, 700);
        let day = sum(SumOf::Whole(team()), start, 50);
        let sums = [opening, day];
        world.db.import_sums(&sums).await.expect("sums");
        assert_eq!(world.db.import_sums(&sums).await.expect("sums"), 0);
        let window = Span { start, end: start.plus(DAY) };
        assert_eq!(spent(&world, window).await, nanos(750));
        let next = Span { start: window.end, end: window.end.plus(DAY) };
        assert_eq!(spent(&world, next).await, Money::ZERO, "it belongs to its window");
        let usage = world.db.usage(&team(), None, &[window]).await.expect("usage");
        assert_eq!(usage.days[0].total.cost, nanos(50));
        let openings = world.db.openings().await.expect("openings");
        assert_eq!(openings, [(team(), [(start, nanos(700))].into())].into());
    });
}
