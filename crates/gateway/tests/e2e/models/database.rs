//! The life of a deployment in the database, and where its secret does not appear.

use std::fs;

use http::Method;
use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection};
use tollgate_simulator::{Behaviour, Script};
use tollgate_testkit::config_text::ConfigText;
use tollgate_testkit::gateway::GatewayProcess;
use tollgate_testkit::patience::until;

use crate::models::{ADDED, SECRET, add, added, call, calls, config, send, sent, stage};
use crate::stage::{CALL, CHAT, GROUP, Stage, Storage, binary};

/// Every text of the tables that hold what was added.
const TEXTS: &str = "SELECT COALESCE(string_agg(d::text, ' '), '') FROM deployments d";

#[tokio::test]
async fn a_deployment_serves_from_its_addition_to_its_deletion_on_sqlite() {
    life(Storage::Sqlite).await;
}

#[tokio::test]
async fn a_deployment_serves_from_its_addition_to_its_deletion_on_postgres() {
    life(Storage::Postgres).await;
}

async fn life(storage: Storage) {
    let stage = stage(storage, |home| home).await;
    let key = stage.plain_key().await;
    calls(&key, 404, "model_unknown").await;
    let answer = add(&stage, "one").await;
    assert_eq!(answer["model_id"], "one");
    assert_eq!(answer["litellm_params"]["model"], "openai_like/simulated");
    assert_eq!(answer["litellm_params"].get("api_key"), None);
    calls(&key, 200, "").await;
    assert_eq!(sent(&stage), [SECRET]);

    let changed = json!({ "litellm_params": { "api_key": format!("{SECRET}-new") } });
    let master = stage.gateway.master();
    let mut answers = answer.to_string();
    answers += &send(&master, Method::PATCH, "/model/one/update", &changed).await.ok().to_string();
    calls(&key, 200, "").await;
    assert_eq!(sent(&stage).last().map(String::as_str), Some(&*format!("{SECRET}-new")));
    for path in ["/model/info", "/v2/model/info", "/model_group/info", "/credentials/by_model/one"]
    {
        answers += &master.get(path).await.ok().to_string();
    }
    assert!(!answers.contains(SECRET), "{answers}");
    assert_eq!(
        master.get("/model/info?litellm_model_id=one").await.ok(),
        json!({"data": [
            master.get("/v2/model/info?modelId=one").await.ok()["data"][0]
        ]})
    );

    let Stage { home, gateway, simulator, database } = stage;
    assert!(!gateway.output().contains(SECRET), "the log holds the secret");
    assert_eq!(gateway.terminate().await.code(), Some(0));
    for file in fs::read_dir(home.data_dir()).expect("the data directory").flatten() {
        let content = fs::read(file.path()).expect("a file");
        let found = content.windows(SECRET.len()).any(|part| part == SECRET.as_bytes());
        assert!(!found, "the secret is in {}", file.path().display());
    }
    if let Some(database) = &database {
        let mut connection = PgConnection::connect(database.url()).await.expect("the database");
        let texts: String =
            sqlx::query_scalar(TEXTS).fetch_one(&mut connection).await.expect("rows");
        assert!(texts.contains("openai_like/simulated") && !texts.contains(SECRET));
    }

    let gateway = GatewayProcess::start(binary(), &home).await;
    let again = gateway.client(&key.text);
    assert_eq!(call(&again).await, (200, String::new()), "a restart keeps it");
    assert_eq!(simulator.calls().count(), 3);
    gateway.master().post("/model/delete", r#"{"id": "one"}"#).await.ok();
    assert_eq!(call(&again).await, (404, "model_unknown".to_owned()));
    let twice = gateway.master().post("/model/delete", r#"{"id": "one"}"#).await;
    assert_eq!(twice.refusal(), (400, "entity_not_found".to_owned()));
    assert_eq!(gateway.terminate().await.code(), Some(0));
}

#[tokio::test]
async fn what_is_wrong_is_refused_before_it_is_stored_and_what_the_file_holds_is_read_only() {
    let stage = stage(Storage::Sqlite, |home| home).await;
    let master = stage.gateway.master();
    add(&stage, "one").await;
    let file = master.get("/model/info").await.ok()["data"][0]["model_info"]["id"].clone();
    let file = file.as_str().expect("the file's deployment has an id");
    let wrong = |params: Value| json!({ "model_name": ADDED, "litellm_params": params });
    let named = |id: &str| added(&stage, id);
    let refused = [
        (wrong(json!({"model": "nobody/knows"})), 400, "entry_unusable"),
        (wrong(json!({})), 400, "entry_unusable"),
        (wrong(json!({"model": "openai_like/x", "timeout": 0})), 400, "entry_unusable"),
        (json!({"model_name": ADDED}), 400, "field_missing"),
        (json!({"litellm_params": {}}), 400, "field_missing"),
        (named("one"), 400, "entity_exists"),
        (named(file), 400, "entity_exists"),
        (named(""), 400, "field_wrong_type"),
    ];
    for (body, status, reason) in refused {
        let answer = master.post("/model/new", body.to_string()).await;
        assert_eq!(answer.refusal(), (status, reason.to_owned()), "{body}");
    }
    let of_team = json!({"model_name": ADDED, "litellm_params": {"model": "openai_like/x"},
        "model_info": {"team_id": "t"}});
    let answer = master.post("/model/new", of_team.to_string()).await;
    assert_eq!(answer.refusal(), (400, "parameter_unsupported".to_owned()));

    let path = format!("/model/{file}/update");
    let change = json!({ "model_name": "other" });
    let answer = send(&master, Method::PATCH, &path, &change).await;
    assert_eq!(answer.refusal(), (400, "entry_read_only".to_owned()));
    let delete = json!({ "id": file }).to_string();
    let answer = master.post("/model/delete", delete).await;
    assert_eq!(answer.refusal(), (400, "entry_read_only".to_owned()));
    let answer = send(&master, Method::PATCH, "/model/nothing/update", &change).await;
    assert_eq!(answer.refusal(), (404, "entity_not_found".to_owned()));
    let broken = json!({ "litellm_params": { "model": "nobody/knows" } });
    let answer = send(&master, Method::PATCH, "/model/one/update", &broken).await;
    assert_eq!(answer.refusal(), (400, "entry_unusable".to_owned()));
    assert_eq!(call(&master).await.0, 200, "nothing was changed");
    stage.close().await;
}

#[tokio::test]
async fn nothing_is_stored_unless_the_operator_allows_it() {
    let stage = Stage::new().await;
    let answer = stage.gateway.master().post("/model/new", added(&stage, "one").to_string()).await;
    assert_eq!(answer.refusal(), (403, "model_storage_disabled".to_owned()));
    assert!(answer.text().contains("store_model_in_db"), "{}", answer.text());
    let body = json!({"credential_name": "c", "credential_values": {"api_key": SECRET}});
    let answer = stage.gateway.master().post("/credentials", body.to_string()).await;
    assert_eq!(answer.refusal(), (403, "model_storage_disabled".to_owned()));
    stage.close().await;
}

#[tokio::test]
async fn a_blocked_deployment_gets_no_calls_and_then_gets_them_again() {
    let stage = stage(Storage::Sqlite, |home| home).await;
    let (master, key) = (stage.gateway.master(), stage.plain_key().await);
    add(&stage, "one").await;
    let one = r#"{"model_id": "one"}"#;
    assert_eq!(master.post("/model/block", one).await.ok()["blocked"], true);
    calls(&key, 403, "model_blocked").await;
    add(&stage, "two").await;
    calls(&key, 200, "").await;
    master.post("/model/delete", r#"{"id": "two"}"#).await.ok();
    assert_eq!(master.post("/model/unblock", one).await.ok()["blocked"], false);
    calls(&key, 200, "").await;
    stage.close().await;
}

#[tokio::test]
async fn the_file_may_do_without_models_and_a_reload_of_it_keeps_those_of_the_database() {
    let empty = |_: &_| {
        let config = ConfigText::new().setting("general_settings", "store_model_in_db: true");
        config.setting("router_settings", &format!("model_group_alias: {{other: {ADDED}}}"))
    };
    let script = Script::new(Behaviour::default());
    let stage = Stage::with(Storage::Sqlite, script, empty, |home| home).await;
    let key = stage.plain_key().await;
    calls(&key, 404, "model_unknown").await;
    add(&stage, "one").await;
    calls(&key, 200, "").await;
    stage.gateway.hang_up();
    stage.gateway.says("the configuration was reloaded").await;
    calls(&key, 200, "").await;
    key.client.post(CHAT, CALL.replace(GROUP, "other")).await.ok();
    // A file that became wrong stops no change of the database.
    stage.home.rewrite_config("model_list: [\n");
    stage.gateway.hang_up();
    stage.gateway.says("the one in force stays").await;
    stage.gateway.master().post("/model/delete", r#"{"id": "one"}"#).await.ok();
    calls(&key, 404, "model_unknown").await;
    stage.close().await;
}

#[tokio::test]
async fn a_database_that_cannot_be_read_keeps_no_file_from_being_reloaded() {
    let stage = stage(Storage::Postgres, |home| home).await;
    let (key, base) = (stage.plain_key().await, config(&stage.simulator));
    add(&stage, "one").await;
    let mut connection = PgConnection::connect(stage.database().url()).await.expect("the database");
    sqlx::query("ALTER TABLE deployments RENAME TO away")
        .execute(&mut connection)
        .await
        .expect("away");
    let more = base.group("more", &ConfigText::deployment(&stage.simulator));
    stage.home.rewrite_config(&more.build());
    let more = CALL.replace(GROUP, "more");
    let serves = || async { key.client.post(CHAT, more.clone()).await.status == 200 };
    until("the file to be reloaded", || async { serves().await.then_some(()) }).await;
    calls(&key, 200, "").await;
    // What changed meanwhile is read once it can be.
    sqlx::query("DELETE FROM away").execute(&mut connection).await.expect("a deletion");
    sqlx::query("ALTER TABLE away RENAME TO deployments")
        .execute(&mut connection)
        .await
        .expect("back");
    until("the deletion to be read", || async { (call(&key.client).await.0 == 404).then_some(()) })
        .await;
    stage.close().await;
}

#[tokio::test]
async fn a_key_sees_the_deployments_of_its_models_only() {
    let stage = stage(Storage::Sqlite, |home| home).await;
    add(&stage, "one").await;
    let of_file = stage.key(json!({ "models": [GROUP] })).await;
    for (client, expected) in [
        (&stage.gateway.master(), vec![GROUP, ADDED]),
        (&of_file.client, vec![GROUP]),
        (&stage.plain_key().await.client, vec![GROUP, ADDED]),
    ] {
        for path in ["/model/info", "/v2/model/info", "/model_group/info"] {
            let data = client.get(path).await.ok()["data"].clone();
            let data = data.as_array().expect("a list").clone();
            let name = |one: &Value| {
                let name = one.get("model_name").or(one.get("model_group"));
                name.and_then(Value::as_str).unwrap_or_default().to_owned()
            };
            let mut names: Vec<String> = data.iter().map(name).collect();
            names.sort_unstable_by_key(|name| name != GROUP);
            assert_eq!(names, expected, "{path}");
        }
    }
    let hidden = of_file.client.get("/model/info?litellm_model_id=one").await;
    assert_eq!(hidden.refusal(), (400, "entity_not_found".to_owned()));
    let shown = stage.gateway.master().get("/model/info?litellm_model_id=one").await.ok();
    let info = &shown["data"][0]["model_info"];
    assert_eq!(info["db_model"], true);
    assert_eq!(info["input_cost_per_token"], 0.000001);
    assert_eq!(info["litellm_provider"], "openai_like");
    assert!(info["created_at"].is_string() && info["created_by"] == "master", "{info}");
    stage.close().await;
}

#[tokio::test]
async fn a_page_of_deployments_is_found_by_name_and_sorted() {
    let stage = stage(Storage::Sqlite, |home| home).await;
    for id in ["one", "two", "three"] {
        add(&stage, id).await;
    }
    let page = async |query: &str| {
        let page = stage.gateway.master().get(&format!("/v2/model/info?{query}")).await.ok();
        let data = page["data"].as_array().expect("a list");
        let ids = data.iter().map(|one| one["model_info"]["id"].as_str().unwrap_or_default());
        (ids.map(str::to_owned).collect::<Vec<_>>(), page["total_count"].clone())
    };
    assert_eq!(page("search=ADD&size=2").await, (vec!["one".into(), "two".into()], json!(3)));
    assert_eq!(page("model=added&size=2&page=2").await, (vec!["three".into()], json!(3)));
    assert_eq!(page("model=add").await, (vec![], json!(0)));
    let (ids, _) = page("sortBy=created_at&sortOrder=desc&size=1").await;
    assert_eq!(ids, ["three"]);
    let refused = stage.gateway.master().get("/v2/model/info?sortBy=luck").await;
    assert_eq!(refused.status, 400);
    stage.close().await;
}

#[tokio::test]
async fn a_connection_is_tested_before_anything_is_stored() {
    let stage = stage(Storage::Sqlite, |home| home).await;
    let master = stage.gateway.master();
    let params = added(&stage, "x")["litellm_params"].clone();
    let test =
        async |body: Value| master.post("/health/test_connection", body.to_string()).await.ok();
    let good = test(json!({ "litellm_params": params, "mode": "chat" })).await;
    assert_eq!(good["status"], "success", "{good}");
    assert!(!good.to_string().contains(SECRET), "{good}");
    assert_eq!(sent(&stage), [SECRET]);
    add(&stage, "one").await;
    let of_row = test(json!({ "model_info": { "id": "one" } })).await;
    assert_eq!(of_row["status"], "success", "{of_row}");
    let nowhere = json!({ "model_info": { "id": "one" },
        "litellm_params": { "api_base": "http://127.0.0.1:1/v1" } });
    let bad = test(nowhere).await;
    assert_eq!(bad["status"], "error", "{bad}");
    assert_eq!(bad["result"]["reason"], "upstream_unreachable", "{bad}");
    let body = json!({ "litellm_params": { "model": "nobody/knows" } });
    let refused = master.post("/health/test_connection", body.to_string()).await;
    assert_eq!(refused.refusal(), (400, "entry_unusable".to_owned()));
    let data = master.get("/model/info").await.ok()["data"].clone();
    assert_eq!(data.as_array().map(Vec::len), Some(2), "a test stores nothing");
    stage.close().await;
}
