//! Internal users.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Map, Value, json};
use tollgate_domain::{Level, UserId};
use tollgate_faults::{Reason, Refusal};
use tollgate_store::{EntityRow, KEYS_PER_PAGE_MAX, KeyFilter};

use super::{Family, identity, members, teams};
use crate::asked::Asked;
use crate::fields::Fields;
use crate::keys;
use crate::problem::{self, wrong};
use crate::routes::{Admin, Route};

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
/// Most teams that one request puts a user in.
const TEAMS_MAX: usize = 100;
/// How many users a page has unless the query says otherwise.
const PAGE_SIZE: u32 = 25;

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::command("POST", "/user/new", new),
        Route::command("POST", "/user/update", update),
        Route::command("POST", "/user/delete", delete),
        Route::question("/user/info", info),
        Route::question("/user/list", list),
    ]
}

/// Creates a user, puts them in teams, and makes them a key unless `auto_create_key` is false.
async fn new(admin: Arc<Admin>, body: Bytes) -> Result<Value, Refusal> {
    let fields = USER.read(&body, &["auto_create_key", "teams"])?;
    let row = USER.blank(&admin, &fields)?;
    let mut rows = vec![row];
    apply(&admin, &fields, &mut rows[0]).await?;
    let listed = fields.list("teams", TEAMS_MAX)?.value().unwrap_or_default();
    for (index, team) in listed.iter().enumerate() {
        let place = format!("teams[{index}]");
        let fresh = membership(&admin, &rows[0].id, (&place, team)).await?;
        if rows.iter().skip(1).any(|other| other.within == fresh.within) {
            return Err(wrong(&place, "this team is listed twice"));
        }
        rows.push(fresh);
    }
    let user = UserId::new(&rows[0].id).map_err(|problem| wrong(USER.id, problem))?;
    USER.insert(&admin, &rows).await.map_err(taken)?;
    let mut answer = if fields.flag("auto_create_key")?.value() == Some(false) {
        Map::from_iter([("key".to_owned(), json!(""))])
    } else {
        keys::make_for(&admin, user).await?
    };
    let teams: Vec<&str> = rows.iter().skip(1).map(|row| row.within.as_str()).collect();
    answer.extend(USER.shown(&admin, &rows[0]).await?);
    answer.insert("teams".to_owned(), json!(teams));
    Ok(Value::Object(answer))
}

/// A team that a new user is put in: its identity, or that with a budget and a role.
async fn membership(
    admin: &Admin,
    user: &str,
    (place, team): (&str, &Value),
) -> Result<EntityRow, Refusal> {
    let named = json!({ "team_id": team });
    let team = if team.is_string() { &named } else { team };
    let part = Fields::part(place, team, &["team_id", "max_budget_in_team", "user_role"])?;
    let id = part.required("team_id", identity)?;
    teams::TEAM.must_exist(admin, &id).await?;
    let role = part.text("user_role")?.value().unwrap_or_else(|| "user".to_owned());
    let member = json!({ "user_id": user, "role": role });
    let mut row = members::read_member(admin, &id, (place, &member))?;
    part.dollars("max_budget_in_team")?.apply(&mut row.limits.max_budget);
    Ok(row)
}

async fn update(admin: Arc<Admin>, body: Bytes) -> Result<Value, Refusal> {
    let fields = USER.read(&body, &[])?;
    let mut row = USER.named(&admin, &fields).await?;
    apply(&admin, &fields, &mut row).await?;
    USER.save(&admin, &mut row).await?;
    Ok(json!({ "user_id": row.id, "data": USER.shown(&admin, &row).await? }))
}

async fn apply(admin: &Admin, fields: &Fields, row: &mut EntityRow) -> Result<(), Refusal> {
    fields.parsed("user_role", |text| {
        ROLES.contains(&text).then_some(()).ok_or_else(|| format!("expected one of {ROLES:?}"))
    })?;
    USER.apply(admin, fields, row).await
}

async fn delete(admin: Arc<Admin>, body: Bytes) -> Result<Value, Refusal> {
    let (users, _) = USER.delete(&admin, &body, "user_ids").await?;
    Ok(json!(users.len()))
}

async fn info(admin: Arc<Admin>, asked: Asked) -> Result<Value, Refusal> {
    asked.must_be_among(&[USER.id])?;
    let row = USER.find(&admin, asked.required(USER.id)?).await?;
    let of_user = KeyFilter { user: Some(row.id.clone()), ..KeyFilter::default() };
    let keys = keys::listed(&admin, &of_user, 0, KEYS_PER_PAGE_MAX).await?.0;
    let mut teams = Vec::new();
    for id in team_ids(&admin, &row.id).await? {
        let team = admin.db.find_entity(Level::Team, "", &id).await;
        if let Some(team) = team.map_err(|problem| problem::store(&problem))? {
            teams.push(teams::shown(&admin, &team).await?);
        }
    }
    let shown = shown(&admin, &row).await?;
    Ok(json!({ "user_id": row.id, "user_info": shown, "keys": keys, "teams": teams }))
}

async fn list(admin: Arc<Admin>, asked: Asked) -> Result<Value, Refusal> {
    asked.must_be_among(&["role", "user_ids", "user_email", "page", "page_size"])?;
    let page = asked.page("page_size", PAGE_SIZE)?;
    let found: Vec<EntityRow> =
        USER.every(&admin).await?.into_iter().filter(|row| is_asked_for(row, &asked)).collect();
    let total = found.len() as u64;
    let size = usize::try_from(page.size).unwrap_or(usize::MAX);
    let mut users = Vec::new();
    for row in found.iter().skip(page.skipped()).take(size) {
        users.push(shown(&admin, row).await?);
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
            let asked = Asked::read(&uri).expect("a query");
            assert_eq!(is_asked_for(&row, &asked), expected, "{query}");
        }
    }
}
