//! The whole takeover: looked at, imported, compared, served, and imported again.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tollgate_simulator::{Script, Simulator};
use tollgate_testkit::clock_file::ClockFile;
use tollgate_testkit::config_text::ConfigText;
use tollgate_testkit::gateway::{GatewayProcess, Home};

use super::filled::{KEPT_KEY, LENT_KEY, ROTATED, SHORT, fill};
use super::models::are_called;
use super::proxy::Proxy;
use super::rows::{KEYS, Key, NEXT_MONTH, NOW};
use super::{Import, SALT_KEY, check};
use crate::stage::{CHAT, binary, nanos, simulator};

/// The configuration that the proxy ran with.
pub(super) fn config(simulator: &Simulator) -> String {
    let deployment = ConfigText::deployment(simulator);
    ConfigText::new()
        .group("chat", &deployment)
        .group("other", &deployment)
        .group("third", &deployment)
        .setting("general_settings", "master_key: sk-test-master-key")
        .setting("general_settings", "database_url: os.environ/DATABASE_URL")
        .setting("general_settings", "store_model_in_db: true")
        .setting("litellm_settings", "drop_params: true")
        .setting("litellm_settings", "max_budget: 1000")
        .setting("litellm_settings", "budget_duration: 30d")
        .setting("litellm_settings", "success_callback: [langfuse]")
        .setting("router_settings", "num_retries: 2")
        .build()
}

/// A proxy that is to be taken over, and where to.
pub(super) struct Taken {
    pub(super) proxy: Proxy,
    pub(super) home: Home,
    pub(super) clock: ClockFile,
    pub(super) simulator: Simulator,
}

impl Taken {
    /// With the proxy's own configuration.
    pub(super) async fn new() -> Self {
        Self::with(config).await
    }

    pub(super) async fn with(config: impl FnOnce(&Simulator) -> String) -> Self {
        let (proxy, simulator) = (Proxy::new(), simulator(Script::default()).await);
        fill(&proxy, &simulator.base_url()).await;
        let clock = ClockFile::at(NOW);
        let home = Home::new(&config(&simulator)).with_clock(&clock);
        let home = home.with_env("LITELLM_SALT_KEY", SALT_KEY);
        Self { proxy, home, clock, simulator }
    }

    pub(super) fn import(&self) -> Import<'_> {
        let source = self.proxy.url();
        Import { home: &self.home, clock: &self.clock, source, salt_key: SALT_KEY }
    }
}

#[tokio::test]
async fn a_proxy_is_taken_over_without_its_clients_noticing() {
    let taken = Taken::new().await;
    let before = taken.proxy.fingerprint().await;
    looked_at(&taken).await;
    imported(&taken).await;
    assert_eq!(taken.proxy.fingerprint().await, before, "the source is only read");
    changes_nothing(&taken).await;

    let gateway = GatewayProcess::start(binary(), &taken.home).await;
    spend_is_the_sources(&gateway, &taken.proxy).await;
    are_called(&gateway, &taken.simulator).await;
    keys_do_what_they_did(&gateway).await;
    customers_are_bound(&gateway).await;
    assert_eq!(gateway.terminate().await.code(), Some(0));
    changes_nothing(&taken).await;
}

/// The report alone, which writes nothing.
async fn looked_at(taken: &Taken) {
    let (status, text) = taken.import().run(&[]).await;
    assert_eq!(status, Some(0), "{text}");
    assert!(text.contains("nothing was written: --apply does"), "{text}");
    assert!(!taken.home.data_dir().exists(), "nothing was written");
    for part in [
        "its `token` is no SHA-256 of a key",
        "`model` cannot be decrypted with this salt key",
        "one team's own",
        "`LiteLLM_MCPServerTable`",
        "settings that were changed over LiteLLM's API",
        "a user's budget binds the user's keys of teams too",
        "a rotated secret works until its date",
        "a member without a user id",
        "`spend` is not brought: it is no finite number",
    ] {
        assert!(text.contains(part), "{part}:\n{text}");
    }
    for secret in [
        KEPT_KEY,
        LENT_KEY,
        "sk-upstream",
        "sk-imported",
        &Key::all().next().expect("a key").hash(),
    ] {
        assert!(!text.contains(secret), "{secret}:\n{text}");
    }
}

async fn imported(taken: &Taken) {
    let report = taken.import().report(&["--apply"]).await;
    assert_eq!(report["agrees"], true, "{report:#}");
    // All keys, the managing one, the short one, and the rotated secret.
    assert_eq!(here(&report, "keys"), (KEYS + 3).to_string());
    assert_eq!((&*here(&report, "teams"), &*here(&report, "organization_members")), ("12", "1"));
    assert_eq!((&*here(&report, "deployments"), &*here(&report, "credentials")), ("2", "1"));
    assert_eq!(report["applied"]["rows"]["kept"], 0);
    let exact = &report["rows"]["keys"]["exact"];
    assert!(exact.as_u64() >= Some(KEYS as u64 - 20), "nearly every key is exact: {exact}");
}

/// What a check found here.
fn here(report: &Value, what: &str) -> String {
    let checks = report["checks"].as_array().expect("checks").iter();
    let check = checks.clone().find(|check| check["what"] == what);
    let check = check.unwrap_or_else(|| panic!("no check of {what}"));
    check["here"].as_str().expect("a text").to_owned()
}

async fn changes_nothing(taken: &Taken) {
    let again = taken.import().report(&["--apply"]).await;
    let applied = &again["applied"];
    assert_eq!(again["agrees"], true, "{again:#}");
    for what in ["inserted", "updated", "without_alias", "kept"] {
        assert_eq!(applied["rows"][what], 0, "{what}");
        assert_eq!(applied["models"][what], 0, "{what}");
    }
    assert_eq!(applied["models"]["unchanged"], 3);
    assert_eq!((&applied["sums"], &applied["openings"]), (&json!(0), &json!(0)));
}

/// Money on both sides: of teams by month, and of each key in its running window.
async fn spend_is_the_sources(gateway: &GatewayProcess, proxy: &Proxy) {
    let master = gateway.master();
    for (month, next) in [("2026-04", "2026-05"), ("2026-05", "2026-06")] {
        let source = proxy.spent_by_team(&format!("{month}-01"), &format!("{next}-01")).await;
        assert!(source.len() >= 12, "teams without a row spent too");
        let mut here = BTreeMap::new();
        for team in source.keys() {
            let last = if month == "2026-04" { 30 } else { 31 };
            let path = format!(
                "/team/daily/activity/aggregated?team_ids={team}&start_date={month}-01\
                 &end_date={month}-{last}&timezone=0"
            );
            let activity = master.get(&path).await.ok();
            here.insert(team.clone(), nanos(&activity["metadata"]["total_spend"]));
        }
        assert_eq!(here, source, "{month}");
    }
    for key in Key::all() {
        let path = format!("/key/info?key={}", key.secret());
        let info = master.get(&path).await.ok()["info"].clone();
        let number = key.number;
        assert_eq!(nanos(&info["spend"]), key.spend_nanos(), "key {number}");
        assert_eq!(info["budget_reset_at"].as_str(), key.resets_at(), "key {number}");
    }
    let team = master.get("/team/info?team_id=t-05").await.ok()["team_info"].clone();
    assert_eq!(nanos(&team["spend"]), 12_500_000_000);
    assert_eq!(team["budget_reset_at"], NEXT_MONTH);
}

/// Every key with the secret that it had.
async fn keys_do_what_they_did(gateway: &GatewayProcess) {
    let (mut refused, mut answered) = (0, 0);
    for key in Key::all() {
        let number = key.number;
        let client = gateway.client(&key.secret());
        let listed = client.get("/v1/models").await;
        let reason = match () {
            () if key.is_blocked() => Some("key_blocked"),
            () if key.is_expired() => Some("key_expired"),
            () if key.is_in_blocked_team() => Some("team_blocked"),
            () => None,
        };
        if let Some(reason) = reason {
            assert_eq!(listed.refusal().1, reason, "key {number}");
            continue;
        }
        let models: Vec<String> = listed.ok()["data"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|model| model["id"].as_str().expect("an id").to_owned())
            .collect();
        assert_eq!(models, key.visible(), "key {number}");
        let Some(model) = models.first() else { continue };
        let call = json!({"model": model, "messages": [{"role": "user", "content": "one"}]});
        let answer = client.post(CHAT, call.to_string()).await;
        let exhausted = key.exhausted();
        if !exhausted.is_empty() {
            assert_eq!(answer.refusal(), (429, "budget_exceeded".to_owned()), "key {number}");
            let said = answer.text();
            let mut words = exhausted.iter().map(|spent| spent.words());
            let one = words.any(|(whose, sums)| said.contains(whose) && said.contains(sums));
            assert!(one, "key {number}: {said}");
            refused += 1;
        } else {
            answer.ok();
            answered += 1;
        }
    }
    assert!(refused > 30 && answered > 60, "{refused} refused, {answered} answered");
    for secret in [ROTATED, SHORT] {
        gateway.client(secret).get("/v1/models").await.ok();
    }
    assert_eq!(gateway.client("sk-4321").get("/v1/models").await.refusal().1, "key_malformed");
    let managing = gateway.client("sk-managing-0000").get("/v1/models").await;
    assert_eq!(managing.refusal().1, "route_not_allowed", "it is held to certain routes");
    let session = gateway.client("sk-session-00000").get("/v1/models").await;
    assert_eq!(session.refusal().1, "key_unknown");
}

async fn customers_are_bound(gateway: &GatewayProcess) {
    let key = Key::all().find(Key::is_free).expect("a key that nothing else refuses");
    let client = gateway.client(&key.secret());
    for (customer, expected) in
        [("c-fine", ""), ("c-spent", "budget_exceeded"), ("c-blocked", "customer_blocked")]
    {
        let call = json!({
            "model": key.visible()[0], "user": customer,
            "messages": [{"role": "user", "content": "one"}],
        });
        let answer = client.post(CHAT, call.to_string()).await;
        assert_eq!(answer.refusal().1, expected, "{customer}: {}", answer.text());
    }
}

#[tokio::test]
async fn the_proxys_own_database_is_not_written_to() {
    let taken = Taken::new().await;
    let (status, text) = taken.import().run(&["--apply", "--to", taken.proxy.url()]).await;
    assert_eq!(status, Some(3), "{text}");
    assert!(text.contains("LiteLLM's own"), "{text}");
    let file = taken.home.config_file();
    let elsewhere = Import { source: "postgres://127.0.0.1:1/none", ..taken.import() };
    let (status, text) = elsewhere.run(&[]).await;
    assert_eq!(status, Some(3), "{text}");
    assert!(text.contains("LiteLLM's database cannot be read"), "{text}");
    // Prisma's parameters name the schema.
    for (schema, expected) in [("public", "nothing was written"), ("nowhere", "another schema")] {
        let url = format!("{}?schema={schema}&connection_limit=5", taken.proxy.url());
        let (_, text) = Import { source: &url, ..taken.import() }.run(&[]).await;
        assert!(text.contains(expected), "{schema}: {text}");
    }
    let (status, text) = check(&file, &["--from", "litellm"]).await;
    assert_eq!(status, Some(0), "{text}");
}
