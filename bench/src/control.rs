//! What is asked of the simulator and of the gateway besides load: a script, a key, its spend.

use std::net::SocketAddr;

use anyhow::Context as _;
use serde_json::{Value, json};

use crate::connection::Connection;
use crate::request::{self, Request};

/// Tells the simulator how to answer.
///
/// # Errors
/// When it refuses.
pub(crate) async fn script(simulator: SocketAddr, behaviours: &str) -> anyhow::Result<()> {
    let path = "/_simulator/script";
    let request = request::post(simulator, path, "none", behaviours.as_bytes(), b"");
    answer(simulator, &request).await.map(drop).context("the simulator did not take its script")
}

/// Makes a virtual key whose budget is larger than any load can spend.
///
/// # Errors
/// When the gateway refuses.
pub(crate) async fn generate_key(gateway: SocketAddr, master_key: &str) -> anyhow::Result<String> {
    let wanted = json!({ "key_alias": "bench", "max_budget": BUDGET_DOLLARS });
    key(gateway, master_key, &wanted).await
}

/// Makes a virtual key as `wanted` says.
///
/// # Errors
/// When the gateway refuses.
pub(crate) async fn key(
    gateway: SocketAddr,
    master_key: &str,
    wanted: &Value,
) -> anyhow::Result<String> {
    let made = manage(gateway, master_key, ("/key/generate", wanted)).await?;
    let key = made["key"].as_str().context("the answer of /key/generate has no `key`")?;
    Ok(key.to_owned())
}

/// Asks the management API for something.
///
/// # Errors
/// When the gateway refuses.
pub(crate) async fn manage(
    gateway: SocketAddr,
    master_key: &str,
    (path, wanted): (&str, &Value),
) -> anyhow::Result<Value> {
    let request = request::post(gateway, path, master_key, wanted.to_string().as_bytes(), b"}");
    answer(gateway, &request).await.with_context(|| format!("the gateway refuses {path}"))
}

/// What a key has spent, in dollars.
///
/// # Errors
/// When the gateway refuses.
pub(crate) async fn spend(gateway: SocketAddr, key: &str) -> anyhow::Result<f64> {
    let request = request::fetch(gateway, "/key/info", key);
    let found =
        answer(gateway, &request).await.context("the gateway does not say what a key spent")?;
    found["info"]["spend"].as_f64().context("the answer of /key/info has no `spend`")
}

async fn answer(address: SocketAddr, request: &Request) -> anyhow::Result<Value> {
    let mut connection = Connection::open(address, ANSWER_BYTES_MAX).await?;
    connection.exchange(request).await?;
    let body = connection.body();
    if body.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(body).context("the answer is not JSON")
}

/// The budget of the key under load, in dollars.
const BUDGET_DOLLARS: u32 = 1_000_000;
/// Largest answer that is read, in bytes.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
