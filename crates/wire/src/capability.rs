//! What a model can do on a platform: one record, whatever name it is called by.

mod converse;
mod reasoners;
mod records;

pub use converse::{Converse, ReasoningField, TopK};

use serde::Deserialize;

use crate::conversation::{Conversation, Effort, Reasoning, ReasoningMode, ToolKind};

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
    /// Whether `max_tokens` must be called `max_completion_tokens`.
    pub newer_output_limit: bool,
    /// Whether prompt caches can be told where to end with `prompt_cache_breakpoint`.
    pub cache_breakpoints: bool,
    /// Fields of a chat completion that it never takes, unless at the value they have anyway.
    pub never_taken: &'static [Box<str>],
    /// Fields of a chat completion that it takes only while it does not think.
    pub not_while_thinking: &'static [Box<str>],
    /// When only the Responses API serves it. That concerns its vendor's own hosts.
    pub needs_responses: NeedsResponses,
    /// What it takes in a body of `bedrock_converse`.
    pub converse: Converse,
}

/// When a model is served by the Responses API only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NeedsResponses {
    /// Chat completions serve it whatever is asked.
    Never,
    /// When it thinks and may call function tools.
    WithToolsWhileReasoning,
    /// Chat completions do not serve it.
    Always,
}

/// An effort as the tables name it.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum NamedEffort {
    None,
    Minimal,
    Low,
    Medium,
    High,
    XHigh,
    Max,
}

impl From<NamedEffort> for Effort {
    fn from(named: NamedEffort) -> Self {
        match named {
            NamedEffort::None => Self::None,
            NamedEffort::Minimal => Self::Minimal,
            NamedEffort::Low => Self::Low,
            NamedEffort::Medium => Self::Medium,
            NamedEffort::High => Self::High,
            NamedEffort::XHigh => Self::XHigh,
            NamedEffort::Max => Self::Max,
        }
    }
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

    /// The effort of the set that is nearest to one: of those below it the greatest, else of those
    /// above it the least. Reasoning is never switched off for want of a small effort. `None` only
    /// of an empty set.
    #[must_use]
    pub fn nearest(self, effort: Effort) -> Option<Effort> {
        let off = |other: &Effort| *other == Effort::None && effort != Effort::None;
        let has = |other: &Effort| self.has(*other) && !off(other);
        let below = EFFORTS.into_iter().filter(|other| *other <= effort).rfind(has);
        below
            .or_else(|| EFFORTS.into_iter().find(has))
            .or(self.has(Effort::None).then_some(Effort::None))
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
        newer_output_limit: false,
        cache_breakpoints: false,
        never_taken: &[],
        not_while_thinking: &[],
        needs_responses: NeedsResponses::Never,
        converse: Converse::UNKNOWN,
    };

    /// The record of a model at a provider, by the provider's name and its own id of the model.
    ///
    /// Regions, inference profiles, paths, dates and revisions in the id make no difference: one
    /// model has one record. A version that is newer than every known one has the record of the
    /// newest, which is the strictest. What belongs to no known family is [`Self::UNKNOWN`].
    #[must_use]
    pub fn of(platform: &str, model: &str) -> &'static Self {
        let found = records::find(platform, model)
            .or_else(|| reasoners::find(platform, model))
            .or_else(|| converse::find(platform, model));
        found.unwrap_or(&Self::UNKNOWN)
    }

    /// Whether it thinks when it is asked for this.
    #[must_use]
    pub fn thinks(&self, reasoning: &Reasoning) -> bool {
        match (reasoning.mode, reasoning.effort) {
            (Some(ReasoningMode::Disabled), _) | (None, Some(Effort::None)) => false,
            (Some(_), _) | (None, Some(_)) => true,
            (None, None) => self.thinks_by_default,
        }
    }

    /// Whether it takes a field of a chat completion while it thinks or does not.
    #[must_use]
    pub fn takes(&self, field: &str, thinks: bool) -> bool {
        let listed = |fields: &[Box<str>]| fields.iter().any(|name| **name == *field);
        let refused = listed(self.never_taken) || (thinks && listed(self.not_while_thinking));
        !refused
    }

    /// Whether only the Responses API serves a call that offers function tools or none, and thinks
    /// or does not.
    #[must_use]
    pub const fn needs_responses_for(&self, function_tools: bool, thinks: bool) -> bool {
        match self.needs_responses {
            NeedsResponses::Never => false,
            NeedsResponses::WithToolsWhileReasoning => function_tools && thinks,
            NeedsResponses::Always => true,
        }
    }

    /// Whether only the Responses API serves a conversation: [`Self::needs_responses_for`] it.
    #[must_use]
    pub fn needs_responses(&self, conversation: &Conversation) -> bool {
        let mut kinds = conversation.tools.iter().map(|tool| &tool.kind);
        let functions = kinds.any(|kind| matches!(kind, ToolKind::Function { .. }));
        self.needs_responses_for(functions, self.thinks(&conversation.reasoning))
    }
}

/// Every effort, from least to most.
const EFFORTS: [Effort; 7] = [
    Effort::None,
    Effort::Minimal,
    Effort::Low,
    Effort::Medium,
    Effort::High,
    Effort::XHigh,
    Effort::Max,
];

#[cfg(test)]
mod tests;
