//! Rows of LiteLLM's to rows of ours, each with its grade. Nothing here reads or writes anything.

mod budgets;
mod entities;
mod kept;
mod keys;
mod limits;
mod members;
mod models;
mod windows;

use std::collections::BTreeMap;

use tollgate_domain::{BudgetId, Money, Subject, Timestamp};
use tollgate_policy::Calendar;
use tollgate_store::{
    BudgetRow, CredentialRow, DeploymentRow, EntityRow, ImportedRow, KeyRow, LimitFields,
};

use crate::grade::{Grade, Grades};
use crate::opening::Spent;
use crate::secrets::SaltKey;
use crate::source::{Row, Source, Table};
pub use models::{CREDENTIALS, DEPLOYMENTS};
pub use windows::At;
use windows::Said;

/// What the mapping is told beside the rows.
#[derive(Debug)]
pub struct Told<'a> {
    /// The calendar of the configuration, which windows turn by.
    pub calendar: &'a Calendar,
    /// When the source was read.
    pub now: Timestamp,
    /// What the source's secrets were encrypted with, where it is known.
    pub salt_key: Option<&'a SaltKey>,
    /// Whether the configuration says that LiteLLM uses the deployments of its database.
    pub store_models: bool,
    /// The period of the whole gateway's budget, where the configuration has one.
    pub gateway_period: Option<&'a str>,
}

/// Everything as it is to be here.
#[derive(Debug, Default)]
pub struct Mapped {
    /// Budgets, then those that are no keys, then keys: whoever is cut short has no key without
    /// its limits.
    pub rows: Vec<ImportedRow>,
    /// What was spent in the running windows, by whom.
    pub windows: BTreeMap<Subject, Vec<Spent>>,
    /// Deployments that were added over the API, those of which everything can be read.
    pub deployments: Vec<DeploymentRow>,
    /// Credentials with a name, likewise.
    pub credentials: Vec<CredentialRow>,
    /// How well all of it came over.
    pub grades: Grades,
}

/// Who wrote a row here, by which a later import knows its own.
pub const IMPORTED_BY: &str = "litellm import";

/// Maps everything that was read.
#[must_use]
pub fn map(source: &Source, told: &Told<'_>) -> Mapped {
    let mut mapping = Mapping::new(source, told);
    mapping.budgets();
    mapping.organizations();
    mapping.users();
    mapping.teams();
    mapping.projects();
    mapping.members();
    mapping.organization_members();
    mapping.customers();
    mapping.tags();
    mapping.keys();
    mapping.old_keys();
    mapping.models();
    mapping.leftovers();
    mapping.finish()
}

/// A mapping under way.
struct Mapping<'a> {
    source: &'a Source,
    told: &'a Told<'a>,
    grades: Grades,
    budgets: BTreeMap<BudgetId, SharedBudget>,
    entities: Vec<EntityRow>,
    keys: Vec<KeyRow>,
    windows: BTreeMap<Subject, Vec<Spent>>,
    deployments: Vec<DeploymentRow>,
    credentials: Vec<CredentialRow>,
}

/// A shared budget, and whether what was spent of it was spent in its present window.
struct SharedBudget {
    row: BudgetRow,
    present: bool,
    /// The models that a member with this budget may call.
    models: Vec<String>,
}

impl<'a> Mapping<'a> {
    fn new(source: &'a Source, told: &'a Told<'a>) -> Self {
        Self {
            source,
            told,
            grades: Grades::default(),
            budgets: BTreeMap::new(),
            entities: Vec::new(),
            keys: Vec::new(),
            windows: BTreeMap::new(),
            deployments: Vec::new(),
            credentials: Vec::new(),
        }
    }

    const fn at(&self) -> At<'a> {
        At { calendar: self.told.calendar, now: self.told.now }
    }

    /// Notes what was spent in the running windows of somebody with these own limits and this
    /// shared budget.
    fn note_spend(
        &mut self,
        subject: Subject,
        (own, budget): (&LimitFields, Option<&BudgetId>),
        created_at: Timestamp,
        (main, others): (Option<Money>, &[(String, Said)]),
    ) {
        let shared = budget.and_then(|id| self.budgets.get(id));
        let effective = shared.map_or_else(|| own.clone(), |budget| own.over(&budget.row.limits));
        // A period that comes from the shared budget is reset with it.
        let by_shared = own.budget_duration.is_none() && effective.budget_duration.is_some();
        let present = !by_shared || shared.is_none_or(|budget| budget.present);
        let main = main.filter(|_| present);
        let spent = self.at().spent(&effective, created_at, main, others);
        if !spent.is_empty() {
            self.windows.entry(subject).or_default().extend(spent);
        }
    }

    fn finish(self) -> Mapped {
        let budgets = self.budgets.into_values().map(|budget| ImportedRow::Budget(budget.row));
        let entities = self.entities.into_iter().map(ImportedRow::Entity);
        let keys = self.keys.into_iter().map(ImportedRow::Key);
        Mapped {
            rows: budgets.chain(entities).chain(keys).collect(),
            windows: self.windows,
            deployments: self.deployments,
            credentials: self.credentials,
            grades: self.grades,
        }
    }

    /// What stays behind: tables that nothing here takes rows from, and settings in the database.
    fn leftovers(&mut self) {
        for (name, count) in &self.source.others {
            if *count > 0 && !HOUSEKEEPING.contains(&name.as_str()) {
                self.grades.leave("other tables", format!("`{name}`"), *count);
            }
        }
        for row in self.source.rows(Table::Settings) {
            let name = row.text("param_name").unwrap_or_default();
            if CONFIGURED.contains(&name) {
                let note = "settings that were changed over LiteLLM's API count before its file; \
                            write them into the configuration";
                self.grades.remark(Grade::Manual, "settings", note.to_owned(), name);
            }
        }
    }
}

fn text<'r>(row: &'r Row, column: &str) -> &'r str {
    row.text(column).unwrap_or_default()
}

/// The instant of a column that may be null in rows of old versions.
fn instant(row: &Row, column: &str) -> Timestamp {
    row.instant(column).unwrap_or(Timestamp::EPOCH)
}

/// What was spent by a row's own number; one that cannot be read is said to be so.
fn spend(row: &Row, marks: &mut crate::grade::Marks) -> Option<Money> {
    match row.money("spend") {
        Ok(money) => Some(money.unwrap_or(Money::ZERO)),
        Err(problem) => {
            marks.manual(format!("`spend` is not brought: {problem}; the totals by day count"));
            None
        }
    }
}

/// Tables that keep LiteLLM itself going and hold nothing of anybody's.
const HOUSEKEEPING: [&str; 4] = [
    "LiteLLM_CronJob",
    "LiteLLM_DailyGatewayRequests",
    "LiteLLM_HealthCheckTable",
    "LiteLLM_UserNotifications",
];

/// Rows of the settings table that hold settings.
const CONFIGURED: [&str; 4] =
    ["general_settings", "router_settings", "litellm_settings", "environment_variables"];

#[cfg(test)]
mod tests;
