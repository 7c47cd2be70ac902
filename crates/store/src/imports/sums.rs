//! Sums of what was spent at another gateway.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use tollgate_domain::{Level, Money, Subject, Timestamp, joined};

use super::{LOCK, imported, opening_of};
use crate::batch::{Statement, Value, chunks};
use crate::spend::{self, Spend};
use crate::transaction::Transaction;
use crate::{Db, StoreError, days};

/// Whose sum it is, and of what.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SumOf {
    /// Everything that a subject spent.
    Whole(Subject),
    /// What a subject spent on one model group. A level that is not summed so has none.
    Model(Subject, String),
    /// What a subject had spent of its budget besides, when it was taken over.
    Opening(Subject),
}

/// Opening balances, by subject and by the start of the quarter-hour that they are dated.
pub type Openings = BTreeMap<Subject, BTreeMap<Timestamp, Money>>;

/// What a source says was spent within a quarter-hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedSum {
    /// Of what.
    pub of: SumOf,
    /// The start of the quarter-hour.
    pub at: Timestamp,
    /// All that was spent there by what the source says now.
    pub spend: Spend,
}

impl SumOf {
    /// The kind that readers of it ask for, and the subject.
    fn place(&self) -> Option<(String, String)> {
        Some(match self {
            Self::Whole(subject) => (subject.level.as_str().to_owned(), subject.id.to_string()),
            Self::Model(subject, model) => {
                (subject.level.with_model()?.to_owned(), joined(&subject.id, model))
            }
            Self::Opening(subject) => (opening_of(subject.level), subject.id.to_string()),
        })
    }

    /// The kind under which it is known what was imported.
    fn record(&self, kind: &str) -> String {
        match self {
            // Nothing but imports writes these.
            Self::Opening(_) => kind.to_owned(),
            Self::Whole(_) | Self::Model(..) => imported(kind),
        }
    }
}

impl Db {
    /// Makes sums what the source says now, in one transaction: what was imported before is
    /// replaced, and what was spent here is not touched. Says how many changed.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails; nothing is changed then.
    pub async fn import_sums(&self, sums: &[ImportedSum]) -> Result<usize, StoreError> {
        let mut transaction = Transaction::begin(self).await?;
        transaction.alone(LOCK).await?;
        let before = recorded(&mut transaction, sums).await?;
        let mut added: BTreeMap<(String, String, i64), Spend> = BTreeMap::new();
        let mut changed = 0;
        for (sum, before) in sums.iter().zip(before) {
            let Some((kind, subject)) = sum.of.place() else { continue };
            let mut difference = sum.spend.clone();
            difference.subtract(&before);
            if difference == Spend::default() {
                continue;
            }
            changed += 1;
            let (record, at) = (sum.of.record(&kind), sum.at.quarter_hour().micros());
            if record != kind {
                added.entry((record, subject.clone(), at)).or_default().add(&difference);
            }
            added.entry((kind, subject, at)).or_default().add(&difference);
        }
        let quarters = added.keys().map(|(_, _, at)| *at);
        days::reopen(&mut transaction, quarters).await?;
        add(&mut transaction, &added.into_iter().collect::<Vec<_>>()).await?;
        transaction.commit().await?;
        Ok(changed)
    }

    /// What is recorded here of these sums, in their order: what was imported, not what was spent
    /// here since.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn imported_sums(&self, sums: &[ImportedSum]) -> Result<Vec<Spend>, StoreError> {
        let mut transaction = Transaction::begin_to_read(self).await?;
        recorded(&mut transaction, sums).await
    }

    /// Every opening balance that is here, by subject and by the start of its quarter-hour.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn openings(&self) -> Result<Openings, StoreError> {
        let mut transaction = Transaction::begin_to_read(self).await?;
        let mut openings = Openings::new();
        for level in Level::ALL {
            let kind = opening_of(level);
            let find = Statement::new(OPENINGS, [Value::from(&kind)]);
            let read = |row: &dyn crate::db::Columns| {
                let at = Timestamp::from_micros(row.integer("bucket_at")?);
                let cost = Money::from_nanos(row.integer("cost_nanos")?);
                Ok((Subject::new(level, &row.text("subject")?), at, cost))
            };
            for (subject, at, cost) in transaction.fetch(find, read).await? {
                openings.entry(subject).or_default().insert(at, cost);
            }
        }
        Ok(openings)
    }
}

/// What was imported before of each sum.
async fn recorded(
    transaction: &mut Transaction,
    sums: &[ImportedSum],
) -> Result<Vec<Spend>, StoreError> {
    let mut recorded = Vec::with_capacity(sums.len());
    for chunk in chunks(sums) {
        let places: Vec<(String, String)> = chunk
            .iter()
            .map(|sum| {
                let (kind, subject) = sum.of.place().unwrap_or_default();
                (sum.of.record(&kind), subject)
            })
            .collect();
        let values = (0..).zip(chunk).zip(&places).flat_map(|((number, sum), (kind, subject))| {
            let at = sum.at.quarter_hour().micros();
            [Value::from(number), kind.into(), subject.into(), Value::from(at)]
        });
        let statement = Statement::rows(PARTS, PART_COLUMNS, &FIND, values.collect());
        let read = |row: &dyn crate::db::Columns| Ok((row.integer("number")?, Spend::read(row)?));
        let found: HashMap<i64, Spend> =
            transaction.fetch(statement, read).await?.into_iter().collect();
        recorded.extend(
            (0..).zip(chunk).map(|(number, _)| found.get(&number).cloned().unwrap_or_default()),
        );
    }
    Ok(recorded)
}

/// One difference: where it belongs, and what is added there.
type Difference = ((String, String, i64), Spend);

async fn add(transaction: &mut Transaction, added: &[Difference]) -> Result<(), StoreError> {
    let width = 3 + spend::columns().count();
    for chunk in chunks(added) {
        let values = chunk.iter().flat_map(|((kind, subject, at), spend)| {
            let place = [Value::from(kind), Value::from(subject), Value::from(*at)];
            place.into_iter().chain(spend.amounts().map(Value::from))
        });
        let statement = Statement::rows(&ADD.0, width, &ADD.1, values.collect());
        transaction.execute(statement).await?;
    }
    Ok(())
}

/// What stands before and after the rows of the statement that adds to sums, held at the largest
/// integer as the ledger holds them.
static ADD: LazyLock<(String, String)> = LazyLock::new(|| {
    let columns: Vec<&str> = spend::columns().collect();
    let set = columns.iter().map(|column| {
        format!(
            "{column} = CASE WHEN excluded.{column} > 0 \
             AND spend_quarter_hours.{column} > {max} - excluded.{column} THEN {max} \
             ELSE spend_quarter_hours.{column} + excluded.{column} END",
            max = i64::MAX
        )
    });
    let set: Vec<String> = set.collect();
    let columns = columns.join(", ");
    (
        format!("INSERT INTO spend_quarter_hours (kind, subject, bucket_at, {columns}) VALUES"),
        format!("ON CONFLICT (kind, subject, bucket_at) DO UPDATE SET {}", set.join(", ")),
    )
});

const PARTS: &str = "WITH parts (number, part_kind, part_subject, part_at) AS (VALUES";
/// How many columns a part has.
const PART_COLUMNS: usize = 4;

static FIND: LazyLock<String> = LazyLock::new(|| {
    let columns: Vec<&str> = spend::columns().collect();
    format!(
        ") SELECT number, {} FROM parts JOIN spend_quarter_hours ON kind = part_kind \
         AND subject = part_subject AND bucket_at = part_at",
        columns.join(", ")
    )
});

const OPENINGS: &str = "SELECT subject, bucket_at, cost_nanos FROM spend_quarter_hours \
     WHERE kind = $1";
