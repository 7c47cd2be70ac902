//! What keys that are in use cost in memory.

use std::path::Path;

use anyhow::{Context as _, bail};
use serde::Serialize;
use serde_json::json;
use sqlx::SqlitePool;
use tokio::task::JoinSet;
use tollgate_domain::{KeyHash, VirtualKey};
use tollgate_store::Db;

use crate::connection::Connection;
use crate::control;
use crate::gauge::{self, Memory};
use crate::plan::Plan;
use crate::request::Chat;
use crate::samples::rounded;
use crate::site::{Gateway, MASTER_KEY, Simulator, Site, Target};

/// Connections that the calls come on.
const CONNECTIONS: usize = 16;

/// The memory of keys in use.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct ActiveKeys {
    /// Keys, each with a budget, a rate of requests and one of tokens, and each called once.
    pub(crate) keys: usize,
    /// Ready, before the first call.
    pub(crate) rss_kib_before: u64,
    /// After every key was called.
    pub(crate) rss_kib_after: u64,
    /// What was added, in millions of bytes.
    pub(crate) megabytes: f64,
    /// What was added, per key.
    pub(crate) bytes_per_key: f64,
}

/// Calls once with each of many keys, through a gateway of its own.
///
/// # Errors
/// When a key cannot be made or a call is not answered as it should be.
pub(crate) async fn measure(
    site: &Site,
    plan: Plan,
    simulator: &Simulator,
) -> anyhow::Result<ActiveKeys> {
    let keys = if plan.quick { 10_000 } else { KEYS };
    let gateway = Gateway::start(site, simulator, DATA).await?.gateway;
    let pattern = pattern(&gateway.target().await?).await?;
    gateway.stop().await?;
    make(&Gateway::database(site, DATA), &pattern, keys).await.context("cannot make keys")?;
    let gateway = Gateway::start(site, simulator, DATA).await?.gateway;
    gauge::when_quiet(gateway.pid()).await?;
    let before = Memory::of(gateway.pid())?.rss_kib;
    call_each(gateway.address(), keys).await.context("calls of many keys")?;
    gauge::when_quiet(gateway.pid()).await?;
    let after = Memory::of(gateway.pid())?.rss_kib;
    gateway.stop().await.context("after the keys")?;
    let bytes = after.saturating_sub(before) as f64 * 1024.0;
    Ok(ActiveKeys {
        keys,
        rss_kib_before: before,
        rss_kib_after: after,
        megabytes: rounded(bytes / 1e6),
        bytes_per_key: (bytes / keys as f64).round(),
    })
}

/// Makes the key that all others are like, and gives its hash.
async fn pattern(target: &Target) -> anyhow::Result<String> {
    let team = json!({ "team_id": "keys-team", "max_budget": DOLLARS, "budget_duration": "30d" });
    control::manage(target.address, MASTER_KEY, ("/team/new", &team)).await?;
    let key = json!({
        "team_id": "keys-team",
        "max_budget": DOLLARS,
        "budget_duration": "30d",
        "rpm_limit": 1_000,
        "tpm_limit": 1_000_000,
    });
    let key = control::key(target.address, MASTER_KEY, &key).await?;
    Ok(KeyHash::of(&key).expose_hex())
}

/// Makes keys like one, in one transaction.
async fn make(database: &Path, pattern: &str, keys: usize) -> anyhow::Result<()> {
    let db = Db::open(&database.display().to_string()).await?;
    let Db::Sqlite { writer, .. } = &db else { bail!("the database is not SQLite") };
    copy(writer, pattern, keys).await?;
    db.close().await;
    Ok(())
}

async fn copy(writer: &SqlitePool, pattern: &str, keys: usize) -> anyhow::Result<()> {
    let mut transaction = writer.begin().await?;
    for number in 0..keys {
        let key = text(number);
        let name = VirtualKey::new(&key)?.display_name();
        let query = sqlx::query(COPY).bind(format!("key-{number}")).bind(name);
        let query = query.bind(KeyHash::of(&key).expose_hex()).bind(pattern);
        query.execute(&mut *transaction).await?;
    }
    Ok(transaction.commit().await?)
}

/// Calls with each key, on a few connections.
async fn call_each(gateway: std::net::SocketAddr, keys: usize) -> anyhow::Result<()> {
    let mut connections = JoinSet::new();
    for first in 0..CONNECTIONS {
        let mut connection = Connection::open(gateway, 0).await?;
        connections.spawn(async move {
            for number in (first..keys).step_by(CONNECTIONS) {
                let chat = Chat { model: "answer", streamed: false };
                connection.exchange(&chat.request(gateway, &text(number))).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(ended) = connections.join_next().await {
        ended??;
    }
    Ok(())
}

/// The text of a key.
fn text(number: usize) -> String {
    format!("sk-bench-{number:016}")
}

/// How many keys the bar is about.
pub(crate) const KEYS: usize = 100_000;
/// The budget of each, in dollars.
const DOLLARS: u32 = 100;
/// The data directory.
const DATA: &str = "keys";
const COPY: &str = "INSERT INTO virtual_keys (id, name, hash, user_id, team_id, organization_id, \
     models, max_budget_nanos, expires_at, blocked, metadata, created_at, created_by, updated_at, \
     updated_by, limits, budget_id, project_id) SELECT $1, $2, $3, user_id, team_id, \
     organization_id, models, max_budget_nanos, expires_at, blocked, metadata, created_at, \
     created_by, updated_at, updated_by, limits, budget_id, project_id FROM virtual_keys \
     WHERE hash = $4";
