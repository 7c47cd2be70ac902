//! The permission matrix: every route × every kind of caller, from the routers' own tables.

use expect_test::expect;
use http::Method;
use serde_json::json;
use tollgate_testkit::http::Client;

use crate::stage::{CALL, Stage};

/// The callers of the matrix, in the order of its columns.
/// `other` is a second key, which asks about the first.
const CALLERS: [&str; 5] = ["nobody", "unknown", "other", "key", "master"];

/// The day that usage is asked about, and whose.
const DAY: &str = "?start_date=2026-05-01&end_date=2026-05-01\
     &team_ids=a&tags=a&end_user_ids=a&organization_ids=a";

#[tokio::test]
async fn every_route_answers_every_caller_as_its_row_says() {
    let stage = Stage::new().await;
    let key = stage.plain_key().await;
    let other = stage.plain_key().await;
    let clients = [
        stage.gateway.anonymous(),
        stage.gateway.client("sk-0000000000000000"),
        other.client.clone(),
        key.client.clone(),
        stage.gateway.master(),
    ];
    let mut matrix = format!("{:<58}{}\n", "", CALLERS.map(|name| format!("{name:>8}")).concat());
    for (method, path, access) in routes() {
        let mut row = format!("{:<58}", format!("{method} {path} ({access})"));
        for client in &clients {
            row += &format!("{:>8}", status(client, method, path, &key.text).await);
        }
        matrix += row.trim_end();
        matrix.push('\n');
    }
    expect![[r#"
                                                                    nobody unknown   other     key  master
        POST /v1/chat/completions (Key)                                401     401     200     200     200
        POST /chat/completions (Key)                                   401     401     200     200     200
        POST /v1/responses (Key)                                       401     401     200     200     200
        POST /responses (Key)                                          401     401     200     200     200
        POST /openai/v1/responses (Key)                                401     401     200     200     200
        GET /v1/responses (Key)                                        401     401     405     405     405
        GET /v1/responses/{id} (Key)                                   401     401     404     404     404
        DELETE /v1/responses/{id} (Key)                                401     401     404     404     404
        GET /v1/responses/{id}/input_items (Key)                       401     401     404     404     404
        GET /responses (Key)                                           401     401     405     405     405
        GET /responses/{id} (Key)                                      401     401     404     404     404
        DELETE /responses/{id} (Key)                                   401     401     404     404     404
        GET /responses/{id}/input_items (Key)                          401     401     404     404     404
        GET /openai/v1/responses (Key)                                 401     401     405     405     405
        GET /openai/v1/responses/{id} (Key)                            401     401     404     404     404
        DELETE /openai/v1/responses/{id} (Key)                         401     401     404     404     404
        GET /openai/v1/responses/{id}/input_items (Key)                401     401     404     404     404
        POST /v1/messages (Key)                                        401     401     200     200     200
        POST /v1/messages/count_tokens (Key)                           401     401     200     200     200
        POST /utils/token_counter (Key)                                401     401     200     200     200
        GET /v1beta/models (Key)                                       401     401     200     200     200
        POST /v1beta/models/{*operation} (Key)                         401     401     200     200     200
        GET /v1/models (Key)                                           401     401     200     200     200
        GET /models (Key)                                              401     401     200     200     200
        GET /v1/models/{*model} (Key)                                  401     401     200     200     200
        POST /v1/models/{*model} (Key)                                 401     401     200     200     200
        GET /models/{*model} (Key)                                     401     401     200     200     200
        POST /models/{*model} (Key)                                    401     401     200     200     200
        GET /health/liveliness (Anyone)                                200     200     200     200     200
        GET /health/liveness (Anyone)                                  200     200     200     200     200
        GET /health/readiness (Anyone)                                 200     200     200     200     200
        GET /metrics (Master)                                          401     401     403     403     200
        GET /errors (Anyone)                                           200     200     200     200     200
        GET /errors/{slug} (Anyone)                                    200     200     200     200     200
        POST /openai/deployments/{model}/chat/completions (Key)        401     401     200     200     200
        POST /engines/{model}/chat/completions (Key)                   401     401     200     200     200
        GET /key/info (Owner)                                          401     401     403     200     200
        POST /key/generate (Master)                                    401     401     403     403     200
        POST /key/update (Master)                                      401     401     403     403     200
        POST /key/delete (Master)                                      401     401     403     403     404
        POST /key/block (Master)                                       401     401     403     403     400
        POST /key/unblock (Master)                                     401     401     403     403     400
        GET /key/list (Master)                                         401     401     403     403     200
        POST /team/new (Master)                                        401     401     403     403     200
        POST /team/update (Master)                                     401     401     403     403     400
        POST /team/delete (Master)                                     401     401     403     403     400
        POST /team/block (Master)                                      401     401     403     403     400
        POST /team/unblock (Master)                                    401     401     403     403     400
        GET /team/info (Master)                                        401     401     403     403     400
        GET /team/list (Master)                                        401     401     403     403     200
        POST /team/member_add (Master)                                 401     401     403     403     400
        POST /team/member_update (Master)                              401     401     403     403     400
        POST /team/member_delete (Master)                              401     401     403     403     400
        POST /user/new (Master)                                        401     401     403     403     200
        POST /user/update (Master)                                     401     401     403     403     400
        POST /user/delete (Master)                                     401     401     403     403     400
        GET /user/info (Master)                                        401     401     403     403     400
        GET /user/list (Master)                                        401     401     403     403     200
        POST /customer/new (Master)                                    401     401     403     403     400
        POST /end_user/new (Master)                                    401     401     403     403     400
        POST /customer/update (Master)                                 401     401     403     403     400
        POST /end_user/update (Master)                                 401     401     403     403     400
        POST /customer/delete (Master)                                 401     401     403     403     400
        POST /end_user/delete (Master)                                 401     401     403     403     400
        POST /customer/block (Master)                                  401     401     403     403     400
        POST /end_user/block (Master)                                  401     401     403     403     400
        POST /customer/unblock (Master)                                401     401     403     403     400
        POST /end_user/unblock (Master)                                401     401     403     403     400
        GET /customer/info (Master)                                    401     401     403     403     400
        GET /end_user/info (Master)                                    401     401     403     403     400
        GET /customer/list (Master)                                    401     401     403     403     200
        GET /end_user/list (Master)                                    401     401     403     403     200
        POST /organization/new (Master)                                401     401     403     403     400
        PATCH /organization/update (Master)                            401     401     403     403     400
        DELETE /organization/delete (Master)                           401     401     403     403     400
        GET /organization/info (Master)                                401     401     403     403     400
        GET /organization/list (Master)                                401     401     403     403     200
        POST /budget/new (Master)                                      401     401     403     403     200
        POST /budget/update (Master)                                   401     401     403     403     400
        POST /budget/delete (Master)                                   401     401     403     403     400
        POST /budget/info (Master)                                     401     401     403     403     400
        GET /budget/list (Master)                                      401     401     403     403     200
        POST /tag/new (Master)                                         401     401     403     403     400
        POST /tag/update (Master)                                      401     401     403     403     400
        POST /tag/delete (Master)                                      401     401     403     403     400
        POST /tag/info (Master)                                        401     401     403     403     400
        GET /tag/list (Master)                                         401     401     403     403     200
        GET /user/daily/activity (Owner)                               401     401     200     200     200
        GET /user/daily/activity/aggregated (Owner)                    401     401     200     200     200
        GET /team/daily/activity (Master)                              401     401     403     403     200
        GET /team/daily/activity/aggregated (Master)                   401     401     403     403     200
        GET /tag/daily/activity (Master)                               401     401     403     403     200
        GET /tag/daily/activity/aggregated (Master)                    401     401     403     403     200
        GET /customer/daily/activity (Master)                          401     401     403     403     200
        GET /customer/daily/activity/aggregated (Master)               401     401     403     403     200
        GET /organization/daily/activity (Master)                      401     401     403     403     200
        GET /organization/daily/activity/aggregated (Master)           401     401     403     403     200
        GET /spend/logs/v2 (Owner)                                     401     401     200     200     200
    "#]]
    .assert_eq(&matrix);
    let (books, _) = stage.close().await;
    books.must_balance();
}

/// Every route of both routers. A route cannot exist without a row, because the routers are made
/// of the rows.
fn routes() -> Vec<(&'static str, &'static str, String)> {
    let data = tollgate_proxy::surface::routes();
    let data = data.into_iter().map(|(method, path, access)| (method, path, format!("{access:?}")));
    let management = tollgate_admin::routes();
    let management =
        management.into_iter().map(|(method, path, access)| (method, path, format!("{access:?}")));
    data.chain(management).collect()
}

async fn status(client: &Client, method: &str, path: &str, key: &str) -> u16 {
    let operated = if method == "POST" { "chat:generateContent" } else { "chat" };
    let path = path
        .replace("{model}", "chat")
        .replace("{*model}", operated)
        .replace("{*operation}", operated)
        .replace("{slug}", "key_unknown")
        .replace("{id}", "resp_of_nobody");
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
        "/utils/token_counter" => r#"{"model":"chat","prompt":"hi"}"#.to_owned(),
        // A change that changes nothing, and a deletion of what is not there.
        "/key/update" => json!({ "key": key }).to_string(),
        "/key/delete" => json!({ "keys": ["0".repeat(64)] }).to_string(),
        _ => "{}".to_owned(),
    };
    let path = if path == "/key/info" { format!("/key/info?key={key}") } else { path };
    let path = if path.contains("/daily/activity") || path.contains("/spend/logs") {
        path + DAY
    } else {
        path
    };
    let method = Method::from_bytes(method.as_bytes()).expect("a table names a method");
    let body = if method == Method::GET { String::new() } else { body };
    client.try_whole(method, &path, body.into()).await.expect("an answer").status
}
