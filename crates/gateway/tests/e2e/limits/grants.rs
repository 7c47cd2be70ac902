//! Models and access groups: what is listed can be called, and nothing else.

use serde_json::{Value, json};
use tollgate_simulator::{Script, Simulator};
use tollgate_testkit::config_text::ConfigText;

use super::{call_with, manage};
use crate::stage::{Key, Stage, Storage};

/// Three models, of which two are in the access group `beta` and one of these in `gold` too.
fn models(simulator: &Simulator) -> ConfigText {
    let deployment = ConfigText::deployment(simulator);
    let config = ConfigText::new()
        .grouped("alpha", &deployment, &["beta"])
        .grouped("alpha-large", &deployment, &["beta", "gold"])
        .group("plain", &deployment);
    config.setting("router_settings", "model_group_alias: {first: alpha}")
}

async fn stage() -> Stage {
    Stage::with(Storage::Sqlite, Script::default(), models, |home| home).await
}

const MODELS: [&str; 4] = ["alpha", "alpha-large", "first", "plain"];

/// The models that a key's list shows, which are those that it can call.
async fn callable(key: &Key) -> Vec<String> {
    let list = key.client.get("/v1/models").await.ok();
    let data = list["data"].as_array().expect("a list");
    let listed: Vec<String> =
        data.iter().filter_map(|model| model["id"].as_str().map(str::to_owned)).collect();
    for model in MODELS {
        let answer = call_with(key, json!({"model": model})).await;
        let expected = if listed.iter().any(|name| name == model) { 200 } else { 403 };
        assert_eq!(answer.status, expected, "{model}: {}", answer.text());
    }
    listed
}

#[tokio::test]
async fn an_access_group_grants_its_members_and_no_pattern_names_it() {
    let stage = stage().await;
    for (models, expected) in [
        (json!(["beta"]), &["alpha", "alpha-large", "first"][..]),
        (json!(["gold"]), &["alpha-large"]),
        (json!(["gold", "plain"]), &["alpha-large", "plain"]),
        (json!(["bet*"]), &[]),
        (json!(["*old"]), &[]),
        (json!(["no-default-models", "beta"]), &[]),
        (json!(["all-proxy-models"]), &MODELS),
        (json!(["all-team-models"]), &MODELS),
        (json!([]), &MODELS),
    ] {
        let key = stage.key(json!({"models": models})).await;
        assert_eq!(callable(&key).await, expected, "{models}");
    }
}

#[tokio::test]
async fn every_level_of_the_tree_has_to_grant_a_model() {
    let stage = stage().await;
    let works = json!({
        "organization_id": "works", "organization_alias": "works", "models": ["alpha*"],
    });
    manage(&stage, "/organization/new", works).await;
    let team = json!({"team_id": "core", "organization_id": "works", "models": ["gold", "plain"]});
    manage(&stage, "/team/new", team).await;
    let ada = json!({"user_id": "ada", "models": ["plain"], "auto_create_key": false});
    manage(&stage, "/user/new", ada).await;
    let teamed = stage.key(json!({
        "team_id": "core", "user_id": "ada", "models": ["all-team-models"],
    }));
    let teamed = teamed.await;
    assert_eq!(callable(&teamed).await, ["alpha-large"]);
    let personal = stage.key(json!({"user_id": "ada"})).await;
    assert_eq!(callable(&personal).await, ["plain"]);

    let kind = async |key: &Key, model: &str| -> Value {
        call_with(key, json!({"model": model})).await.json()["error"]["type"].clone()
    };
    assert_eq!(kind(&teamed, "plain").await, "org_model_access_denied");
    assert_eq!(kind(&teamed, "alpha").await, "team_model_access_denied");
    assert_eq!(kind(&personal, "alpha").await, "user_model_access_denied");
    let narrow = stage.key(json!({"team_id": "core", "models": ["alpha"]})).await;
    assert_eq!(kind(&narrow, "plain").await, "key_model_access_denied");

    manage(&stage, "/team/update", json!({"team_id": "core", "models": ["beta"]})).await;
    assert_eq!(callable(&teamed).await, ["alpha", "alpha-large", "first"]);
    manage(&stage, "/user/update", json!({"user_id": "ada", "models": null})).await;
    assert_eq!(callable(&personal).await, MODELS);
}
