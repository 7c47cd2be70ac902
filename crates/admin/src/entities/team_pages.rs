//! Teams page by page, and a caller's own place in one.

use serde_json::{Value, json};
use tollgate_domain::{Level, UserId};
use tollgate_faults::Refusal;
use tollgate_policy::Audience;
use tollgate_store::EntityRow;

use super::members;
use super::teams::{TEAM, may_see, must_see, shown};
use crate::asked::Asked;
use crate::desk::Desk;
use crate::problem::{self, missing};
use crate::query::forbidden;
use crate::route::Route;
use crate::shape::{Field, choice, count, text};

/// How many teams a page has unless the query says otherwise.
const PAGE_SIZE: u32 = 10;
/// What a page can be sorted by.
const SORTS: [&str; 3] = ["team_id", "team_alias", "created_at"];
/// What a page can be asked by.
const LISTED_BY: [Field; 9] = [
    text("user_id", "Only teams with this member"),
    text("organization_id", "Only teams of this organization"),
    text("team_id", "Only this team"),
    text("team_alias", "A part of the wanted names"),
    text("search", "A part of the wanted names or identities"),
    count("page", "The page, from 1"),
    count("page_size", "Teams on a page, up to 100"),
    choice("sort_by", &SORTS, "The order"),
    choice("sort_order", &["asc", "desc"], "Its direction"),
];

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::question("/v2/team/list", Audience::Keys, ("Teams, page by page", &LISTED_BY), list),
        Route::question(
            "/team/available",
            Audience::Keys,
            ("The teams that the caller may join by themselves: none, as no team is open", &[]),
            available,
        ),
        Route::question(
            "/team/{team_id}/members/me",
            Audience::Keys,
            ("The caller's membership of a team", &[text("team_id", "The team").required()]),
            me,
        ),
    ]
}

async fn list(desk: Desk, asked: Asked) -> Result<Value, Refusal> {
    let page = asked.page("page_size", PAGE_SIZE)?;
    let mut found = Vec::new();
    for row in TEAM.every(&desk).await? {
        if may_see(&desk, &row)
            && is_asked_for(&row, &asked)
            && has_member(&desk, &row, &asked).await?
        {
            found.push(row);
        }
    }
    sort(&mut found, &asked);
    let total = found.len() as u64;
    let mut teams = Vec::new();
    for row in found.iter().skip(page.skipped()).take(page.size as usize) {
        teams.push(Value::Object(shown(&desk, row).await?));
    }
    Ok(json!({
        "teams": teams,
        "total": total,
        "page": page.number,
        "page_size": page.size,
        "total_pages": page.count(total),
    }))
}

fn is_asked_for(row: &EntityRow, asked: &Asked) -> bool {
    let holds = |text: &str, part: &str| text.to_lowercase().contains(&part.to_lowercase());
    let alias = row.alias.as_deref().unwrap_or_default();
    let organization = row.organization.as_ref().map(|id| id.as_str());
    asked.text("organization_id").is_none_or(|id| organization == Some(id))
        && asked.text("team_id").is_none_or(|id| row.id == id)
        && asked.text("team_alias").is_none_or(|part| holds(alias, part))
        && asked.text("search").is_none_or(|part| holds(alias, part) || holds(&row.id, part))
}

async fn has_member(desk: &Desk, row: &EntityRow, asked: &Asked) -> Result<bool, Refusal> {
    let Some(user) = asked.text("user_id") else { return Ok(true) };
    let found = desk.db.find_entity(Level::Member, &row.id, user).await;
    found.map(|row| row.is_some()).map_err(|problem| problem::store(&problem))
}

fn sort(rows: &mut [EntityRow], asked: &Asked) {
    match asked.text("sort_by") {
        Some("team_alias") => rows.sort_by(|a, b| (&a.alias, &a.id).cmp(&(&b.alias, &b.id))),
        Some("created_at") => {
            rows.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
        }
        _ => rows.sort_by(|a, b| a.id.cmp(&b.id)),
    }
    if asked.text("sort_order") == Some("desc") {
        rows.reverse();
    }
}

async fn available(_: Desk, _: Asked) -> Result<Value, Refusal> {
    Ok(json!([]))
}

async fn me(desk: Desk, asked: Asked) -> Result<Value, Refusal> {
    let team = TEAM.find(&desk, asked.required("team_id")?).await?;
    must_see(&desk, &team)?;
    let Some(user) = desk.by.user.as_ref().map(UserId::as_str) else {
        return Err(missing("user_id", "the key that calls belongs to no user"));
    };
    let found = desk.db.find_entity(Level::Member, &team.id, user).await;
    let found = found.map_err(|problem| problem::store(&problem))?;
    let row = found.ok_or_else(|| forbidden("the caller is not a member of this team"))?;
    members::membership(&desk, &row).await
}
