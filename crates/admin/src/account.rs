//! What stands beside a row in an answer: what was spent, until when, and the shared budget.

use serde_json::{Map, Value, json};
use tollgate_domain::{Money, Timestamp};
use tollgate_faults::Refusal;
use tollgate_store::{BudgetRow, LevelRecord};

use crate::budgets;
use crate::problem;
use crate::routes::Admin;

/// The money of one level as answers tell it.
#[derive(Debug, Default)]
pub(crate) struct Account {
    /// What its calls cost in the present window of its main budget.
    pub(crate) spent: Money,
    /// When that window ends, if it does.
    pub(crate) resets_at: Option<Timestamp>,
    /// The budget whose rules fill what its own limits leave open.
    pub(crate) shared: Option<BudgetRow>,
}

impl Admin {
    /// The money of a level.
    pub(crate) async fn account(&self, level: &LevelRecord) -> Result<Account, Refusal> {
        let (calendar, now) = (self.keys.calendar(), self.clock.now());
        let shared = match level.budget() {
            Some(budget) => self.db.find_budget(budget).await,
            None => Ok(None),
        };
        Ok(Account {
            spent: level.spent(calendar, now),
            resets_at: level.resets_at(calendar, now),
            shared: shared.map_err(|problem| problem::store(&problem))?,
        })
    }
}

impl Account {
    /// Adds the fields of LiteLLM's that tell it.
    pub(crate) fn show(&self, shown: &mut Map<String, Value>) {
        let shared = self.shared.as_ref().map(budgets::shown);
        let resets_at = self.resets_at.map(|at| at.to_string());
        let fields = [
            ("spend", json!(self.spent)),
            ("budget_reset_at", json!(resets_at)),
            ("litellm_budget_table", json!(shared)),
        ];
        shown.extend(fields.map(|(name, value)| (name.to_owned(), value)));
    }
}
