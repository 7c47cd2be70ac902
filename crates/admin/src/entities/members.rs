//! Members of teams: a user within a team, with limits of their own there.

use serde_json::{Map, Value, json};
use tollgate_domain::Level;
use tollgate_faults::{Reason, Refusal};
use tollgate_policy::{Audience, Period};
use tollgate_store::{ENTITIES_PER_PAGE_MAX, EntityRow};

use super::{Family, account, identity, team_defaults, teams, users};
use crate::desk::Desk;
use crate::fields::Fields;
use crate::keys::models;
use crate::limits;
use crate::problem;
use crate::route::Route;
use crate::routes::Admin;
use crate::shape::{Field, Shape, choice, count, dollars, one_or_more, text, texts};

/// Members.
pub(crate) const MEMBER: Family = Family {
    level: Level::Member,
    id: "user_id",
    alias: None,
    fields: &[],
    kept: &[],
    not_yet: &[],
};
/// Most members that one request adds.
pub(super) const ADDED_MAX: usize = 500;
/// The fields of a member that can be set and changed.
pub(super) const LIMITED: [Field; 5] = [
    dollars("max_budget_in_team", "Most dollars in one period, of their keys in this team"),
    text("budget_duration", "The period of that budget"),
    count("tpm_limit", "Most tokens a minute"),
    count("rpm_limit", "Most requests a minute"),
    texts("allowed_models", "The granted models; empty grants what the team has"),
];
pub(super) const TEAM_ID: Field = text("team_id", "The team").required();
const USER: [Field; 2] =
    [text("user_id", "The user"), text("user_email", "Their address, in place of `user_id`")];
const ADDED: [Field; 2] = [
    TEAM_ID,
    one_or_more("member", "Who is added: `{user_id, role}`, or a list of such").required(),
];
const UPDATED: [Field; 4] =
    [TEAM_ID, USER[0], USER[1], choice("role", &ROLES, "The role in the team")];
/// The roles within a team.
const ROLES: [&str; 2] = ["admin", "user"];

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::command(
            ("POST", "/team/member_add"),
            Audience::Managers,
            ("Put users in a team", named_shape(&ADDED)),
            add,
        ),
        Route::command(
            ("POST", "/team/member_update"),
            Audience::Managers,
            ("Change the role or limits of a member", named_shape(&UPDATED)),
            update,
        ),
        Route::command(
            ("POST", "/team/member_delete"),
            Audience::Managers,
            ("Take a user out of a team, with their keys of it", Shape::of(&[TEAM_ID]).and(&USER)),
            delete,
        ),
    ]
}

fn named_shape(fields: &[Field]) -> Shape {
    Shape::of(fields).and(&LIMITED)
}

async fn add(desk: Desk, fields: Fields) -> Result<Value, Refusal> {
    let team = teams::TEAM.named(&desk, &fields).await?;
    teams::must_change(&desk, &team)?;
    let listed = fields.one_or_more("member", ADDED_MAX)?;
    let mut rows = Vec::with_capacity(listed.len());
    for (index, member) in listed.iter().enumerate() {
        let mut row = read_member(&desk, &team, (&format!("member[{index}]"), member)).await?;
        apply(&fields, &mut row)?;
        rows.push(row);
    }
    MEMBER.insert(&desk, &rows).await.map_err(already_in_team)?;
    let mut shown = teams::shown(&desk, &team).await?;
    let users: Vec<Value> = rows.iter().map(|row| json!({ "user_id": row.id })).collect();
    let mut added = Vec::with_capacity(rows.len());
    for row in &rows {
        added.push(membership(&desk, row).await?);
    }
    shown.insert("updated_users".to_owned(), Value::Array(users));
    shown.insert("updated_team_memberships".to_owned(), Value::Array(added));
    Ok(Value::Object(shown))
}

async fn update(desk: Desk, fields: Fields) -> Result<Value, Refusal> {
    let team = teams::TEAM.named(&desk, &fields).await?;
    teams::must_change(&desk, &team)?;
    let mut row = named(&desk, &fields).await?;
    apply(&fields, &mut row)?;
    if let Some(role) = fields.parsed("role", role)?.value() {
        row.metadata.insert("role".to_owned(), json!(role));
    }
    MEMBER.save(&desk, &mut row).await?;
    Ok(json!({
        "user_id": row.id,
        "user_email": row.metadata.get("user_email"),
        "team_id": row.within,
        "role": row.metadata.get("role"),
        "max_budget_in_team": row.limits.max_budget,
        "budget_duration": row.limits.budget_duration,
        "tpm_limit": row.limits.tpm_limit,
        "rpm_limit": row.limits.rpm_limit,
        "allowed_models": row.models,
    }))
}

/// Takes a user out of a team, and with them their keys of it.
async fn delete(desk: Desk, fields: Fields) -> Result<Value, Refusal> {
    let team = teams::TEAM.named(&desk, &fields).await?;
    teams::must_change(&desk, &team)?;
    let user = users::named(&desk, &fields).await?;
    MEMBER.delete_named(&desk, &team.id, &[user]).await?;
    Ok(Value::Object(teams::shown(&desk, &team).await?))
}

pub(super) async fn named(desk: &Desk, fields: &Fields) -> Result<EntityRow, Refusal> {
    let team = fields.required("team_id", identity)?;
    let user = users::named(desk, fields).await?;
    let found = desk.db.find_entity(Level::Member, &team, &user).await;
    let found = found.map_err(|problem| problem::store(&problem))?;
    found.ok_or_else(|| problem::absent("member of this team", "user_id", &user))
}

pub(super) fn apply(fields: &Fields, row: &mut EntityRow) -> Result<(), Refusal> {
    fields.dollars("max_budget_in_team")?.apply(&mut row.limits.max_budget);
    let period = |text: &str| Period::parse(text).map(|_| text.to_owned());
    if fields.has("budget_duration") {
        row.limits.running = None;
    }
    fields.parsed("budget_duration", period)?.apply(&mut row.limits.budget_duration);
    fields.count("tpm_limit")?.apply(&mut row.limits.tpm_limit);
    fields.count("rpm_limit")?.apply(&mut row.limits.rpm_limit);
    models(fields, "allowed_models")?.apply_or_default(&mut row.models);
    Ok(())
}

/// A member as a request names one: `{role, user_id}`.
pub(super) async fn read_member(
    desk: &Desk,
    team: &EntityRow,
    (place, member): (&str, &Value),
) -> Result<EntityRow, Refusal> {
    let part = Fields::part(place, member, &["role", "user_id", "user_email"])?;
    let user = users::named(desk, &part).await?;
    let mut row = fresh(desk, &team.id, &user);
    row.models = team_defaults::models_of(team);
    let role = part.parsed("role", role)?.value().unwrap_or_else(|| "user".to_owned());
    row.metadata.insert("role".to_owned(), json!(role));
    if let Some(email) = part.text("user_email")?.value() {
        row.metadata.insert("user_email".to_owned(), json!(email));
    }
    Ok(row)
}

/// A new member without limits.
pub(super) fn fresh(desk: &Desk, team: &str, user: &str) -> EntityRow {
    let row = EntityRow::new(Level::Member, team, user, desk.clock.now());
    let by = Some(desk.name());
    EntityRow { created_by: by.clone(), updated_by: by, ..row }
}

/// Everybody in a team, by identity; at most one page of them.
pub(super) async fn of_team(admin: &Admin, team: &str) -> Result<Vec<EntityRow>, Refusal> {
    let page = admin.db.list_entities(Level::Member, (team, ""), ENTITIES_PER_PAGE_MAX).await;
    let page = page.map_err(|problem| problem::store(&problem))?;
    Ok(page.into_iter().take_while(|row| row.within == team).collect())
}

/// The memberships of a team with what each spent there.
pub(super) async fn memberships(admin: &Admin, team: &str) -> Result<Vec<Value>, Refusal> {
    let mut shown = Vec::new();
    for row in of_team(admin, team).await? {
        shown.push(membership(admin, &row).await?);
    }
    Ok(shown)
}

pub(super) async fn membership(admin: &Admin, row: &EntityRow) -> Result<Value, Refusal> {
    let account = account(admin, row).await?;
    let mut own = Map::new();
    limits::show(&row.limits, &mut own);
    own.insert("allowed_models".to_owned(), json!(row.models));
    own.insert("budget_reset_at".to_owned(), json!(account.resets_at.map(|at| at.to_string())));
    Ok(json!({
        "user_id": row.id,
        "team_id": row.within,
        "budget_id": null,
        "spend": account.spent,
        "litellm_budget_table": own,
    }))
}

pub(super) fn role_shown(row: &EntityRow) -> Value {
    let email = row.metadata.get("user_email");
    json!({ "user_id": row.id, "user_email": email, "role": row.metadata.get("role") })
}

fn role(text: &str) -> Result<String, &'static str> {
    let known = ROLES.contains(&text).then(|| text.to_owned());
    known.ok_or("expected `admin` or `user`")
}

/// The type by which LiteLLM's clients know it.
fn already_in_team(refusal: Refusal) -> Refusal {
    if refusal.reason == Reason::EntityExists {
        return refusal.with_kind("team_member_already_in_team");
    }
    refusal
}
