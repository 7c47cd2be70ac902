//! Shared budgets: limits whose rules several take, each counting its own spend against them.

use serde_json::{Map, Value, json};
use tollgate_domain::BudgetId;
use tollgate_faults::Refusal;
use tollgate_policy::Audience;
use tollgate_store::{BudgetRow, ENTITIES_PER_PAGE_MAX, LimitFields};

use crate::asked::Asked;
use crate::desk::Desk;
use crate::fields::Fields;
use crate::limits::{self, LIMITS};
use crate::problem::{self, wrong};
use crate::route::Route;
use crate::routes::Admin;
use crate::shape::{Shape, text, texts};

/// LiteLLM's other fields of a budget.
const NOT_YET: [&str; 2] = ["allowed_models", "budget_reset_at"];
/// Most budgets that one request asks for.
const ASKED_MAX: usize = 500;
/// The field that names a budget.
const ID: &str = "budget_id";

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::command(
            ("POST", "/budget/new"),
            Audience::Admins,
            ("Make a shared budget", shape()),
            new,
        ),
        Route::command(
            ("POST", "/budget/update"),
            Audience::Admins,
            ("Change a shared budget", shape()),
            update,
        ),
        Route::command(
            ("POST", "/budget/delete"),
            Audience::Admins,
            ("Delete a shared budget", Shape::of(&[text("id", "The budget").required()])),
            delete,
        ),
        Route::lookup(
            "/budget/info",
            Audience::Admins,
            ("Shared budgets", Shape::of(&[texts("budgets", "Their identities").required()])),
            info,
        ),
        Route::question(
            "/budget/list",
            Audience::OrganizationAdmins,
            ("Every shared budget", &[]),
            list,
        ),
    ]
}

/// A budget as LiteLLM's clients expect it.
pub(crate) fn shown(row: &BudgetRow) -> Value {
    let mut shown = Map::new();
    limits::show(&row.limits, &mut shown);
    let fields = [
        (ID, json!(row.id.as_str())),
        ("created_at", json!(row.created_at.to_string())),
        ("created_by", json!(row.created_by)),
        ("updated_at", json!(row.updated_at.to_string())),
        ("updated_by", json!(row.updated_by)),
    ];
    shown.extend(fields.map(|(name, value)| (name.to_owned(), value)));
    Value::Object(shown)
}

impl Admin {
    /// Refused when a row is to take its rules from a budget that does not exist.
    pub(crate) async fn must_have_budget(&self, id: Option<&BudgetId>) -> Result<(), Refusal> {
        match id {
            Some(id) => self.budget(id).await.map(drop),
            None => Ok(()),
        }
    }

    /// The budget with this identity.
    pub(crate) async fn budget(&self, id: &BudgetId) -> Result<BudgetRow, Refusal> {
        let found = self.db.find_budget(id).await.map_err(|problem| problem::store(&problem))?;
        found.ok_or_else(|| problem::absent("budget", ID, id.as_str()))
    }
}

async fn new(desk: Desk, fields: Fields) -> Result<Value, Refusal> {
    let id = match fields.parsed(ID, BudgetId::new)?.value() {
        Some(id) => id,
        None => BudgetId::new(&desk.fresh_id()).map_err(|problem| wrong(ID, problem))?,
    };
    let now = desk.clock.now();
    let mut row = BudgetRow {
        id,
        limits: LimitFields::default(),
        created_at: now,
        created_by: Some(desk.name()),
        updated_at: now,
        updated_by: Some(desk.name()),
    };
    limits::apply(&fields, &mut row.limits)?;
    let inserted = desk.edit().insert_budget(&row).await;
    if !inserted.map_err(|problem| problem::store(&problem))? {
        return Err(problem::exists("budget", ID, row.id.as_str()));
    }
    desk.keys.forget_budget(&row.id);
    Ok(shown(&row))
}

async fn update(desk: Desk, fields: Fields) -> Result<Value, Refusal> {
    let mut row = desk.budget(&fields.required(ID, BudgetId::new)?).await?;
    limits::apply(&fields, &mut row.limits)?;
    let updated = desk.edit().update_budget(&mut row).await;
    let updated = updated.map_err(|problem| problem::store(&problem))?;
    desk.keys.forget_budget(&row.id);
    problem::replaced(updated)?.ok_or_else(|| problem::absent("budget", ID, row.id.as_str()))?;
    Ok(shown(&row))
}

/// Deletes a budget. Whoever took rules from it goes on with their own.
async fn delete(desk: Desk, fields: Fields) -> Result<Value, Refusal> {
    let row = desk.budget(&fields.required("id", BudgetId::new)?).await?;
    let deleted = desk.edit().delete_budget(&row.id).await;
    deleted.map_err(|problem| problem::store(&problem))?;
    desk.keys.forget_budget(&row.id);
    Ok(shown(&row))
}

async fn info(desk: Desk, fields: Fields) -> Result<Value, Refusal> {
    let asked = fields.texts("budgets")?.value().unwrap_or_default();
    if asked.is_empty() || asked.len() > ASKED_MAX {
        return Err(problem::missing("budgets", "`budgets` names 1 to 500 budgets"));
    }
    let mut budgets = Vec::with_capacity(asked.len());
    for id in &asked {
        let id = BudgetId::new(id).map_err(|problem| wrong("budgets", problem))?;
        let found = desk.db.find_budget(&id).await.map_err(|problem| problem::store(&problem))?;
        budgets.extend(found.as_ref().map(shown));
    }
    Ok(Value::Array(budgets))
}

async fn list(desk: Desk, _: Asked) -> Result<Value, Refusal> {
    let mut budgets: Vec<BudgetRow> = Vec::new();
    loop {
        let after = budgets.last().map_or("", |last| last.id.as_str());
        let page = desk.db.list_budgets(after, ENTITIES_PER_PAGE_MAX).await;
        let page = page.map_err(|problem| problem::store(&problem))?;
        if page.is_empty() {
            return Ok(budgets.iter().map(shown).collect());
        }
        budgets.extend(page);
    }
}

fn shape() -> Shape {
    Shape::of(&[text(ID, "The identity; a fresh one where it is left out")])
        .and(&LIMITS)
        .but_not(&NOT_YET)
}
