//! Models and credentials that the proxy kept in its database: decrypted, sealed anew, and called.

use serde_json::{Value, json};
use tollgate_simulator::Simulator;
use tollgate_testkit::config_text::ConfigText;
use tollgate_testkit::gateway::{GatewayProcess, MASTER_KEY};
use tollgate_testkit::http::Client;

use super::filled::{KEPT_KEY, LENT_KEY};
use super::rows::{KEPT, Key, LENT};
use super::story::{Taken, config};
use super::{Import, SALT_KEY, output};
use crate::stage::{CALL, CALL_NANOS, CHAT, GROUP, binary, nanos};

/// Calls what came over with a key that came over: the upstream gets the credential in clear, and
/// the call costs what the proxy said.
pub(super) async fn are_called(gateway: &GatewayProcess, simulator: &Simulator) {
    let key = Key::all().find(|key| key.is_free() && key.visible().contains(&KEPT));
    let client = gateway.client(&key.expect("a key of all models").secret());
    for (model, credential) in [(KEPT, KEPT_KEY), (LENT, LENT_KEY)] {
        let answer = client.post(CHAT, CALL.replace(GROUP, model)).await;
        assert_eq!(answer.status, 200, "{model}: {}", answer.text());
        let cost: f64 = answer.header("x-litellm-response-cost").parse().expect("dollars");
        assert_eq!(nanos(&json!(cost)), CALL_NANOS, "{model}");
        let sent = simulator.calls().kept().pop().expect("a call");
        assert_eq!(sent.header("authorization"), Some(&*format!("Bearer {credential}")));
    }
    let shown = gateway.master().get("/model/info").await.ok().to_string();
    let said = shown + &gateway.master().get("/credentials").await.ok().to_string();
    for secret in [KEPT_KEY, LENT_KEY] {
        assert!(!said.contains(secret) && !gateway.output().contains(secret), "{secret}");
    }
}

async fn listed(client: &Client) -> Vec<String> {
    let models = client.get("/v1/models").await.ok()["data"].clone();
    let models = models.as_array().expect("a list").iter();
    models.map(|model| model["id"].as_str().expect("an id").to_owned()).collect()
}

/// The names that remarks about these rows with this text give.
fn named(report: &Value, what: &str, part: &str) -> Vec<String> {
    let remarks = report["remarks"].as_array().expect("remarks").iter();
    let about = remarks.filter(|remark| {
        remark["what"] == what && remark["note"].as_str().is_some_and(|note| note.contains(part))
    });
    let names = about.flat_map(|remark| remark["examples"].as_array().cloned().expect("names"));
    let mut names: Vec<String> =
        names.map(|name| name.as_str().expect("a name").to_owned()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

#[tokio::test]
async fn a_wrong_salt_key_brings_no_model_and_the_right_one_brings_them_later() {
    let taken = Taken::new().await;
    let wrong = Import { salt_key: "sk-another-salt-key", ..taken.import() };
    let report = wrong.report(&["--apply"]).await;
    assert_eq!(report["agrees"], true, "{report:#}");
    let closed = "cannot be decrypted with this salt key";
    let every = ["closed", KEPT, LENT, "model_name_t-00_4"];
    assert_eq!(named(&report, "deployments", closed), every);
    assert_eq!(named(&report, "credentials", closed), ["shared"]);
    let models = &report["applied"]["models"];
    assert_eq!(models["inserted"], 0, "{models}");

    let gateway = GatewayProcess::start(binary(), &taken.home).await;
    assert_eq!(listed(&gateway.master()).await, ["chat", "other", "third"]);
    assert_eq!(gateway.master().get("/credentials").await.ok()["credentials"], json!([]));
    assert_eq!(gateway.terminate().await.code(), Some(0));

    let report = taken.import().report(&["--apply"]).await;
    assert_eq!(report["applied"]["models"]["inserted"], 3, "{report:#}");
    let gateway = GatewayProcess::start(binary(), &taken.home).await;
    are_called(&gateway, &taken.simulator).await;
    // What was deleted here stays deleted; what was changed here stays as it is.
    let master = gateway.master();
    master.post("/model/delete", r#"{"id": "d-1"}"#).await.ok();
    master.post("/model/block", r#"{"model_id": "d-2"}"#).await.ok();
    assert_eq!(gateway.terminate().await.code(), Some(0));
    let report = taken.import().report(&["--apply"]).await;
    let models = &report["applied"]["models"];
    let became = ["inserted", "unchanged", "kept", "deleted"].map(|what| &models[what]);
    assert_eq!(became, [&json!(0), &json!(1), &json!(1), &json!(1)], "{models}");
    assert_eq!(report["agrees"], true, "{report:#}");
}

#[tokio::test]
async fn a_proxy_whose_models_are_all_in_its_database_is_taken_over_whole() {
    let config = |_: &Simulator| {
        let settings = ConfigText::new()
            .setting("general_settings", "master_key: sk-test-master-key")
            .setting("general_settings", "store_model_in_db: true");
        settings.build().replace("model_list:\n", "")
    };
    let taken = Taken::with(config).await;
    let report = taken.import().report(&["--apply"]).await;
    assert_eq!(report["agrees"], true, "{report:#}");
    let gateway = GatewayProcess::start(binary(), &taken.home).await;
    assert_eq!(listed(&gateway.master()).await, [KEPT, LENT]);
    are_called(&gateway, &taken.simulator).await;
}

#[tokio::test]
async fn where_no_salt_key_was_set_the_master_key_decrypts() {
    let master = |simulator: &Simulator| config(simulator).replace(MASTER_KEY, SALT_KEY);
    let taken = Taken::with(master).await;
    let report = Import { salt_key: "", ..taken.import() }.report(&[]).await;
    assert_eq!(report["rows"]["deployments"]["exact"], 2, "{report:#}");
    let report = Import { salt_key: MASTER_KEY, ..taken.import() }.report(&[]).await;
    assert_eq!(report["rows"]["deployments"]["exact"], 0, "a salt key that is set counts first");
}

#[tokio::test]
async fn without_models_in_the_file_the_setting_for_the_database_or_a_file_is_asked_for() {
    let taken = Taken::with(|_| "general_settings: {master_key: sk-test}\n".to_owned()).await;
    let (status, text) = taken.import().run(&[]).await;
    assert_eq!(status, Some(3), "{text}");
    assert!(text.contains("`model_list` is missing") && text.contains("store_model_in_db: true"));

    let mut command = tokio::process::Command::new(binary());
    command.env_clear().args(["import", "litellm", "--database-url", taken.proxy.url()]);
    let (status, text) = output(command).await;
    assert_eq!(status, Some(2), "{text}");
    assert!(text.contains("--config <FILE>"), "{text}");
}

#[tokio::test]
async fn models_that_the_proxy_does_not_use_or_that_are_of_no_use_here_are_said() {
    let unset = |simulator: &Simulator| ConfigText::simulated(GROUP, simulator).build();
    let taken = Taken::with(unset).await;
    let report = taken.import().report(&[]).await;
    let unused = named(&report, "deployments", "`STORE_MODEL_IN_DB`");
    assert!(unused.contains(&KEPT.to_owned()) && unused.contains(&LENT.to_owned()), "{unused:?}");
    assert_eq!(report["rows"]["deployments"]["exact"], 0);

    // The file takes one of the ids.
    let config = |simulator: &Simulator| {
        let text = config(simulator);
        let first = format!("  - model_name: {GROUP}\n");
        text.replace(&first, &format!("{first}    model_info: {{id: d-1}}\n"))
    };
    let taken = Taken::with(config).await;
    let report = taken.import().report(&[]).await;
    assert_eq!(named(&report, "deployments", "of the configuration file has this id"), ["d-1"]);
    let rows = &report["rows"]["deployments"];
    assert_eq!((&rows["exact"], &rows["manual"]), (&json!(1), &json!(2)), "{rows}");
}
