//! How much memory a key takes that is in use: one with a budget and two rate limits, in a team.
//!
//! It is a binary of its own because the counting allocator counts all that a binary does.

use std::sync::Arc;

use allocation_counter::measure;
use tempfile::TempDir;
use tollgate_domain::{Clock, KeyHash, KeyId, Money, TeamId, Ticks, Timestamp};
use tollgate_policy::{Calendar, Demand, Used};
use tollgate_store::{By, Db, KeyDirectory, KeyRow, KeyRules, LimitFields, claim};

/// How many keys are in use.
const KEYS: usize = 800;
/// The most bytes that one of them takes.
const KEY_BYTES_MAX: usize = 1_120;
const NOW: Timestamp = Timestamp::from_micros(1_777_716_000_000_000);

struct StandingClock;

impl Clock for StandingClock {
    fn now(&self) -> Timestamp {
        NOW
    }

    fn ticks(&self) -> Ticks {
        Ticks::from_nanos(0)
    }
}

fn key(number: usize) -> KeyRow {
    let id = format!("key-{number:032}");
    let limits = LimitFields {
        max_budget: Some(Money::from_nanos(100_000_000_000)),
        budget_duration: Some("30d".to_owned()),
        rpm_limit: Some(1_000),
        tpm_limit: Some(1_000_000),
        ..LimitFields::default()
    };
    KeyRow {
        hash: KeyHash::of(&id),
        id: KeyId::new(&id).expect("an id"),
        name: "sk-...1234".to_owned(),
        alias: None,
        user: None,
        team: TeamId::new("engine").ok(),
        organization: None,
        project: None,
        models: Vec::new(),
        limits,
        budget: None,
        expires_at: None,
        blocked: false,
        rules: KeyRules::default(),
        metadata: serde_json::Map::new(),
        created_at: NOW,
        created_by: None,
        updated_at: NOW,
        updated_by: None,
    }
}

/// A directory in which every key was used once.
async fn used_directory(db: &Db) -> KeyDirectory {
    let by = By::program("admin", NOW);
    let calendar = Arc::new(Calendar::default());
    let directory = KeyDirectory::new(db.clone(), KEYS, Arc::new(StandingClock), calendar);
    let demand = Demand { money: Money::from_nanos(1_000), tokens: 10 };
    for number in 0..KEYS {
        let row = key(number);
        db.edit(&by).insert_key(&row).await.expect("a new key");
        let record = directory.find(&row.hash).await.expect("keys").expect("the key");
        let chain = directory.chain(&record).await.expect("a chain");
        let claims = claim(&chain, &["gpt-4o"], &demand, directory.calendar(), NOW);
        claims.expect("it fits").settle(&Used { cost: Money::from_nanos(10), tokens: 3 });
    }
    directory
}

#[test]
fn a_key_in_use_takes_little_memory() {
    let folder = TempDir::new().expect("a temporary folder");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    let path = folder.path().join("tollgate.db").display().to_string();
    let db = runtime.block_on(Db::open(&path)).expect("a database");
    runtime.block_on(db.migrate()).expect("a schema");
    let directory = runtime.block_on(used_directory(&db));
    // What it held is what is freed with it: rows are made by threads that are not measured.
    let freed = measure(|| drop(directory)).bytes_current;
    runtime.block_on(db.close());
    let bytes = usize::try_from(-freed).expect("more is freed than made") / KEYS;
    assert!(bytes > 100 && bytes <= KEY_BYTES_MAX, "{bytes} bytes a key");
}
