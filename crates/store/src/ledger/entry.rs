//! An entry as it is stored and spooled.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use tollgate_domain::{
    AttemptRecord, Attribution, CallId, CustomerId, DeploymentId, Entry, Money, OrganizationId,
    Outcome, PriceSheetId, ProjectId, ProviderName, Quantity, TeamId, Timestamp, Usage, UsageKind,
    UserId,
};

use crate::batch::Value;
use crate::db::{Columns, on};
use crate::kinds::Kinds;
use crate::{Db, StoreError};

/// One ledger entry, in the units of its columns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryRow {
    /// The call's id.
    pub call_id: String,
    /// When the call was admitted, in microseconds.
    pub admitted_at: i64,
    /// When it settled, in microseconds.
    pub settled_at: i64,
    /// When the first byte of the answer reached the client, in microseconds.
    pub first_byte_at: Option<i64>,
    /// Who is charged.
    #[serde(flatten)]
    pub charged: Charged,
    /// The model group the client named.
    pub model_group: String,
    /// The deployment that answered, or the last one tried.
    pub deployment_id: Option<String>,
    /// Its provider.
    pub provider: Option<String>,
    /// The provider's own name of the model.
    pub upstream_model: Option<String>,
    /// Whether the client asked for a stream.
    pub streamed: bool,
    /// How it ended: a name of [`Outcome`].
    pub outcome: String,
    /// Where the usage comes from: a name of [`tollgate_domain::UsageSource`].
    pub usage_source: String,
    /// What it consumed.
    #[serde(with = "super::usage_by_name")]
    pub usage: Usage,
    /// The price sheet the cost was computed with.
    pub price_sheet_id: Option<String>,
    /// What it cost in nano-dollars, or `None` when no price is known.
    pub cost_nanos: Option<i64>,
    /// Every dispatch, in order: a JSON array of objects with `deployment`, `provider`, `status`,
    /// `reason` and `elapsed_us`.
    pub attempts: String,
}

/// Who a call is charged to, as stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Charged {
    /// The virtual key's id.
    pub key_id: String,
    /// Its user.
    pub user_id: Option<String>,
    /// Its team.
    pub team_id: Option<String>,
    /// Its organization.
    pub organization_id: Option<String>,
    /// The key's project.
    #[serde(default)]
    pub project_id: Option<String>,
    /// The customer named by the call.
    pub customer_id: Option<String>,
    /// The call's tags.
    #[serde(default)]
    pub tags: Tags,
}

/// The tags of a call, as a JSON array of texts in one column.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "Vec<String>", into = "Vec<String>")]
pub struct Tags {
    /// Each tag.
    pub names: Vec<String>,
    /// The column's text; `None` when there are none.
    text: Option<String>,
}

impl From<Vec<String>> for Tags {
    fn from(names: Vec<String>) -> Self {
        let text = (!names.is_empty()).then(|| Json::from(names.clone()).to_string());
        Self { names, text }
    }
}

impl From<Tags> for Vec<String> {
    fn from(tags: Tags) -> Self {
        tags.names
    }
}

impl Tags {
    fn read(row: &dyn Columns) -> Result<Self, StoreError> {
        let Some(text) = row.optional_text("tags")? else { return Ok(Self::default()) };
        let names = serde_json::from_str(&text).map_err(|error| StoreError::Unreadable {
            column: "tags",
            detail: error.to_string(),
        })?;
        Ok(Self { names, text: Some(text) })
    }
}

impl From<&Attribution> for Charged {
    fn from(attribution: &Attribution) -> Self {
        Self {
            key_id: attribution.key.as_str().to_owned(),
            user_id: owned(attribution.user.as_ref().map(UserId::as_str)),
            team_id: owned(attribution.team.as_ref().map(TeamId::as_str)),
            organization_id: owned(attribution.organization.as_ref().map(OrganizationId::as_str)),
            project_id: owned(attribution.project.as_ref().map(ProjectId::as_str)),
            customer_id: owned(attribution.customer.as_ref().map(CustomerId::as_str)),
            tags: attribution
                .tags
                .iter()
                .map(|tag| tag.as_str().to_owned())
                .collect::<Vec<_>>()
                .into(),
        }
    }
}

impl Charged {
    pub(super) fn values(&self) -> [Value<'_>; 7] {
        [
            Value::from(&self.key_id),
            Value::from(&self.user_id),
            Value::from(&self.team_id),
            Value::from(&self.organization_id),
            Value::from(&self.project_id),
            Value::from(&self.customer_id),
            Value::from(&self.tags.text),
        ]
    }

    pub(super) fn read(row: &dyn Columns) -> Result<Self, StoreError> {
        Ok(Self {
            key_id: row.text("key_id")?,
            user_id: row.optional_text("user_id")?,
            team_id: row.optional_text("team_id")?,
            organization_id: row.optional_text("organization_id")?,
            project_id: row.optional_text("project_id")?,
            customer_id: row.optional_text("customer_id")?,
            tags: Tags::read(row)?,
        })
    }
}

impl From<&Entry> for EntryRow {
    fn from(entry: &Entry) -> Self {
        Self {
            call_id: entry.call.to_string(),
            admitted_at: entry.admitted_at.micros(),
            settled_at: entry.settled_at.micros(),
            first_byte_at: entry.first_byte_at.map(Timestamp::micros),
            charged: Charged::from(&*entry.attribution),
            model_group: entry.model_group.as_str().to_owned(),
            deployment_id: owned(entry.deployment.as_ref().map(DeploymentId::as_str)),
            provider: owned(entry.provider.as_ref().map(ProviderName::as_str)),
            // The one text that comes from a configuration unchecked; Postgres takes no NUL.
            upstream_model: entry.upstream_model.as_ref().map(|name| name.replace('\0', "")),
            streamed: entry.streamed,
            outcome: entry.outcome.as_str().to_owned(),
            usage_source: entry.usage_source.as_str().to_owned(),
            usage: entry.usage.clone(),
            price_sheet_id: owned(entry.price_sheet.as_ref().map(PriceSheetId::as_str)),
            cost_nanos: entry.cost.map(Money::nanos),
            attempts: attempts(&entry.attempts),
        }
    }
}

/// An attempt as it is written, its members in alphabetical order.
#[derive(Serialize)]
struct Attempt<'a> {
    deployment: &'a str,
    elapsed_us: u64,
    provider: &'a str,
    reason: Option<&'a str>,
    status: Option<u16>,
}

fn attempts(records: &[AttemptRecord]) -> String {
    let written = records.iter().map(|attempt| Attempt {
        deployment: attempt.deployment.as_str(),
        elapsed_us: u64::try_from(attempt.elapsed.as_micros()).unwrap_or(u64::MAX),
        provider: attempt.provider.as_str(),
        reason: attempt.reason,
        status: attempt.status,
    });
    // Texts and numbers always have a JSON form.
    serde_json::to_string(&written.collect::<Vec<_>>()).unwrap_or_default()
}

pub(super) fn owned(text: Option<&str>) -> Option<String> {
    text.map(str::to_owned)
}

impl EntryRow {
    /// The columns of the usage, in the order of [`UsageKind::ALL`].
    pub(crate) const USAGE_COLUMNS: [&'static str; UsageKind::COUNT] = [
        "input_milli",
        "cached_read_milli",
        "cache_write_milli",
        "cache_write_long_milli",
        "input_audio_milli",
        "input_image_milli",
        "output_milli",
        "reasoning_milli",
        "output_audio_milli",
        "output_image_milli",
        "images_milli",
        "characters_milli",
        "seconds_milli",
        "searches_milli",
    ];
    /// How many columns an entry has beside its usage.
    pub(super) const OWN_COLUMNS: usize = 21;
    /// What stands before the columns of the usage in the statement that inserts entries.
    const INSERT: &str = "INSERT INTO ledger_entries (call_id, admitted_at, settled_at, \
         first_byte_at, key_id, user_id, team_id, organization_id, project_id, customer_id, tags, \
         model_group, deployment_id, provider, upstream_model, streamed, outcome, usage_source, \
         price_sheet_id, cost_nanos, attempts";
    /// What stands after the rows: an entry that is there stays as it is.
    pub(super) const NEW_ONLY: &str = "ON CONFLICT (call_id) DO NOTHING";
    /// The same, and only new ones come back.
    pub(super) const INSERTED: &str = "ON CONFLICT (call_id) DO NOTHING RETURNING call_id";

    /// What stands before the rows of the statement that inserts entries with these quantities; all
    /// others are unknown.
    pub(super) fn insert(kinds: Kinds) -> String {
        let mut text = Self::INSERT.to_owned();
        for kind in kinds.each() {
            text.push_str(", ");
            text.push_str(Self::USAGE_COLUMNS[kind as usize]);
        }
        text.push_str(") VALUES");
        text
    }

    /// What the call cost, or `None` when no price is known.
    #[must_use]
    pub fn cost(&self) -> Option<Money> {
        self.cost_nanos.map(Money::from_nanos)
    }

    /// Whether no deployment gave an answer.
    #[must_use]
    pub fn failed(&self) -> bool {
        self.outcome == Outcome::Failed.as_str()
    }

    /// Appends the values in the order of [`EntryRow::insert`].
    pub(super) fn append_values<'a>(&'a self, kinds: Kinds, values: &mut Vec<Value<'a>>) {
        values.extend([
            Value::from(&self.call_id),
            Value::from(self.admitted_at),
            Value::from(self.settled_at),
            Value::from(self.first_byte_at),
        ]);
        values.extend(self.charged.values());
        values.extend([
            Value::from(&self.model_group),
            Value::from(&self.deployment_id),
            Value::from(&self.provider),
            Value::from(&self.upstream_model),
            Value::from(i64::from(self.streamed)),
            Value::from(&self.outcome),
            Value::from(&self.usage_source),
            Value::from(&self.price_sheet_id),
            Value::from(self.cost_nanos),
            Value::from(&self.attempts),
        ]);
        let milli = |kind| self.usage.quantity(kind).map(Quantity::milli);
        let column = |kind| milli(kind).map(|milli| i64::try_from(milli).unwrap_or(i64::MAX));
        values.extend(kinds.each().map(|kind| Value::from(column(kind))));
    }

    pub(super) fn read(row: &dyn Columns) -> Result<Self, StoreError> {
        let mut usage = Usage::UNKNOWN;
        for (kind, column) in UsageKind::ALL.into_iter().zip(Self::USAGE_COLUMNS) {
            if let Some(milli) = row.optional_integer(column)? {
                usage.set(kind, Quantity::from_milli(milli.unsigned_abs()));
            }
        }
        Ok(Self {
            call_id: row.text("call_id")?,
            admitted_at: row.integer("admitted_at")?,
            settled_at: row.integer("settled_at")?,
            first_byte_at: row.optional_integer("first_byte_at")?,
            charged: Charged::read(row)?,
            model_group: row.text("model_group")?,
            deployment_id: row.optional_text("deployment_id")?,
            provider: row.optional_text("provider")?,
            upstream_model: row.optional_text("upstream_model")?,
            streamed: row.integer("streamed")? != 0,
            outcome: row.text("outcome")?,
            usage_source: row.text("usage_source")?,
            usage,
            price_sheet_id: row.optional_text("price_sheet_id")?,
            cost_nanos: row.optional_integer("cost_nanos")?,
            attempts: row.text("attempts")?,
        })
    }
}

/// A statement that reads entries: their columns, then what stands after them.
macro_rules! select_entries {
    ($rest:literal) => {
        concat!(
            "SELECT call_id, admitted_at, settled_at, first_byte_at, key_id, user_id, team_id, \
             organization_id, project_id, customer_id, tags, model_group, deployment_id, \
             provider, upstream_model, streamed, outcome, usage_source, price_sheet_id, \
             cost_nanos, attempts, input_milli, cached_read_milli, cache_write_milli, \
             cache_write_long_milli, input_audio_milli, input_image_milli, output_milli, \
             reasoning_milli, output_audio_milli, output_image_milli, images_milli, \
             characters_milli, seconds_milli, searches_milli",
            $rest
        )
    };
}
pub(super) use select_entries;

const ENTRY: &str = select_entries!(" FROM ledger_entries WHERE call_id = $1");

impl Db {
    /// The entry of a call.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn entry(&self, call: CallId) -> Result<Option<EntryRow>, StoreError> {
        on!(
            self,
            read | pool | {
                let row = sqlx::query(ENTRY).bind(call.to_string()).fetch_optional(pool).await?;
                row.map(|row| EntryRow::read(&row)).transpose()
            }
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_has_as_many_values_as_columns() {
        let all = Kinds::default().others().map(|kind| Usage::UNKNOWN.with(kind, Quantity::ZERO));
        let all: Vec<Usage> = all.collect();
        for kinds in [Kinds::default(), Kinds::known(all.iter())] {
            let text = EntryRow::insert(kinds);
            let (_, rest) = text.split_once('(').expect("a list of columns");
            let (columns, _) = rest.split_once(')').expect("its end");
            let columns: Vec<&str> = columns.split(", ").collect();
            assert_eq!(columns.len(), EntryRow::OWN_COLUMNS + kinds.each().count());
            let usage = kinds.each().map(|kind| EntryRow::USAGE_COLUMNS[kind as usize]);
            assert_eq!(columns[EntryRow::OWN_COLUMNS..], usage.collect::<Vec<_>>());
        }
        for (kind, column) in UsageKind::ALL.into_iter().zip(EntryRow::USAGE_COLUMNS) {
            assert_eq!(format!("{}_milli", kind.as_str()), column);
        }
    }
}
