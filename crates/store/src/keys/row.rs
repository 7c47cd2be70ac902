//! A virtual key as it is stored.

use std::sync::Arc;

use serde_json::{Map, Value as Json, json};
use tollgate_domain::{
    Attribution, BudgetId, KeyHash, KeyId, Level, Money, OrganizationId, ProjectId, Subject,
    TagName, TeamId, Timestamp, UserId,
};

use crate::StoreError;
use crate::audit::Object;
use crate::batch::Value;
use crate::db::{Columns, identity, json as read_json, unreadable};
use crate::keys::rules::KeyRules;
use crate::limits::LimitFields;

/// A virtual key: who it belongs to and what it may do. Its text is nowhere, only its hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRow {
    /// The public identity, random and unrelated to the key.
    pub id: KeyId,
    /// The SHA-256 of the key's text.
    pub hash: KeyHash,
    /// What people may see of the key: `sk-...` and four characters.
    pub name: String,
    /// A name that people chose; no two keys have the same.
    pub alias: Option<String>,
    /// The user it belongs to.
    pub user: Option<UserId>,
    /// The team it belongs to.
    pub team: Option<TeamId>,
    /// The organization it belongs to.
    pub organization: Option<OrganizationId>,
    /// The project it belongs to.
    pub project: Option<ProjectId>,
    /// The granted model names and patterns; empty grants every model.
    pub models: Vec<String>,
    /// Its limits.
    pub limits: LimitFields,
    /// The budget whose rules fill what `limits` leaves open.
    pub budget: Option<BudgetId>,
    /// From when on it is refused, or `None` for never.
    pub expires_at: Option<Timestamp>,
    /// Whether it is refused for now.
    pub blocked: bool,
    /// What its calls go by beside its limits.
    pub rules: KeyRules,
    /// What whoever created the key keeps beside it.
    pub metadata: Map<String, Json>,
    /// When it was created.
    pub created_at: Timestamp,
    /// Who created it.
    pub created_by: Option<String>,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Who last changed it.
    pub updated_by: Option<String>,
}

/// The columns that are JSON or hexadecimal text, written out so that values can borrow them.
pub(crate) struct Texts {
    hash: String,
    models: String,
    metadata: String,
    limits: String,
    rules: String,
}

impl KeyRow {
    /// Who calls made with the key are charged to; the customer is the call's to name.
    #[must_use]
    pub fn attribution(&self) -> Attribution {
        Attribution {
            key: self.id.clone(),
            user: self.user.clone(),
            team: self.team.clone(),
            organization: self.organization.clone(),
            project: self.project.clone(),
            customer: None,
            tags: self.tags().into(),
        }
    }

    /// Those above it whose grants and limits bind its calls, the widest first.
    #[must_use]
    pub fn above(&self) -> Box<[Subject]> {
        let named = |level, id: Option<Arc<str>>| id.map(|id| Subject { level, id });
        let member = |(team, user): (&TeamId, &UserId)| Subject::member(team, user);
        let of_organization = |(organization, user): (&OrganizationId, &UserId)| {
            Subject::within(Level::OrganizationMember, organization.as_str(), user.as_str())
        };
        [
            named(Level::Organization, self.organization.as_ref().map(OrganizationId::shared)),
            self.organization.as_ref().zip(self.user.as_ref()).map(of_organization),
            named(Level::Project, self.project.as_ref().map(ProjectId::shared)),
            named(Level::Team, self.team.as_ref().map(TeamId::shared)),
            self.team.as_ref().zip(self.user.as_ref()).map(member),
            named(Level::User, self.user.as_ref().map(UserId::shared)),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// The tags that its metadata gives its calls; what is no tag gives none.
    #[must_use]
    pub fn tags(&self) -> Vec<TagName> {
        let listed = self.metadata.get("tags").and_then(Json::as_array).into_iter().flatten();
        listed.filter_map(Json::as_str).filter_map(|tag| TagName::new(tag).ok()).collect()
    }

    pub(crate) fn object(&self) -> Object<'_> {
        Object { kind: "key", within: "", id: self.id.as_str() }
    }

    /// What a record of a change says of it, which is never its hash.
    pub(crate) fn described(&self) -> Map<String, Json> {
        let fields = [
            ("key_name", json!(self.name)),
            ("key_alias", json!(self.alias)),
            ("user_id", json!(self.user.as_ref().map(UserId::as_str))),
            ("team_id", json!(self.team.as_ref().map(TeamId::as_str))),
            ("organization_id", json!(self.organization.as_ref().map(OrganizationId::as_str))),
            ("project_id", json!(self.project.as_ref().map(ProjectId::as_str))),
            ("budget_id", json!(self.budget.as_ref().map(BudgetId::as_str))),
            ("models", json!(self.models)),
            ("limits", Json::Object(self.limits.described())),
            ("expires", json!(self.expires_at.map(|at| at.to_string()))),
            ("blocked", json!(self.blocked)),
            ("metadata", json!(self.metadata)),
            ("rules", json!(self.rules)),
        ];
        fields.map(|(name, value)| (name.to_owned(), value)).into_iter().collect()
    }

    pub(crate) fn texts(&self) -> Texts {
        Texts {
            hash: self.hash.expose_hex(),
            models: Json::from(self.models.clone()).to_string(),
            metadata: Json::Object(self.metadata.clone()).to_string(),
            limits: self.limits.to_text(),
            rules: self.rules.to_text(),
        }
    }

    /// The values in the order of the statements' columns.
    pub(crate) fn values<'a>(&'a self, texts: &'a Texts) -> [Value<'a>; 20] {
        [
            Value::from(self.id.as_str()),
            Value::from(&texts.hash),
            Value::from(&self.name),
            Value::from(&self.alias),
            Value::Text(self.user.as_ref().map(UserId::as_str)),
            Value::Text(self.team.as_ref().map(TeamId::as_str)),
            Value::Text(self.organization.as_ref().map(OrganizationId::as_str)),
            Value::from(&texts.models),
            Value::from(self.limits.max_budget.map(Money::nanos)),
            Value::from(self.expires_at.map(Timestamp::micros)),
            Value::from(i64::from(self.blocked)),
            Value::from(&texts.metadata),
            Value::from(self.created_at.micros()),
            Value::from(&self.created_by),
            Value::from(self.updated_at.micros()),
            Value::from(&self.updated_by),
            Value::from(&texts.limits),
            Value::Text(self.budget.as_ref().map(BudgetId::as_str)),
            Value::Text(self.project.as_ref().map(ProjectId::as_str)),
            Value::from(&texts.rules),
        ]
    }

    pub(crate) fn read(row: &dyn Columns) -> Result<Self, StoreError> {
        Ok(Self {
            id: KeyId::new(&row.text("id")?).map_err(|error| unreadable("id", &error))?,
            hash: read_hash(&row.text("hash")?)?,
            name: row.text("name")?,
            alias: row.optional_text("alias")?,
            user: identity(row, "user_id", UserId::new)?,
            team: identity(row, "team_id", TeamId::new)?,
            organization: identity(row, "organization_id", OrganizationId::new)?,
            project: identity(row, "project_id", ProjectId::new)?,
            models: read_json(row, "models")?,
            limits: limits(row)?,
            budget: identity(row, "budget_id", BudgetId::new)?,
            expires_at: row.optional_integer("expires_at")?.map(Timestamp::from_micros),
            blocked: row.integer("blocked")? != 0,
            rules: KeyRules::read(row.optional_text("rules")?)?,
            metadata: read_json(row, "metadata")?,
            created_at: Timestamp::from_micros(row.integer("created_at")?),
            created_by: row.optional_text("created_by")?,
            updated_at: Timestamp::from_micros(row.integer("updated_at")?),
            updated_by: row.optional_text("updated_by")?,
        })
    }
}

/// A hash as it is stored.
pub(crate) fn read_hash(text: &str) -> Result<KeyHash, StoreError> {
    KeyHash::parse_hex(text).ok_or_else(|| unreadable("hash", &"not 64 hexadecimal digits"))
}

/// The limits beside the budget, which has a column of its own: a row without them was written
/// before there were others.
fn limits(row: &dyn Columns) -> Result<LimitFields, StoreError> {
    let fields = match row.optional_text("limits")? {
        Some(text) => LimitFields::read(&text)?,
        None => LimitFields::default(),
    };
    let max_budget = row.optional_integer("max_budget_nanos")?.map(Money::from_nanos);
    Ok(LimitFields { max_budget, ..fields })
}
