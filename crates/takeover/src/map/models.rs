//! Deployments and credentials that were added over LiteLLM's API: their values are decrypted, and
//! sealed with the key here when they are written.
//!
//! One of which anything cannot be read is not brought: without its `api_key` it would call with
//! nothing, and the next import would find it here. What is not here can be brought later.

use serde_json::{Map, Value};
use tollgate_domain::{DeploymentId, ModelName};
use tollgate_store::{CredentialRow, DeploymentRow, Params};

use super::{IMPORTED_BY, Mapping, instant, text};
use crate::grade::Marks;
use crate::source::{Row, Table, says_something};

impl Mapping<'_> {
    pub(super) fn models(&mut self) {
        let is_used = self.told.store_models || self.says_store_models();
        for row in self.source.rows(Table::Models) {
            let mut marks = unused(is_used);
            let deployment = self.deployment(row, &mut marks);
            self.deployments.extend(deployment.filter(|_| marks.is_empty()));
            self.grades.enter(DEPLOYMENTS, text(row, "model_name"), marks);
        }
        for row in self.source.rows(Table::Credentials) {
            let mut marks = unused(is_used);
            let credential = self.credential(row, &mut marks);
            self.credentials.extend(Some(credential).filter(|_| marks.is_empty()));
            self.grades.enter(CREDENTIALS, text(row, "credential_name"), marks);
        }
    }

    /// Whether a setting in LiteLLM's database, which counts before its file, turns them on.
    fn says_store_models(&self) -> bool {
        let settings = self.source.rows(Table::Settings).iter();
        let mut general = settings.filter(|row| row.text("param_name") == Some("general_settings"));
        general.any(|row| row.object("param_value").get("store_model_in_db") == Some(&true.into()))
    }

    fn deployment(&self, row: &Row, marks: &mut Marks) -> Option<DeploymentRow> {
        let mut info = row.object("model_info");
        info.retain(|name, _| !WITH_COLUMNS.contains(&name.as_str()));
        if info.get("team_id").is_some_and(says_something) {
            marks.unsupported(
                "`model_info.team_id` makes it one team's own, and nothing here is; it is not \
                 brought, because others could call it",
            );
        }
        let params = Params::of_deployment(self.values(row, "litellm_params", marks));
        let id = DeploymentId::new(text(row, "model_id"));
        let (Ok(id), Ok(model_name)) = (id, ModelName::new(text(row, "model_name"))) else {
            marks.manual("its id or its `model_name` cannot be one here; add it anew");
            return None;
        };
        let created_at = instant(row, "created_at");
        Some(DeploymentRow {
            id,
            model_name,
            params,
            info,
            blocked: row.flag("blocked"),
            created_at,
            created_by: row.owned("created_by"),
            updated_at: row.instant("updated_at").unwrap_or(created_at),
            updated_by: Some(IMPORTED_BY.to_owned()),
        })
    }

    fn credential(&self, row: &Row, marks: &mut Marks) -> CredentialRow {
        let created_at = instant(row, "created_at");
        CredentialRow {
            name: text(row, "credential_name").to_owned(),
            values: Params::of_credential(self.values(row, "credential_values", marks)),
            info: row.object("credential_info"),
            created_at,
            created_by: row.owned("created_by"),
            updated_at: row.instant("updated_at").unwrap_or(created_at),
            updated_by: Some(IMPORTED_BY.to_owned()),
        }
    }

    /// The members of an object, each text among them decrypted. Those that cannot be are remarked.
    fn values(&self, row: &Row, column: &str, marks: &mut Marks) -> Map<String, Value> {
        let mut values = Map::new();
        let mut closed = Vec::new();
        for (name, value) in row.object(column) {
            match value {
                Value::String(text) if text.is_empty() => {}
                Value::String(text) => {
                    match self.told.salt_key.and_then(|key| key.decrypt(&text)) {
                        Some(secret) => drop(values.insert(name, Value::from(secret.expose()))),
                        None => closed.push(format!("`{name}`")),
                    }
                }
                plain => drop(values.insert(name, plain)),
            }
        }
        if closed.is_empty() {
            return values;
        }
        marks.manual(match self.told.salt_key {
            Some(_) => format!(
                "{} cannot be decrypted with this salt key, so that it is not brought: import \
                 again with the right one, or add it here anew",
                closed.join(", ")
            ),
            None => {
                "it is encrypted and no salt key is known, so that it is not brought: give the \
                     key with `LITELLM_SALT_KEY` or `--salt-key-env`, and import again"
                    .to_owned()
            }
        });
        values
    }
}

/// What is to be said about each where LiteLLM does not use them.
fn unused(is_used: bool) -> Marks {
    let mut marks = Marks::default();
    if !is_used {
        marks.manual(
            "LiteLLM uses what its database holds of these only with `store_model_in_db`, which \
             neither the configuration nor the variable `STORE_MODEL_IN_DB` sets, so that it is \
             not brought: set one of them, and import again",
        );
    }
    marks
}

/// What LiteLLM writes into `model_info` beside columns of its own, and what says where it stands.
const WITH_COLUMNS: [&str; 7] =
    ["id", "db_model", "blocked", "created_at", "created_by", "updated_at", "updated_by"];
/// What deployments are called in reports.
pub const DEPLOYMENTS: &str = "deployments";
/// What credentials are called in reports.
pub const CREDENTIALS: &str = "credentials";
