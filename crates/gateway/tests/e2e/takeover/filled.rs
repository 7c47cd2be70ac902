//! The rows of a proxy that has been running for two months, and whatever odd values such a
//! database collects.

use serde_json::{Value, json};
use tollgate_domain::KeyHash;

use super::proxy::Proxy;
use super::rows::{KEPT, Key, LENT, MID_MONTH, NANOS, NEXT_MONTH, NOW, TEAMS, USERS, team_models};
use super::sealed::{gcm, sealed, secret_box};

/// Fills a proxy's database. Its deployments are served at this address.
pub(super) async fn fill(proxy: &Proxy, upstream: &str) {
    proxy.fill("LiteLLM_BudgetTable", &budgets()).await;
    proxy
        .fill(
            "LiteLLM_OrganizationTable",
            &[json!({
                "organization_id": "works", "organization_alias": "Works", "budget_id": "works",
                "models": [], "spend": 30.000000003, "created_by": "admin", "updated_by": "admin",
            })],
        )
        .await;
    proxy
        .fill(
            "LiteLLM_ModelTable",
            &[json!({
                "id": 1, "aliases": {"quick": "chat"}, "created_by": "admin", "updated_by": "admin",
            })],
        )
        .await;
    proxy.fill("LiteLLM_TeamTable", &(0..TEAMS).map(team).collect::<Vec<_>>()).await;
    proxy.fill("LiteLLM_UserTable", &users()).await;
    let administrates = json!({
        "organization_id": "works", "user_id": "u-01", "user_role": "org_admin", "spend": 0.5,
        "updated_at": NOW,
    });
    proxy.fill("LiteLLM_OrganizationMembership", &[administrates]).await;
    proxy
        .fill(
            "LiteLLM_TeamMembership",
            &[
                json!({"team_id": "t-06", "user_id": "u-06", "spend": 3.5, "budget_id": "member"}),
                json!({"team_id": "t-00", "user_id": "u-00", "spend": 0.1, "budget_id": null}),
            ],
        )
        .await;
    let keys: Vec<Value> = Key::all().map(|key| key.row()).chain(odd_keys()).collect();
    proxy.fill("LiteLLM_VerificationToken", &keys).await;
    let windows: Vec<Value> = Key::all().filter_map(|key| key.window()).collect();
    proxy.fill("LiteLLM_BudgetWindowSpend", &windows).await;
    others(proxy).await;
    models(proxy, upstream).await;
    daily(proxy).await;
}

/// The secret that a rotation of the first key replaced.
pub(super) const ROTATED: &str = "sk-rotated-0000000";

/// A secret that somebody chose when LiteLLM still took any.
pub(super) const SHORT: &str = "sk-1234";

/// The credential of the deployment [`KEPT`].
pub(super) const KEPT_KEY: &str = "sk-kept-at-litellm-0123456789";

/// The credential that the deployment [`LENT`] takes by name.
pub(super) const LENT_KEY: &str = "sk-lent-at-litellm-0123456789";

fn odd_keys() -> Vec<Value> {
    vec![
        json!({"token": "not-a-hash", "key_name": null, "spend": 0}),
        json!({
            "token": KeyHash::of("sk-session-00000").expose_hex(), "team_id": "litellm-dashboard",
            "spend": 0,
        }),
        json!({
            "token": KeyHash::of("sk-managing-0000").expose_hex(), "key_alias": "managing",
            "allowed_routes": ["management_routes"], "spend": "NaN",
        }),
        json!({"token": KeyHash::of(SHORT).expose_hex(), "key_alias": "short", "spend": 0}),
    ]
}

fn budgets() -> Vec<Value> {
    let budget = |id: &str, cap: f64, reset: &str| {
        json!({
            "budget_id": id, "max_budget": cap, "budget_duration": "30d", "budget_reset_at": reset,
            "created_by": "admin", "updated_by": "admin",
        })
    };
    vec![
        budget("shared", 5.0, NEXT_MONTH),
        budget("member", 3.0, MID_MONTH),
        budget("works", 1_000_000.0, NEXT_MONTH),
        budget("customer", 0.25, NEXT_MONTH),
    ]
}

fn team(number: usize) -> Value {
    let exhausted = number == 5;
    json!({
        "team_id": format!("t-{number:02}"),
        "team_alias": if number == 7 { Value::Null } else { json!(format!("Team {number}")) },
        "organization_id": if number.is_multiple_of(4) { json!("works") } else { Value::Null },
        "members_with_roles": match number {
            7 => json!({}),
            0 => json!([{"user_id": "u-00", "role": "admin", "user_email": "u00@works.test"},
                        {"user_id": null, "user_email": "nobody@works.test", "role": "user"}]),
            _ => json!([{"user_id": format!("u-{number:02}"), "user_email": null, "role": "user"}]),
        },
        "models": team_models(number),
        "blocked": number == 3,
        "max_budget": if exhausted { 10.0 } else { 100_000.0 },
        "spend": if exhausted { 12.5 } else { 20.000000001 + number as f64 },
        "budget_duration": "30d",
        "budget_reset_at": NEXT_MONTH,
        "model_id": if number == 1 { json!(1) } else { Value::Null },
        "created_at": "2026-01-01T00:00:00",
    })
}

fn users() -> Vec<Value> {
    let user = |number: usize| {
        json!({
            "user_id": format!("u-{number:02}"),
            "user_email": format!("u{number:02}@works.test"),
            "user_role": "internal_user",
            "models": if number == 4 { json!(["no-default-models"]) } else { json!([]) },
            "max_budget": if number == 9 { json!(1.0) } else { Value::Null },
            "spend": if number == 9 { 1.5 } else { 0.3 },
            "budget_duration": if number == 9 { json!("30d") } else { Value::Null },
            "budget_reset_at": if number == 9 { json!(NEXT_MONTH) } else { Value::Null },
        })
    };
    let whole = json!({"user_id": "litellm-proxy-budget", "models": [], "spend": 77.5});
    (0..USERS).map(user).chain([whole]).collect()
}

async fn others(proxy: &Proxy) {
    proxy
        .fill(
            "LiteLLM_DeprecatedVerificationToken",
            &[json!({
                "id": "d", "token": KeyHash::of(ROTATED).expose_hex(),
                "active_token_id": KeyHash::of("sk-imported-0000").expose_hex(),
                "revoke_at": "2026-05-18T00:00:00",
            })],
        )
        .await;
    proxy.fill("LiteLLM_EndUserTable", &[
        json!({"user_id": "c-spent", "spend": 0.5, "budget_id": "customer"}),
        json!({"user_id": "c-blocked", "spend": 0, "blocked": true}),
        json!({"user_id": "c-fine", "alias": "Fine", "spend": 0.125, "default_model": "chat"}),
    ]).await;
    proxy.fill("LiteLLM_TagTable", &[
        json!({"tag_name": "blue", "models": ["m-1"], "spend": 1, "description": "the blue one"}),
    ]).await;
    proxy
        .fill(
            "LiteLLM_Config",
            &[json!({"param_name": "router_settings", "param_value": {"num_retries": 2}})],
        )
        .await;
    proxy
        .fill(
            "LiteLLM_AccessGroupTable",
            &[json!({"access_group_id": "g", "access_group_name": "g", "updated_at": NOW})],
        )
        .await;
    proxy
        .fill("LiteLLM_MCPServerTable", &[json!({"server_id": "s", "mcp_access_groups": []})])
        .await;
}

/// The deployments and the credential that somebody added over the API.
async fn models(proxy: &Proxy, upstream: &str) {
    let prices = json!({"input_cost_per_token": 0.000001, "output_cost_per_token": 0.000002});
    let params = |own: Value| {
        let mut params = own.as_object().cloned().expect("an object");
        params.insert("model".to_owned(), json!("openai_like/simulated"));
        params.extend(prices.as_object().cloned().expect("an object"));
        sealed(&Value::Object(params), secret_box)
    };
    let row = |id: &str, name: &str, params: Value, info: Value| {
        json!({
            "model_id": id, "model_name": name, "litellm_params": params, "model_info": info,
            "created_by": "admin", "updated_by": "admin", "created_at": "2026-03-01T00:00:00",
            "updated_at": "2026-03-01T00:00:00",
        })
    };
    let own =
        params(json!({"api_key": KEPT_KEY, "api_base": upstream, "use_litellm_proxy": false}));
    let lent = params(json!({"litellm_credential_name": "shared"}));
    let closed = json!({"api_key": own["api_key"], "model": "bm90IHNlYWxlZA==", "rpm": 7});
    let info = |id: &str| json!({"id": id, "db_model": true});
    let of_team = json!({"id": "d-4", "team_id": "t-00", "team_public_model_name": "ours"});
    let rows = [
        row("d-1", KEPT, own.clone(), info("d-1")),
        row("d-2", LENT, lent, info("d-2")),
        row("d-3", "closed", closed, info("d-3")),
        row("d-4", "model_name_t-00_4", own, of_team),
    ];
    proxy.fill("LiteLLM_ProxyModelTable", &rows).await;
    let values = json!({"api_key": LENT_KEY, "api_base": upstream});
    let credential = json!({
        "credential_id": "c-1", "credential_name": "shared",
        "credential_values": sealed(&values, gcm),
        "credential_info": {"custom_llm_provider": "openai_like"},
        "created_by": "admin", "updated_by": "admin", "updated_at": "2026-03-01T00:00:00",
    });
    proxy.fill("LiteLLM_CredentialsTable", &[credential]).await;
}

/// Totals by day, by user, team, tag and customer; some of odd doubles.
async fn daily(proxy: &Proxy) {
    let (mut users, mut teams) = (Vec::new(), Vec::new());
    for key in Key::all() {
        for (index, (date, nanos)) in key.days().into_iter().enumerate() {
            let id = format!("{}-{date}", key.number);
            let row = |more: Value| {
                let mut row = json!({
                    "id": id, "date": date, "api_key": key.hash(), "model": "m",
                    "model_group": if index % 2 == 0 { "chat" } else { "other" },
                    "custom_llm_provider": "openai", "spend": nanos as f64 / NANOS,
                    "prompt_tokens": 100, "completion_tokens": 20, "api_requests": 5,
                    "successful_requests": 4, "failed_requests": 1, "updated_at": NOW,
                });
                let fields = row.as_object_mut().expect("an object");
                fields.extend(more.as_object().cloned().expect("an object"));
                row
            };
            users.push(row(json!({"user_id": format!("u-{:02}", key.user)})));
            if let Some(team) = key.team {
                teams.push(row(json!({"team_id": format!("t-{team:02}")})));
            }
        }
    }
    // What adding doubles leaves behind, and a sum that begins with a tiny one.
    for (index, spend) in [0.1 + 0.2, 1e-12, 3.000000000000001].into_iter().enumerate() {
        teams.push(json!({
            "id": format!("odd-{index}"), "team_id": "t-01", "date": "2026-05-02", "api_key": "",
            "model": format!("odd-{index}"), "spend": spend, "api_requests": 1, "updated_at": NOW,
        }));
    }
    proxy.fill("LiteLLM_DailyUserSpend", &users).await;
    proxy.fill("LiteLLM_DailyTeamSpend", &teams).await;
    proxy
        .fill(
            "LiteLLM_DailyTagSpend",
            &[json!({
                "id": "tag", "tag": "blue", "date": "2026-05-03", "api_key": "", "spend": 0.25,
                "api_requests": 1, "updated_at": NOW,
            })],
        )
        .await;
    proxy
        .fill(
            "LiteLLM_DailyEndUserSpend",
            &[json!({
                "id": "customer", "end_user_id": "c-fine", "date": "2026-05-03", "api_key": "",
                "spend": 0.0625, "api_requests": 1, "updated_at": NOW,
            })],
        )
        .await;
}
