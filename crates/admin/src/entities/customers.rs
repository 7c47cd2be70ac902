//! Customers: the end users on whose behalf applications call.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};
use tollgate_domain::Level;
use tollgate_faults::Refusal;
use tollgate_store::EntityRow;

use super::{Family, identity, listed};
use crate::asked::Asked;
use crate::fields::Fields;
use crate::keys::MASTER;
use crate::problem::{self, wrong};
use crate::routes::{Admin, Route};

/// Customers.
pub(crate) const CUSTOMER: Family = Family {
    level: Level::Customer,
    id: "user_id",
    alias: Some("alias"),
    fields: &["blocked"],
    kept: &[],
    not_yet: &["allowed_model_region", "default_model", "object_permission", "spend"],
};

/// Every route under LiteLLM's two names for a customer.
pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::command("POST", "/customer/new", new),
        Route::command("POST", "/end_user/new", new),
        Route::command("POST", "/customer/update", update),
        Route::command("POST", "/end_user/update", update),
        Route::command("POST", "/customer/delete", delete),
        Route::command("POST", "/end_user/delete", delete),
        Route::command("POST", "/customer/block", block),
        Route::command("POST", "/end_user/block", block),
        Route::command("POST", "/customer/unblock", unblock),
        Route::command("POST", "/end_user/unblock", unblock),
        Route::question("/customer/info", info),
        Route::question("/end_user/info", info),
        Route::question("/customer/list", list),
        Route::question("/end_user/list", list),
    ]
}

async fn new(admin: Arc<Admin>, body: Bytes) -> Result<Value, Refusal> {
    let fields = CUSTOMER.read(&body, &[])?;
    fields.required(CUSTOMER.id, identity)?;
    must_be_of_one_kind(&fields)?;
    let mut row = CUSTOMER.blank(&admin, &fields)?;
    CUSTOMER.apply(&admin, &fields, &mut row).await?;
    CUSTOMER.insert(&admin, std::slice::from_ref(&row)).await?;
    shown(&admin, &row).await
}

async fn update(admin: Arc<Admin>, body: Bytes) -> Result<Value, Refusal> {
    let row = CUSTOMER.change(&admin, &body).await?;
    shown(&admin, &row).await
}

async fn delete(admin: Arc<Admin>, body: Bytes) -> Result<Value, Refusal> {
    let (customers, _) = CUSTOMER.delete(&admin, &body, "user_ids").await?;
    let count = customers.len();
    Ok(json!({ "deleted_customers": count, "message": format!("deleted {count} customers") }))
}

/// Blocks customers. One that nobody named so far is made, so that it is blocked from its first
/// call on.
async fn block(admin: Arc<Admin>, body: Bytes) -> Result<Value, Refusal> {
    let mut blocked = Vec::new();
    for id in listed(&Fields::read(&body, &["user_ids"], &[])?, "user_ids")? {
        let id = identity(&id).map_err(|problem| wrong("user_ids", problem))?;
        let found = admin.db.find_entity(Level::Customer, "", &id).await;
        let mut row = match found.map_err(|problem| problem::store(&problem))? {
            Some(row) => row,
            None => fresh(&admin, &id).await?,
        };
        CUSTOMER.block(&admin, &mut row, true).await?;
        blocked.push(shown(&admin, &row).await?);
    }
    Ok(json!({ "blocked_users": blocked }))
}

async fn fresh(admin: &Admin, id: &str) -> Result<EntityRow, Refusal> {
    let row = EntityRow::new(Level::Customer, "", id, admin.clock.now());
    let row = EntityRow { created_by: Some(MASTER.to_owned()), ..row };
    let inserted = admin.db.insert_entity(&row).await;
    // Somebody else may have been quicker; theirs has more in it.
    if inserted.map_err(|problem| problem::store(&problem))? {
        Ok(row)
    } else {
        CUSTOMER.find(admin, id).await
    }
}

async fn unblock(admin: Arc<Admin>, body: Bytes) -> Result<Value, Refusal> {
    let mut unblocked = Vec::new();
    for id in listed(&Fields::read(&body, &["user_ids"], &[])?, "user_ids")? {
        let mut row = CUSTOMER.find(&admin, &id).await?;
        CUSTOMER.block(&admin, &mut row, false).await?;
        unblocked.push(shown(&admin, &row).await?);
    }
    Ok(json!({ "unblocked_users": unblocked }))
}

async fn info(admin: Arc<Admin>, asked: Asked) -> Result<Value, Refusal> {
    asked.must_be_among(&["end_user_id"])?;
    let row = CUSTOMER.find(&admin, asked.required("end_user_id")?).await?;
    shown(&admin, &row).await
}

async fn list(admin: Arc<Admin>, asked: Asked) -> Result<Value, Refusal> {
    asked.must_be_among(&[])?;
    let mut customers = Vec::new();
    for row in CUSTOMER.every(&admin).await? {
        customers.push(shown(&admin, &row).await?);
    }
    Ok(Value::Array(customers))
}

async fn shown(admin: &Admin, row: &EntityRow) -> Result<Value, Refusal> {
    Ok(Value::Object(CUSTOMER.shown_with_budget(admin, row).await?))
}

/// A customer has a shared budget or one of its own (management-api §5).
fn must_be_of_one_kind(fields: &Fields) -> Result<(), Refusal> {
    let both = fields.text("budget_id")?.value().is_some()
        && fields.dollars("max_budget")?.value().is_some();
    if both {
        let message = "`max_budget` and `budget_id` exclude each other";
        return Err(wrong("budget_id", message).with_status(422));
    }
    Ok(())
}
