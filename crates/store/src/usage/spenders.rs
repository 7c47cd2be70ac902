//! Everybody at a level with what they spent, and many at once who are known.
//!
//! Each name is found by one step through the quarter-hours' key, and each sum is a few steps
//! through one key or the other, so that an answer costs as much as there are names and days asked
//! about, however long the gateway has been running.

use tollgate_domain::{Level, Subject};
use tollgate_policy::Span;

use super::{Part, Reading};
use crate::batch::{Statement, Value};
use crate::spend::Spend;
use crate::transaction::Transaction;
use crate::{Db, StoreError};

/// Most names of one level that are looked at for one answer.
pub const SPENDERS_LOOKED_AT_MAX: usize = 10_000;

/// Those at a level who called in a span.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Spenders {
    /// Each with the sum over the span, the dearest first.
    pub all: Vec<(String, Spend)>,
    /// Whether there are more names than [`SPENDERS_LOOKED_AT_MAX`], so that some are missing.
    pub incomplete: bool,
}

impl Db {
    /// Everybody at a level who called in a span, which begins and ends at quarter-hours.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails, or does not answer within fifteen seconds.
    pub async fn spenders(&self, level: Level, span: Span) -> Result<Spenders, StoreError> {
        let mut reading = Reading::begin(self, &[span]).await?;
        let all = Names { kind: level.as_str(), after: None, most: SPENDERS_LOOKED_AT_MAX + 1 };
        let mut ids = names(&mut reading.transaction, all).await?;
        let incomplete = ids.len() > SPENDERS_LOOKED_AT_MAX;
        ids.truncate(SPENDERS_LOOKED_AT_MAX);
        let part = |id: &String| Part { kind: level.as_str(), subject: id.clone(), span };
        let parts: Vec<Part> = ids.iter().map(part).collect();
        let mut all: Vec<(String, Spend)> =
            ids.into_iter().zip(reading.sums(&parts).await?).collect();
        reading.end().await?;
        all.retain(|(_, spend)| spend.entries > 0);
        all.sort_by_key(|(_, spend)| std::cmp::Reverse((spend.cost, spend.entries)));
        Ok(Spenders { all, incomplete })
    }

    /// What each of these subjects spent in each of these spans, which begin and end at
    /// quarter-hours: a list for each subject, in the order of the spans. All of it is read at one
    /// instant.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails, or does not answer within fifteen seconds.
    pub async fn spends(
        &self,
        subjects: &[Subject],
        spans: &[Span],
    ) -> Result<Vec<Vec<Spend>>, StoreError> {
        if spans.is_empty() {
            return Ok(vec![Vec::new(); subjects.len()]);
        }
        let mut reading = Reading::begin(self, spans).await?;
        let parts = subjects.iter().flat_map(|subject| {
            spans.iter().map(|span| Part {
                kind: subject.level.as_str(),
                subject: subject.id.to_string(),
                span: *span,
            })
        });
        let parts: Vec<Part> = parts.collect();
        let found = reading.sums(&parts).await?;
        reading.end().await?;
        Ok(found.chunks(spans.len()).map(<[Spend]>::to_vec).collect())
    }
}

/// Which names of a kind are asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Names<'a> {
    pub(crate) kind: &'a str,
    /// Only those that come after this one.
    pub(crate) after: Option<&'a str>,
    /// How many, at most.
    pub(crate) most: usize,
}

/// The names of all that were ever summed under a kind, in their order.
pub(crate) async fn names(
    reading: &mut Transaction,
    asked: Names<'_>,
) -> Result<Vec<String>, StoreError> {
    let most = i64::try_from(asked.most).unwrap_or(i64::MAX);
    let values = [Value::from(asked.kind), Value::from(most)];
    let statement = match asked.after {
        None => Statement::new(NAMES, values),
        Some(after) => Statement::new(NAMES_AFTER, [values[0], values[1], Value::from(after)]),
    };
    reading.fetch(statement, |row| row.text("subject")).await
}

/// Each name is found by one step through the key: reading every row of a kind would take longer
/// with each quarter-hour that passes.
macro_rules! names {
    ($first:literal) => {
        concat!(
            "WITH RECURSIVE names (subject) AS (\
             SELECT MIN(subject) FROM spend_quarter_hours WHERE kind = $1",
            $first,
            " UNION ALL \
             SELECT (SELECT MIN(more.subject) FROM spend_quarter_hours more \
             WHERE more.kind = $1 AND more.subject > names.subject) \
             FROM names WHERE names.subject IS NOT NULL) \
             SELECT subject FROM names WHERE subject IS NOT NULL LIMIT $2"
        )
    };
}

const NAMES: &str = names!("");
const NAMES_AFTER: &str = names!(" AND subject > $3");
