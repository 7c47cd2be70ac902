//! What one gateway changes is forgotten by the others on the same server.

use std::sync::Arc;

use tokio::task::JoinHandle;
use tollgate_domain::{BudgetId, KeyHash, Level, Subject, TeamId, UserId};
use tollgate_policy::Calendar;
use tollgate_store::{BudgetRow, ChangeListener, Db, EntityRow, KeyDirectory, KeyRow, LimitFields};
use tollgate_testkit::patience::until;

use crate::keys::key;
use crate::world::{ManualClock, NOW, World, nanos, on_both};

/// Another gateway's directory, and the task that makes it forget.
struct Node {
    directory: Arc<KeyDirectory>,
    db: Db,
    hearing: JoinHandle<()>,
}

impl Node {
    /// `None` where there can be no other gateway.
    async fn beside(world: &World) -> Option<Self> {
        let db = Db::open(&world.url).await.expect("a second gateway's connections");
        let clock = Arc::new(ManualClock::default());
        let calendar = Arc::new(Calendar::default());
        let directory = Arc::new(KeyDirectory::new(db.clone(), 100, clock, calendar));
        let Some(listener) =
            ChangeListener::start(&db, Arc::clone(&directory), Arc::default()).await
        else {
            db.close().await;
            return None;
        };
        Some(Self { directory, db, hearing: tokio::spawn(listener.run()) })
    }

    async fn end(self) {
        self.hearing.abort();
        self.db.close().await;
    }

    async fn cap_of(&self, subject: &Subject) -> Option<tollgate_domain::Money> {
        let level = self.directory.level(subject).await.expect("a level");
        level.max_budget()
    }
}

fn capped(cap: i64) -> LimitFields {
    LimitFields { max_budget: Some(nanos(cap)), ..LimitFields::default() }
}

#[test]
fn a_change_of_anybody_whose_limits_bind_is_heard() {
    on_both(async |world| {
        let Some(node) = Node::beside(&world).await else { return };
        let team = TeamId::new("team").expect("an id");
        let member = Subject::member(&team, &UserId::new("user").expect("an id"));
        let budget = BudgetId::new("shared").expect("an id");
        let rows = [
            (Subject::new(Level::Team, "team"), EntityRow::new(Level::Team, "", "team", NOW)),
            (member, EntityRow::new(Level::Member, "team", "user", NOW)),
        ];
        for (subject, row) in &rows {
            assert_eq!(node.cap_of(subject).await, None);
            let row = EntityRow { limits: capped(7), ..row.clone() };
            assert!(world.edit().insert_entity(&row).await.expect("an entity"));
            heard(&node, subject, Some(7)).await;
            let row = EntityRow { limits: LimitFields::default(), ..row };
            let row = EntityRow { budget: Some(budget.clone()), ..row };
            world.update_entity(&row).await;
            heard(&node, subject, None).await;
        }
        let shared = BudgetRow {
            id: budget.clone(),
            limits: capped(9),
            created_at: NOW,
            created_by: None,
            updated_at: NOW,
            updated_by: None,
        };
        assert!(world.edit().insert_budget(&shared).await.expect("a budget"));
        heard(&node, &rows[0].0, Some(9)).await;
        heard(&node, &rows[1].0, Some(9)).await;
        assert!(world.edit().delete_budget(&budget).await.expect("a budget"));
        heard(&node, &rows[1].0, None).await;
        node.end().await;
    });
}

/// The node knows this cap of somebody, sooner or later.
async fn heard(node: &Node, subject: &Subject, cap: Option<i64>) {
    until(&format!("a cap of {cap:?} for {subject:?}"), || async {
        (node.cap_of(subject).await == cap.map(nanos)).then_some(())
    })
    .await;
}

#[test]
fn a_change_of_a_key_is_heard_by_its_identity_even_when_its_text_is_renewed() {
    on_both(async |world| {
        let Some(node) = Node::beside(&world).await else { return };
        let renewed = KeyHash::of("renewed");
        assert!(node.directory.find(&key("k").hash).await.expect("keys").is_none());
        world.edit().insert_key(&key("k")).await.expect("a new key");
        until_known(&node, &key("k").hash, true).await;
        assert!(node.directory.find(&renewed).await.expect("keys").is_none());
        let row = KeyRow { hash: renewed, ..key("k") };
        world.update_key(&row).await.expect("an update").expect("a key");
        until_known(&node, &key("k").hash, false).await;
        until_known(&node, &renewed, true).await;
        world.edit().delete_keys(&[renewed]).await.expect("deleted");
        until_known(&node, &renewed, false).await;
        node.end().await;
    });
}

async fn until_known(node: &Node, hash: &KeyHash, known: bool) {
    until("the key's change to be heard", || async {
        let found = node.directory.find(hash).await.expect("keys");
        (found.is_some() == known).then_some(())
    })
    .await;
}
