//! SIGKILL under load: after the next start every call that reached the upstream is in the ledger
//! once.

use std::collections::BTreeMap;
use std::time::Duration;

use http::Method;
use serde_json::json;
use tollgate_simulator::{Behaviour, Script, Simulator};
use tollgate_testkit::config_text::{ConfigText, DeploymentText, INPUT_PRICE, OUTPUT_PRICE};
use tollgate_testkit::gateway::GatewayProcess;
use tollgate_testkit::http::Client;
use tollgate_testkit::patience::{eventually, until};

use crate::books::Books;
use crate::stage::{CALL_NANOS, CHAT, Stage, Storage, binary, nanos};

/// Calls that are under way, or already answered, when the gateway is killed.
const CALLS: u64 = 200;
/// Calls made at the very moment of the kill.
const LATE_CALLS: u64 = 40;
/// The pace of the slow answers, in tokens per second.
const PACE: f64 = 100.0;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_under_load_loses_no_call_and_bills_none_twice_on_sqlite() {
    kill_under_load(Storage::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_under_load_loses_no_call_and_bills_none_twice_on_postgres() {
    kill_under_load(Storage::Postgres).await;
}

async fn kill_under_load(storage: Storage) {
    // A slow answer takes an hour: a buffered one to begin, a streamed one to end.
    let slow = Behaviour::answering(360_000).paced(Duration::ZERO, PACE);
    let late = Behaviour { first_token: Duration::from_secs(3_600), ..Behaviour::default() };
    let script = Script::default().for_model("slow", slow).for_model("late", late);
    let stage = Stage::with(storage, script, groups, |home| home).await;
    let key = stage.plain_key().await;

    for number in 0..CALLS {
        make(&key.client, number);
    }
    eventually("every call upstream", stage.simulator.calls().await_count(CALLS)).await;
    // One more stream has begun when all calls before it are upstream. What a kill can take is what
    // was not committed yet, milliseconds of it on a machine that is not busy.
    let mut last = key.client.open(CHAT, body("slow", CALLS, true)).await;
    last.read_until("data: ").await;
    let url = stage.database.as_ref().map(|database| database.url());
    let data_dir = stage.home.data_dir();
    until("every call in the database", || async {
        (Books::known(url, &data_dir).await > CALLS).then_some(())
    })
    .await;
    for number in CALLS + 1..=CALLS + LATE_CALLS {
        make(&key.client, number);
    }
    let Stage { simulator, home, gateway, database } = stage;
    gateway.kill_hard().await;
    drop(last);

    let gateway = GatewayProcess::start(binary(), &home).await;
    let books =
        Books::open(database.as_ref().map(|database| database.url()), &home.data_dir()).await;
    check(&books);
    let info = gateway.master().get(&format!("/key/info?key={}", key.text)).await.ok();
    assert_eq!(nanos(&info["info"]["spend"]), books.sum(), "the key's spend is not the sum");

    // A second crash at once finds nothing left to settle.
    gateway.kill_hard().await;
    let gateway = GatewayProcess::start(binary(), &home).await;
    let again =
        Books::open(database.as_ref().map(|database| database.url()), &home.data_dir()).await;
    assert_eq!(again.lines, books.lines, "a second start settled something again");
    assert_eq!(gateway.terminate().await.code(), Some(0));
    simulator.shutdown().await;
}

fn check(books: &Books) {
    books.must_balance();
    let mut by_caller: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for line in &books.lines {
        let caller = line.customer_id.as_deref().unwrap_or("nobody");
        by_caller.entry(caller).or_default().push(&line.outcome);
    }
    let outcome = |number: u64| by_caller.get(caller(number).as_str()).cloned().unwrap_or_default();
    for number in 0..=CALLS {
        assert_eq!(outcome(number).len(), 1, "{}: {:?}", caller(number), outcome(number));
    }
    for number in CALLS + 1..=CALLS + LATE_CALLS {
        assert!(outcome(number).len() <= 1, "{}: {:?}", caller(number), outcome(number));
    }
    for number in (0..CALLS).filter(|number| kind(*number).0 != "quick") {
        assert_eq!(outcome(number), ["interrupted"], "{}", caller(number));
    }
    let interrupted = books.lines.iter().filter(|line| line.outcome == "interrupted");
    for line in interrupted {
        assert!(line.cost_nanos.is_some_and(|cost| cost > 0), "the input is charged: {line:?}");
    }
    let completed = books.lines.iter().filter(|line| line.outcome == "completed");
    for line in completed {
        assert_eq!(line.cost_nanos, Some(CALL_NANOS), "{line:?}");
    }
}

fn groups(simulator: &Simulator) -> ConfigText {
    ["quick", "slow", "late"].into_iter().fold(ConfigText::new(), |config, group| {
        let deployment = DeploymentText::at(&simulator.base_url(), group);
        config.group(group, &deployment.priced(INPUT_PRICE, OUTPUT_PRICE))
    })
}

/// A call's model group and whether it streams: half of all do.
fn kind(number: u64) -> (&'static str, bool) {
    match number % 4 {
        0 => ("quick", false),
        1 => ("quick", true),
        2 => ("late", false),
        _ => ("slow", true),
    }
}

fn caller(number: u64) -> String {
    format!("caller-{number}")
}

fn body(group: &str, number: u64, stream: bool) -> String {
    json!({
        "model": group,
        "stream": stream,
        "user": caller(number),
        "messages": [{"role": "user", "content": "one two three"}],
    })
    .to_string()
}

/// Makes a call and leaves it to itself. How it ends is the ledger's business.
fn make(client: &Client, number: u64) {
    let (client, (group, stream)) = (client.clone(), kind(number));
    tokio::spawn(async move {
        let sent = client.try_open(Method::POST, CHAT, body(group, number, stream).into()).await;
        if let Ok(mut answer) = sent {
            while let Some(Ok(_)) = answer.next().await {}
        }
    });
}
