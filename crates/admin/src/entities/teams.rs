//! Teams.

use serde_json::{Map, Value, json};
use tollgate_domain::{Level, OrganizationId, TeamId};
use tollgate_faults::Refusal;
use tollgate_policy::{Audience, Scope};
use tollgate_store::{EntityRow, KEYS_PER_PAGE_MAX, KeyFilter};

use super::{Family, listed, members, team_defaults, team_grants};
use crate::asked::Asked;
use crate::desk::Desk;
use crate::fields::Fields;
use crate::keys::{self, models};
use crate::problem::{self, wrong};
use crate::route::Route;
use crate::routes::Admin;
use crate::shape::{Field, Shape, list as listing, object, text, texts};

/// What members may do with the keys of the team.
pub(super) const PERMISSIONS: Field =
    texts("team_member_permissions", "The management routes that members may use for its keys");
/// The names that a team has for models.
const ALIASES: Field =
    object("model_aliases", "The team's own names of models, each with the model that is called");
/// Teams.
pub(crate) const TEAM: Family = Family {
    level: Level::Team,
    id: "team_id",
    alias: Some("team_alias"),
    fields: &["organization_id", "blocked", "models", "metadata"],
    kept: &[PERMISSIONS, ALIASES, team_defaults::BUDGET, team_defaults::MODELS],
    not_yet: &[
        "access_group_ids",
        "admins",
        "allowed_passthrough_routes",
        "allowed_vector_store_indexes",
        "disable_global_guardrails",
        "enforced_batch_output_expires_after",
        "enforced_file_expires_after",
        "guardrails",
        "mcp_rpm_limit",
        "members",
        "object_permission",
        "policies",
        "prompts",
        "router_settings",
        "rpm_limit_type",
        "secret_manager_settings",
        "tags",
        "team_member_key_duration",
        "tpm_limit_type",
    ],
};

/// What a new team has beside the fields of every team.
const NEW: [Field; 1] =
    [listing("members_with_roles", "Who is in it: a list of `{user_id, role}`")];
/// What a list can be asked by.
const LISTED_BY: [Field; 2] = [
    text("user_id", "Only teams with this member"),
    text("organization_id", "Only teams of this organization"),
];

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::command(
            ("POST", "/team/new"),
            Audience::OrganizationAdmins,
            ("Make a team", shape().and(&NEW)),
            new,
        ),
        Route::command(
            ("POST", "/team/update"),
            Audience::Admins,
            ("Change a team", shape()),
            update,
        ),
        Route::command(
            ("PATCH", "/team/{team_id}"),
            Audience::Admins,
            ("Change a team", shape()),
            update,
        ),
        Route::command(
            ("POST", "/team/delete"),
            Audience::OrganizationAdmins,
            ("Delete teams with their keys", Family::listing("team_ids")),
            delete,
        ),
        Route::command(
            ("POST", "/team/block"),
            Audience::OrganizationAdmins,
            ("Refuse every call of a team", TEAM.naming()),
            |desk, fields| block(desk, fields, true),
        ),
        Route::command(
            ("POST", "/team/unblock"),
            Audience::OrganizationAdmins,
            ("Let a team call again", TEAM.naming()),
            |desk, fields| block(desk, fields, false),
        ),
        Route::question(
            "/team/info",
            Audience::Keys,
            ("A team with its keys and members", &[text(TEAM.id, "The team").required()]),
            info,
        ),
        Route::question("/team/list", Audience::Keys, ("Teams", &LISTED_BY), list),
    ]
}

fn shape() -> Shape {
    TEAM.shape().and(&team_defaults::RULES)
}

async fn new(desk: Desk, fields: Fields) -> Result<Value, Refusal> {
    let fields = fields.or(&desk.gatekeeper.snapshot().settings.newcomers.team);
    let mut row = TEAM.blank(&desk, &fields)?;
    apply(&desk, &fields, &mut row).await?;
    must_change(&desk, &row)?;
    team_defaults::apply(&desk, &fields, &mut row).await?;
    let mut rows = vec![row];
    let members = fields.list("members_with_roles", members::ADDED_MAX)?.value();
    for (index, member) in members.into_iter().flatten().enumerate() {
        let place = format!("members_with_roles[{index}]");
        let fresh = members::read_member(&desk, &rows[0], (&place, &member)).await?;
        if rows.iter().skip(1).any(|other| other.id == fresh.id) {
            return Err(wrong(&place, "this user is listed twice"));
        }
        rows.push(fresh);
    }
    TEAM.insert(&desk, &rows).await?;
    move_keys(&desk, &rows[0], None).await?;
    Ok(Value::Object(shown(&desk, &rows[0]).await?))
}

async fn update(desk: Desk, fields: Fields) -> Result<Value, Refusal> {
    let mut row = TEAM.named(&desk, &fields).await?;
    must_change(&desk, &row)?;
    let before = row.organization.clone();
    apply(&desk, &fields, &mut row).await?;
    must_change(&desk, &row)?;
    team_defaults::apply(&desk, &fields, &mut row).await?;
    // Before the team itself, so that the same request again mends what a failure cut short.
    move_keys(&desk, &row, before.as_ref()).await?;
    TEAM.save(&desk, &mut row).await?;
    Ok(json!({ "team_id": row.id, "data": shown(&desk, &row).await? }))
}

async fn apply(desk: &Desk, fields: &Fields, row: &mut EntityRow) -> Result<(), Refusal> {
    TEAM.apply(desk, fields, row).await?;
    models(fields, team_defaults::MODELS.name)?;
    keys::aliases(fields, ALIASES.name)?;
    team_grants::known_permissions(fields)?;
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

async fn delete(desk: Desk, fields: Fields) -> Result<Value, Refusal> {
    for id in listed(&fields, "team_ids")? {
        must_change(&desk, &TEAM.find(&desk, &id).await?)?;
    }
    let (teams, deleted) = TEAM.delete(&desk, &fields, "team_ids").await?;
    Ok(json!({ "deleted_teams": teams, "deleted_keys": deleted.keys.len() }))
}

async fn block(desk: Desk, fields: Fields, blocked: bool) -> Result<Value, Refusal> {
    let mut row = TEAM.named(&desk, &fields).await?;
    must_change(&desk, &row)?;
    TEAM.block(&desk, &mut row, blocked).await?;
    Ok(Value::Object(shown(&desk, &row).await?))
}

async fn info(desk: Desk, asked: Asked) -> Result<Value, Refusal> {
    let row = TEAM.find(&desk, asked.required(TEAM.id)?).await?;
    must_see(&desk, &row)?;
    let of_team = KeyFilter { team: Some(row.id.clone()), ..KeyFilter::default() };
    let keys = keys::listed(&desk, &of_team, 0, KEYS_PER_PAGE_MAX).await?.0;
    Ok(json!({
        "team_id": row.id,
        "team_info": shown(&desk, &row).await?,
        "keys": keys,
        "team_memberships": members::memberships(&desk, &row.id).await?,
    }))
}

async fn list(desk: Desk, asked: Asked) -> Result<Value, Refusal> {
    let organization = asked.text("organization_id");
    let of_organization = |row: &EntityRow| {
        organization
            .is_none_or(|id| row.organization.as_ref().is_some_and(|own| own.as_str() == id))
    };
    let mut teams = Vec::new();
    for row in TEAM
        .every(&desk)
        .await?
        .iter()
        .filter(|row| may_see(&desk, row))
        .filter(|row| of_organization(row))
    {
        let members = members::of_team(&desk, &row.id).await?;
        if asked.text("user_id").is_none_or(|id| members.iter().any(|member| member.id == id)) {
            teams.push(Value::Object(with_members(&desk, row, &members).await?));
        }
    }
    Ok(Value::Array(teams))
}

/// # Errors
/// Refused unless the caller may change the team.
pub(super) fn must_change(desk: &Desk, row: &EntityRow) -> Result<(), Refusal> {
    scoped(row, |scope| desk.must_change(scope))
}

/// # Errors
/// Refused unless the caller may see the team.
pub(super) fn must_see(desk: &Desk, row: &EntityRow) -> Result<(), Refusal> {
    scoped(row, |scope| desk.must_see(scope))
}

/// Whether the caller may see the team.
pub(super) fn may_see(desk: &Desk, row: &EntityRow) -> bool {
    scoped(row, |scope| Ok(desk.may_see(scope))) == Ok(true)
}

/// Asks about the team.
fn scoped<T>(
    row: &EntityRow,
    ask: impl FnOnce(Scope<'_>) -> Result<T, Refusal>,
) -> Result<T, Refusal> {
    let id = TeamId::new(&row.id).map_err(|problem| wrong(TEAM.id, problem))?;
    ask(Scope::Team { id: &id, organization: row.organization.as_ref() })
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
    team_defaults::show(admin, row, &mut shown).await?;
    shown.insert("members_with_roles".to_owned(), Value::Array(roles));
    let aliases = row.metadata.get(ALIASES.name);
    let table = aliases.map(|aliases| json!({ ALIASES.name: aliases }));
    shown.insert("litellm_model_table".to_owned(), json!(table));
    Ok(shown)
}
