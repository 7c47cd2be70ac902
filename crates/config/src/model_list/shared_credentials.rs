//! `credential_list`: values that deployments take by name.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use super::shown;
use crate::diagnostic::{Finding, code};
use crate::schema::{KnownKeys, Reader, Section};
use crate::stored::{LeftOut, StoredCredential};
use crate::yaml::{Entry, Mapping, Node, Span, Value};

/// A named credential as it may be shown.
#[derive(Debug, Clone, PartialEq)]
pub struct CredentialEntry {
    /// Its name.
    pub name: String,
    /// Its values, the secrets among them masked.
    pub values: Map<String, Json>,
    /// `credential_info`.
    pub info: Map<String, Json>,
    /// Whether the database holds it; else the file does, and it cannot be changed.
    pub stored: bool,
}

/// The credentials that deployments can refer to.
#[derive(Default)]
pub(crate) struct Credentials {
    values: BTreeMap<String, Mapping>,
    /// How they are shown, those of the file first.
    pub(crate) entries: Vec<CredentialEntry>,
}

impl Credentials {
    /// Reads the file's own.
    pub(crate) fn read(reader: &mut Reader<'_>, list: Option<&Entry>) -> Self {
        let mut credentials = Self::default();
        let Some(list) = list else { return credentials };
        let Value::List(items) = &list.node.value else {
            reader.wrong_type(list, "a list of credentials");
            return credentials;
        };
        let mut first: BTreeMap<String, Span> = BTreeMap::new();
        for item in items {
            let Some((name, values, info)) = item_of(reader, item) else { continue };
            if let Some(span) = first.insert(name.clone(), item.span.clone()) {
                let message = format!("the credential `{name}` is given twice");
                let finding = Finding::error(code::DUPLICATE_ID, item.span.clone(), message);
                reader.findings.push(finding.with_first(span));
                continue;
            }
            credentials.put(name, values, (info, false));
        }
        credentials
    }

    /// Adds those of a database; one whose name the file has is left out.
    pub(crate) fn add(&mut self, stored: &[StoredCredential]) -> Vec<LeftOut> {
        let mut left_out = Vec::new();
        for StoredCredential { name, values, info } in stored {
            if self.values.contains_key(name) {
                let problem = "the configuration file has a credential of this name, which is used";
                left_out.push(LeftOut {
                    noun: "credential",
                    id: name.clone(),
                    problem: problem.to_owned(),
                    lacking: false,
                });
                continue;
            }
            self.put(name.clone(), Mapping::of_json(values), (info.clone(), true));
        }
        left_out
    }

    fn put(&mut self, name: String, values: Mapping, (info, stored): (Map<String, Json>, bool)) {
        let shown = shown::values(&values.to_json());
        let info = shown::described(&info);
        self.entries.push(CredentialEntry { name: name.clone(), values: shown, info, stored });
        self.values.insert(name, values);
    }

    /// The parameters with the values of a credential for those that are not given (config.md,
    /// `litellm_credential_name`); the error is the name that no credential has.
    pub(super) fn complete(
        &self,
        reader: &mut Reader<'_>,
        params: &Mapping,
    ) -> Result<Option<Mapping>, String> {
        let named = params.find(NAME).filter(|entry| !entry.node.value.is_empty());
        let Some(name) = named.and_then(|entry| reader.text(entry)) else { return Ok(None) };
        let Some(values) = self.values.get(&name) else { return Err(name) };
        let mut whole = params.clone();
        let own = |value: &&Entry| {
            params.find(&value.name).is_none_or(|entry| entry.node.value == Value::Null)
        };
        for value in values.entries.iter().filter(own) {
            whole.entries.retain(|entry| entry.name != value.name);
            whole.entries.push(value.clone());
        }
        Ok(Some(whole))
    }
}

/// One item of the list.
fn item_of(reader: &mut Reader<'_>, item: &Node) -> Option<(String, Mapping, Map<String, Json>)> {
    let Value::Map(mapping) = &item.value else {
        let message = format!("a credential is {}, not a mapping", item.value.described());
        reader.findings.push(Finding::error(code::WRONG_TYPE, item.span.clone(), message));
        return None;
    };
    let mut section = Section::new("credential_list", mapping);
    let name = section.take("credential_name").and_then(|entry| reader.text(entry));
    let values = section.take("credential_values").and_then(|entry| reader.mapping(entry));
    let info = section.take("credential_info").and_then(|entry| reader.mapping(entry));
    section.finish(&KnownKeys::ENTRY, &mut reader.findings);
    let info = info.map(Mapping::to_json).unwrap_or_default();
    if let (Some(name), Some(values)) = (name, values) {
        return Some((name, values.clone(), info));
    }
    let message = "a credential has a `credential_name` and `credential_values`";
    reader.findings.push(Finding::error(code::FIELD_MISSING, item.span.clone(), message));
    None
}

/// Whether a parameter of a deployment says on whose behalf or where it calls, so that a credential
/// may hold it.
#[must_use]
pub fn is_credential_param(name: &str) -> bool {
    KnownKeys::CREDENTIAL.contains(name)
}

/// The parameter that names a credential.
pub(super) const NAME: &str = "litellm_credential_name";
