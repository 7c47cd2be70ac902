//! A fresh database on each engine, and the calls that tests record in it.

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use sqlx::Row as _;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tollgate_domain::{
    AttemptRecord, Attribution, CallId, Clock, CustomerId, DeploymentId, Entry, KeyId, Level,
    ModelName, Money, OpenEntry, OrganizationId, Outcome, PriceSheetId, ProjectId, ProviderName,
    Quantity, Subject, TagName, TeamId, Ticks, Timestamp, Usage, UsageKind, UsageSource, UserId,
};
use tollgate_policy::Span;
use tollgate_store::{
    BudgetRow, By, Db, Editor, EntityRow, KeyFilter, KeyRow, Ledger, LedgerOptions, Recovered,
    Replaced, Spool, UpdateKeyError, recover,
};
use tollgate_testkit::postgres::TestDatabase;

/// Runs a test on SQLite and then on Postgres, each time on an empty database of its own.
pub(crate) fn on_both<F: Future<Output = ()>>(test: impl Fn(World) -> F) {
    let folder = TempDir::new().expect("a temporary folder");
    let path = folder.path().join("tollgate.db").display().to_string();
    on_one(path, folder, &test);
    let database = TestDatabase::create();
    let folder = TempDir::new().expect("a temporary folder");
    on_one(database.url().to_owned(), folder, &test);
}

fn on_one<F: Future<Output = ()>>(url: String, folder: TempDir, test: impl Fn(World) -> F) {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let db = Db::open(&url).await.expect("a database");
        db.migrate().await.expect("a schema");
        test(World { db: db.clone(), url, folder }).await;
        db.close().await;
    });
}

fn next(at: Timestamp) -> Timestamp {
    Timestamp::from_micros(at.micros() + 1)
}

/// One database.
pub(crate) struct World {
    pub(crate) db: Db,
    pub(crate) url: String,
    pub(crate) folder: TempDir,
}

/// Whoever changes something in these tests.
static BY: LazyLock<By> = LazyLock::new(|| By::program("admin", Timestamp::from_micros(0)));

impl World {
    /// The database, for what the tests change.
    pub(crate) fn edit(&self) -> Editor<'_> {
        self.db.edit(&BY)
    }

    /// Replaces a key, whatever it is now, and gives it as it is then; `None` when there is none.
    pub(crate) async fn update_key(&self, row: &KeyRow) -> Result<Option<KeyRow>, UpdateKeyError> {
        let page = self.db.list_keys(&KeyFilter::default(), 0, 100).await.expect("keys");
        let now = page.keys.into_iter().find(|key| key.id == row.id);
        let Some(updated_at) = now.map(|key| key.updated_at) else { return Ok(None) };
        let mut row = KeyRow { updated_at, ..row.clone() };
        match self.edit().update_key(&mut row).await? {
            Replaced::Done => Ok(Some(row)),
            replaced => panic!("the key is {replaced:?}"),
        }
    }

    /// Replaces an entity that there is, whatever it is now.
    pub(crate) async fn update_entity(&self, row: &EntityRow) {
        let mut row = row.clone();
        while self.edit().update_entity(&mut row).await.expect("an update") != Replaced::Done {
            row.updated_at = next(row.updated_at);
        }
    }

    /// Replaces a budget that there is, whatever it is now.
    pub(crate) async fn update_budget(&self, row: &BudgetRow) {
        let mut row = row.clone();
        while self.edit().update_budget(&mut row).await.expect("an update") != Replaced::Done {
            row.updated_at = next(row.updated_at);
        }
    }

    /// Runs a statement that no part of the store would.
    pub(crate) async fn execute(&self, text: &'static str) {
        match &self.db {
            Db::Sqlite { writer, .. } => sqlx::query(text).execute(writer).await.map(drop),
            Db::Postgres(pool) => sqlx::query(text).execute(pool).await.map(drop),
        }
        .expect("a statement");
    }

    /// The one number that a statement gives.
    pub(crate) async fn number(&self, text: &'static str) -> i64 {
        match &self.db {
            Db::Sqlite { writer, .. } => {
                sqlx::query(text).fetch_one(writer).await.map(|row| row.get(0))
            }
            Db::Postgres(pool) => sqlx::query(text).fetch_one(pool).await.map(|row| row.get(0)),
        }
        .expect("a number")
    }

    /// Settles what was left behind, as the only gateway there is.
    pub(crate) async fn recover(&self, spool: Option<&Spool>, now: Timestamp) -> Recovered {
        let presence = self.db.presence().await.expect("a presence").expect("nobody else");
        let recovered = recover(&self.db, &presence, spool, now).await.expect("recovery");
        presence.end().await;
        recovered
    }

    /// The same while others may be at work, so that only the spool says what is left behind.
    pub(crate) async fn recover_beside_others(&self, spool: &Spool, now: Timestamp) -> Recovered {
        let mut presence = self.db.presence().await.expect("a presence").expect("nobody else");
        presence.share().await.expect("a shared presence");
        let recovered = recover(&self.db, &presence, Some(spool), now).await.expect("recovery");
        presence.end().await;
        recovered
    }

    pub(crate) async fn count_entries(&self) -> i64 {
        self.number("SELECT COUNT(*) FROM ledger_entries").await
    }

    pub(crate) async fn count_openings(&self) -> i64 {
        self.number("SELECT COUNT(*) FROM open_calls").await
    }

    /// Makes every writing of an entry fail, as a database does that is away.
    pub(crate) async fn take_away(&self) {
        self.execute("ALTER TABLE ledger_entries RENAME TO taken_away").await;
    }

    pub(crate) async fn give_back(&self) {
        self.execute("ALTER TABLE taken_away RENAME TO ledger_entries").await;
    }

    /// Starts a ledger whose task runs until it is stopped or its handles are gone.
    /// What a key spent in all.
    pub(crate) async fn spent(&self, key: &str) -> Money {
        let subject = Subject::new(Level::Key, key);
        let ever = Span { start: Timestamp::EPOCH, end: Timestamp::from_micros(i64::MAX) };
        self.db.spent(&subject, None, ever).await.expect("spend")
    }

    pub(crate) fn ledger(&self, options: LedgerOptions) -> (Ledger, JoinHandle<()>) {
        let (ledger, task) = Ledger::start(self.db.clone(), options, Arc::new(FixedClock));
        (ledger, tokio::spawn(task.run()))
    }
}

/// Options that make a test quick.
pub(crate) fn quick() -> LedgerOptions {
    LedgerOptions {
        commit_interval: Duration::from_millis(1),
        progress_interval: Duration::from_millis(1),
        ..LedgerOptions::for_calls_in_flight(4_000)
    }
}

/// A clock that a test moves.
#[derive(Default)]
pub(crate) struct ManualClock {
    moved: AtomicU64,
}

impl ManualClock {
    pub(crate) fn go_on(&self, duration: Duration) {
        let nanos = u64::try_from(duration.as_nanos()).expect("short");
        self.moved.fetch_add(nanos, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        NOW.plus(Duration::from_nanos(self.moved.load(Ordering::SeqCst)))
    }

    fn ticks(&self) -> Ticks {
        Ticks::from_nanos(self.moved.load(Ordering::SeqCst))
    }
}

/// A clock that stands.
pub(crate) struct FixedClock;

/// What it shows.
pub(crate) const NOW: Timestamp = Timestamp::from_micros(1_777_716_000_000_000);

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        NOW
    }

    fn ticks(&self) -> Ticks {
        Ticks::from_nanos(0)
    }
}

pub(crate) fn call(number: u128) -> CallId {
    CallId::from_uuid(uuid::Uuid::from_u128(number))
}

pub(crate) fn key_id(text: &str) -> KeyId {
    KeyId::new(text).expect("an id")
}

pub(crate) const fn nanos(count: i64) -> Money {
    Money::from_nanos(count)
}

/// Someone with every level above a key.
pub(crate) fn attribution(key: &str) -> Arc<Attribution> {
    Arc::new(Attribution {
        key: key_id(key),
        user: UserId::new("ada").ok(),
        team: TeamId::new("engine").ok(),
        organization: OrganizationId::new("works").ok(),
        project: ProjectId::new("loom").ok(),
        customer: CustomerId::new("byron").ok(),
        tags: ["blue", "100%_\\"].iter().filter_map(|tag| TagName::new(tag).ok()).collect(),
    })
}

/// A call of `key-1` that was just admitted.
pub(crate) fn opening(number: u128) -> OpenEntry {
    OpenEntry {
        call: call(number),
        admitted_at: NOW,
        attribution: attribution("key-1"),
        model_group: ModelName::new("gpt-4o").expect("a name"),
        streamed: true,
        held: Some(nanos(1_000)),
        input_estimate: Quantity::whole(10),
        input_cost: Some(nanos(100)),
        price_sheet: PriceSheetId::new("sheet-1").ok(),
    }
}

/// The entry of a call of `key-1` that completed and cost 250 nano-dollars.
pub(crate) fn entry(number: u128) -> Entry {
    Entry {
        call: call(number),
        admitted_at: NOW,
        settled_at: NOW.plus(Duration::from_secs(2)),
        first_byte_at: Some(NOW.plus(Duration::from_millis(300))),
        attribution: attribution("key-1"),
        model_group: ModelName::new("gpt-4o").expect("a name"),
        deployment: DeploymentId::new("gpt-4o/1").ok(),
        provider: ProviderName::new("openai").ok(),
        upstream_model: Some(Arc::from("gpt-4o-2024-08-06")),
        streamed: true,
        outcome: Outcome::Completed,
        usage: Usage::UNKNOWN
            .with(UsageKind::Input, Quantity::whole(12))
            .with(UsageKind::Output, Quantity::from_milli(2_500)),
        usage_source: UsageSource::Reported,
        price_sheet: PriceSheetId::new("sheet-1").ok(),
        cost: Some(nanos(250)),
        attempts: vec![AttemptRecord {
            deployment: DeploymentId::new("gpt-4o/1").expect("an id"),
            provider: ProviderName::new("openai").expect("a name"),
            status: Some(429),
            reason: Some("upstream_rate_limited"),
            elapsed: Duration::from_millis(120),
        }],
    }
}

/// Opens and closes calls in one go.
pub(crate) fn record(ledger: &Ledger, entries: impl IntoIterator<Item = Entry>) {
    for entry in entries {
        let mut slot = ledger.reserve().expect("a place");
        slot.open(OpenEntry { call: entry.call, ..opening(0) });
        slot.close(&entry);
    }
}
