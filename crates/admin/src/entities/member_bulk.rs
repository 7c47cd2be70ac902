//! Many users put in a team with one request, each for itself, and what members spent.

use serde_json::{Value, json};
use tollgate_faults::Refusal;
use tollgate_policy::{Audience, Scope};
use tollgate_store::EntityRow;

use super::members::{LIMITED, MEMBER, TEAM_ID, apply, membership, named, of_team, read_member};
use super::{NAMED_MAX, bulk, teams};
use crate::account::RESET_TO;
use crate::desk::Desk;
use crate::fields::Fields;
use crate::problem::{self, missing};
use crate::route::Route;
use crate::shape::{Field, Shape, flag, list, text};

/// What a request holds beside the limits of every one of them.
const ADDED: [Field; 3] = [
    TEAM_ID,
    list("members", "Who is added, each `{user_id, role}`"),
    flag("all_users", "Whether every user is added, in place of `members`"),
];
/// What names a member in a path, and what still counts of their spend.
const RESET: [Field; 3] = [TEAM_ID, text("user_id", "The user").required(), RESET_TO];

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::command(
            ("POST", "/team/bulk_member_add"),
            Audience::OrganizationAdmins,
            ("Put many users in a team, each for itself", Shape::of(&ADDED).and(&LIMITED)),
            add,
        ),
        Route::command(
            ("POST", "/team/{team_id}/member/{user_id}/reset_spend"),
            Audience::Managers,
            ("Count less of what a member spent against their budget", Shape::of(&RESET)),
            reset_spend,
        ),
    ]
}

/// A user who cannot be added keeps no other from it; the answer says why.
async fn add(desk: Desk, fields: Fields) -> Result<Value, Refusal> {
    let team = teams::TEAM.named(&desk, &fields).await?;
    teams::must_change(&desk, &team)?;
    let wanted = wanted(&desk, &fields, &team).await?;
    let mut results = Vec::with_capacity(wanted.len());
    for (index, member) in wanted.iter().enumerate() {
        let place = format!("members[{index}]");
        let result = bulk::each(|| async {
            let mut row = read_member(&desk, &team, (&place, member)).await?;
            apply(&fields, &mut row)?;
            MEMBER.insert(&desk, std::slice::from_ref(&row)).await?;
            membership(&desk, &row).await
        });
        results.push(told(member, result.await?));
    }
    let counts = bulk::Counts::of(&results);
    Ok(json!({
        "team_id": team.id,
        "results": results,
        "total_requested": results.len(),
        "successful_additions": counts.done,
        "failed_additions": counts.failed,
        "updated_team": teams::shown(&desk, &team).await?,
    }))
}

/// Who is to be added: those listed, or every user who is not in the team.
async fn wanted(desk: &Desk, fields: &Fields, team: &EntityRow) -> Result<Vec<Value>, Refusal> {
    let listed = fields.list("members", NAMED_MAX)?.value().unwrap_or_default();
    match (fields.flag("all_users")?.value(), listed.is_empty()) {
        (None | Some(false), false) => Ok(listed),
        (Some(true), true) => {
            desk.must_change(Scope::Gateway)?;
            let within = of_team(desk, &team.id).await?;
            let is_outside = |user: &EntityRow| !within.iter().any(|row| row.id == user.id);
            let users = bulk::every_user(desk).await?;
            let outside = users.iter().filter(|user| is_outside(user));
            Ok(outside.map(|user| json!({ "user_id": user.id })).collect())
        }
        _ => {
            let message =
                format!("name 1 to {NAMED_MAX} users in `members`, or every one by `all_users`");
            Err(missing("members", &message))
        }
    }
}

fn told(member: &Value, result: Result<Value, Refusal>) -> Value {
    let (membership, problem) = bulk::parted(result);
    json!({
        "user_id": membership.as_ref().and_then(|row| row.get("user_id")).or(member.get("user_id")),
        "user_email": member.get("user_email"),
        "success": membership.is_some(),
        "error": problem,
        "updated_team_membership": membership,
    })
}

/// What was spent stays in the ledger; it only counts no more.
async fn reset_spend(desk: Desk, fields: Fields) -> Result<Value, Refusal> {
    let team = teams::TEAM.named(&desk, &fields).await?;
    teams::must_change(&desk, &team)?;
    let row = named(&desk, &fields).await?;
    let level = desk.keys.level(&row.subject()).await;
    let level = level.map_err(|problem| problem::store(&problem))?;
    let lowered = desk.lower_spend(&fields, &level).await?;
    Ok(json!({
        "team_id": row.within,
        "user_id": row.id,
        "spend": lowered.after.spent,
        "previous_spend": lowered.before.spent,
        "max_budget": lowered.most,
    }))
}
