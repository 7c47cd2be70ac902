//! Customers: the end users of an application, with budgets of their own.

use serde_json::json;

use super::{ask, call, call_with, manage, price_of, refused, served, stage, too_dear};

#[tokio::test]
async fn a_customers_budget_binds_whichever_key_calls_for_them() {
    let stage = stage().await;
    let byron = json!({"user_id": "byron", "alias": "Lord B.", "max_budget": price_of(2)});
    let made = manage(&stage, "/customer/new", byron.clone()).await;
    assert_eq!(made["litellm_budget_table"]["max_budget"], price_of(2));
    assert_eq!(refused(&stage, "/end_user/new", byron).await, (400, "entity_exists".to_owned()));
    let (first, second) = (stage.plain_key().await, stage.plain_key().await);
    let for_byron = json!({"user": "byron"});
    served(&call_with(&first, for_byron.clone()).await);
    served(&call_with(&second, for_byron.clone()).await);
    too_dear(&call_with(&first, for_byron.clone()).await, "the customer `Lord B.`");
    served(&call(&first).await);
    served(&call_with(&first, json!({"user": "shelley"})).await);
    manage(&stage, "/end_user/update", json!({"user_id": "byron", "max_budget": null})).await;
    served(&call_with(&first, for_byron).await);
}

#[tokio::test]
async fn a_customer_can_be_blocked_before_anybody_knew_them() {
    let stage = stage().await;
    let key = stage.plain_key().await;
    let ids = json!({"user_ids": ["mallory"]});
    let blocked = manage(&stage, "/customer/block", ids.clone()).await;
    assert_eq!(blocked["blocked_users"][0]["blocked"], true);
    let for_mallory = json!({"user": "mallory"});
    let answer = call_with(&key, for_mallory.clone()).await;
    assert_eq!(answer.refusal(), (401, "customer_blocked".to_owned()));
    served(&call(&key).await);
    manage(&stage, "/end_user/unblock", ids.clone()).await;
    served(&call_with(&key, for_mallory).await);
    assert_eq!(ask(&stage, "/customer/list").await.as_array().map(Vec::len), Some(1));
    assert_eq!(manage(&stage, "/customer/delete", ids.clone()).await["deleted_customers"], 1);
    let not_found = (404, "entity_not_found".to_owned());
    assert_eq!(refused(&stage, "/customer/unblock", ids).await, not_found);
    let info = stage.gateway.master().get("/customer/info?end_user_id=mallory").await;
    assert_eq!(info.refusal(), not_found);
}

#[tokio::test]
async fn a_customer_has_a_shared_budget_or_one_of_their_own() {
    let stage = stage().await;
    manage(&stage, "/budget/new", json!({"budget_id": "small", "max_budget": 1})).await;
    let both = json!({"user_id": "byron", "budget_id": "small", "max_budget": 1});
    assert_eq!(refused(&stage, "/customer/new", both).await, (422, "field_wrong_type".to_owned()));
    let one = json!({"user_id": "byron", "budget_id": "small"});
    let made = manage(&stage, "/customer/new", one).await;
    assert_eq!(made["litellm_budget_table"]["budget_id"], "small");
}
