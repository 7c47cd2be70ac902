//! Customers: the end users on whose behalf applications call.

use serde_json::{Value, json};
use tollgate_domain::Level;
use tollgate_faults::{Reason, Refusal};
use tollgate_policy::Audience;
use tollgate_store::EntityRow;

use super::{Family, identity, listed};
use crate::asked::Asked;
use crate::desk::Desk;
use crate::fields::Fields;
use crate::problem::{self, wrong};
use crate::route::Route;
use crate::routes::Admin;
use crate::shape::{Shape, text};

/// Customers.
pub(crate) const CUSTOMER: Family = Family {
    level: Level::Customer,
    id: "user_id",
    alias: Some("alias"),
    fields: &["blocked"],
    kept: &[],
    not_yet: &["allowed_model_region", "default_model", "object_permission", "spend"],
};

/// A budget of their own and a shared one exclude each other, which LiteLLM's model says.
const BOTH_BUDGETS: &[(Reason, u16)] = &[(Reason::FieldWrongType, 422)];
/// LiteLLM's two names for a customer.
const NAMES: [[&str; 7]; 2] = [
    [
        "/customer/new",
        "/customer/update",
        "/customer/delete",
        "/customer/block",
        "/customer/unblock",
        "/customer/info",
        "/customer/list",
    ],
    [
        "/end_user/new",
        "/end_user/update",
        "/end_user/delete",
        "/end_user/block",
        "/end_user/unblock",
        "/end_user/info",
        "/end_user/list",
    ],
];

/// Every route under both names.
pub(crate) fn routes() -> Vec<Route> {
    NAMES.into_iter().flat_map(named).collect()
}

fn named(paths: [&'static str; 7]) -> Vec<Route> {
    let [to_make, to_change, to_delete, to_block, to_unblock, to_show, to_list] = paths;
    let admins = Audience::Admins;
    let listing = || Family::listing("user_ids");
    let who = [text("end_user_id", "The customer").required()];
    vec![
        Route::command(("POST", to_make), admins, ("Make a customer", made()), new)
            .refuses_with(BOTH_BUDGETS),
        Route::command(("POST", to_change), admins, ("Change a customer", made()), update),
        Route::command(("POST", to_delete), admins, ("Delete customers", listing()), delete),
        Route::command(("POST", to_block), admins, ("Refuse customers' calls", listing()), block),
        Route::command(
            ("POST", to_unblock),
            admins,
            ("Let customers call again", listing()),
            unblock,
        ),
        Route::question(to_show, admins, ("A customer", &who), info),
        Route::question(to_list, admins, ("Customers", &[]), list),
    ]
}

fn made() -> Shape {
    let mut shape = CUSTOMER.shape();
    let id = shape.fields.iter_mut().find(|field| field.name == CUSTOMER.id);
    id.into_iter().for_each(|field| *field = field.required());
    shape
}

async fn new(desk: Desk, fields: Fields) -> Result<Value, Refusal> {
    must_be_of_one_kind(&fields)?;
    let mut row = CUSTOMER.blank(&desk, &fields)?;
    CUSTOMER.apply(&desk, &fields, &mut row).await?;
    CUSTOMER.insert(&desk, std::slice::from_ref(&row)).await?;
    shown(&desk, &row).await
}

async fn update(desk: Desk, fields: Fields) -> Result<Value, Refusal> {
    let row = CUSTOMER.change(&desk, &fields).await?;
    shown(&desk, &row).await
}

async fn delete(desk: Desk, fields: Fields) -> Result<Value, Refusal> {
    let (customers, _) = CUSTOMER.delete(&desk, &fields, "user_ids").await?;
    let count = customers.len();
    Ok(json!({ "deleted_customers": count, "message": format!("deleted {count} customers") }))
}

/// Blocks customers. One that nobody named so far is made, so that it is blocked from its first
/// call on.
async fn block(desk: Desk, fields: Fields) -> Result<Value, Refusal> {
    let mut blocked = Vec::new();
    for id in listed(&fields, "user_ids")? {
        let id = identity(&id).map_err(|problem| wrong("user_ids", problem))?;
        let found = desk.db.find_entity(Level::Customer, "", &id).await;
        let mut row = match found.map_err(|problem| problem::store(&problem))? {
            Some(row) => row,
            None => fresh(&desk, &id).await?,
        };
        CUSTOMER.block(&desk, &mut row, true).await?;
        blocked.push(shown(&desk, &row).await?);
    }
    Ok(json!({ "blocked_users": blocked }))
}

async fn fresh(desk: &Desk, id: &str) -> Result<EntityRow, Refusal> {
    let row = EntityRow::new(Level::Customer, "", id, desk.clock.now());
    let row = EntityRow { created_by: Some(desk.name()), ..row };
    let inserted = desk.edit().insert_entity(&row).await;
    // Somebody else may have been quicker; theirs has more in it.
    if inserted.map_err(|problem| problem::store(&problem))? {
        Ok(row)
    } else {
        CUSTOMER.find(desk, id).await
    }
}

async fn unblock(desk: Desk, fields: Fields) -> Result<Value, Refusal> {
    let mut unblocked = Vec::new();
    for id in listed(&fields, "user_ids")? {
        let mut row = CUSTOMER.find(&desk, &id).await?;
        CUSTOMER.block(&desk, &mut row, false).await?;
        unblocked.push(shown(&desk, &row).await?);
    }
    Ok(json!({ "unblocked_users": unblocked }))
}

async fn info(desk: Desk, asked: Asked) -> Result<Value, Refusal> {
    let row = CUSTOMER.find(&desk, asked.required("end_user_id")?).await?;
    shown(&desk, &row).await
}

async fn list(desk: Desk, _: Asked) -> Result<Value, Refusal> {
    let mut customers = Vec::new();
    for row in CUSTOMER.every(&desk).await? {
        customers.push(shown(&desk, &row).await?);
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
