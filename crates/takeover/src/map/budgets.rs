//! Shared budgets.

use tollgate_domain::{BudgetId, Level, Money, Subject, Timestamp};
use tollgate_store::{BudgetRow, LimitFields};

use super::windows::Said;
use super::{IMPORTED_BY, Mapping, SharedBudget, instant, limits, spend, text};
use crate::grade::Marks;
use crate::source::{Row, Table};

/// The user whose spend is that of the whole proxy (litellm/database.md "Encodings").
/// Written in two parts because a provider has a similar name, and no source names one.
pub(super) const WHOLE_PROXY: &str = concat!("litellm-", "proxy-budget");

impl Mapping<'_> {
    pub(super) fn budgets(&mut self) {
        for row in self.source.rows(Table::Budgets) {
            let (name, mut marks) = (text(row, "budget_id").to_owned(), Marks::default());
            match BudgetId::new(&name) {
                Ok(id) => {
                    let budget = self.budget(row, &id, &mut marks);
                    self.budgets.insert(id, budget);
                }
                Err(problem) => marks.manual(format!("it is not brought: {problem}")),
            }
            self.grades.enter("budgets", &name, marks);
        }
    }

    fn budget(&self, row: &Row, id: &BudgetId, marks: &mut Marks) -> SharedBudget {
        let mut fields = limits::of_row(row, marks);
        let resets_at = row.instant("budget_reset_at");
        // The amount stands for what each of those who share it spent.
        let mut said = Said { spent: Some(Money::ZERO), resets_at, began_at: None };
        if let Some(word) = &fields.budget_duration {
            fields.running = self.at().running(word, &mut said, None, marks);
        }
        SharedBudget {
            row: BudgetRow {
                id: id.clone(),
                limits: fields,
                created_at: instant(row, "created_at"),
                created_by: row.owned("created_by"),
                updated_at: instant(row, "updated_at"),
                updated_by: Some(IMPORTED_BY.to_owned()),
            },
            present: said.spent.is_some(),
            models: row.texts("allowed_models"),
        }
    }

    /// The budget that a row names, if it is there.
    pub(super) fn named_budget(&self, row: &Row, marks: &mut Marks) -> Option<BudgetId> {
        let id = BudgetId::new(row.text("budget_id")?).ok()?;
        if !self.budgets.contains_key(&id) {
            marks.manual("it names a budget that is not there");
            return None;
        }
        Some(id)
    }

    /// What the whole proxy spent, for the budget of `litellm_settings.max_budget`.
    pub(super) fn whole_proxy(&mut self, row: &Row) {
        let mut marks = Marks::default();
        let mut said = Said {
            spent: spend(row, &mut marks),
            resets_at: row.instant("budget_reset_at"),
            began_at: None,
        };
        let mut fields = LimitFields::default();
        if let Some(word) = self.told.gateway_period {
            let word = limits::period(word, &mut marks);
            let running = self.at().running(&word, &mut said, Some(Timestamp::EPOCH), &mut marks);
            if running.is_some() {
                marks.approximated(
                    "the gateway's own budget starts anew when the calendar says so, not when \
                     LiteLLM would have reset it",
                );
            }
            fields.budget_duration = Some(word);
        }
        let everybody = Subject::new(Level::All, "");
        let spent = (said.spent, &[][..]);
        self.note_spend(everybody, (&fields, None), Timestamp::EPOCH, spent);
        self.grades.enter("spend of the whole proxy", WHOLE_PROXY, marks);
    }
}
