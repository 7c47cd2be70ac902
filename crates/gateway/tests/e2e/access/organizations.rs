//! An organization's administrator: what is theirs to manage, and what is not.

use serde_json::{Value, json};
use tollgate_testkit::http::Client;

use crate::stage::{CALL, CHAT, Stage};

async fn made(client: &Client, path: &str, body: Value) -> Value {
    client.post(path, body.to_string()).await.ok()
}

async fn status(client: &Client, path: &str, body: Value) -> u16 {
    client.post(path, body.to_string()).await.status
}

/// The organization `mill` with the administrator `ada`, and another one, `works`.
async fn mill(stage: &Stage) -> Client {
    let master = stage.gateway.master();
    for id in ["mill", "works"] {
        let organization = json!({ "organization_id": id, "organization_alias": id });
        made(&master, "/organization/new", organization).await;
    }
    let ada = json!({ "user_id": "ada", "user_email": "Ada@mill.test" });
    let ada = made(&master, "/user/new", ada).await;
    // Named by her address, as people are.
    let member = json!({ "user_email": "ada@mill.test", "role": "org_admin" });
    let added = json!({ "organization_id": "mill", "member": member });
    let added = made(&master, "/organization/member_add", added).await;
    assert_eq!(added["updated_organization_memberships"][0]["user_role"], "org_admin");
    stage.gateway.client(ada["key"].as_str().expect("a key"))
}

#[tokio::test]
async fn an_administrator_manages_their_organization_and_no_other() {
    let stage = Stage::new().await;
    let ada = mill(&stage).await;
    let master = stage.gateway.master();
    let team = json!({ "team_id": "loom", "organization_id": "mill" });
    made(&ada, "/team/new", team).await;
    let bob = json!({ "user_id": "bob", "organizations": ["mill"], "teams": ["loom"] });
    made(&ada, "/user/new", bob).await;
    made(&master, "/user/new", json!({ "user_id": "eve" })).await;

    for (path, body) in [
        ("/team/new", json!({ "team_id": "x", "organization_id": "works" })),
        ("/team/new", json!({ "team_id": "x" })),
        ("/user/new", json!({ "user_id": "x" })),
        ("/user/new", json!({ "user_id": "x", "organizations": ["works"] })),
        (
            "/user/new",
            json!({ "user_id": "x", "organizations": ["mill"], "user_role": "proxy_admin" }),
        ),
        ("/user/update", json!({ "user_id": "eve", "max_budget": 5 })),
        ("/user/update", json!({ "user_id": "bob", "user_role": "proxy_admin" })),
        ("/user/delete", json!({ "user_ids": ["bob", "eve"] })),
        (
            "/organization/member_add",
            json!({ "organization_id": "works", "member": { "user_id": "bob" } }),
        ),
        ("/organization/new", json!({ "organization_alias": "x" })),
    ] {
        assert_eq!(status(&ada, path, body.clone()).await, 403, "{path} {body}");
    }
    let users = ada.get("/user/list").await.ok();
    let mut ids: Vec<&str> = users["users"]
        .as_array()
        .expect("users")
        .iter()
        .filter_map(|user| user["user_id"].as_str())
        .collect();
    ids.sort_unstable();
    assert_eq!(ids, ["ada", "bob"]);
    assert_eq!(ada.get("/user/info?user_id=bob").await.status, 200);
    assert_eq!(ada.get("/user/info?user_id=eve").await.status, 403);
    let organizations = ada.get("/organization/list").await.ok();
    assert_eq!(organizations.as_array().map(Vec::len), Some(1));
    let info = ada.get("/organization/info?organization_id=mill").await.ok();
    assert_eq!(info["members"].as_array().map(Vec::len), Some(2));
    assert_eq!(ada.get("/organization/info?organization_id=works").await.status, 403);
    made(&ada, "/user/delete", json!({ "user_ids": ["bob"] })).await;
    let info = ada.get("/organization/info?organization_id=mill").await.ok();
    assert_eq!(info["members"].as_array().map(Vec::len), Some(1));
    let (books, _) = stage.close().await;
    books.must_balance();
}

#[tokio::test]
async fn the_budget_of_a_member_binds_their_keys_in_the_organization() {
    let stage = Stage::new().await;
    let master = stage.gateway.master();
    mill(&stage).await;
    let key = json!({ "user_id": "ada", "organization_id": "mill" });
    let within = stage.key(key).await;
    let outside = stage.key(json!({ "user_id": "ada" })).await;
    let member = json!({
        "organization_id": "mill", "user_id": "ada", "max_budget_in_organization": 0,
    });
    let changed = master.try_whole(
        http::Method::PATCH,
        "/organization/member_update",
        member.to_string().into(),
    );
    assert_eq!(changed.await.expect("an answer").status, 200);
    let refused = within.client.post(CHAT, CALL).await;
    assert_eq!(refused.status, 429);
    let message = refused.json()["error"]["message"].to_string();
    assert!(message.contains("this user in this organization"), "{message}");
    assert_eq!(outside.client.post(CHAT, CALL).await.status, 200);
    let (books, _) = stage.close().await;
    books.must_balance();
}
