//! Keys are changed, blocked, and let spend again.

use serde_json::{Value, json};
use tollgate_faults::Refusal;
use tollgate_store::KeyRow;

use super::make::complete;
use super::record::{apply, shown};
use super::{KEY, account, ceiling, command, named, save, shape, theirs};
use crate::account::RESET_TO;
use crate::desk::Desk;
use crate::fields::Fields;
use crate::problem;
use crate::route::Route;
use crate::shape::Shape;

pub(super) fn routes() -> Vec<Route> {
    vec![
        command("/key/update", ("Change a key", shape(KEY)), update),
        command(
            "/key/block",
            ("Refuse every call of a key", Shape::of(&[KEY.required()])),
            |desk, fields| block(desk, fields, true),
        ),
        command(
            "/key/unblock",
            ("Let a key call again", Shape::of(&[KEY.required()])),
            |desk, fields| block(desk, fields, false),
        ),
        command(
            "/key/{key}/reset_spend",
            (
                "Count less of what a key spent against its budgets",
                Shape::of(&[KEY.required(), RESET_TO]),
            ),
            reset_spend,
        ),
    ]
}

async fn update(desk: Desk, fields: Fields) -> Result<Value, Refusal> {
    let row = changed(&desk, &fields).await?;
    let mut answer = shown(&row, &account(&desk, &row).await?);
    answer.insert("key".to_owned(), json!(row.hash.expose_hex()));
    Ok(Value::Object(answer))
}

/// Changes the key that a request names.
pub(super) async fn changed(desk: &Desk, fields: &Fields) -> Result<KeyRow, Refusal> {
    let before = named(desk, fields).await?;
    let mut row = before.clone();
    alter(desk, fields, (&before, &mut row)).await?;
    save(desk, &mut row).await?;
    Ok(row)
}

/// Applies what a request sent to a key, as far as the caller may.
pub(super) async fn alter(
    desk: &Desk,
    fields: &Fields,
    (before, row): (&KeyRow, &mut KeyRow),
) -> Result<(), Refusal> {
    apply(fields, row, desk.clock.now())?;
    complete(desk, fields, row).await?;
    ceiling::may_change(desk, fields, (before, row)).await
}

async fn block(desk: Desk, fields: Fields, blocked: bool) -> Result<Value, Refusal> {
    let mut row = named(&desk, &fields).await?;
    desk.must_oversee(theirs(&row))?;
    row.blocked = blocked;
    save(&desk, &mut row).await?;
    let mut answer = shown(&row, &account(&desk, &row).await?);
    answer.insert("token".to_owned(), json!(row.hash.expose_hex()));
    Ok(Value::Object(answer))
}

/// What was spent stays in the ledger; it only counts no more.
async fn reset_spend(desk: Desk, fields: Fields) -> Result<Value, Refusal> {
    let row = named(&desk, &fields).await?;
    desk.must_oversee(theirs(&row))?;
    let found = desk.keys.find(&row.hash).await.map_err(|problem| problem::store(&problem))?;
    let record = found.ok_or_else(|| super::no_such_key("the key was deleted in the meantime"))?;
    let lowered = desk.lower_spend(&fields, &record.own).await?;
    Ok(json!({
        "key_hash": row.hash.expose_hex(),
        "spend": lowered.after.spent,
        "previous_spend": lowered.before.spent,
        "max_budget": row.limits.max_budget,
        "budget_reset_at": lowered.after.resets_at.map(|at| at.to_string()),
    }))
}
