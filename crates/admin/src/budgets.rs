//! Shared budgets: limits whose rules several take, each counting its own spend against them.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Map, Value, json};
use tollgate_domain::BudgetId;
use tollgate_faults::Refusal;
use tollgate_store::{BudgetRow, ENTITIES_PER_PAGE_MAX, LimitFields};

use crate::asked::Asked;
use crate::fields::Fields;
use crate::keys::MASTER;
use crate::limits::{self, LIMITS};
use crate::problem::{self, wrong};
use crate::routes::{Admin, Route};

/// LiteLLM's other fields of a budget.
const NOT_YET: [&str; 2] = ["allowed_models", "budget_reset_at"];
/// Most budgets that one request asks for.
const ASKED_MAX: usize = 500;
/// The field that names a budget.
const ID: &str = "budget_id";

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::command("POST", "/budget/new", new),
        Route::command("POST", "/budget/update", update),
        Route::command("POST", "/budget/delete", delete),
        Route::command("POST", "/budget/info", info),
        Route::question("/budget/list", list),
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

    async fn budget(&self, id: &BudgetId) -> Result<BudgetRow, Refusal> {
        let found = self.db.find_budget(id).await.map_err(|problem| problem::store(&problem))?;
        found.ok_or_else(|| problem::absent("budget", ID, id.as_str()))
    }
}

async fn new(admin: Arc<Admin>, body: Bytes) -> Result<Value, Refusal> {
    let fields = read(&body)?;
    let id = match fields.parsed(ID, BudgetId::new)?.value() {
        Some(id) => id,
        None => BudgetId::new(&admin.fresh_id()).map_err(|problem| wrong(ID, problem))?,
    };
    let now = admin.clock.now();
    let mut row = BudgetRow {
        id,
        limits: LimitFields::default(),
        created_at: now,
        created_by: Some(MASTER.to_owned()),
        updated_at: now,
        updated_by: Some(MASTER.to_owned()),
    };
    limits::apply(&fields, &mut row.limits)?;
    let inserted = admin.db.insert_budget(&row).await;
    if !inserted.map_err(|problem| problem::store(&problem))? {
        return Err(problem::exists("budget", ID, row.id.as_str()));
    }
    admin.keys.forget_budget(&row.id);
    Ok(shown(&row))
}

async fn update(admin: Arc<Admin>, body: Bytes) -> Result<Value, Refusal> {
    let fields = read(&body)?;
    let mut row = admin.budget(&fields.required(ID, BudgetId::new)?).await?;
    limits::apply(&fields, &mut row.limits)?;
    row.updated_at = admin.clock.now();
    row.updated_by = Some(MASTER.to_owned());
    let updated = admin.db.update_budget(&row).await;
    let updated = updated.map_err(|problem| problem::store(&problem))?;
    admin.keys.forget_budget(&row.id);
    if !updated {
        return Err(problem::absent("budget", ID, row.id.as_str()));
    }
    Ok(shown(&row))
}

/// Deletes a budget. Whoever took rules from it goes on with their own.
async fn delete(admin: Arc<Admin>, body: Bytes) -> Result<Value, Refusal> {
    let fields = Fields::read(&body, &["id"], &[])?;
    let row = admin.budget(&fields.required("id", BudgetId::new)?).await?;
    let deleted = admin.db.delete_budget(&row.id).await;
    deleted.map_err(|problem| problem::store(&problem))?;
    admin.keys.forget_budget(&row.id);
    Ok(shown(&row))
}

async fn info(admin: Arc<Admin>, body: Bytes) -> Result<Value, Refusal> {
    let fields = Fields::read(&body, &["budgets"], &[])?;
    let asked = fields.texts("budgets")?.value().unwrap_or_default();
    if asked.is_empty() || asked.len() > ASKED_MAX {
        return Err(problem::missing("budgets", "`budgets` names 1 to 500 budgets"));
    }
    let mut budgets = Vec::with_capacity(asked.len());
    for id in &asked {
        let id = BudgetId::new(id).map_err(|problem| wrong("budgets", problem))?;
        let found = admin.db.find_budget(&id).await.map_err(|problem| problem::store(&problem))?;
        budgets.extend(found.as_ref().map(shown));
    }
    Ok(Value::Array(budgets))
}

async fn list(admin: Arc<Admin>, asked: Asked) -> Result<Value, Refusal> {
    asked.must_be_among(&[])?;
    let mut budgets: Vec<BudgetRow> = Vec::new();
    loop {
        let after = budgets.last().map_or("", |last| last.id.as_str());
        let page = admin.db.list_budgets(after, ENTITIES_PER_PAGE_MAX).await;
        let page = page.map_err(|problem| problem::store(&problem))?;
        if page.is_empty() {
            return Ok(budgets.iter().map(shown).collect());
        }
        budgets.extend(page);
    }
}

fn read(body: &Bytes) -> Result<Fields, Refusal> {
    let supported: Vec<&str> = LIMITS.into_iter().chain([ID]).collect();
    Fields::read(body, &supported, &NOT_YET)
}
