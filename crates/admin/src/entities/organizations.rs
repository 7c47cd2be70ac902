//! Organizations.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};
use tollgate_domain::Level;
use tollgate_faults::Refusal;
use tollgate_store::EntityRow;

use super::{Family, teams};
use crate::asked::Asked;
use crate::keys::alias;
use crate::routes::{Admin, Route};

/// Organizations.
pub(crate) const ORGANIZATION: Family = Family {
    level: Level::Organization,
    id: "organization_id",
    alias: Some("organization_alias"),
    fields: &["models", "metadata"],
    kept: &[],
    not_yet: &["allowed_models", "object_permission"],
};

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::command("POST", "/organization/new", new),
        Route::command("PATCH", "/organization/update", update),
        Route::command("DELETE", "/organization/delete", delete),
        Route::question("/organization/info", info),
        Route::question("/organization/list", list),
    ]
}

async fn new(admin: Arc<Admin>, body: Bytes) -> Result<Value, Refusal> {
    let fields = ORGANIZATION.read(&body, &[])?;
    fields.required("organization_alias", alias)?;
    let row = ORGANIZATION.create(&admin, &body).await?;
    shown(&admin, &row).await
}

async fn update(admin: Arc<Admin>, body: Bytes) -> Result<Value, Refusal> {
    let row = ORGANIZATION.change(&admin, &body).await?;
    shown(&admin, &row).await
}

/// Deletes organizations with their teams and keys.
async fn delete(admin: Arc<Admin>, body: Bytes) -> Result<Value, Refusal> {
    let (_, deleted) = ORGANIZATION.delete(&admin, &body, "organization_ids").await?;
    let named = deleted.entities.iter().filter(|row| row.level == Level::Organization);
    let shown = named.map(|row| {
        json!({ "organization_id": row.id, "organization_alias": row.alias, "models": row.models })
    });
    Ok(shown.collect())
}

async fn info(admin: Arc<Admin>, asked: Asked) -> Result<Value, Refusal> {
    asked.must_be_among(&[ORGANIZATION.id])?;
    let row = ORGANIZATION.find(&admin, asked.required(ORGANIZATION.id)?).await?;
    let mut shown = ORGANIZATION.shown_with_budget(&admin, &row).await?;
    let is_own = |team: &&EntityRow| {
        team.organization.as_ref().is_some_and(|organization| organization.as_str() == row.id)
    };
    let mut own = Vec::new();
    for team in teams::TEAM.every(&admin).await?.iter().filter(is_own) {
        own.push(Value::Object(teams::shown(&admin, team).await?));
    }
    shown.insert("teams".to_owned(), Value::Array(own));
    shown.insert("members".to_owned(), json!([]));
    Ok(Value::Object(shown))
}

async fn list(admin: Arc<Admin>, asked: Asked) -> Result<Value, Refusal> {
    asked.must_be_among(&["org_id", "org_alias"])?;
    let is_asked_for = |row: &&EntityRow| {
        let alias = row.alias.as_deref().unwrap_or_default().to_lowercase();
        asked.text("org_id").is_none_or(|id| row.id == id)
            && asked.text("org_alias").is_none_or(|part| alias.contains(&part.to_lowercase()))
    };
    let mut organizations = Vec::new();
    for row in ORGANIZATION.every(&admin).await?.iter().filter(is_asked_for) {
        organizations.push(shown(&admin, row).await?);
    }
    Ok(Value::Array(organizations))
}

async fn shown(admin: &Admin, row: &EntityRow) -> Result<Value, Refusal> {
    Ok(Value::Object(ORGANIZATION.shown_with_budget(admin, row).await?))
}
