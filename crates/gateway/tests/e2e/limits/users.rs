//! Users: a budget over all their keys, those of teams included.

use serde_json::json;

use super::{CALL_NANOS, ask, call, manage, price_of, refused, served, stage, too_dear};
use crate::stage::{Key, nanos};

#[tokio::test]
async fn a_users_budget_binds_their_team_keys_too() {
    let stage = stage().await;
    manage(&stage, "/team/new", json!({"team_id": "core", "max_budget": price_of(50)})).await;
    let ada = json!({
        "user_id": "ada",
        "user_email": "ada@engine.test",
        "user_role": "internal_user",
        "teams": ["core"],
        "max_budget": price_of(3),
    });
    let made = manage(&stage, "/user/new", ada.clone()).await;
    let text = made["key"].as_str().expect("a key is made with the user").to_owned();
    let personal = Key { client: stage.gateway.client(&text), text };
    let teamed = stage.key(json!({"user_id": "ada", "team_id": "core"})).await;
    served(&call(&personal).await);
    served(&call(&teamed).await);
    served(&call(&teamed).await);
    too_dear(&call(&teamed).await, "the user `ada`");
    too_dear(&call(&personal).await, "the user `ada`");
    assert_eq!(refused(&stage, "/user/new", ada).await, (409, "entity_exists".to_owned()));

    stage.await_spend(&teamed, 2 * CALL_NANOS).await;
    stage.await_spend(&personal, CALL_NANOS).await;
    let info = ask(&stage, "/user/info?user_id=ada").await;
    assert_eq!(nanos(&info["user_info"]["spend"]), 3 * CALL_NANOS);
    assert_eq!(info["user_info"]["user_email"], "ada@engine.test");
    assert_eq!(info["keys"].as_array().map(Vec::len), Some(2));
    assert_eq!(info["teams"][0]["team_id"], "core");
    let none = json!({"user_id": "ada", "max_budget": null});
    let updated = manage(&stage, "/user/update", none).await;
    assert_eq!(updated["data"]["max_budget"], json!(null));
    assert_eq!(updated["data"]["user_email"], "ada@engine.test", "what is not sent stays");
    served(&call(&personal).await);
}

#[tokio::test]
async fn a_blocked_user_has_no_calls_and_a_deleted_one_no_keys() {
    let stage = stage().await;
    let made =
        manage(&stage, "/user/new", json!({"user_id": "ada", "auto_create_key": false})).await;
    assert_eq!(made["key"], "");
    let key = stage.key(json!({"user_id": "ada"})).await;
    served(&call(&key).await);
    manage(&stage, "/user/update", json!({"user_id": "ada", "blocked": true})).await;
    assert_eq!(call(&key).await.refusal(), (401, "user_blocked".to_owned()));
    manage(&stage, "/user/update", json!({"user_id": "ada", "blocked": null})).await;
    served(&call(&key).await);
    assert_eq!(manage(&stage, "/user/delete", json!({"user_ids": ["ada"]})).await, json!(1));
    assert_eq!(call(&key).await.refusal(), (401, "key_unknown".to_owned()));
}

#[tokio::test]
async fn a_user_without_models_of_their_own_calls_through_a_team_only() {
    let stage = stage().await;
    manage(&stage, "/team/new", json!({"team_id": "core"})).await;
    let ada = json!({"user_id": "ada", "models": ["no-default-models"], "auto_create_key": false});
    manage(&stage, "/user/new", ada).await;
    let personal = stage.key(json!({"user_id": "ada"})).await;
    let teamed = stage.key(json!({"user_id": "ada", "team_id": "core"})).await;
    let answer = call(&personal).await;
    assert_eq!(answer.refusal(), (403, "model_not_granted".to_owned()));
    assert_eq!(answer.json()["error"]["type"], "user_model_access_denied");
    assert_eq!(personal.client.get("/v1/models").await.ok()["data"], json!([]));
    served(&call(&teamed).await);
}
