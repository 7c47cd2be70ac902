//! A virtual key as the management API reads and shows it.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use tollgate_domain::{
    BudgetId, ModelName, OrganizationId, ProjectId, TagName, TeamId, Timestamp, UserId,
    parse_lifetime,
};
use tollgate_faults::Refusal;
use tollgate_policy::{KeyType, names_routes};
use tollgate_store::{KeyRow, KeyRules};

use crate::account::Account;
use crate::fields::{Change, Fields};
use crate::keys::make::SERVICE;
use crate::limits;
use crate::problem::{echo, wrong};
use crate::shape::{Field, choice, flag, object, text, texts};

/// The fields of a key that can be set and changed.
pub(super) const CHANGEABLE: [Field; 16] = [
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
    texts("allowed_routes", "The paths and groups of routes it may call; empty for every route"),
    choice("key_type", &TYPES, "What it is for, in place of `allowed_routes`"),
    object("aliases", "Its own names of models, each with the model that is called"),
    texts("enforced_params", "Fields that the body of every call has, such as `metadata.ticket`"),
    object(PERMISSIONS, "`{get_spend_routes: true}` for a key that sees what everybody spent"),
];

/// The field of what a key may do beside calling models.
pub(super) const PERMISSIONS: &str = "permissions";
/// The one permission there is.
const SEES_SPEND: &str = "get_spend_routes";

/// The types of keys.
const TYPES: [&str; 4] = ["default", "llm_api", "management", "read_only"];

/// LiteLLM's other fields of a key. They are refused when they ask for something, because a limit
/// that is accepted and not enforced is worse than one that is refused.
pub(super) const NOT_YET: [&str; 25] = [
    "access_group_ids",
    "agent_id",
    "allowed_cache_controls",
    "allowed_passthrough_routes",
    "allowed_vector_store_indexes",
    "auto_rotate",
    "budget_fallbacks",
    "config",
    "default_estimated_output_tokens",
    "default_estimated_output_tokens_per_model",
    "disable_global_guardrails",
    "enable_prompt_caching",
    "guardrails",
    "mcp_rpm_limit",
    "object_permission",
    "policies",
    "prompts",
    "rotation_interval",
    "router_settings",
    "rpm_limit_type",
    "send_invite_email",
    "spend",
    "tag_rpm_limit",
    "throttle_on_budget_exceeded",
    "tpm_limit_type",
];

/// Where the metadata holds the tags.
const TAGS: &str = "tags";
/// Most names of models that a key or a team has of its own.
const ALIASES_MAX: usize = 100;
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
    describe(fields, &mut row.metadata)?;
    tags(fields, &mut row.metadata)?;
    rules(fields, &mut row.rules)?;
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

/// The metadata is replaced whole, except for the tags, and for the service that a key is for,
/// which stays what it was (management-api, fields stored in metadata).
fn describe(fields: &Fields, metadata: &mut Map<String, Value>) -> Result<(), Refusal> {
    let kept = [TAGS, SERVICE].map(|name| (name, metadata.get(name).cloned()));
    let sent = match fields.metadata()? {
        Change::Unchanged => return Ok(()),
        Change::Removed => Map::new(),
        Change::Set(sent) => sent,
    };
    *metadata = sent;
    for (name, before) in kept {
        let Some(before) = before else { continue };
        let after = metadata.entry(name).or_insert_with(|| before.clone());
        if name == SERVICE && *after != before {
            return Err(wrong("metadata", format!("`{SERVICE}` stays what it was")));
        }
    }
    Ok(())
}

fn rules(fields: &Fields, rules: &mut KeyRules) -> Result<(), Refusal> {
    routes(fields, rules)?;
    fields.texts("enforced_params")?.apply_or_default(&mut rules.enforced_params);
    aliases(fields, "aliases")?.apply_or_default(&mut rules.aliases);
    permissions(fields)?.apply_or_default(&mut rules.get_spend_routes);
    Ok(())
}

/// Whether a key may see what everybody spent: LiteLLM's other permissions are for what is not
/// there.
fn permissions(fields: &Fields) -> Result<Change<bool>, Refusal> {
    fields.object(PERMISSIONS)?.try_map(|given| {
        let part = Fields::part(PERMISSIONS, &Value::Object(given), &[SEES_SPEND])?;
        Ok(part.flag(SEES_SPEND)?.value().unwrap_or_default())
    })
}

/// Other names of models, each with the model that it stands for.
pub(crate) fn aliases(
    fields: &Fields,
    field: &'static str,
) -> Result<Change<BTreeMap<String, String>>, Refusal> {
    fields.object(field)?.try_map(|object| {
        if object.len() > ALIASES_MAX {
            return Err(wrong(field, format!("more than {ALIASES_MAX} names")));
        }
        let one = |(name, target): (&String, &Value)| {
            let target = target.as_str().ok_or_else(|| wrong(field, "expected names"))?;
            for model in [name.as_str(), target] {
                ModelName::new(model).map_err(|problem| wrong(field, problem))?;
            }
            Ok((name.clone(), target.to_owned()))
        };
        object.iter().map(one).collect()
    })
}

/// The routes of a key, said one by one or by what the key is for.
fn routes(fields: &Fields, rules: &mut KeyRules) -> Result<(), Refusal> {
    let kind = fields.parsed("key_type", |text| {
        KeyType::parse(text).ok_or_else(|| format!("expected one of {TYPES:?}"))
    })?;
    let allowed = fields.texts("allowed_routes")?;
    let group = kind.value().and_then(KeyType::group);
    if let (Change::Set(listed), true) = (&allowed, group.is_some())
        && !listed.is_empty()
    {
        return Err(wrong("key_type", "it stands in place of `allowed_routes`"));
    }
    if let Change::Set(listed) = &allowed
        && let Some(entry) = listed.iter().find(|entry| !names_routes(entry))
    {
        let entry = echo(entry);
        return Err(wrong(
            "allowed_routes",
            format!("`{entry}` is no path and no group of routes"),
        ));
    }
    allowed.apply_or_default(&mut rules.allowed_routes);
    if let Some(group) = group {
        rules.allowed_routes = vec![group.to_owned()];
    }
    Ok(())
}

/// Tags are kept in the metadata, as LiteLLM keeps them.
fn tags(fields: &Fields, metadata: &mut Map<String, Value>) -> Result<(), Refusal> {
    match fields.texts("tags")? {
        Change::Unchanged => {}
        Change::Removed => drop(metadata.remove(TAGS)),
        Change::Set(tags) => {
            for tag in &tags {
                TagName::new(tag).map_err(|problem| wrong("tags", problem))?;
            }
            metadata.insert(TAGS.to_owned(), json!(tags));
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
        ("allowed_routes", json!(row.rules.allowed_routes)),
        ("key_type", json!(KeyType::of(&row.rules.allowed_routes).as_str())),
        ("aliases", json!(row.rules.aliases)),
        (PERMISSIONS, permitted(&row.rules)),
        ("enforced_params", some(&row.rules.enforced_params)),
        ("tags", row.metadata.get(TAGS).cloned().unwrap_or_default()),
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

fn permitted(rules: &KeyRules) -> Value {
    if rules.get_spend_routes { json!({ SEES_SPEND: true }) } else { json!({}) }
}

/// A list as LiteLLM shows one that may be absent.
fn some(texts: &[String]) -> Value {
    if texts.is_empty() { Value::Null } else { json!(texts) }
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

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    use crate::shape::Shape;

    fn fields(body: &Value) -> Fields {
        let shape = Shape::of(&CHANGEABLE).but_not(&NOT_YET);
        Fields::read(&Bytes::from(body.to_string()), &shape, &[]).expect("fields")
    }

    #[test]
    fn metadata_is_replaced_whole_but_for_tags_and_the_service() {
        let before = json!({"tags": ["a"], "service_account_id": "ci", "note": 1});
        let kept = json!({"tags": ["a"], "service_account_id": "ci"});
        for (sent, after) in [
            (json!({}), Some(before.clone())),
            (json!({"metadata": null}), Some(kept.clone())),
            (json!({"metadata": {}}), Some(kept)),
            (
                json!({"metadata": {"tags": ["b"], "service_account_id": "ci"}}),
                Some(json!({"tags": ["b"], "service_account_id": "ci"})),
            ),
            (json!({"metadata": {"service_account_id": "other"}}), None),
        ] {
            let mut metadata = before.as_object().cloned().expect("an object");
            let described = describe(&fields(&sent), &mut metadata);
            assert_eq!(described.ok().map(|()| Value::Object(metadata)), after, "{sent}");
        }
    }

    #[test]
    fn routes_are_said_one_by_one_or_by_what_the_key_is_for() {
        let group = Some(json!(["llm_api_routes"]));
        for (sent, after) in [
            (json!({}), Some(json!(["/key/info"]))),
            (json!({"key_type": "default"}), Some(json!(["/key/info"]))),
            (json!({"key_type": "llm_api"}), group.clone()),
            (json!({"key_type": "llm_api", "allowed_routes": []}), group),
            (json!({"key_type": "llm_api", "allowed_routes": ["/x"]}), None),
            (json!({"key_type": "llm"}), None),
            (json!({"allowed_routes": ["/x", "info_routes"]}), Some(json!(["/x", "info_routes"]))),
            (json!({"allowed_routes": ["infos"]}), None),
            (json!({"allowed_routes": null}), Some(json!([]))),
        ] {
            let allowed_routes = vec!["/key/info".to_owned()];
            let mut rules = KeyRules { allowed_routes, ..KeyRules::default() };
            let read = routes(&fields(&sent), &mut rules);
            assert_eq!(read.ok().map(|()| json!(rules.allowed_routes)), after, "{sent}");
        }
    }

    #[test]
    fn a_key_may_see_what_everybody_spent_and_no_other_permission_is_taken() {
        for (sent, after) in [
            (json!({}), Some(true)),
            (json!({"permissions": null}), Some(false)),
            (json!({"permissions": {}}), Some(false)),
            (json!({"permissions": {"get_spend_routes": true}}), Some(true)),
            (json!({"permissions": {"get_spend_routes": 1}}), None),
            (json!({"permissions": {"allow_pii_controls": true}}), None),
        ] {
            let mut read = KeyRules { get_spend_routes: true, ..KeyRules::default() };
            let read = rules(&fields(&sent), &mut read).map(|()| read.get_spend_routes).ok();
            assert_eq!(read, after, "{sent}");
        }
    }

    #[test]
    fn aliases_are_names_of_models() {
        let read = |sent: Value| {
            let mut read = KeyRules::default();
            rules(&fields(&sent), &mut read).map(|()| read.aliases.len()).ok()
        };
        assert_eq!(read(json!({"aliases": {"gpt-4o": "small"}})), Some(1));
        assert_eq!(read(json!({"aliases": {"gpt-4o": 5}})), None);
        assert_eq!(read(json!({"aliases": {"": "small"}})), None);
        let many: Map<String, Value> =
            (0..=ALIASES_MAX).map(|number| (format!("m{number}"), json!("small"))).collect();
        assert_eq!(read(json!({ "aliases": many })), None);
    }
}
