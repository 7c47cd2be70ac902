//! Many users changed with one request, each for itself.

use serde_json::{Map, Value, json};
use tollgate_faults::Refusal;
use tollgate_policy::{Audience, Scope};
use tollgate_store::EntityRow;

use super::users::{USER, changed};
use super::{NAMED_MAX, bulk};
use crate::desk::Desk;
use crate::fields::Fields;
use crate::problem::{missing, wrong};
use crate::route::Route;
use crate::shape::{Field, Shape, flag, list, object};

/// What a request holds: users each with their own change, or one change of all.
const FIELDS: [Field; 3] = [
    list("users", "Each a user with what changes, as `/user/update` takes them"),
    flag("all_users", "Whether every user changes, in place of `users`"),
    object("user_updates", "What changes of all of them"),
];
/// What tells users apart, and is no two users' alike.
const ALONE: [&str; 3] = ["user_id", "user_email", "sso_user_id"];

pub(crate) fn routes() -> Vec<Route> {
    vec![Route::command(
        ("POST", "/user/bulk_update"),
        Audience::OrganizationAdmins,
        ("Change many users, each for itself", Shape::of(&FIELDS)),
        update,
    )]
}

/// A user that cannot be changed keeps no other from it; the answer says why.
async fn update(desk: Desk, fields: Fields) -> Result<Value, Refusal> {
    let wanted = wanted(&desk, &fields).await?;
    let shape = USER.shape();
    let mut results = Vec::with_capacity(wanted.len());
    for (place, wanted) in &wanted {
        let result = bulk::each(|| async {
            let row = changed(&desk, &Fields::part_of(place, wanted, &shape)?).await?;
            USER.shown(&desk, &row).await
        });
        results.push(told(wanted, result.await?));
    }
    let counts = bulk::Counts::of(&results);
    Ok(json!({
        "results": results,
        "total_requested": results.len(),
        "successful_updates": counts.done,
        "failed_updates": counts.failed,
    }))
}

/// The users that change, each with its place in the request and what changes.
async fn wanted(desk: &Desk, fields: &Fields) -> Result<Vec<(String, Value)>, Refusal> {
    let listed = fields.list("users", NAMED_MAX)?.value().unwrap_or_default();
    let updates = fields.object("user_updates")?.value();
    let place = |index: usize| format!("users[{index}]");
    match (fields.flag("all_users")?.value(), listed.is_empty(), updates) {
        (None | Some(false), false, None) => {
            Ok(listed.into_iter().enumerate().map(|(at, user)| (place(at), user)).collect())
        }
        (Some(true), true, Some(updates)) => {
            desk.must_change(Scope::Gateway)?;
            let users = bulk::every_user(desk).await?;
            let place = "user_updates".to_owned();
            users.iter().map(|row| Ok((place.clone(), alike(row, &updates)?))).collect()
        }
        _ => {
            let message = format!(
                "name 1 to {NAMED_MAX} users in `users`, or every one by `all_users` with \
                 `user_updates`"
            );
            Err(missing("users", &message))
        }
    }
}

/// The change of all, as the change of one.
fn alike(row: &EntityRow, updates: &Map<String, Value>) -> Result<Value, Refusal> {
    if let Some(name) = ALONE.into_iter().find(|name| updates.contains_key(*name)) {
        let place = format!("user_updates.{name}");
        return Err(wrong(&place, "no two users have the same"));
    }
    let mut one = updates.clone();
    one.insert(USER.id.to_owned(), json!(row.id));
    Ok(Value::Object(one))
}

fn told(wanted: &Value, result: Result<Map<String, Value>, Refusal>) -> Value {
    let (user, problem) = bulk::parted(result);
    json!({
        "user_id": wanted.get("user_id"),
        "user_email": wanted.get("user_email"),
        "success": user.is_some(),
        "error": problem,
        "updated_user": user,
    })
}
