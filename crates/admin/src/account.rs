//! What stands beside a row in an answer: what was spent, until when, and the shared budget.

use serde_json::{Map, Value, json};
use tollgate_domain::{Money, Timestamp};
use tollgate_faults::{Reason, Refusal};
use tollgate_store::{BudgetRow, LevelRecord};

use crate::budgets;
use crate::desk::Desk;
use crate::fields::Fields;
use crate::problem;
use crate::routes::Admin;
use crate::shape::{Field, dollars};

/// What still counts of a spend that is lowered.
pub(crate) const RESET_TO: Field = dollars("reset_to", "The dollars that still count").required();

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

/// What came of counting less of what was spent.
#[derive(Debug)]
pub(crate) struct Lowered {
    /// Before.
    pub(crate) before: Account,
    /// After.
    pub(crate) after: Account,
    /// The budget that it counts against.
    pub(crate) most: Option<Money>,
}

impl Desk {
    /// Counts less of what a level spent against its budgets, down to the request's `reset_to`.
    /// What was spent stays in the ledger.
    ///
    /// # Errors
    /// Refused when `reset_to` is more than was spent, or than the budget.
    pub(crate) async fn lower_spend(
        &self,
        fields: &Fields,
        level: &LevelRecord,
    ) -> Result<Lowered, Refusal> {
        let target = fields.dollars(RESET_TO.name)?.value().unwrap_or(Money::ZERO);
        let before = self.account(level).await?;
        let most = level.max_budget();
        let above = |most: Money| target > most;
        if above(before.spent) || most.is_some_and(above) {
            let message = "`reset_to` is more than what was spent, or than the budget";
            return Err(Refusal::new(Reason::FieldOutOfRange, message).with_param(RESET_TO.name));
        }
        let waived = self.keys.waive(self.edit(), level, target, &self.fresh_id()).await;
        waived.map_err(|problem| problem::store(&problem))?;
        Ok(Lowered { before, after: self.account(level).await?, most })
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
