//! Named values of which some are secrets: `litellm_params` and the values of a credential.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};
use tollgate_domain::Secret;

use crate::StoreError;
use crate::db::unreadable;
use crate::vault::{Place, SealError, Vault};

/// The texts among `litellm_params` that are written in clear: what says which model is called, so
/// that a row can be told even where its secrets cannot be read.
const OPEN: [&str; 3] = ["custom_llm_provider", "litellm_credential_name", "model"];

/// Named values, those that may be secrets apart from the others.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Params {
    /// What is written in clear.
    pub open: Map<String, Json>,
    /// What is written sealed: each is the JSON text of a value.
    pub sealed: BTreeMap<String, Secret>,
}

impl Params {
    /// The parameters of a deployment. Whatever text, list or object they hold may be a secret, by
    /// whatever name: only the names that say which model is called are written in clear.
    #[must_use]
    pub fn of_deployment(values: Map<String, Json>) -> Self {
        Self::split(values, |name, value| match value {
            Json::Null | Json::Bool(_) | Json::Number(_) => true,
            Json::String(_) => OPEN.contains(&name),
            Json::Array(_) | Json::Object(_) => false,
        })
    }

    /// The values of a credential, all of them secrets.
    #[must_use]
    pub fn of_credential(values: Map<String, Json>) -> Self {
        Self::split(values, |_, _| false)
    }

    fn split(values: Map<String, Json>, is_open: impl Fn(&str, &Json) -> bool) -> Self {
        let mut params = Self::default();
        for (name, value) in values {
            if is_open(&name, &value) {
                params.open.insert(name, value);
            } else {
                params.sealed.insert(name, Secret::new(value.to_string()));
            }
        }
        params
    }

    /// Every value, the secrets among them: only for what calls the upstream, and for changing
    /// single values.
    #[must_use]
    pub fn expose(&self) -> Map<String, Json> {
        let mut whole = self.open.clone();
        whole.extend(self.sealed.iter().filter_map(|(name, secret)| {
            // What was sealed is JSON; a value that is none was never a value.
            Some((name.clone(), serde_json::from_str(secret.expose()).ok()?))
        }));
        whole
    }

    pub(super) fn open_text(&self) -> String {
        Json::Object(self.open.clone()).to_string()
    }

    pub(super) fn sealed_text(&self, vault: &Vault, (table, row): (&'static str, &str)) -> String {
        let sealed = self.sealed.iter().map(|(field, secret)| {
            let place = Place { table, row, field };
            (field.clone(), Json::from(vault.seal(place, secret)))
        });
        Json::Object(sealed.collect()).to_string()
    }

    /// Reads both columns. The inner error says which value does not open, and why.
    pub(super) fn read(
        (open, sealed): (&str, &str),
        vault: &Vault,
        (table, row): (&'static str, &str),
    ) -> Result<Result<Self, (String, SealError)>, StoreError> {
        let open = serde_json::from_str(open).map_err(|error| unreadable("params", &error))?;
        let texts: BTreeMap<String, String> =
            serde_json::from_str(sealed).map_err(|error| unreadable("secrets", &error))?;
        let mut params = Self { open, sealed: BTreeMap::new() };
        for (field, text) in texts {
            match vault.open(Place { table, row, field: &field }, &text) {
                Ok(secret) => drop(params.sealed.insert(field, secret)),
                Err(problem) => return Ok(Err((field, problem))),
            }
        }
        Ok(Ok(params))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn any_text_may_be_a_secret_but_the_names_of_models() {
        let values = json!({
            "model": "openai/gpt-4o",
            "api_key": "sk-upstream",
            "api_base": "https://me:hunter2@host/v1",
            "whatever": "unknown",
            "extra_headers": {"x-auth": "t"},
            "tags": ["a"],
            "rpm": 5,
            "drop_params": true,
            "timeout": null
        });
        let values = values.as_object().cloned().expect("an object");
        let params = Params::of_deployment(values.clone());
        let names: Vec<&String> = params.open.keys().collect();
        assert_eq!(names, ["drop_params", "model", "rpm", "timeout"]);
        assert_eq!(params.expose(), values);
        assert!(!format!("{params:?}").contains("hunter2"));
        let credential = Params::of_credential(values);
        assert!(credential.open.is_empty());
    }
}
