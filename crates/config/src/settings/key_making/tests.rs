//! How the rules for making keys are read.

use std::time::Duration;

use serde_json::json;
use tollgate_domain::Money;

use super::super::tests::settings;

const FILE: &str = "litellm_settings:
  default_key_generate_params:
    max_budget: 1.5
    models: [small, openai/*]
    tpm_limit: 1000
    duration: 7d
    budget_duration: 30d
    team_id: loom
    metadata: {cost_center: 7}
  upperbound_key_generate_params:
    max_budget: 100
    duration: 30d
    budget_duration: 30d
    rpm_limit: 60
  key_generation_settings:
    team_key_generation: {allowed_team_member_roles: [admin]}
    personal_key_generation:
      allowed_user_roles: [proxy_admin]
      required_params: [key_alias]
";

#[test]
fn the_rules_for_making_keys_are_read() {
    let (settings, _, codes) = settings(FILE, &[("LITELLM_KEY_ROTATION_GRACE_PERIOD", "24h")]);
    assert!(codes.is_empty(), "{codes:?}");
    let making = settings.key_making;
    let defaults = json!({
        "max_budget": 1.5, "models": ["small", "openai/*"], "tpm_limit": 1000,
        "duration": "7d", "budget_duration": "30d", "team_id": "loom",
        "metadata": {"cost_center": 7},
    });
    assert_eq!(serde_json::Value::Object(making.defaults), defaults);
    let month = Duration::from_secs(30 * 86_400);
    assert_eq!(making.most.max_budget, Some(Money::from_nanos(100_000_000_000)));
    assert_eq!((making.most.duration, making.most.rpm_limit), (Some(month), Some(60)));
    assert_eq!(making.most.budget_duration, Some(("30d".to_owned(), month)));
    assert_eq!(making.team.roles, Some(vec!["admin".to_owned()]));
    assert_eq!(making.personal.required, ["key_alias"]);
    assert_eq!(making.grace, Some(Duration::from_secs(86_400)));
}

#[test]
fn a_wrong_rule_is_a_problem_of_the_file() {
    for (text, expected) in [
        ("default_key_generate_params: {max_budget: -1}", "out_of_range"),
        ("default_key_generate_params: {duration: soon}", "out_of_range"),
        ("default_key_generate_params: {team_id: ''}", ""),
        ("default_key_generate_params: {object_permission: {a: 1}}", "no_effect"),
        ("upperbound_key_generate_params: {rpm_limit: many}", "wrong_type"),
        ("upperbound_key_generate_params: 5", "wrong_type"),
        ("key_generation_settings: {personal_keys: {}}", ""),
    ] {
        let (_, _, codes) = settings(&format!("litellm_settings: {{{text}}}"), &[]);
        let found = codes.first().map_or(String::new(), |code| code.replace('-', "_"));
        assert!(found.contains(expected), "{text}: {codes:?}");
        assert_eq!(codes.is_empty(), expected.is_empty(), "{text}: {codes:?}");
    }
}
