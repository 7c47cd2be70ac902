//! One session of measuring, from the first process to the last.

use anyhow::Context as _;
use serde::Serialize;

use crate::control;
use crate::gauge::{self, Memory};
use crate::machine::Machine;
use crate::measure::admission::{self, Admission};
use crate::measure::claims::{self, Claims};
use crate::measure::keys::{self, ActiveKeys};
use crate::measure::ledger::{self, LedgerPace};
use crate::measure::loads::{self, Row};
use crate::measure::pages::{self, Pages};
use crate::measure::planning::{self, Planning};
use crate::measure::startup::{self, Startup};
use crate::measure::streams::{self, StreamMemory};
use crate::measure::translation::{self, Translation};
use crate::others::Others;
use crate::plan::Plan;
use crate::site::{Gateway, Hop, Nginx, Simulator, Site, Target};

/// Everything that was measured.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Results {
    pub(crate) plan: Plan,
    pub(crate) machine: Machine,
    pub(crate) loads: Vec<Row>,
    pub(crate) memory: GatewayMemory,
    pub(crate) streams: StreamMemory,
    pub(crate) translation: Translation,
    pub(crate) admission: Admission,
    pub(crate) claims: Claims,
    pub(crate) ledger: LedgerPace,
    pub(crate) pages: Pages,
    pub(crate) planning: Planning,
    pub(crate) keys: ActiveKeys,
    pub(crate) start_fresh: Startup,
    /// With the database that the load left behind.
    pub(crate) start_existing: Startup,
    pub(crate) spend: Spend,
    /// Cores that were busy with something else during the loads, on average.
    pub(crate) others_busy: f64,
}

/// Resident memory of the gateway under load, in KiB.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct GatewayMemory {
    /// Ready, before the first call.
    pub(crate) idle_rss_kib: u64,
    /// At the end of the load that took most.
    pub(crate) loaded_rss_kib: u64,
    /// After all loads, when nothing was under way.
    pub(crate) after_rss_kib: u64,
    /// The most at any moment.
    pub(crate) rss_kib_max: u64,
}

/// Whether the ledger has every call, in dollars.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Spend {
    pub(crate) calls: u64,
    pub(crate) booked: f64,
    pub(crate) expected: f64,
}

/// What the loads found out about the gateway.
struct Loaded {
    rows: Vec<Row>,
    memory: GatewayMemory,
    spend: Spend,
    others_busy: f64,
}

/// Measures everything. Dropped before it is over, it takes every process with it.
///
/// # Errors
/// When something could not be measured; a missed bar is no error.
pub(crate) async fn measure(site: &Site, plan: Plan) -> anyhow::Result<Results> {
    let simulator = Simulator::start(site).await?;
    let nginx = Nginx::start(site, &simulator).await?;
    let machine = Machine::look(site, nginx.as_ref().map(Nginx::version));
    let hop = Hop::start(site, &simulator).await?;
    let others = [Some(hop.target()), nginx.as_ref().map(Nginx::target)];
    let others: Vec<Target> = others.into_iter().flatten().collect();
    let loaded = under_load(site, plan, &simulator, others).await?;
    hop.stop().await?;
    if let Some(nginx) = nginx {
        nginx.stop().await?;
    }
    let translation = translation::measure(site, plan, &simulator).await?;
    let streams = streams::measure(site, &simulator).await?;
    let admission = admission::measure(site, plan, &simulator).await?;
    let claims = claims::measure(site, plan).await?;
    let ledger = ledger::measure(site, plan).await?;
    let pages = pages::measure(site, plan, &simulator).await?;
    let keys = keys::measure(site, plan, &simulator).await?;
    let planning = planning::measure(plan);
    let start_existing = startup::measure(site, &simulator, Some(LOADED_DATA)).await?;
    let start_fresh = startup::measure(site, &simulator, None).await?;
    simulator.stop().await?;
    let Loaded { rows: loads, memory, spend, others_busy } = loaded;
    Ok(Results {
        plan,
        machine,
        loads,
        memory,
        streams,
        translation,
        admission,
        claims,
        ledger,
        pages,
        planning,
        keys,
        start_fresh,
        start_existing,
        spend,
        others_busy,
    })
}

async fn under_load(
    site: &Site,
    plan: Plan,
    simulator: &Simulator,
    others: Vec<Target>,
) -> anyhow::Result<Loaded> {
    let gateway = Gateway::start(site, simulator, LOADED_DATA).await?.gateway;
    gauge::when_quiet(gateway.pid()).await?;
    let idle = Memory::of(gateway.pid())?;
    let through = gateway.target().await?;
    let mut targets = vec![simulator.target(), through.clone()];
    targets.extend(others);
    let ours = targets.iter().filter_map(|target| target.watched);
    let others = Others::watch(ours.chain([simulator.pid()]))?;
    let rows = loads::measure(plan, &targets).await?;
    let others_busy = others.cores_busy()?;
    gauge::when_quiet(gateway.pid()).await?;
    let after = Memory::of(gateway.pid())?;
    let spend = spend(&through, &rows).await?;
    gateway.stop().await.context("after the load")?;
    let used = rows.iter().filter(|row| row.target == through.name).filter_map(|row| row.used);
    let memory = GatewayMemory {
        idle_rss_kib: idle.rss_kib,
        loaded_rss_kib: used.map(|used| used.rss_kib).max().unwrap_or(0),
        after_rss_kib: after.rss_kib,
        rss_kib_max: after.rss_kib_max,
    };
    Ok(Loaded { rows, memory, spend, others_busy })
}

/// Compares what the key spent with what all its calls cost: speed that books nothing is worth
/// nothing.
async fn spend(through: &Target, rows: &[Row]) -> anyhow::Result<Spend> {
    let own = || rows.iter().filter(|row| row.target == through.name);
    let calls = own().map(|row| row.answered).sum();
    let micros: u64 = own().map(|row| row.cost_micros).sum();
    let booked = control::spend(through.address, &through.key).await?;
    Ok(Spend { calls, booked, expected: micros as f64 / 1e6 })
}

/// The data directory of the gateway under load.
const LOADED_DATA: &str = "loaded";
