//! Internal users.

use serde_json::{Map, Value, json};
use tollgate_domain::{Level, UserId};
use tollgate_faults::{Reason, Refusal};
use tollgate_policy::{Audience, Scope};
use tollgate_store::{EntityRow, KEYS_PER_PAGE_MAX, KeyFilter};

use super::{Family, identity, members, teams};
use crate::asked::Asked;
use crate::desk::Desk;
use crate::fields::Fields;
use crate::keys;
use crate::problem::{self, wrong};
use crate::query::forbidden;
use crate::route::Route;
use crate::routes::Admin;
use crate::shape::{Field, choice, count, flag, list as listing, text};

/// Users.
pub(crate) const USER: Family = Family {
    level: Level::User,
    id: "user_id",
    alias: Some("user_alias"),
    fields: &["blocked", "models", "metadata"],
    kept: &["user_email", "user_role", "sso_user_id"],
    not_yet: &[
        "aliases",
        "allowed_cache_controls",
        "config",
        "duration",
        "guardrails",
        "key_alias",
        "object_permission",
        "organizations",
        "password",
        "permissions",
        "send_invite_email",
        "team_id",
    ],
};
/// The roles that can be given (management-api §4).
const ROLES: [&str; 4] =
    ["proxy_admin", "proxy_admin_viewer", "internal_user", "internal_user_viewer"];
/// What users may change of their own record.
const OWN: [&str; 2] = ["user_alias", "user_email"];
/// Most teams that one request puts a user in.
const TEAMS_MAX: usize = 100;
/// What a new user has beside the fields of every user.
const NEW: [Field; 2] = [
    flag("auto_create_key", "Whether they get a key; they do unless this is false"),
    listing(
        "teams",
        "The teams they join: identities, or `{team_id, max_budget_in_team, user_role}`",
    ),
];
/// What a list can be asked by.
const LISTED_BY: [Field; 5] = [
    choice("role", &ROLES, "Only users with this role"),
    text("user_ids", "Identities between commas; one alone is a part of the wanted ones"),
    text("user_email", "A part of the address"),
    count("page", "The page, from 1"),
    count("page_size", "Users on a page, up to 100"),
];
/// How many users a page has unless the query says otherwise.
const PAGE_SIZE: u32 = 25;

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::command(
            ("POST", "/user/new"),
            Audience::Admins,
            ("Make a user, put them in teams, and make them a key", USER.shape().and(&NEW)),
            new,
        ),
        Route::command(
            ("POST", "/user/update"),
            Audience::Keys,
            ("Change a user; everybody may change their own name and address", USER.shape()),
            update,
        ),
        Route::command(
            ("POST", "/user/delete"),
            Audience::Admins,
            ("Delete users with their keys", Family::listing("user_ids")),
            delete,
        ),
        Route::question(
            "/user/info",
            Audience::Keys,
            ("A user with their keys and teams", &[text(USER.id, "The user; else the caller's")]),
            info,
        ),
        Route::question(
            "/user/list",
            Audience::OrganizationAdmins,
            ("Users, page by page", &LISTED_BY),
            list,
        ),
    ]
}

/// Creates a user, puts them in teams, and makes them a key unless `auto_create_key` is false.
async fn new(desk: Desk, fields: Fields) -> Result<Value, Refusal> {
    let mut rows = vec![USER.blank(&desk, &fields)?];
    apply(&desk, &fields, &mut rows[0]).await?;
    let listed = fields.list("teams", TEAMS_MAX)?.value().unwrap_or_default();
    for (index, team) in listed.iter().enumerate() {
        let place = format!("teams[{index}]");
        let fresh = membership(&desk, &rows[0].id, (&place, team)).await?;
        if rows.iter().skip(1).any(|other| other.within == fresh.within) {
            return Err(wrong(&place, "this team is listed twice"));
        }
        rows.push(fresh);
    }
    let user = UserId::new(&rows[0].id).map_err(|problem| wrong(USER.id, problem))?;
    USER.insert(&desk, &rows).await.map_err(taken)?;
    let mut answer = if fields.flag("auto_create_key")?.value() == Some(false) {
        Map::from_iter([("key".to_owned(), json!(""))])
    } else {
        keys::make_for(&desk, user).await?
    };
    let teams: Vec<&str> = rows.iter().skip(1).map(|row| row.within.as_str()).collect();
    answer.extend(USER.shown(&desk, &rows[0]).await?);
    answer.insert("teams".to_owned(), json!(teams));
    Ok(Value::Object(answer))
}

/// A team that a new user is put in: its identity, or that with a budget and a role.
async fn membership(
    desk: &Desk,
    user: &str,
    (place, team): (&str, &Value),
) -> Result<EntityRow, Refusal> {
    let named = json!({ "team_id": team });
    let team = if team.is_string() { &named } else { team };
    let part = Fields::part(place, team, &["team_id", "max_budget_in_team", "user_role"])?;
    let id = part.required("team_id", identity)?;
    teams::TEAM.must_exist(desk, &id).await?;
    let role = part.text("user_role")?.value().unwrap_or_else(|| "user".to_owned());
    let member = json!({ "user_id": user, "role": role });
    let mut row = members::read_member(desk, &id, (place, &member))?;
    part.dollars("max_budget_in_team")?.apply(&mut row.limits.max_budget);
    Ok(row)
}

async fn update(desk: Desk, fields: Fields) -> Result<Value, Refusal> {
    must_update(&desk, &fields)?;
    let mut row = USER.named(&desk, &fields).await?;
    apply(&desk, &fields, &mut row).await?;
    USER.save(&desk, &mut row).await?;
    Ok(json!({ "user_id": row.id, "data": USER.shown(&desk, &row).await? }))
}

/// Whoever does not manage everything changes their own record, and of it only what people call
/// them by: never what they may or may spend.
fn must_update(desk: &Desk, fields: &Fields) -> Result<(), Refusal> {
    if desk.by.is_admin() {
        return Ok(());
    }
    let named = fields.parsed(USER.id, UserId::new)?.value();
    if named.is_none() || named != desk.by.user {
        return Err(forbidden("a caller changes their own record"));
    }
    let own = |name: &str| name == USER.id || OWN.contains(&name);
    match fields.sent().find(|name| !own(name)) {
        Some(name) => {
            let name = problem::echo(name);
            Err(forbidden(&format!("`{name}` is for an administrator to change")))
        }
        None => Ok(()),
    }
}

async fn apply(admin: &Admin, fields: &Fields, row: &mut EntityRow) -> Result<(), Refusal> {
    fields.parsed("user_role", |text| {
        ROLES.contains(&text).then_some(()).ok_or_else(|| format!("expected one of {ROLES:?}"))
    })?;
    USER.apply(admin, fields, row).await
}

async fn delete(desk: Desk, fields: Fields) -> Result<Value, Refusal> {
    let (users, _) = USER.delete(&desk, &fields, "user_ids").await?;
    Ok(json!(users.len()))
}

async fn info(desk: Desk, asked: Asked) -> Result<Value, Refusal> {
    let own = desk.by.user.as_ref().map(UserId::as_str);
    let id = asked.text(USER.id).or(own);
    let id = id.ok_or_else(|| problem::missing(USER.id, "name one with `?user_id=`"))?;
    let user = UserId::new(id).map_err(|problem| wrong(USER.id, problem))?;
    desk.must_see(Scope::User { id: &user, organizations: &[] })?;
    let row = USER.find(&desk, id).await?;
    let of_user = KeyFilter { user: Some(row.id.clone()), ..KeyFilter::default() };
    let keys = keys::listed(&desk, &of_user, 0, KEYS_PER_PAGE_MAX).await?.0;
    let mut teams = Vec::new();
    for id in team_ids(&desk, &row.id).await? {
        let team = desk.db.find_entity(Level::Team, "", &id).await;
        if let Some(team) = team.map_err(|problem| problem::store(&problem))? {
            teams.push(teams::shown(&desk, &team).await?);
        }
    }
    let shown = shown(&desk, &row).await?;
    Ok(json!({ "user_id": row.id, "user_info": shown, "keys": keys, "teams": teams }))
}

async fn list(desk: Desk, asked: Asked) -> Result<Value, Refusal> {
    let page = asked.page("page_size", PAGE_SIZE)?;
    let found: Vec<EntityRow> =
        USER.every(&desk).await?.into_iter().filter(|row| is_asked_for(row, &asked)).collect();
    let total = found.len() as u64;
    let size = usize::try_from(page.size).unwrap_or(usize::MAX);
    let mut users = Vec::new();
    for row in found.iter().skip(page.skipped()).take(size) {
        users.push(shown(&desk, row).await?);
    }
    Ok(json!({
        "users": users,
        "total": total,
        "page": page.number,
        "page_size": page.size,
        "total_pages": page.count(total),
    }))
}

/// Whether a user is one of those that a list is asked for. One identity alone is a part of the
/// wanted ones, as in LiteLLM.
fn is_asked_for(row: &EntityRow, asked: &Asked) -> bool {
    let text = |name: &str| row.metadata.get(name).and_then(Value::as_str).unwrap_or_default();
    let named = |ids: &str| match ids.split_once(',') {
        None => row.id.contains(ids),
        Some(_) => ids.split(',').any(|id| id.trim() == row.id),
    };
    let email = text("user_email").to_lowercase();
    asked.text("role").is_none_or(|role| text("user_role") == role)
        && asked.text("user_ids").is_none_or(named)
        && asked.text("user_email").is_none_or(|part| email.contains(&part.to_lowercase()))
}

async fn shown(admin: &Admin, row: &EntityRow) -> Result<Map<String, Value>, Refusal> {
    let mut shown = USER.shown(admin, row).await?;
    shown.insert("teams".to_owned(), json!(team_ids(admin, &row.id).await?));
    Ok(shown)
}

async fn team_ids(admin: &Admin, user: &str) -> Result<Vec<String>, Refusal> {
    let user = UserId::new(user).map_err(|problem| wrong(USER.id, problem))?;
    let memberships = admin.db.list_memberships(&user).await;
    let memberships = memberships.map_err(|problem| problem::store(&problem))?;
    Ok(memberships.into_iter().map(|row| row.within).collect())
}

/// A user that exists is a conflict, in LiteLLM's status.
fn taken(refusal: Refusal) -> Refusal {
    if refusal.reason == Reason::EntityExists { refusal.with_status(409) } else { refusal }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::Shape;
    use tollgate_domain::Timestamp;

    #[test]
    fn every_condition_of_a_list_has_to_be_met() {
        let mut row = EntityRow::new(Level::User, "", "ada-1", Timestamp::from_micros(0));
        row.metadata.insert("user_email".to_owned(), json!("Ada@Engine.test"));
        row.metadata.insert("user_role".to_owned(), json!("internal_user"));
        for (query, expected) in [
            ("", true),
            ("user_ids=ada", true),
            ("user_ids=ada,bob", false),
            ("user_ids=bob,ada-1", true),
            ("user_email=engine", true),
            ("user_email=loom", false),
            ("role=internal_user&user_email=ADA", true),
            ("role=proxy_admin&user_email=ada", false),
        ] {
            let uri = format!("/user/list?{query}").parse().expect("a path");
            let asked = Asked::read(&uri, &Shape::of(&LISTED_BY), &[]).expect("a query");
            assert_eq!(is_asked_for(&row, &asked), expected, "{query}");
        }
    }
}
