//! A call in flight as it is stored, and the entry it becomes when nobody else settles it.

use serde::{Deserialize, Serialize};
use tollgate_domain::{
    Money, OpenEntry, Outcome, PriceSheetId, Quantity, Timestamp, Usage, UsageKind, UsageSource,
};

use super::entry::{Charged, EntryRow, owned};
use super::slot::Reading;
use crate::StoreError;
use crate::batch::Value;
use crate::db::Columns;

/// Bytes of output text that make about one token, where only bytes were counted.
const BYTES_PER_TOKEN: i64 = 4;

/// A statement that reads openings: their columns, then what stands after the table.
macro_rules! select_openings {
    ($rest:literal) => {
        concat!(
            "SELECT call_id, admitted_at, key_id, user_id, team_id, organization_id, project_id, \
             customer_id, tags, model_group, streamed, held_nanos, input_milli, \
             input_cost_nanos, price_sheet_id, deployment_id, provider, output_deltas, \
             output_bytes, output_cost_nanos FROM open_calls ",
            $rest
        )
    };
}

/// A row of `open_calls`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct OpenRow {
    pub(super) call_id: String,
    admitted_at: i64,
    #[serde(flatten)]
    charged: Charged,
    model_group: String,
    streamed: bool,
    held_nanos: Option<i64>,
    input_milli: i64,
    input_cost_nanos: Option<i64>,
    price_sheet_id: Option<String>,
    deployment_id: Option<String>,
    provider: Option<String>,
    output_deltas: i64,
    output_bytes: i64,
    output_cost_nanos: Option<i64>,
}

impl OpenRow {
    pub(super) const COLUMNS: usize = 20;
    /// What stands before the rows of the statement that writes openings.
    pub(super) const INSERT: &str = "INSERT INTO open_calls (call_id, admitted_at, key_id, \
         user_id, team_id, organization_id, project_id, customer_id, tags, model_group, streamed, \
         held_nanos, input_milli, input_cost_nanos, price_sheet_id, deployment_id, provider, \
         output_deltas, \
         output_bytes, output_cost_nanos) VALUES";
    /// What stands after them: of an opening that is there, the progress is brought up to date.
    pub(super) const UPDATED: &str = "ON CONFLICT (call_id) DO UPDATE SET \
         price_sheet_id = excluded.price_sheet_id, deployment_id = excluded.deployment_id, \
         provider = excluded.provider, output_deltas = excluded.output_deltas, \
         output_bytes = excluded.output_bytes, output_cost_nanos = excluded.output_cost_nanos";
    /// Some openings, in the order of their calls.
    pub(super) const SELECT: &str = select_openings!("ORDER BY call_id LIMIT $1");

    /// Those of these calls, between [`OpenRow::SELECT_SOME`] and a closing bracket.
    pub(super) const SELECT_SOME: &str = select_openings!("WHERE call_id IN (VALUES");

    pub(super) fn new(entry: &OpenEntry, reading: &Reading) -> Self {
        let dispatched = reading.dispatched.as_deref();
        let sheet = dispatched.and_then(|dispatched| dispatched.price_sheet.as_ref());
        Self {
            call_id: entry.call.to_string(),
            admitted_at: entry.admitted_at.micros(),
            charged: Charged::from(&*entry.attribution),
            model_group: entry.model_group.as_str().to_owned(),
            streamed: entry.streamed,
            held_nanos: entry.held.map(Money::nanos),
            input_milli: integer(entry.input_estimate.milli()),
            input_cost_nanos: entry.input_cost.map(Money::nanos),
            price_sheet_id: owned(sheet.or(entry.price_sheet.as_ref()).map(PriceSheetId::as_str)),
            deployment_id: owned(dispatched.map(|dispatched| dispatched.deployment.as_str())),
            provider: owned(dispatched.map(|dispatched| dispatched.provider.as_str())),
            output_deltas: integer(reading.deltas),
            output_bytes: integer(reading.bytes),
            output_cost_nanos: reading.cost_nanos,
        }
    }

    /// The entry of a call that nobody can settle any more: its input, and its output as far as it
    /// was recorded. The cost is known only when both parts of it are.
    pub(super) fn interrupted(self, settled_at: Timestamp) -> EntryRow {
        let tokens =
            self.output_deltas.max((self.output_bytes + BYTES_PER_TOKEN - 1) / BYTES_PER_TOKEN);
        let usage = Usage::UNKNOWN
            .with(UsageKind::Input, Quantity::from_milli(self.input_milli.unsigned_abs()))
            .with(UsageKind::Output, Quantity::whole(tokens.unsigned_abs()));
        let cost_nanos = match (self.input_cost_nanos, self.output_cost_nanos) {
            (Some(input), Some(output)) => Some(input.saturating_add(output)),
            _ => None,
        };
        EntryRow {
            call_id: self.call_id,
            admitted_at: self.admitted_at,
            settled_at: settled_at.micros(),
            first_byte_at: None,
            charged: self.charged,
            model_group: self.model_group,
            deployment_id: self.deployment_id,
            provider: self.provider,
            upstream_model: None,
            streamed: self.streamed,
            outcome: Outcome::Interrupted.as_str().to_owned(),
            usage_source: UsageSource::Estimated.as_str().to_owned(),
            usage,
            price_sheet_id: self.price_sheet_id,
            cost_nanos,
            attempts: "[]".to_owned(),
        }
    }

    /// Appends the values in the order of [`OpenRow::INSERT`].
    pub(super) fn append_values<'a>(&'a self, values: &mut Vec<Value<'a>>) {
        values.extend([Value::from(&self.call_id), Value::from(self.admitted_at)]);
        values.extend(self.charged.values());
        values.extend([
            Value::from(&self.model_group),
            Value::from(i64::from(self.streamed)),
            Value::from(self.held_nanos),
            Value::from(self.input_milli),
            Value::from(self.input_cost_nanos),
            Value::from(&self.price_sheet_id),
            Value::from(&self.deployment_id),
            Value::from(&self.provider),
            Value::from(self.output_deltas),
            Value::from(self.output_bytes),
            Value::from(self.output_cost_nanos),
        ]);
    }

    pub(super) fn read(row: &dyn Columns) -> Result<Self, StoreError> {
        Ok(Self {
            call_id: row.text("call_id")?,
            admitted_at: row.integer("admitted_at")?,
            charged: Charged::read(row)?,
            model_group: row.text("model_group")?,
            streamed: row.integer("streamed")? != 0,
            held_nanos: row.optional_integer("held_nanos")?,
            input_milli: row.integer("input_milli")?,
            input_cost_nanos: row.optional_integer("input_cost_nanos")?,
            price_sheet_id: row.optional_text("price_sheet_id")?,
            deployment_id: row.optional_text("deployment_id")?,
            provider: row.optional_text("provider")?,
            output_deltas: row.integer("output_deltas")?,
            output_bytes: row.integer("output_bytes")?,
            output_cost_nanos: row.optional_integer("output_cost_nanos")?,
        })
    }
}

/// A count as a column takes it; none comes near the largest.
fn integer(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
