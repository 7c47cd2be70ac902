//! Every format that clients speak, before every format that upstreams speak: what arrives
//! upstream, what comes back, and what a client sees of a stream that breaks.
//!
//! One gateway stands before one scripted upstream for each format. A cell of the table that does
//! not hold says why; the others are tried all the same.

mod cell;
pub(crate) mod check;
pub(crate) mod client;
mod direct;
pub(crate) mod scene;
pub(crate) mod sse;
mod table;
pub(crate) mod upstream;
pub(crate) mod world;

use expect_test::expect_file;
use serde_json::json;
use tokio::task::JoinSet;
use tollgate_simulator::{Script, Simulator};
use tollgate_testkit::config_text::{ConfigText, DeploymentText, INPUT_PRICE, OUTPUT_PRICE};
use tollgate_testkit::gateway::{GatewayProcess, Home};

use crate::matrix::cell::Line;
use crate::matrix::client::CLIENTS;
use crate::matrix::scene::Scene;
use crate::matrix::table::{MODES, Table};
use crate::matrix::upstream::{UPSTREAMS, Upstream};
use crate::stage::{Stage, binary, simulator};

#[tokio::test]
async fn every_client_format_reaches_every_upstream_format() {
    let mut upstreams = Vec::new();
    for _ in UPSTREAMS {
        upstreams.push(simulator(Script::default()).await);
    }
    let home = Home::new(&config(&upstreams).build());
    let gateway = GatewayProcess::start(binary(), &home).await;
    let stage =
        Stage { simulator: simulator(Script::default()).await, home, gateway, database: None };
    let key = stage.key(json!({})).await;

    let mut lines = JoinSet::new();
    for (upstream, simulator) in UPSTREAMS.iter().zip(upstreams) {
        let (base_url, key) = (stage.gateway.base_url().to_owned(), key.text.clone());
        lines.spawn(Line { upstream: *upstream, simulator, base_url, key }.walk());
    }
    let mut table = Table::default();
    while let Some(line) = lines.join_next().await {
        line.expect("a line of the table is walked to its end").into_iter().for_each(|cell| {
            table.put(cell);
        });
    }
    let failures = table.failures();
    assert!(failures.is_empty(), "{} cells do not hold\n{}", failures.len(), failures.join("\n"));
    expect_file!["../../../../docs/reference/dialects.md"].assert_eq(&table.page());

    let (books, _) = stage.close().await;
    books.must_balance();
    let completed: Vec<_> = books.lines.iter().filter(|line| line.outcome == "completed").collect();
    assert!(completed.iter().all(|line| line.usage_source == "reported"), "{completed:?}");
    let other = books.lines.iter().find(|line| !OUTCOMES.contains(&&*line.outcome));
    assert_eq!(other, None);
    let cost: i64 = completed.iter().filter_map(|line| line.cost_nanos).sum();
    assert_eq!(cost, expected_cost(), "over {} calls", completed.len());
}

/// One model group for each upstream, named after its format.
fn config(upstreams: &[Simulator]) -> ConfigText {
    let groups = UPSTREAMS.iter().zip(upstreams);
    groups
        .fold(ConfigText::new(), |config, (upstream, simulator)| {
            let base_url = format!("http://{}{}", simulator.addr(), upstream.base_path());
            let deployment = DeploymentText::of(&base_url, upstream.model())
                .priced(INPUT_PRICE, OUTPUT_PRICE)
                .with(&format!("cache_read_input_token_cost: {CACHED_PRICE}"));
            config.group(upstream.name(), &deployment)
        })
        .setting("router_settings", "num_retries: 0")
}

/// What all calls that were answered cost together, in nano-dollars.
fn expected_cost() -> i64 {
    let of_call = |upstream: &'static dyn Upstream, scene: Scene| {
        let usage = upstream.usage(scene);
        let plain = usage.input - usage.cached;
        plain * INPUT_NANOS + usage.cached * CACHED_NANOS + usage.output * OUTPUT_NANOS
    };
    let of_all = UPSTREAMS
        .iter()
        .flat_map(|upstream| Scene::ALL.into_iter().map(move |scene| of_call(*upstream, scene)));
    let sum = of_all.sum::<u64>() * (CLIENTS.len() * MODES.len()) as u64;
    i64::try_from(sum).expect("a small sum")
}

/// How calls of the table end: a stream that broke before anything was shown is a failed call.
const OUTCOMES: [&str; 3] = ["completed", "cut", "failed"];
/// The prices of a token: of plain input, of input from the cache, and of output, in nano-dollars.
const INPUT_NANOS: u64 = 1_000;
const CACHED_NANOS: u64 = 100;
const OUTPUT_NANOS: u64 = 2_000;
/// The second of them in US dollars.
const CACHED_PRICE: &str = "0.0000001";
