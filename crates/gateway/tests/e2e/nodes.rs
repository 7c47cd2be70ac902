//! Several gateways on one Postgres and one Redis, before one scripted upstream.

use serde_json::Value;
use tollgate_simulator::{Script, Simulator};
use tollgate_testkit::config_text::ConfigText;
use tollgate_testkit::gateway::{GatewayProcess, Home};
use tollgate_testkit::patience::until;
use tollgate_testkit::postgres::TestDatabase;
use tollgate_testkit::redis::TestRedis;

use crate::books::Books;
use crate::stage::{Key, binary, simulator};

/// The gateways and what they share.
pub(crate) struct Nodes {
    pub(crate) simulator: Simulator,
    pub(crate) redis: TestRedis,
    pub(crate) gateways: Vec<GatewayProcess>,
    homes: Vec<Home>,
    database: TestDatabase,
}

impl Nodes {
    /// Starts this many, all with this configuration.
    pub(crate) async fn start(
        count: usize,
        script: Script,
        config: impl Fn(&Simulator) -> ConfigText,
    ) -> Self {
        Self::with(count, script, config, |home| home).await
    }

    /// The same in homes with these additions.
    pub(crate) async fn with(
        count: usize,
        script: Script,
        config: impl Fn(&Simulator) -> ConfigText,
        furnish: impl Fn(Home) -> Home,
    ) -> Self {
        let (database, redis) = (TestDatabase::create(), TestRedis::start().await);
        let simulator = simulator(script).await;
        let (mut homes, mut gateways) = (Vec::new(), Vec::new());
        for _ in 0..count {
            let home = furnish(Home::new(&config(&simulator).build()));
            let home = home.with_database(database.url()).with_env("REDIS_URL", &redis.url());
            gateways.push(GatewayProcess::start(binary(), &home).await);
            homes.push(home);
        }
        Self { simulator, redis, gateways, homes, database }
    }

    /// A key, held once at each gateway.
    pub(crate) async fn key(&self, fields: Value) -> Vec<Key> {
        let answer = self.gateways[0].master().post("/key/generate", fields.to_string()).await.ok();
        let text = answer["key"].as_str().expect("the key is shown once").to_owned();
        let held =
            |gateway: &GatewayProcess| Key { client: gateway.client(&text), text: text.clone() };
        self.gateways.iter().map(held).collect()
    }

    /// Where their database is.
    pub(crate) fn database_url(&self) -> &str {
        self.database.url()
    }

    /// Waits until every gateway knows of all others.
    pub(crate) async fn acquainted(&self) {
        for gateway in &self.gateways {
            until("the other nodes", || async {
                let ready = gateway.anonymous().get("/health/readiness").await.json();
                (ready["nodes"] == self.gateways.len()).then_some(())
            })
            .await;
        }
    }

    /// Ends every gateway and opens the ledger they leave.
    pub(crate) async fn close(self) -> (Books, Simulator) {
        for gateway in self.gateways {
            assert_eq!(gateway.terminate().await.code(), Some(0));
        }
        let books = Books::open(Some(self.database.url()), &self.homes[0].data_dir()).await;
        books.must_balance();
        (books, self.simulator)
    }
}
