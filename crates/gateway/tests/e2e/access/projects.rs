//! Projects: made in a team, binding the keys that belong to them, seen by whom they concern.

use http::Method;
use serde_json::{Value, json};
use tollgate_testkit::http::{Answer, Client};

use crate::stage::{CALL, CHAT, Stage};

async fn made(client: &Client, path: &str, body: Value) -> Value {
    client.post(path, body.to_string()).await.ok()
}

async fn delete(client: &Client, path: &str, body: Value) -> Answer {
    let sent = client.try_whole(Method::DELETE, path, body.to_string().into());
    sent.await.expect("an answer")
}

/// The project `cards` of the team `loom`.
async fn cards(stage: &Stage) -> Value {
    let master = stage.gateway.master();
    made(&master, "/team/new", json!({ "team_id": "loom" })).await;
    let project = json!({
        "project_id": "cards", "project_alias": "Cards", "team_id": "loom", "models": ["chat"],
        "description": "punched", "max_budget": 10, "metadata": { "floor": 2 },
    });
    made(&master, "/project/new", project).await
}

#[tokio::test]
async fn a_project_is_made_changed_and_deleted_with_its_keys() {
    let stage = Stage::new().await;
    let master = stage.gateway.master();
    let project = cards(&stage).await;
    for (field, expected) in [
        ("project_alias", json!("Cards")),
        ("team_id", json!("loom")),
        ("description", json!("punched")),
        ("models", json!(["chat"])),
        ("metadata", json!({ "floor": 2 })),
        ("max_budget", json!(10.0)),
        ("blocked", json!(false)),
    ] {
        assert_eq!(project[field], expected, "{field}");
    }
    let key = stage.key(json!({ "project_id": "cards", "team_id": "loom" })).await;
    let changed = json!({ "project_id": "cards", "description": null, "rpm_limit": 5 });
    let changed = made(&master, "/project/update", changed).await;
    assert_eq!((&changed["description"], &changed["rpm_limit"]), (&Value::Null, &json!(5)));
    assert_eq!((&changed["team_id"], &changed["max_budget"]), (&json!("loom"), &json!(10.0)));
    let listed = master.get("/project/list").await.ok();
    assert_eq!(listed, json!([changed]));
    let deleted = delete(&master, "/project/delete", json!({ "project_ids": ["cards"] })).await;
    assert_eq!(deleted.ok()[0]["project_id"], "cards");
    assert_eq!(key.client.post(CHAT, CALL).await.refusal(), (401, "key_unknown".to_owned()));
    let absent = master.get("/project/info?project_id=cards").await;
    assert_eq!(absent.refusal(), (404, "entity_not_found".to_owned()));
    let (books, _) = stage.close().await;
    books.must_balance();
}

#[tokio::test]
async fn a_project_s_models_budget_and_block_bind_its_keys() {
    let stage = Stage::new().await;
    let master = stage.gateway.master();
    cards(&stage).await;
    let key = stage.key(json!({ "project_id": "cards", "team_id": "loom" })).await;
    let other = stage.key(json!({ "team_id": "loom" })).await;
    key.client.post(CHAT, CALL).await.ok();
    for (change, status, kind) in [
        (json!({ "models": ["other"] }), 403, "project_model_access_denied"),
        (json!({ "models": [], "max_budget": 0 }), 429, "budget_exceeded"),
        (json!({ "blocked": true }), 401, "auth_error"),
    ] {
        let mut change = change;
        change["project_id"] = json!("cards");
        made(&master, "/project/update", change).await;
        let refused = key.client.post(CHAT, CALL).await;
        assert_eq!((refused.status, &refused.json()["error"]["type"]), (status, &json!(kind)));
        other.client.post(CHAT, CALL).await.ok();
    }
    let free = json!({ "project_id": "cards", "max_budget": null, "blocked": false });
    made(&master, "/project/update", free).await;
    key.client.post(CHAT, CALL).await.ok();
    let info = master.get("/project/info?project_id=cards").await.ok();
    assert!(info["spend"].as_f64().expect("dollars") > 0.0, "{info}");
    let (books, _) = stage.close().await;
    books.must_balance();
}

#[tokio::test]
async fn what_cannot_be_a_project_is_refused_and_changes_nothing() {
    let stage = Stage::new().await;
    let master = stage.gateway.master();
    cards(&stage).await;
    made(&master, "/team/new", json!({ "team_id": "mill" })).await;
    stage.key(json!({ "project_id": "cards", "team_id": "loom" })).await;
    for (path, body, expected) in [
        ("/project/new", json!({ "project_id": "x" }), (400, "field_missing")),
        ("/project/new", json!({ "team_id": "nowhere" }), (404, "entity_not_found")),
        (
            "/project/new",
            json!({ "project_id": "cards", "team_id": "loom" }),
            (400, "entity_exists"),
        ),
        (
            "/project/new",
            json!({ "team_id": "loom", "tags": ["a"] }),
            (400, "parameter_unsupported"),
        ),
        ("/project/update", json!({ "project_id": "x" }), (404, "entity_not_found")),
        (
            "/project/update",
            json!({ "project_id": "cards", "team_id": null }),
            (400, "field_missing"),
        ),
        (
            "/project/update",
            json!({ "project_id": "cards", "team_id": "mill" }),
            (400, "field_wrong_type"),
        ),
        ("/key/generate", json!({ "project_id": "x" }), (404, "entity_not_found")),
    ] {
        let (status, reason) = expected;
        let refusal = master.post(path, body.to_string()).await.refusal();
        assert_eq!(refusal, (status, reason.to_owned()), "{path} {body}");
    }
    let listed = master.get("/project/list").await.ok();
    assert_eq!(listed.as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn a_project_is_seen_by_its_team_and_its_keys_and_changed_by_administrators() {
    let stage = Stage::new().await;
    let master = stage.gateway.master();
    cards(&stage).await;
    let mut clients = Vec::new();
    for id in ["ada", "bob"] {
        let user = made(&master, "/user/new", json!({ "user_id": id })).await;
        clients.push(stage.gateway.client(user["key"].as_str().expect("a key")));
    }
    let member = json!({ "team_id": "loom", "member": { "user_id": "ada", "role": "admin" } });
    made(&master, "/team/member_add", member).await;
    let of_project = stage.key(json!({ "project_id": "cards" })).await.client;
    let seen = async |client: &Client| {
        let info = client.get("/project/info?project_id=cards").await.status;
        let list = client.get("/project/list").await.ok();
        (info, list.as_array().map(Vec::len))
    };
    assert_eq!(seen(&clients[0]).await, (200, Some(1)));
    assert_eq!(seen(&of_project).await, (200, Some(1)));
    assert_eq!(seen(&clients[1]).await, (403, Some(0)));
    assert_eq!(clients[1].get("/project/info?project_id=none").await.status, 403);
    for client in &clients {
        let update = json!({ "project_id": "cards", "max_budget": 1000 }).to_string();
        assert_eq!(client.post("/project/update", update).await.status, 403);
        let deleted = json!({ "project_ids": ["cards"] });
        assert_eq!(delete(client, "/project/delete", deleted).await.status, 403);
    }
    // A team takes its projects, and theirs their keys, with it.
    made(&master, "/team/delete", json!({ "team_ids": ["loom"] })).await;
    assert_eq!(master.get("/project/list").await.ok(), json!([]));
    assert_eq!(of_project.get("/key/info").await.status, 401);
}
