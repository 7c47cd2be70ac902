//! Users are made: with what the configuration gives new ones, in teams and organizations, and with
//! a key.

use serde_json::{Map, Value, json};
use tollgate_config::Newcomers;
use tollgate_domain::{Level, OrganizationId, UserId};
use tollgate_faults::{Reason, Refusal};
use tollgate_policy::{Audience, Scope};
use tollgate_store::EntityRow;

use super::users::{USER, apply, may_give_role};
use super::{identity, members, organization_members, organizations, teams};
use crate::desk::Desk;
use crate::fields::Fields;
use crate::keys;
use crate::problem::wrong;
use crate::route::Route;
use crate::shape::{Field, flag, list as listing, texts};

/// Most teams that one request puts a user in.
const TEAMS_MAX: usize = 100;
/// What a new user has beside the fields of every user.
const NEW: [Field; 3] = [
    texts("organizations", "The organizations they belong to"),
    flag("auto_create_key", "Whether they get a key; they do unless this is false"),
    listing(
        "teams",
        "The teams they join: identities, or `{team_id, max_budget_in_team, user_role}`",
    ),
];
/// The roles that manage nothing of others; whoever has none is an internal user too.
const INTERNAL: [&str; 2] = ["internal_user", "internal_user_viewer"];

pub(super) fn route() -> Route {
    let about = "Make a user, put them in teams, and make them a key";
    let path = ("POST", "/user/new");
    let takes = (about, USER.shape().and(&NEW));
    Route::command(path, Audience::OrganizationAdmins, takes, new)
        .refuses_with(&[(Reason::EntityExists, 409)])
}

/// Creates a user, puts them in teams, and makes them a key unless `auto_create_key` is false.
async fn new(desk: Desk, fields: Fields) -> Result<Value, Refusal> {
    let snapshot = desk.gatekeeper.snapshot();
    let newcomers = &snapshot.settings.newcomers;
    let says_teams = fields.says("teams");
    let fields = if is_internal(&fields)? { fields.or(&newcomers.user) } else { fields };
    let mut rows = vec![USER.blank(&desk, &fields)?];
    apply(&desk, &fields, &mut rows[0]).await?;
    may_give_role(&desk, &rows[0])?;
    if is_internal(&fields)? {
        within_budget(newcomers, &mut rows[0]);
    }
    let in_teams = fields.list("teams", TEAMS_MAX)?.value().unwrap_or_default();
    for (index, team) in in_teams.iter().enumerate() {
        let place = format!("teams[{index}]");
        let fresh = membership(&desk, &rows[0].id, (&place, team), says_teams).await?;
        if rows.iter().skip(1).any(|other| other.within == fresh.within) {
            return Err(wrong(&place, "this team is listed twice"));
        }
        rows.push(fresh);
    }
    rows.extend(memberships(&desk, &rows[0], &fields).await?);
    let user = UserId::new(&rows[0].id).map_err(|problem| wrong(USER.id, problem))?;
    USER.insert(&desk, &rows).await.map_err(taken)?;
    let mut answer = if fields.flag("auto_create_key")?.value() == Some(false) {
        Map::from_iter([("key".to_owned(), json!(""))])
    } else {
        keys::make_for(&desk, user).await?
    };
    let in_teams = rows.iter().filter(|row| row.level == Level::Member);
    let teams: Vec<&str> = in_teams.map(|row| row.within.as_str()).collect();
    answer.extend(USER.shown(&desk, &rows[0]).await?);
    answer.insert("teams".to_owned(), json!(teams));
    Ok(Value::Object(answer))
}

/// Whether the user manages nothing of others.
fn is_internal(fields: &Fields) -> Result<bool, Refusal> {
    let role = fields.text("user_role")?.value();
    Ok(role.is_none_or(|role| role.is_empty() || INTERNAL.contains(&&*role)))
}

/// The budget of internal users that have none of their own (management-api §4).
fn within_budget(newcomers: &Newcomers, row: &mut EntityRow) {
    let limits = &mut row.limits;
    limits.max_budget = limits.max_budget.or(newcomers.user_budget);
    if limits.budget_duration.is_none() {
        limits.budget_duration.clone_from(&newcomers.user_budget_duration);
    }
}

/// The organizations that a new user is put in. Whoever does not administrate the gateway makes
/// users of their own organizations, without the gateway's own roles, and in teams of theirs.
async fn memberships(
    desk: &Desk,
    user: &EntityRow,
    fields: &Fields,
) -> Result<Vec<EntityRow>, Refusal> {
    let listed = fields.texts("organizations")?.value().unwrap_or_default();
    if listed.is_empty() {
        desk.must_change(Scope::Gateway)?;
    }
    let mut rows = Vec::with_capacity(listed.len());
    for id in listed {
        let id = OrganizationId::new(&id).map_err(|problem| wrong("organizations", problem))?;
        desk.must_change(Scope::Organization(&id))?;
        organizations::ORGANIZATION.must_exist(desk, id.as_str()).await?;
        rows.push(organization_members::fresh(desk, id.as_str(), &user.id, "internal_user"));
    }
    Ok(rows)
}

/// A team that a new user is put in: its identity, or that with a budget and a role. One that the
/// request names is the caller's to change; one that the configuration names is everybody's.
async fn membership(
    desk: &Desk,
    user: &str,
    (place, team): (&str, &Value),
    asked: bool,
) -> Result<EntityRow, Refusal> {
    let named = json!({ "team_id": team });
    let team = if team.is_string() { &named } else { team };
    let part = Fields::part(place, team, &["team_id", "max_budget_in_team", "user_role"])?;
    let id = part.required("team_id", identity)?;
    let team = teams::TEAM.find(desk, &id).await?;
    if asked {
        teams::must_change(desk, &team)?;
    }
    let role = part.text("user_role")?.value().unwrap_or_else(|| "user".to_owned());
    let member = json!({ "user_id": user, "role": role });
    let mut row = members::read_member(desk, &team, (place, &member)).await?;
    part.dollars("max_budget_in_team")?.apply(&mut row.limits.max_budget);
    Ok(row)
}

/// A user that exists is a conflict, in LiteLLM's status.
fn taken(refusal: Refusal) -> Refusal {
    if refusal.reason == Reason::EntityExists { refusal.with_status(409) } else { refusal }
}
