//! `kill -9` at random moments of ten thousand calls: what the upstream counted is what the ledger
//! has, each call once.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http::Method;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tollgate_simulator::{Behaviour, CallRecord, Script, Simulator};
use tollgate_testkit::config_text::ConfigText;
use tollgate_testkit::gateway::GatewayProcess;
use tollgate_testkit::http::Client;
use tollgate_testkit::patience::{eventually, within};

use crate::books::{Books, Line};
use crate::stage::{CALL_NANOS, CHAT, GROUP, Stage, Storage, binary, nanos};

/// Callers at one time.
const CALLERS: usize = 24;
/// How often the gateway is killed.
const KILLS: usize = 6;
/// How long the run may take on a busy machine.
const RUN_MAX: std::time::Duration = std::time::Duration::from_secs(90);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_calls_under_load_and_kills_are_each_in_the_ledger_once_on_sqlite() {
    run(Storage::Sqlite, 10_000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_thousand_calls_under_load_and_kills_are_each_in_the_ledger_once_on_postgres() {
    run(Storage::Postgres, 2_000).await;
}

async fn run(storage: Storage, calls: u64) {
    let seed = RandomState::new().build_hasher().finish();
    // Shown when the test fails.
    writeln!(std::io::stderr(), "seed {seed:#x}").expect("standard error can be written");
    let config = |simulator: &Simulator| ConfigText::simulated(GROUP, simulator);
    let stage = Stage::with(storage, Script::new(Behaviour::default()), config, |home| home).await;
    let key = stage.plain_key().await;
    let Stage { simulator, home, mut gateway, database } = stage;
    let (sender, receiver) = watch::channel(key.client.clone());
    let callers = Callers::start(&receiver, calls);
    for moment in moments(seed, calls) {
        within(RUN_MAX, "the next kill", simulator.calls().await_count(moment)).await;
        gateway.kill_hard().await;
        gateway = GatewayProcess::start(binary(), &home).await;
        sender.send_replace(gateway.client(&key.text));
    }
    let answered = within(RUN_MAX, "the last call", callers.end()).await;
    let spend = gateway.master().get(&format!("/key/info?key={}", key.text)).await.ok();
    let spend = nanos(&spend["info"]["spend"]);
    assert_eq!(gateway.terminate().await.code(), Some(0));
    let url = database.as_ref().map(|database| database.url());
    let books = Books::open(url, &home.data_dir()).await;
    check(&books, &simulator.calls().kept());
    assert_eq!(spend, books.sum(), "the key's spend is not the sum");
    let completed = books.lines.iter().filter(|line| line.outcome == "completed").count() as u64;
    assert!(answered > calls / 2 && completed <= calls, "{answered} answers, {completed} entries");
}

/// After how many calls the gateway is killed each time.
fn moments(seed: u64, calls: u64) -> Vec<u64> {
    let mut state = seed;
    let mut moments: Vec<u64> =
        (0..KILLS).map(|_| 1 + drawn(&mut state) % (calls * 9 / 10)).collect();
    moments.sort_unstable();
    moments
}

/// The next number of the SplitMix64 generator.
fn drawn(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// Callers who make the calls between them, each with a name of its own, at whichever gateway is
/// there.
struct Callers(Vec<JoinHandle<u64>>);

impl Callers {
    fn start(gateway: &watch::Receiver<Client>, calls: u64) -> Self {
        let next = Arc::new(AtomicU64::new(0));
        let caller = |_| tokio::spawn(call_on(gateway.clone(), Arc::clone(&next), calls));
        Self((0..CALLERS).map(caller).collect())
    }

    /// Waits for the last call; gives how many were answered whole.
    async fn end(self) -> u64 {
        let mut answered = 0;
        for caller in self.0 {
            answered += caller.await.expect("no caller panics");
        }
        answered
    }
}

async fn call_on(mut gateway: watch::Receiver<Client>, next: Arc<AtomicU64>, calls: u64) -> u64 {
    let mut answered = 0;
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= calls {
            return answered;
        }
        let client = gateway.borrow_and_update().clone();
        match client.try_whole(Method::POST, CHAT, body(number).into()).await {
            Ok(answer) if answer.status == 200 => answered += 1,
            Ok(answer) => panic!("{}: {}", answer.status, answer.text()),
            // It was killed, and the next one is about to come.
            Err(_) => eventually("a gateway", gateway.changed()).await.expect("the test goes on"),
        }
    }
}

fn body(number: u64) -> String {
    let stream = number.is_multiple_of(2);
    json!({
        "model": GROUP,
        "stream": stream,
        "user": format!("caller-{number}"),
        "messages": [{"role": "user", "content": "one two three"}],
    })
    .to_string()
}

/// Every call that came upstream has one entry, with money; nobody has two.
fn check(books: &Books, served: &[CallRecord]) {
    books.must_balance();
    let mut by_caller: HashMap<&str, Vec<&Line>> = HashMap::new();
    for line in &books.lines {
        by_caller.entry(line.customer_id.as_deref().unwrap_or("nobody")).or_default().push(line);
    }
    for (caller, lines) in &by_caller {
        assert_eq!(lines.len(), 1, "{caller}: {lines:?}");
        let line = lines[0];
        let cost = line.cost_nanos.unwrap_or(0);
        match line.outcome.as_str() {
            "completed" => assert_eq!(cost, CALL_NANOS, "{line:?}"),
            "interrupted" => assert!(cost > 0, "the input is charged: {line:?}"),
            other => panic!("{other}: {line:?}"),
        }
    }
    let lost: Vec<String> = served
        .iter()
        .map(caller_of)
        .filter(|caller| !by_caller.contains_key(caller.as_str()))
        .collect();
    assert!(lost.is_empty(), "the ledger knows nothing of {lost:?}");
}

fn caller_of(record: &CallRecord) -> String {
    let body: Value = serde_json::from_slice(&record.body).expect("a JSON body");
    body["user"].as_str().expect("each call names its caller").to_owned()
}
