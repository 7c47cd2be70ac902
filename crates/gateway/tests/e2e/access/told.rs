//! What the gateway tells of itself: its health, its settings, its routes.

use serde_json::{Value, json};
use tollgate_simulator::{Behaviour, Fault, Script};
use tollgate_testkit::config_text::{ConfigText, UPSTREAM_KEY};
use tollgate_testkit::patience::until;

use crate::stage::{CALL, CHAT, GROUP, Stage, Storage};

#[tokio::test]
async fn health_is_told_from_what_calls_showed_and_shows_no_credential() {
    let stage = Stage::new().await;
    let master = stage.gateway.master();
    let health = master.get("/health").await.ok();
    assert_eq!((&health["healthy_count"], &health["unhealthy_count"]), (&json!(1), &json!(0)));
    let key = stage.plain_key().await;
    key.client.post(CHAT, CALL).await.ok();
    let health = until("a call that was seen", || async {
        let health = master.get("/health").await.ok();
        (health["healthy_endpoints"][0]["calls"] == 1).then_some(health)
    })
    .await;
    assert_eq!(health["healthy_endpoints"][0]["model_name"], GROUP);
    assert!(!health.to_string().contains(UPSTREAM_KEY), "{health}");
    assert_eq!(master.get("/health?model=none").await.status, 404);
    assert_eq!(key.client.get("/health").await.ok(), health, "a key of every model");
    let other = stage.key(json!({ "models": ["other"] })).await;
    assert_eq!(other.client.get("/health").await.ok()["healthy_count"], 0, "and of another");
    let details = master.get("/health/readiness/details").await.ok();
    assert_eq!((&details["status"], &details["db"]), (&json!("healthy"), &json!("connected")));
    let backlog = master.get("/health/backlog").await.ok();
    assert_eq!(backlog, json!({ "in_flight_requests": 0, "queued_requests": 0 }));
    assert_eq!(master.get("/health/license").await.ok()["has_license"], false);
    assert_eq!(master.get("/health/services?service=slack").await.status, 400);
    let (books, _) = stage.close().await;
    books.must_balance();
}

#[tokio::test]
async fn a_deployment_whose_calls_all_failed_is_unhealthy() {
    let config = |simulator: &_| ConfigText::simulated(GROUP, simulator);
    let fault = Fault::Status { status: 500, retry_after: None, body: None };
    let fails = Behaviour::default().with_fault(fault);
    let stage = Stage::with(Storage::Sqlite, Script::new(fails), config, |home| home).await;
    let key = stage.plain_key().await;
    assert!(key.client.post(CHAT, CALL).await.status >= 500);
    let master = stage.gateway.master();
    let health = until("a failed call that was seen", || async {
        let health = master.get("/health").await.ok();
        (health["unhealthy_count"] == 1).then_some(health)
    })
    .await;
    assert_eq!(health["healthy_endpoints"], json!([]));
    assert_eq!(master.get(&format!("/health?model={GROUP}")).await.status, 503);
    let (books, _) = stage.close().await;
    books.must_balance();
}

#[tokio::test]
async fn settings_are_told_and_the_file_alone_changes_them() {
    let stage = Stage::new().await;
    let (master, nobody) = (stage.gateway.master(), stage.gateway.anonymous());
    let list = master.get("/config/list?config_type=general_settings").await.ok();
    let named: Vec<&Value> = list.as_array().expect("a list").iter().collect();
    let setting = named.iter().find(|it| it["field_name"] == "max_request_size_mb");
    let size = &setting.expect("the setting")["field_value"];
    let one = master.get("/config/field/info?field_name=max_request_size_mb").await.ok();
    assert_eq!(&one["field_value"], size);
    for secret in ["master_key", "database_url", "none"] {
        let path = format!("/config/field/info?field_name={secret}");
        assert_eq!(master.get(&path).await.status, 400, "{secret}");
    }
    let router = master.get("/router/settings").await.ok();
    assert_eq!(router["current_values"]["routing_strategy"], "simple-shuffle");
    let callbacks = master.get("/get/config/callbacks").await.ok();
    assert_eq!(callbacks["router_settings"], router["current_values"]);
    let changes = [
        ("/config/update", json!({ "router_settings": { "num_retries": 5 } })),
        ("/config/field/update", json!({ "field_name": "a", "field_value": "b" })),
        ("/config/field/delete", json!({ "field_name": "a" })),
        ("/fallback", json!({ "model": GROUP, "fallback_models": ["b"] })),
        ("/config/pass_through_endpoint", json!({ "path": "/a", "target": "http://b.test" })),
        ("/config/pass_through_endpoint/a", json!({ "target": "http://b.test" })),
    ];
    for (path, body) in changes {
        let refused = master.post(path, body.to_string()).await;
        assert_eq!(refused.status, 400, "{path}");
        let fix = &refused.json()["error"]["gateway"]["fix"];
        assert!(
            fix.as_str().is_some_and(|fix| fix.contains("configuration file")),
            "{path}: {fix}"
        );
    }
    assert_eq!(master.get("/router/settings").await.ok(), router, "nothing was changed");
    for path in ["/cache/ping", "/cache/redis/info"] {
        let refused = master.get(path).await;
        assert_eq!(
            (refused.status, &refused.json()["error"]["type"]),
            (503, &json!("cache_ping_error"))
        );
    }
    let routes = nobody.get("/routes").await.ok();
    let paths = routes["routes"].as_array().expect("routes").iter().map(|it| &it["path"]);
    let paths: Vec<&Value> = paths.collect();
    for path in [CHAT, "/key/generate", "/routes"] {
        assert!(paths.contains(&&json!(path)), "{path}");
    }
    let providers = nobody.get("/public/providers").await.ok();
    assert!(providers.as_array().is_some_and(|names| names.len() > 50), "{providers}");
    let prices = master.get("/public/litellm_model_cost_map").await.ok();
    let model = &prices["gpt-4o"];
    assert_eq!((&model["litellm_provider"], &model["mode"]), (&json!("openai"), &json!("chat")));
    assert!(model["input_cost_per_token"].as_f64().is_some_and(|price| price > 0.0), "{model}");
    let (books, _) = stage.close().await;
    books.must_balance();
}

#[tokio::test]
async fn a_request_is_shown_as_the_provider_would_get_it_and_is_not_sent() {
    let stage = Stage::new().await;
    let key = stage.key(json!({ "models": [GROUP] })).await;
    let body: Value = serde_json::from_str(CALL).expect("a call");
    let asked = json!({ "call_type": "completion", "request_body": body });
    let shown = key.client.post("/utils/transform_request", asked.to_string()).await.ok();
    assert_eq!(shown["raw_request_body"]["model"], "simulated");
    assert_eq!(shown["raw_request_body"]["messages"], body["messages"]);
    let url = shown["raw_request_api_base"].as_str().expect("a URL");
    assert!(url.ends_with("/chat/completions"), "{url}");
    assert!(!shown.to_string().contains(UPSTREAM_KEY), "{shown}");
    let other = stage.key(json!({ "models": ["other"] })).await;
    let refused = other.client.post("/utils/transform_request", asked.to_string()).await;
    assert_eq!(refused.status, 403);
    for wrong in [
        json!({ "call_type": "embedding", "request_body": body }),
        json!({ "call_type": "completion" }),
        json!({ "request_body": body }),
    ] {
        let refused = key.client.post("/utils/transform_request", wrong.to_string()).await;
        assert_eq!(refused.status, 400, "{wrong}");
    }
    let (books, simulator) = stage.close().await;
    assert!(books.lines.is_empty(), "nothing was called");
    drop(simulator);
}

#[tokio::test]
async fn a_model_s_parameters_are_those_that_would_be_sent() {
    let config = |simulator: &_| {
        let without = ConfigText::deployment(simulator)
            .with("drop_params: true")
            .with("additional_drop_params: [seed, temperature]");
        ConfigText::simulated(GROUP, simulator).group("less", &without)
    };
    let stage = Stage::with(Storage::Sqlite, Script::default(), config, |home| home).await;
    let master = stage.gateway.master();
    let parameters = async |model: &str| {
        let path = format!("/utils/supported_openai_params?model={model}");
        let told = master.get(&path).await.ok()["supported_openai_params"].clone();
        let told: Vec<String> = serde_json::from_value(told).expect("a list of names");
        told
    };
    let all = parameters(GROUP).await;
    for name in ["temperature", "seed", "tools", "tool_choice", "stream", "response_format"] {
        assert!(all.iter().any(|told| told == name), "{name}: {all:?}");
    }
    let left: Vec<String> =
        all.into_iter().filter(|name| !["seed", "temperature"].contains(&&**name)).collect();
    assert_eq!(parameters("less").await, left);
    for path in ["/utils/supported_openai_params?model=none", "/utils/supported_openai_params"] {
        assert_eq!(master.get(path).await.status, 400, "{path}");
    }
    let (books, simulator) = stage.close().await;
    assert!(books.lines.is_empty() && simulator.calls().kept().is_empty(), "nothing was called");
}

#[tokio::test]
async fn the_page_stands_where_others_have_theirs() {
    let stage = Stage::new().await;
    let anybody = stage.gateway.anonymous();
    let (page, root) = (anybody.get("/docs").await, anybody.get("/").await);
    assert_eq!((root.status, root.text()), (200, page.text()));
}

#[tokio::test]
async fn an_invitation_is_refused_with_how_users_are_let_in() {
    let stage = Stage::new().await;
    let master = stage.gateway.master();
    let invited = json!({ "user_id": "ada" }).to_string();
    let refused = master.post("/invitation/new", invited.clone()).await;
    assert_eq!(refused.refusal(), (400, "parameter_unsupported".to_owned()));
    let fix = refused.json()["error"]["gateway"]["fix"].to_string();
    assert!(fix.contains("/user/new"), "{fix}");
    let plain = stage.plain_key().await;
    assert_eq!(plain.client.post("/invitation/new", invited).await.status, 403);
}

#[tokio::test]
async fn settings_that_cannot_be_made_here_are_told_as_none() {
    let stage = Stage::new().await;
    let master = stage.gateway.master();
    for path in ["/config/cost_discount_config", "/config/cost_margin_config"] {
        assert_eq!(master.get(path).await.ok(), json!({ "values": {} }));
    }
    let passed = master.get("/config/pass_through_endpoint").await.ok();
    assert_eq!(passed, json!({ "endpoints": [] }));
    let of_team = "/config/pass_through_endpoint/team/of-nobody";
    assert_eq!(master.get(of_team).await.status, 404);
}
