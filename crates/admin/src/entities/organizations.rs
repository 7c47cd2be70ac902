//! Organizations.

use serde_json::{Value, json};
use tollgate_domain::{Level, OrganizationId};
use tollgate_faults::Refusal;
use tollgate_policy::{Audience, Scope};
use tollgate_store::EntityRow;

use super::{Family, organization_members, teams};
use crate::asked::Asked;
use crate::desk::Desk;
use crate::fields::Fields;
use crate::keys::alias;
use crate::query::forbidden;
use crate::route::Route;
use crate::routes::Admin;
use crate::shape::{Field, text};

/// Organizations.
pub(crate) const ORGANIZATION: Family = Family {
    level: Level::Organization,
    id: "organization_id",
    alias: Some("organization_alias"),
    fields: &["models", "metadata"],
    kept: &[],
    not_yet: &["allowed_models", "object_permission"],
};

/// What a list can be asked by.
const LISTED_BY: [Field; 2] =
    [text("org_id", "Only this one"), text("org_alias", "A part of the wanted names")];

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::command(
            ("POST", "/organization/new"),
            Audience::Admins,
            ("Make an organization", ORGANIZATION.shape()),
            new,
        ),
        Route::command(
            ("PATCH", "/organization/update"),
            Audience::Admins,
            ("Change an organization", ORGANIZATION.shape()),
            update,
        ),
        Route::command(
            ("PATCH", "/v2/organization/{organization_id}"),
            Audience::Admins,
            ("Change an organization", ORGANIZATION.shape()),
            update,
        ),
        Route::command(
            ("DELETE", "/organization/delete"),
            Audience::Admins,
            ("Delete organizations with their teams and keys", Family::listing("organization_ids")),
            delete,
        ),
        Route::question(
            "/organization/info",
            Audience::Keys,
            (
                "An organization with its teams and members",
                &[text(ORGANIZATION.id, "The organization").required()],
            ),
            info,
        ),
        Route::question("/organization/list", Audience::Keys, ("Organizations", &LISTED_BY), list),
    ]
}

async fn new(desk: Desk, fields: Fields) -> Result<Value, Refusal> {
    fields.required("organization_alias", alias)?;
    let row = ORGANIZATION.create(&desk, &fields).await?;
    shown(&desk, &row).await
}

async fn update(desk: Desk, fields: Fields) -> Result<Value, Refusal> {
    let row = ORGANIZATION.change(&desk, &fields).await?;
    shown(&desk, &row).await
}

/// Deletes organizations with their teams and keys.
async fn delete(desk: Desk, fields: Fields) -> Result<Value, Refusal> {
    let (_, deleted) = ORGANIZATION.delete(&desk, &fields, "organization_ids").await?;
    let named = deleted.entities.iter().filter(|row| row.level == Level::Organization);
    let shown = named.map(|row| {
        json!({ "organization_id": row.id, "organization_alias": row.alias, "models": row.models })
    });
    Ok(shown.collect())
}

async fn info(desk: Desk, asked: Asked) -> Result<Value, Refusal> {
    let row = ORGANIZATION.find(&desk, asked.required(ORGANIZATION.id)?).await?;
    if !may_see(&desk, &row) {
        return Err(forbidden("this is not the caller's organization"));
    }
    let mut shown = ORGANIZATION.shown_with_budget(&desk, &row).await?;
    let is_own = |team: &&EntityRow| {
        team.organization.as_ref().is_some_and(|organization| organization.as_str() == row.id)
    };
    let mut own = Vec::new();
    for team in teams::TEAM.every(&desk).await?.iter().filter(is_own) {
        own.push(Value::Object(teams::shown(&desk, team).await?));
    }
    shown.insert("teams".to_owned(), Value::Array(own));
    let members = organization_members::of_organization(&desk, &row.id).await?;
    shown.insert("members".to_owned(), Value::Array(members));
    Ok(Value::Object(shown))
}

async fn list(desk: Desk, asked: Asked) -> Result<Value, Refusal> {
    let is_asked_for = |row: &&EntityRow| {
        let alias = row.alias.as_deref().unwrap_or_default().to_lowercase();
        asked.text("org_id").is_none_or(|id| row.id == id)
            && asked.text("org_alias").is_none_or(|part| alias.contains(&part.to_lowercase()))
    };
    let mut organizations = Vec::new();
    for row in ORGANIZATION.every(&desk).await?.iter().filter(is_asked_for) {
        if may_see(&desk, row) {
            organizations.push(shown(&desk, row).await?);
        }
    }
    Ok(Value::Array(organizations))
}

fn may_see(desk: &Desk, row: &EntityRow) -> bool {
    let id = OrganizationId::new(&row.id);
    id.is_ok_and(|id| desk.may_see(Scope::Organization(&id)))
}

async fn shown(admin: &Admin, row: &EntityRow) -> Result<Value, Refusal> {
    Ok(Value::Object(ORGANIZATION.shown_with_budget(admin, row).await?))
}
