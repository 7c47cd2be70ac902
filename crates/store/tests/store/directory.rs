//! Keys and those above them in memory.

use std::sync::Arc;
use std::time::Duration;

use tollgate_domain::{
    BudgetId, Clock as _, Entry, KeyHash, Level, ModelName, Money, Subject, TeamId, UserId,
};
use tollgate_policy::{Calendar, Demand, Measure, Used};
use tollgate_store::{
    BudgetRow, Cached, Claims, EntityRow, Exceeded, KeyDirectory, KeyRecord, KeyRow, LimitFields,
    ModelBudgetField, NEGATIVE_LIFETIME, Replaced, claim,
};

use crate::keys::key;
use crate::world::{ManualClock, NOW, World, entry, nanos, on_both, quick, record};

/// A directory over a world's database, with a clock that the test moves.
struct Desk {
    directory: KeyDirectory,
    clock: Arc<ManualClock>,
}

impl Desk {
    fn new(world: &World, capacity: usize) -> Self {
        let clock = Arc::new(ManualClock::default());
        let calendar = Arc::new(Calendar::default());
        let directory = KeyDirectory::new(world.db.clone(), capacity, clock.clone(), calendar);
        Self { directory, clock }
    }

    async fn with_key(world: &World, row: KeyRow) -> Self {
        world.edit().insert_key(&row).await.expect("a new key");
        Self::new(world, 100)
    }

    async fn find(&self, id: &str) -> Option<Arc<KeyRecord>> {
        self.directory.find(&KeyHash::of(id)).await.expect("keys")
    }

    /// What a call of the key that may cost so much holds.
    async fn call(&self, id: &str, most: i64) -> Result<Claims, Box<Exceeded>> {
        let record = self.find(id).await.expect("a key");
        let chain = self.directory.chain(&record).await.expect("a chain");
        let demand = Demand { money: nanos(most), tokens: 10 };
        claim(&chain, &["gpt-4o"], &demand, self.directory.calendar(), self.clock.now())
    }

    async fn refused(&self, id: &str, most: i64) -> (Level, Measure) {
        let exceeded = self.call(id, most).await.expect_err("a limit");
        (exceeded.level.subject.level, exceeded.tally.measure)
    }

    /// What a key spent and holds.
    async fn money(&self, id: &str) -> (Money, Money) {
        let own = Arc::clone(&self.find(id).await.expect("a key").own);
        (own.spent(self.directory.calendar(), self.clock.now()), own.held())
    }
}

const fn cost(count: i64) -> Used {
    Used { cost: nanos(count), tokens: 3 }
}

fn capped(cap: i64) -> LimitFields {
    LimitFields { max_budget: Some(nanos(cap)), ..LimitFields::default() }
}

#[test]
fn a_known_key_costs_no_database_and_an_unknown_one_is_not_taken_for_absent() {
    on_both(async |world| {
        let row = KeyRow { models: vec!["gpt-4o".to_owned()], ..key("k") };
        let desk = Desk::with_key(&world, row.clone()).await;
        assert!(desk.directory.cached(&row.hash).is_none());
        let first = desk.find("k").await.expect("a key");
        world.db.close().await;
        desk.clock.go_on(Duration::from_secs(86_400));
        let again = desk.find("k").await;
        assert!(again.is_some_and(|again| Arc::ptr_eq(&first, &again)));
        assert!(matches!(desk.directory.cached(&row.hash), Some(Cached::Known(_))));
        assert_eq!(first.attribution.key, row.id);
        assert!(first.own.grant.allows("gpt-4o") && !first.own.grant.allows("gpt-4"));
        let unreachable = desk.directory.find(&KeyHash::of("other")).await;
        assert!(unreachable.expect_err("nobody knows").is_unavailable());
    });
}

#[test]
fn an_absent_key_is_remembered_for_a_moment_only() {
    on_both(async |world| {
        let desk = Desk::new(&world, 100);
        assert!(desk.find("k").await.is_none());
        world.edit().insert_key(&key("k")).await.expect("a new key");
        desk.clock.go_on(NEGATIVE_LIFETIME - Duration::from_nanos(1));
        assert!(desk.find("k").await.is_none());
        desk.clock.go_on(Duration::from_nanos(1));
        assert!(desk.find("k").await.is_some());
    });
}

#[test]
fn a_change_binds_the_next_request_and_keeps_the_money_that_is_held() {
    on_both(async |world| {
        let desk = Desk::with_key(&world, key("k")).await;
        assert!(desk.find("new").await.is_none());
        let held = desk.call("k", 70).await.expect("no cap");

        let changed = KeyRow { blocked: true, limits: capped(100), ..key("k") };
        world.update_key(&changed).await.expect("an update").expect("a key");
        desk.directory.forget(&changed.hash);
        assert!(desk.find("k").await.expect("a key").own.blocked);
        assert_eq!(desk.refused("k", 31).await, (Level::Key, Measure::Money));
        held.settle(&cost(50));
        assert_eq!(desk.money("k").await, (nanos(50), nanos(0)));

        world.edit().insert_key(&key("new")).await.expect("a new key");
        desk.directory.forget(&KeyHash::of("new"));
        assert!(desk.find("new").await.is_some());
        world.edit().delete_keys(&[changed.hash]).await.expect("deleted");
        desk.directory.forget(&changed.hash);
        assert!(desk.find("k").await.is_none());
    });
}

#[test]
fn a_key_whose_text_is_renewed_keeps_its_budget() {
    on_both(async |world| {
        let desk = Desk::with_key(&world, key("k")).await;
        let held = desk.call("k", 70).await.expect("no cap");
        let renewed = KeyRow { hash: KeyHash::of("renewed"), ..key("k") };
        world.update_key(&renewed).await.expect("an update").expect("a key");
        desk.directory.forget(&key("k").hash);
        desk.directory.forget(&renewed.hash);
        assert!(desk.find("k").await.is_none());
        assert_eq!(desk.money("renewed").await, (nanos(0), nanos(70)));
        drop(held);
    });
}

#[test]
fn a_budget_starts_with_what_the_ledger_says() {
    on_both(async |world| {
        let (ledger, _task) = world.ledger(quick());
        record(&ledger, [entry(1), Entry { cost: None, ..entry(2) }, entry(3)]);
        ledger.flush().await;
        let desk = Desk::with_key(&world, KeyRow { limits: capped(600), ..key("key-1") }).await;
        assert_eq!(desk.money("key-1").await, (nanos(500), nanos(0)));
        assert_eq!(desk.refused("key-1", 101).await, (Level::Key, Measure::Money));
        drop(desk.call("key-1", 100).await.expect("it fits exactly"));
    });
}

#[test]
fn a_daily_budget_starts_with_what_the_day_cost_and_is_free_again_the_next() {
    on_both(async |world| {
        let (ledger, _task) = world.ledger(quick());
        let yesterday = Entry { admitted_at: NOW_LAST_DAY, ..entry(2) };
        record(&ledger, [entry(1), yesterday]);
        ledger.flush().await;
        let daily = LimitFields { budget_duration: Some("1d".to_owned()), ..capped(300) };
        let desk = Desk::with_key(&world, KeyRow { limits: daily, ..key("key-1") }).await;
        assert_eq!(desk.money("key-1").await, (nanos(250), nanos(0)));
        assert_eq!(desk.refused("key-1", 51).await, (Level::Key, Measure::Money));
        desk.clock.go_on(Duration::from_secs(86_400));
        assert_eq!(desk.money("key-1").await, (nanos(0), nanos(0)));
        desk.call("key-1", 300).await.expect("a new day").settle(&cost(1));
    });
}

const NOW_LAST_DAY: tollgate_domain::Timestamp =
    tollgate_domain::Timestamp::from_micros(NOW.micros() - 86_400_000_000);

#[test]
fn a_soft_budget_is_told_once_in_each_window_and_refuses_nothing() {
    on_both(async |world| {
        let soft = LimitFields {
            soft_budget: Some(nanos(50)),
            budget_duration: Some("1d".to_owned()),
            ..capped(1_000)
        };
        let desk = Desk::with_key(&world, KeyRow { limits: soft, ..key("k") }).await;
        let told = async || {
            let chain = desk.directory.chain(&desk.find("k").await.expect("a key")).await;
            let chain = chain.expect("a chain");
            desk.directory.newly_over_soft(&chain, desk.clock.now()).count()
        };
        desk.call("k", 60).await.expect("no cap").settle(&cost(49));
        assert_eq!(told().await, 0);
        desk.call("k", 60).await.expect("no cap").settle(&cost(1));
        assert_eq!((told().await, told().await), (1, 0));
        desk.directory.forget(&key("k").hash);
        assert_eq!(told().await, 0, "a change of the key is no new window");
        desk.call("k", 60).await.expect("nothing is refused").settle(&cost(1));
        desk.clock.go_on(Duration::from_secs(86_400));
        assert_eq!(told().await, 0);
        desk.call("k", 60).await.expect("a new day").settle(&cost(50));
        assert_eq!((told().await, told().await), (1, 0));
    });
}

#[test]
fn requests_that_load_a_key_at_once_share_one_budget() {
    on_both(async |world| {
        let row = KeyRow { limits: capped(16 * 5), ..key("k") };
        let desk = Arc::new(Desk::with_key(&world, row).await);
        let one = || {
            let desk = Arc::clone(&desk);
            tokio::spawn(async move { desk.call("k", 5).await.expect("it fits") })
        };
        let tasks: Vec<_> = (0..16).map(|_| one()).collect();
        let mut held = Vec::new();
        for task in tasks {
            held.push(task.await.expect("no panic"));
        }
        assert_eq!(desk.money("k").await, (nanos(0), nanos(80)));
        assert!(desk.call("k", 1).await.is_err());
    });
}

#[test]
fn memory_holds_no_more_keys_than_it_may() {
    on_both(async |world| {
        let desk = Desk::new(&world, 3);
        for number in 0..6u64 {
            let id = format!("k{number}");
            world.edit().insert_key(&key(&id)).await.expect("a new key");
            assert!(desk.find(&id).await.is_some() && desk.directory.len() <= 3);
            desk.clock.go_on(Duration::from_nanos(1));
        }
        let cached = |id: &str| desk.directory.cached(&KeyHash::of(id));
        assert!(matches!(cached("k5"), Some(Cached::Known(_))));
        assert!(cached("k0").is_none(), "the oldest went");
        assert!(desk.find("k0").await.is_some());
    });
}

/// A key of a team and a user.
fn teamed() -> KeyRow {
    KeyRow { team: TeamId::new("engine").ok(), user: UserId::new("ada").ok(), ..key("k") }
}

fn entity(level: Level, within: &str, id: &str, limits: LimitFields) -> EntityRow {
    EntityRow { limits, ..EntityRow::new(level, within, id, NOW) }
}

#[test]
fn every_level_above_a_key_binds_its_calls_all_or_none() {
    on_both(async |world| {
        let desk = Desk::with_key(&world, KeyRow { limits: capped(1_000), ..teamed() }).await;
        let rows = [
            entity(Level::Team, "", "engine", capped(100)),
            entity(Level::Member, "engine", "ada", capped(40)),
            entity(Level::User, "", "ada", capped(70)),
            entity(Level::User, "", "bob", capped(0)),
        ];
        for row in &rows {
            assert!(world.edit().insert_entity(row).await.expect("an entity"));
        }
        assert!(!world.edit().insert_entity(&rows[0]).await.expect("an entity"), "it exists");
        assert_eq!(desk.refused("k", 101).await, (Level::Team, Measure::Money));
        assert_eq!(desk.refused("k", 41).await, (Level::Member, Measure::Money));
        desk.call("k", 40).await.expect("all allow it").settle(&cost(10));
        assert_eq!(desk.money("k").await, (nanos(10), nanos(0)));
        let wider = entity(Level::Member, "engine", "ada", capped(500));
        world.update_entity(&wider).await;
        desk.directory.forget_level(&Subject::member(
            &TeamId::new("engine").expect("an id"),
            &UserId::new("ada").expect("an id"),
        ));
        assert_eq!(desk.refused("k", 61).await, (Level::User, Measure::Money));
        drop(desk.call("k", 60).await.expect("10 are spent, 60 of 70 are left"));
    });
}

#[test]
fn a_shared_budget_gives_its_rules_to_each_and_a_change_of_it_binds_all() {
    on_both(async |world| {
        let budget = BudgetId::new("standard").expect("an id");
        let shared = BudgetRow {
            id: budget.clone(),
            limits: capped(50),
            created_at: NOW,
            created_by: None,
            updated_at: NOW,
            updated_by: None,
        };
        assert!(world.edit().insert_budget(&shared).await.expect("a budget"));
        let of = |id| KeyRow { budget: Some(budget.clone()), ..key(id) };
        world.edit().insert_key(&of("other")).await.expect("a new key");
        let desk = Desk::with_key(&world, of("k")).await;
        desk.call("k", 50).await.expect("its own 50").settle(&cost(50));
        drop(desk.call("other", 50).await.expect("the other's own 50"));
        assert_eq!(desk.refused("k", 1).await, (Level::Key, Measure::Money));
        let raised = BudgetRow { limits: capped(51), ..shared };
        world.update_budget(&raised).await;
        desk.directory.forget_budget(&budget);
        drop(desk.call("k", 1).await.expect("one more"));
    });
}

#[test]
fn a_window_that_was_removed_counts_on_from_the_ledger_when_it_is_set_again() {
    on_both(async |world| {
        let (ledger, _task) = world.ledger(quick());
        let daily = LimitFields { budget_duration: Some("1d".to_owned()), ..capped(600) };
        let with = |limits: &LimitFields| KeyRow { limits: limits.clone(), ..key("key-1") };
        let desk = Desk::with_key(&world, with(&daily)).await;
        assert_eq!(desk.money("key-1").await, (nanos(0), nanos(0)));
        let change = async |limits: &LimitFields| {
            world.update_key(&with(limits)).await.expect("an update").expect("a key");
            desk.directory.forget(&KeyHash::of("key-1"));
            desk.money("key-1").await
        };
        change(&LimitFields::default()).await;
        record(&ledger, [entry(1), entry(2)]);
        ledger.flush().await;
        assert_eq!(change(&daily).await, (nanos(500), nanos(0)));
        assert_eq!(desk.refused("key-1", 101).await, (Level::Key, Measure::Money));

        // A changed maximum keeps what is held.
        let held = desk.call("key-1", 40).await.expect("it fits");
        let raised = LimitFields { max_budget: Some(nanos(700)), ..daily };
        assert_eq!(change(&raised).await, (nanos(500), nanos(40)));
        drop(held);
    });
}

#[test]
fn rates_and_limits_of_one_model_bind_beside_the_rest() {
    on_both(async |world| {
        let of_model = ModelBudgetField { max_budget: Some(nanos(7)), ..Default::default() };
        let limits = LimitFields {
            rpm_limit: Some(3),
            tpm_limit: Some(35),
            max_parallel_requests: Some(2),
            model_max_budget: [("gpt-4o".to_owned(), of_model)].into(),
            ..LimitFields::default()
        };
        let desk = Desk::with_key(&world, KeyRow { limits, ..key("k") }).await;
        assert_eq!(desk.refused("k", 8).await, (Level::Key, Measure::Money));
        let first = desk.call("k", 3).await.expect("the first");
        assert_eq!(first.standing().requests.map(|left| left.remaining), Some(2));
        let second = desk.call("k", 3).await.expect("the second");
        assert_eq!(desk.refused("k", 1).await, (Level::Key, Measure::Calls));
        first.settle(&cost(1));
        second.settle(&cost(1));
        desk.call("k", 3).await.expect("the third").settle(&cost(1));
        assert_eq!(desk.refused("k", 1).await, (Level::Key, Measure::Requests));
        desk.clock.go_on(Duration::from_secs(60));
        drop(desk.call("k", 4).await.expect("the next minute; 3 of 7 are spent"));
        assert_eq!(desk.refused("k", 5).await, (Level::Key, Measure::Money));
        assert!(ModelName::new("gpt-4o").is_ok());
    });
}

#[test]
fn a_text_that_was_replaced_is_taken_until_its_grace_ends_and_follows_every_change() {
    on_both(async |world| {
        let desk = Desk::with_key(&world, key("k")).await;
        let until = desk.clock.now().plus(Duration::from_secs(60));
        let mut renewed = KeyRow { hash: KeyHash::of("second"), ..key("k") };
        let done = world.edit().renew_key(&mut renewed, Some(until)).await.expect("a renewal");
        assert_eq!(done, Replaced::Done);
        desk.directory.forget(&key("k").hash);
        let before = desk.find("k").await.expect("the text before is still taken");
        assert_eq!(before.hash, renewed.hash);

        let blocked = KeyRow { blocked: true, ..renewed };
        world.update_key(&blocked).await.expect("an update").expect("a key");
        desk.directory.forget(&blocked.hash);
        assert!(desk.find("k").await.expect("a key").own.blocked);
        assert!(desk.find("second").await.expect("a key").own.blocked);

        desk.clock.go_on(Duration::from_secs(60));
        assert!(desk.find("k").await.is_none(), "its grace has ended");
        assert!(desk.find("second").await.is_some());
    });
}

#[test]
fn what_is_waived_counts_no_more_and_stays_in_the_ledger() {
    on_both(async |world| {
        let limits = LimitFields { budget_duration: Some("30d".to_owned()), ..capped(260) };
        let (ledger, _task) = world.ledger(quick());
        record(&ledger, [entry(1)]);
        ledger.flush().await;
        let desk = Desk::with_key(&world, KeyRow { limits, ..key("key-1") }).await;
        assert_eq!(desk.refused("key-1", 30).await, (Level::Key, Measure::Money));
        let own = Arc::clone(&desk.find("key-1").await.expect("a key").own);
        desk.directory.waive(world.edit(), &own, nanos(15), "w1").await.expect("waived");
        assert_eq!(desk.money("key-1").await.0, nanos(15));
        desk.directory.waive(world.edit(), &own, nanos(50), "w2").await.expect("nothing to waive");
        assert_eq!(desk.money("key-1").await.0, nanos(15), "it is never raised");
        drop(desk.call("key-1", 245).await.expect("as much as was waived"));
        assert_eq!(world.spent("key-1").await, nanos(250), "the ledger says what was paid");

        let fresh = Desk { directory: Desk::new(&world, 9).directory, clock: desk.clock.clone() };
        assert_eq!(fresh.money("key-1").await.0, nanos(15), "a start finds the same");
    });
}
