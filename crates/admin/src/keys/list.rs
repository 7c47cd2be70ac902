//! Lists of keys.

use serde_json::{Map, Value, json};
use tollgate_domain::{OrganizationId, TeamId, UserId};
use tollgate_faults::Refusal;
use tollgate_policy::{Audience, KeyScope};
use tollgate_store::{KeyFilter, KeyReach, KeyRow, KeySort};

use super::record::shown;
use super::{account, identified};
use crate::asked::Asked;
use crate::desk::Desk;
use crate::problem::{self, wrong};
use crate::query::forbidden;
use crate::route::Route;
use crate::routes::Admin;
use crate::shape::{Field, choice, count, flag, text};

/// What a list can be sorted by, as LiteLLM names it.
const SORTS: [(&str, KeySort); 7] = [
    ("created_at", KeySort::CreatedAt),
    ("updated_at", KeySort::UpdatedAt),
    ("expires", KeySort::ExpiresAt),
    ("key_alias", KeySort::Alias),
    ("user_id", KeySort::User),
    ("team_id", KeySort::Team),
    ("max_budget", KeySort::MaxBudget),
];
/// Their names.
const SORT_NAMES: [&str; 7] =
    ["created_at", "updated_at", "expires", "key_alias", "user_id", "team_id", "max_budget"];
/// What a list can be asked by.
const NAMES: [Field; 16] = [
    count("page", "The page, from 1"),
    count("size", "Keys on a page, up to 100"),
    text("user_id", "Only keys of this user"),
    text("team_id", "Only keys of this team"),
    text("organization_id", "Only keys of this organization"),
    text("project_id", "Only keys of this project"),
    text("key_alias", "Only the key with this name"),
    text("key_hash", "Only this key"),
    flag("return_full_object", "Whole keys in place of hashes"),
    flag("include_team_keys", "Keys of the teams that the caller leads as well"),
    flag("include_created_by_keys", "Keys that the caller made as well"),
    flag("substring_matching", "`key_alias` is a part of the name; for administrators"),
    choice("sort_by", &SORT_NAMES, "What they are ordered by; else when they were made"),
    choice("sort_order", &["asc", "desc"], "The smallest first, or the largest"),
    choice("status", &["deleted"], "Those that were deleted"),
    choice("expires", &["active", "expired"], "Those that have not expired, or that have"),
];
/// What a list of names can be asked by.
const ALIAS_NAMES: [Field; 4] = [
    count("page", "The page, from 1"),
    count("size", "Names on a page, up to 100"),
    text("search", "A part of the name"),
    text("team_id", "Only keys of this team"),
];
/// How many keys a page has unless the query says otherwise.
const PAGE_SIZE: u32 = 10;
/// How many names a page has unless the query says otherwise.
const ALIASES_PAGE_SIZE: u32 = 50;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::question("/key/list", Audience::Keys, ("Keys, page by page", &NAMES), list),
        Route::question(
            "/key/aliases",
            Audience::Keys,
            ("The names of keys, page by page", &ALIAS_NAMES),
            aliases,
        ),
    ]
}

/// `GET /key/list`: hashes, or whole keys with `return_full_object`.
async fn list(desk: Desk, asked: Asked) -> Result<Value, Refusal> {
    let page = asked.page("size", PAGE_SIZE)?;
    let filter = filter(&desk, &asked)?;
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

fn filter(desk: &Desk, asked: &Asked) -> Result<KeyFilter, Refusal> {
    let named = |name: &str| asked.text(name).map(str::to_owned);
    let part = asked.flag("substring_matching") && desk.by.sees_all();
    let alias = named("key_alias");
    let (alias, alias_part) = if part { (None, alias) } else { (alias, None) };
    let (user, reach) = reach(desk, asked)?;
    let now = desk.clock.now();
    Ok(KeyFilter {
        user,
        reach,
        team: named("team_id"),
        organization: named("organization_id"),
        project: named("project_id"),
        alias,
        alias_part,
        hash: asked.text("key_hash").map(identified).transpose()?.map(|hash| hash.expose_hex()),
        live_at: chosen(asked, "expires", &[("active", true), ("expired", false)])?
            .and_then(|active| active.then_some(now)),
        ended_at: chosen(asked, "expires", &[("active", false), ("expired", true)])?
            .and_then(|expired| expired.then_some(now)),
        deleted: chosen(asked, "status", &[("deleted", true)])?.unwrap_or(false),
        sort: chosen(asked, "sort_by", &SORTS)?.unwrap_or_default(),
        ascending: chosen(asked, "sort_order", &[("asc", true), ("desc", false)])?.unwrap_or(false),
        named: false,
    })
}

/// One of a few words, if the query has it.
fn chosen<T: Copy>(asked: &Asked, name: &str, words: &[(&str, T)]) -> Result<Option<T>, Refusal> {
    let Some(text) = asked.text(name) else { return Ok(None) };
    let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
    found.map(Some).ok_or_else(|| {
        let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        wrong(name, format!("expected one of {words:?}"))
    })
}

/// `GET /key/aliases`: the names of the keys that the caller may see.
async fn aliases(desk: Desk, asked: Asked) -> Result<Value, Refusal> {
    let page = asked.page("size", ALIASES_PAGE_SIZE)?;
    let (user, reach) = reach(&desk, &asked)?;
    let filter = KeyFilter {
        user,
        reach,
        team: asked.text("team_id").map(str::to_owned),
        alias_part: asked.text("search").map(str::to_owned),
        named: true,
        sort: KeySort::Alias,
        ascending: true,
        ..KeyFilter::default()
    };
    let (rows, total) = found(&desk, &filter, page.number.saturating_sub(1), page.size).await?;
    let aliases: Vec<&str> = rows.iter().filter_map(|row| row.alias.as_deref()).collect();
    Ok(json!({
        "aliases": aliases,
        "total_count": total,
        "current_page": page.number,
        "total_pages": page.count(total),
        "size": page.size,
    }))
}

/// Whose keys are listed: of whom the query says, which are the caller's own unless they may see
/// every key of what it names.
fn reach(desk: &Desk, asked: &Asked) -> Result<(Option<String>, Option<KeyReach>), Refusal> {
    let named = asked.text("user_id").map(str::to_owned);
    let own = desk.by.user.as_ref().map(UserId::as_str);
    if desk.by.sees_all() || (named.is_some() && named.as_deref() == own) {
        return Ok((named, None));
    }
    let team = asked.text("team_id").and_then(|id| TeamId::new(id).ok());
    let organization = asked.text("organization_id").and_then(|id| OrganizationId::new(id).ok());
    let place = |team| KeyScope { team, organization: None, ..KeyScope::default() };
    let of_team = team.as_ref().is_some_and(|team| desk.oversees(place(Some(team))));
    if of_team || desk.by.administrates(organization.as_ref()) {
        return Ok((named, None));
    }
    let (None, Some(own)) = (named, own) else {
        return Err(forbidden("a caller lists the keys of their user, team or organization"));
    };
    let led = desk.by.teams.iter().filter(|(id, _)| desk.oversees(place(Some(*id))));
    let teams = led.filter(|_| asked.flag("include_team_keys"));
    Ok((
        None,
        Some(KeyReach {
            user: Some(own.to_owned()),
            teams: teams.map(|(id, _)| id.as_str().to_owned()).collect(),
            created_by: asked.flag("include_created_by_keys").then(|| own.to_owned()),
        }),
    ))
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
