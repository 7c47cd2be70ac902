//! Keys that are found by texts that they had before.

use std::sync::atomic::Ordering;

use tollgate_domain::KeyHash;

use super::{KeyDirectory, KeyRecord};
use crate::StoreError;

impl KeyDirectory {
    /// The key that has a text with this hash, or had it before and is still taken for it.
    pub(super) async fn read_key(&self, hash: &KeyHash) -> Result<Option<KeyRecord>, StoreError> {
        if let Some(row) = self.db.find_key(hash).await? {
            return Ok(Some(self.record(row, None).await?));
        }
        let retired = self.db.find_retired_key(hash).await?;
        let Some((row, until)) = retired.filter(|(_, until)| self.clock.now() < *until) else {
            return Ok(None);
        };
        self.knows_retired.store(true, Ordering::Relaxed);
        self.record(row, Some(until)).await.map(Some)
    }
}
