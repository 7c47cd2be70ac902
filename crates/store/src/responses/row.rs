//! A kept answer as it is stored, and whose it is.

use tollgate_domain::{Attribution, IdError, KeyId, ModelName, ResponseId, TeamId, Timestamp};

use crate::StoreError;
use crate::batch::Value;
use crate::db::Columns;

/// Who may read a kept answer: the team of the key that made the call, or a key without a team.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Owner {
    /// Every key of a team.
    Team(TeamId),
    /// One key that has no team.
    Key(KeyId),
}

impl Owner {
    /// Whose answers the calls of this key are.
    #[must_use]
    pub fn of(attribution: &Attribution) -> Self {
        match &attribution.team {
            Some(team) => Self::Team(team.clone()),
            None => Self::Key(attribution.key.clone()),
        }
    }

    /// The column's text. The prefix keeps a team and a key of the same name apart.
    pub(super) fn encode(&self) -> String {
        match self {
            Self::Team(id) => format!("{TEAM}{id}"),
            Self::Key(id) => format!("{KEY}{id}"),
        }
    }

    fn decode(text: &str) -> Result<Self, StoreError> {
        let id = if let Some(id) = text.strip_prefix(TEAM) {
            TeamId::new(id).map(Self::Team)
        } else if let Some(id) = text.strip_prefix(KEY) {
            KeyId::new(id).map(Self::Key)
        } else {
            return Err(unreadable("owner", &"neither a team nor a key"));
        };
        id.map_err(|error| unreadable("owner", &error))
    }
}

/// An answer of the Responses API with what the call added to its conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResponseRow {
    /// Its identity; no two answers have the same.
    pub id: ResponseId,
    /// Who may read it.
    pub owner: Owner,
    /// The answer that the call went on from.
    pub previous: Option<ResponseId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it counts as absent.
    pub expires_at: Timestamp,
    /// The model group that the call named.
    pub model: ModelName,
    /// The input items that this call added: a JSON array as text, kept as it is.
    pub input_items: String,
    /// The whole answer: a JSON object as text, kept as it is.
    pub response: String,
}

impl ResponseRow {
    /// What the answer counts against limits: the bytes of its two JSON texts.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.input_items.len() as u64 + self.response.len() as u64
    }

    /// The values in the order of the statement that inserts them.
    pub(super) fn values<'a>(&'a self, owner: &'a str) -> [Value<'a>; 9] {
        [
            Value::from(self.id.as_str()),
            Value::from(owner),
            Value::Text(self.previous.as_ref().map(ResponseId::as_str)),
            Value::from(self.created_at.micros()),
            Value::from(self.expires_at.micros()),
            Value::from(self.model.as_str()),
            Value::from(super::signed(self.bytes())),
            Value::from(&self.input_items),
            Value::from(&self.response),
        ]
    }

    pub(super) fn read(row: &dyn Columns) -> Result<Self, StoreError> {
        let previous = row.optional_text("previous_id")?;
        Ok(Self {
            id: identity("id", &row.text("id")?)?,
            owner: Owner::decode(&row.text("owner")?)?,
            previous: previous.map(|text| identity("previous_id", &text)).transpose()?,
            created_at: Timestamp::from_micros(row.integer("created_at")?),
            expires_at: Timestamp::from_micros(row.integer("expires_at")?),
            model: ModelName::new(&row.text("model")?)
                .map_err(|error| unreadable("model", &error))?,
            input_items: row.text("input_items")?,
            response: row.text("response")?,
        })
    }
}

fn identity(column: &'static str, text: &str) -> Result<ResponseId, StoreError> {
    ResponseId::new(text).map_err(|error: IdError| unreadable(column, &error))
}

fn unreadable(column: &'static str, detail: &dyn std::fmt::Display) -> StoreError {
    StoreError::Unreadable { column, detail: detail.to_string() }
}

/// What stands before a team's id.
const TEAM: &str = "team:";
/// What stands before a key's id.
const KEY: &str = "key:";
