//! A team's administrator and its members: what each may do, and what the team gives them.

use serde_json::{Value, json};
use tollgate_testkit::http::Client;

use crate::stage::{CALL, CHAT, Stage};

async fn made(client: &Client, path: &str, body: Value) -> Value {
    client.post(path, body.to_string()).await.ok()
}

async fn status(client: &Client, path: &str, body: Value) -> u16 {
    client.post(path, body.to_string()).await.status
}

async fn user(stage: &Stage, id: &str) -> Client {
    let master = stage.gateway.master();
    let fields = json!({ "user_id": id, "user_email": format!("{id}@loom.test") });
    let user = made(&master, "/user/new", fields).await;
    stage.gateway.client(user["key"].as_str().expect("a key"))
}

#[tokio::test]
async fn an_administrator_of_a_team_manages_its_members_and_what_they_may_do() {
    let stage = Stage::new().await;
    let master = stage.gateway.master();
    let (lead, bob, eve) =
        (user(&stage, "lead").await, user(&stage, "bob").await, user(&stage, "eve").await);
    let members = json!([{ "user_id": "lead", "role": "admin" }]);
    made(&master, "/team/new", json!({ "team_id": "loom", "members_with_roles": members })).await;
    made(&master, "/team/new", json!({ "team_id": "mill", "team_alias": "The Mill" })).await;

    let member = json!({ "team_id": "loom", "member": { "user_email": "BOB@loom.test" } });
    assert_eq!(status(&bob, "/team/member_add", member.clone()).await, 403);
    made(&lead, "/team/member_add", member.clone()).await;
    let again = lead.post("/team/member_add", member.to_string()).await;
    assert_eq!(again.status, 400);
    assert_eq!(again.json()["error"]["type"], "team_member_already_in_team");
    let elsewhere = json!({ "team_id": "mill", "member": { "user_id": "bob" } });
    assert_eq!(status(&lead, "/team/member_add", elsewhere).await, 403);
    let unknown = json!({ "team_id": "loom", "member": { "user_email": "no@loom.test" } });
    assert_eq!(status(&lead, "/team/member_add", unknown).await, 404);

    let me = bob.get("/team/loom/members/me").await.ok();
    assert_eq!((&me["user_id"], &me["team_id"]), (&json!("bob"), &json!("loom")));
    assert_eq!(eve.get("/team/loom/members/me").await.status, 403);

    let told = bob.get("/team/permissions_list?team_id=loom").await.ok();
    assert_eq!(told["team_member_permissions"], json!(["/key/info", "/key/health"]));
    let given = json!({
        "team_id": "loom", "team_member_permissions": ["/key/info", "/key/list"],
    });
    assert_eq!(status(&bob, "/team/permissions_update", given.clone()).await, 403);
    made(&lead, "/team/permissions_update", given).await;
    let wrong = json!({ "team_id": "loom", "team_member_permissions": ["/team/delete"] });
    assert_eq!(status(&lead, "/team/permissions_update", wrong).await, 400);
    let team = bob.get("/team/info?team_id=loom").await.ok();
    let shown = &team["team_info"]["team_member_permissions"];
    assert_eq!(shown, &json!(["/key/info", "/key/list"]));

    made(&lead, "/team/member_delete", json!({ "team_id": "loom", "user_id": "bob" })).await;
    assert_eq!(bob.get("/team/info?team_id=loom").await.status, 403);
    let (books, _) = stage.close().await;
    books.must_balance();
}

#[tokio::test]
async fn teams_are_found_page_by_page_by_those_who_may_see_them() {
    let stage = Stage::new().await;
    let master = stage.gateway.master();
    let ada = user(&stage, "ada").await;
    for (id, alias) in [("a", "Weavers"), ("b", "Spinners"), ("c", "Dyers")] {
        made(&master, "/team/new", json!({ "team_id": id, "team_alias": alias })).await;
    }
    let member = json!({ "team_id": "b", "member": { "user_id": "ada" } });
    made(&master, "/team/member_add", member).await;
    let ids = async |client: &Client, query: &str| {
        let page = client.get(&format!("/v2/team/list?{query}")).await.ok();
        let teams = page["teams"].as_array().expect("teams").iter();
        let ids: Vec<String> =
            teams.map(|team| team["team_id"].as_str().unwrap_or_default().to_owned()).collect();
        (ids.join(""), page["total"].as_u64(), page["total_pages"].as_u64())
    };
    for (query, expected) in [
        ("", ("abc", 3, 1)),
        ("page_size=2&page=2", ("c", 3, 2)),
        ("sort_by=team_alias", ("cba", 3, 1)),
        ("sort_order=desc", ("cba", 3, 1)),
        ("team_alias=SPIN", ("b", 1, 1)),
        ("search=ers&user_id=ada", ("b", 1, 1)),
        ("team_id=none", ("", 0, 0)),
    ] {
        let (names, total, pages) = expected;
        let found = ids(&master, query).await;
        assert_eq!(found, (names.to_owned(), Some(total), Some(pages)), "{query}");
    }
    assert_eq!(ids(&ada, "").await, ("b".to_owned(), Some(1), Some(1)));
    let (books, _) = stage.close().await;
    books.must_balance();
}

#[tokio::test]
async fn models_are_granted_to_a_team_one_by_one_and_never_all_by_accident() {
    let stage = Stage::new().await;
    let master = stage.gateway.master();
    made(&master, "/team/new", json!({ "team_id": "loom", "models": ["chat"] })).await;
    let change = |models: Value| json!({ "team_id": "loom", "models": models });
    let team = made(&master, "/team/model/add", change(json!(["other", "chat"]))).await;
    assert_eq!(team["models"], json!(["other", "chat"]));
    let team = made(&master, "/team/model/delete", change(json!(["other"]))).await;
    assert_eq!(team["models"], json!(["chat"]));
    assert_eq!(status(&master, "/team/model/delete", change(json!(["chat"]))).await, 400);
    let (books, _) = stage.close().await;
    books.must_balance();
}

#[tokio::test]
async fn members_without_a_budget_of_their_own_have_the_one_of_their_team() {
    let stage = Stage::new().await;
    let master = stage.gateway.master();
    for id in ["bob", "eve"] {
        user(&stage, id).await;
    }
    let members = json!([{ "user_id": "bob" }, { "user_id": "eve" }]);
    let team = json!({
        "team_id": "loom",
        "members_with_roles": members,
        "team_member_budget": 0,
        "team_member_budget_duration": "30d",
        "default_team_member_models": ["chat"],
    });
    let team = made(&master, "/team/new", team).await;
    assert_eq!(team["team_member_budget_table"]["budget_duration"], "30d");
    let bob = stage.key(json!({ "team_id": "loom", "user_id": "bob" })).await;
    let eve = stage.key(json!({ "team_id": "loom", "user_id": "eve" })).await;
    let own = json!({ "team_id": "loom", "user_id": "eve", "max_budget_in_team": 5 });
    made(&master, "/team/member_update", own).await;
    assert_eq!(bob.client.post(CHAT, CALL).await.status, 429);
    assert_eq!(eve.client.post(CHAT, CALL).await.status, 200);
    let wider = json!({ "team_id": "loom", "team_member_budget": 5 });
    made(&master, "/team/update", wider).await;
    assert_eq!(bob.client.post(CHAT, CALL).await.status, 200);
    let stripped = json!({ "team_id": "loom", "team_member_rpm_limit": 1 });
    made(&master, "/team/update", stripped).await;
    let calls =
        [bob.client.post(CHAT, CALL).await.status, bob.client.post(CHAT, CALL).await.status];
    assert!(calls.contains(&429), "one a minute: {calls:?}");
    let added = json!({ "team_id": "loom", "member": { "user_id": "ada" } });
    let added = made(&master, "/team/member_add", added).await;
    let models = &added["updated_team_memberships"][0]["litellm_budget_table"]["allowed_models"];
    assert_eq!(models, &json!(["chat"]));
    let (books, _) = stage.close().await;
    books.must_balance();
}
