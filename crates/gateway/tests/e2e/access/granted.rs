//! What members may do with the keys of a team that gives them routes, and administrators of an
//! organization with the keys in it; and what neither may.

use serde_json::{Value, json};
use tollgate_testkit::http::{Answer, Client};

use crate::stage::{CALL, CHAT, Stage};

const FORBIDDEN: &str = "management_forbidden";

async fn post(client: &Client, path: &str, body: Value) -> Answer {
    client.post(path, body.to_string()).await
}

async fn made(client: &Client, path: &str, body: Value) -> Value {
    post(client, path, body).await.ok()
}

/// What each of these requests is refused for.
async fn all_forbidden(client: &Client, requests: &[(&str, Value)]) {
    for (path, body) in requests {
        let refusal = post(client, path, body.clone()).await.refusal();
        assert_eq!(refusal, (403, FORBIDDEN.to_owned()), "{path} {body}");
    }
}

/// A user with a key of their own.
async fn user(stage: &Stage, id: &str, role: &str) -> Client {
    let master = stage.gateway.master();
    let user = made(&master, "/user/new", json!({ "user_id": id, "user_role": role })).await;
    stage.gateway.client(user["key"].as_str().expect("a key"))
}

/// The team `loom` with `lead` as its administrator and two members, one of whom only looks on, and
/// the team `mill` of others. Gives the clients of the lead, the member and the one who looks on.
async fn loom(stage: &Stage) -> [Client; 3] {
    let master = stage.gateway.master();
    let lead = user(stage, "lead", "internal_user").await;
    let bob = user(stage, "bob", "internal_user").await;
    let eve = user(stage, "eve", "internal_user_viewer").await;
    let members = json!([
        { "user_id": "lead", "role": "admin" },
        { "user_id": "bob", "role": "user" },
        { "user_id": "eve", "role": "user" },
    ]);
    made(&master, "/team/new", json!({ "team_id": "loom", "members_with_roles": members })).await;
    made(&master, "/team/new", json!({ "team_id": "mill" })).await;
    [lead, bob, eve]
}

async fn give(lead: &Client, routes: &[&str]) {
    let given = json!({ "team_id": "loom", "team_member_permissions": routes });
    made(lead, "/team/permissions_update", given).await;
}

#[tokio::test]
async fn a_member_makes_keys_of_the_team_once_it_lets_them_and_changes_none() {
    let stage = Stage::new().await;
    let [lead, bob, eve] = loom(&stage).await;
    let of_team = json!({ "team_id": "loom" });
    all_forbidden(&bob, &[("/key/generate", of_team.clone())]).await;
    give(&lead, &["/key/info", "/key/generate"]).await;

    let own = made(&bob, "/key/generate", of_team.clone()).await;
    assert_eq!((&own["user_id"], &own["team_id"]), (&json!("bob"), &json!("loom")));
    let text = own["key"].as_str().expect("a key");
    stage.gateway.client(text).post(CHAT, CALL).await.ok();
    let others =
        made(&lead, "/key/generate", json!({ "team_id": "loom", "user_id": "lead" })).await;
    let info = format!("/key/info?key={}", others["token"].as_str().expect("a hash"));
    assert_eq!(bob.get(&info).await.ok()["info"]["user_id"], "lead");

    let key = json!({ "key": others["key"] });
    all_forbidden(
        &bob,
        &[
            ("/key/generate", json!({ "team_id": "mill" })),
            ("/key/generate", json!({ "team_id": "loom", "user_id": "nobody" })),
            ("/key/service-account/generate", of_team.clone()),
            ("/key/update", json!({ "key": others["key"], "key_alias": "mine" })),
            ("/key/regenerate", key.clone()),
            ("/key/block", key.clone()),
            ("/key/delete", json!({ "keys": [others["key"]] })),
            (
                "/team/permissions_update",
                json!({
                    "team_id": "loom", "team_member_permissions": ["/key/update"],
                }),
            ),
            ("/team/member_add", json!({ "team_id": "loom", "member": { "user_id": "x" } })),
        ],
    )
    .await;
    let listed = bob.get("/key/list?team_id=loom").await.ok();
    assert_eq!(listed["keys"], json!([own["token"]]), "their own alone");
    // A role that only sees makes nothing, whatever a team gives.
    all_forbidden(&eve, &[("/key/generate", of_team.clone())]).await;

    give(&lead, &["/key/info"]).await;
    all_forbidden(&bob, &[("/key/generate", of_team)]).await;
    let (books, _) = stage.close().await;
    books.must_balance();
}

#[tokio::test]
async fn a_member_does_with_the_team_s_keys_what_it_gives_and_no_more_than_they_hold() {
    let stage = Stage::new().await;
    let [lead, bob, _] = loom(&stage).await;
    let limits = json!({ "team_id": "loom", "user_id": "lead", "max_budget": 5 });
    let theirs = made(&lead, "/key/generate", limits).await;
    let key = json!({ "key": theirs["key"] });
    let routes = [
        "/key/update",
        "/key/block",
        "/key/unblock",
        "/key/list",
        "/key/delete",
        "/key/{key}/reset_spend",
        "/key/service-account/generate",
    ];
    give(&lead, &routes).await;
    let master = stage.gateway.master();
    let own = bob.get("/key/info").await.ok()["key"].clone();
    made(&master, "/key/update", json!({ "key": own, "max_budget": 10 })).await;

    let raised = json!({ "key": theirs["key"], "max_budget": 11 });
    let refusal = post(&bob, "/key/update", raised).await.refusal();
    assert_eq!(refusal, (403, "exceeds_grant".to_owned()));
    let changed = json!({ "key": theirs["key"], "max_budget": 10, "key_alias": "ours" });
    assert_eq!(made(&bob, "/key/update", changed).await["key_alias"], "ours");
    made(&bob, "/key/block", key.clone()).await;
    made(&bob, "/key/unblock", key.clone()).await;
    let reset = format!("/key/{}/reset_spend", theirs["token"].as_str().expect("a hash"));
    made(&bob, &reset, json!({ "reset_to": 0 })).await;
    let service = json!({ "team_id": "loom", "key_alias": "ci" });
    let service = made(&bob, "/key/service-account/generate", service).await;
    assert_eq!((&service["user_id"], &service["max_budget"]), (&Value::Null, &json!(10.0)));
    let listed = bob.get("/key/list?team_id=loom&return_full_object=true").await.ok();
    assert_eq!(listed["total_count"], 2, "{listed:#}");
    // Not given: to make keys for people, and to be shown a text.
    all_forbidden(
        &bob,
        &[("/key/generate", json!({ "team_id": "loom" })), ("/key/regenerate", key.clone())],
    )
    .await;
    made(&bob, "/key/delete", json!({ "keys": [theirs["key"]] })).await;
    let plain = stage.plain_key().await;
    all_forbidden(
        &bob,
        &[
            ("/key/block", json!({ "key": plain.text })),
            ("/key/delete", json!({ "keys": [plain.text] })),
        ],
    )
    .await;
}

/// The organizations `mill`, which `ada` administrates and `bob` belongs to, and `works`, each with
/// a team. Gives ada's client.
async fn organizations(stage: &Stage) -> Client {
    let master = stage.gateway.master();
    let ada = user(stage, "ada", "internal_user").await;
    user(stage, "bob", "internal_user").await;
    for (organization, team) in [("mill", "loom"), ("works", "engine")] {
        let made_of =
            json!({ "organization_id": organization, "organization_alias": organization });
        made(&master, "/organization/new", made_of).await;
        let team = json!({ "team_id": team, "organization_id": organization });
        made(&master, "/team/new", team).await;
    }
    for (user, role) in [("ada", "org_admin"), ("bob", "internal_user")] {
        let member = json!({ "user_id": user, "role": role });
        let member = json!({ "organization_id": "mill", "member": member });
        made(&master, "/organization/member_add", member).await;
    }
    ada
}

#[tokio::test]
async fn an_organization_s_administrator_oversees_the_keys_in_it() {
    let stage = Stage::new().await;
    let ada = organizations(&stage).await;
    let added = json!({ "team_id": "loom", "member": { "user_id": "bob", "role": "user" } });
    made(&ada, "/team/member_add", added).await;
    let bobs = made(&ada, "/key/generate", json!({ "team_id": "loom", "user_id": "bob" })).await;
    assert_eq!(bobs["organization_id"], "mill", "{bobs:#}");
    let text = bobs["key"].as_str().expect("a key");
    let bob = stage.gateway.client(text);
    bob.post(CHAT, CALL).await.ok();

    let key = json!({ "key": text });
    made(&ada, "/key/block", key.clone()).await;
    assert_eq!(bob.post(CHAT, CALL).await.refusal(), (401, "key_blocked".to_owned()));
    made(&ada, "/key/unblock", key.clone()).await;
    let limited = json!({ "key": text, "rpm_limit": 7, "key_alias": "bobs" });
    assert_eq!(made(&ada, "/key/update", limited).await["rpm_limit"], 7);
    let renewed = made(&ada, "/key/regenerate", key.clone()).await;
    assert_eq!(bob.post(CHAT, CALL).await.status, 401);
    let hash = renewed["token"].as_str().expect("a hash");
    let info = ada.get(&format!("/key/info?key={hash}")).await.ok();
    assert_eq!(info["info"]["key_alias"], "bobs");
    let listed = ada.get("/key/list?organization_id=mill").await.ok();
    assert_eq!((&listed["total_count"], &listed["keys"]), (&json!(1), &json!([hash])));
    made(&ada, "/key/delete", json!({ "key_aliases": ["bobs"] })).await;
    let (books, _) = stage.close().await;
    books.must_balance();
}

#[tokio::test]
async fn an_organization_s_administrator_reaches_no_keys_outside_of_it() {
    let stage = Stage::new().await;
    let ada = organizations(&stage).await;
    let theirs = stage.key(json!({ "team_id": "engine" })).await;
    let nobodys = stage.plain_key().await;
    let inside = made(&ada, "/key/generate", json!({ "team_id": "loom" })).await;
    all_forbidden(
        &ada,
        &[
            ("/key/generate", json!({ "team_id": "engine" })),
            ("/key/generate", json!({ "organization_id": "works" })),
            ("/key/generate", json!({ "team_id": "no_such_team" })),
            ("/key/generate", json!({ "user_id": "bob" })),
            ("/key/update", json!({ "key": inside["key"], "team_id": "engine" })),
            ("/key/update", json!({ "key": theirs.text, "max_budget": 1 })),
            ("/key/regenerate", json!({ "key": theirs.text })),
            ("/key/block", json!({ "key": theirs.text })),
            ("/key/block", json!({ "key": nobodys.text })),
            ("/key/delete", json!({ "keys": [inside["key"], theirs.text] })),
            ("/team/new", json!({ "team_id": "x", "organization_id": "works" })),
            (
                "/team/permissions_update",
                json!({
                    "team_id": "engine", "team_member_permissions": ["/key/generate"],
                }),
            ),
            (
                "/organization/member_add",
                json!({
                    "organization_id": "works", "member": { "user_id": "ada" },
                }),
            ),
        ],
    )
    .await;
    for path in [format!("/key/info?key={}", theirs.text), "/team/info?team_id=engine".to_owned()] {
        assert_eq!(ada.get(&path).await.refusal(), (403, FORBIDDEN.to_owned()), "{path}");
    }
    for place in ["organization_id=works", "team_id=engine"] {
        let listed = ada.get(&format!("/key/list?{place}")).await.ok();
        assert_eq!(listed["keys"], json!([]), "{place}");
    }
    // Nothing of it was done.
    for key in [&theirs, &nobodys] {
        key.client.post(CHAT, CALL).await.ok();
    }
    let (books, _) = stage.close().await;
    books.must_balance();
}
