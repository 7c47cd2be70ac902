//! Lists of keys.

use serde_json::{Map, Value, json};
use tollgate_domain::{OrganizationId, TeamId, UserId};
use tollgate_faults::Refusal;
use tollgate_store::{KeyFilter, KeyRow};

use super::{account, identified, shown};
use crate::asked::Asked;
use crate::desk::Desk;
use crate::problem;
use crate::query::forbidden;
use crate::routes::Admin;
use crate::shape::{Field, count, flag, text};

/// What a list can be asked by.
pub(super) const NAMES: [Field; 9] = [
    count("page", "The page, from 1"),
    count("size", "Keys on a page, up to 100"),
    text("user_id", "Only keys of this user"),
    text("team_id", "Only keys of this team"),
    text("organization_id", "Only keys of this organization"),
    text("project_id", "Only keys of this project"),
    text("key_alias", "Only the key with this name"),
    text("key_hash", "Only this key"),
    flag("return_full_object", "Whole keys in place of hashes"),
];
/// How many keys a page has unless the query says otherwise.
const PAGE_SIZE: u32 = 10;

/// `GET /key/list`: hashes, or whole keys with `return_full_object`.
pub(super) async fn list(desk: Desk, asked: Asked) -> Result<Value, Refusal> {
    let page = asked.page("size", PAGE_SIZE)?;
    let named = |name: &str| asked.text(name).map(str::to_owned);
    let filter = KeyFilter {
        user: theirs(&desk, &asked)?,
        team: named("team_id"),
        organization: named("organization_id"),
        project: named("project_id"),
        alias: named("key_alias"),
        hash: asked.text("key_hash").map(identified).transpose()?.map(|hash| hash.expose_hex()),
    };
    let number = page.number.saturating_sub(1);
    let (keys, total) = if asked.flag("return_full_object") {
        listed(&desk, &filter, number, page.size).await?
    } else {
        let (rows, total) = found(&desk, &filter, number, page.size).await?;
        (rows.iter().map(|row| json!(row.hash.expose_hex())).collect(), total)
    };
    Ok(json!({
        "keys": keys,
        "total_count": total,
        "current_page": page.number,
        "total_pages": page.count(total),
    }))
}

/// Whose keys are listed: of whom the query says, which are the caller's own unless they may see
/// every key of what it names.
fn theirs(desk: &Desk, asked: &Asked) -> Result<Option<String>, Refusal> {
    let named = asked.text("user_id").map(str::to_owned);
    let own = desk.by.user.as_ref().map(UserId::as_str);
    if desk.by.sees_all() || (named.is_some() && named.as_deref() == own) {
        return Ok(named);
    }
    let team = asked.text("team_id").and_then(|id| TeamId::new(id).ok());
    let organization = asked.text("organization_id").and_then(|id| OrganizationId::new(id).ok());
    if desk.by.leads(team.as_ref()) || desk.by.administrates(organization.as_ref()) {
        return Ok(named);
    }
    match (named, own) {
        (None, Some(own)) => Ok(Some(own.to_owned())),
        _ => Err(forbidden("a caller lists the keys of their user, team or organization")),
    }
}

/// A page of whole keys, counted from zero, and how many there are on all pages.
pub(crate) async fn listed(
    admin: &Admin,
    filter: &KeyFilter,
    page: u32,
    size: u32,
) -> Result<(Vec<Value>, u64), Refusal> {
    let (rows, total) = found(admin, filter, page, size).await?;
    let mut keys = Vec::with_capacity(rows.len());
    for row in &rows {
        let mut key: Map<String, Value> = shown(row, &account(admin, row).await?);
        key.insert("token".to_owned(), json!(row.hash.expose_hex()));
        keys.push(Value::Object(key));
    }
    Ok((keys, total))
}

async fn found(
    admin: &Admin,
    filter: &KeyFilter,
    page: u32,
    size: u32,
) -> Result<(Vec<KeyRow>, u64), Refusal> {
    let page = admin.db.list_keys(filter, page, size).await;
    let page = page.map_err(|problem| problem::store(&problem))?;
    Ok((page.keys, page.total))
}
