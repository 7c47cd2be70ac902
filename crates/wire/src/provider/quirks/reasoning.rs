//! How a provider is told whether to think, and how it wants its reasoning back.

use serde::Deserialize;

use super::pairs;
use crate::conversation::Effort;

/// The member of an assistant's message in which a provider wants earlier reasoning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReasoningBack {
    /// As text in `reasoning_content`.
    ReasoningContent,
    /// Block by block in `reasoning_details`.
    ReasoningDetails,
}

/// A field that switches thinking on and off.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ThinkingSwitch {
    /// The field.
    pub field: Box<str>,
    /// The raw JSON that switches thinking on.
    pub enabled: Box<str>,
    /// The raw JSON that switches it off.
    pub disabled: Box<str>,
    /// The field that takes a budget in tokens, where there is one.
    #[serde(default)]
    pub budget: Option<Box<str>>,
    /// The client's word for an effort and the provider's, sorted by the client's. An effort that
    /// is not here is not sent.
    #[serde(default, deserialize_with = "pairs")]
    pub efforts: Vec<(Box<str>, Box<str>)>,
    /// Whether it thinks when nobody says anything.
    #[serde(default)]
    pub by_default: bool,
    /// Whether, while it thinks, it refuses turns of tool calls that come without their reasoning.
    #[serde(default)]
    pub needs_past: bool,
}

impl ThinkingSwitch {
    /// The provider's word for an effort, where it takes one.
    #[must_use]
    pub fn effort(&self, effort: Effort) -> Option<&str> {
        let named = self.efforts.iter().find(|(word, _)| **word == *effort.name());
        named.map(|(_, theirs)| &**theirs)
    }
}
