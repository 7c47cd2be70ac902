//! Who makes keys for whom, and how far those reach.

use serde_json::{Value, json};
use tollgate_simulator::Script;
use tollgate_testkit::config_text::ConfigText;
use tollgate_testkit::http::Client;

use crate::stage::{CALL, CHAT, GROUP, Stage, Storage};

const FORBIDDEN: &str = "management_forbidden";
const BEYOND: &str = "exceeds_grant";

impl Stage {
    /// Makes a user with a role; gives the client and the text of their key.
    async fn user(&self, id: &str, role: &str) -> (Client, String) {
        let user = json!({ "user_id": id, "user_role": role }).to_string();
        let made = self.gateway.master().post("/user/new", user).await.ok();
        let key = made["key"].as_str().expect("a key").to_owned();
        (self.gateway.client(&key), key)
    }

    /// Changes a key with the master key.
    async fn change(&self, key: &str, mut fields: Value) -> Value {
        fields["key"] = json!(key);
        self.gateway.master().post("/key/update", fields.to_string()).await.ok()
    }
}

/// Asks for something and is refused.
async fn refused(client: &Client, path: &str, body: Value) -> (u16, String) {
    client.post(path, body.to_string()).await.refusal()
}

fn no(reason: &str) -> (u16, String) {
    (403, reason.to_owned())
}

/// What limits the key of an owner in some of these stories.
fn limits() -> Value {
    json!({
        "models": [GROUP, "openai/*"], "max_budget": 10, "budget_duration": "30d", "rpm_limit": 60,
        "max_parallel_requests": 5, "duration": "30d", "tags": ["blue"],
    })
}

#[tokio::test]
async fn what_a_request_leaves_open_comes_from_the_key_that_it_is_made_with() {
    let stage = Stage::new().await;
    let (ada, own) = stage.user("ada", "internal_user").await;
    let changed = stage.change(&own, limits()).await;
    let child = ada.post("/key/generate", "{}").await.ok();
    for (field, expected) in [
        ("user_id", json!("ada")),
        ("created_by", json!("ada")),
        ("models", json!([GROUP, "openai/*"])),
        ("max_budget", json!(10.0)),
        ("budget_duration", json!("30d")),
        ("rpm_limit", json!(60)),
        ("max_parallel_requests", json!(5)),
        ("tags", json!(["blue"])),
        ("expires", changed["expires"].clone()),
    ] {
        assert_eq!(child[field], expected, "{field}");
    }
    let text = child["key"].as_str().expect("a key");
    stage.gateway.client(text).post(CHAT, CALL).await.ok();
    let less = json!({"key": text, "max_budget": 4, "models": [GROUP], "key_alias": "child"});
    let lowered = ada.post("/key/update", less.to_string()).await.ok();
    assert_eq!((&lowered["max_budget"], &lowered["models"]), (&json!(4.0), &json!([GROUP])));
    let deleted = json!({"key_aliases": ["child"]}).to_string();
    ada.post("/key/delete", deleted).await.ok();
}

#[tokio::test]
async fn an_owner_makes_no_key_that_reaches_farther_than_their_own() {
    let stage = Stage::new().await;
    let (ada, own) = stage.user("ada", "internal_user").await;
    stage.change(&own, limits()).await;
    let child = ada.post("/key/generate", "{}").await.ok();
    let update = |mut fields: Value| {
        fields["key"] = child["key"].clone();
        fields
    };
    for fields in [
        json!({"models": ["gpt-4o"]}),
        json!({"models": ["*"]}),
        json!({"max_budget": 11}),
        json!({"budget_duration": "1d"}),
        json!({"rpm_limit": 61}),
        json!({"duration": "60d"}),
        json!({"allowed_routes": ["/key/info"]}),
        json!({"metadata": {"queue_weight": 9}}),
        json!({"metadata": {"allow_client_priority": true, "priority_range": [0, 9]}}),
    ] {
        assert_eq!(refused(&ada, "/key/generate", fields.clone()).await, no(BEYOND), "{fields}");
        assert_eq!(refused(&ada, "/key/update", update(fields)).await, no(BEYOND));
    }
    for fields in
        [json!({"user_id": "bob"}), json!({"team_id": "loom"}), json!({"organization_id": "mill"})]
    {
        assert_eq!(refused(&ada, "/key/generate", fields.clone()).await, no(FORBIDDEN), "{fields}");
    }
    for fields in [
        json!({"max_budget": null}),
        json!({"rpm_limit": null}),
        json!({"models": []}),
        json!({"duration": "-1"}),
        json!({"tags": []}),
        json!({"temp_budget_increase": 1, "temp_budget_expiry": "2999-01-01T00:00:00Z"}),
    ] {
        let told = fields.to_string();
        assert_eq!(refused(&ada, "/key/update", update(fields)).await, no(BEYOND), "{told}");
    }
}

#[tokio::test]
async fn a_key_that_reaches_farther_may_be_named_and_lowered_but_not_raised() {
    let stage = Stage::new().await;
    let (ada, own) = stage.user("ada", "internal_user").await;
    stage.change(&own, json!({"max_budget": 10})).await;
    let wide = stage.key(json!({"user_id": "ada", "max_budget": 100})).await;
    let update = |fields: Value| {
        let (ada, mut fields) = (ada.clone(), fields);
        fields["key"] = json!(wide.text);
        async move { ada.post("/key/update", fields.to_string()).await }
    };
    assert_eq!(update(json!({"key_alias": "wide"})).await.ok()["key_alias"], "wide");
    assert_eq!(update(json!({"max_budget": 50})).await.ok()["max_budget"], 50.0);
    assert_eq!(update(json!({"max_budget": 51})).await.refusal(), no(BEYOND));
    // A text opens everything that its key may.
    let renewed = json!({ "key": wide.text });
    assert_eq!(refused(&ada, "/key/regenerate", renewed).await, no(BEYOND));
    let own = ada.post("/key/regenerate", json!({ "key": own }).to_string()).await.ok();
    let own = own["key"].clone();
    // With the wide key in hand the same is theirs to give.
    let fields = json!({"key": own, "max_budget": 50}).to_string();
    wide.client.post("/key/update", fields).await.ok();
}

#[tokio::test]
async fn a_key_that_was_blocked_by_others_stays_blocked_for_its_owner() {
    let stage = Stage::new().await;
    let (ada, _) = stage.user("ada", "internal_user").await;
    let made = ada.post("/key/generate", "{}").await.ok();
    let key = json!({ "key": made["key"] });
    stage.gateway.master().post("/key/block", key.to_string()).await.ok();
    assert_eq!(refused(&ada, "/key/unblock", key.clone()).await, no(FORBIDDEN));
    let update = json!({ "key": made["key"], "blocked": false });
    assert_eq!(refused(&ada, "/key/update", update).await, no(FORBIDDEN));
    let renewed = ada.post("/key/regenerate", key.to_string()).await.ok();
    let client = stage.gateway.client(renewed["key"].as_str().expect("a key"));
    assert_eq!(client.post(CHAT, CALL).await.refusal(), (401, "key_blocked".to_owned()));
}

#[tokio::test]
async fn who_leads_a_team_makes_keys_for_its_members_and_oversees_theirs() {
    let stage = Stage::new().await;
    let (lead, _) = stage.user("lead", "internal_user").await;
    let (member, _) = stage.user("member", "internal_user").await;
    stage.user("other", "internal_user").await;
    let team = json!({"team_id": "loom", "members_with_roles": [
        {"user_id": "lead", "role": "admin"}, {"user_id": "member", "role": "user"},
    ]});
    stage.gateway.master().post("/team/new", team.to_string()).await.ok();

    let for_member = json!({"team_id": "loom", "user_id": "member"});
    let made = lead.post("/key/generate", for_member.to_string()).await.ok();
    assert_eq!((&made["team_id"], &made["user_id"]), (&json!("loom"), &json!("member")));
    let for_other = json!({"team_id": "loom", "user_id": "other"});
    assert_eq!(refused(&lead, "/key/generate", for_other).await, no(FORBIDDEN));
    let elsewhere = json!({"team_id": "loom", "organization_id": "mill"});
    assert_eq!(refused(&lead, "/key/generate", elsewhere).await.0, 400);
    for team in ["loom", "no_such_team"] {
        let own = json!({ "team_id": team });
        let refusal = member.post("/key/generate", own.to_string()).await;
        assert!(refusal.text().contains("not the caller's to make"), "{}", refusal.text());
    }

    let key = json!({ "key": made["key"] });
    lead.post("/key/block", key.to_string()).await.ok();
    assert_eq!(refused(&member, "/key/unblock", key.clone()).await, no(FORBIDDEN));
    lead.post("/key/unblock", key.to_string()).await.ok();
    // What leaves its team is its user's alone.
    let away = json!({ "key": made["key"], "team_id": null });
    member.post("/key/update", away.to_string()).await.ok();
    let info = member.get("/key/list?return_full_object=true").await.ok();
    let moved =
        info["keys"].as_array().expect("keys").iter().find(|row| row["token"] == made["token"]);
    assert_eq!(moved.expect("their key")["team_id"], Value::Null);

    let service = json!({"team_id": "loom", "key_alias": "ci"}).to_string();
    let made = lead.post("/key/service-account/generate", service.clone()).await.ok();
    assert_eq!(
        (&made["user_id"], &made["metadata"]["service_account_id"]),
        (&Value::Null, &json!("ci"))
    );
    let service = json!({"team_id": "loom"});
    assert_eq!(refused(&member, "/key/service-account/generate", service).await, no(FORBIDDEN));
    let renamed = json!({"key": made["key"], "metadata": {"service_account_id": "other"}});
    assert_eq!(refused(&stage.gateway.master(), "/key/update", renamed).await.0, 400);
    let listed = lead.get("/key/list?include_team_keys=true&size=100").await.ok();
    assert_eq!(listed["total_count"], 2, "their own and the team's: {listed}");
}

#[tokio::test]
async fn a_key_without_a_user_and_those_who_look_on_make_no_keys() {
    let stage = Stage::new().await;
    let plain = stage.plain_key().await;
    assert_eq!(refused(&plain.client, "/key/generate", json!({})).await, no(FORBIDDEN));
    for role in ["internal_user_viewer", "proxy_admin_viewer"] {
        let (client, key) = stage.user(role, role).await;
        assert_eq!(refused(&client, "/key/generate", json!({})).await, no(FORBIDDEN), "{role}");
        let own = json!({ "key": key });
        assert_eq!(refused(&client, "/key/delete", json!({"keys": [key]})).await, no(FORBIDDEN));
        assert_eq!(refused(&client, "/key/regenerate", own).await, no(FORBIDDEN), "{role}");
    }
}

#[tokio::test]
async fn a_key_that_may_call_some_routes_makes_none_that_may_call_others() {
    let stage = Stage::new().await;
    let (admin, own) = stage.user("admin", "proxy_admin").await;
    let routes = ["/key/generate", "/key/update", "llm_api_routes"];
    stage.change(&own, json!({ "allowed_routes": routes })).await;
    let made = admin.post("/key/generate", "{}").await.ok();
    assert_eq!(made["allowed_routes"], json!(routes));
    let calls = json!({"key_type": "llm_api", "max_budget": 1000}).to_string();
    admin.post("/key/generate", calls).await.ok();
    for fields in [json!({"key_type": "management"}), json!({"allowed_routes": ["/user/new"]})] {
        assert_eq!(refused(&admin, "/key/generate", fields).await, no(BEYOND));
    }
    let wider = json!({ "key": made["key"], "allowed_routes": [] });
    assert_eq!(refused(&admin, "/key/update", wider).await, no(BEYOND));
}

#[tokio::test]
async fn everybody_changes_their_own_name_and_nothing_that_they_may() {
    let stage = Stage::new().await;
    for role in ["internal_user", "internal_user_viewer", "proxy_admin_viewer"] {
        let (client, _) = stage.user(role, role).await;
        let named = json!({"user_id": role, "user_alias": "Ada", "user_email": "a@b.test"});
        let changed = client.post("/user/update", named.to_string()).await.ok();
        assert_eq!(changed["data"]["user_alias"], "Ada");
        for field in [
            json!({"user_id": role, "user_role": "proxy_admin"}),
            json!({"user_id": role, "max_budget": 1000}),
            json!({"user_id": role, "rpm_limit": null}),
            json!({"user_id": role, "models": []}),
            json!({"user_id": role, "metadata": {}}),
            json!({"user_id": "somebody", "user_alias": "x"}),
        ] {
            assert_eq!(refused(&client, "/user/update", field.clone()).await, no(FORBIDDEN));
        }
    }
}

#[tokio::test]
async fn the_configuration_says_what_keys_have_and_who_makes_them() {
    let rules = [
        "default_key_generate_params: \
         {max_budget: 5, models: [chat], metadata: {cost_center: 7}}",
        "upperbound_key_generate_params: {max_budget: 20, rpm_limit: 60, duration: 30d}",
        "key_generation_settings: \
         {personal_key_generation: {allowed_user_roles: [proxy_admin]}, team_key_generation: \
         {allowed_team_member_roles: [admin], required_params: [key_alias]}}",
    ];
    let config = |simulator: &_| {
        let text = ConfigText::simulated(GROUP, simulator);
        rules.iter().fold(text, |text, rule| text.setting("litellm_settings", rule))
    };
    let stage = Stage::with(Storage::Sqlite, Script::default(), config, |home| home).await;
    let master = stage.gateway.master();
    let made = master.post("/key/generate", "{}").await.ok();
    assert_eq!((&made["max_budget"], &made["models"]), (&json!(5.0), &json!([GROUP])));
    assert_eq!((&made["rpm_limit"], &made["metadata"]["cost_center"]), (&json!(60), &json!(7)));
    assert!(made["expires"].is_string(), "{made}");
    for fields in [json!({"max_budget": 21}), json!({"rpm_limit": 61}), json!({"duration": "31d"})]
    {
        assert_eq!(refused(&master, "/key/generate", fields).await.0, 400);
    }
    let (lead, _) = stage.user("lead", "internal_user").await;
    let team = json!({"team_id": "loom", "members_with_roles": [
        {"user_id": "lead", "role": "admin"},
    ]});
    master.post("/team/new", team.to_string()).await.ok();
    assert_eq!(refused(&lead, "/key/generate", json!({})).await, no(FORBIDDEN));
    assert_eq!(refused(&lead, "/key/generate", json!({"team_id": "loom"})).await.0, 400);
    let named = json!({"team_id": "loom", "key_alias": "ci"}).to_string();
    let made = lead.post("/key/generate", named).await.ok();
    // Their own key has the bounds of the file too.
    assert_eq!(made["max_budget"], 5.0);
}
