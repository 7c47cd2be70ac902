//! What keys are called by whoever reads sums, which are kept under keys' ids.

use std::collections::BTreeMap;

use crate::batch::{Statement, Value, chunks};
use crate::transaction::Transaction;
use crate::{Db, StoreError};

/// What a key is called, while it or its record exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyLabel {
    /// Its hash in hexadecimal digits.
    pub hash: String,
    /// Its masked text.
    pub name: String,
    /// Its alias.
    pub alias: Option<String>,
    /// The team it belongs to.
    pub team: Option<String>,
    /// The user it belongs to.
    pub user: Option<String>,
}

impl Db {
    /// What these keys, by their ids, are called; of deleted keys what they were called.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn key_labels(&self, ids: &[&str]) -> Result<BTreeMap<String, KeyLabel>, StoreError> {
        let mut reading = Transaction::begin_to_read(self).await?;
        let mut labels = BTreeMap::new();
        for chunk in chunks(ids) {
            let values = chunk.iter().map(|id| Value::from(*id)).collect();
            let found = reading.fetch(Statement::rows(ASKED, 1, LABELS, values), |row| {
                let label = KeyLabel {
                    hash: row.text("hash")?,
                    name: row.text("name")?,
                    alias: row.optional_text("alias")?,
                    team: row.optional_text("team_id")?,
                    user: row.optional_text("user_id")?,
                };
                Ok((row.text("id")?, label))
            });
            labels.extend(found.await?);
        }
        reading.commit().await?;
        Ok(labels)
    }
}

const ASKED: &str = "WITH asked (asked_id) AS (VALUES";
const LABELS: &str = ") SELECT id, hash, name, alias, team_id, user_id FROM asked \
     JOIN deleted_virtual_keys ON id = asked_id UNION ALL \
     SELECT id, hash, name, alias, team_id, user_id FROM asked \
     JOIN virtual_keys ON id = asked_id";
