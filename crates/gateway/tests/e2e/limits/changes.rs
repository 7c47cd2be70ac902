//! Limits of a key that are changed or removed bind its next call.

use serde_json::json;

use super::{call, manage, price_of, served, stage, too_dear};

#[tokio::test]
async fn budget_windows_are_replaced_as_a_set() {
    let stage = stage().await;
    let windows = json!([
        {"budget_duration": "1d", "max_budget": price_of(2)},
        {"budget_duration": "7d", "max_budget": price_of(1)},
    ]);
    let key = stage.key(json!({"budget_limits": windows})).await;
    served(&call(&key).await);
    too_dear(&call(&key).await, "per 7d");

    // One removed, one unchanged: the one that stays has counted the first call.
    let rest = json!([{"budget_duration": "1d", "max_budget": price_of(2)}]);
    manage(&stage, "/key/update", json!({"key": key.text, "budget_limits": rest})).await;
    served(&call(&key).await);
    too_dear(&call(&key).await, "per 1d");

    // A changed maximum keeps what was counted, and a new window counts on from the ledger.
    let raised = json!([
        {"budget_duration": "1d", "max_budget": price_of(3)},
        {"budget_duration": "1mo", "max_budget": price_of(9)},
    ]);
    manage(&stage, "/key/update", json!({"key": key.text, "budget_limits": raised})).await;
    served(&call(&key).await);
    too_dear(&call(&key).await, "per 1d");
    manage(&stage, "/key/update", json!({"key": key.text, "budget_limits": null})).await;
    served(&call(&key).await);
    assert!(stage.info(&key).await["budget_limits"].is_null());
    manage(&stage, "/key/update", json!({"key": key.text, "budget_limits": []})).await;
    served(&call(&key).await);
}

#[tokio::test]
async fn a_budget_of_nothing_refuses_and_its_removal_serves() {
    let stage = stage().await;
    let key = stage.key(json!({"max_budget": 0})).await;
    too_dear(&call(&key).await, "this key");
    manage(&stage, "/key/update", json!({"key": key.text, "max_budget": null})).await;
    served(&call(&key).await);
    let one = json!({"chat": {"max_budget": price_of(1)}});
    let key = stage.key(json!({"model_max_budget": one})).await;
    served(&call(&key).await);
    too_dear(&call(&key).await, "limit for the model `chat`");
    manage(&stage, "/key/update", json!({"key": key.text, "model_max_budget": null})).await;
    served(&call(&key).await);
}

#[tokio::test]
async fn a_blocked_key_calls_again_once_it_is_not() {
    let stage = stage().await;
    let key = stage.plain_key().await;
    let named = json!({"key": key.text});
    assert_eq!(manage(&stage, "/key/block", named.clone()).await["blocked"], true);
    assert_eq!(call(&key).await.refusal(), (401, "key_blocked".to_owned()));
    assert_eq!(manage(&stage, "/key/unblock", named).await["blocked"], false);
    served(&call(&key).await);
}
