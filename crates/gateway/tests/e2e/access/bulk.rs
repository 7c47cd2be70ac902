//! Many users changed and put in teams at once, and what members spent.

use serde_json::{Value, json};
use tollgate_testkit::http::Client;

use crate::stage::{CALL, CALL_NANOS, CHAT, Stage, nanos};

async fn made(client: &Client, path: &str, body: Value) -> Value {
    client.post(path, body.to_string()).await.ok()
}

async fn status(client: &Client, path: &str, body: Value) -> u16 {
    client.post(path, body.to_string()).await.status
}

async fn user(stage: &Stage, id: &str) -> Client {
    let user = made(&stage.gateway.master(), "/user/new", json!({"user_id": id})).await;
    stage.gateway.client(user["key"].as_str().expect("a key"))
}

/// An organization `mill` with the administrator `ada`, the user `bob` and the team `loom`.
async fn mill(stage: &Stage) -> Client {
    let master = stage.gateway.master();
    let ada = user(stage, "ada").await;
    let organization = json!({"organization_id": "mill", "organization_alias": "Mill"});
    made(&master, "/organization/new", organization).await;
    let member = json!({"user_id": "ada", "role": "org_admin"});
    let member = json!({"organization_id": "mill", "member": member});
    made(&master, "/organization/member_add", member).await;
    made(&ada, "/user/new", json!({"user_id": "bob", "organizations": ["mill"]})).await;
    made(&ada, "/team/new", json!({"team_id": "loom", "organization_id": "mill"})).await;
    ada
}

/// How many parts of a request were done and how many were not, and what is said of each.
fn told(answer: &Value, done: &str, failed: &str) -> (Value, Value, Vec<bool>) {
    let results = answer["results"].as_array().expect("results").iter();
    let successes = results.map(|result| {
        let success = result["success"].as_bool().expect("a flag");
        assert_eq!(result["error"].is_null(), success, "{result}");
        success
    });
    (answer[done].clone(), answer[failed].clone(), successes.collect())
}

fn of_users(answer: &Value) -> (Value, Value, Vec<bool>) {
    told(answer, "successful_updates", "failed_updates")
}

#[tokio::test]
async fn many_users_are_changed_each_for_itself() {
    let stage = Stage::new().await;
    let ada = mill(&stage).await;
    let master = stage.gateway.master();
    let eve = user(&stage, "eve").await;
    let users = json!({"users": [
        {"user_id": "bob", "max_budget": 5, "models": ["chat"]},
        {"user_id": "eve", "max_budget": 5},
        {"user_id": "nobody", "max_budget": 5},
        {"user_id": "bob", "max_budget": "much"},
        {"user_id": "bob", "password": "x"},
    ]});
    assert_eq!(status(&eve, "/user/bulk_update", users.clone()).await, 403);
    // An organization's administrator changes its users, and learns nothing of others.
    let answer = made(&ada, "/user/bulk_update", users.clone()).await;
    assert_eq!(of_users(&answer), (json!(1), json!(4), vec![true, false, false, false, false]));
    assert_eq!(answer["results"][0]["updated_user"]["max_budget"], 5.0);
    assert_eq!(answer["results"][1]["error"], answer["results"][2]["error"]);
    let answer = made(&master, "/user/bulk_update", users).await;
    assert_eq!(of_users(&answer), (json!(2), json!(3), vec![true, true, false, false, false]));
    assert_eq!(answer["total_requested"], 5);

    let all = json!({"all_users": true, "user_updates": {"rpm_limit": 7}});
    assert_eq!(status(&ada, "/user/bulk_update", all.clone()).await, 403);
    let answer = made(&master, "/user/bulk_update", all).await;
    assert_eq!(of_users(&answer), (json!(3), json!(0), vec![true; 3]));
    let bob = master.get("/v2/user/info?user_id=bob").await.ok();
    assert_eq!((&bob["rpm_limit"], &bob["max_budget"]), (&json!(7), &json!(5.0)));
    for wrong in [
        json!({}),
        json!({"users": []}),
        json!({"all_users": true}),
        json!({"users": [{"user_id": "bob"}], "all_users": true, "user_updates": {}}),
        json!({"all_users": true, "user_updates": {"user_email": "a@b.test"}}),
        json!({"users": vec![json!({"user_id": "bob"}); 501]}),
    ] {
        assert_eq!(status(&master, "/user/bulk_update", wrong.clone()).await, 400, "{wrong:.80}");
    }
    let own = json!({"users": [{"user_id": "ada", "user_alias": "Ada", "max_budget": 9}]});
    let answer = made(&ada, "/user/bulk_update", own).await;
    assert_eq!(of_users(&answer), (json!(0), json!(1), vec![false]), "their own budget");
    let (books, _) = stage.close().await;
    books.must_balance();
}

#[tokio::test]
async fn many_users_are_put_in_a_team_each_for_itself() {
    let stage = Stage::new().await;
    let ada = mill(&stage).await;
    let master = stage.gateway.master();
    let eve = user(&stage, "eve").await;
    let body = json!({
        "team_id": "loom",
        "members": [
            {"user_id": "bob", "role": "admin"},
            {"user_id": "eve", "role": "king"},
            {"user_id": "bob"},
        ],
        "max_budget_in_team": 3,
    });
    assert_eq!(status(&eve, "/team/bulk_member_add", body.clone()).await, 403);
    let answer = made(&ada, "/team/bulk_member_add", body).await;
    let told = |answer: &Value| told(answer, "successful_additions", "failed_additions");
    assert_eq!(told(&answer), (json!(1), json!(2), vec![true, false, false]));
    let membership = &answer["results"][0]["updated_team_membership"];
    assert_eq!(membership["litellm_budget_table"]["max_budget"], 3.0);
    let roles = json!([{"user_id": "bob", "user_email": null, "role": "admin"}]);
    assert_eq!(answer["updated_team"]["members_with_roles"], roles);

    made(&master, "/team/new", json!({"team_id": "mill"})).await;
    let other = json!({"team_id": "mill", "members": [{"user_id": "bob"}]});
    assert_eq!(status(&ada, "/team/bulk_member_add", other).await, 403);
    let all = json!({"team_id": "loom", "all_users": true});
    assert_eq!(status(&ada, "/team/bulk_member_add", all.clone()).await, 403);
    let answer = made(&master, "/team/bulk_member_add", all).await;
    assert_eq!(told(&answer), (json!(2), json!(0), vec![true; 2]), "ada and eve");
    eve.get("/team/info?team_id=loom").await.ok();
    for wrong in [
        json!({"team_id": "loom"}),
        json!({"team_id": "loom", "members": []}),
        json!({"team_id": "loom", "members": vec![json!({"user_id": "bob"}); 501]}),
    ] {
        assert_eq!(status(&master, "/team/bulk_member_add", wrong).await, 400);
    }
    let (books, _) = stage.close().await;
    books.must_balance();
}

#[tokio::test]
async fn a_member_spends_again_once_less_of_their_spend_counts() {
    let stage = Stage::new().await;
    let master = stage.gateway.master();
    let (lead, bob) = (user(&stage, "lead").await, user(&stage, "bob").await);
    let members = json!([{"user_id": "lead", "role": "admin"}]);
    made(&master, "/team/new", json!({"team_id": "loom", "members_with_roles": members})).await;
    let member = json!({
        "team_id": "loom", "member": {"user_id": "bob"}, "max_budget_in_team": 0.0001,
    });
    made(&lead, "/team/member_add", member).await;
    let key = stage.key(json!({"team_id": "loom", "user_id": "bob"})).await;
    let capped = CALL.replace(r#""model""#, r#""max_tokens":16,"model""#);
    key.client.post(CHAT, capped.clone()).await.ok();
    stage.await_spend(&key, CALL_NANOS).await;
    assert_eq!(key.client.post(CHAT, capped.clone()).await.status, 429);

    let path = "/team/loom/member/bob/reset_spend";
    assert_eq!(status(&bob, path, json!({"reset_to": 0})).await, 403, "not by themselves");
    assert_eq!(status(&lead, path, json!({"reset_to": 1})).await, 400, "only downwards");
    assert_eq!(status(&lead, path, json!({})).await, 400);
    let nobody = "/team/loom/member/nobody/reset_spend";
    assert_eq!(status(&lead, nobody, json!({"reset_to": 0})).await, 404);
    let reset = made(&lead, path, json!({"reset_to": 0})).await;
    assert_eq!(nanos(&reset["previous_spend"]), CALL_NANOS);
    assert_eq!((&reset["user_id"], &reset["team_id"]), (&json!("bob"), &json!("loom")));
    assert_eq!((nanos(&reset["spend"]), nanos(&reset["max_budget"])), (0, 100_000));
    key.client.post(CHAT, capped).await.ok();
    let audited = master.get("/audit?object_id=bob").await.ok();
    let reset = &audited["audit_logs"][0];
    assert_eq!((&reset["team_id"], &reset["changed_by"]), (&json!("loom"), &json!("lead")));
    let (books, _) = stage.close().await;
    books.must_balance();
}
