//! Many keys changed with one request, each for itself.

use serde_json::{Value, json};
use tollgate_faults::Refusal;

use super::change::changed;
use super::record::shown;
use super::{account, command};
use crate::desk::Desk;
use crate::fields::Fields;
use crate::problem;
use crate::route::{Route, persistently};
use crate::shape::{Shape, list};

/// Most keys that one request changes, as LiteLLM has it.
const CHANGED_MAX: usize = 500;
/// What one of them may hold (management-api §1).
const FIELDS: [&str; 5] = ["key", "budget_id", "max_budget", "team_id", "tags"];

pub(super) fn routes() -> Vec<Route> {
    let about = "Each `{key, budget_id, max_budget, team_id, tags}`";
    vec![command(
        "/key/bulk_update",
        ("Change many keys, each for itself", Shape::of(&[list("keys", about).required()])),
        bulk_update,
    )]
}

/// A key that cannot be changed keeps no other from it; the answer says why.
async fn bulk_update(desk: Desk, fields: Fields) -> Result<Value, Refusal> {
    let listed = fields.list("keys", CHANGED_MAX)?.value().unwrap_or_default();
    if listed.is_empty() {
        let message = format!("`keys` names 1 to {CHANGED_MAX} keys");
        return Err(problem::missing("keys", &message));
    }
    let (mut successful, mut failed) = (Vec::new(), Vec::new());
    for (index, wanted) in listed.iter().enumerate() {
        let place = format!("keys[{index}]");
        match persistently(|| one(&desk, &place, wanted)).await {
            Ok(update) => successful.push(update),
            Err(refusal) => failed.push(json!({
                "key": wanted.get("key"),
                "key_info": null,
                "failed_reason": refusal.message,
            })),
        }
    }
    Ok(json!({
        "total_requested": listed.len(),
        "successful_updates": successful,
        "failed_updates": failed,
    }))
}

async fn one(desk: &Desk, place: &str, wanted: &Value) -> Result<Value, Refusal> {
    let row = changed(desk, &Fields::part(place, wanted, &FIELDS)?).await?;
    let info = shown(&row, &account(desk, &row).await?);
    Ok(json!({ "key": row.hash.expose_hex(), "key_info": info }))
}
