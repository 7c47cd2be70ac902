//! Bodies: every reason in every dialect against a golden file, and each rule of the relay.

use expect_test::expect_file;
use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::UpstreamFacts;

const DOCS: &str = "https://docs.test";

fn parsed(body: &str) -> Value {
    serde_json::from_str(body).expect("valid JSON")
}

fn openai(refusal: &Refusal) -> Value {
    parsed(&body(refusal, Dialect::OpenAi, DOCS, "req-1"))
}

#[test]
fn every_reason_renders_as_before_in_every_dialect() {
    let mut golden = String::new();
    for reason in Reason::ALL {
        let refusal = Refusal::new(reason, "what happened");
        golden.push_str(&format!("{} {}\n", refusal.status(), reason.slug()));
        for dialect in [Dialect::OpenAi, Dialect::Anthropic, Dialect::Gemini] {
            let body = body(&refusal, dialect, DOCS, "req-1");
            parsed(&body);
            golden.push_str(&format!("  {body}\n"));
        }
    }
    expect_file!["../../golden/bodies.txt"].assert_eq(&golden);
}

#[test]
fn all_facts_stand_in_the_order_of_the_contract() {
    let attempt = |status, reason, ms| AttemptFacts {
        model_group: "gpt-4o".into(),
        status,
        reason: Some(reason),
        ms,
    };
    let refusal = Refusal::new(Reason::UpstreamRateLimited, "openai: Rate limit \"reached\"")
        .with_param("model")
        .with_fix("wait 3 seconds")
        .with_upstream(UpstreamFacts {
            provider: "openai".into(),
            status: Some(429),
            request_id: Some("req_abc".into()),
        })
        .with_attempts(vec![
            attempt(Some(429), Reason::UpstreamRateLimited, 12),
            attempt(None, Reason::UpstreamUnreachable, 7),
        ]);
    expect_file!["../../golden/all_facts.json"].assert_eq(&body(
        &refusal,
        Dialect::OpenAi,
        "https://docs.test/",
        "req-1",
    ));
}

#[test]
fn gemini_routes_get_the_status_as_a_number_and_by_name() {
    let body = body(&Refusal::new(Reason::RateLimited, "slow down"), Dialect::Gemini, DOCS, "r");
    let error = &parsed(&body)["error"];
    assert_eq!(error["code"], 429);
    assert_eq!(error["status"], "RESOURCE_EXHAUSTED");
    assert_eq!(error["gateway"]["reason"], "rate_limited");
    assert_eq!(error["details"], Value::Null);
}

#[test]
fn gemini_routes_are_told_the_wait_where_googles_clients_look() {
    let refusal = Refusal::new(Reason::RateLimited, "slow down")
        .with_retry_after(std::time::Duration::from_millis(20_100));
    let detail = &parsed(&body(&refusal, Dialect::Gemini, DOCS, "r"))["error"]["details"][0];
    assert_eq!(detail["@type"], "type.googleapis.com/google.rpc.RetryInfo");
    assert_eq!(detail["retryDelay"], "21s");
}

#[test]
fn agents_of_the_messages_api_hear_of_a_long_prompt_in_its_vendors_words() {
    for (message, told) in [
        ("acme: too many tokens", "prompt is too long: acme: too many tokens"),
        ("prompt is too long: 9 tokens > 8 maximum", "prompt is too long: 9 tokens > 8 maximum"),
    ] {
        let refusal = Refusal::new(Reason::ContextWindowExceeded, message);
        let anthropic = parsed(&body(&refusal, Dialect::Anthropic, DOCS, "r"));
        assert_eq!(anthropic["error"]["message"], told);
        assert_eq!(openai(&refusal)["error"]["message"], message);
    }
    let other = Refusal::new(Reason::ContentRefused, "no");
    let anthropic = parsed(&body(&other, Dialect::Anthropic, DOCS, "r"));
    assert_eq!(anthropic["error"]["message"], "no");
}

#[test]
fn the_upstreams_own_status_becomes_the_code() {
    let refusal = Refusal::new(Reason::UpstreamError, "it failed").with_status(500);
    assert_eq!(refusal.status(), 500);
    assert_eq!(openai(&refusal)["error"]["code"], "500");
}

#[test]
fn a_vendor_body_is_relayed_as_it_came_with_our_facts_added() {
    let vendor = "{ \"error\" : {\"type\":\"invalid_request_error\",\"zeta\":1.50e3,\
                  \"message\":\"caf\\u00e9\",\"gateway\":\"spoofed\",\"alpha\":[1, 2]},\
                  \"big\":12345678901234567890123}";
    let refusal = Refusal::new(Reason::UpstreamRejectedRequest, "ignored").with_vendor_body(vendor);
    expect_file!["../../golden/vendor_relayed.json"].assert_eq(&body(
        &refusal,
        Dialect::OpenAi,
        DOCS,
        "req-1",
    ));
}

#[test]
fn the_last_of_several_error_objects_is_the_one_told() {
    let vendor = r#"{"error":"first","error":{"message":"last"}}"#;
    let refusal = Refusal::new(Reason::UpstreamError, "ignored").with_vendor_body(vendor);
    let body = openai(&refusal);
    assert_eq!(body["error"]["message"], "last");
    assert_eq!(body["error"]["gateway"]["reason"], "upstream_error");
}

#[test]
fn what_holds_no_error_object_is_quoted_in_our_own_body() {
    let cases = [
        "<html>502 Bad Gateway</html>",
        "[{\"error\":{}}]",
        "{\"error\":\"model 'x' not found\"}",
        "{\"error\":null}",
        "{\"detail\":[]}",
        "{\"error\":{\"message\":",
        "{\"error\":{}} trailing",
        "\"error\"",
    ];
    for vendor in cases {
        let refusal =
            Refusal::new(Reason::UpstreamError, "`openai` failed").with_vendor_body(vendor);
        let body = openai(&refusal);
        let expected = format!("`openai` failed; the upstream's words: {vendor}");
        assert_eq!(body["error"]["message"], expected.as_str());
        assert_eq!(body["error"]["type"], "server_error");
    }
}

#[test]
fn an_empty_or_already_quoted_vendor_body_adds_nothing() {
    for (message, vendor) in [("it failed", ""), ("it failed", " \n"), ("it said: nope", "nope\n")]
    {
        let refusal = Refusal::new(Reason::UpstreamError, message).with_vendor_body(vendor);
        assert_eq!(openai(&refusal)["error"]["message"], message);
    }
}

#[test]
fn what_a_provider_says_about_the_gateways_key_is_left_out() {
    let vendor = r#"{"error":{"message":"Incorrect API key provided: sk-proj-****abcd"}}"#;
    for reason in [Reason::UpstreamCredentialsRejected, Reason::AzureRoleMissing] {
        let refusal = Refusal::new(reason, "`openai` rejected the key").with_vendor_body(vendor);
        let body = body(&refusal, Dialect::OpenAi, DOCS, "req-1");
        assert!(!body.contains("abcd"), "{body}");
        assert_eq!(parsed(&body)["error"]["message"], "`openai` rejected the key");
    }
}

#[test]
fn a_long_message_is_cut_at_a_character() {
    for lead in 0..4 {
        let message = format!("{}{}", "x".repeat(lead), "é€😀".repeat(2000));
        let body = openai(&Refusal::new(Reason::UpstreamError, message.clone()));
        let cut = body["error"]["message"].as_str().expect("a text");
        assert!(cut.len() <= MESSAGE_BYTES_MAX && cut.len() > MESSAGE_BYTES_MAX - 8);
        assert!(cut.ends_with('…') && message.starts_with(cut.trim_end_matches('…')));
    }
    let at_edge = "y".repeat(MESSAGE_BYTES_MAX);
    let body = openai(&Refusal::new(Reason::UpstreamError, at_edge.clone()));
    assert_eq!(body["error"]["message"], at_edge.as_str());
}

#[test]
fn a_vendor_body_too_long_to_relay_is_quoted_and_cut() {
    let vendor = format!("{{\"error\":{{\"message\":\"{}\"}}}}", "z".repeat(64 * 1024));
    let refusal = Refusal::new(Reason::UpstreamError, "it failed").with_vendor_body(vendor);
    let body = body(&refusal, Dialect::OpenAi, DOCS, "req-1");
    assert!(body.len() < MESSAGE_BYTES_MAX + 1024, "{} bytes", body.len());
    assert_eq!(parsed(&body)["error"]["code"], "502");
}

#[test]
fn only_the_last_attempts_are_listed() {
    let attempt = |ms| AttemptFacts { model_group: "m".into(), status: None, reason: None, ms };
    for (made, listed) in [(16, 16), (17, 16), (1000, 16)] {
        let refusal = Refusal::new(Reason::AllDeploymentsFailing, "none left")
            .with_attempts((0..made).map(attempt).collect());
        let body = openai(&refusal);
        let attempts = body["error"]["gateway"]["attempts"].as_array().expect("a list");
        assert_eq!((attempts.len(), &attempts[listed - 1]["ms"]), (listed, &(made - 1).into()));
    }
}

#[test]
fn names_from_outside_are_cut() {
    let long = "n".repeat(10_000);
    let upstream =
        UpstreamFacts { provider: long.clone(), status: None, request_id: Some(long.clone()) };
    let refusal =
        Refusal::new(Reason::ForbiddenField, "no").with_param(long).with_upstream(upstream);
    assert!(body(&refusal, Dialect::OpenAi, DOCS, "req-1").len() < 2000);
}

proptest! {
    #[test]
    fn any_text_renders_as_valid_json_with_its_message(
        message in ".{0,80}", vendor in ".{0,80}", relayed in any::<bool>(),
    ) {
        let vendor = if relayed { format!("{{\"error\":{{\"m\":{vendor:?}}}}}") } else { vendor };
        for dialect in [Dialect::OpenAi, Dialect::Anthropic, Dialect::Gemini] {
            let refusal =
                Refusal::new(Reason::UpstreamError, message.clone()).with_vendor_body(&*vendor);
            let body = body(&refusal, dialect, DOCS, &message);
            let parsed: Value = serde_json::from_str(&body)?;
            prop_assert_eq!(&parsed["error"]["gateway"]["reason"], "upstream_error");
            let own = parsed["error"]["message"].as_str();
            prop_assert!(own.is_none_or(|own| own.starts_with(&message)));
        }
    }
}
