//! Those whom limits bind in the database, with what is below them, and pages of keys.

use std::time::Duration;

use serde_json::json;
use tollgate_domain::{BudgetId, KeyHash, Level, OrganizationId, TeamId, UserId};
use tollgate_store::{
    BudgetRow, DeleteEntitiesError, EntityRow, KeyFilter, KeyRow, LimitFields, StoreError,
};

use crate::keys::key;
use crate::world::{NOW, World, on_both};

fn team_key(id: &str, team: &str, user: &str) -> KeyRow {
    KeyRow { team: TeamId::new(team).ok(), user: UserId::new(user).ok(), ..key(id) }
}

fn entity(level: Level, within: &str, id: &str) -> EntityRow {
    EntityRow::new(level, within, id, NOW)
}

/// Two teams of one organization with a member each, and keys of all of them.
async fn settled(world: &World) {
    let organization = OrganizationId::new("works").ok();
    let metadata = json!({ "team_id": "loom" }).as_object().cloned().expect("an object");
    let cards = EntityRow { metadata, ..entity(Level::Project, "", "cards") };
    let in_works = EntityRow { organization, ..entity(Level::Team, "", "engine") };
    let rows = [
        entity(Level::Organization, "", "works"),
        in_works,
        entity(Level::Team, "", "loom"),
        entity(Level::Member, "engine", "ada"),
        entity(Level::Member, "loom", "ada"),
        cards,
        entity(Level::User, "", "ada"),
        entity(Level::Customer, "", "engine"),
    ];
    assert!(world.edit().insert_entities(&rows).await.expect("entities"));
    let own = KeyRow { organization: OrganizationId::new("works").ok(), ..key("k-works") };
    for row in [
        team_key("k-engine", "engine", "ada"),
        team_key("k-loom", "loom", "ada"),
        team_key("k-other", "loom", "bob"),
        KeyRow { user: UserId::new("ada").ok(), ..key("k-ada") },
        own,
        key("k-nobody"),
    ] {
        world.edit().insert_key(&row).await.expect("a new key");
    }
}

/// Deletes one, and tells which keys and how many entities are left.
async fn left(world: &World, level: Level, within: &str, id: &str) -> (Vec<String>, i64) {
    let deleted = world.edit().delete_entities(level, within, &[id.to_owned()]).await;
    let deleted = deleted.expect("a deletion");
    let page = world.db.list_keys(&KeyFilter::default(), 0, 100).await.expect("keys");
    let mut ids: Vec<String> = page.keys.iter().map(|row| row.id.to_string()).collect();
    ids.sort_unstable();
    assert_eq!(page.total + deleted.keys.len() as u64, 6);
    let kept = world.number("SELECT COUNT(*) FROM deleted_virtual_keys").await;
    assert_eq!(u64::try_from(kept).expect("few"), deleted.keys.len() as u64);
    (ids, world.number("SELECT COUNT(*) FROM entities").await)
}

#[test]
fn a_team_takes_its_members_projects_and_keys_with_it() {
    on_both(async |world| {
        settled(&world).await;
        let expected = ["k-ada", "k-engine", "k-nobody", "k-works"].map(str::to_owned).to_vec();
        assert_eq!(left(&world, Level::Team, "", "loom").await, (expected, 5));
    });
}

#[test]
fn an_organization_takes_its_teams_with_it() {
    on_both(async |world| {
        settled(&world).await;
        let expected = ["k-ada", "k-loom", "k-nobody", "k-other"].map(str::to_owned).to_vec();
        assert_eq!(left(&world, Level::Organization, "", "works").await, (expected, 5));
    });
}

#[test]
fn a_user_takes_their_memberships_and_keys_with_them() {
    on_both(async |world| {
        settled(&world).await;
        let expected = ["k-nobody", "k-other", "k-works"].map(str::to_owned).to_vec();
        assert_eq!(left(&world, Level::User, "", "ada").await, (expected, 5));
        let memberships =
            world.db.list_memberships(Level::Member, &UserId::new("ada").expect("an id")).await;
        assert_eq!(memberships.expect("memberships"), []);
    });
}

#[test]
fn a_member_takes_only_their_keys_of_the_team_with_them() {
    on_both(async |world| {
        settled(&world).await;
        let expected = ["k-ada", "k-engine", "k-nobody", "k-other", "k-works"];
        let expected = expected.map(str::to_owned).to_vec();
        assert_eq!(left(&world, Level::Member, "loom", "ada").await, (expected, 7));
    });
}

#[test]
fn nothing_is_deleted_when_one_of_those_named_does_not_exist() {
    on_both(async |world| {
        settled(&world).await;
        let ids = ["engine", "absent"].map(str::to_owned);
        let deleted = world.edit().delete_entities(Level::Team, "", &ids).await;
        let Err(DeleteEntitiesError::Absent(id)) = deleted else { panic!("{deleted:?}") };
        assert_eq!(id, "absent");
        assert_eq!(world.number("SELECT COUNT(*) FROM entities").await, 8);
        assert_eq!(world.number("SELECT COUNT(*) FROM virtual_keys").await, 6);
    });
}

#[test]
fn nothing_is_inserted_when_one_of_them_exists() {
    on_both(async |world| {
        settled(&world).await;
        let rows = [entity(Level::Team, "", "new"), entity(Level::Member, "loom", "ada")];
        assert!(!world.edit().insert_entities(&rows).await.expect("entities"));
        assert_eq!(world.db.find_entity(Level::Team, "", "new").await.expect("entities"), None);
    });
}

#[test]
fn a_team_that_moves_takes_its_keys_of_the_same_organization_along() {
    on_both(async |world| {
        let of = |name: &str| OrganizationId::new(name).ok();
        for (id, organization) in [("a", of("old")), ("b", None), ("c", of("other"))] {
            let row = KeyRow { organization, ..team_key(id, "engine", "ada") };
            world.edit().insert_key(&row).await.expect("a new key");
        }
        let team = TeamId::new("engine").expect("an id");
        let organization = async |id: &str| {
            let row = world.db.find_key(&KeyHash::of(id)).await.expect("keys").expect("a key");
            row.organization
        };
        let moved = world.db.move_keys(&team, of("old").as_ref(), of("new").as_ref()).await;
        assert_eq!(moved.expect("a move"), [KeyHash::of("a")]);
        let moved = world.db.move_keys(&team, None, of("old").as_ref()).await;
        assert_eq!(moved.expect("a move"), [KeyHash::of("b")]);
        assert_eq!(organization("a").await, of("new"));
        assert_eq!(organization("b").await, of("old"));
        assert_eq!(organization("c").await, of("other"));
        let moved = world.db.move_keys(&team, of("new").as_ref(), None).await;
        assert_eq!(moved.expect("a move"), [KeyHash::of("a")]);
        assert_eq!(organization("a").await, None);
    });
}

#[test]
fn keys_are_listed_in_pages_the_newest_first() {
    on_both(async |world| {
        for number in 0..5u64 {
            let created_at = NOW.plus(Duration::from_secs(number));
            let alias = Some(format!("alias {number}"));
            let team = if number % 2 == 0 { "even" } else { "odd" };
            let row = team_key(&format!("k{number}"), team, "ada");
            let row = KeyRow { created_at, alias, ..row };
            world.edit().insert_key(&row).await.expect("a new key");
        }
        let page = async |filter: &KeyFilter, page: u32| -> (Vec<String>, u64) {
            let page = world.db.list_keys(filter, page, 2).await.expect("keys");
            (page.keys.iter().map(|row| row.id.to_string()).collect(), page.total)
        };
        let all = KeyFilter::default();
        let texts = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
        assert_eq!(page(&all, 0).await, (texts(&["k4", "k3"]), 5));
        assert_eq!(page(&all, 2).await, (texts(&["k0"]), 5));
        assert_eq!(page(&all, u32::MAX).await, (texts(&[]), 5));
        let odd = KeyFilter { team: Some("odd".to_owned()), ..KeyFilter::default() };
        assert_eq!(page(&odd, 0).await, (texts(&["k3", "k1"]), 2));
        let alias = KeyFilter { alias: Some("alias 2".to_owned()), ..odd.clone() };
        assert_eq!(page(&alias, 0).await, (texts(&[]), 0), "all of a filter applies");
        let one = KeyFilter { hash: Some(KeyHash::of("k2").expose_hex()), ..all };
        assert_eq!(page(&one, 0).await, (texts(&["k2"]), 1));
    });
}

#[test]
fn a_deleted_budget_lets_go_of_whoever_took_rules_from_it() {
    on_both(async |world| {
        let id = BudgetId::new("standard").expect("an id");
        let budget = |name: &str| BudgetRow {
            id: BudgetId::new(name).expect("an id"),
            limits: LimitFields { rpm_limit: Some(1), ..LimitFields::default() },
            created_at: NOW,
            created_by: None,
            updated_at: NOW,
            updated_by: None,
        };
        for name in ["a", "standard", "z"] {
            assert!(world.edit().insert_budget(&budget(name)).await.expect("a budget"));
        }
        let listed = world.db.list_budgets("a", 1).await.expect("budgets");
        assert_eq!(listed, [budget("standard")]);
        let row = KeyRow { budget: Some(id.clone()), ..key("k") };
        world.edit().insert_key(&row).await.expect("a new key");
        let team = EntityRow { budget: Some(id.clone()), ..entity(Level::Team, "", "engine") };
        assert!(world.edit().insert_entity(&team).await.expect("an entity"));

        assert!(world.edit().delete_budget(&id).await.expect("a deletion"));
        assert!(!world.edit().delete_budget(&id).await.expect("a deletion"));
        let row = world.db.find_key(&row.hash).await.expect("keys").expect("a key");
        let team = world.db.find_entity(Level::Team, "", "engine").await.expect("entities");
        assert_eq!((row.budget, team.and_then(|team| team.budget)), (None, None));
    });
}

#[test]
fn what_the_gateway_never_writes_is_an_error_and_not_an_absent_entity() {
    on_both(async |world| {
        settled(&world).await;
        world.execute("UPDATE entities SET limits = '[7'").await;
        let error = world.db.find_entity(Level::Team, "", "loom").await.expect_err("unreadable");
        assert!(matches!(error, StoreError::Unreadable { column: "limits", .. }), "{error}");
    });
}
