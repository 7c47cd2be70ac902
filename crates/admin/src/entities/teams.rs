//! Teams.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Map, Value, json};
use tollgate_domain::{Level, OrganizationId, TeamId};
use tollgate_faults::Refusal;
use tollgate_store::{EntityRow, KEYS_PER_PAGE_MAX, KeyFilter};

use super::{Family, members};
use crate::asked::Asked;
use crate::fields::Fields;
use crate::keys;
use crate::problem::{self, wrong};
use crate::routes::{Admin, Route};

/// Teams.
pub(crate) const TEAM: Family = Family {
    level: Level::Team,
    id: "team_id",
    alias: Some("team_alias"),
    fields: &["organization_id", "blocked", "models", "metadata"],
    kept: &[],
    not_yet: &[
        "access_group_ids",
        "admins",
        "allowed_passthrough_routes",
        "allowed_vector_store_indexes",
        "default_team_member_models",
        "disable_global_guardrails",
        "enforced_batch_output_expires_after",
        "enforced_file_expires_after",
        "guardrails",
        "mcp_rpm_limit",
        "members",
        "model_aliases",
        "object_permission",
        "policies",
        "prompts",
        "router_settings",
        "rpm_limit_type",
        "secret_manager_settings",
        "tags",
        "team_member_budget",
        "team_member_budget_duration",
        "team_member_key_duration",
        "team_member_permissions",
        "team_member_rpm_limit",
        "team_member_tpm_limit",
        "tpm_limit_type",
    ],
};

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::command("POST", "/team/new", new),
        Route::command("POST", "/team/update", update),
        Route::command("POST", "/team/delete", delete),
        Route::command("POST", "/team/block", |admin, body| block(admin, body, true)),
        Route::command("POST", "/team/unblock", |admin, body| block(admin, body, false)),
        Route::question("/team/info", info),
        Route::question("/team/list", list),
    ]
}

async fn new(admin: Arc<Admin>, body: Bytes) -> Result<Value, Refusal> {
    let fields = TEAM.read(&body, &["members_with_roles"])?;
    let mut row = TEAM.blank(&admin, &fields)?;
    apply(&admin, &fields, &mut row).await?;
    let mut rows = vec![row];
    let listed = fields.list("members_with_roles", members::ADDED_MAX)?.value();
    for (index, member) in listed.into_iter().flatten().enumerate() {
        let place = format!("members_with_roles[{index}]");
        let fresh = members::read_member(&admin, &rows[0].id, (&place, &member))?;
        if rows.iter().skip(1).any(|other| other.id == fresh.id) {
            return Err(wrong(&place, "this user is listed twice"));
        }
        rows.push(fresh);
    }
    TEAM.insert(&admin, &rows).await?;
    move_keys(&admin, &rows[0], None).await?;
    Ok(Value::Object(shown(&admin, &rows[0]).await?))
}

async fn update(admin: Arc<Admin>, body: Bytes) -> Result<Value, Refusal> {
    let fields = TEAM.read(&body, &[])?;
    let mut row = TEAM.named(&admin, &fields).await?;
    let before = row.organization.clone();
    apply(&admin, &fields, &mut row).await?;
    // Before the team itself, so that the same request again mends what a failure cut short.
    move_keys(&admin, &row, before.as_ref()).await?;
    TEAM.save(&admin, &mut row).await?;
    Ok(json!({ "team_id": row.id, "data": shown(&admin, &row).await? }))
}

async fn apply(admin: &Admin, fields: &Fields, row: &mut EntityRow) -> Result<(), Refusal> {
    TEAM.apply(admin, fields, row).await?;
    match (row.limits.soft_budget, row.limits.max_budget) {
        (Some(soft), Some(max)) if soft >= max => {
            Err(wrong("soft_budget", "it is less than `max_budget`"))
        }
        _ => Ok(()),
    }
}

/// A team's keys belong to its organization, whose limits bind them.
async fn move_keys(
    admin: &Admin,
    row: &EntityRow,
    before: Option<&OrganizationId>,
) -> Result<(), Refusal> {
    if row.organization.as_ref() == before {
        return Ok(());
    }
    let team = TeamId::new(&row.id).map_err(|problem| wrong(TEAM.id, problem))?;
    let moved = admin.db.move_keys(&team, before, row.organization.as_ref()).await;
    let moved = moved.map_err(|problem| problem::store(&problem))?;
    moved.iter().for_each(|hash| admin.keys.forget(hash));
    Ok(())
}

async fn delete(admin: Arc<Admin>, body: Bytes) -> Result<Value, Refusal> {
    let (teams, deleted) = TEAM.delete(&admin, &body, "team_ids").await?;
    Ok(json!({ "deleted_teams": teams, "deleted_keys": deleted.keys.len() }))
}

async fn block(admin: Arc<Admin>, body: Bytes, blocked: bool) -> Result<Value, Refusal> {
    let fields = Fields::read(&body, &[TEAM.id], &[])?;
    let mut row = TEAM.named(&admin, &fields).await?;
    TEAM.block(&admin, &mut row, blocked).await?;
    Ok(Value::Object(shown(&admin, &row).await?))
}

async fn info(admin: Arc<Admin>, asked: Asked) -> Result<Value, Refusal> {
    asked.must_be_among(&[TEAM.id])?;
    let row = TEAM.find(&admin, asked.required(TEAM.id)?).await?;
    let of_team = KeyFilter { team: Some(row.id.clone()), ..KeyFilter::default() };
    let keys = keys::listed(&admin, &of_team, 0, KEYS_PER_PAGE_MAX).await?.0;
    Ok(json!({
        "team_id": row.id,
        "team_info": shown(&admin, &row).await?,
        "keys": keys,
        "team_memberships": members::memberships(&admin, &row.id).await?,
    }))
}

async fn list(admin: Arc<Admin>, asked: Asked) -> Result<Value, Refusal> {
    asked.must_be_among(&["user_id", "organization_id"])?;
    let organization = asked.text("organization_id");
    let of_organization = |row: &EntityRow| {
        organization
            .is_none_or(|id| row.organization.as_ref().is_some_and(|own| own.as_str() == id))
    };
    let mut teams = Vec::new();
    for row in TEAM.every(&admin).await?.iter().filter(|row| of_organization(row)) {
        let members = members::of_team(&admin, &row.id).await?;
        if asked.text("user_id").is_none_or(|id| members.iter().any(|member| member.id == id)) {
            teams.push(Value::Object(with_members(&admin, row, &members).await?));
        }
    }
    Ok(Value::Array(teams))
}

/// The team as LiteLLM's clients expect it.
pub(super) async fn shown(admin: &Admin, row: &EntityRow) -> Result<Map<String, Value>, Refusal> {
    with_members(admin, row, &members::of_team(admin, &row.id).await?).await
}

async fn with_members(
    admin: &Admin,
    row: &EntityRow,
    members: &[EntityRow],
) -> Result<Map<String, Value>, Refusal> {
    let mut shown = TEAM.shown(admin, row).await?;
    let roles: Vec<Value> = members.iter().map(members::role_shown).collect();
    shown.insert("members_with_roles".to_owned(), Value::Array(roles));
    Ok(shown)
}
