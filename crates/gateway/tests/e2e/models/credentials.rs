//! Credentials in the database: deployments take them by name, and nobody is shown them.

use http::Method;
use serde_json::{Value, json};
use tollgate_simulator::{Behaviour, Script};

use crate::models::{ADDED, SECRET, add, calls, config, send, sent, stage};
use crate::stage::{Stage, Storage};

#[tokio::test]
async fn deployments_take_a_credential_by_name_and_nobody_is_shown_it() {
    let stage = stage(Storage::Sqlite, |home| home).await;
    let (master, key) = (stage.gateway.master(), stage.plain_key().await);
    let base = stage.simulator.base_url();
    let values = json!({ "api_key": SECRET, "api_base": base });
    let info = json!({ "custom_llm_provider": "openai_like" });
    let body = json!({ "credential_name": "team a", "credential_values": values,
        "credential_info": info });
    let made = master.post("/credentials", body.to_string()).await.ok();
    assert_eq!(made, json!({ "success": true, "message": "Credential created successfully" }));
    let twice = master.post("/credentials", body.to_string()).await;
    assert_eq!(twice.refusal(), (400, "entity_exists".to_owned()));

    let model = json!({ "model_name": ADDED, "model_info": { "id": "one" }, "litellm_params":
        { "model": "openai_like/simulated", "litellm_credential_name": "team a" } });
    master.post("/model/new", model.to_string()).await.ok();
    calls(&key, 200, "").await;
    let path = "/credentials/team%20a";
    let change = json!({ "credential_values": { "api_key": format!("{SECRET}-new") } });
    send(&master, Method::PATCH, path, &change).await.ok();
    calls(&key, 200, "").await;
    assert_eq!(sent(&stage), [SECRET.to_owned(), format!("{SECRET}-new")]);

    let list = master.get("/credentials").await.ok();
    let one = master.get("/credentials/by_name/team%20a").await.ok();
    assert_eq!(list["credentials"], json!([one]));
    assert_eq!(one["credential_values"]["api_base"], base);
    assert_eq!(one["credential_info"], info);
    assert!(!list.to_string().contains(SECRET) && list.to_string().contains("sk-k****-new"));
    assert!(!stage.gateway.output().contains(SECRET));

    send(&master, Method::DELETE, path, &json!({})).await.ok();
    calls(&key, 404, "model_unknown").await;
    let info = master.get("/model/info?litellm_model_id=one").await.ok();
    let why = info["data"][0]["model_info"]["left_out"].as_str().unwrap_or_default().to_owned();
    assert!(why.contains("no credential is called `team a`"), "{why}");
    let ready = master.get("/health/readiness").await.ok();
    assert!(ready["notes"].to_string().contains("deployment `one`"), "{ready}");
    let again = send(&master, Method::DELETE, path, &json!({})).await;
    assert_eq!(again.refusal(), (404, "entity_not_found".to_owned()));
    stage.close().await;
}

#[tokio::test]
async fn a_credential_is_taken_from_a_deployment() {
    let stage = stage(Storage::Sqlite, |home| home).await;
    let master = stage.gateway.master();
    add(&stage, "one").await;
    let body = json!({ "credential_name": "of-one", "model_id": "one" });
    master.post("/credentials", body.to_string()).await.ok();
    let model = json!({ "model_name": "second", "litellm_params":
        { "model": "openai_like/simulated", "litellm_credential_name": "of-one" } });
    master.post("/model/new", model.to_string()).await.ok();
    let tested = json!({ "litellm_params":
        { "model": "openai_like/simulated", "litellm_credential_name": "of-one" } });
    let tested = master.post("/health/test_connection", tested.to_string()).await.ok();
    assert_eq!(tested["status"], "success", "{tested}");
    assert_eq!(sent(&stage), [SECRET]);
    let shown = master.get("/credentials/by_model/one").await.ok();
    assert_eq!(shown["credential_values"]["api_key"], "****");
    let empty = json!({ "credential_name": "empty", "credential_values": {} });
    let refused = master.post("/credentials", empty.to_string()).await;
    assert_eq!(refused.refusal(), (400, "field_missing".to_owned()));
    stage.close().await;
}

#[tokio::test]
async fn a_credential_of_the_file_is_seen_and_not_changed() {
    let with_list = |simulator: &_| {
        let values = format!("{{api_key: {SECRET}}}");
        let item = format!("- {{credential_name: shared, credential_values: {values}}}");
        config(simulator).setting("credential_list", &item)
    };
    let script = Script::new(Behaviour::default());
    let stage = Stage::with(Storage::Sqlite, script, with_list, |home| home).await;
    let master = stage.gateway.master();
    let list = master.get("/credentials").await.ok();
    assert_eq!(list["credentials"][0]["credential_name"], "shared");
    assert!(!list.to_string().contains(SECRET));
    let body = json!({ "credential_name": "shared", "credential_values": { "api_key": "k" } });
    let taken = master.post("/credentials", body.to_string()).await;
    assert_eq!(taken.refusal(), (400, "entity_exists".to_owned()));
    for (method, body) in [(Method::PATCH, body), (Method::DELETE, Value::Object(<_>::default()))] {
        let refused = send(&master, method, "/credentials/shared", &body).await;
        assert_eq!(refused.refusal(), (400, "entry_read_only".to_owned()));
    }
    stage.close().await;
}
