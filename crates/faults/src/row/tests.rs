//! The catalogue: what every row promises, and what the contract fixes for single reasons.

use super::*;
use tollgate_domain::FailureClass;

#[test]
fn every_reason_has_its_own_row_with_words() {
    for reason in Reason::ALL {
        let row = row(reason);
        assert_eq!(row.reason, reason);
        for text in [row.title, row.meaning, row.fix, row.kind, row.anthropic_kind] {
            assert!(!text.is_empty(), "{reason}");
        }
        assert!((400..600).contains(&row.status), "{reason}");
        assert!(!row.title.ends_with('.') && !row.fix.ends_with('.'), "{reason}");
        assert!(row.meaning.ends_with('.'), "{reason}");
    }
}

#[test]
fn only_the_anthropic_kinds_of_that_api_are_used() {
    let kinds = [
        "api_error",
        "authentication_error",
        "billing_error",
        "invalid_request_error",
        "not_found_error",
        "overloaded_error",
        "permission_error",
        "rate_limit_error",
        "request_too_large",
        "timeout_error",
    ];
    for reason in Reason::ALL {
        assert!(kinds.contains(&row(reason).anthropic_kind), "{reason}");
    }
}

#[test]
fn a_credential_of_the_gateway_is_never_the_clients_401() {
    for reason in Reason::ALL {
        let row = row(reason);
        if row.status == 401 {
            assert_eq!(row.origin, Origin::Client, "{reason}");
            let theirs = ["key_", "own_"].iter().any(|start| reason.slug().starts_with(start));
            assert!(theirs || reason.slug().ends_with("_blocked"), "{reason}");
        }
    }
}

#[test]
fn the_statuses_and_types_that_clients_rely_on_hold() {
    let cases = [
        ("key_missing", 401, "auth_error", None),
        ("key_unknown", 401, "token_not_found_in_db", None),
        ("key_expired", 401, "expired_key", None),
        ("key_blocked", 401, "auth_error", None),
        ("team_blocked", 401, "auth_error", None),
        ("user_blocked", 401, "auth_error", None),
        ("route_not_allowed", 403, "auth_error", None),
        ("model_not_granted", 403, "key_model_access_denied", None),
        ("model_unknown", 404, "invalid_request_error", Some("model_not_found")),
        ("body_malformed", 400, "invalid_request_error", None),
        ("body_too_large", 413, "invalid_request_error", None),
        ("budget_exceeded", 429, "budget_exceeded", None),
        ("budget_reserved_by_other_requests", 429, "budget_exceeded", None),
        ("price_unknown", 403, "model_cost_map_missing", None),
        ("cost_unbounded", 400, "invalid_request_error", None),
        ("rate_limited", 429, "throttling_error", None),
        ("concurrency_limited", 429, "throttling_error", None),
        ("queue_full", 429, "throttling_error", None),
        ("queue_timeout", 429, "throttling_error", None),
        ("budget_store_unavailable", 503, "no_db_connection", None),
        ("upstream_quota_exhausted", 429, "insufficient_quota", Some("insufficient_quota")),
        ("upstream_timeout", 504, "timeout_error", None),
        ("upstream_unreachable", 502, "api_connection_error", None),
        ("context_window_exceeded", 400, "invalid_request_error", Some("context_length_exceeded")),
        ("content_refused", 400, "invalid_request_error", Some("content_policy_violation")),
    ];
    for (slug, status, kind, code) in cases {
        let row = row(Reason::parse(slug).expect("a reason"));
        assert_eq!((row.status, row.kind, row.code), (status, kind, code), "{slug}");
    }
}

#[test]
fn an_article_says_what_its_row_says() {
    let article = article("budget_exceeded").expect("an article");
    assert_eq!(article.slug, "budget_exceeded");
    assert_eq!((article.status, article.origin), (429, Origin::Gateway));
    assert_eq!(article.fix, row(Reason::BudgetExceeded).fix);
    assert!(Reason::ALL.into_iter().all(|reason| super::article(reason.slug()).is_some()));
    assert_eq!(super::article("../etc/passwd"), None);
}

#[test]
fn every_class_of_failures_has_a_reason() {
    for class in FailureClass::ALL {
        assert!(Reason::ALL.into_iter().any(|reason| row(reason).class == class), "{class}");
    }
}

#[test]
fn what_is_the_upstreams_fault_is_a_failure_of_an_attempt() {
    for reason in Reason::ALL.into_iter().filter(|reason| row(*reason).origin == Origin::Upstream) {
        let own = [FailureClass::CallRefused, FailureClass::GatewayFailed];
        assert!(!own.contains(&row(reason).class), "{reason}");
    }
}
