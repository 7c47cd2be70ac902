//! What a model can do on a platform: one record, whatever name it is called by.

mod converse;
mod records;

pub use converse::{Converse, ReasoningField, TopK};

use crate::conversation::Effort;

/// What one model family on one platform can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capability {
    /// Whether thinking can be switched off.
    pub thinking_disabled: bool,
    /// Whether a thinking budget in tokens can be given.
    pub thinking_budget: bool,
    /// Whether the model can decide by itself how much to think.
    pub thinking_adaptive: bool,
    /// Whether thinking can be kept to the turns between tools, which stands in for switching it
    /// off where that is not possible.
    pub thinking_between_tools: bool,
    /// Whether it thinks when nobody says anything.
    pub thinks_by_default: bool,
    /// The efforts that can be asked for.
    pub efforts: Efforts,
    /// Whether less than whole thinking goes only with an effort up to [`Effort::High`].
    pub effort_capped_without_thinking: bool,
    /// Whether a tool can be forced while it thinks.
    pub forced_tool_with_thinking: bool,
    /// Whether a tool can be forced at all.
    pub forced_tool: bool,
    /// Whether it keeps a JSON schema by itself.
    pub native_structured_output: bool,
    /// Whether it takes temperature, top_p and top_k.
    pub sampling: bool,
    /// Whether it takes temperature and top_p in one call.
    pub temperature_with_top_p: bool,
    /// Whether the last message may be the beginning of its own answer.
    pub prefill: bool,
    /// Whether system messages may stand between others.
    pub system_anywhere: bool,
    /// Most output tokens, where known.
    pub output_tokens_max: Option<u64>,
    /// What it takes in a body of `bedrock_converse`.
    pub converse: Converse,
}

/// A set of efforts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Efforts(u8);

impl Efforts {
    /// Every effort.
    pub const ALL: Self = Self(u8::MAX);

    /// The set with one more effort.
    #[must_use]
    pub const fn with(self, effort: Effort) -> Self {
        Self(self.0 | 1 << effort as u8)
    }

    /// Whether the effort is in the set.
    #[must_use]
    pub const fn has(self, effort: Effort) -> bool {
        self.0 & (1 << effort as u8) != 0
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl Capability {
    /// A model that nothing is known about: everything its format can say is passed on.
    pub const UNKNOWN: Self = Self {
        thinking_disabled: true,
        thinking_budget: true,
        thinking_adaptive: true,
        thinking_between_tools: false,
        thinks_by_default: false,
        efforts: Efforts::ALL,
        effort_capped_without_thinking: false,
        forced_tool_with_thinking: false,
        forced_tool: true,
        native_structured_output: true,
        sampling: true,
        temperature_with_top_p: true,
        prefill: true,
        system_anywhere: true,
        output_tokens_max: None,
        converse: Converse::UNKNOWN,
    };

    /// The record of a model at a provider, by the provider's name and its own id of the model.
    ///
    /// Regions, inference profiles, paths, dates and revisions in the id make no difference: one
    /// model has one record. A version that is newer than every known one has the record of the
    /// newest, which is the strictest. What belongs to no known family is [`Self::UNKNOWN`].
    #[must_use]
    pub fn of(platform: &str, model: &str) -> &'static Self {
        let found = records::find(platform, model).or_else(|| converse::find(platform, model));
        found.unwrap_or(&Self::UNKNOWN)
    }
}

#[cfg(test)]
mod tests;
