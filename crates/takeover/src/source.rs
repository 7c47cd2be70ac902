//! The database of a LiteLLM proxy, read at one instant and never written.
//!
//! Rows are read as JSON objects of their columns, because the schema differs between versions: a
//! column that a version lacks is absent, one that a later version has is there to be reported.

mod read;
mod row;

use std::collections::BTreeMap;

use thiserror::Error;

pub use read::{is_same, read};
pub use row::{Row, instant, says_something};

/// A table whose rows are brought here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Table {
    /// Virtual keys.
    Keys,
    /// Secrets that still work after a rotation.
    OldKeys,
    /// Teams.
    Teams,
    /// Names that teams gave to models.
    TeamAliases,
    /// What members spent in teams.
    Memberships,
    /// Users.
    Users,
    /// Organizations.
    Organizations,
    /// Users in organizations.
    OrganizationMemberships,
    /// Projects.
    Projects,
    /// End users.
    Customers,
    /// Shared budgets.
    Budgets,
    /// What was spent in the windows of `budget_limits`.
    WindowSpend,
    /// Tags.
    Tags,
    /// Lists of models with a name.
    AccessGroups,
    /// Deployments that were added over the API.
    Models,
    /// Credentials with a name.
    Credentials,
    /// Settings that were changed over the API.
    Settings,
}

/// Totals by day of one family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Daily {
    /// By user; every call is in it.
    Users,
    /// By team.
    Teams,
    /// By organization.
    Organizations,
    /// By end user.
    Customers,
    /// By tag.
    Tags,
}

impl Table {
    /// Every table.
    pub const ALL: [Self; 17] = [
        Self::Keys,
        Self::OldKeys,
        Self::Teams,
        Self::TeamAliases,
        Self::Memberships,
        Self::Users,
        Self::Organizations,
        Self::OrganizationMemberships,
        Self::Projects,
        Self::Customers,
        Self::Budgets,
        Self::WindowSpend,
        Self::Tags,
        Self::AccessGroups,
        Self::Models,
        Self::Credentials,
        Self::Settings,
    ];

    /// The table's name at the source.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Keys => "LiteLLM_VerificationToken",
            Self::OldKeys => "LiteLLM_DeprecatedVerificationToken",
            Self::Teams => "LiteLLM_TeamTable",
            Self::TeamAliases => "LiteLLM_ModelTable",
            Self::Memberships => "LiteLLM_TeamMembership",
            Self::Users => "LiteLLM_UserTable",
            Self::Organizations => "LiteLLM_OrganizationTable",
            Self::OrganizationMemberships => "LiteLLM_OrganizationMembership",
            Self::Projects => "LiteLLM_ProjectTable",
            Self::Customers => "LiteLLM_EndUserTable",
            Self::Budgets => "LiteLLM_BudgetTable",
            Self::WindowSpend => "LiteLLM_BudgetWindowSpend",
            Self::Tags => "LiteLLM_TagTable",
            Self::AccessGroups => "LiteLLM_AccessGroupTable",
            Self::Models => "LiteLLM_ProxyModelTable",
            Self::Credentials => "LiteLLM_CredentialsTable",
            Self::Settings => "LiteLLM_Config",
        }
    }
}

impl Daily {
    /// Every family.
    pub const ALL: [Self; 5] =
        [Self::Users, Self::Teams, Self::Organizations, Self::Customers, Self::Tags];

    /// The table's name at the source.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Users => "LiteLLM_DailyUserSpend",
            Self::Teams => "LiteLLM_DailyTeamSpend",
            Self::Organizations => "LiteLLM_DailyOrganizationSpend",
            Self::Customers => "LiteLLM_DailyEndUserSpend",
            Self::Tags => "LiteLLM_DailyTagSpend",
        }
    }
}

/// Everything that was read.
#[derive(Debug, Default)]
pub struct Source {
    /// The rows of each table, ordered as text so that two readings agree.
    pub tables: BTreeMap<Table, Vec<Row>>,
    /// Tables of LiteLLM's that nothing here takes rows from, with how many they have.
    pub others: BTreeMap<String, u64>,
}

impl Source {
    /// The rows of a table; none where the source's version does not have it.
    #[must_use]
    pub fn rows(&self, table: Table) -> &[Row] {
        self.tables.get(&table).map_or(&[], Vec::as_slice)
    }
}

/// Why the source cannot be read.
#[derive(Debug, Error)]
pub enum SourceError {
    /// The address is none.
    #[error("the address of LiteLLM's database is no `postgres://…` URL")]
    Address,
    /// The database does not answer, or not as expected.
    #[error("LiteLLM's database cannot be read")]
    Database(#[from] sqlx::Error),
    /// It is the database of something else.
    #[error(
        "the database has no table `LiteLLM_VerificationToken`; if it is in another schema, add \
         `?schema=NAME` to the URL"
    )]
    NotLitellm,
    /// A row is no JSON object, which Postgres never gives.
    #[error("a row of `{0}` cannot be read")]
    Row(String),
}
