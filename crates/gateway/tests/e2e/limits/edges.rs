//! Every limit value at its edges: what is taken is shown and binds, what is no limit is a 400.

use serde_json::{Value, json};
use tollgate_testkit::http::Answer;

use super::{call, stage};
use crate::stage::Stage;

/// A limit field: how a value of it is written, and whether it is dollars.
struct Field {
    name: &'static str,
    /// The fields of a request, with `#` for the value.
    written: &'static str,
    dollars: bool,
    /// Whether 0 refuses every call; a soft budget refuses none.
    binds: bool,
}

const fn field(name: &'static str, written: &'static str, dollars: bool) -> Field {
    Field { name, written, dollars, binds: true }
}

const FIELDS: &[Field] = &[
    field("max_budget", r##""max_budget": #"##, true),
    Field { binds: false, ..field("soft_budget", r##""soft_budget": #"##, true) },
    field("rpm_limit", r##""rpm_limit": #"##, false),
    field("tpm_limit", r##""tpm_limit": #"##, false),
    field("max_parallel_requests", r##""max_parallel_requests": #"##, false),
    field("model_rpm_limit", r##""model_rpm_limit": {"chat": #}"##, false),
    field("model_tpm_limit", r##""model_tpm_limit": {"chat": #}"##, false),
    field(
        "budget_limits",
        r##""budget_limits": [{"budget_duration": "1d", "max_budget": #}]"##,
        true,
    ),
    field(
        "model_max_budget",
        r##""model_max_budget": {"chat": {"max_budget": #, "budget_duration": "1d"}}"##,
        true,
    ),
    Field {
        binds: false,
        ..field(
            "temp_budget_increase",
            r##""temp_budget_expiry": "2099-01-01T00:00:00Z", "temp_budget_increase": #"##,
            true,
        )
    },
];

/// What is no limit of any kind. The first four are no JSON, or no number that JSON readers hold.
const NONE: [&str; 12] = [
    "NaN",
    "Infinity",
    "-Infinity",
    "1e400",
    "-1",
    "-0.001",
    "-1e400",
    "1e30",
    "\"5\"",
    "true",
    "[]",
    "{}",
];
/// What is no count: of these, the last is one more than the largest.
const NO_COUNT: [&str; 3] = ["0.5", "1.5", "18446744073709551616"];
/// The largest of each.
const MOST_DOLLARS: &str = "9223372036.0";
const MOST: &str = "18446744073709551615";

async fn generate(stage: &Stage, fields: &str) -> Answer {
    stage.gateway.master().post("/key/generate", format!("{{{fields}}}")).await
}

/// What a call with a new key of these fields is answered.
async fn call_under(stage: &Stage, fields: &str) -> u16 {
    let made = generate(stage, fields).await.ok();
    let text = made["key"].as_str().expect("the key is shown once").to_owned();
    let client = stage.gateway.client(&text);
    call(&crate::stage::Key { text, client }).await.status
}

#[tokio::test]
async fn every_limit_is_taken_at_its_edges_and_binds() {
    let stage = stage().await;
    for Field { name, written, dollars, binds } in FIELDS {
        let with = |value: &str| written.replace('#', value);
        let most = if *dollars { MOST_DOLLARS } else { MOST };
        assert_eq!(call_under(&stage, &with(most)).await, 200, "{name} {most}");
        let none = if *binds { 429 } else { 200 };
        assert_eq!(call_under(&stage, &with("0")).await, none, "{name} 0");
        if *dollars {
            assert_eq!(call_under(&stage, &with("1")).await, 200, "{name} 1");
            assert_eq!(call_under(&stage, &with("0.5")).await, 200, "{name} 0.5");
            assert_eq!(call_under(&stage, &with("1e-2")).await, 200, "{name} 1e-2");
        }
        let made = generate(&stage, &with(most)).await.ok();
        assert!(!made[*name].is_null(), "{name} is shown: {made}");
    }
    for one in ["rpm_limit", "max_parallel_requests"] {
        assert_eq!(call_under(&stage, &format!("\"{one}\": 1")).await, 200, "{one} 1");
    }
    for name in FIELDS.iter().map(|field| field.name) {
        assert_eq!(call_under(&stage, &format!("\"{name}\": null")).await, 200, "{name} null");
    }
    assert_eq!(call_under(&stage, "").await, 200, "absent");
}

#[tokio::test]
async fn what_is_no_limit_is_refused_wherever_it_stands() {
    let stage = stage().await;
    let key = stage.plain_key().await;
    for Field { name, written, dollars, .. } in FIELDS {
        let counts = NO_COUNT.iter().filter(|_| !dollars);
        for value in NONE.iter().chain(counts) {
            let fields = written.replace('#', value);
            let refused = generate(&stage, &fields).await;
            assert_eq!(refused.status, 400, "{name} {value}: {}", refused.text());
            let update = format!("{{\"key\": \"{}\", {fields}}}", key.text);
            let refused = stage.gateway.master().post("/key/update", update).await;
            assert_eq!(refused.status, 400, "update {name} {value}: {}", refused.text());
        }
    }
    let info = stage.info(&key).await;
    for name in FIELDS.iter().map(|field| field.name) {
        let empty = [json!(null), json!({}), json!([])];
        assert!(empty.contains(&info[name]), "{name} is unchanged: {}", info[name]);
    }
    for spend in ["-1", "NaN", "1e400", "5"] {
        let refused = generate(&stage, &format!("\"spend\": {spend}")).await;
        assert_eq!(refused.status, 400, "a spend is counted, never told: {spend}");
    }
}

#[tokio::test]
async fn what_the_queue_reads_of_metadata_is_checked_when_it_is_set() {
    let stage = stage().await;
    let cases = [
        (r#"{"queue_weight": 2.5}"#, 200),
        (r#"{"queue_weight": null}"#, 200),
        (r#"{"queue_weight": 1e300}"#, 200),
        (r#"{"priority_range": [-5, 5]}"#, 200),
        (r#"{"anything": -1}"#, 200),
        (r#"{"queue_weight": 0}"#, 400),
        (r#"{"queue_weight": -1}"#, 400),
        (r#"{"queue_weight": "2"}"#, 400),
        (r#"{"queue_weight": NaN}"#, 400),
        (r#"{"queue_weight": 1e400}"#, 400),
        (r#"{"priority_range": [5, -5]}"#, 400),
        (r#"{"priority_range": [0.5, 1]}"#, 400),
        (r#"{"priority_range": [0, 99999999999]}"#, 400),
    ];
    for (metadata, status) in cases {
        let made = generate(&stage, &format!("\"metadata\": {metadata}")).await;
        assert_eq!(made.status, status, "{metadata}: {}", made.text());
        let team = format!("{{\"metadata\": {metadata}}}");
        let made = stage.gateway.master().post("/team/new", team).await;
        assert_eq!(made.status, status, "team {metadata}: {}", made.text());
    }
}

#[tokio::test]
async fn no_body_of_a_call_brings_a_number_that_is_none() {
    let stage = stage().await;
    let key = stage.plain_key().await;
    let said = r#"[{"role":"user","content":"hi"}]"#;
    let gemini = r#"{"contents":[{"parts":[{"text":"hi"}]}],"generationConfig":{"#;
    let routes = [
        (
            "/v1/chat/completions",
            format!(r#"{{"model":"chat","messages":{said},"#),
            "}",
            "max_tokens",
        ),
        ("/v1/responses", r#"{"model":"chat","input":"hi","#.to_owned(), "}", "max_output_tokens"),
        ("/v1/messages", format!(r#"{{"model":"chat","messages":{said},"#), "}", "max_tokens"),
        ("/v1beta/models/chat:generateContent", gemini.to_owned(), "}}", "maxOutputTokens"),
    ];
    for (path, body, end, limit) in routes {
        for value in ["NaN", "Infinity", "-Infinity", "1e400", "-1", "1.5"] {
            let body = format!("{body}\"{limit}\":{value}{end}");
            let refused = key.client.post(path, body).await;
            assert_eq!(refused.status, 400, "{path} {limit} {value}: {}", refused.text());
        }
        for value in ["NaN", "Infinity", "-Infinity", "1e400", "-1e400"] {
            let limit = format!("\"{limit}\":9,");
            let body = format!("{body}{limit}\"temperature\":{value}{end}");
            let refused = key.client.post(path, body).await;
            assert_eq!(refused.status, 400, "{path} temperature {value}: {}", refused.text());
        }
    }
    let reached: Vec<Value> = stage
        .simulator
        .calls()
        .kept()
        .iter()
        .filter_map(|call| serde_json::from_slice(&call.body).ok())
        .collect();
    assert_eq!(reached, [] as [Value; 0], "nothing of it went upstream");
}
