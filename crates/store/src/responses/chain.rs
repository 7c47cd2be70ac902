//! The conversation that an answer ends: every answer before it, in one reading.

use thiserror::Error;
use tollgate_domain::{ResponseId, Timestamp};

use super::{Owner, ResponseRow, Responses, signed};
use crate::StoreError;
use crate::db::on;

/// Stops one answer beyond a limit, so that what is read is bounded and what exceeds is seen.
const CHAIN: &str = "WITH RECURSIVE turns (id, previous_id, depth, total) AS ( \
     SELECT id, previous_id, CAST(1 AS BIGINT), bytes FROM responses \
     WHERE id = $1 AND owner = $2 AND expires_at > $3 \
     UNION ALL \
     SELECT r.id, r.previous_id, t.depth + 1, t.total + r.bytes \
     FROM turns t JOIN responses r ON r.id = t.previous_id \
     WHERE r.owner = $2 AND r.expires_at > $3 AND t.depth <= $4 AND t.total <= $5) \
     SELECT r.id, r.owner, r.previous_id, r.created_at, r.expires_at, r.model, r.input_items, \
     r.response FROM turns t JOIN responses r ON r.id = t.id ORDER BY t.depth DESC";

/// Why a conversation was not read. It is never cut short instead.
#[derive(Debug, Error)]
pub enum ChainError {
    /// It has more answers than are read.
    #[error("the conversation has more than {turns_max} answers")]
    TooLong {
        /// How many it may have.
        turns_max: u32,
    },
    /// It has more bytes than are read.
    #[error("the conversation has more than {bytes_max} bytes")]
    TooLarge {
        /// How many it may have.
        bytes_max: u64,
    },
    /// An answer in it expired or was deleted.
    #[error("the conversation went on from `{missing}`, which is no longer kept")]
    Broken {
        /// The answer that is absent.
        missing: ResponseId,
    },
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Responses {
    /// The conversation that this answer ends, oldest first, the answer itself last. `None` when
    /// the answer is absent, as in [`Responses::find`].
    ///
    /// # Errors
    /// [`ChainError`] when the conversation exceeds a limit, when an earlier answer of it is
    /// absent, or when the database fails.
    pub async fn chain(
        &self,
        id: &ResponseId,
        owner: &Owner,
        now: Timestamp,
    ) -> Result<Option<Vec<ResponseRow>>, ChainError> {
        let rows = self.read_chain(id, owner, now).await?;
        let Some(oldest) = rows.first() else { return Ok(None) };
        let (turns_max, bytes_max) = (self.limits.chain_turns_max, self.limits.chain_bytes_max);
        if rows.len() as u64 > u64::from(turns_max) {
            return Err(ChainError::TooLong { turns_max });
        }
        if rows.iter().map(ResponseRow::bytes).sum::<u64>() > bytes_max {
            return Err(ChainError::TooLarge { bytes_max });
        }
        match &oldest.previous {
            Some(missing) => Err(ChainError::Broken { missing: missing.clone() }),
            None => Ok(Some(rows)),
        }
    }

    async fn read_chain(
        &self,
        id: &ResponseId,
        owner: &Owner,
        now: Timestamp,
    ) -> Result<Vec<ResponseRow>, StoreError> {
        let turns_max = i64::from(self.limits.chain_turns_max);
        let bytes_max = signed(self.limits.chain_bytes_max);
        on!(
            &self.db,
            read | pool | {
                let query = sqlx::query(CHAIN).bind(id.as_str()).bind(owner.encode());
                let query = query.bind(now.micros()).bind(turns_max).bind(bytes_max);
                let rows = query.fetch_all(pool).await?;
                rows.iter().map(|row| ResponseRow::read(row)).collect()
            }
        )
    }
}
