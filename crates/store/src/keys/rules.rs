//! What a key's calls go by beside its limits, kept as one JSON object.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::StoreError;

/// The rules of a key. Names and meanings are those of the management API (management-api §1).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct KeyRules {
    /// The routes and groups of routes it may call; empty for every route.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allowed_routes: Vec<String>,
    /// Other names of models: a call of the first is a call of the second.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub aliases: BTreeMap<String, String>,
    /// The fields that a call's body has to have; one may be a member of another, as in
    /// `metadata.ticket`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub enforced_params: Vec<String>,
    /// Whether it may see what everybody spent.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub get_spend_routes: bool,
}

impl KeyRules {
    pub(super) fn to_text(&self) -> String {
        // A struct of texts, lists and maps with text keys always has a JSON form.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// A key without them was written before there were any.
    pub(super) fn read(text: Option<String>) -> Result<Self, StoreError> {
        let Some(text) = text else { return Ok(Self::default()) };
        serde_json::from_str(&text)
            .map_err(|error| StoreError::Unreadable { column: "rules", detail: error.to_string() })
    }
}
