//! A limited entity and a shared budget as they are stored.

use serde_json::{Map, Value as Json, json};
use tollgate_domain::{BudgetId, Level, OrganizationId, Subject, Timestamp};

use crate::StoreError;
use crate::audit::Object;
use crate::batch::Value;
use crate::changes::Change;
use crate::db::{Columns, identity, json as read_json, unreadable};
use crate::limits::LimitFields;

/// An organization, project, team, member of one, user, customer or tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntityRow {
    /// Its level.
    pub level: Level,
    /// The team of a member, the organization of its member, else empty.
    pub within: String,
    /// Its identity: unique at its level, or within its team or organization.
    pub id: String,
    /// A name that people chose.
    pub alias: Option<String>,
    /// The organization it belongs to.
    pub organization: Option<OrganizationId>,
    /// The budget whose rules fill what `limits` leaves open.
    pub budget: Option<BudgetId>,
    /// Whether its calls are refused for now.
    pub blocked: bool,
    /// The granted model names and patterns; empty grants every model.
    pub models: Vec<String>,
    /// Its limits.
    pub limits: LimitFields,
    /// What whoever created it keeps beside it.
    pub metadata: Map<String, Json>,
    /// When it was created. Periods that are counted from an anchor are counted from here.
    pub created_at: Timestamp,
    /// Who created it.
    pub created_by: Option<String>,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Who last changed it.
    pub updated_by: Option<String>,
}

/// Limits that several share the rules of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BudgetRow {
    /// Its identity.
    pub id: BudgetId,
    /// The limits.
    pub limits: LimitFields,
    /// When it was created.
    pub created_at: Timestamp,
    /// Who created it.
    pub created_by: Option<String>,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Who last changed it.
    pub updated_by: Option<String>,
}

/// The columns that are JSON, written out so that values can borrow them.
pub(crate) struct Texts {
    models: String,
    limits: String,
    metadata: String,
}

impl EntityRow {
    /// An entity without any limit.
    #[must_use]
    pub fn new(level: Level, within: &str, id: &str, now: Timestamp) -> Self {
        Self {
            level,
            within: within.to_owned(),
            id: id.to_owned(),
            alias: None,
            organization: None,
            budget: None,
            blocked: false,
            models: Vec::new(),
            limits: LimitFields::default(),
            metadata: Map::new(),
            created_at: now,
            created_by: None,
            updated_at: now,
            updated_by: None,
        }
    }

    /// Whom its limits bind and its spend is summed by.
    #[must_use]
    pub fn subject(&self) -> Subject {
        Subject::within(self.level, &self.within, &self.id)
    }

    pub(crate) fn change(&self) -> Change {
        Change::entity(self.level, &self.within, &self.id)
    }

    pub(crate) fn object(&self) -> Object<'_> {
        Object { kind: self.level.as_str(), within: &self.within, id: &self.id }
    }

    /// What a record of a change says of it.
    pub(crate) fn described(&self) -> Map<String, Json> {
        let Self { alias, organization, budget, blocked, models, limits, metadata, .. } = self;
        let fields = [
            ("alias", json!(alias)),
            ("organization_id", json!(organization.as_ref().map(OrganizationId::as_str))),
            ("budget_id", json!(budget.as_ref().map(BudgetId::as_str))),
            ("blocked", json!(blocked)),
            ("models", json!(models)),
            ("limits", Json::Object(limits.described())),
            ("metadata", json!(metadata)),
        ];
        fields.map(|(name, value)| (name.to_owned(), value)).into_iter().collect()
    }

    pub(crate) fn texts(&self) -> Texts {
        Texts {
            models: Json::from(self.models.clone()).to_string(),
            limits: self.limits.to_text(),
            metadata: Json::Object(self.metadata.clone()).to_string(),
        }
    }

    /// The values in the order of the statements' columns.
    pub(crate) fn values<'a>(&'a self, texts: &'a Texts) -> [Value<'a>; 14] {
        [
            Value::from(self.level.as_str()),
            Value::from(&self.within),
            Value::from(&self.id),
            Value::from(&self.alias),
            Value::Text(self.organization.as_ref().map(OrganizationId::as_str)),
            Value::Text(self.budget.as_ref().map(BudgetId::as_str)),
            Value::from(i64::from(self.blocked)),
            Value::from(&texts.models),
            Value::from(&texts.limits),
            Value::from(&texts.metadata),
            Value::from(self.created_at.micros()),
            Value::from(&self.created_by),
            Value::from(self.updated_at.micros()),
            Value::from(&self.updated_by),
        ]
    }

    pub(crate) fn read(row: &dyn Columns) -> Result<Self, StoreError> {
        let kind = row.text("kind")?;
        Ok(Self {
            level: Level::parse(&kind).ok_or_else(|| unreadable("kind", &"no level"))?,
            within: row.text("within")?,
            id: row.text("id")?,
            alias: row.optional_text("alias")?,
            organization: identity(row, "organization_id", OrganizationId::new)?,
            budget: identity(row, "budget_id", BudgetId::new)?,
            blocked: row.integer("blocked")? != 0,
            models: read_json(row, "models")?,
            limits: LimitFields::read(&row.text("limits")?)?,
            metadata: read_json(row, "metadata")?,
            created_at: Timestamp::from_micros(row.integer("created_at")?),
            created_by: row.optional_text("created_by")?,
            updated_at: Timestamp::from_micros(row.integer("updated_at")?),
            updated_by: row.optional_text("updated_by")?,
        })
    }
}

impl BudgetRow {
    pub(crate) fn object(&self) -> Object<'_> {
        Object { kind: "budget", within: "", id: self.id.as_str() }
    }

    /// What a record of a change says of it.
    pub(crate) fn described(&self) -> Map<String, Json> {
        self.limits.described()
    }

    pub(crate) fn values<'a>(&'a self, limits: &'a String) -> [Value<'a>; 6] {
        [
            Value::from(self.id.as_str()),
            Value::from(limits),
            Value::from(self.created_at.micros()),
            Value::from(&self.created_by),
            Value::from(self.updated_at.micros()),
            Value::from(&self.updated_by),
        ]
    }

    pub(crate) fn read(row: &dyn Columns) -> Result<Self, StoreError> {
        Ok(Self {
            id: BudgetId::new(&row.text("id")?).map_err(|error| unreadable("id", &error))?,
            limits: LimitFields::read(&row.text("limits")?)?,
            created_at: Timestamp::from_micros(row.integer("created_at")?),
            created_by: row.optional_text("created_by")?,
            updated_at: Timestamp::from_micros(row.integer("updated_at")?),
            updated_by: row.optional_text("updated_by")?,
        })
    }
}
