//! The permission matrix: every route × every kind of caller, from the routers' own tables.

use expect_test::expect;
use http::Method;
use serde_json::json;
use tollgate_testkit::http::Client;

use crate::stage::{CALL, Stage};

/// The callers of the matrix, in the order of its columns. `plain` is a key without a user, `key`
/// the one that is asked about; the others are keys of users with these roles, `lead` and
/// `org_admin` of users who administrate a team and an organization.
const CALLERS: [&str; 11] = [
    "nobody",
    "unknown",
    "plain",
    "key",
    "sees_own",
    "internal",
    "lead",
    "org_admin",
    "sees_all",
    "admin",
    "master",
];
/// The users among them, with their roles.
const USERS: [(&str, &str); 6] = [
    ("sees_own", "internal_user_viewer"),
    ("internal", "internal_user"),
    ("lead", "internal_user"),
    ("org_admin", "internal_user"),
    ("sees_all", "proxy_admin_viewer"),
    ("admin", "proxy_admin"),
];

/// The day that usage is asked about.
const DAY: &str = "?start_date=2026-05-01&end_date=2026-05-01";
/// The paths that days are asked about under.
const DATED: [&str; 5] = [
    "/daily/activity",
    "/spend/logs",
    "/global/activity",
    "/global/spend/provider",
    "/global/spend/report",
];
/// Whose usage is asked about, by the start of the path.
const WHOSE: [(&str, &str); 4] = [
    ("/team/", "&team_ids=loom"),
    ("/tag/", "&tags=a"),
    ("/customer/", "&end_user_ids=a"),
    ("/organization/", "&organization_ids=a"),
];

#[tokio::test]
async fn every_route_answers_every_caller_as_its_row_says() {
    let stage = Stage::new().await;
    let (key, plain) = (stage.plain_key().await, stage.plain_key().await);
    let mut clients = vec![
        stage.gateway.anonymous(),
        stage.gateway.client("sk-0000000000000000"),
        plain.client.clone(),
        key.client.clone(),
    ];
    for (user, role) in USERS {
        let made = json!({ "user_id": user, "user_role": role });
        let made = stage.gateway.master().post("/user/new", made.to_string()).await.ok();
        clients.push(stage.gateway.client(made["key"].as_str().expect("a key")));
    }
    let team = json!({
        "team_id": "loom",
        "members_with_roles": [{ "user_id": "lead", "role": "admin" }],
    });
    stage.gateway.master().post("/team/new", team.to_string()).await.ok();
    let organization = json!({ "organization_id": "mill", "organization_alias": "Mill" });
    stage.gateway.master().post("/organization/new", organization.to_string()).await.ok();
    let member = json!({ "user_id": "org_admin", "role": "org_admin" });
    let member = json!({ "organization_id": "mill", "member": member });
    stage.gateway.master().post("/organization/member_add", member.to_string()).await.ok();
    clients.push(stage.gateway.master());
    let mut matrix = format!("{:<60}{}\n", "", CALLERS.map(|name| format!("{name:>9}")).concat());
    for (method, path, access) in routes() {
        let mut row = format!("{:<60}", format!("{method} {path} ({access})"));
        for client in &clients {
            row += &format!("{:>9}", status(client, method, path, &key.text).await);
        }
        matrix += row.trim_end();
        matrix.push('\n');
    }
    expect![[r#"
                                                                       nobody  unknown    plain      key sees_own internal     leadorg_admin sees_all    admin   master
        POST /v1/chat/completions (Key)                                   401      401      200      200      200      200      200      200      403      200      200
        POST /chat/completions (Key)                                      401      401      200      200      200      200      200      200      403      200      200
        POST /v1/responses (Key)                                          401      401      200      200      200      200      200      200      403      200      200
        POST /responses (Key)                                             401      401      200      200      200      200      200      200      403      200      200
        POST /openai/v1/responses (Key)                                   401      401      200      200      200      200      200      200      403      200      200
        GET /v1/responses (Key)                                           401      401      405      405      405      405      405      405      403      405      405
        GET /v1/responses/{id} (Key)                                      401      401      404      404      404      404      404      404      403      404      404
        DELETE /v1/responses/{id} (Key)                                   401      401      404      404      404      404      404      404      403      404      404
        GET /v1/responses/{id}/input_items (Key)                          401      401      404      404      404      404      404      404      403      404      404
        GET /responses (Key)                                              401      401      405      405      405      405      405      405      403      405      405
        GET /responses/{id} (Key)                                         401      401      404      404      404      404      404      404      403      404      404
        DELETE /responses/{id} (Key)                                      401      401      404      404      404      404      404      404      403      404      404
        GET /responses/{id}/input_items (Key)                             401      401      404      404      404      404      404      404      403      404      404
        GET /openai/v1/responses (Key)                                    401      401      405      405      405      405      405      405      403      405      405
        GET /openai/v1/responses/{id} (Key)                               401      401      404      404      404      404      404      404      403      404      404
        DELETE /openai/v1/responses/{id} (Key)                            401      401      404      404      404      404      404      404      403      404      404
        GET /openai/v1/responses/{id}/input_items (Key)                   401      401      404      404      404      404      404      404      403      404      404
        POST /v1/messages (Key)                                           401      401      200      200      200      200      200      200      403      200      200
        POST /v1/messages/count_tokens (Key)                              401      401      200      200      200      200      200      200      403      200      200
        POST /utils/token_counter (Key)                                   401      401      200      200      200      200      200      200      403      200      200
        POST /utils/transform_request (Key)                               401      401      200      200      200      200      200      200      200      200      200
        GET /v1beta/models (Key)                                          401      401      200      200      200      200      200      200      403      200      200
        POST /v1beta/models/{*operation} (Key)                            401      401      200      200      200      200      200      200      403      200      200
        GET /v1/models (Key)                                              401      401      200      200      200      200      200      200      403      200      200
        GET /models (Key)                                                 401      401      200      200      200      200      200      200      403      200      200
        GET /v1/models/{*model} (Key)                                     401      401      200      200      200      200      200      200      403      200      200
        POST /v1/models/{*model} (Key)                                    401      401      200      200      200      200      200      200      403      200      200
        GET /models/{*model} (Key)                                        401      401      200      200      200      200      200      200      403      200      200
        POST /models/{*model} (Key)                                       401      401      200      200      200      200      200      200      403      200      200
        GET /health/liveliness (Anyone)                                   200      200      200      200      200      200      200      200      200      200      200
        GET /health/liveness (Anyone)                                     200      200      200      200      200      200      200      200      200      200      200
        GET /health/readiness (Anyone)                                    200      200      200      200      200      200      200      200      200      200      200
        GET /metrics (Master)                                             401      401      403      403      403      403      403      403      403      403      200
        GET /errors (Anyone)                                              200      200      200      200      200      200      200      200      200      200      200
        GET /errors/{slug} (Anyone)                                       200      200      200      200      200      200      200      200      200      200      200
        POST /openai/deployments/{model}/chat/completions (Key)           401      401      200      200      200      200      200      200      403      200      200
        POST /engines/{model}/chat/completions (Key)                      401      401      200      200      200      200      200      200      403      200      200
        GET /key/info (Keys)                                              401      401      403      200      403      403      403      403      200      200      200
        POST /v2/key/info (Keys)                                          401      401      400      400      400      400      400      400      400      400      400
        POST /key/health (Keys)                                           401      401      200      200      200      200      200      200      200      200      200
        POST /key/generate (Managers)                                     401      401      403      403      403      200      200      200      403      200      200
        POST /key/service-account/generate (Managers)                     401      401      400      400      403      400      400      400      403      400      400
        POST /key/update (Managers)                                       401      401      403      403      403      403      403      403      403      200      200
        POST /key/block (Managers)                                        401      401      400      400      403      400      400      400      403      400      400
        POST /key/unblock (Managers)                                      401      401      400      400      403      400      400      400      403      400      400
        POST /key/{key}/reset_spend (Managers)                            401      401      400      400      403      400      400      400      403      400      400
        POST /key/bulk_update (Managers)                                  401      401      400      400      403      400      400      400      403      400      400
        POST /key/regenerate (Managers)                                   401      401      400      400      403      400      400      400      403      400      400
        POST /key/{key}/regenerate (Managers)                             401      401      403      403      403      403      403      403      403      404      404
        POST /key/delete (Managers)                                       401      401      403      403      403      403      403      403      403      404      404
        GET /key/list (Keys)                                              401      401      403      403      200      200      200      200      200      200      200
        GET /key/aliases (Keys)                                           401      401      403      403      200      200      200      200      200      200      200
        POST /team/new (OrganizationAdmins)                               401      401      403      403      403      403      403      403      403      200      200
        POST /team/update (Admins)                                        401      401      403      403      403      403      403      403      403      400      400
        PATCH /team/{team_id} (Admins)                                    401      401      403      403      403      403      403      403      403      200      200
        POST /team/delete (OrganizationAdmins)                            401      401      403      403      403      403      403      400      403      400      400
        POST /team/block (OrganizationAdmins)                             401      401      403      403      403      403      403      400      403      400      400
        POST /team/unblock (OrganizationAdmins)                           401      401      403      403      403      403      403      400      403      400      400
        GET /team/info (Keys)                                             401      401      400      400      400      400      400      400      400      400      400
        GET /team/list (Keys)                                             401      401      200      200      200      200      200      200      200      200      200
        GET /team/permissions_list (Keys)                                 401      401      400      400      400      400      400      400      400      400      400
        POST /team/permissions_update (Managers)                          401      401      400      400      403      400      400      400      403      400      400
        POST /team/model/add (Admins)                                     401      401      403      403      403      403      403      403      403      400      400
        POST /team/model/delete (Admins)                                  401      401      403      403      403      403      403      403      403      400      400
        GET /v2/team/list (Keys)                                          401      401      200      200      200      200      200      200      200      200      200
        GET /team/available (Keys)                                        401      401      200      200      200      200      200      200      200      200      200
        GET /team/{team_id}/members/me (Keys)                             401      401      403      403      403      403      200      403      403      403      400
        GET /team/{team_id}/callback (Admins)                             401      401      403      403      403      403      403      403      200      200      200
        POST /team/{team_id}/callback (Admins)                            401      401      403      403      403      403      403      403      403      400      400
        DELETE /team/{team_id}/callback/{callback_name} (Admins)          401      401      403      403      403      403      403      403      403      400      400
        POST /team/{team_id}/disable_logging (Admins)                     401      401      403      403      403      403      403      403      403      400      400
        POST /team/member_add (Managers)                                  401      401      400      400      403      400      400      400      403      400      400
        POST /team/member_update (Managers)                               401      401      400      400      403      400      400      400      403      400      400
        POST /team/member_delete (Managers)                               401      401      400      400      403      400      400      400      403      400      400
        POST /team/bulk_member_add (OrganizationAdmins)                   401      401      403      403      403      403      403      400      403      400      400
        POST /team/{team_id}/member/{user_id}/reset_spend (Managers)      401      401      400      400      403      400      400      400      403      400      400
        POST /user/new (OrganizationAdmins)                               401      401      403      403      403      403      403      403      403      200      200
        POST /user/update (Keys)                                          401      401      400      400      400      400      400      400      400      400      400
        POST /user/delete (OrganizationAdmins)                            401      401      403      403      403      403      403      400      403      400      400
        GET /user/info (Keys)                                             401      401      400      400      200      200      200      200      200      200      400
        GET /user/list (OrganizationAdmins)                               401      401      403      403      403      403      403      200      200      200      200
        GET /v2/user/info (Keys)                                          401      401      400      400      200      200      200      200      200      200      400
        GET /user/available_roles (Keys)                                  401      401      200      200      200      200      200      200      200      200      200
        POST /invitation/new (OrganizationAdmins)                         401      401      403      403      403      403      403      400      403      400      400
        POST /invitation/update (Admins)                                  401      401      403      403      403      403      403      403      403      400      400
        POST /invitation/delete (OrganizationAdmins)                      401      401      403      403      403      403      403      400      403      400      400
        GET /invitation/info (OrganizationAdmins)                         401      401      403      403      403      403      403      400      400      400      400
        POST /user/bulk_update (OrganizationAdmins)                       401      401      403      403      403      403      403      400      403      400      400
        POST /customer/new (Admins)                                       401      401      403      403      403      403      403      403      403      400      400
        POST /customer/update (Admins)                                    401      401      403      403      403      403      403      403      403      400      400
        POST /customer/delete (Admins)                                    401      401      403      403      403      403      403      403      403      400      400
        POST /customer/block (Admins)                                     401      401      403      403      403      403      403      403      403      400      400
        POST /customer/unblock (Admins)                                   401      401      403      403      403      403      403      403      403      400      400
        GET /customer/info (Admins)                                       401      401      403      403      403      403      403      403      400      400      400
        GET /customer/list (Admins)                                       401      401      403      403      403      403      403      403      200      200      200
        POST /end_user/new (Admins)                                       401      401      403      403      403      403      403      403      403      400      400
        POST /end_user/update (Admins)                                    401      401      403      403      403      403      403      403      403      400      400
        POST /end_user/delete (Admins)                                    401      401      403      403      403      403      403      403      403      400      400
        POST /end_user/block (Admins)                                     401      401      403      403      403      403      403      403      403      400      400
        POST /end_user/unblock (Admins)                                   401      401      403      403      403      403      403      403      403      400      400
        GET /end_user/info (Admins)                                       401      401      403      403      403      403      403      403      400      400      400
        GET /end_user/list (Admins)                                       401      401      403      403      403      403      403      403      200      200      200
        POST /organization/new (Admins)                                   401      401      403      403      403      403      403      403      403      400      400
        PATCH /organization/update (Admins)                               401      401      403      403      403      403      403      403      403      400      400
        PATCH /v2/organization/{organization_id} (Admins)                 401      401      403      403      403      403      403      403      403      200      200
        DELETE /organization/delete (Admins)                              401      401      403      403      403      403      403      403      403      400      400
        GET /organization/info (Keys)                                     401      401      400      400      400      400      400      400      400      400      400
        GET /organization/list (Keys)                                     401      401      200      200      200      200      200      200      200      200      200
        POST /organization/member_add (OrganizationAdmins)                401      401      403      403      403      403      403      400      403      400      400
        PATCH /organization/member_update (OrganizationAdmins)            401      401      403      403      403      403      403      400      403      400      400
        DELETE /organization/member_delete (OrganizationAdmins)           401      401      403      403      403      403      403      400      403      400      400
        POST /project/new (Admins)                                        401      401      403      403      403      403      403      403      403      400      400
        POST /project/update (Admins)                                     401      401      403      403      403      403      403      403      403      400      400
        DELETE /project/delete (Admins)                                   401      401      403      403      403      403      403      403      403      400      400
        GET /project/info (Keys)                                          401      401      400      400      400      400      400      400      400      400      400
        GET /project/list (Keys)                                          401      401      200      200      200      200      200      200      200      200      200
        POST /budget/new (Admins)                                         401      401      403      403      403      403      403      403      403      200      200
        POST /budget/update (Admins)                                      401      401      403      403      403      403      403      403      403      400      400
        POST /budget/delete (Admins)                                      401      401      403      403      403      403      403      403      403      400      400
        POST /budget/info (Admins)                                        401      401      403      403      403      403      403      403      400      400      400
        GET /budget/list (OrganizationAdmins)                             401      401      403      403      403      403      403      200      200      200      200
        POST /tag/new (Admins)                                            401      401      403      403      403      403      403      403      403      400      400
        POST /tag/update (Admins)                                         401      401      403      403      403      403      403      403      403      400      400
        POST /tag/delete (Admins)                                         401      401      403      403      403      403      403      403      403      400      400
        POST /tag/info (Admins)                                           401      401      403      403      403      403      403      403      400      400      400
        GET /tag/list (Managers)                                          401      401      200      200      200      200      200      200      200      200      200
        POST /model/new (Admins)                                          401      401      403      403      403      403      403      403      403      400      400
        PATCH /model/{model_id}/update (Admins)                           401      401      403      403      403      403      403      403      403      403      403
        POST /model/update (Admins)                                       401      401      403      403      403      403      403      403      403      400      400
        POST /model/delete (Admins)                                       401      401      403      403      403      403      403      403      403      400      400
        POST /model/block (Admins)                                        401      401      403      403      403      403      403      403      403      400      400
        POST /model/unblock (Admins)                                      401      401      403      403      403      403      403      403      403      400      400
        GET /model/info (Keys)                                            401      401      200      200      200      200      200      200      200      200      200
        GET /v1/model/info (Keys)                                         401      401      200      200      200      200      200      200      200      200      200
        GET /v2/model/info (Keys)                                         401      401      200      200      200      200      200      200      200      200      200
        GET /model_group/info (Keys)                                      401      401      200      200      200      200      200      200      200      200      200
        POST /credentials (Admins)                                        401      401      403      403      403      403      403      403      403      400      400
        GET /credentials (Admins)                                         401      401      403      403      403      403      403      403      200      200      200
        GET /credentials/by_name/{*credential_name} (Admins)              401      401      403      403      403      403      403      403      404      404      404
        GET /credentials/by_model/{model_id} (Admins)                     401      401      403      403      403      403      403      403      404      404      404
        PATCH /credentials/{*credential_name} (Admins)                    401      401      403      403      403      403      403      403      403      403      403
        DELETE /credentials/{*credential_name} (Admins)                   401      401      403      403      403      403      403      403      403      403      403
        POST /access_group/new (Admins)                                   401      401      403      403      403      403      403      403      403      400      400
        GET /access_group/list (Admins)                                   401      401      403      403      403      403      403      403      200      200      200
        GET /access_group/{access_group}/info (Admins)                    401      401      403      403      403      403      403      403      404      404      404
        PUT /access_group/{access_group}/update (Admins)                  401      401      403      403      403      403      403      403      403      404      404
        DELETE /access_group/{access_group}/delete (Admins)               401      401      403      403      403      403      403      403      403      404      404
        POST /health/test_connection (Admins)                             401      401      403      403      403      403      403      403      403      400      400
        GET /user/daily/activity (Keys)                                   401      401      200      200      200      200      200      200      200      200      200
        GET /user/daily/activity/aggregated (Keys)                        401      401      200      200      200      200      200      200      200      200      200
        GET /team/daily/activity (Keys)                                   401      401      403      403      403      403      200      403      200      200      200
        GET /team/daily/activity/aggregated (Keys)                        401      401      403      403      403      403      200      403      200      200      200
        GET /tag/daily/activity (Managers)                                401      401      403      403      403      403      403      403      200      200      200
        GET /tag/daily/activity/aggregated (Managers)                     401      401      403      403      403      403      403      403      200      200      200
        GET /customer/daily/activity (Admins)                             401      401      403      403      403      403      403      403      200      200      200
        GET /customer/daily/activity/aggregated (Admins)                  401      401      403      403      403      403      403      403      200      200      200
        GET /organization/daily/activity (Keys)                           401      401      403      403      403      403      403      403      200      200      200
        GET /organization/daily/activity/aggregated (Keys)                401      401      403      403      403      403      403      403      200      200      200
        GET /spend/logs/v2 (Keys)                                         401      401      200      200      200      200      200      200      200      200      200
        GET /spend/logs/ui (Keys)                                         401      401      200      200      200      200      200      200      200      200      200
        GET /spend/logs/ui/{request_id} (OrganizationAdmins)              401      401      403      403      403      403      403      403      404      404      404
        GET /audit (Admins)                                               401      401      403      403      403      403      403      403      200      200      200
        GET /audit/{id} (Admins)                                          401      401      403      403      403      403      403      403      404      404      404
        GET /openapi.json (Anyone)                                        200      200      200      200      200      200      200      200      200      200      200
        GET /docs (Anyone)                                                200      200      200      200      200      200      200      200      200      200      200
        GET / (Anyone)                                                    200      200      200      200      200      200      200      200      200      200      200
        GET /spend/logs (Keys)                                            401      401      200      200      200      200      200      200      200      200      200
        GET /global/spend (SpendViewers)                                  401      401      403      403      403      403      403      403      200      200      200
        GET /global/spend/keys (SpendViewers)                             401      401      403      403      403      403      403      403      200      200      200
        GET /global/spend/models (SpendViewers)                           401      401      403      403      403      403      403      403      200      200      200
        GET /global/spend/teams (SpendViewers)                            401      401      403      403      403      403      403      403      200      200      200
        GET /global/spend/provider (SpendViewers)                         401      401      403      403      403      403      403      403      200      200      200
        GET /global/spend/tags (SpendViewers)                             401      401      403      403      403      403      403      403      200      200      200
        GET /spend/tags (Managers)                                        401      401      403      403      403      403      403      403      200      200      200
        GET /spend/keys (Keys)                                            401      401      200      200      200      200      200      200      200      200      200
        GET /spend/users (Keys)                                           401      401      200      200      200      200      200      200      200      200      200
        GET /global/spend/report (SpendViewers)                           401      401      403      403      403      403      403      403      200      200      200
        GET /global/activity (Keys)                                       401      401      200      200      200      200      200      200      200      200      200
        GET /global/activity/model (Keys)                                 401      401      200      200      200      200      200      200      200      200      200
        GET /provider/budgets (Admins)                                    401      401      403      403      403      403      403      403      200      200      200
        POST /spend/calculate (Keys)                                      401      401      400      400      400      400      400      400      400      400      400
        GET /health (Keys)                                                401      401      200      200      200      200      200      200      200      200      200
        GET /health/readiness/details (Admins)                            401      401      403      403      403      403      403      403      200      200      200
        GET /health/backlog (Admins)                                      401      401      403      403      403      403      403      403      200      200      200
        GET /health/services (Keys)                                       401      401      400      400      400      400      400      400      400      400      400
        GET /health/license (Admins)                                      401      401      403      403      403      403      403      403      200      200      200
        GET /config/list (OrganizationAdmins)                             401      401      403      403      403      403      403      200      200      200      200
        GET /config/field/info (OrganizationAdmins)                       401      401      403      403      403      403      403      200      200      200      200
        GET /get/config/callbacks (OrganizationAdmins)                    401      401      403      403      403      403      403      200      200      200      200
        GET /config/cost_discount_config (Admins)                         401      401      403      403      403      403      403      403      200      200      200
        GET /config/cost_margin_config (Admins)                           401      401      403      403      403      403      403      403      200      200      200
        GET /config/pass_through_endpoint (Admins)                        401      401      403      403      403      403      403      403      200      200      200
        GET /config/pass_through_endpoint/team/{team_id} (Admins)         401      401      403      403      403      403      403      403      200      200      200
        GET /config/yaml (Anyone)                                         200      200      200      200      200      200      200      200      200      200      200
        GET /router/settings (Admins)                                     401      401      403      403      403      403      403      403      200      200      200
        GET /router/fields (Admins)                                       401      401      403      403      403      403      403      403      200      200      200
        GET /fallback/{model} (Admins)                                    401      401      403      403      403      403      403      403      404      404      404
        POST /config/update (Admins)                                      401      401      403      403      403      403      403      403      403      400      400
        POST /config/field/update (Admins)                                401      401      403      403      403      403      403      403      403      400      400
        POST /config/field/delete (Admins)                                401      401      403      403      403      403      403      403      403      400      400
        POST /fallback (Admins)                                           401      401      403      403      403      403      403      403      403      400      400
        DELETE /fallback/{model} (Admins)                                 401      401      403      403      403      403      403      403      403      400      400
        PATCH /config/cost_discount_config (Admins)                       401      401      403      403      403      403      403      403      403      400      400
        PATCH /config/cost_margin_config (Admins)                         401      401      403      403      403      403      403      403      403      400      400
        POST /config/pass_through_endpoint (Admins)                       401      401      403      403      403      403      403      403      403      400      400
        DELETE /config/pass_through_endpoint (Admins)                     401      401      403      403      403      403      403      403      403      400      400
        POST /config/pass_through_endpoint/{endpoint_id} (Admins)         401      401      403      403      403      403      403      403      403      400      400
        GET /cache/settings (Admins)                                      401      401      403      403      403      403      403      403      400      400      400
        POST /cache/settings (Admins)                                     401      401      403      403      403      403      403      403      403      400      400
        POST /cache/settings/test (Admins)                                401      401      403      403      403      403      403      403      403      400      400
        GET /cache/ping (Admins)                                          401      401      403      403      403      403      403      403      503      503      503
        GET /cache/redis/info (Admins)                                    401      401      403      403      403      403      403      403      503      503      503
        POST /cache/delete (Admins)                                       401      401      403      403      403      403      403      403      403      503      503
        POST /cache/flushall (Admins)                                     401      401      403      403      403      403      403      403      403      503      503
        GET /routes (Anyone)                                              200      200      200      200      200      200      200      200      200      200      200
        GET /public/litellm_model_cost_map (Keys)                         401      401      200      200      200      200      200      200      200      200      200
        GET /utils/supported_openai_params (Admins)                       401      401      403      403      403      403      403      403      400      400      400
        GET /public/providers (Anyone)                                    200      200      200      200      200      200      200      200      200      200      200
    "#]]
    .assert_eq(&matrix);
    let (books, _) = stage.close().await;
    books.must_balance();
}

/// Every route of both routers. A route cannot exist without a row, because the routers are made
/// of the rows.
fn routes() -> Vec<(&'static str, &'static str, String)> {
    let data = tollgate_proxy::surface::routes();
    let data = data.into_iter().map(|row| (row.method, row.path, format!("{:?}", row.access)));
    let management = tollgate_admin::routes();
    let management =
        management.into_iter().map(|row| (row.method, row.path, format!("{:?}", row.audience)));
    data.chain(management).collect()
}

async fn status(client: &Client, method: &str, path: &str, key: &str) -> u16 {
    let operated = if method == "POST" { "chat:generateContent" } else { "chat" };
    let path = path
        .replace("{model}", "chat")
        .replace("{*model}", operated)
        .replace("{*operation}", operated)
        .replace("{slug}", "key_unknown")
        .replace("{key}", &"0".repeat(64))
        .replace("{id}", "resp_of_nobody")
        .replace("{model_id}", "nothing")
        .replace("{access_group}", "nothing")
        .replace("{*credential_name}", "nothing")
        .replace("{organization_id}", "mill")
        .replace("{endpoint_id}", "nothing")
        .replace("{request_id}", "nothing")
        .replace("{team_id}", "loom")
        .replace("{user_id}", "nobody")
        .replace("{callback_name}", "nothing");
    let body = match path.as_str() {
        path if path.ends_with("/chat/completions") => CALL.to_owned(),
        path if path.ends_with("/responses") => r#"{"model":"chat","input":"hi"}"#.to_owned(),
        path if path.contains("/messages") => {
            let messages = r#"[{"role":"user","content":"hi"}]"#;
            format!(r#"{{"model":"chat","max_tokens":9,"messages":{messages}}}"#)
        }
        path if path.ends_with(":generateContent") => {
            r#"{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}"#.to_owned()
        }
        "/utils/transform_request" => {
            format!(r#"{{"call_type":"completion","request_body":{CALL}}}"#)
        }
        "/utils/token_counter" => r#"{"model":"chat","prompt":"hi"}"#.to_owned(),
        // A change that changes nothing, and a deletion of what is not there.
        "/key/update" => json!({ "key": key }).to_string(),
        "/key/delete" => json!({ "keys": ["0".repeat(64)] }).to_string(),
        _ => "{}".to_owned(),
    };
    let path = if path == "/key/info" { format!("/key/info?key={key}") } else { path };
    let path = match path.as_str() {
        "/health/services" => format!("{path}?service=slack"),
        "/config/field/info" => format!("{path}?field_name=max_request_size_mb"),
        _ => path,
    };
    let path = if DATED.iter().any(|dated| path.contains(dated)) {
        let whose = WHOSE.iter().find(|(start, _)| path.starts_with(start));
        path + DAY + whose.map_or("", |(_, name)| name)
    } else {
        path
    };
    let method = Method::from_bytes(method.as_bytes()).expect("a table names a method");
    let body = if method == Method::GET { String::new() } else { body };
    client.try_whole(method, &path, body.into()).await.expect("an answer").status
}
