//! A virtual key as the management API reads and shows it.

use serde_json::{Map, Value, json};
use tollgate_domain::{
    BudgetId, ModelName, OrganizationId, ProjectId, TagName, TeamId, Timestamp, UserId,
    parse_lifetime,
};
use tollgate_faults::Refusal;
use tollgate_store::KeyRow;

use crate::account::Account;
use crate::fields::{Change, Fields};
use crate::limits;
use crate::problem::wrong;
use crate::shape::{Field, flag, object, text, texts};

/// The fields of a key that can be set and changed.
pub(super) const CHANGEABLE: [Field; 11] = [
    text("key_alias", "A name that people chose; no two keys have the same"),
    text("duration", "For how long it can be used, such as `30d`; `-1` is for ever"),
    texts("models", "The granted models, patterns and access groups; empty grants every model"),
    text("user_id", "The user it belongs to"),
    text("team_id", "The team it belongs to"),
    text("organization_id", "The organization it belongs to"),
    text("project_id", "The project it belongs to"),
    text("budget_id", "The shared budget whose rules fill what is left open"),
    texts("tags", "Tags of every call"),
    object("metadata", "What is kept beside it; replaced whole"),
    flag("blocked", "Whether its calls are refused for now"),
];

/// LiteLLM's other fields of a key. They are refused when they ask for something, because a limit
/// that is accepted and not enforced is worse than one that is refused.
pub(super) const NOT_YET: [&str; 26] = [
    "access_group_ids",
    "agent_id",
    "aliases",
    "allowed_cache_controls",
    "allowed_passthrough_routes",
    "allowed_routes",
    "allowed_vector_store_indexes",
    "auto_rotate",
    "budget_fallbacks",
    "config",
    "disable_global_guardrails",
    "enforced_params",
    "guardrails",
    "key_type",
    "mcp_rpm_limit",
    "object_permission",
    "permissions",
    "policies",
    "prompts",
    "rotation_interval",
    "router_settings",
    "rpm_limit_type",
    "send_invite_email",
    "spend",
    "tag_rpm_limit",
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
    fields.parsed("project_id", ProjectId::new)?.apply(&mut row.project);
    fields.parsed("budget_id", BudgetId::new)?.apply(&mut row.budget);
    limits::apply(fields, &mut row.limits)?;
    fields.flag("blocked")?.apply_or_default(&mut row.blocked);
    fields.metadata()?.apply_or_default(&mut row.metadata);
    tags(fields, &mut row.metadata)?;
    models(fields, "models")?.apply_or_default(&mut row.models);
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

/// Tags are kept in the metadata, as LiteLLM keeps them.
fn tags(fields: &Fields, metadata: &mut Map<String, Value>) -> Result<(), Refusal> {
    match fields.texts("tags")? {
        Change::Unchanged => {}
        Change::Removed => drop(metadata.remove("tags")),
        Change::Set(tags) => {
            for tag in &tags {
                TagName::new(tag).map_err(|problem| wrong("tags", problem))?;
            }
            metadata.insert("tags".to_owned(), json!(tags));
        }
    }
    Ok(())
}

/// A list of the names of models, patterns and access groups.
pub(crate) fn models(fields: &Fields, name: &str) -> Result<Change<Vec<String>>, Refusal> {
    let models = fields.texts(name)?;
    if let Change::Set(models) = &models {
        for model in models {
            ModelName::new(model).map_err(|problem| wrong(name, problem))?;
        }
    }
    Ok(models)
}

/// A name that people choose.
pub(crate) fn alias(text: &str) -> Result<String, &'static str> {
    if text.is_empty() || text.len() > ALIAS_BYTES_MAX || text.chars().any(char::is_control) {
        return Err("an alias has 1 to 255 bytes and no control characters");
    }
    Ok(text.to_owned())
}

/// The key as LiteLLM's clients expect it, without its hash.
pub(super) fn shown(row: &KeyRow, account: &Account) -> Map<String, Value> {
    let mut shown = Map::new();
    for name in NOT_YET {
        shown.insert(name.to_owned(), empty(name));
    }
    let expires = row.expires_at.map(|at| at.to_string());
    let fields = [
        ("key_name", json!(row.name)),
        ("key_alias", json!(row.alias)),
        ("expires", json!(expires)),
        ("models", json!(row.models)),
        ("user_id", json!(row.user.as_ref().map(UserId::as_str))),
        ("team_id", json!(row.team.as_ref().map(TeamId::as_str))),
        ("organization_id", json!(row.organization.as_ref().map(OrganizationId::as_str))),
        ("project_id", json!(row.project.as_ref().map(ProjectId::as_str))),
        ("budget_id", json!(row.budget.as_ref().map(BudgetId::as_str))),
        ("tags", row.metadata.get("tags").cloned().unwrap_or_default()),
        ("blocked", json!(row.blocked)),
        ("metadata", Value::Object(row.metadata.clone())),
        ("created_at", json!(row.created_at.to_string())),
        ("created_by", json!(row.created_by)),
        ("updated_at", json!(row.updated_at.to_string())),
        ("updated_by", json!(row.updated_by)),
    ];
    shown.extend(fields.map(|(name, value)| (name.to_owned(), value)));
    limits::show(&row.limits, &mut shown);
    account.show(&mut shown);
    shown
}

/// The value of a field that nothing has yet, of the type that LiteLLM's clients expect.
pub(crate) fn empty(name: &str) -> Value {
    match name {
        "aliases" | "config" | "permissions" | "router_settings" => json!({}),
        "access_group_ids"
        | "admins"
        | "allowed_cache_controls"
        | "allowed_routes"
        | "default_team_member_models"
        | "members"
        | "policies"
        | "team_member_permissions" => {
            json!([])
        }
        "key_type" => json!("default"),
        "auto_rotate" => json!(false),
        _ => Value::Null,
    }
}
