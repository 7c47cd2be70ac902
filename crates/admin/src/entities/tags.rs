//! Tags: words that calls carry, with budgets of their own.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Map, Value, json};
use tollgate_domain::Level;
use tollgate_faults::Refusal;
use tollgate_store::EntityRow;

use super::{Family, identity, listed};
use crate::asked::Asked;
use crate::fields::Fields;
use crate::problem;
use crate::routes::{Admin, Route};

/// Tags.
pub(crate) const TAG: Family = Family {
    level: Level::Tag,
    id: "name",
    alias: None,
    fields: &[],
    kept: &["description"],
    not_yet: &["model_info", "models"],
};

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::command("POST", "/tag/new", new),
        Route::command("POST", "/tag/update", update),
        Route::command("POST", "/tag/delete", delete),
        Route::command("POST", "/tag/info", info),
        Route::question("/tag/list", list),
    ]
}

async fn new(admin: Arc<Admin>, body: Bytes) -> Result<Value, Refusal> {
    TAG.read(&body, &[])?.required(TAG.id, identity)?;
    let row = TAG.create(&admin, &body).await?;
    changed(&admin, &row, "created").await
}

async fn update(admin: Arc<Admin>, body: Bytes) -> Result<Value, Refusal> {
    let row = TAG.change(&admin, &body).await?;
    changed(&admin, &row, "updated").await
}

async fn changed(admin: &Admin, row: &EntityRow, how: &str) -> Result<Value, Refusal> {
    let message = format!("Tag {} {how} successfully", row.id);
    Ok(json!({ "message": message, "tag": shown(admin, row).await? }))
}

async fn delete(admin: Arc<Admin>, body: Bytes) -> Result<Value, Refusal> {
    let name = Fields::read(&body, &[TAG.id], &[])?.required(TAG.id, identity)?;
    let message = format!("Tag {name} deleted successfully");
    TAG.delete_named(&admin, "", &[name]).await?;
    Ok(json!({ "message": message }))
}

/// The tags that are named; one that does not exist is left out.
async fn info(admin: Arc<Admin>, body: Bytes) -> Result<Value, Refusal> {
    let names = listed(&Fields::read(&body, &["names"], &[])?, "names")?;
    let mut tags = Map::new();
    for name in names {
        let found = admin.db.find_entity(Level::Tag, "", &name).await;
        if let Some(row) = found.map_err(|problem| problem::store(&problem))? {
            tags.insert(name, shown(&admin, &row).await?);
        }
    }
    Ok(Value::Object(tags))
}

async fn list(admin: Arc<Admin>, asked: Asked) -> Result<Value, Refusal> {
    asked.must_be_among(&[])?;
    let mut tags = Vec::new();
    for row in TAG.every(&admin).await? {
        tags.push(shown(&admin, &row).await?);
    }
    Ok(Value::Array(tags))
}

async fn shown(admin: &Admin, row: &EntityRow) -> Result<Value, Refusal> {
    Ok(Value::Object(TAG.shown_with_budget(admin, row).await?))
}
