//! What new users and teams start with where the configuration says so, and keys that see what
//! everybody spent.

use serde_json::{Value, json};
use tollgate_simulator::Script;
use tollgate_testkit::config_text::ConfigText;
use tollgate_testkit::http::Client;

use crate::stage::{GROUP, Stage, Storage};

async fn made(client: &Client, path: &str, body: Value) -> Value {
    client.post(path, body.to_string()).await.ok()
}

async fn stage(lines: &[&str]) -> Stage {
    let config = |simulator: &_| {
        let config = ConfigText::simulated(GROUP, simulator);
        lines.iter().fold(config, |config, line| config.setting("litellm_settings", line))
    };
    Stage::with(Storage::Sqlite, Script::default(), config, |home| home).await
}

#[tokio::test]
async fn a_new_user_has_what_the_configuration_gives_new_users() {
    let stage = stage(&[
        "default_internal_user_params: {user_role: internal_user_viewer, rpm_limit: 60, \
         teams: [{team_id: loom, max_budget_in_team: 2}]}",
        "max_internal_user_budget: 10",
        "internal_user_budget_duration: 30d",
    ])
    .await;
    let master = stage.gateway.master();
    let organization = json!({"organization_id": "mill", "organization_alias": "Mill"});
    made(&master, "/organization/new", organization).await;
    let early = master.post("/user/new", json!({"user_id": "early"}).to_string()).await;
    assert_eq!(early.status, 404, "the team of new users is not there yet");
    made(&master, "/team/new", json!({"team_id": "loom"})).await;

    let bob = made(&master, "/user/new", json!({"user_id": "bob"})).await;
    for (field, expected) in [
        ("user_role", json!("internal_user_viewer")),
        ("rpm_limit", json!(60)),
        ("max_budget", json!(10.0)),
        ("budget_duration", json!("30d")),
        ("teams", json!(["loom"])),
    ] {
        assert_eq!(bob[field], expected, "{field}");
    }
    let team = master.get("/team/info?team_id=loom").await.ok();
    let budget = &team["team_memberships"][0]["litellm_budget_table"]["max_budget"];
    assert_eq!(budget, &json!(2.0));

    let own = json!({"user_id": "eve", "user_role": "internal_user", "max_budget": 3, "teams": []});
    let eve = made(&master, "/user/new", own).await;
    assert_eq!((&eve["user_role"], &eve["max_budget"]), (&json!("internal_user"), &json!(3.0)));
    let admin = json!({"user_id": "root", "user_role": "proxy_admin"});
    let admin = made(&master, "/user/new", admin).await;
    assert_eq!((&admin["max_budget"], &admin["teams"]), (&json!(null), &json!([])));

    // An organization's administrator makes users in the team of new users, and in no other.
    let member = json!({"user_id": "eve", "role": "org_admin"});
    let member = json!({"organization_id": "mill", "member": member});
    made(&master, "/organization/member_add", member).await;
    let eve = stage.gateway.client(eve["key"].as_str().expect("a key"));
    let kim = json!({"user_id": "kim", "organizations": ["mill"]});
    assert_eq!(made(&eve, "/user/new", kim).await["teams"], json!(["loom"]));
    let lee = json!({"user_id": "lee", "organizations": ["mill"], "teams": ["loom"]});
    assert_eq!(eve.post("/user/new", lee.to_string()).await.status, 403);
    let (books, _) = stage.close().await;
    books.must_balance();
}

#[tokio::test]
async fn a_new_team_has_what_the_configuration_gives_new_teams() {
    let stage = stage(&[
        "default_team_params: {tpm_limit: 1000, team_member_permissions: [/key/list]}",
        "default_team_settings: [{max_budget: 100}]",
    ])
    .await;
    let master = stage.gateway.master();
    let team = made(&master, "/team/new", json!({"team_id": "loom"})).await;
    for (field, expected) in [
        ("tpm_limit", json!(1000)),
        ("max_budget", json!(100.0)),
        ("team_member_permissions", json!(["/key/list"])),
    ] {
        assert_eq!(team[field], expected, "{field}");
    }
    let own = json!({"team_id": "mill", "max_budget": 5, "tpm_limit": null});
    let own = made(&master, "/team/new", own).await;
    assert_eq!((&own["max_budget"], &own["tpm_limit"]), (&json!(5.0), &json!(1000)));
    let changed = json!({"team_id": "mill", "tpm_limit": null});
    let changed = made(&master, "/team/update", changed).await;
    assert_eq!(changed["data"]["tpm_limit"], json!(null), "defaults are for new teams");
    let (books, _) = stage.close().await;
    books.must_balance();
}

#[tokio::test]
async fn a_key_that_may_sees_what_everybody_spent_and_nothing_more() {
    let stage = stage(&[]).await;
    let master = stage.gateway.master();
    let sees = json!({"get_spend_routes": true});
    let ada = made(&master, "/user/new", json!({"user_id": "ada"})).await;
    let ada = stage.gateway.client(ada["key"].as_str().expect("a key"));
    let key = stage.key(json!({"user_id": "ada", "permissions": sees})).await;
    assert_eq!(stage.info(&key).await["permissions"], sees);
    for path in ["/global/spend", "/global/spend/keys", "/global/spend/models"] {
        key.client.get(path).await.ok();
        assert_eq!(ada.get(path).await.status, 403, "{path}");
    }
    for path in ["/customer/list", "/budget/list", "/config/list"] {
        assert_eq!(key.client.get(path).await.status, 403, "{path}");
    }
    // Only administrators give it, and nobody takes it over from a key of theirs.
    let own = json!({"permissions": sees}).to_string();
    for client in [&ada, &key.client] {
        let answer = client.post("/key/generate", own.clone()).await;
        assert_eq!(answer.refusal(), (403, "exceeds_grant".to_owned()));
    }
    let renewed = json!({"key": key.text}).to_string();
    let answer = ada.post("/key/regenerate", renewed).await;
    assert_eq!(answer.refusal(), (403, "exceeds_grant".to_owned()));
    let other = json!({"permissions": {"allow_pii_controls": true}}).to_string();
    assert_eq!(master.post("/key/generate", other).await.status, 400);
    let less = json!({"key": key.text, "permissions": {}});
    made(&master, "/key/update", less).await;
    assert_eq!(key.client.get("/global/spend").await.status, 403);
    let (books, _) = stage.close().await;
    books.must_balance();
}
