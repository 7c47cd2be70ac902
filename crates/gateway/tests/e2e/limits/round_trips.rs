//! Every optional field can be set, read, removed with null, and read again.

use http::Method;
use serde_json::{Value, json};

use super::{manage, refused, stage};
use crate::stage::Stage;

/// Every limit field with a value, as it is shown.
fn limits() -> Value {
    json!({
        "max_budget": 12.5,
        "soft_budget": 3,
        "budget_duration": "30d",
        "anchor": "created_at",
        "budget_limits": [{"budget_duration": "1d", "max_budget": 2}],
        "model_max_budget": {"chat": {
            "max_budget": 1, "budget_duration": "7d", "rpm_limit": 3, "tpm_limit": 4,
        }},
        "rpm_limit": 0,
        "tpm_limit": 7,
        "max_parallel_requests": 1,
        "model_rpm_limit": {"chat": 5},
        "model_tpm_limit": {"chat": 6},
        "temp_budget_increase": 1,
        "temp_budget_expiry": "2099-01-01T00:00:00Z",
    })
}

/// One family: how one of it is made, changed and read, and its optional fields beside the limits.
struct Family {
    name: &'static str,
    new: (&'static str, Value),
    update: (Method, &'static str, Value),
    read: (Method, String, Value),
    /// Where the fields are in the answer.
    at: &'static str,
    more: Value,
}

fn families(key: &str) -> Vec<Family> {
    let mut all = vec![of_keys(key)];
    all.extend(people());
    all.extend(things());
    all
}

fn of_keys(key: &str) -> Family {
    Family {
        name: "key",
        new: ("/key/generate", json!({"key": key})),
        update: (Method::POST, "/key/update", json!({"key": key})),
        read: (Method::GET, format!("/key/info?key={key}"), json!({})),
        at: "/info",
        more: json!({
            "key_alias": "mine", "user_id": "u", "team_id": "t", "organization_id": "o",
            "project_id": "p", "budget_id": "shared", "tags": ["a"], "models": ["chat"],
        }),
    }
}

fn people() -> [Family; 4] {
    let described = json!({"budget_id": "shared", "models": ["chat"], "metadata": {"a": 1}});
    let team = json!({"team_alias": "mine", "organization_id": "org"});
    let user = json!({
        "user_alias": "mine", "user_email": "a@b.test", "user_role": "internal_user",
    });
    [
        Family {
            name: "team",
            new: ("/team/new", json!({"team_id": "t"})),
            update: (Method::POST, "/team/update", json!({"team_id": "t"})),
            read: (Method::GET, "/team/info?team_id=t".to_owned(), json!({})),
            at: "/team_info",
            more: merged(&described, &team),
        },
        Family {
            name: "user",
            new: ("/user/new", json!({"user_id": "u", "auto_create_key": false})),
            update: (Method::POST, "/user/update", json!({"user_id": "u"})),
            read: (Method::GET, "/user/info?user_id=u".to_owned(), json!({})),
            at: "/user_info",
            more: merged(&described, &user),
        },
        Family {
            name: "customer",
            new: ("/customer/new", json!({"user_id": "c"})),
            update: (Method::POST, "/customer/update", json!({"user_id": "c"})),
            read: (Method::GET, "/customer/info?end_user_id=c".to_owned(), json!({})),
            at: "",
            more: json!({"alias": "mine", "budget_id": "shared"}),
        },
        Family {
            name: "organization",
            new: ("/organization/new", json!({"organization_id": "o", "organization_alias": "o"})),
            update: (Method::PATCH, "/organization/update", json!({"organization_id": "o"})),
            read: (Method::GET, "/organization/info?organization_id=o".to_owned(), json!({})),
            at: "",
            more: described,
        },
    ]
}

fn things() -> [Family; 3] {
    [
        Family {
            name: "project",
            new: ("/project/new", json!({"project_id": "r", "team_id": "of-projects"})),
            update: (Method::POST, "/project/update", json!({"project_id": "r"})),
            read: (Method::GET, "/project/info?project_id=r".to_owned(), json!({})),
            at: "",
            more: json!({
                "project_alias": "mine", "description": "mine", "models": ["chat"],
                "budget_id": "shared", "metadata": {"a": 1},
            }),
        },
        Family {
            name: "tag",
            new: ("/tag/new", json!({"name": "g"})),
            update: (Method::POST, "/tag/update", json!({"name": "g"})),
            read: (Method::POST, "/tag/info".to_owned(), json!({"names": ["g"]})),
            at: "/g",
            more: json!({"description": "mine", "budget_id": "shared"}),
        },
        Family {
            name: "budget",
            new: ("/budget/new", json!({"budget_id": "b"})),
            update: (Method::POST, "/budget/update", json!({"budget_id": "b"})),
            read: (Method::POST, "/budget/info".to_owned(), json!({"budgets": ["b"]})),
            at: "/0",
            more: json!({}),
        },
    ]
}

fn merged(one: &Value, other: &Value) -> Value {
    let mut all = one.as_object().cloned().expect("an object");
    all.extend(other.as_object().cloned().expect("an object"));
    Value::Object(all)
}

async fn send(stage: &Stage, method: &Method, path: &str, body: &Value) -> Value {
    let body = if *method == Method::GET { String::new() } else { body.to_string() };
    let answer = stage.gateway.master().try_whole(method.clone(), path, body.into()).await;
    answer.expect("an answer").ok()
}

/// Numbers as they compare: `3` and `3.0` are the same amount.
fn plain(value: &Value) -> Value {
    match value {
        Value::Number(number) => json!(number.as_f64()),
        Value::Array(items) => items.iter().map(plain).collect(),
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| (name.clone(), plain(value))).collect()
        }
        other => other.clone(),
    }
}

#[tokio::test]
async fn every_optional_field_is_set_read_removed_and_read_again() {
    let stage = stage().await;
    manage(&stage, "/budget/new", json!({"budget_id": "shared", "rpm_limit": 9})).await;
    let org = json!({"organization_id": "org", "organization_alias": "org"});
    manage(&stage, "/organization/new", org).await;
    manage(&stage, "/team/new", json!({"team_id": "of-projects"})).await;
    let project = json!({"project_id": "p", "team_id": "of-projects"});
    manage(&stage, "/project/new", project).await;
    for family in families("sk-of-the-round-trip") {
        let Family { name, new, update, read, at, more } = family;
        manage(&stage, new.0, new.1).await;
        let fresh = send(&stage, &read.0, &read.1, &read.2).await;
        let fresh = fresh.pointer(at).expect(name).clone();
        let all = merged(&limits(), &more);
        send(&stage, &update.0, update.1, &merged(&update.2, &all)).await;
        let set = send(&stage, &read.0, &read.1, &read.2).await;
        for (field, value) in all.as_object().expect("an object") {
            let shown = set.pointer(at).expect(name)[field].clone();
            let shown = match field.as_str() {
                "temp_budget_expiry" => {
                    json!(shown.as_str().map(|at| at.starts_with("2099-01-01")))
                }
                _ => plain(&shown),
            };
            let wanted = if field == "temp_budget_expiry" { json!(true) } else { plain(value) };
            assert_eq!(shown, wanted, "{name} {field}");
        }
        let nothing = merged(&update.2, &json!({}));
        send(&stage, &update.0, update.1, &nothing).await;
        let still = send(&stage, &read.0, &read.1, &read.2).await;
        assert_eq!(still.pointer(at).expect(name)["tpm_limit"], 7, "{name}: absent is unchanged");
        let nulls: Value = all
            .as_object()
            .expect("an object")
            .keys()
            .map(|field| (field.clone(), json!(null)))
            .collect();
        send(&stage, &update.0, update.1, &merged(&update.2, &nulls)).await;
        let removed = send(&stage, &read.0, &read.1, &read.2).await;
        for field in all.as_object().expect("an object").keys() {
            let shown = &removed.pointer(at).expect(name)[field];
            assert_eq!(*shown, fresh[field], "{name} {field}: null removes");
        }
    }
}

#[tokio::test]
async fn what_is_no_amount_or_no_field_is_refused_by_name() {
    let stage = stage().await;
    let key = stage.plain_key().await;
    for (path, named) in [
        ("/key/update", json!({"key": key.text})),
        ("/team/new", json!({})),
        ("/user/new", json!({})),
        ("/customer/new", json!({"user_id": "c"})),
        ("/organization/new", json!({"organization_alias": "o"})),
        ("/tag/new", json!({"name": "g"})),
        ("/budget/new", json!({})),
    ] {
        for (field, value) in [
            ("max_budget", json!(-1)),
            ("max_budget", json!("5")),
            ("rpm_limit", json!(1.5)),
            ("budget_duration", json!("1y2")),
            ("budget_limits", json!([{"budget_duration": "1d", "max_budget": -0.5}])),
        ] {
            let body = merged(&named, &json!({ field: value })).to_string();
            let answer = stage.gateway.master().post(path, body).await;
            assert_eq!(answer.refusal(), (400, "field_wrong_type".to_owned()), "{path} {field}");
            let param = answer.json()["error"]["param"].as_str().unwrap_or_default().to_owned();
            assert!(param.starts_with(field), "{path} {field}: {param}");
        }
        for number in ["NaN", "Infinity", "-Infinity", "1e999"] {
            let fields = named.to_string();
            let comma = if fields == "{}" { "" } else { "," };
            let body = format!("{}{comma}\"max_budget\":{number}}}", fields.trim_end_matches('}'));
            let answer = stage.gateway.master().post(path, body).await;
            assert_eq!(answer.status, 400, "{path} {number}: {}", answer.text());
        }
        let unknown = merged(&named, &json!({"max_budgett": 1}));
        let unsupported = (400, "parameter_unsupported".to_owned());
        assert_eq!(refused(&stage, path, unknown).await, unsupported, "{path}");
    }
}
