//! Removing what expired, a bounded number of answers at a time.

use std::collections::BTreeMap;

use tollgate_domain::Timestamp;

use super::{Responses, delete_ids, lock, take_bytes};
use crate::StoreError;
use crate::db::{Columns as _, on};
use crate::transaction::Transaction;

const EXPIRED: &str = "SELECT owner, id FROM responses WHERE expires_at <= $1 \
     ORDER BY expires_at, id LIMIT $2";

impl Responses {
    /// Removes up to `rows_max` answers that expired, the longest expired first, one transaction
    /// per owner. Gives how many were found; fewer than `rows_max` means that none is left.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails; the owners whose turn had come stay pruned.
    pub async fn prune(&self, now: Timestamp, rows_max: u32) -> Result<usize, StoreError> {
        let mut found = 0;
        let mut by_owner: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (owner, id) in self.expired(now, rows_max).await? {
            by_owner.entry(owner).or_default().push(id);
            found += 1;
        }
        for (owner, ids) in by_owner {
            let mut transaction = Transaction::begin(&self.db).await?;
            lock(&mut transaction, &owner).await?;
            let bytes = delete_ids(&mut transaction, &ids).await?;
            take_bytes(&mut transaction, &owner, bytes).await?;
            transaction.commit().await?;
        }
        Ok(found)
    }

    /// Owners and ids of answers that expired.
    async fn expired(
        &self,
        now: Timestamp,
        rows_max: u32,
    ) -> Result<Vec<(String, String)>, StoreError> {
        on!(
            &self.db,
            read | pool | {
                let query = sqlx::query(EXPIRED).bind(now.micros()).bind(i64::from(rows_max));
                let rows = query.fetch_all(pool).await?;
                rows.iter().map(|row| Ok((row.text("owner")?, row.text("id")?))).collect()
            }
        )
    }
}
