//! A virtual key as the management API reads and shows it.

use serde_json::{Map, Value, json};
use tollgate_domain::{
    ModelName, Money, OrganizationId, TeamId, Timestamp, UserId, parse_lifetime,
};
use tollgate_faults::Refusal;
use tollgate_store::KeyRow;

use crate::fields::{Change, Fields};
use crate::problem::wrong;

/// The fields of a key that can be set and changed.
pub(super) const CHANGEABLE: [&str; 9] = [
    "key_alias",
    "duration",
    "models",
    "max_budget",
    "user_id",
    "team_id",
    "organization_id",
    "metadata",
    "blocked",
];

/// LiteLLM's other fields of a key. They are refused when they ask for something, because a limit
/// that is accepted and not enforced is worse than one that is refused.
pub(super) const NOT_YET: [&str; 39] = [
    "access_group_ids",
    "agent_id",
    "aliases",
    "allowed_cache_controls",
    "allowed_passthrough_routes",
    "allowed_routes",
    "allowed_vector_store_indexes",
    "auto_rotate",
    "budget_duration",
    "budget_fallbacks",
    "budget_id",
    "budget_limits",
    "config",
    "disable_global_guardrails",
    "enforced_params",
    "guardrails",
    "key_type",
    "max_parallel_requests",
    "mcp_rpm_limit",
    "model_max_budget",
    "model_rpm_limit",
    "model_tpm_limit",
    "object_permission",
    "permissions",
    "policies",
    "project_id",
    "prompts",
    "rotation_interval",
    "router_settings",
    "rpm_limit",
    "rpm_limit_type",
    "send_invite_email",
    "soft_budget",
    "spend",
    "tag_rpm_limit",
    "tags",
    "temp_budget_increase",
    "tpm_limit",
    "tpm_limit_type",
];

/// Longest alias, in bytes, as LiteLLM has it.
const ALIAS_BYTES_MAX: usize = 255;
/// The word with which LiteLLM's clients say that a key never expires.
const NEVER: &str = "-1";

/// Applies what a request sent to a key.
pub(super) fn apply(fields: &Fields, row: &mut KeyRow, now: Timestamp) -> Result<(), Refusal> {
    fields.parsed("key_alias", alias)?.apply(&mut row.alias);
    fields.parsed("user_id", UserId::new)?.apply(&mut row.user);
    fields.parsed("team_id", TeamId::new)?.apply(&mut row.team);
    fields.parsed("organization_id", OrganizationId::new)?.apply(&mut row.organization);
    fields.dollars("max_budget")?.apply(&mut row.max_budget);
    fields.flag("blocked")?.apply_or_default(&mut row.blocked);
    fields.object("metadata")?.apply_or_default(&mut row.metadata);
    models(fields)?.apply_or_default(&mut row.models);
    match fields.text("duration")? {
        Change::Unchanged => {}
        Change::Removed => row.expires_at = None,
        Change::Set(text) if text == NEVER => row.expires_at = None,
        Change::Set(text) => {
            let lifetime = parse_lifetime(&text).map_err(|problem| wrong("duration", problem))?;
            row.expires_at = Some(now.plus(lifetime));
        }
    }
    Ok(())
}

fn models(fields: &Fields) -> Result<Change<Vec<String>>, Refusal> {
    let models = fields.texts("models")?;
    if let Change::Set(models) = &models {
        for model in models {
            ModelName::new(model).map_err(|problem| wrong("models", problem))?;
        }
    }
    Ok(models)
}

fn alias(text: &str) -> Result<String, &'static str> {
    if text.is_empty() || text.len() > ALIAS_BYTES_MAX || text.chars().any(char::is_control) {
        return Err("an alias has 1 to 255 bytes and no control characters");
    }
    Ok(text.to_owned())
}

/// The key as LiteLLM's clients expect it, without its hash.
pub(super) fn shown(row: &KeyRow, spent: Money) -> Map<String, Value> {
    let mut shown = Map::new();
    for name in NOT_YET {
        shown.insert(name.to_owned(), empty(name));
    }
    let expires = row.expires_at.map(|at| at.to_string());
    let fields = [
        ("key_name", json!(row.name)),
        ("key_alias", json!(row.alias)),
        ("spend", json!(spent)),
        ("expires", json!(expires)),
        ("models", json!(row.models)),
        ("user_id", json!(row.user.as_ref().map(UserId::as_str))),
        ("team_id", json!(row.team.as_ref().map(TeamId::as_str))),
        ("organization_id", json!(row.organization.as_ref().map(OrganizationId::as_str))),
        ("max_budget", json!(row.max_budget)),
        ("blocked", json!(row.blocked)),
        ("metadata", Value::Object(row.metadata.clone())),
        ("litellm_budget_table", Value::Null),
        ("created_at", json!(row.created_at.to_string())),
        ("created_by", json!(row.created_by)),
        ("updated_at", json!(row.updated_at.to_string())),
        ("updated_by", json!(row.updated_by)),
    ];
    shown.extend(fields.map(|(name, value)| (name.to_owned(), value)));
    shown
}

/// The value of a field that no key has yet, of the type that LiteLLM's clients expect.
fn empty(name: &str) -> Value {
    match name {
        "aliases" | "config" | "permissions" | "model_max_budget" | "router_settings" => json!({}),
        "allowed_routes" | "allowed_cache_controls" => json!([]),
        "key_type" => json!("default"),
        "auto_rotate" => json!(false),
        _ => Value::Null,
    }
}
