//! How the defaults of new users and teams are read.

use serde_json::{Value, json};
use tollgate_domain::Money;

use super::super::tests::settings;

const FILE: &str = "litellm_settings:
  default_internal_user_params:
    user_role: internal_user_viewer
    max_budget: 2.5
    budget_duration: 30d
    models: [small]
    teams: [loom, {team_id: mill, max_budget_in_team: 1, user_role: user}]
  max_internal_user_budget: 10
  internal_user_budget_duration: 1mo
  default_team_params:
    rpm_limit: 60
    organization_id: works
    team_member_permissions: [/key/info, /key/generate]
  default_team_settings:
    - {team_id: loom, max_budget: 100}
";

#[test]
fn the_defaults_of_new_users_and_teams_are_read() {
    let (settings, _, codes) = settings(FILE, &[]);
    assert_eq!(codes, ["no_effect"], "the team of `default_team_settings`");
    let newcomers = settings.newcomers;
    let user = json!({
        "user_role": "internal_user_viewer", "max_budget": 2.5, "budget_duration": "30d",
        "models": ["small"],
        "teams": ["loom", {"team_id": "mill", "max_budget_in_team": 1, "user_role": "user"}],
    });
    assert_eq!(Value::Object(newcomers.user), user);
    let team = json!({
        "rpm_limit": 60, "organization_id": "works", "max_budget": 100,
        "team_member_permissions": ["/key/info", "/key/generate"],
    });
    assert_eq!(Value::Object(newcomers.team), team);
    assert_eq!(newcomers.user_budget, Some(Money::from_nanos(10_000_000_000)));
    assert_eq!(newcomers.user_budget_duration.as_deref(), Some("1mo"));
}

#[test]
fn a_budget_of_new_teams_is_read_where_it_is_written_first() {
    for (text, budget) in [
        ("default_team_params: {max_budget: 5}, default_team_settings: [{max_budget: 7}]", 5),
        ("default_team_settings: [{max_budget: 7}]", 7),
    ] {
        let (settings, _, _) = settings(&format!("litellm_settings: {{{text}}}"), &[]);
        assert_eq!(settings.newcomers.team.get("max_budget"), Some(&json!(budget)), "{text}");
    }
}

#[test]
fn a_wrong_default_is_a_problem_of_the_file() {
    for (text, expected) in [
        ("default_internal_user_params: {user_role: king}", "out_of_range"),
        ("default_internal_user_params: {teams: loom}", "wrong_type"),
        ("default_internal_user_params: {teams: [{id: loom}]}", "wrong_type"),
        ("default_internal_user_params: {max_budget: -1}", "out_of_range"),
        ("default_internal_user_params: {rights: all}", "key_unknown"),
        ("default_internal_user_params: 5", "wrong_type"),
        ("default_team_params: {team_member_permissions: [/team/delete]}", "out_of_range"),
        ("default_team_params: {models: [small]}", "no_effect"),
        ("default_team_params: {budget_duration: soon}", "out_of_range"),
        ("default_team_settings: {max_budget: 7}", "wrong_type"),
        ("default_team_settings: [{max_budget: 7}, {max_budget: 8}]", "key_unknown"),
        ("max_internal_user_budget: much", "out_of_range"),
        ("internal_user_budget_duration: soon", "out_of_range"),
    ] {
        let (_, _, codes) = settings(&format!("litellm_settings: {{{text}}}"), &[]);
        assert_eq!(codes, [expected], "{text}");
    }
}
