//! Tags: words that calls carry, with budgets of their own.

use serde_json::{Map, Value, json};
use tollgate_domain::Level;
use tollgate_faults::Refusal;
use tollgate_policy::Audience;
use tollgate_store::EntityRow;

use super::{Family, identity, listed};
use crate::asked::Asked;
use crate::desk::Desk;
use crate::fields::Fields;
use crate::problem;
use crate::route::Route;
use crate::routes::Admin;
use crate::shape::text;

/// Tags.
pub(crate) const TAG: Family = Family {
    level: Level::Tag,
    id: "name",
    alias: None,
    fields: &[],
    kept: &[text("description", "What it is for")],
    not_yet: &["model_info", "models"],
};

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::command(("POST", "/tag/new"), Audience::Admins, ("Make a tag", TAG.shape()), new),
        Route::command(
            ("POST", "/tag/update"),
            Audience::Admins,
            ("Change a tag", TAG.shape()),
            update,
        ),
        Route::command(
            ("POST", "/tag/delete"),
            Audience::Admins,
            ("Delete a tag", TAG.naming()),
            delete,
        ),
        Route::lookup(
            "/tag/info",
            Audience::Admins,
            ("Tags by their names", Family::listing("names")),
            info,
        ),
        Route::question("/tag/list", Audience::Managers, ("Tags", &[]), list),
    ]
}

async fn new(desk: Desk, fields: Fields) -> Result<Value, Refusal> {
    fields.required(TAG.id, identity)?;
    let row = TAG.create(&desk, &fields).await?;
    changed(&desk, &row, "created").await
}

async fn update(desk: Desk, fields: Fields) -> Result<Value, Refusal> {
    let row = TAG.change(&desk, &fields).await?;
    changed(&desk, &row, "updated").await
}

async fn changed(admin: &Admin, row: &EntityRow, how: &str) -> Result<Value, Refusal> {
    let message = format!("Tag {} {how} successfully", row.id);
    Ok(json!({ "message": message, "tag": shown(admin, row).await? }))
}

async fn delete(desk: Desk, fields: Fields) -> Result<Value, Refusal> {
    let name = fields.required(TAG.id, identity)?;
    let message = format!("Tag {name} deleted successfully");
    TAG.delete_named(&desk, "", &[name]).await?;
    Ok(json!({ "message": message }))
}

/// The tags that are named; one that does not exist is left out.
async fn info(desk: Desk, fields: Fields) -> Result<Value, Refusal> {
    let names = listed(&fields, "names")?;
    let mut tags = Map::new();
    for name in names {
        let found = desk.db.find_entity(Level::Tag, "", &name).await;
        if let Some(row) = found.map_err(|problem| problem::store(&problem))? {
            tags.insert(name, shown(&desk, &row).await?);
        }
    }
    Ok(Value::Object(tags))
}

async fn list(desk: Desk, _: Asked) -> Result<Value, Refusal> {
    let mut tags = Vec::new();
    for row in TAG.every(&desk).await? {
        tags.push(shown(&desk, &row).await?);
    }
    Ok(Value::Array(tags))
}

async fn shown(admin: &Admin, row: &EntityRow) -> Result<Value, Refusal> {
    Ok(Value::Object(TAG.shown_with_budget(admin, row).await?))
}
