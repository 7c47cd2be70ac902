//! Members of teams: a user within a team, with limits of their own there.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Map, Value, json};
use tollgate_domain::Level;
use tollgate_faults::{Reason, Refusal};
use tollgate_policy::Period;
use tollgate_store::{ENTITIES_PER_PAGE_MAX, EntityRow};

use super::{Family, account, identity, teams};
use crate::fields::{Change, Fields};
use crate::keys::{MASTER, models};
use crate::limits;
use crate::problem::{self, missing, wrong};
use crate::routes::{Admin, Route};

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
const LIMITED: [&str; 5] =
    ["max_budget_in_team", "budget_duration", "tpm_limit", "rpm_limit", "allowed_models"];
/// The roles within a team.
const ROLES: [&str; 2] = ["admin", "user"];

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::command("POST", "/team/member_add", add),
        Route::command("POST", "/team/member_update", update),
        Route::command("POST", "/team/member_delete", delete),
    ]
}

async fn add(admin: Arc<Admin>, body: Bytes) -> Result<Value, Refusal> {
    let fields = read(&body, &["team_id", "member"])?;
    let team = teams::TEAM.named(&admin, &fields).await?;
    let listed = match fields.list("member", ADDED_MAX) {
        Ok(Change::Set(listed)) => listed,
        Ok(_) => return Err(missing("member", "`member` says who is added")),
        Err(_) => vec![fields.object("member")?.value().map_or(Value::Null, Value::Object)],
    };
    let mut rows = Vec::with_capacity(listed.len());
    for (index, member) in listed.iter().enumerate() {
        let mut row = read_member(&admin, &team.id, (&format!("member[{index}]"), member))?;
        apply(&fields, &mut row)?;
        rows.push(row);
    }
    MEMBER.insert(&admin, &rows).await.map_err(already_in_team)?;
    let mut shown = teams::shown(&admin, &team).await?;
    let users: Vec<Value> = rows.iter().map(|row| json!({ "user_id": row.id })).collect();
    let mut added = Vec::with_capacity(rows.len());
    for row in &rows {
        added.push(membership(&admin, row).await?);
    }
    shown.insert("updated_users".to_owned(), Value::Array(users));
    shown.insert("updated_team_memberships".to_owned(), Value::Array(added));
    Ok(Value::Object(shown))
}

async fn update(admin: Arc<Admin>, body: Bytes) -> Result<Value, Refusal> {
    let fields = read(&body, &["team_id", "user_id", "role"])?;
    let mut row = named(&admin, &fields).await?;
    apply(&fields, &mut row)?;
    if let Some(role) = fields.parsed("role", role)?.value() {
        row.metadata.insert("role".to_owned(), json!(role));
    }
    MEMBER.save(&admin, &mut row).await?;
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
async fn delete(admin: Arc<Admin>, body: Bytes) -> Result<Value, Refusal> {
    let fields = Fields::read(&body, &["team_id", "user_id"], &["user_email"])?;
    let team = teams::TEAM.named(&admin, &fields).await?;
    let user = fields.required("user_id", identity)?;
    MEMBER.delete_named(&admin, &team.id, &[user]).await?;
    Ok(Value::Object(teams::shown(&admin, &team).await?))
}

fn read(body: &Bytes, more: &[&'static str]) -> Result<Fields, Refusal> {
    let supported: Vec<&str> = LIMITED.into_iter().chain(more.iter().copied()).collect();
    Fields::read(body, &supported, &["user_email"])
}

async fn named(admin: &Admin, fields: &Fields) -> Result<EntityRow, Refusal> {
    let (team, user) =
        (fields.required("team_id", identity)?, fields.required("user_id", identity)?);
    let found = admin.db.find_entity(Level::Member, &team, &user).await;
    let found = found.map_err(|problem| problem::store(&problem))?;
    found.ok_or_else(|| problem::absent("member of this team", "user_id", &user))
}

fn apply(fields: &Fields, row: &mut EntityRow) -> Result<(), Refusal> {
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
pub(super) fn read_member(
    admin: &Admin,
    team: &str,
    (place, member): (&str, &Value),
) -> Result<EntityRow, Refusal> {
    let part = Fields::part(place, member, &["role", "user_id", "user_email"])?;
    let Some(user) = part.parsed("user_id", identity)?.value() else {
        return Err(wrong(place, "expected a `user_id`; an e-mail address alone names nobody"));
    };
    let mut row = fresh(admin, team, &user);
    let role = part.parsed("role", role)?.value().unwrap_or_else(|| "user".to_owned());
    row.metadata.insert("role".to_owned(), json!(role));
    if let Some(email) = part.text("user_email")?.value() {
        row.metadata.insert("user_email".to_owned(), json!(email));
    }
    Ok(row)
}

/// A new member without limits.
pub(super) fn fresh(admin: &Admin, team: &str, user: &str) -> EntityRow {
    let row = EntityRow::new(Level::Member, team, user, admin.clock.now());
    let by = Some(MASTER.to_owned());
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

async fn membership(admin: &Admin, row: &EntityRow) -> Result<Value, Refusal> {
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
