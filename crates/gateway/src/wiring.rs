//! Puts the parts together.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tollgate_admin::{Admin, Lent};
use tollgate_config::Snapshot;
use tollgate_domain::{Clock, Random, Secret, Timestamp};
use tollgate_proxy::Gate;
use tollgate_store::{
    ChangeListener, ClosedDays, Db, EntryRetention, KeyDirectory, Ledger, LedgerOptions, Presence,
    Recovered, ResponseLimits, Responses, Retention, Spool, Vault,
};
use tollgate_upstream::{Dispatcher, PoolOptions, ProxySettings};

use crate::gatekeeper::ProxyGatekeeper;
use crate::in_force::{InForce, Whole};
use crate::running::ProxyRunning;
use crate::serve::ConfigSource;
use crate::sharing::Sharing;
use crate::{description, environment, master_key};

/// The database's file in the data directory, when no other database is named.
const DATABASE_FILE: &str = "tollgate.sqlite";
/// The wait between two sweeps of kept answers that expired, and of entries that are too old.
const EXPIRY_INTERVAL: Duration = Duration::from_secs(600);
/// How often closed days are looked for. What was written late makes a page slower until then.
const DAYS_INTERVAL: Duration = Duration::from_secs(600);
/// Most virtual keys kept in memory.
const KEYS_CACHED_MAX: usize = 100_000;

/// What the gateway begins with.
pub(crate) struct Beginning {
    pub(crate) source: Arc<ConfigSource>,
    /// The configuration file's text.
    pub(crate) text: String,
    /// The configuration that it makes with what the database holds.
    pub(crate) whole: Whole,
    pub(crate) vault: Vault,
}

/// The gateway, ready to serve.
pub(crate) struct Wired {
    pub(crate) gate: Arc<Gate>,
    pub(crate) app: Router,
    pub(crate) ledger: Ledger,
    pub(crate) writing: JoinHandle<()>,
    /// Removes kept answers that expired, and entries that are too old.
    pub(crate) expiring: AbortOnDropHandle<()>,
    /// Loads tokenizers once calls need them.
    pub(crate) counting: AbortOnDropHandle<()>,
    /// Forgets what other gateways change, where there may be others.
    pub(crate) hearing: Option<AbortOnDropHandle<()>>,
    /// What puts changes of the configuration into force.
    pub(crate) in_force: Arc<InForce>,
    /// Puts into force what changes in the database.
    pub(crate) following: AbortOnDropHandle<()>,
    pub(crate) fresh_key: Option<Secret>,
    pub(crate) db: Db,
    pub(crate) presence: Kept,
    /// Keeps this node among those that share counters.
    pub(crate) sharing: Option<Sharing>,
}

/// The presence on the database, kept by a task until it is told to end it.
pub(crate) struct Kept {
    ending: CancellationToken,
    keeping: JoinHandle<()>,
}

impl Kept {
    fn start(presence: Presence, db: &Db) -> Self {
        let ending = CancellationToken::new();
        let keeping = tokio::spawn(presence.keep(db.clone(), ending.clone().cancelled_owned()));
        Self { ending, keeping }
    }

    pub(crate) async fn end(self) {
        self.ending.cancel();
        // It only fails by a panic, and its lock goes with its connection.
        let _ = self.keeping.await;
    }
}

/// Where the gateway's memory is.
pub(crate) fn database_url(snapshot: &Snapshot, data_dir: &Path) -> Secret {
    environment::first(&["DATABASE_URL"])
        .map(Secret::new)
        .or_else(|| snapshot.settings.database_url.clone())
        .unwrap_or_else(|| {
            Secret::new(format!("sqlite://{}", data_dir.join(DATABASE_FILE).display()))
        })
}

/// Opens the database and brings its schema up to date.
///
/// # Errors
/// When it cannot be reached or its schema cannot be brought up to date.
pub(crate) async fn open(url: &Secret) -> anyhow::Result<Db> {
    let db = Db::open(url.expose()).await.context("cannot open the database")?;
    db.migrate().await.context("cannot bring the database's schema up to date")?;
    Ok(db)
}

/// Settles what an earlier process left open, then puts the parts together.
///
/// # Errors
/// When the database fails or the master key is none.
pub(crate) async fn wire(
    db: Db,
    beginning: Beginning,
    (clock, random): (Arc<dyn Clock>, Arc<dyn Random>),
) -> anyhow::Result<Wired> {
    let Beginning { source, text, whole, vault } = beginning;
    let snapshot = Arc::new(whole.compiled.snapshot.clone());
    let spool = Spool::in_folder(&source.data_dir);
    let (presence, sole, recovered) = recovered(&db, &spool, clock.now()).await?;
    let presence = Kept::start(presence, &db);
    let master = master_key::settle(&db, snapshot.settings.master_key.as_ref(), &*random).await?;
    let calls = usize::try_from(snapshot.settings.calls_in_flight_max)?;
    let options = LedgerOptions {
        spool: Some(spool),
        backlog: usize::try_from(snapshot.settings.spool_rows_max)?,
        ..LedgerOptions::for_calls_in_flight(calls)
    };
    let (ledger, ledger_task) = Ledger::start(db.clone(), options, Arc::clone(&clock));
    let start = (sole, &recovered);
    let sharing = Sharing::start(&db, &snapshot.settings, start, (&clock, &*random)).await?;
    let keys = Arc::new(directory(&db, &snapshot, &clock, sharing.as_ref()));
    let upstream = Dispatcher::new(pool()?, Arc::clone(&clock))?;
    let responses = Responses::new(db.clone(), ResponseLimits::default());
    let gate = Arc::new(Gate::new(
        snapshot,
        (Arc::clone(&keys), Some(master.hash)),
        (ledger.clone(), responses.clone()),
        upstream,
        (Arc::clone(&clock), Arc::clone(&random)),
    ));
    let counting = AbortOnDropHandle::new(tokio::spawn(gate.supply_tokenizers()));
    let expiring = expiring(&db, responses, &gate, &clock);
    let sealed = (db.clone(), vault.clone());
    let in_force = Arc::new(InForce::new(source, Arc::clone(&gate), sealed, (text, &whole)));
    let following = AbortOnDropHandle::new(tokio::spawn(Arc::clone(&in_force).follow()));
    let hearing = ChangeListener::start(&db, Arc::clone(&keys), Arc::clone(&in_force.changed))
        .await
        .map(|listener| AbortOnDropHandle::new(tokio::spawn(listener.run())));
    let admin = Admin::new(db.clone(), keys, lent(&gate, &in_force), (clock, random, vault));
    let management = tollgate_admin::router(Arc::new(admin), description::pages());
    let app = tollgate_proxy::surface::router(Arc::clone(&gate), management);
    let writing = tokio::spawn(ledger_task.run());
    Ok(Wired {
        gate,
        app,
        ledger,
        writing,
        expiring,
        counting,
        hearing,
        in_force,
        following,
        fresh_key: master.fresh,
        db,
        presence,
        sharing,
    })
}

/// What the management API is lent of the data path.
fn lent(gate: &Arc<Gate>, in_force: &Arc<InForce>) -> Lent {
    let gatekeeper = Arc::new(ProxyGatekeeper(Arc::clone(gate)));
    let running = Arc::new(ProxyRunning(Arc::clone(gate)));
    let configuration: Arc<InForce> = Arc::clone(in_force);
    (gatekeeper, configuration, running)
}

/// Settles what an earlier process left open. Gives the lock that says a gateway works on the
/// database, whether this one was alone when it took it, and what was settled.
async fn recovered(
    db: &Db,
    spool: &Spool,
    now: Timestamp,
) -> anyhow::Result<(Presence, bool, Recovered)> {
    let Some(mut presence) = db.presence().await? else {
        anyhow::bail!(
            "another gateway uses this database file; end it, or give this one a data directory of \
             its own, or use Postgres for several"
        );
    };
    if !presence.is_sole() {
        tracing::info!("another gateway works on this database; open calls may be its own");
    }
    let recovered = tollgate_store::recover(db, &presence, Some(spool), now).await?;
    let sole = presence.is_sole();
    presence.share().await?;
    if recovered.replayed > 0 || recovered.unreadable > 0 {
        tracing::info!(
            entries = recovered.replayed,
            unreadable = recovered.unreadable,
            "the spool of an earlier process was taken into the ledger"
        );
    }
    if recovered.settled > 0 {
        tracing::warn!(
            calls = recovered.settled,
            cost = %recovered.cost,
            "calls that an earlier process left open were settled as interrupted"
        );
    }
    Ok((presence, sole, recovered))
}

/// Removes answers and entries whose time is over, and sums days that are, for as long as it is
/// held.
fn expiring(
    db: &Db,
    responses: Responses,
    gate: &Arc<Gate>,
    clock: &Arc<dyn Clock>,
) -> AbortOnDropHandle<()> {
    let retention = Retention::new(responses, Arc::clone(clock), EXPIRY_INTERVAL);
    let kept = Arc::clone(gate);
    let keeping = Arc::new(move || kept.snapshot().settings.entries_kept);
    let entries = EntryRetention::new(db.clone(), Arc::clone(clock), EXPIRY_INTERVAL, keeping);
    let zone = gate.keys().calendar().zone.clone();
    let days = ClosedDays::new(db.clone(), Arc::clone(clock), DAYS_INTERVAL, zone);
    AbortOnDropHandle::new(tokio::spawn(async {
        tokio::join!(retention.run(), entries.run(), days.run());
    }))
}

fn directory(
    db: &Db,
    snapshot: &Snapshot,
    clock: &Arc<dyn Clock>,
    sharing: Option<&Sharing>,
) -> KeyDirectory {
    let calendar = Arc::clone(&snapshot.settings.calendar);
    let keys = KeyDirectory::new(db.clone(), KEYS_CACHED_MAX, Arc::clone(clock), calendar);
    match sharing {
        Some(sharing) => keys.with_shared(sharing.counters.clone()),
        None => keys,
    }
}

/// How connections to upstreams are made: through the proxies of the environment, if it names any.
fn pool() -> anyhow::Result<PoolOptions> {
    let named = |upper: &str, lower: &str| environment::first(&[upper, lower]);
    let http = named("HTTP_PROXY", "http_proxy").map(Secret::new);
    let https = named("HTTPS_PROXY", "https_proxy").map(Secret::new);
    if http.is_none() && https.is_none() {
        return Ok(PoolOptions::default());
    }
    let no_proxy = named("NO_PROXY", "no_proxy").unwrap_or_default();
    let proxy = ProxySettings::new(http.as_ref(), https.as_ref(), &no_proxy)?;
    Ok(PoolOptions { proxy: Some(proxy), ..PoolOptions::default() })
}
