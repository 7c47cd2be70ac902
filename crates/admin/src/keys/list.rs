//! Lists of keys.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use tollgate_faults::Refusal;
use tollgate_store::{KeyFilter, KeyRow};

use super::{account, identified, shown};
use crate::asked::Asked;
use crate::problem;
use crate::routes::Admin;

/// What a list can be asked by.
const NAMES: [&str; 9] = [
    "page",
    "size",
    "user_id",
    "team_id",
    "organization_id",
    "project_id",
    "key_alias",
    "key_hash",
    "return_full_object",
];
/// How many keys a page has unless the query says otherwise.
const PAGE_SIZE: u32 = 10;

/// `GET /key/list`: hashes, or whole keys with `return_full_object`.
pub(super) async fn list(admin: Arc<Admin>, asked: Asked) -> Result<Value, Refusal> {
    asked.must_be_among(&NAMES)?;
    let page = asked.page("size", PAGE_SIZE)?;
    let named = |name: &str| asked.text(name).map(str::to_owned);
    let filter = KeyFilter {
        user: named("user_id"),
        team: named("team_id"),
        organization: named("organization_id"),
        project: named("project_id"),
        alias: named("key_alias"),
        hash: asked.text("key_hash").map(identified).transpose()?.map(|hash| hash.expose_hex()),
    };
    let number = page.number.saturating_sub(1);
    let (keys, total) = if asked.flag("return_full_object") {
        listed(&admin, &filter, number, page.size).await?
    } else {
        let (rows, total) = found(&admin, &filter, number, page.size).await?;
        (rows.iter().map(|row| json!(row.hash.expose_hex())).collect(), total)
    };
    Ok(json!({
        "keys": keys,
        "total_count": total,
        "current_page": page.number,
        "total_pages": page.count(total),
    }))
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
