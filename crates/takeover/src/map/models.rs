//! Deployments and credentials that were added over LiteLLM's API, with their secrets in clear.

use serde_json::{Map, Value};
use tollgate_domain::{DeploymentId, ModelName, Secret, Timestamp};
use tollgate_store::{CredentialRow, DeploymentRow, Params};

use super::{Mapping, text};
use crate::grade::Marks;
use crate::secrets::SaltKey;
use crate::source::{Row, Table};

/// A value of a deployment or credential.
#[derive(Debug, Clone, PartialEq)]
pub enum ImportedValue {
    /// It was encrypted. It may be a secret or not; nobody can tell.
    Secret(Secret),
    /// It was written in clear: a number, a flag, a list or an object.
    Plain(Value),
}

/// A deployment.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportedDeployment {
    /// Its identity at the source.
    pub id: String,
    /// The model group it belongs to.
    pub model_name: String,
    /// `litellm_params`. What could not be decrypted is not among them.
    pub params: Vec<(String, ImportedValue)>,
    /// `model_info`.
    pub info: Map<String, Value>,
    /// Whether it takes no calls for now.
    pub blocked: bool,
}

/// A credential with a name, which deployments refer to.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportedCredential {
    /// Its name.
    pub name: String,
    /// Its values. What could not be decrypted is not among them.
    pub values: Vec<(String, ImportedValue)>,
    /// What is known about it in clear.
    pub info: Map<String, Value>,
}

impl ImportedDeployment {
    /// The row that is written here; nothing when its names cannot be names here.
    pub(crate) fn row(&self, (by, now): (&str, Timestamp)) -> Option<DeploymentRow> {
        Some(DeploymentRow {
            id: DeploymentId::new(&self.id).ok()?,
            model_name: ModelName::new(&self.model_name).ok()?,
            params: Params::of_deployment(exposed(&self.params)),
            info: self.info.clone(),
            blocked: self.blocked,
            created_at: now,
            created_by: Some(by.to_owned()),
            updated_at: now,
            updated_by: Some(by.to_owned()),
        })
    }
}

impl ImportedCredential {
    /// The row that is written here.
    pub(crate) fn row(&self, (by, now): (&str, Timestamp)) -> CredentialRow {
        CredentialRow {
            name: self.name.clone(),
            values: Params::of_credential(exposed(&self.values)),
            info: self.info.clone(),
            created_at: now,
            created_by: Some(by.to_owned()),
            updated_at: now,
            updated_by: Some(by.to_owned()),
        }
    }
}

/// The values in clear, for as long as it takes to seal them.
fn exposed(values: &[(String, ImportedValue)]) -> Map<String, Value> {
    let clear = |value: &ImportedValue| match value {
        ImportedValue::Secret(secret) => Value::from(secret.expose()),
        ImportedValue::Plain(value) => value.clone(),
    };
    values.iter().map(|(name, value)| (name.clone(), clear(value))).collect()
}

impl Mapping<'_> {
    pub(super) fn models(&mut self) {
        for row in self.source.rows(Table::Models) {
            let mut marks = Marks::default();
            let params = self.values(row, "litellm_params", &mut marks);
            let deployment = ImportedDeployment {
                id: text(row, "model_id").to_owned(),
                model_name: text(row, "model_name").to_owned(),
                params,
                info: row.object("model_info"),
                blocked: row.flag("blocked"),
            };
            if deployment.row(("", Timestamp::from_micros(0))).is_none() {
                marks.manual("its id or its `model_name` cannot be one here; add it anew");
            }
            self.grades.enter("deployments", &deployment.model_name, marks);
            self.deployments.push(deployment);
        }
        for row in self.source.rows(Table::Credentials) {
            let mut marks = Marks::default();
            let values = self.values(row, "credential_values", &mut marks);
            let credential = ImportedCredential {
                name: text(row, "credential_name").to_owned(),
                values,
                info: row.object("credential_info"),
            };
            self.grades.enter("credentials", &credential.name, marks);
            self.credentials.push(credential);
        }
    }

    /// The members of an object, each text among them decrypted.
    fn values(&self, row: &Row, column: &str, marks: &mut Marks) -> Vec<(String, ImportedValue)> {
        let mut values = Vec::new();
        for (name, value) in row.object(column) {
            if let Some(value) = opened(self.told.salt_key, &name, value, marks) {
                values.push((name, value));
            }
        }
        values
    }
}

fn opened(
    salt_key: Option<&SaltKey>,
    name: &str,
    value: Value,
    marks: &mut Marks,
) -> Option<ImportedValue> {
    let Value::String(text) = value else { return Some(ImportedValue::Plain(value)) };
    let Some(salt_key) = salt_key else {
        marks.manual(format!(
            "`{name}` is encrypted and no salt key is known; give it with `LITELLM_SALT_KEY` or \
             `--salt-key-env`"
        ));
        return None;
    };
    let opened = salt_key.decrypt(&text).map(ImportedValue::Secret);
    if opened.is_none() {
        marks.manual(format!(
            "`{name}` cannot be decrypted with this salt key, as LiteLLM itself could not; enter \
             it again"
        ));
    }
    opened
}
