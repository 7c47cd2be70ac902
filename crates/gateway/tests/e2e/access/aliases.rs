//! A team's own names of models: who calls what by them, and what they grant.

use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};
use tollgate_simulator::{Script, Simulator};
use tollgate_testkit::config_text::{ConfigText, DeploymentText, OUTPUT_PRICE};
use tollgate_testkit::http::{Answer, Client};

use crate::stage::{CHAT, Stage, Storage};

/// The models `large` and `small`, each by that name at the upstream.
fn models(simulator: &Simulator) -> ConfigText {
    let at =
        |model: &str| DeploymentText::at(&simulator.base_url(), model).priced("0", OUTPUT_PRICE);
    ConfigText::new().group("large", &at("large")).group("small", &at("small"))
}

async fn stage() -> Stage {
    Stage::with(Storage::Sqlite, Script::default(), models, |home| home).await
}

async fn made(client: &Client, path: &str, body: Value) -> Value {
    client.post(path, body.to_string()).await.ok()
}

async fn call(client: &Client, model: &str) -> Answer {
    let body = json!({"model": model, "messages": [{"role": "user", "content": "hi"}]});
    client.post(CHAT, body.to_string()).await
}

/// The model that the upstream was asked for, when a client calls by this name.
async fn called(stage: &Stage, client: &Client, model: &str) -> String {
    call(client, model).await.ok();
    let calls = stage.simulator.calls().kept();
    let body: Value = serde_json::from_slice(&calls.last().expect("a call").body).expect("JSON");
    body["model"].as_str().expect("a model").to_owned()
}

async fn listed(client: &Client) -> Vec<String> {
    let models = client.get("/v1/models").await.ok();
    let models = models["data"].as_array().expect("a list").iter();
    models.map(|model| model["id"].as_str().expect("an id").to_owned()).collect()
}

#[tokio::test]
async fn a_teams_names_of_models_are_for_its_keys_alone() {
    let stage = stage().await;
    let master = stage.gateway.master();
    let aliases = json!({"quick": "small", "large": "small", "gone": "nothing"});
    let team = json!({"team_id": "loom", "model_aliases": aliases});
    let team = made(&master, "/team/new", team).await;
    assert_eq!(team["model_aliases"], aliases);
    assert_eq!(team["litellm_model_table"]["model_aliases"], aliases);
    assert_eq!(team["metadata"], json!({}));

    let key = stage.key(json!({"team_id": "loom"})).await.client;
    assert_eq!(called(&stage, &key, "quick").await, "small");
    assert_eq!(called(&stage, &key, "large").await, "small", "the team means another by it");
    assert_eq!(call(&key, "gone").await.refusal(), (404, "model_unknown".to_owned()));
    let other = stage.plain_key().await.client;
    assert_eq!(call(&other, "quick").await.refusal(), (404, "model_unknown".to_owned()));
    assert_eq!(called(&stage, &other, "large").await, "large");

    // A key's own name for what its team has named.
    let own = json!({"team_id": "loom", "aliases": {"small": "large", "own": "quick"}});
    let own = stage.key(own).await.client;
    assert_eq!(called(&stage, &own, "quick").await, "large");
    assert_eq!(call(&own, "own").await.refusal(), (404, "model_unknown".to_owned()));

    let limited = json!({"team_id": "loom", "model_rpm_limit": {"quick": 1}});
    let limited = stage.key(limited).await.client;
    assert_eq!(called(&stage, &limited, "quick").await, "small");
    assert_eq!(call(&limited, "quick").await.status, 429, "a limit by the team's name binds");
    assert_eq!(called(&stage, &limited, "small").await, "small");

    for wrong in [json!({"quick": 5}), json!({"": "small"}), json!("quick")] {
        let body = json!({"team_id": "loom", "model_aliases": wrong});
        let answer = master.post("/team/update", body.to_string()).await;
        assert_eq!(answer.status, 400, "{wrong}");
    }
    let hidden = json!({"team_id": "loom", "metadata": {"model_aliases": {"a": "large"}}});
    assert_eq!(master.post("/team/update", hidden.to_string()).await.status, 400);

    let less = json!({"team_id": "loom", "model_aliases": {"quick": "large"}});
    let updated = made(&master, "/team/update", less).await;
    assert_eq!(updated["data"]["model_aliases"], json!({"quick": "large"}));
    assert_eq!(called(&stage, &key, "quick").await, "large", "it binds the next call");
    made(&master, "/team/update", json!({"team_id": "loom", "model_aliases": null})).await;
    assert_eq!(call(&key, "quick").await.refusal(), (404, "model_unknown".to_owned()));
    let (books, _) = stage.close().await;
    books.must_balance();
}

#[tokio::test]
async fn a_team_grants_what_it_has_named_and_nobody_else_is_bound_less() {
    let stage = stage().await;
    let master = stage.gateway.master();
    let organization = json!({"organization_id": "mill", "organization_alias": "Mill"});
    made(&master, "/organization/new", organization).await;
    let team = json!({
        "team_id": "loom", "organization_id": "mill", "models": ["quick", "large"],
        "model_aliases": {"quick": "small"},
    });
    made(&master, "/team/new", team).await;
    let denied = |kind: &str| (403, json!(kind));
    let refusal = async |client: &Client, model: &str| {
        let answer = call(client, model).await;
        (answer.status, answer.json()["error"]["type"].clone())
    };
    let whole = stage.key(json!({"team_id": "loom"})).await.client;
    assert_eq!(called(&stage, &whole, "quick").await, "small");
    assert_eq!(refusal(&whole, "small").await, denied("team_model_access_denied"));
    assert_eq!(listed(&whole).await, ["large", "quick"], "what the team's list names");

    // A key's own list binds it by either name.
    for (models, answer) in [("quick", 200), ("small", 200), ("large", 403)] {
        let key = stage.key(json!({"team_id": "loom", "models": [models]})).await.client;
        assert_eq!(call(&key, "quick").await.status, answer, "{models}");
    }

    // An organization grants models and no names, since its administrators give teams theirs.
    let grant = async |models: [&str; 2]| {
        let body = Bytes::from(json!({"organization_id": "mill", "models": models}).to_string());
        let answer = master.try_whole(Method::PATCH, "/organization/update", body).await;
        answer.expect("an answer").ok();
    };
    grant(["quick", "large"]).await;
    assert_eq!(refusal(&whole, "quick").await, denied("org_model_access_denied"));
    assert_eq!(listed(&whole).await, ["large"]);
    grant(["small", "large"]).await;
    assert_eq!(called(&stage, &whole, "quick").await, "small");
    let (books, _) = stage.close().await;
    books.must_balance();
}

#[tokio::test]
async fn only_administrators_name_models_for_a_team() {
    let stage = stage().await;
    let master = stage.gateway.master();
    let lead = made(&master, "/user/new", json!({"user_id": "lead"})).await;
    let lead = stage.gateway.client(lead["key"].as_str().expect("a key"));
    let members = json!([{"user_id": "lead", "role": "admin"}]);
    made(&master, "/team/new", json!({"team_id": "loom", "members_with_roles": members})).await;
    let body = json!({"team_id": "loom", "model_aliases": {"quick": "large"}}).to_string();
    assert_eq!(lead.post("/team/update", body.clone()).await.status, 403);
    assert_eq!(lead.post("/team/new", body).await.status, 403);
    let team = lead.get("/team/info?team_id=loom").await.ok();
    assert_eq!(team["team_info"]["model_aliases"], json!(null));
}
