//! Waivers: what a limit no longer counts of what was spent. The ledger and its sums stay as they
//! are, so that no report says less than was paid.

use serde_json::{Map, Value as Json, json};
use tollgate_domain::{KeyId, Level, Money, Subject, Timestamp};

use crate::audit::{Difference, Object, record};
use crate::batch::{Rows, Value, chunks};
use crate::changes::Change;
use crate::db::{Columns as _, on};
use crate::editor::Editor;
use crate::transaction::Transaction;
use crate::{Db, StoreError};

/// What one limit of a subject no longer counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiver {
    /// The limit's name among those of its subject.
    pub rule: String,
    /// How much it counts less in the window that contains the instant of the waiver.
    pub amount: Money,
}

const WAIVED: &str = "SELECT CAST(COALESCE(SUM(cost_nanos), 0) AS BIGINT) AS cost_nanos \
     FROM spend_waivers WHERE kind = $1 AND subject = $2 AND rule = $3 AND waived_at >= $4";
const INSERT: Rows<'static> = Rows {
    head: "INSERT INTO spend_waivers \
        (kind, subject, rule, waived_at, id, cost_nanos, waived_by) VALUES",
    columns: 7,
    constants: "",
    tail: "",
};

impl Editor<'_> {
    /// Records what limits of a subject no longer count, all or nothing. `id` tells apart what is
    /// waived at one instant.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails; nothing is recorded then.
    pub async fn waive(
        &self,
        subject: &Subject,
        waivers: &[Waiver],
        (at, id): (Timestamp, &str),
    ) -> Result<(), StoreError> {
        let mut transaction = Transaction::begin(self.db).await?;
        for chunk in chunks(waivers) {
            let row = |waiver: &'_ Waiver| (waiver.rule.clone(), waiver.amount.nanos());
            let rows: Vec<(String, i64)> = chunk.iter().map(row).collect();
            let values = rows.iter().flat_map(|(rule, amount)| {
                [
                    Value::from(subject.level.as_str()),
                    Value::from(&*subject.id),
                    Value::from(rule),
                    Value::from(at.micros()),
                    Value::from(id),
                    Value::from(*amount),
                    Value::from(&self.by.name),
                ]
            });
            let values = values.collect();
            transaction.execute(INSERT.of(values)).await?;
        }
        let (within, id) = subject.parts();
        let object = Object { kind: subject.level.as_str(), within, id };
        record(&mut transaction, self.by, object, difference(waivers)).await?;
        change_of(subject).announce(&mut transaction).await?;
        transaction.commit().await
    }
}

impl Db {
    /// What a limit of a subject no longer counts since `start`.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn waived(
        &self,
        subject: &Subject,
        rule: &str,
        start: Timestamp,
    ) -> Result<Money, StoreError> {
        on!(
            self,
            read | pool | {
                let query = sqlx::query(WAIVED).bind(subject.level.as_str()).bind(&*subject.id);
                let row = query.bind(rule).bind(start.micros()).fetch_one(pool).await?;
                row.integer("cost_nanos").map(Money::from_nanos)
            }
        )
    }
}

/// What a record of a change says of it: how much each limit counts less.
fn difference(waivers: &[Waiver]) -> Difference {
    let amounts: Map<String, Json> =
        waivers.iter().map(|waiver| (waiver.rule.clone(), json!(waiver.amount))).collect();
    let waived = |amounts: Json| Some(Map::from_iter([("spend_waived".to_owned(), amounts)]));
    Difference { before: waived(Json::Null), after: waived(Json::Object(amounts)) }
}

fn change_of(subject: &Subject) -> Change {
    match (subject.level, KeyId::new(&subject.id)) {
        (Level::Key, Ok(id)) => Change::Key(id),
        _ => Change::Level(subject.clone()),
    }
}
