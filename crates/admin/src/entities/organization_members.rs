//! Members of organizations: users with a role and a budget of their own there.

use serde_json::{Map, Value, json};
use tollgate_domain::{Level, OrganizationId, UserId};
use tollgate_faults::{Reason, Refusal};
use tollgate_policy::{Audience, Scope};
use tollgate_store::{ENTITIES_PER_PAGE_MAX, EntityRow};

use super::{Family, account, organizations, users};
use crate::desk::Desk;
use crate::fields::Fields;
use crate::limits;
use crate::problem;
use crate::route::Route;
use crate::routes::Admin;
use crate::shape::{Field, Shape, choice, dollars, one_or_more, text};

/// Members of organizations.
pub(crate) const ORGANIZATION_MEMBER: Family = Family {
    level: Level::OrganizationMember,
    id: "user_id",
    alias: None,
    fields: &[],
    kept: &[],
    not_yet: &[],
};
/// Most members that one request adds.
const ADDED_MAX: usize = 500;
/// The role that administrates the organization.
const ADMIN: &str = "org_admin";
/// The roles within an organization (management-api §4).
const ROLES: [&str; 3] = [ADMIN, "internal_user", "internal_user_viewer"];

const ORGANIZATION: Field = text("organization_id", "The organization").required();
const BUDGET: Field =
    dollars("max_budget_in_organization", "Most dollars in all, of their keys in it");
const USER: [Field; 2] =
    [text("user_id", "The user"), text("user_email", "Their address, in place of `user_id`")];

pub(crate) fn routes() -> Vec<Route> {
    let member = one_or_more("member", "Who is added: `{user_id, role}`, or a list of such");
    let role = choice("role", &ROLES, "The role in the organization");
    vec![
        Route::command(
            ("POST", "/organization/member_add"),
            Audience::OrganizationAdmins,
            ("Put users in an organization", Shape::of(&[ORGANIZATION, member.required(), BUDGET])),
            add,
        ),
        Route::command(
            ("PATCH", "/organization/member_update"),
            Audience::OrganizationAdmins,
            (
                "Change the role or budget of a member",
                Shape::of(&[ORGANIZATION, role, BUDGET]).and(&USER),
            ),
            update,
        ),
        Route::command(
            ("DELETE", "/organization/member_delete"),
            Audience::OrganizationAdmins,
            ("Take a user out of an organization", Shape::of(&[ORGANIZATION]).and(&USER)),
            delete,
        ),
    ]
}

async fn add(desk: Desk, fields: Fields) -> Result<Value, Refusal> {
    let organization = changeable(&desk, &fields).await?;
    let listed = fields.one_or_more("member", ADDED_MAX)?;
    let mut rows = Vec::with_capacity(listed.len());
    for (index, member) in listed.iter().enumerate() {
        let place = format!("member[{index}]");
        let part = Fields::part(&place, member, &["role", "user_id", "user_email"])?;
        let user = users::named(&desk, &part).await?;
        let role = part.parsed("role", role)?.value().unwrap_or_else(|| ROLES[1].to_owned());
        let mut row = fresh(&desk, &organization.id, &user, &role);
        fields.dollars(BUDGET.name)?.apply(&mut row.limits.max_budget);
        rows.push(row);
    }
    ORGANIZATION_MEMBER.insert(&desk, &rows).await.map_err(already_in)?;
    let mut added = Vec::with_capacity(rows.len());
    for row in &rows {
        added.push(shown(&desk, row).await?);
    }
    let users: Vec<Value> = rows.iter().map(|row| json!({ "user_id": row.id })).collect();
    Ok(json!({
        "organization_id": organization.id,
        "updated_users": users,
        "updated_organization_memberships": added,
    }))
}

async fn update(desk: Desk, fields: Fields) -> Result<Value, Refusal> {
    let organization = changeable(&desk, &fields).await?;
    let mut row = member(&desk, &organization.id, &fields).await?;
    fields.dollars(BUDGET.name)?.apply(&mut row.limits.max_budget);
    if let Some(role) = fields.parsed("role", role)?.value() {
        row.metadata.insert("role".to_owned(), json!(role));
    }
    ORGANIZATION_MEMBER.save(&desk, &mut row).await?;
    shown(&desk, &row).await
}

/// Takes a user out of an organization. Their keys stay, as in LiteLLM, and are still bound by the
/// organization's limits.
async fn delete(desk: Desk, fields: Fields) -> Result<Value, Refusal> {
    let organization = changeable(&desk, &fields).await?;
    let row = member(&desk, &organization.id, &fields).await?;
    let answer = shown(&desk, &row).await?;
    ORGANIZATION_MEMBER.delete_named(&desk, &organization.id, &[row.id]).await?;
    Ok(answer)
}

/// The organization that the request names, if its members are the caller's to change.
async fn changeable(desk: &Desk, fields: &Fields) -> Result<EntityRow, Refusal> {
    let id = fields.required("organization_id", OrganizationId::new)?;
    desk.must_change(Scope::Organization(&id))?;
    organizations::ORGANIZATION.find(desk, id.as_str()).await
}

async fn member(desk: &Desk, organization: &str, fields: &Fields) -> Result<EntityRow, Refusal> {
    let user = users::named(desk, fields).await?;
    let found = desk.db.find_entity(Level::OrganizationMember, organization, &user).await;
    let found = found.map_err(|problem| problem::store(&problem))?;
    found.ok_or_else(|| problem::absent("member of this organization", "user_id", &user))
}

/// A new member without a budget.
pub(super) fn fresh(desk: &Desk, organization: &str, user: &str, role: &str) -> EntityRow {
    let row = EntityRow::new(Level::OrganizationMember, organization, user, desk.clock.now());
    let by = Some(desk.name());
    let metadata = Map::from_iter([("role".to_owned(), json!(role))]);
    EntityRow { created_by: by.clone(), updated_by: by, metadata, ..row }
}

/// Everybody in an organization, by identity; at most one page of them.
pub(super) async fn of_organization(admin: &Admin, id: &str) -> Result<Vec<Value>, Refusal> {
    let mut members = Vec::new();
    for row in rows(admin, id).await? {
        members.push(shown(admin, &row).await?);
    }
    Ok(members)
}

/// The users of an organization.
pub(super) async fn ids(admin: &Admin, id: &str) -> Result<Vec<String>, Refusal> {
    Ok(rows(admin, id).await?.into_iter().map(|row| row.id).collect())
}

async fn rows(admin: &Admin, id: &str) -> Result<Vec<EntityRow>, Refusal> {
    let after = (id, "");
    let page = admin.db.list_entities(Level::OrganizationMember, after, ENTITIES_PER_PAGE_MAX);
    let page = page.await.map_err(|problem| problem::store(&problem))?;
    Ok(page.into_iter().take_while(|row| row.within == id).collect())
}

async fn shown(admin: &Admin, row: &EntityRow) -> Result<Value, Refusal> {
    let account = account(admin, row).await?;
    let mut own = Map::new();
    limits::show(&row.limits, &mut own);
    Ok(json!({
        "user_id": row.id,
        "organization_id": row.within,
        "user_role": row.metadata.get("role"),
        "spend": account.spent,
        "budget_id": null,
        "litellm_budget_table": own,
        "created_at": row.created_at.to_string(),
        "updated_at": row.updated_at.to_string(),
    }))
}

fn role(text: &str) -> Result<String, String> {
    let known = ROLES.contains(&text).then(|| text.to_owned());
    known.ok_or_else(|| format!("expected one of {ROLES:?}"))
}

fn already_in(refusal: Refusal) -> Refusal {
    if refusal.reason == Reason::EntityExists {
        return refusal.with_kind("user_already_in_organization");
    }
    refusal
}

impl Admin {
    /// The organizations of a user, and whether they administrate them.
    pub(crate) async fn organizations_of(
        &self,
        user: &UserId,
    ) -> Result<Vec<(OrganizationId, bool)>, Refusal> {
        let rows = self.db.list_memberships(Level::OrganizationMember, user).await;
        let rows = rows.map_err(|problem| problem::store(&problem))?;
        let read = |row: EntityRow| {
            let role = row.metadata.get("role").and_then(Value::as_str);
            Some((OrganizationId::new(&row.within).ok()?, role == Some(ADMIN)))
        };
        Ok(rows.into_iter().filter_map(read).collect())
    }
}
