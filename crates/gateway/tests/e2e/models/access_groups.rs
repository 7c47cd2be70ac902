//! Access groups of deployments in the database: a key that is granted one may call what is in it.

use http::Method;
use serde_json::json;
use tollgate_simulator::{Behaviour, Script};
use tollgate_testkit::config_text::ConfigText;

use crate::models::{ADDED, add, calls, send, stage};
use crate::stage::{GROUP, Stage, Storage};

#[tokio::test]
async fn a_group_grants_the_deployments_that_are_in_it_for_as_long_as_they_are() {
    let stage = stage(Storage::Sqlite, |home| home).await;
    let master = stage.gateway.master();
    let key = stage.key(json!({ "models": ["beta"] })).await;
    add(&stage, "one").await;
    add(&stage, "two").await;
    calls(&key, 403, "model_not_granted").await;
    let body = json!({ "access_group": "beta", "model_names": [ADDED] });
    let made = master.post("/access_group/new", body.to_string()).await.ok();
    assert_eq!(made["models_updated"], 2);
    calls(&key, 200, "").await;
    let twice = master.post("/access_group/new", body.to_string()).await;
    assert_eq!(twice.refusal(), (409, "entity_exists".to_owned()));

    let only_two = json!({ "model_ids": ["two"] });
    let put = send(&master, Method::PUT, "/access_group/beta/update", &only_two).await.ok();
    assert_eq!(put["models_updated"], 1);
    let info = master.get("/access_group/beta/info").await.ok();
    assert_eq!((&info["model_ids"], &info["deployment_count"]), (&json!(["two"]), &json!(1)));
    let list = master.get("/access_group/list").await.ok();
    assert_eq!(list["access_groups"], json!([info]));
    send(&master, Method::DELETE, "/access_group/beta/delete", &json!({})).await.ok();
    calls(&key, 403, "model_not_granted").await;
    let gone = send(&master, Method::DELETE, "/access_group/beta/delete", &json!({})).await;
    assert_eq!(gone.refusal(), (404, "entity_not_found".to_owned()));
    stage.close().await;
}

#[tokio::test]
async fn a_group_of_the_file_is_seen_and_not_changed() {
    let grouped = |simulator: &_| {
        let deployment = ConfigText::deployment(simulator);
        let config = ConfigText::new().grouped(GROUP, &deployment, &["beta"]);
        config.setting("general_settings", "store_model_in_db: true")
    };
    let script = Script::new(Behaviour::default());
    let stage = Stage::with(Storage::Sqlite, script, grouped, |home| home).await;
    let master = stage.gateway.master();
    let info = master.get("/access_group/beta/info").await.ok();
    assert_eq!(info["model_names"], json!([GROUP]));
    let delete = send(&master, Method::DELETE, "/access_group/beta/delete", &json!({})).await;
    assert_eq!(delete.refusal(), (400, "entry_read_only".to_owned()));
    let body = json!({ "access_group": "other", "model_names": [GROUP] });
    let refused = master.post("/access_group/new", body.to_string()).await;
    assert_eq!(refused.refusal(), (400, "entry_read_only".to_owned()));
    for body in [json!({ "model_names": ["nothing"] }), json!({ "model_ids": ["nothing"] })] {
        let refused = send(&master, Method::PUT, "/access_group/beta/update", &body).await;
        assert_eq!(refused.refusal(), (400, "entity_not_found".to_owned()), "{body}");
    }
    let refused = send(&master, Method::PUT, "/access_group/beta/update", &json!({})).await;
    assert_eq!(refused.refusal(), (400, "field_missing".to_owned()));
    stage.close().await;
}
