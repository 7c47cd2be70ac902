//! Writing the plan: in batches that are each whole, money first and keys last.
//!
//! An end in the middle leaves budgets without keys and never keys without their budgets or what
//! was spent of them. Writing the same plan again writes nothing.

use std::collections::BTreeMap;

use serde::Serialize;
use thiserror::Error;
use tollgate_domain::Money;
use tollgate_store::{
    By, Db, Editor, ImportedSum, Spend, StoreError, SumOf, Vault, WriteModelError, Written,
};

use crate::opening::{self, Dated};
use crate::plan::Plan;

/// What was written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Applied {
    /// What became of the rows.
    pub rows: Tally,
    /// Sums by day that are new or another amount than before.
    pub sums: usize,
    /// Opening balances, likewise.
    pub openings: usize,
    /// Deployments and credentials that were written.
    pub models: usize,
}

/// How many rows became what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// New here.
    pub inserted: usize,
    /// As the source has them now.
    pub updated: usize,
    /// As they were.
    pub unchanged: usize,
    /// Left alone, because somebody made or changed them here.
    pub kept: usize,
    /// Keys that were deleted here since an earlier import, and stay so.
    pub deleted: usize,
    /// New keys whose alias another key has.
    pub without_alias: usize,
}

impl Applied {
    /// Whether anything is another than before.
    #[must_use]
    pub const fn changes(&self) -> bool {
        let rows = self.rows.inserted + self.rows.updated + self.rows.without_alias;
        rows + self.sums + self.openings + self.models > 0
    }
}

impl Plan {
    /// Writes everything, and records by whom. May be called again at any time, also after an end
    /// in the middle.
    ///
    /// # Errors
    /// [`ApplyError`] when the database here fails, or seals with another key than the one given;
    /// whole batches stay written.
    pub async fn apply(&self, db: &Db, by: &By, vault: &Vault) -> Result<Applied, ApplyError> {
        let mut applied = Applied::default();
        for chunk in self.sums.chunks(SUMS_PER_BATCH) {
            applied.sums += db.import_sums(chunk).await?;
        }
        for chunk in self.openings(db).await?.chunks(SUMS_PER_BATCH) {
            applied.openings += db.import_sums(chunk).await?;
        }
        applied.models = self.apply_models(db.edit(by), vault).await?;
        for chunk in self.rows.chunks(ROWS_PER_BATCH) {
            for written in db.edit(by).import_rows(chunk).await? {
                applied.rows.note(written);
            }
        }
        Ok(applied)
    }

    /// The opening balances that are missing here.
    async fn openings(&self, db: &Db) -> Result<Vec<ImportedSum>, StoreError> {
        let here = db.openings().await?;
        let empty = Dated::new();
        let mut openings = Vec::new();
        for (subject, wanted) in &self.windows {
            let of = |dated: &'_ BTreeMap<_, Dated>| dated.get(subject).unwrap_or(&empty).clone();
            let changed = opening::balances(wanted, &of(&self.days), &of(&here));
            openings.extend(changed.into_iter().map(|(at, cost)| ImportedSum {
                of: SumOf::Opening(subject.clone()),
                at,
                spend: Spend { cost, ..Spend::default() },
            }));
        }
        Ok(openings)
    }

    /// Writes the deployments and credentials that are not here yet, and says how many they were.
    /// One that is here stays as it is, because somebody may have changed it here.
    async fn apply_models(&self, here: Editor<'_>, vault: &Vault) -> Result<usize, ApplyError> {
        let mut written = 0;
        for credential in &self.credentials {
            let row = credential.row(here.made());
            written += usize::from(is_new(here.insert_credential(vault, &row).await)?);
        }
        for deployment in &self.deployments {
            let Some(row) = deployment.row(here.made()) else { continue };
            written += usize::from(is_new(here.insert_deployment(vault, &row).await)?);
        }
        Ok(written)
    }

    /// What was spent in all running windows together.
    #[must_use]
    pub fn spent_in_windows(&self) -> Money {
        let all = self.windows.values().flat_map(BTreeMap::values);
        all.fold(Money::ZERO, |sum, money| sum.saturating_add(*money))
    }
}

/// Whether it was not here before.
fn is_new(written: Result<(), WriteModelError>) -> Result<bool, WriteModelError> {
    match written {
        Ok(()) => Ok(true),
        Err(WriteModelError::Taken) => Ok(false),
        Err(problem) => Err(problem),
    }
}

/// Why not everything was written.
#[derive(Debug, Error)]
pub enum ApplyError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A deployment or credential could not be written.
    #[error("deployments and credentials: {0}")]
    Model(#[from] WriteModelError),
}

impl Tally {
    const fn note(&mut self, written: Written) {
        let count = match written {
            Written::Inserted => &mut self.inserted,
            Written::Updated => &mut self.updated,
            Written::Unchanged => &mut self.unchanged,
            Written::Kept => &mut self.kept,
            Written::Deleted => &mut self.deleted,
            Written::WithoutAlias => &mut self.without_alias,
        };
        *count += 1;
    }
}

/// How many sums one transaction writes.
const SUMS_PER_BATCH: usize = 512;
/// How many rows one transaction writes.
const ROWS_PER_BATCH: usize = 128;
