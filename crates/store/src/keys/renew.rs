//! A key whose text is replaced: the same row, the same spend, and for a while both texts.

use tollgate_domain::{KeyHash, Timestamp};

use super::{KeyRow, UpdateKeyError, WriteError};
use crate::batch::{Statement, Value};
use crate::db::on;
use crate::editor::{Editor, Replaced};
use crate::transaction::Transaction;
use crate::{Db, StoreError};

const FIND_RETIRED: &str = "SELECT virtual_keys.id, virtual_keys.hash, name, alias, user_id, \
     team_id, organization_id, models, max_budget_nanos, expires_at, blocked, metadata, \
     created_at, created_by, updated_at, updated_by, limits, budget_id, project_id, rules, \
     retired_hashes.valid_until FROM retired_hashes \
     JOIN virtual_keys ON virtual_keys.id = retired_hashes.key_id WHERE retired_hashes.hash = $1";
/// A text that is given to a key again is that key's alone.
const RETIRE: &str = "INSERT INTO retired_hashes (hash, key_id, valid_until) VALUES ($1, $2, $3) \
     ON CONFLICT (hash) DO UPDATE SET key_id = excluded.key_id, valid_until = excluded.valid_until";
/// Those of the key, and those of others whose time is over.
const FORGET: &str = "DELETE FROM retired_hashes WHERE valid_until <= $2 \
     OR (key_id = $1 AND CAST($3 AS BIGINT) IS NULL)";

impl Editor<'_> {
    /// Replaces the key with the row's id as it was read, and its hash with the row's. The hash
    /// before stays valid until `until`; without a time the text before, and every earlier one,
    /// ends at once.
    ///
    /// # Errors
    /// [`UpdateKeyError`]; nothing is written then.
    pub async fn renew_key(
        &self,
        row: &mut KeyRow,
        until: Option<Timestamp>,
    ) -> Result<Replaced, UpdateKeyError> {
        match self.write_renewed(row, until).await {
            Ok(renewed) => Ok(renewed),
            Err(WriteError::Conflict { alias: true }) => Err(UpdateKeyError::AliasTaken),
            Err(WriteError::Conflict { alias: false }) => Err(UpdateKeyError::KeyTaken),
            Err(WriteError::Store(error)) => Err(UpdateKeyError::Store(error)),
        }
    }

    async fn write_renewed(
        &self,
        row: &mut KeyRow,
        until: Option<Timestamp>,
    ) -> Result<Replaced, WriteError> {
        let mut transaction = Transaction::begin(self.db).await?;
        let before = match self.replace_within(&mut transaction, row).await? {
            Ok(before) => before.hash.expose_hex(),
            Err(replaced) => return Ok(replaced),
        };
        let (id, until) = (row.id.as_str(), until.map(Timestamp::micros));
        let now = row.updated_at.micros();
        let values = [Value::from(id), Value::from(now), Value::from(until)];
        transaction.execute(Statement::new(FORGET, values)).await?;
        if let Some(until) = until {
            let values = [Value::from(&before), Value::from(id), Value::from(until)];
            transaction.execute(Statement::new(RETIRE, values)).await?;
        }
        transaction.commit().await?;
        Ok(Replaced::Done)
    }
}

impl Db {
    /// The key that had the text with this hash before, and until when it is taken for it.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn find_retired_key(
        &self,
        hash: &KeyHash,
    ) -> Result<Option<(KeyRow, Timestamp)>, StoreError> {
        on!(
            self,
            read | pool | {
                let query = sqlx::query(FIND_RETIRED).bind(hash.expose_hex());
                let row = query.fetch_optional(pool).await?;
                row.map(|row| {
                    let row: &dyn crate::db::Columns = &row;
                    let until = Timestamp::from_micros(row.integer("valid_until")?);
                    Ok((KeyRow::read(row)?, until))
                })
                .transpose()
            }
        )
    }
}
