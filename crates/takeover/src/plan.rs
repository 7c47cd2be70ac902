//! What is to be written here, and what both sides must agree on afterwards.

use std::collections::BTreeMap;

use serde::Serialize;
use tollgate_domain::{Level, Money, Subject, Timestamp};
use tollgate_store::{
    CredentialRow, Db, DeploymentRow, ImportedRow, ImportedSum, StoreError, SumOf, Vault,
};

use crate::daily::{DailySums, Family};
use crate::grade::{Grade, Grades};
use crate::map::{CREDENTIALS, DEPLOYMENTS, Mapped};
use crate::opening::{self, Dated};
use crate::source::Daily;

/// Everything that comes over.
#[derive(Debug)]
pub struct Plan {
    /// Rows, in the order in which they are written.
    pub rows: Vec<ImportedRow>,
    /// Totals by day.
    pub sums: Vec<ImportedSum>,
    /// What was spent in running windows: by whom, and by where each window is opened.
    pub windows: BTreeMap<Subject, Dated>,
    /// Deployments that were added over the API.
    pub deployments: Vec<DeploymentRow>,
    /// Credentials with a name.
    pub credentials: Vec<CredentialRow>,
    /// How well everything comes over.
    pub grades: Grades,
    /// What the totals by day add up to at the source.
    pub families: BTreeMap<Daily, Family>,
    /// The totals by day of each subject.
    pub(crate) days: BTreeMap<Subject, Dated>,
}

/// Something that both sides were compared by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was compared.
    pub what: String,
    /// What it is at the source: a count, or dollars.
    pub source: String,
    /// What it is here.
    pub here: String,
    /// Whether they agree.
    pub agrees: bool,
}

impl Plan {
    /// Puts together what was mapped and what the totals by day add up to, as of the instant at
    /// which the source was read.
    #[must_use]
    pub fn new(mapped: Mapped, daily: DailySums, now: Timestamp) -> Self {
        let Mapped { rows, windows, deployments, credentials, mut grades } = mapped;
        let mut told_apart = BTreeMap::new();
        for (subject, spent) in windows {
            let (wanted, unlike) = opening::told_apart(&spent, now);
            for _ in unlike {
                let note = "a window cannot be told apart from another one, or began just now: of \
                            two the larger spend counts for both, and one of minutes starts anew";
                let what = subject.level.as_str();
                grades.remark(Grade::Approximated, what, note.to_owned(), &subject.id);
            }
            told_apart.insert(subject, wanted);
        }
        let (families, days) = (daily.families.clone(), daily.by_subject());
        for (family, counts) in &families {
            for _ in 0..counts.unreadable {
                let note =
                    format!("a row of `{}` has no readable day, sum or owner", family.name());
                grades.remark(Grade::Manual, "totals by day", note, "");
            }
        }
        let sums = daily.into_sums();
        Self { rows, sums, windows: told_apart, deployments, credentials, grades, families, days }
    }

    /// Compares both sides: rows by kind, deployments and credentials that open with the key here,
    /// totals by day, and the spend of running windows.
    ///
    /// # Errors
    /// [`StoreError`] when the database here fails.
    pub async fn verify(&self, db: &Db, vault: &Vault) -> Result<Vec<Check>, StoreError> {
        let mut checks = self.verify_rows(db).await?;
        checks.extend(self.verify_models(db, vault).await?);
        let days = self.days_here(db).await?;
        for (family, counts) in &self.families {
            let here = days
                .iter()
                .filter(|(subject, _)| subject.level == level(*family))
                .map(|(_, dated)| opening::sum(dated, Timestamp::EPOCH))
                .fold(Money::ZERO, Money::saturating_add);
            checks.push(Check::money(
                format!("dollars by day: {}", name(*family)),
                counts.spend,
                here,
            ));
        }
        let openings = db.openings().await?;
        let (mut wanted, mut here, mut same) = (Money::ZERO, Money::ZERO, true);
        let empty = Dated::new();
        for (subject, windows) in &self.windows {
            for (since, money) in windows {
                let of = |dated: &BTreeMap<Subject, Dated>| {
                    opening::sum(dated.get(subject).unwrap_or(&empty), *since)
                };
                let counted = of(&days).saturating_add(of(&openings));
                wanted = wanted.saturating_add(*money);
                here = here.saturating_add(counted);
                same &= counted == *money;
            }
        }
        let windows = Check::money("dollars in running windows".to_owned(), wanted, here);
        checks.push(Check { agrees: windows.agrees && same, ..windows });
        Ok(checks)
    }

    async fn verify_rows(&self, db: &Db) -> Result<Vec<Check>, StoreError> {
        let mut kinds: BTreeMap<String, (usize, usize)> = BTreeMap::new();
        for row in &self.rows {
            let kind = match row {
                ImportedRow::Budget(_) => "budgets".to_owned(),
                ImportedRow::Entity(row) => format!("{}s", row.level.as_str()),
                ImportedRow::Key(_) => "keys".to_owned(),
            };
            let counts = kinds.entry(kind).or_default();
            counts.0 += 1;
            counts.1 += db.count_imported(std::slice::from_ref(row)).await?;
        }
        let check = |(what, (source, here))| Check::count(what, source, here);
        Ok(kinds.into_iter().map(check).collect())
    }

    async fn verify_models(&self, db: &Db, vault: &Vault) -> Result<Vec<Check>, StoreError> {
        let deployments = db.count_imported_deployments(vault, &self.deployments).await?;
        let credentials = db.count_imported_credentials(vault, &self.credentials).await?;
        let counts = [
            (DEPLOYMENTS, self.deployments.len(), deployments),
            (CREDENTIALS, self.credentials.len(), credentials),
        ];
        let some = counts.into_iter().filter(|(_, source, _)| *source > 0);
        Ok(some.map(|(what, source, here)| Check::count(what.to_owned(), source, here)).collect())
    }

    /// The totals by day as they are recorded here.
    async fn days_here(&self, db: &Db) -> Result<BTreeMap<Subject, Dated>, StoreError> {
        let mut days: BTreeMap<Subject, Dated> = BTreeMap::new();
        let whole = |sum: &&ImportedSum| matches!(sum.of, SumOf::Whole(_));
        let sums: Vec<ImportedSum> = self.sums.iter().filter(whole).cloned().collect();
        for chunk in sums.chunks(SUMS_READ) {
            let recorded = db.imported_sums(chunk).await?;
            for (sum, recorded) in chunk.iter().zip(recorded) {
                if let SumOf::Whole(subject) = &sum.of {
                    days.entry(subject.clone()).or_default().insert(sum.at, recorded.cost);
                }
            }
        }
        Ok(days)
    }
}

impl Check {
    fn count(what: String, source: usize, here: usize) -> Self {
        let agrees = source == here;
        Self { what, source: source.to_string(), here: here.to_string(), agrees }
    }

    fn money(what: String, source: Money, here: Money) -> Self {
        Self { what, source: source.to_string(), here: here.to_string(), agrees: source == here }
    }
}

/// Whose sums a family's rows add up to: by user, those of everybody, because a call without a user
/// is in no other.
const fn level(family: Daily) -> Level {
    match family {
        Daily::Users => Level::All,
        Daily::Teams => Level::Team,
        Daily::Organizations => Level::Organization,
        Daily::Customers => Level::Customer,
        Daily::Tags => Level::Tag,
    }
}

const fn name(family: Daily) -> &'static str {
    match family {
        Daily::Users => "everybody",
        Daily::Teams => "teams",
        Daily::Organizations => "organizations",
        Daily::Customers => "customers",
        Daily::Tags => "tags",
    }
}

/// How many sums are read at one time.
const SUMS_READ: usize = 512;
