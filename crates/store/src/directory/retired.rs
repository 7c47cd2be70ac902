//! Keys in memory as their calls see them: their rules, and the texts that they had before.

use std::sync::atomic::Ordering;

use tollgate_domain::KeyHash;

use super::{KeyDirectory, KeyRecord};
use crate::{KeyRules, StoreError};

impl KeyRecord {
    /// What its calls go by beside its limits; nothing where there is nothing.
    #[must_use]
    pub fn rules(&self) -> Option<&KeyRules> {
        self.rules.as_deref()
    }
}

impl KeyDirectory {
    /// The key that has a text with this hash, or had it before and is still taken for it.
    pub(super) async fn read_key(&self, hash: &KeyHash) -> Result<Option<KeyRecord>, StoreError> {
        if let Some(row) = self.db.find_key(hash).await? {
            return Ok(Some(self.record(row).await?));
        }
        let retired = self.db.find_retired_key(hash).await?;
        let Some((row, until)) = retired.filter(|(_, until)| self.clock.now() < *until) else {
            return Ok(None);
        };
        self.knows_retired.store(true, Ordering::Relaxed);
        Ok(Some(KeyRecord { retires_at: Some(until), ..self.record(row).await? }))
    }
}
