//! `tollgate serve`: from a configuration file to an ended process.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use arc_swap::ArcSwap;
use axum::Router;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tollgate_config::{Compiled, Finding, Severity, Snapshot, Stored};
use tollgate_domain::{Clock, Random, Secret};
use tollgate_simulator::{Options, Script, Simulator};
use tollgate_store::Db;

use crate::cli::Serve;
use crate::random::SystemRandom;
use crate::shutdown::EndSignals;
use crate::wiring::{self, Beginning, Wired};
use crate::{banner, clock, environment, in_force, listener, reload, salt_key, startup, telemetry};

/// How long a database that is away at the start is waited for.
const DATABASE_WAIT_MAX: Duration = Duration::from_secs(60);
/// The wait between two tries to reach it.
const DATABASE_PAUSE: Duration = Duration::from_millis(500);

/// Where the configuration comes from, for the start and for each reload.
pub(crate) struct ConfigSource {
    pub(crate) file: PathBuf,
    pub(crate) data_dir: PathBuf,
    /// The address of the built-in simulator, when it runs.
    pub(crate) simulator: Option<String>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl ConfigSource {
    /// The file's text as it is now.
    pub(crate) fn read(&self) -> anyhow::Result<String> {
        startup::read_config(&self.file)
    }

    /// Compiles a text of the file with what a database adds. The inner error is every finding,
    /// rendered.
    pub(crate) fn compile(
        &self,
        text: &str,
        stored: &Stored,
    ) -> anyhow::Result<Result<Compiled, String>> {
        let lookup = |name: &str| {
            environment::lookup(name).or_else(|| {
                self.simulator.as_deref().and_then(|url| startup::built_in(name, Some(url)))
            })
        };
        let dated = (Some(self.data_dir.as_path()), self.clock.now());
        startup::compile_with((&self.file, text), &lookup, dated, stored)
    }

    /// Says in the log what is not as it seems in the file.
    pub(crate) fn tell(&self, compiled: &Compiled) {
        compiled.warnings.iter().for_each(tell);
    }
}

/// Serves until asked to end.
///
/// # Errors
/// When the gateway cannot start; nothing half-starts.
pub(crate) fn run(args: &Serve) -> anyhow::Result<()> {
    telemetry::start();
    for name in environment::unknown_names() {
        let close = tollgate_policy::nearest(&name, environment::KNOWN.into_iter(), 1);
        tracing::warn!(
            name,
            nearest = close.first(),
            "an environment variable has no meaning here"
        );
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve(args))
}

async fn serve(args: &Serve) -> anyhow::Result<()> {
    private_folder(&args.data_dir)?;
    let clock = clock::choose(args.clock_file.as_ref())?;
    let simulator = built_in_simulator(&args.config).await?;
    let source = Arc::new(ConfigSource {
        file: args.config.clone(),
        data_dir: args.data_dir.clone(),
        simulator: simulator.as_ref().map(Simulator::base_url),
        clock: Arc::clone(&clock),
    });
    let text = source.read()?;
    let wrong = |findings| {
        anyhow::anyhow!("the configuration {} is wrong\n\n{findings}", args.config.display())
    };
    let compiled = source.compile(&text, &Stored::default())?.map_err(wrong)?;
    source.tell(&compiled);
    let snapshot = compiled.snapshot;
    let address = SocketAddr::new(args.host, args.port);
    let tcp =
        TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))?;
    let address = tcp.local_addr()?;

    let ending = CancellationToken::new();
    let app = Arc::new(ArcSwap::from_pointee(Router::new()));
    let database = wiring::database_url(&snapshot, &args.data_dir);
    let grace = snapshot.settings.grace;
    let first = simulated_group(&snapshot);
    let (tcp, db) = reach_database(tcp, &app, &database).await?;
    let random: Arc<dyn Random> = Arc::new(SystemRandom);
    let vault = salt_key::settle(&db, &args.data_dir, &random).await?;
    let stored =
        db.stored_models(&vault).await.context("cannot read the models of the database")?;
    let whole = in_force::whole(&source, &text, stored)?.map_err(wrong)?;
    let beginning = Beginning { source, text, whole, vault };
    let wired = wiring::wire(db, beginning, (clock, random)).await?;
    app.store(Arc::new(wired.app.clone()));
    // Whoever reads that we are ready may end us at once, so the signals are listened for before
    // that.
    let signals = EndSignals::listen()?;
    let reloading = reload::start(Arc::clone(&wired.in_force), ending.clone())?;
    announce(address, wired.fresh_key.as_ref(), first.as_deref())?;
    let accepting = listener::run(tcp, app, ending.clone(), grace);
    let asked = async {
        signals.requested().await;
        wired.gate.drain();
        ending.cancel();
    };
    tokio::join!(accepting, asked);
    drop(reloading);
    end(wired).await;
    if let Some(simulator) = simulator {
        simulator.shutdown().await;
    }
    Ok(())
}

/// Something about the configuration that is worth a line in the log.
fn tell(finding: &Finding) {
    let (line, message) = (finding.line, &finding.message);
    match finding.severity {
        Severity::Note => tracing::debug!(line, "{message}"),
        Severity::Error | Severity::Warning => tracing::warn!(line, "{message}"),
    }
}

/// Everything is settled and written before the process ends.
async fn end(wired: Wired) {
    let Wired {
        gate,
        app,
        ledger,
        writing,
        expiring,
        counting,
        hearing,
        following,
        in_force,
        sharing,
        db,
        presence,
        ..
    } = wired;
    drop((app, following, in_force));
    gate.finish_keeping().await;
    drop(gate);
    drop((expiring, counting, hearing));
    ledger.stop();
    if writing.await.is_err() {
        tracing::error!("the ledger's task ended by a panic; the next start settles what is open");
    }
    if let Some(sharing) = sharing {
        sharing.end().await;
    }
    presence.end().await;
    db.close().await;
    tracing::info!("ended");
}

/// The simulator that a configuration may name by its variable; it runs only when it is named.
async fn built_in_simulator(config: &Path) -> anyhow::Result<Option<Simulator>> {
    let named = startup::read_config(config)?.contains(startup::SIMULATOR_URL);
    if !named || environment::lookup(startup::SIMULATOR_URL).is_some() {
        return Ok(None);
    }
    let local = SocketAddr::from(([127, 0, 0, 1], 0));
    // It answers our own users: it keeps nothing of what they send, and nobody can script it.
    let options = Options { control_routes: false, calls_kept_max: 0 };
    let simulator = Simulator::start_with(local, Script::default(), options).await;
    simulator.map(Some).context("cannot start the simulator")
}

/// Waits for the database, answering health checks meanwhile.
async fn reach_database(
    tcp: TcpListener,
    app: &Arc<ArcSwap<Router>>,
    url: &Secret,
) -> anyhow::Result<(TcpListener, Db)> {
    let mut problem = match wiring::open(url).await {
        Ok(db) => return Ok((tcp, db)),
        Err(problem) => problem,
    };
    tracing::warn!(problem = format!("{problem:#}"), "the database is away; waiting for it");
    app.store(Arc::new(listener::starting("the database cannot be reached")));
    let tcp = Arc::new(tcp);
    let interim = CancellationToken::new();
    let answering = tokio_util::task::AbortOnDropHandle::new(tokio::spawn(listener::run(
        TcpListener::from_std(duplicate(&tcp)?)?,
        Arc::clone(app),
        interim.clone(),
        Duration::ZERO,
    )));
    let retried = tokio::time::timeout(DATABASE_WAIT_MAX, async {
        loop {
            tokio::time::sleep(DATABASE_PAUSE).await;
            match wiring::open(url).await {
                Ok(db) => return db,
                Err(again) => problem = again,
            }
        }
    })
    .await;
    interim.cancel();
    // The interim loop only fails by being aborted.
    let _ = answering.await;
    let tcp = Arc::into_inner(tcp).context("the listening socket is still in use")?;
    match retried {
        Ok(db) => Ok((tcp, db)),
        Err(_) => Err(problem.context(format!("gave up after {DATABASE_WAIT_MAX:?}"))),
    }
}

fn duplicate(tcp: &TcpListener) -> std::io::Result<std::net::TcpListener> {
    use std::os::fd::AsFd as _;
    Ok(std::net::TcpListener::from(tcp.as_fd().try_clone_to_owned()?))
}

/// The group that the pasted example calls: one served by the simulator, so that it costs nobody
/// anything.
fn simulated_group(snapshot: &Snapshot) -> Option<String> {
    snapshot.groups.keys().find(|name| name.as_str() == "simulated").map(ToString::to_string)
}

/// Makes the folder, readable by its owner only.
fn private_folder(folder: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .with_context(|| format!("cannot make the data directory {}", folder.display()))
}

fn announce(
    address: SocketAddr,
    fresh: Option<&Secret>,
    model: Option<&str>,
) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(banner::ready(address, fresh, model).as_bytes())?;
    out.flush()
}
