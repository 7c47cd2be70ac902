//! What a gateway leans on fails under load and comes back: nothing is lost, nothing counts twice,
//! and each state is seen on `/health/readiness` and in the log, once.

mod kills;
mod load;
mod postgres;
mod redis;
mod spool;

use tollgate_simulator::Simulator;
use tollgate_testkit::config_text::{ConfigText, DeploymentText, OUTPUT_PRICE};
use tollgate_testkit::gateway::{GatewayProcess, Home};
use tollgate_testkit::patience::until;

use crate::stage::GROUP;
use load::Load;

/// A call that is answered with 16 tokens and can have no more. Only they cost money, so that what
/// is held for it is what it will have cost.
const LIMITED: &str = r#"{"model":"chat","max_tokens":16,
    "messages":[{"role":"user","content":"one two three"}]}"#;

/// What [`LIMITED`] costs, in nano-dollars.
const LIMITED_NANOS: i64 = 16 * 2_000;

/// One group, whose answers alone cost money.
fn config(simulator: &Simulator) -> ConfigText {
    let deployment = DeploymentText::at(&simulator.base_url(), "simulated");
    ConfigText::new().group(GROUP, &deployment.priced("0", OUTPUT_PRICE))
}

/// The spool's files in a data directory.
fn spools(home: &Home) -> Vec<String> {
    let files = std::fs::read_dir(home.data_dir()).expect("a data directory");
    let names = files.map(|file| file.expect("a file").file_name().to_string_lossy().into_owned());
    names.filter(|name| name.contains("spool")).collect()
}

/// The price of so many calls in dollars.
fn price_of(calls: i64) -> f64 {
    (calls * LIMITED_NANOS) as f64 / 1e9
}

/// A state that began and ended is in the log once for each. `ended` is waited for.
async fn told_once(gateway: &GatewayProcess, began: &str, ended: &str) {
    gateway.says(ended).await;
    assert_eq!(gateway.lines_with(began), 1, "`{began}` in\n{}", gateway.output());
    assert_eq!(gateway.lines_with(ended), 1, "`{ended}` in\n{}", gateway.output());
}

/// Waits until the gateway's readiness has this status, and this text somewhere.
async fn await_readiness(gateway: &GatewayProcess, status: u16, text: &str) {
    until(&format!("a readiness of {status} with `{text}`"), || async {
        let readiness = gateway.anonymous().get("/health/readiness").await;
        (readiness.status == status && readiness.text().contains(text)).then_some(())
    })
    .await;
}
