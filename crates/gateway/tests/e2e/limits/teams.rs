//! Teams: a budget for all their keys together, and what becomes of the keys.

use serde_json::json;

use super::{CALL_NANOS, ask, call, manage, price_of, refused, served, stage, too_dear};
use crate::stage::nanos;

#[tokio::test]
async fn a_team_budget_binds_its_keys_together() {
    let stage = stage().await;
    let team = json!({"team_id": "core", "team_alias": "the core", "max_budget": price_of(3)});
    let made = manage(&stage, "/team/new", team).await;
    assert_eq!((&made["team_id"], &made["spend"]), (&json!("core"), &json!(0.0)));
    let first = stage.key(json!({"team_id": "core"})).await;
    let second = stage.key(json!({"team_id": "core"})).await;
    let other = stage.key(json!({"team_id": "another"})).await;
    served(&call(&first).await);
    served(&call(&second).await);
    served(&call(&first).await);
    too_dear(&call(&first).await, "the team `the core`");
    too_dear(&call(&second).await, "the team `the core`");
    served(&call(&other).await);

    manage(&stage, "/team/update", json!({"team_id": "core", "max_budget": price_of(4)})).await;
    served(&call(&second).await);
    stage.await_spend(&second, 2 * CALL_NANOS).await;
    stage.await_spend(&first, 2 * CALL_NANOS).await;
    let info = ask(&stage, "/team/info?team_id=core").await;
    assert_eq!(nanos(&info["team_info"]["spend"]), 4 * CALL_NANOS);
    assert_eq!(info["keys"].as_array().map(Vec::len), Some(2));
    let (books, _) = stage.close().await;
    books.must_balance();
}

#[tokio::test]
async fn a_blocked_team_has_no_calls_and_a_deleted_one_no_keys() {
    let stage = stage().await;
    manage(&stage, "/team/new", json!({"team_id": "core"})).await;
    let member = stage.key(json!({"team_id": "core"})).await;
    let other = stage.plain_key().await;
    served(&call(&member).await);
    let team = json!({"team_id": "core"});
    assert_eq!(manage(&stage, "/team/block", team.clone()).await["blocked"], true);
    assert_eq!(call(&member).await.refusal(), (401, "team_blocked".to_owned()));
    assert_eq!(manage(&stage, "/team/unblock", team.clone()).await["blocked"], false);
    served(&call(&member).await);

    let absent = json!({"team_ids": ["core", "absent"]});
    let not_found = (404, "entity_not_found".to_owned());
    assert_eq!(refused(&stage, "/team/delete", absent).await, not_found);
    served(&call(&member).await);
    let deleted = manage(&stage, "/team/delete", json!({"team_ids": ["core"]})).await;
    assert_eq!(deleted["deleted_keys"], 1);
    assert_eq!(call(&member).await.refusal(), (401, "key_unknown".to_owned()));
    served(&call(&other).await);
    assert_eq!(refused(&stage, "/team/update", team).await, not_found);
}

#[tokio::test]
async fn an_organizations_budget_binds_the_keys_of_its_teams() {
    let stage = stage().await;
    let works = json!({
        "organization_id": "works",
        "organization_alias": "the works",
        "max_budget": price_of(2),
    });
    manage(&stage, "/organization/new", works).await;
    for team in ["one", "two"] {
        let team = json!({"team_id": team, "organization_id": "works"});
        manage(&stage, "/team/new", team).await;
    }
    let first = stage.key(json!({"team_id": "one"})).await;
    let second = stage.key(json!({"team_id": "two"})).await;
    served(&call(&first).await);
    served(&call(&second).await);
    too_dear(&call(&first).await, "the organization `the works`");
    let info = ask(&stage, "/organization/info?organization_id=works").await;
    assert_eq!(info["teams"].as_array().map(Vec::len), Some(2));
    assert_eq!(info["litellm_budget_table"]["max_budget"], price_of(2));

    let elsewhere = json!({"organization_id": "yard", "organization_alias": "the yard"});
    manage(&stage, "/organization/new", elsewhere).await;
    let moved = json!({"team_id": "two", "organization_id": "yard"});
    manage(&stage, "/team/update", moved).await;
    served(&call(&second).await);
    assert_eq!(stage.info(&second).await["organization_id"], "yard");

    let gone = json!({"organization_id": "nowhere", "team_id": "three"});
    let not_found = (404, "entity_not_found".to_owned());
    assert_eq!(refused(&stage, "/team/new", gone).await, not_found);
    let ids = json!({"organization_ids": ["works"]}).to_string();
    let delete = http::Method::DELETE;
    let deleted =
        stage.gateway.master().try_whole(delete, "/organization/delete", ids.into()).await;
    deleted.expect("an answer").ok();
    assert_eq!(call(&first).await.refusal(), (401, "key_unknown".to_owned()));
    served(&call(&second).await);
    let teams = ask(&stage, "/team/list").await;
    assert_eq!((teams[0]["team_id"].clone(), teams[1].clone()), (json!("two"), json!(null)));
}
