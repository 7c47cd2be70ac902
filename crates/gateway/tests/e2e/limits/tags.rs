//! Tags: budgets for what calls are about.

use serde_json::json;

use super::{ask, call, manage, price_of, refused, served, stage, too_dear};
use crate::stage::Key;

#[tokio::test]
async fn a_tags_budget_binds_the_calls_that_carry_it() {
    let stage = stage().await;
    let tag = json!({"name": "nightly", "description": "the night", "max_budget": price_of(2)});
    let made = manage(&stage, "/tag/new", tag.clone()).await;
    assert_eq!(made["message"], "Tag nightly created successfully");
    assert_eq!(refused(&stage, "/tag/new", tag).await, (400, "entity_exists".to_owned()));
    let plain = stage.plain_key().await;
    let client = plain.client.clone().with_header("x-litellm-tags", "nightly, other");
    let tagged = Key { client, text: plain.text.clone() };
    let by_key = stage.key(json!({"tags": ["nightly"]})).await;
    served(&call(&tagged).await);
    served(&call(&by_key).await);
    too_dear(&call(&tagged).await, "the tag `nightly`");
    too_dear(&call(&by_key).await, "the tag `nightly`");
    served(&call(&plain).await);

    manage(&stage, "/tag/update", json!({"name": "nightly", "max_budget": price_of(3)})).await;
    served(&call(&tagged).await);
    let info = manage(&stage, "/tag/info", json!({"names": ["nightly", "absent"]})).await;
    assert_eq!(info.as_object().map(serde_json::Map::len), Some(1));
    assert_eq!(info["nightly"]["description"], "the night");
    manage(&stage, "/tag/delete", json!({"name": "nightly"})).await;
    served(&call(&tagged).await);
    assert_eq!(ask(&stage, "/tag/list").await, json!([]));
}
