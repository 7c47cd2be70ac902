//! What members of a team have unless they have their own: a shared budget, which the team names in
//! its metadata as LiteLLM does, and the models they start with.

use serde_json::{Map, Value, json};
use tollgate_domain::BudgetId;
use tollgate_faults::Refusal;
use tollgate_policy::Period;
use tollgate_store::{BudgetRow, EntityRow, LimitFields};

use crate::budgets;
use crate::desk::Desk;
use crate::fields::Fields;
use crate::problem::{self, wrong};
use crate::routes::Admin;
use crate::shape::{Field, count, dollars, text, texts};

/// The models that new members start with.
pub(super) const MODELS: Field =
    texts("default_team_member_models", "The models that new members are granted");
/// The budget whose rules fill what members leave open.
pub(super) const BUDGET: Field =
    text("team_member_budget_id", "The shared budget of members that have none of their own");
/// The rules of that budget, said in the team's own request.
pub(super) const RULES: [Field; 4] = [
    dollars("team_member_budget", "Most dollars of one member in one period"),
    text("team_member_budget_duration", "The period of that budget"),
    count("team_member_rpm_limit", "Most requests of one member a minute"),
    count("team_member_tpm_limit", "Most tokens of one member a minute"),
];

/// Applies what a request says of members: the budget that the team names is changed, or made.
pub(super) async fn apply(
    desk: &Desk,
    fields: &Fields,
    team: &mut EntityRow,
) -> Result<(), Refusal> {
    if let Some(id) = fields.parsed(BUDGET.name, BudgetId::new)?.value() {
        desk.must_have_budget(Some(&id)).await?;
    }
    if !RULES.iter().any(|rule| fields.has(rule.name)) {
        return Ok(());
    }
    let Some(id) = budget_of(team) else {
        let id = BudgetId::new(&desk.fresh_id()).map_err(|problem| wrong(BUDGET.name, problem))?;
        let (now, by) = (desk.clock.now(), Some(desk.name()));
        let mut row = BudgetRow {
            id,
            limits: LimitFields::default(),
            created_at: now,
            created_by: by.clone(),
            updated_at: now,
            updated_by: by,
        };
        rules(fields, &mut row.limits)?;
        let inserted = desk.edit().insert_budget(&row).await;
        inserted.map_err(|problem| problem::store(&problem))?;
        team.metadata.insert(BUDGET.name.to_owned(), json!(row.id.as_str()));
        return Ok(());
    };
    let mut row = desk.budget(&id).await?;
    rules(fields, &mut row.limits)?;
    let updated = desk.edit().update_budget(&mut row).await;
    let updated = updated.map_err(|problem| problem::store(&problem))?;
    desk.keys.forget_budget(&row.id);
    problem::replaced(updated)?.ok_or_else(|| problem::absent("budget", BUDGET.name, id.as_str()))
}

fn rules(fields: &Fields, limits: &mut LimitFields) -> Result<(), Refusal> {
    let period = |text: &str| Period::parse(text).map(|_| text.to_owned());
    fields.dollars(RULES[0].name)?.apply(&mut limits.max_budget);
    fields.parsed(RULES[1].name, period)?.apply(&mut limits.budget_duration);
    fields.count(RULES[2].name)?.apply(&mut limits.rpm_limit);
    fields.count(RULES[3].name)?.apply(&mut limits.tpm_limit);
    Ok(())
}

/// The budget that a team names for its members.
fn budget_of(team: &EntityRow) -> Option<BudgetId> {
    BudgetId::new(team.metadata.get(BUDGET.name)?.as_str()?).ok()
}

/// The models that a new member of the team starts with.
pub(super) fn models_of(team: &EntityRow) -> Vec<String> {
    let listed = team.metadata.get(MODELS.name).and_then(Value::as_array).into_iter().flatten();
    listed.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Adds the rules for members to what is shown of a team.
pub(super) async fn show(
    admin: &Admin,
    team: &EntityRow,
    shown: &mut Map<String, Value>,
) -> Result<(), Refusal> {
    let row = match budget_of(team) {
        Some(id) => admin.db.find_budget(&id).await.map_err(|problem| problem::store(&problem))?,
        None => None,
    };
    let limits = row.as_ref().map(|row| row.limits.clone()).unwrap_or_default();
    for (field, value) in RULES.iter().zip([
        json!(limits.max_budget),
        json!(limits.budget_duration),
        json!(limits.rpm_limit),
        json!(limits.tpm_limit),
    ]) {
        shown.insert(field.name.to_owned(), value);
    }
    let table = row.as_ref().map(budgets::shown);
    shown.insert("team_member_budget_table".to_owned(), json!(table));
    Ok(())
}
