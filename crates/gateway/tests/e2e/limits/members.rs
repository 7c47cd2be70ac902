//! Members of teams: a budget of their own within the team's.

use serde_json::{Value, json};

use super::{ask, call, manage, price_of, refused, served, stage, too_dear};

#[tokio::test]
async fn a_members_budget_binds_their_keys_of_the_team_only() {
    let stage = stage().await;
    let roles = json!([{"user_id": "bob", "role": "admin"}]);
    manage(&stage, "/team/new", json!({"team_id": "core", "members_with_roles": roles})).await;
    let ada = json!({
        "team_id": "core",
        "member": {"role": "user", "user_id": "ada"},
        "max_budget_in_team": price_of(1),
    });
    let added = manage(&stage, "/team/member_add", ada.clone()).await;
    let users: Vec<&Value> = added["members_with_roles"]
        .as_array()
        .expect("members")
        .iter()
        .map(|member| &member["user_id"])
        .collect();
    assert_eq!(users, ["ada", "bob"]);
    let again = stage.gateway.master().post("/team/member_add", ada.to_string()).await;
    assert_eq!(again.refusal(), (400, "entity_exists".to_owned()));
    assert_eq!(again.json()["error"]["type"], "team_member_already_in_team");

    let of_ada = stage.key(json!({"team_id": "core", "user_id": "ada"})).await;
    let of_bob = stage.key(json!({"team_id": "core", "user_id": "bob"})).await;
    let personal = stage.key(json!({"user_id": "ada"})).await;
    served(&call(&of_ada).await);
    too_dear(&call(&of_ada).await, "this user in this team");
    served(&call(&of_bob).await);
    served(&call(&personal).await);

    let more = json!({"team_id": "core", "user_id": "ada", "max_budget_in_team": price_of(2)});
    let updated = manage(&stage, "/team/member_update", more).await;
    assert_eq!(updated["max_budget_in_team"], price_of(2));
    served(&call(&of_ada).await);
    too_dear(&call(&of_ada).await, "this user in this team");
    let none = json!({"team_id": "core", "user_id": "ada", "max_budget_in_team": null});
    assert_eq!(
        manage(&stage, "/team/member_update", none).await["max_budget_in_team"],
        json!(null)
    );
    served(&call(&of_ada).await);

    let gone = json!({"team_id": "core", "user_id": "ada"});
    manage(&stage, "/team/member_delete", gone.clone()).await;
    assert_eq!(call(&of_ada).await.refusal(), (401, "key_unknown".to_owned()));
    served(&call(&personal).await);
    let not_found = (404, "entity_not_found".to_owned());
    assert_eq!(refused(&stage, "/team/member_delete", gone).await, not_found);
    let info = ask(&stage, "/team/info?team_id=core").await;
    assert_eq!(info["team_memberships"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn a_member_may_use_the_models_that_the_team_allows_them() {
    let stage = stage().await;
    manage(&stage, "/team/new", json!({"team_id": "core"})).await;
    let ada = json!({
        "team_id": "core",
        "member": [{"role": "user", "user_id": "ada"}],
        "allowed_models": ["slow"],
    });
    manage(&stage, "/team/member_add", ada).await;
    let key = stage.key(json!({"team_id": "core", "user_id": "ada"})).await;
    let answer = call(&key).await;
    assert_eq!(answer.refusal(), (403, "model_not_granted".to_owned()));
    assert_eq!(answer.json()["error"]["type"], "team_model_access_denied");
    let listed = key.client.get("/v1/models").await.ok();
    assert_eq!(listed["data"].as_array().map(Vec::len), Some(1));
    let all = json!({"team_id": "core", "user_id": "ada", "allowed_models": null});
    manage(&stage, "/team/member_update", all).await;
    served(&call(&key).await);
}
