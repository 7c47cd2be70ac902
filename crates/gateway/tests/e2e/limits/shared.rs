//! Shared budgets: one set of rules, and each who takes them counts on their own.

use serde_json::json;

use super::{ask, call, manage, price_of, refused, served, stage, too_dear};

#[tokio::test]
async fn a_change_of_a_shared_budget_binds_the_next_call_of_all() {
    let stage = stage().await;
    let small = json!({"budget_id": "small", "max_budget": price_of(1), "budget_duration": "1d"});
    manage(&stage, "/budget/new", small.clone()).await;
    assert_eq!(refused(&stage, "/budget/new", small).await, (400, "entity_exists".to_owned()));
    let key = stage.key(json!({"budget_id": "small"})).await;
    manage(&stage, "/team/new", json!({"team_id": "core", "budget_id": "small"})).await;
    let teamed = stage.key(json!({"team_id": "core"})).await;
    served(&call(&key).await);
    too_dear(&call(&key).await, "this key");
    served(&call(&teamed).await);
    too_dear(&call(&teamed).await, "the team `core`");
    let info = stage.info(&key).await;
    assert_eq!(info["litellm_budget_table"]["max_budget"], price_of(1));
    assert!(info["max_budget"].is_null() && info["budget_reset_at"].is_string(), "{info}");

    manage(&stage, "/budget/update", json!({"budget_id": "small", "max_budget": price_of(2)}))
        .await;
    served(&call(&key).await);
    too_dear(&call(&key).await, "this key");
    served(&call(&teamed).await);
    too_dear(&call(&teamed).await, "the team `core`");
    manage(&stage, "/budget/update", json!({"budget_id": "small", "rpm_limit": 0})).await;
    let limited = (429, "rate_limited".to_owned());
    manage(&stage, "/budget/update", json!({"budget_id": "small", "max_budget": null})).await;
    assert_eq!(call(&key).await.refusal(), limited);
    assert_eq!(call(&teamed).await.refusal(), limited);

    manage(&stage, "/budget/delete", json!({"id": "small"})).await;
    served(&call(&key).await);
    served(&call(&teamed).await);
    assert!(stage.info(&key).await["budget_id"].is_null());
    assert_eq!(ask(&stage, "/budget/list").await, json!([]));
}

#[tokio::test]
async fn a_budget_that_does_not_exist_gives_nobody_rules() {
    let stage = stage().await;
    let not_found = (404, "entity_not_found".to_owned());
    let key = stage.plain_key().await;
    for (path, fields) in [
        ("/key/generate", json!({"budget_id": "absent"})),
        ("/key/update", json!({"key": key.text, "budget_id": "absent"})),
        ("/team/new", json!({"budget_id": "absent"})),
        ("/user/new", json!({"budget_id": "absent"})),
        ("/customer/new", json!({"user_id": "byron", "budget_id": "absent"})),
        ("/tag/new", json!({"name": "nightly", "budget_id": "absent"})),
        ("/organization/new", json!({"organization_alias": "works", "budget_id": "absent"})),
        ("/budget/update", json!({"budget_id": "absent", "max_budget": 1})),
        ("/budget/delete", json!({"id": "absent"})),
    ] {
        assert_eq!(refused(&stage, path, fields).await, not_found, "{path}");
    }
    for path in ["/team/list", "/customer/list", "/tag/list", "/organization/list"] {
        assert_eq!(ask(&stage, path).await, json!([]), "{path}");
    }
    // A team that does not exist may be named, as with LiteLLM.
    stage.key(json!({"team_id": "absent", "user_id": "nobody"})).await;
}
