//! A deployment and a credential as they are stored.

use serde_json::{Map, Value as Json};
use tollgate_domain::{DeploymentId, ModelName, Timestamp};

use super::params::Params;
use crate::StoreError;
use crate::batch::Value;
use crate::db::{Columns, json, unreadable};
use crate::vault::{SealError, Vault};

/// The table of deployments, which their secrets are bound to, and what one is called.
pub(super) const DEPLOYMENTS: (&str, &str) = ("deployments", "deployment");
/// The same of credentials.
pub(super) const CREDENTIALS: (&str, &str) = ("credentials", "credential");
/// What stands for a secret in a record of a change.
const SEALED: &str = "[sealed]";

/// A deployment of the database.
#[derive(Debug, Clone, PartialEq)]
pub struct DeploymentRow {
    /// Its identity, unique over the file's deployments too.
    pub id: DeploymentId,
    /// The name of its model group, or a pattern.
    pub model_name: ModelName,
    /// `litellm_params`.
    pub params: Params,
    /// `model_info`, without what has a column of its own.
    pub info: Map<String, Json>,
    /// Whether it gets no calls for now.
    pub blocked: bool,
    /// When it was created.
    pub created_at: Timestamp,
    /// Who created it.
    pub created_by: Option<String>,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Who last changed it.
    pub updated_by: Option<String>,
}

/// Values that several deployments take under one name.
#[derive(Debug, Clone, PartialEq)]
pub struct CredentialRow {
    /// Its name, unique over the file's credentials too.
    pub name: String,
    /// `credential_values`.
    pub values: Params,
    /// `credential_info`.
    pub info: Map<String, Json>,
    /// When it was created.
    pub created_at: Timestamp,
    /// Who created it.
    pub created_by: Option<String>,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Who last changed it.
    pub updated_by: Option<String>,
}

/// A row whose secrets this gateway cannot read, or that holds what it never writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadableRow {
    /// `deployment` or `credential`.
    pub noun: &'static str,
    /// Its identity or name.
    pub id: String,
    /// Why; never a secret.
    pub problem: String,
    /// Whether it is sealed with another key.
    pub sealed_otherwise: bool,
}

/// A row, or why it cannot be used.
pub(super) type Readable<T> = Result<T, UnreadableRow>;

/// The columns that are JSON, written out so that values can borrow them.
pub(super) struct Texts {
    params: String,
    secrets: String,
    info: String,
}

impl Texts {
    fn of(
        params: &Params,
        info: &Map<String, Json>,
        (vault, place): (&Vault, (&'static str, &str)),
    ) -> Self {
        Self {
            params: params.open_text(),
            secrets: params.sealed_text(vault, place),
            info: Json::Object(info.clone()).to_string(),
        }
    }
}

/// A row as it was before a change, whether or not its secrets can be read.
pub(super) struct Before {
    pub(super) updated_at: Timestamp,
    pub(super) described: Map<String, Json>,
}

impl Before {
    pub(super) fn of_deployment(row: &dyn Columns) -> Result<Self, StoreError> {
        let mut before = Self::of_credential(row)?;
        let own = [
            ("model_name", Json::from(row.text("model_name")?)),
            ("blocked", Json::from(row.integer("blocked")? != 0)),
        ];
        before.described.extend(own.map(|(name, value)| (name.to_owned(), value)));
        Ok(before)
    }

    pub(super) fn of_credential(row: &dyn Columns) -> Result<Self, StoreError> {
        let object = |column| {
            let text = row.text(column)?;
            // A column that holds no JSON is no reason to keep its row.
            Ok::<Map<String, Json>, StoreError>(serde_json::from_str(&text).unwrap_or_default())
        };
        let (open, sealed) = (object("params")?, object("secrets")?);
        let described = described(&open, sealed.keys(), &object("info")?);
        Ok(Self { updated_at: Timestamp::from_micros(row.integer("updated_at")?), described })
    }
}

/// Parameters and what is known of them, as records of changes show them.
fn described<'a>(
    open: &Map<String, Json>,
    sealed: impl Iterator<Item = &'a String>,
    info: &Map<String, Json>,
) -> Map<String, Json> {
    let mut params = open.clone();
    params.extend(sealed.map(|name| (name.clone(), Json::from(SEALED))));
    let fields = [("params", params), ("info", info.clone())];
    fields.map(|(name, fields)| (name.to_owned(), Json::Object(fields))).into_iter().collect()
}

impl DeploymentRow {
    pub(super) fn described(&self) -> Map<String, Json> {
        let Params { open, sealed } = &self.params;
        let mut fields = described(open, sealed.keys(), &self.info);
        fields.insert("model_name".to_owned(), Json::from(self.model_name.as_str()));
        fields.insert("blocked".to_owned(), Json::from(self.blocked));
        fields
    }

    pub(super) fn texts(&self, vault: &Vault) -> Texts {
        Texts::of(&self.params, &self.info, (vault, (DEPLOYMENTS.0, self.id.as_str())))
    }

    /// The values in the order of the statements' columns.
    pub(super) fn values<'a>(&'a self, texts: &'a Texts) -> Vec<Value<'a>> {
        vec![
            Value::from(self.id.as_str()),
            Value::from(self.model_name.as_str()),
            Value::from(&texts.params),
            Value::from(&texts.secrets),
            Value::from(&texts.info),
            Value::from(i64::from(self.blocked)),
            Value::from(self.created_at.micros()),
            Value::from(&self.created_by),
            Value::from(self.updated_at.micros()),
            Value::from(&self.updated_by),
        ]
    }

    pub(super) fn read(row: &dyn Columns, vault: &Vault) -> Result<Readable<Self>, StoreError> {
        let id = row.text("id")?;
        Ok(Self::within(row, vault, &id)
            .unwrap_or_else(|error| Err(broken(DEPLOYMENTS.1, &id, &error))))
    }

    fn within(row: &dyn Columns, vault: &Vault, id: &str) -> Result<Readable<Self>, StoreError> {
        let params = match params(row, vault, (DEPLOYMENTS.0, id))? {
            Ok(params) => params,
            Err(problem) => return Ok(Err(unopened(DEPLOYMENTS.1, id, problem))),
        };
        let model_name = row.text("model_name")?;
        Ok(Ok(Self {
            id: DeploymentId::new(id).map_err(|error| unreadable("id", &error))?,
            model_name: ModelName::new(&model_name)
                .map_err(|error| unreadable("model_name", &error))?,
            params,
            info: json(row, "info")?,
            blocked: row.integer("blocked")? != 0,
            created_at: Timestamp::from_micros(row.integer("created_at")?),
            created_by: row.optional_text("created_by")?,
            updated_at: Timestamp::from_micros(row.integer("updated_at")?),
            updated_by: row.optional_text("updated_by")?,
        }))
    }
}

impl CredentialRow {
    pub(super) fn described(&self) -> Map<String, Json> {
        described(&self.values.open, self.values.sealed.keys(), &self.info)
    }

    pub(super) fn texts(&self, vault: &Vault) -> Texts {
        Texts::of(&self.values, &self.info, (vault, (CREDENTIALS.0, &self.name)))
    }

    /// The values in the order of the statements' columns.
    pub(super) fn values<'a>(&'a self, texts: &'a Texts) -> Vec<Value<'a>> {
        vec![
            Value::from(&self.name),
            Value::from(&texts.params),
            Value::from(&texts.secrets),
            Value::from(&texts.info),
            Value::from(self.created_at.micros()),
            Value::from(&self.created_by),
            Value::from(self.updated_at.micros()),
            Value::from(&self.updated_by),
        ]
    }

    pub(super) fn read(row: &dyn Columns, vault: &Vault) -> Result<Readable<Self>, StoreError> {
        let name = row.text("name")?;
        let read = Self::within(row, vault, &name);
        Ok(read.unwrap_or_else(|error| Err(broken(CREDENTIALS.1, &name, &error))))
    }

    fn within(row: &dyn Columns, vault: &Vault, name: &str) -> Result<Readable<Self>, StoreError> {
        let values = match params(row, vault, (CREDENTIALS.0, name))? {
            Ok(values) => values,
            Err(problem) => return Ok(Err(unopened(CREDENTIALS.1, name, problem))),
        };
        Ok(Ok(Self {
            name: name.to_owned(),
            values,
            info: json(row, "info")?,
            created_at: Timestamp::from_micros(row.integer("created_at")?),
            created_by: row.optional_text("created_by")?,
            updated_at: Timestamp::from_micros(row.integer("updated_at")?),
            updated_by: row.optional_text("updated_by")?,
        }))
    }
}

fn params(
    row: &dyn Columns,
    vault: &Vault,
    place: (&'static str, &str),
) -> Result<Result<Params, (String, SealError)>, StoreError> {
    let (open, sealed) = (row.text("params")?, row.text("secrets")?);
    Params::read((&open, &sealed), vault, place)
}

pub(super) fn unopened(
    noun: &'static str,
    id: &str,
    (field, problem): (String, SealError),
) -> UnreadableRow {
    let sealed_otherwise = problem == SealError::Refused;
    let problem = format!("its `{field}` cannot be read: {problem}");
    UnreadableRow { noun, id: id.to_owned(), problem, sealed_otherwise }
}

fn broken(noun: &'static str, id: &str, error: &StoreError) -> UnreadableRow {
    UnreadableRow { noun, id: id.to_owned(), problem: error.to_string(), sealed_otherwise: false }
}
