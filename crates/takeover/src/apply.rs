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
    /// What became of deployments and credentials.
    pub models: Tally,
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
    /// Deleted here since an earlier import; they stay so.
    pub deleted: usize,
    /// New keys whose alias another key has.
    pub without_alias: usize,
}

impl Applied {
    /// Whether anything is another than before.
    #[must_use]
    pub const fn changes(&self) -> bool {
        self.rows.changes() + self.models.changes() + self.sums + self.openings > 0
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

    /// Writes credentials, then the deployments that refer to them.
    async fn apply_models(&self, here: Editor<'_>, vault: &Vault) -> Result<Tally, ApplyError> {
        let mut tally = Tally::default();
        for chunk in self.credentials.chunks(ROWS_PER_BATCH) {
            let written = here.import_credentials(vault, chunk).await?;
            written.into_iter().for_each(|written| tally.note(written));
        }
        for chunk in self.deployments.chunks(ROWS_PER_BATCH) {
            let written = here.import_deployments(vault, chunk).await?;
            written.into_iter().for_each(|written| tally.note(written));
        }
        Ok(tally)
    }

    /// What was spent in all running windows together.
    #[must_use]
    pub fn spent_in_windows(&self) -> Money {
        let all = self.windows.values().flat_map(BTreeMap::values);
        all.fold(Money::ZERO, |sum, money| sum.saturating_add(*money))
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
    /// How many are another than before.
    const fn changes(&self) -> usize {
        self.inserted + self.updated + self.without_alias
    }

    /// The same of two kinds of rows together.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self {
            inserted: self.inserted + other.inserted,
            updated: self.updated + other.updated,
            unchanged: self.unchanged + other.unchanged,
            kept: self.kept + other.kept,
            deleted: self.deleted + other.deleted,
            without_alias: self.without_alias + other.without_alias,
        }
    }

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
