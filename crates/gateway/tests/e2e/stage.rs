//! What most stories begin with: a scripted upstream, a gateway before it, and a virtual key.

use std::path::Path;

use serde_json::{Value, json};
use tollgate_simulator::{Behaviour, Script, Simulator};
use tollgate_testkit::config_text::ConfigText;
use tollgate_testkit::gateway::{GatewayProcess, Home};
use tollgate_testkit::http::Client;
use tollgate_testkit::patience::until;
use tollgate_testkit::postgres::TestDatabase;

use crate::books::Books;

/// The gateway's program.
pub(crate) fn binary() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_tollgate"))
}

/// The model group of most stories. The upstream's own name of the model is `simulated`.
pub(crate) const GROUP: &str = "chat";

/// The route of most stories.
pub(crate) const CHAT: &str = "/v1/chat/completions";

/// A call of three prompt tokens. With the simulator's sixteen of an answer it costs
/// [`CALL_NANOS`].
pub(crate) const CALL: &str =
    r#"{"model":"chat","messages":[{"role":"user","content":"one two three"}]}"#;

/// The same, streamed.
pub(crate) const STREAMED_CALL: &str =
    r#"{"model":"chat","stream":true,"messages":[{"role":"user","content":"one two three"}]}"#;

/// What [`CALL`] costs, in nano-dollars.
pub(crate) const CALL_NANOS: i64 = 3 * 1_000 + 16 * 2_000;

/// Where the gateway keeps what it remembers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Storage {
    Sqlite,
    Postgres,
}

/// An upstream, a gateway and its memory.
pub(crate) struct Stage {
    pub(crate) simulator: Simulator,
    pub(crate) home: Home,
    pub(crate) gateway: GatewayProcess,
    pub(crate) database: Option<TestDatabase>,
}

impl Stage {
    /// A gateway on SQLite whose one group is served by a simulator that answers at once.
    pub(crate) async fn new() -> Self {
        Self::on(Storage::Sqlite, Behaviour::default()).await
    }

    /// The same with this storage and this behaviour of the upstream.
    pub(crate) async fn on(storage: Storage, behaviour: Behaviour) -> Self {
        let config = |simulator: &Simulator| ConfigText::simulated(GROUP, simulator);
        Self::with(storage, Script::new(behaviour), config, |home| home).await
    }

    /// A gateway with this configuration, in a home with these additions.
    pub(crate) async fn with(
        storage: Storage,
        script: Script,
        config: impl FnOnce(&Simulator) -> ConfigText,
        furnish: impl FnOnce(Home) -> Home,
    ) -> Self {
        let simulator = simulator(script).await;
        let home = furnish(Home::new(&config(&simulator).build()));
        let database = (storage == Storage::Postgres).then(TestDatabase::create);
        let home = match &database {
            Some(database) => home.with_database(database.url()),
            None => home,
        };
        let gateway = GatewayProcess::start(binary(), &home).await;
        Self { simulator, home, gateway, database }
    }

    /// The Postgres database of a stage that has one.
    pub(crate) fn database(&self) -> &TestDatabase {
        self.database.as_ref().expect("the stage is on Postgres")
    }

    /// Makes a virtual key with these fields.
    pub(crate) async fn key(&self, fields: Value) -> Key {
        let answer = self.gateway.master().post("/key/generate", fields.to_string()).await.ok();
        let text = answer["key"].as_str().expect("the key is shown once").to_owned();
        Key { client: self.gateway.client(&text), text }
    }

    /// Makes a virtual key without limits.
    pub(crate) async fn plain_key(&self) -> Key {
        self.key(json!({})).await
    }

    /// What the gateway says about a key.
    pub(crate) async fn info(&self, key: &Key) -> Value {
        let path = format!("/key/info?key={}", key.text);
        let answer = self.gateway.master().get(&path).await.ok();
        answer["info"].clone()
    }

    /// What a key has spent, in nano-dollars.
    pub(crate) async fn spend(&self, key: &Key) -> i64 {
        nanos(&self.info(key).await["spend"])
    }

    /// Waits until a key has spent this many nano-dollars. A call settles once its last byte has
    /// been handed over, which the client cannot see.
    pub(crate) async fn await_spend(&self, key: &Key, expected: i64) {
        let ask = || async { (self.spend(key).await == expected).then_some(()) };
        until(&format!("a spend of {expected}"), ask).await;
    }

    /// Ends the gateway in an orderly way, and opens the ledger it leaves.
    pub(crate) async fn close(self) -> (Books, Simulator) {
        let Self { simulator, home, gateway, database } = self;
        assert_eq!(gateway.terminate().await.code(), Some(0));
        let books = Books::open(database.as_ref().map(TestDatabase::url), &home.data_dir()).await;
        (books, simulator)
    }
}

/// A virtual key and a client that calls with it.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    pub(crate) text: String,
    pub(crate) client: Client,
}

/// A simulator on a free port.
pub(crate) async fn simulator(script: Script) -> Simulator {
    let local = ([127, 0, 0, 1], 0).into();
    Simulator::start(local, script).await.expect("a port is free")
}

/// A sum of US dollars in JSON, as nano-dollars.
pub(crate) fn nanos(dollars: &Value) -> i64 {
    let dollars = dollars.as_f64().unwrap_or_else(|| panic!("no sum of money: {dollars}"));
    (dollars * 1e9).round() as i64
}

/// The data of each event of a stream.
pub(crate) fn events(stream: &[u8]) -> Vec<String> {
    let text = std::str::from_utf8(stream).expect("a stream is text");
    text.split("\n\n").filter_map(|event| event.strip_prefix("data: ")).map(str::to_owned).collect()
}
