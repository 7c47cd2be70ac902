//! What the log shows, and to whom.

use serde_json::{Value, json};
use tollgate_testkit::http::Client;
use tollgate_testkit::patience::until;

use crate::stage::{CALL, CALL_NANOS, CHAT, Key, Stage, nanos};

const EVER: &str = "start_date=2020-01-01&end_date=9000-01-01";

async fn log(client: &Client, query: &str) -> Value {
    client.get(&format!("/spend/logs/v2?{query}")).await.ok()
}

fn ids(log: &Value) -> Vec<String> {
    let lines = log["data"].as_array().expect("entries").iter();
    lines.map(|line| line["request_id"].as_str().expect("an id").to_owned()).collect()
}

async fn call(key: &Key, times: usize) {
    for _ in 0..times {
        key.client.post(CHAT, CALL).await.ok();
    }
}

#[tokio::test]
async fn the_log_shows_the_newest_first_in_pages_and_a_key_its_own_calls() {
    let stage = Stage::new().await;
    let ada = stage.key(json!({ "user_id": "ada", "team_id": "engine" })).await;
    let bob = stage.key(json!({ "user_id": "bob", "team_id": "engine" })).await;
    call(&ada, 4).await;
    call(&bob, 1).await;
    let master = stage.gateway.master();
    let all = until("five calls in the ledger", || async {
        let all = log(&master, EVER).await;
        (all["total"] == 5).then_some(all)
    })
    .await;
    let line = &all["data"][0];
    assert_eq!((&line["user"], &line["team_id"]), (&json!("bob"), &json!("engine")));
    assert_eq!((nanos(&line["spend"]), &line["status"]), (CALL_NANOS, &json!("success")));
    assert_eq!((&line["prompt_tokens"], &line["completion_tokens"]), (&json!(3), &json!(16)));
    let known = master.get(&format!("/key/info?key={}", bob.text)).await.ok();
    assert_eq!(line["api_key"], known["key"], "the hash");
    assert!(!line.to_string().contains(&bob.text), "a key is never shown");

    let newest_first = ids(&all);
    pages(&master, &newest_first).await;
    filters(&master, &bob).await;
    let last = &newest_first[4];
    let one = log(&master, &format!("request_id={last}")).await;
    assert_eq!(ids(&one), newest_first[4..]);

    // A key sees its own, whatever it asks about.
    assert_eq!(ids(&log(&bob.client, EVER).await), newest_first[..1]);
    let stolen = log(&bob.client, &format!("request_id={last}")).await;
    assert_eq!(stolen["total"], 0);
    let other = format!("/spend/logs/v2?{EVER}&api_key={}", ada.text);
    assert_eq!(bob.client.get(&other).await.status, 403);
    refusals(&master).await;
    let (books, _) = stage.close().await;
    books.must_balance();
}

/// Pages by number and pages by cursor are the same.
async fn pages(master: &Client, newest_first: &[String]) {
    let mut counted = Vec::new();
    let mut followed = Vec::new();
    let mut cursor = String::new();
    for number in 1..=3 {
        let page = log(master, &format!("{EVER}&page_size=2&page={number}")).await;
        assert_eq!((&page["total_pages"], &page["page"]), (&json!(3), &json!(number)));
        counted.extend(ids(&page));
        let page = log(master, &format!("{EVER}&page_size=2{cursor}")).await;
        followed.extend(ids(&page));
        let next = page["next_cursor"].as_str().map(|next| format!("&cursor={next}"));
        assert_eq!(next.is_none(), number == 3);
        cursor = next.unwrap_or_default();
    }
    assert_eq!((&*counted, &*followed), (newest_first, newest_first));
}

async fn filters(master: &Client, bob: &Key) {
    for (query, count) in [
        ("user_id=ada".to_owned(), 4),
        ("team_id=engine".to_owned(), 5),
        (format!("api_key={}", bob.text), 1),
        ("model=chat&status_filter=success".to_owned(), 5),
        ("status_filter=failure".to_owned(), 0),
    ] {
        let found = log(master, &format!("{EVER}&{query}")).await;
        assert_eq!(found["total"], count, "{query}");
    }
}

async fn refusals(master: &Client) {
    for (query, param) in [
        ("start_date=2026-05-01", "end_date"),
        ("start_date=soon&end_date=2026-05-01", "start_date"),
        ("start_date=2026-05-01&end_date=2026-05-01&status_filter=bad", "status_filter"),
        ("start_date=2026-05-01&end_date=2026-05-01&page=9999", "page"),
        ("start_date=2026-05-01&end_date=2026-05-01&page_size=1001", "page_size"),
        ("start_date=2026-05-01&end_date=2026-05-01&cursor=x", "cursor"),
    ] {
        let answer = master.get(&format!("/spend/logs/v2?{query}")).await;
        assert_eq!(answer.status, 400, "{query}");
        assert_eq!(answer.json()["error"]["param"], param, "{query}");
    }
}

#[tokio::test]
async fn one_entry_is_told_to_whoever_administrates_its_organization() {
    let stage = Stage::new().await;
    let master = stage.gateway.master();
    let mut admins = Vec::new();
    for id in ["mill", "works"] {
        let organization = json!({ "organization_id": id, "organization_alias": id });
        master.post("/organization/new", organization.to_string()).await.ok();
        let user = json!({ "user_id": format!("admin-of-{id}") });
        let user = master.post("/user/new", user.to_string()).await.ok();
        let member = json!({ "user_id": user["user_id"], "role": "org_admin" });
        let member = json!({ "organization_id": id, "member": member });
        master.post("/organization/member_add", member.to_string()).await.ok();
        admins.push(stage.gateway.client(user["key"].as_str().expect("a key")));
    }
    let key = stage.key(json!({ "organization_id": "mill" })).await;
    call(&key, 1).await;
    let all = until("a call in the ledger", || async {
        let all = log(&master, EVER).await;
        (all["total"] == 1).then_some(all)
    })
    .await;
    let mut line = all["data"][0].clone();
    let path = format!("/spend/logs/ui/{}", ids(&all)[0]);
    for name in ["messages", "response", "proxy_server_request"] {
        line[name] = json!({});
    }
    assert_eq!(master.get(&path).await.ok(), line);
    assert_eq!(admins[0].get(&path).await.ok(), line);
    for (client, path, status) in [
        (&admins[1], &*path, 403),
        (&admins[0], "/spend/logs/ui/nothing", 403),
        (&key.client, &*path, 403),
        (&master, "/spend/logs/ui/nothing", 404),
    ] {
        assert_eq!(client.get(path).await.status, status, "{path}");
    }
    let (books, _) = stage.close().await;
    books.must_balance();
}
