//! The record of changes, as an operator reads it.

use serde_json::{Value, json};
use tollgate_simulator::{Behaviour, Script};
use tollgate_testkit::config_text::ConfigText;

use crate::stage::{GROUP, Stage, Storage};

#[tokio::test]
async fn whoever_changes_something_is_on_record() {
    let stage = Stage::new().await;
    let master = stage.gateway.master();
    let named = master.clone().with_header("litellm-changed-by", "ada@engine.test");
    named.post("/team/new", json!({ "team_id": "loom" }).to_string()).await.ok();
    let logging = json!([{ "callback_vars": { "langfuse_secret_key": "hidden-text" } }]);
    let change = json!({ "team_id": "loom", "max_budget": 5, "metadata": { "logging": logging } });
    master.post("/team/update", change.to_string()).await.ok();
    let admin = json!({ "user_id": "root", "user_role": "proxy_admin" });
    let admin = master.post("/user/new", admin.to_string()).await.ok();
    let admin = stage.gateway.client(admin["key"].as_str().expect("a key"));
    admin.post("/team/block", json!({ "team_id": "loom" }).to_string()).await.ok();

    let log = master.get("/audit?table_name=LiteLLM_TeamTable&object_id=loom").await.ok();
    let rows = log["audit_logs"].as_array().expect("a list");
    let told = |row: &Value| {
        let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
        (text("action"), text("changed_by"), text("on_behalf_of"), text("address"))
    };
    let row = |action: &str, by: &str, for_whom: &str| {
        (action.to_owned(), by.to_owned(), for_whom.to_owned(), "127.0.0.1".to_owned())
    };
    assert_eq!(
        rows.iter().map(told).collect::<Vec<_>>(),
        [
            row("blocked", "root", ""),
            row("updated", "master", ""),
            row("created", "master", "ada@engine.test"),
        ]
    );
    assert_eq!(rows[1]["before_value"]["limits"], json!({}));
    assert_eq!(rows[1]["updated_values"]["limits"], json!({ "max_budget": 5.0 }));
    assert!(!log.to_string().contains("hidden-text"), "{log}");
    assert!(rows[0]["changed_by_api_key"].as_str().expect("an id").starts_with("key_"));

    let id = rows[1]["id"].as_str().expect("an id");
    assert_eq!(master.get(&format!("/audit/{id}")).await.ok(), rows[1]);
    for absent in ["0", "x", "9223372036854775807"] {
        assert_eq!(master.get(&format!("/audit/{absent}")).await.status, 404, "{absent}");
    }
    let first = master.get("/audit?page_size=1").await.ok();
    let cursor = first["next_cursor"].as_str().expect("there are more");
    let second = master.get(&format!("/audit?page_size=1&cursor={cursor}")).await.ok();
    assert_ne!(first["audit_logs"], second["audit_logs"]);
    let plain = stage.plain_key().await;
    assert_eq!(plain.client.get("/audit").await.status, 403);
    let (books, _) = stage.close().await;
    books.must_balance();
}

/// The addresses on record after a team was made with this `X-Forwarded-For`, the newest first.
async fn addresses(stage: &Stage, team: &str, forwarded: &str) -> Vec<String> {
    let master = stage.gateway.master();
    let proxied = master.clone().with_header("x-forwarded-for", forwarded);
    proxied.post("/team/new", json!({ "team_id": team }).to_string()).await.ok();
    let log = master.get("/audit?table_name=team").await.ok();
    let rows = log["audit_logs"].as_array().expect("a list").iter();
    rows.map(|row| row["address"].as_str().expect("an address").to_owned()).collect()
}

#[tokio::test]
async fn an_address_is_taken_from_a_proxy_only_where_it_is_trusted() {
    let plain = Stage::new().await;
    assert_eq!(addresses(&plain, "loom", "203.0.113.9").await, ["127.0.0.1"]);
    plain.close().await;

    let config = |simulator: &_| {
        ConfigText::simulated(GROUP, simulator)
            .setting("general_settings", "use_x_forwarded_for: true")
            .setting("general_settings", "trusted_proxy_ranges: [127.0.0.0/8, 10.0.0.0/8]")
    };
    let script = Script::new(Behaviour::default());
    let behind = Stage::with(Storage::Sqlite, script, config, |home| home).await;
    // The first item is what a client made up, the last one a proxy's of ours.
    addresses(&behind, "loom", "198.51.100.1, 203.0.113.9, 10.0.0.7").await;
    let found = addresses(&behind, "warp", "not an address").await;
    assert_eq!(found, ["127.0.0.1", "203.0.113.9"]);
    behind.close().await;
}

#[tokio::test]
async fn changes_of_different_fields_at_once_are_all_kept() {
    let stage = Stage::new().await;
    let master = stage.gateway.master();
    master.post("/team/new", json!({ "team_id": "loom" }).to_string()).await.ok();
    let fields = [
        ("max_budget", json!(5.0)),
        ("rpm_limit", json!(7)),
        ("tpm_limit", json!(9)),
        ("team_alias", json!("Loom")),
        ("max_parallel_requests", json!(3)),
    ];
    let sent = fields.clone().map(|(name, value)| {
        let master = master.clone();
        async move {
            let body = json!({ "team_id": "loom", name: value }).to_string();
            master.post("/team/update", body).await.ok();
        }
    });
    futures_util::future::join_all(sent).await;
    let team = master.get("/team/info?team_id=loom").await.ok();
    for (name, value) in fields {
        assert_eq!(team["team_info"][name], value, "{name}");
    }
    let (books, _) = stage.close().await;
    books.must_balance();
}
