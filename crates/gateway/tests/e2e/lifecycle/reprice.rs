//! A price that turned out wrong: shown first, then corrected, once.

use serde_json::json;
use tollgate_simulator::{Behaviour, Script, Simulator};
use tollgate_testkit::config_text::ConfigText;
use tollgate_testkit::gateway::Home;
use tollgate_testkit::patience::until;

use super::command_line::run;
use crate::books::Books;
use crate::nodes::Nodes;
use crate::stage::{CALL, CALL_NANOS, CHAT, GROUP, Stage, Storage};

/// A call that is answered with 16 tokens and can have no more.
const LIMITED: &str = r#"{"model":"chat","max_tokens":16,
    "messages":[{"role":"user","content":"one two three"}]}"#;

#[tokio::test]
async fn a_price_of_the_past_is_corrected_once_and_only_when_asked() {
    let stage = Stage::new().await;
    let key = stage.key(json!({ "user_id": "ada" })).await;
    for _ in 0..3 {
        key.client.post(CHAT, CALL).await.ok();
    }
    stage.await_spend(&key, 3 * CALL_NANOS).await;
    let home = &stage.home;
    let (config, data) = (home.config_file(), home.data_dir());
    let (config, data) = (config.display().to_string(), data.display().to_string());
    // Another price is another id of the deployment: it is found by its model.
    let dearer = ConfigText::deployment(&stage.simulator)
        .without("input_cost_per_token")
        .with("input_cost_per_token: 0.000011");
    home.rewrite_config(&ConfigText::new().group(GROUP, &dearer).build());
    let difference = 3 * 3 * 10_000;

    let common = ["reprice", "--config", &config, "--data-dir", &data, "--from", "2020-01-01"];
    let apply = [&common[..], &["--apply"]].concat();
    let (status, shown) = run(&common).await;
    assert_eq!(status, Some(0), "{shown}");
    assert!(shown.contains("3 corrections; nothing was written"), "{shown}");
    let cells: Vec<&str> = shown.lines().nth(1).expect("a line").split_whitespace().collect();
    assert_eq!(cells, ["chat", "3", "0", "0.000105", "0.000195", "0.00009"], "{shown}");
    let other = [&apply[..], &["--model", "other"]].concat();
    assert!(run(&other).await.1.contains("nothing to correct"));
    let early = [&apply[..], &["--until", "2020-01-02"]].concat();
    assert!(run(&early).await.1.contains("nothing to correct"));

    let (status, applied) = run(&apply).await;
    assert_eq!(status, Some(0), "{applied}");
    assert!(applied.contains("3 corrections written"), "{applied}");
    assert_eq!(applied.lines().nth(1), shown.lines().nth(1), "what was shown is what is done");
    assert!(run(&apply).await.1.contains("nothing to correct"), "once");

    let Stage { gateway, home, .. } = stage;
    assert_eq!(gateway.terminate().await.code(), Some(0));
    let books = Books::open(None, &home.data_dir()).await;
    assert_eq!(books.sum(), 3 * CALL_NANOS, "the entries are what they were");
    assert_eq!(books.total.nanos(), 3 * CALL_NANOS + difference);
}

#[tokio::test]
async fn a_price_of_a_deployment_in_the_database_is_corrected_too() {
    let config = |simulator: &Simulator| {
        ConfigText::simulated(GROUP, simulator)
            .setting("general_settings", "store_model_in_db: true")
    };
    let script = Script::new(Behaviour::default());
    let stage = Stage::with(Storage::Sqlite, script, config, |home| home).await;
    let master = stage.gateway.master();
    let added = json!({
        "model_name": "added", "model_info": { "id": "one" },
        "litellm_params": {
            "model": "openai_like/another", "api_key": "sk-another",
            "api_base": stage.simulator.base_url(),
            "input_cost_per_token": 0.000001, "output_cost_per_token": 0.000002,
        },
    });
    master.post("/model/new", added.to_string()).await.ok();
    let key = stage.plain_key().await;
    key.client.post(CHAT, CALL.replace(GROUP, "added")).await.ok();
    stage.await_spend(&key, CALL_NANOS).await;
    let params = json!({ "input_cost_per_token": 0.000011 });
    let change = json!({ "litellm_params": params, "model_info": { "id": "one" } });
    master.post("/model/update", change.to_string()).await.ok();

    let (config, data) = (stage.home.config_file(), stage.home.data_dir());
    let (config, data) = (config.display().to_string(), data.display().to_string());
    let common = ["reprice", "--config", &config, "--data-dir", &data, "--from", "2020-01-01"];
    let (status, shown) = run(&common).await;
    assert_eq!(status, Some(0), "{shown}");
    let line = shown.lines().find(|line| line.starts_with("added")).expect("a line");
    let cells: Vec<&str> = line.split_whitespace().collect();
    assert_eq!(cells, ["added", "1", "0", "0.000035", "0.000065", "0.00003"], "{shown}");
    let (status, applied) = run(&[&common[..], &["--apply"]].concat()).await;
    assert_eq!(status, Some(0), "{applied}");
    assert!(applied.contains("1 corrections written"), "{applied}");

    // Without the key its deployment cannot be used, and its calls keep what they cost.
    std::fs::remove_file(stage.home.data_dir().join("salt_key")).expect("the key can be lost");
    let (status, closed) = run(&common).await;
    assert_eq!(status, Some(0), "{closed}");
    assert!(closed.contains("the deployment `one` of the database is left out"), "{closed}");
    assert!(closed.contains("nothing to correct"), "{closed}");
    assert!(!stage.home.data_dir().join("salt_key").exists(), "and no key is made");
    stage.close().await;
}

#[tokio::test]
async fn a_corrected_price_binds_on_every_node_that_shares_counters() {
    let config = |simulator: &Simulator| ConfigText::simulated(GROUP, simulator);
    let nodes = Nodes::start(2, Script::new(Behaviour::default()), config).await;
    // What two calls cost by the price that will turn out to be right.
    let keys = nodes.key(json!({"max_budget": 0.000_130})).await;
    for key in &keys {
        key.client.post(CHAT, LIMITED).await.ok();
    }
    let dearer = ConfigText::deployment(&nodes.simulator)
        .without("input_cost_per_token")
        .with("input_cost_per_token: 0.000011");
    let config = ConfigText::new()
        .group(GROUP, &dearer)
        .setting("general_settings", &format!("database_url: {}", nodes.database_url()))
        .setting("router_settings", &format!("redis_url: {}", nodes.redis.url()));
    let home = Home::new(&config.build());
    let config = home.config_file().display().to_string();
    let shown = ["reprice", "--config", &config, "--from", "2020-01-01"];
    until("both calls in the ledger", || async {
        run(&shown).await.1.contains("2 corrections;").then_some(())
    })
    .await;
    let (status, applied) = run(&[&shown[..], &["--apply"]].concat()).await;
    assert_eq!(status, Some(0), "{applied}");
    assert!(applied.contains("2 corrections written") && !applied.contains("Redis"), "{applied}");
    for key in &keys {
        let refused = key.client.post(CHAT, LIMITED).await.refusal();
        assert_eq!(refused, (429, "budget_exceeded".to_owned()));
    }
}

#[tokio::test]
async fn a_day_that_is_none_is_wrong_use() {
    for day in ["yesterday", "2026-13-01", "2026-11-24T00:00:00Z"] {
        let (status, text) = run(&["reprice", "--config", "x", "--from", day]).await;
        assert_eq!(status, Some(2), "{text}");
        assert!(text.contains("not a day such as"), "{text}");
    }
}
