//! A refusal by a limit of the gateway's own tells which, what is left of it and until when.

use serde_json::json;

use crate::stage::{CALL, CHAT, Stage};

#[tokio::test]
async fn a_limit_of_requests_tells_its_numbers_in_headers() {
    let stage = Stage::new().await;
    let key = stage.key(json!({ "rpm_limit": 1 })).await;
    key.client.post(CHAT, CALL).await.ok();
    let messages = r#"{"model":"chat","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}"#;
    for (path, body) in [(CHAT, CALL), ("/v1/messages", messages)] {
        let refused = key.client.post(path, body).await;
        assert_eq!(refused.status, 429, "{}", refused.text());
        for (name, value) in [
            ("rate_limit_type", "requests"),
            ("x-ratelimit-limit-requests", "1"),
            ("x-ratelimit-remaining-requests", "0"),
        ] {
            assert_eq!(refused.header(name), value, "{path} {name}");
        }
        let seconds = refused.header("x-ratelimit-reset-requests").trim_end_matches('s');
        let seconds: u64 = seconds.parse().expect("seconds");
        assert!((1..=60).contains(&seconds), "{seconds}");
        let wait: u64 = refused.header("retry-after").parse().expect("seconds");
        assert!(wait.abs_diff(seconds) <= 1, "{wait} {seconds}");
        let at = refused.header("reset_at");
        assert!(at.ends_with(" UTC") && at.len() == "2026-05-02 10:00:00 UTC".len(), "{at}");
        assert_eq!(refused.header("x-ratelimit-limit-tokens"), "", "no such limit is set");
    }
}

#[tokio::test]
async fn a_budget_tells_its_kind_and_no_rate() {
    let stage = Stage::new().await;
    let key = stage.key(json!({ "max_budget": 0.000_001, "budget_duration": "1d" })).await;
    let refused = key.client.post(CHAT, CALL).await;
    assert_eq!(refused.refusal(), (429, "budget_exceeded".to_owned()));
    assert_eq!(refused.header("rate_limit_type"), "budget");
    assert!(refused.header("reset_at").ends_with(" UTC"), "{}", refused.header("reset_at"));
    assert_eq!(refused.header("x-ratelimit-limit-requests"), "");
}
