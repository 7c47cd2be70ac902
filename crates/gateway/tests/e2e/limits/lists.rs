//! Lists of keys, users and teams, in pages and by what they belong to.

use serde_json::{Value, json};

use super::{ask, manage, stage};

fn ids<'a>(list: &'a Value, name: &str) -> Vec<&'a str> {
    let items = list.as_array().expect("a list");
    items.iter().filter_map(|item| item[name].as_str()).collect()
}

#[tokio::test]
async fn keys_are_listed_by_what_they_belong_to_in_pages() {
    let stage = stage().await;
    for number in 0..5 {
        let team = if number % 2 == 0 { "even" } else { "odd" };
        let fields = json!({"team_id": team, "user_id": "ada", "key_alias": format!("k{number}")});
        stage.key(fields).await;
    }
    let page = ask(&stage, "/key/list?page=2&size=2&user_id=ada").await;
    let counts = [&page["total_count"], &page["current_page"], &page["total_pages"]];
    assert_eq!(counts, [5, 2, 3]);
    assert_eq!(page["keys"].as_array().map(Vec::len), Some(2));
    assert_eq!(page["keys"][0].as_str().map(str::len), Some(64), "a hash");
    let odd = ask(&stage, "/key/list?team_id=odd&return_full_object=true").await;
    let mut aliases = ids(&odd["keys"], "key_alias");
    aliases.sort_unstable();
    assert_eq!(aliases, ["k1", "k3"]);
    let one = ask(&stage, "/key/list?key_alias=k4&team_id=even&return_full_object=true").await;
    assert_eq!(ids(&one["keys"], "key_alias"), ["k4"]);
    for (query, param) in [("size=101", "size"), ("page=0", "page"), ("teem_id=odd", "teem_id")] {
        let answer = stage.gateway.master().get(&format!("/key/list?{query}")).await;
        assert_eq!((answer.status, &answer.json()["error"]["param"]), (400, &json!(param)));
    }
}

#[tokio::test]
async fn users_and_teams_are_listed_by_what_they_are() {
    let stage = stage().await;
    for user in ["ada", "bob", "eve"] {
        let email = format!("{user}@Engine.test");
        let fields = json!({
            "user_id": user, "user_email": email, "user_role": "internal_user",
            "auto_create_key": false,
        });
        manage(&stage, "/user/new", fields).await;
    }
    let bob = json!([{"role": "user", "user_id": "bob"}]);
    manage(&stage, "/team/new", json!({"team_id": "core", "members_with_roles": bob})).await;
    manage(&stage, "/team/new", json!({"team_id": "loom"})).await;
    let users = ask(&stage, "/user/list?page=2&page_size=2").await;
    assert_eq!((&users["total"], &users["total_pages"]), (&json!(3), &json!(2)));
    assert_eq!(ids(&users["users"], "user_id"), ["eve"]);
    let found = ask(&stage, "/user/list?user_email=ADA@engine&role=internal_user").await;
    assert_eq!(ids(&found["users"], "user_id"), ["ada"]);
    let found = ask(&stage, "/user/list?user_ids=bob,eve").await;
    assert_eq!(ids(&found["users"], "user_id"), ["bob", "eve"]);
    assert_eq!(found["users"][0]["teams"], json!(["core"]));
    assert_eq!(ids(&ask(&stage, "/team/list").await, "team_id"), ["core", "loom"]);
    assert_eq!(ids(&ask(&stage, "/team/list?user_id=bob").await, "team_id"), ["core"]);
}
