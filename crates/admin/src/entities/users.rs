//! Internal users.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use tollgate_domain::{Level, OrganizationId, UserId};
use tollgate_faults::Refusal;
use tollgate_policy::{Audience, Scope};
use tollgate_store::{EntityRow, KEYS_PER_PAGE_MAX, KeyFilter};

use super::{Family, identity, listed, organization_members, teams, user_new};
use crate::asked::Asked;
use crate::desk::Desk;
use crate::fields::Fields;
use crate::keys;
use crate::problem::{self, wrong};
use crate::query::forbidden;
use crate::route::Route;
use crate::routes::Admin;
use crate::shape::{Field, choice, count, text};

/// Users.
pub(crate) const USER: Family = Family {
    level: Level::User,
    id: "user_id",
    alias: Some("user_alias"),
    fields: &["blocked", "models", "metadata"],
    kept: &[
        text("user_email", "Their address"),
        choice("user_role", &ROLES, "What they may do in the gateway"),
        text("sso_user_id", "Their identity at the identity provider"),
    ],
    not_yet: &[
        "aliases",
        "allowed_cache_controls",
        "config",
        "duration",
        "guardrails",
        "key_alias",
        "object_permission",
        "password",
        "permissions",
        "send_invite_email",
        "team_id",
    ],
};
/// The roles that can be given (management-api §4).
const ROLES: [&str; 4] =
    ["proxy_admin", "proxy_admin_viewer", "internal_user", "internal_user_viewer"];
/// What users may change of their own record.
const OWN: [&str; 2] = ["user_alias", "user_email"];
/// What a list can be asked by.
const LISTED_BY: [Field; 5] = [
    choice("role", &ROLES, "Only users with this role"),
    text("user_ids", "Identities between commas; one alone is a part of the wanted ones"),
    text("user_email", "A part of the address"),
    count("page", "The page, from 1"),
    count("page_size", "Users on a page, up to 100"),
];
/// How many users a page has unless the query says otherwise.
const PAGE_SIZE: u32 = 25;

pub(crate) fn routes() -> Vec<Route> {
    vec![
        user_new::route(),
        Route::command(
            ("POST", "/user/update"),
            Audience::Keys,
            ("Change a user; everybody may change their own name and address", USER.shape()),
            update,
        ),
        Route::command(
            ("POST", "/user/delete"),
            Audience::OrganizationAdmins,
            ("Delete users with their keys", Family::listing("user_ids")),
            delete,
        ),
        Route::question(
            "/user/info",
            Audience::Keys,
            ("A user with their keys and teams", &[text(USER.id, "The user; else the caller's")]),
            info,
        ),
        Route::question(
            "/user/list",
            Audience::OrganizationAdmins,
            ("Users, page by page", &LISTED_BY),
            list,
        ),
        Route::question(
            "/v2/user/info",
            Audience::Keys,
            ("A user alone", &[text(USER.id, "The user; else the caller's")]),
            alone,
        ),
        Route::question(
            "/user/available_roles",
            Audience::Keys,
            ("The roles that users can have", &[]),
            available_roles,
        ),
    ]
}

/// Only who administrates the gateway gives a role in it.
pub(super) fn may_give_role(desk: &Desk, row: &EntityRow) -> Result<(), Refusal> {
    match row.metadata.get("user_role").and_then(Value::as_str) {
        Some("proxy_admin" | "proxy_admin_viewer") => desk.must_change(Scope::Gateway),
        _ => Ok(()),
    }
}

/// The user that a request names by their identity or by their address.
pub(super) async fn named(desk: &Desk, fields: &Fields) -> Result<String, Refusal> {
    if let Some(id) = fields.parsed(USER.id, identity)?.value() {
        return Ok(id);
    }
    let Some(email) = fields.text("user_email")?.value() else {
        return Err(problem::missing(USER.id, "name a user by `user_id` or `user_email`"));
    };
    let has = |row: &EntityRow| {
        let own = row.metadata.get("user_email").and_then(Value::as_str);
        own.is_some_and(|own| own.eq_ignore_ascii_case(&email))
    };
    let mut found = USER.every(desk).await?.into_iter().filter(has);
    match (found.next(), found.next()) {
        (Some(row), None) => Ok(row.id),
        (None, _) => Err(problem::absent("user with the address", "user_email", &email)),
        (Some(_), Some(_)) => Err(wrong("user_email", "several users have this address")),
    }
}

/// The user that a request is to change, if that is the caller's.
async fn changeable(desk: &Desk, id: &str) -> Result<EntityRow, Refusal> {
    let user = UserId::new(id).map_err(|problem| wrong(USER.id, problem))?;
    let organizations = desk.organizations_of(&user).await?;
    let organizations: Vec<OrganizationId> = organizations.into_iter().map(|(id, _)| id).collect();
    desk.must_change(Scope::User { id: &user, organizations: &organizations })?;
    let row = USER.find(desk, id).await?;
    may_give_role(desk, &row)?;
    Ok(row)
}

async fn update(desk: Desk, fields: Fields) -> Result<Value, Refusal> {
    let row = changed(&desk, &fields).await?;
    Ok(json!({ "user_id": row.id, "data": USER.shown(&desk, &row).await? }))
}

/// Changes the user that a request names, as far as the caller may.
pub(super) async fn changed(desk: &Desk, fields: &Fields) -> Result<EntityRow, Refusal> {
    let id = fields.required(USER.id, identity)?;
    let own = is_own(desk, &id);
    let mut row = if own {
        says_only_names(fields)?;
        USER.find(desk, &id).await?
    } else {
        changeable(desk, &id).await?
    };
    apply(desk, fields, &mut row).await?;
    if !own {
        may_give_role(desk, &row)?;
    }
    USER.save(desk, &mut row).await?;
    Ok(row)
}

/// Whether this is the record of a caller who does not manage everything.
fn is_own(desk: &Desk, id: &str) -> bool {
    !desk.by.is_admin() && desk.by.user.as_ref().is_some_and(|user| user.as_str() == id)
}

/// Of their own record, callers change what people call them by: never what they may, or may spend.
fn says_only_names(fields: &Fields) -> Result<(), Refusal> {
    let own = |name: &str| name == USER.id || OWN.contains(&name);
    match fields.sent().find(|name| !own(name)) {
        Some(name) => {
            let name = problem::echo(name);
            Err(forbidden(&format!("`{name}` is for an administrator to change")))
        }
        None => Ok(()),
    }
}

pub(super) async fn apply(
    admin: &Admin,
    fields: &Fields,
    row: &mut EntityRow,
) -> Result<(), Refusal> {
    fields.parsed("user_role", |text| {
        ROLES.contains(&text).then_some(()).ok_or_else(|| format!("expected one of {ROLES:?}"))
    })?;
    USER.apply(admin, fields, row).await
}

async fn delete(desk: Desk, fields: Fields) -> Result<Value, Refusal> {
    for id in listed(&fields, "user_ids")? {
        changeable(&desk, &id).await?;
    }
    let (users, _) = USER.delete(&desk, &fields, "user_ids").await?;
    Ok(json!(users.len()))
}

async fn info(desk: Desk, asked: Asked) -> Result<Value, Refusal> {
    let row = seen(&desk, &asked).await?;
    let of_user = KeyFilter { user: Some(row.id.clone()), ..KeyFilter::default() };
    let keys = keys::listed(&desk, &of_user, 0, KEYS_PER_PAGE_MAX).await?.0;
    let mut teams = Vec::new();
    for id in team_ids(&desk, &row.id).await? {
        let team = desk.db.find_entity(Level::Team, "", &id).await;
        if let Some(team) = team.map_err(|problem| problem::store(&problem))? {
            teams.push(teams::shown(&desk, &team).await?);
        }
    }
    let shown = shown(&desk, &row).await?;
    Ok(json!({ "user_id": row.id, "user_info": shown, "keys": keys, "teams": teams }))
}

async fn alone(desk: Desk, asked: Asked) -> Result<Value, Refusal> {
    let row = seen(&desk, &asked).await?;
    Ok(Value::Object(shown(&desk, &row).await?))
}

/// What each role is for, in LiteLLM's shape.
async fn available_roles(_: Desk, _: Asked) -> Result<Value, Refusal> {
    let about = [
        ("Admin", "sees and changes everything"),
        ("Admin (sees)", "sees everything"),
        ("User", "makes keys, and sees and changes what is their own"),
        ("User (sees)", "sees what is their own"),
    ];
    let roles = ROLES.into_iter().zip(about).map(|(role, (label, description))| {
        (role.to_owned(), json!({ "description": description, "ui_label": label }))
    });
    Ok(Value::Object(roles.collect()))
}

/// The user that a query names, else the caller's own, if the caller may see them.
async fn seen(desk: &Desk, asked: &Asked) -> Result<EntityRow, Refusal> {
    let own = desk.by.user.as_ref().map(UserId::as_str);
    let id = asked.text(USER.id).or(own);
    let id = id.ok_or_else(|| problem::missing(USER.id, "name one with `?user_id=`"))?;
    let user = UserId::new(id).map_err(|problem| wrong(USER.id, problem))?;
    let organizations = desk.organizations_of(&user).await?;
    let organizations: Vec<OrganizationId> = organizations.into_iter().map(|(id, _)| id).collect();
    desk.must_see(Scope::User { id: &user, organizations: &organizations })?;
    USER.find(desk, id).await
}

async fn list(desk: Desk, asked: Asked) -> Result<Value, Refusal> {
    let page = asked.page("page_size", PAGE_SIZE)?;
    let found = USER.every(&desk).await?.into_iter().filter(|row| is_asked_for(row, &asked));
    let found = visible(&desk, found.collect()).await?;
    let total = found.len() as u64;
    let size = usize::try_from(page.size).unwrap_or(usize::MAX);
    let mut users = Vec::new();
    for row in found.iter().skip(page.skipped()).take(size) {
        users.push(shown(&desk, row).await?);
    }
    Ok(json!({
        "users": users,
        "total": total,
        "page": page.number,
        "page_size": page.size,
        "total_pages": page.count(total),
    }))
}

/// Those of the users whom the caller may see.
async fn visible(desk: &Desk, rows: Vec<EntityRow>) -> Result<Vec<EntityRow>, Refusal> {
    if desk.by.sees_all() {
        return Ok(rows);
    }
    let mut own = BTreeSet::new();
    let administrated = desk.by.organizations.iter().filter(|(_, admin)| **admin);
    for (id, _) in administrated {
        own.extend(organization_members::ids(desk, id.as_str()).await?);
    }
    Ok(rows.into_iter().filter(|row| own.contains(&row.id)).collect())
}

/// Whether a user is one of those that a list is asked for. One identity alone is a part of the
/// wanted ones, as in LiteLLM.
fn is_asked_for(row: &EntityRow, asked: &Asked) -> bool {
    let text = |name: &str| row.metadata.get(name).and_then(Value::as_str).unwrap_or_default();
    let named = |ids: &str| match ids.split_once(',') {
        None => row.id.contains(ids),
        Some(_) => ids.split(',').any(|id| id.trim() == row.id),
    };
    let email = text("user_email").to_lowercase();
    asked.text("role").is_none_or(|role| text("user_role") == role)
        && asked.text("user_ids").is_none_or(named)
        && asked.text("user_email").is_none_or(|part| email.contains(&part.to_lowercase()))
}

async fn shown(admin: &Admin, row: &EntityRow) -> Result<Map<String, Value>, Refusal> {
    let mut shown = USER.shown(admin, row).await?;
    shown.insert("teams".to_owned(), json!(team_ids(admin, &row.id).await?));
    Ok(shown)
}

async fn team_ids(admin: &Admin, user: &str) -> Result<Vec<String>, Refusal> {
    let user = UserId::new(user).map_err(|problem| wrong(USER.id, problem))?;
    let memberships = admin.db.list_memberships(Level::Member, &user).await;
    let memberships = memberships.map_err(|problem| problem::store(&problem))?;
    Ok(memberships.into_iter().map(|row| row.within).collect())
}

#[cfg(test)]
mod tests;
