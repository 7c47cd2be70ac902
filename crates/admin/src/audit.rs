//! `GET /audit`: who changed what, the newest first.

use serde_json::{Value, json};
use tollgate_domain::Timestamp;
use tollgate_faults::Refusal;
use tollgate_policy::Audience;
use tollgate_store::{AUDIT_ROWS_MAX, AuditFilter, AuditRow};

use crate::asked::Asked;
use crate::desk::Desk;
use crate::problem::{self, wrong};
use crate::route::Route;
use crate::shape::{Field, count, instant, text};

/// Changes on a page when the request names no number.
const PAGE_ROWS_USUAL: u32 = 50;
/// Most changes on a page.
const PAGE_ROWS_MAX: u32 = AUDIT_ROWS_MAX as u32;
/// How far pages may be counted off from the newest change.
const DEPTH_MAX: usize = 10_000;
/// What is kept under LiteLLM's names for the tables that hold it.
const TABLES: [(&str, &str); 12] = [
    ("key", "LiteLLM_VerificationToken"),
    ("team", "LiteLLM_TeamTable"),
    ("user", "LiteLLM_UserTable"),
    ("organization", "LiteLLM_OrganizationTable"),
    ("project", "LiteLLM_ProjectTable"),
    ("member", "LiteLLM_TeamMembership"),
    ("organization_member", "LiteLLM_OrganizationMembership"),
    ("customer", "LiteLLM_EndUserTable"),
    ("tag", "LiteLLM_TagTable"),
    ("budget", "LiteLLM_BudgetTable"),
    ("deployment", "LiteLLM_ProxyModelTable"),
    ("credential", "LiteLLM_CredentialsTable"),
];
/// What the record can be asked by.
const NAMES: [Field; 9] = [
    text("changed_by", "Only changes by this user or key"),
    text("action", "Only changes of this kind, such as `created`"),
    text("table_name", "Only changes of this kind of thing, such as `team`"),
    text("object_id", "Only changes of this one"),
    instant("start_date", "From when on"),
    instant("end_date", "Before when"),
    count("page", "The page, from 1"),
    count("page_size", "Changes on a page, up to 1000"),
    text("cursor", "Where to go on: the `next_cursor` of the page before, in place of `page`"),
];

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::question(
            "/audit",
            Audience::Admins,
            ("Who changed what, the newest first", &NAMES),
            list,
        ),
        Route::question(
            "/audit/{id}",
            Audience::Admins,
            ("One change", &[text("id", "Its number").required()]),
            one,
        ),
    ]
}

async fn list(desk: Desk, asked: Asked) -> Result<Value, Refusal> {
    let wanted = wanted(&asked)?;
    let size = asked.number("page_size", PAGE_ROWS_USUAL, PAGE_ROWS_MAX)? as usize;
    let page = asked.number("page", 1, u32::MAX)? as usize;
    let skip = if wanted.before.is_some() { 0 } else { (page - 1).saturating_mul(size) };
    if skip >= DEPTH_MAX {
        let message = format!("pages are counted up to change {DEPTH_MAX}; go on with `?cursor=`");
        return Err(wrong("page", message));
    }
    let found = desk.db.audit_log(&wanted, (skip, size)).await;
    let found = found.map_err(|problem| problem::store(&problem))?;
    let next = (found.rows.len() == size).then(|| found.rows.last()).flatten();
    Ok(json!({
        "audit_logs": found.rows.iter().map(shown).collect::<Vec<_>>(),
        "total": found.total,
        "page": page,
        "page_size": size,
        "total_pages": found.total.div_ceil(size as u64),
        "next_cursor": next.map(|row| row.number.to_string()),
    }))
}

async fn one(desk: Desk, asked: Asked) -> Result<Value, Refusal> {
    let id = asked.required("id")?;
    let absent = || problem::absent("change", "id", id);
    let number: i64 = id.parse().map_err(|_| absent())?;
    let before = number.checked_add(1).ok_or_else(absent)?;
    let wanted = AuditFilter { before: Some(before), ..AuditFilter::default() };
    let found = desk.db.audit_log(&wanted, (0, 1)).await;
    let found = found.map_err(|problem| problem::store(&problem))?;
    found.rows.iter().find(|row| row.number == number).map(shown).ok_or_else(absent)
}

fn wanted(asked: &Asked) -> Result<AuditFilter, Refusal> {
    let owned = |name: &str| asked.text(name).map(str::to_owned);
    let kind = asked.text("table_name").map(|name| {
        let known = TABLES.iter().find(|(_, table)| *table == name);
        known.map_or(name, |(kind, _)| kind).to_owned()
    });
    let cursor = asked.text("cursor").map(|cursor| {
        cursor.parse().map_err(|_| wrong("cursor", "expected the `next_cursor` of a page"))
    });
    Ok(AuditFilter {
        before: cursor.transpose()?,
        kind,
        object: owned("object_id"),
        by: owned("changed_by"),
        action: owned("action"),
        from: at(asked, "start_date")?,
        to: at(asked, "end_date")?,
    })
}

fn at(asked: &Asked, name: &str) -> Result<Option<Timestamp>, Refusal> {
    let Some(text) = asked.text(name) else { return Ok(None) };
    Timestamp::parse(text).map(Some).map_err(|problem| wrong(name, problem))
}

fn shown(row: &AuditRow) -> Value {
    let table = TABLES.iter().find(|(kind, _)| *kind == row.kind);
    let within = (!row.within.is_empty()).then_some(&row.within);
    json!({
        "id": row.number.to_string(),
        "updated_at": row.changed_at.to_string(),
        "changed_by": row.changed_by,
        "changed_by_api_key": row.key,
        "address": row.address,
        "on_behalf_of": row.on_behalf_of,
        "action": row.action,
        "table_name": table.map_or(&*row.kind, |(_, table)| table),
        "team_id": within,
        "object_id": row.object,
        "before_value": row.before,
        "updated_values": row.after,
    })
}
