//! What calls need and models can do, one bit each.

/// Something that a call may need of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Ability {
    /// Calling tools.
    Tools,
    /// Being forced to call a tool.
    ForcedTool,
    /// Pictures in the prompt.
    Images,
    /// Sound in the prompt.
    Audio,
    /// Documents in the prompt.
    Documents,
    /// An answer that keeps a JSON schema.
    JsonSchema,
    /// Thinking.
    Reasoning,
    /// An answer that goes on from a beginning.
    Prefill,
    /// Searching the web.
    WebSearch,
    /// The client's own wire format, for what cannot be translated.
    NativeFormat,
}

impl Ability {
    /// Every ability.
    pub const ALL: [Self; 10] = [
        Self::Tools,
        Self::ForcedTool,
        Self::Images,
        Self::Audio,
        Self::Documents,
        Self::JsonSchema,
        Self::Reasoning,
        Self::Prefill,
        Self::WebSearch,
        Self::NativeFormat,
    ];

    /// What it is called in explanations.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tools => "tools",
            Self::ForcedTool => "forced_tool",
            Self::Images => "images",
            Self::Audio => "audio",
            Self::Documents => "documents",
            Self::JsonSchema => "json_schema",
            Self::Reasoning => "reasoning",
            Self::Prefill => "prefill",
            Self::WebSearch => "web_search",
            Self::NativeFormat => "native_format",
        }
    }

    const fn bit(self) -> u16 {
        1 << self as u8
    }
}

/// A set of abilities that a model is known to have and one that it is known to lack. What is in
/// neither is not known, and nobody is passed over for it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Abilities {
    has: u16,
    lacks: u16,
}

impl Abilities {
    /// Nothing known.
    pub const UNKNOWN: Self = Self { has: 0, lacks: 0 };

    /// The same with one ability known.
    #[must_use]
    pub const fn with(mut self, ability: Ability, has: bool) -> Self {
        let bit = ability.bit();
        if has {
            self.has |= bit;
            self.lacks &= !bit;
        } else {
            self.lacks |= bit;
            self.has &= !bit;
        }
        self
    }

    /// Whether the model has it; `None` where nobody knows.
    #[must_use]
    pub const fn has(self, ability: Ability) -> Option<bool> {
        let bit = ability.bit();
        match (self.has & bit != 0, self.lacks & bit != 0) {
            (true, _) => Some(true),
            (false, true) => Some(false),
            (false, false) => None,
        }
    }

    /// The first ability that is needed, here had, and known to be lacking in `model`.
    #[must_use]
    pub fn missing_in(self, model: Self) -> Option<Ability> {
        let missing = self.has & model.lacks;
        if missing == 0 {
            return None;
        }
        Ability::ALL.into_iter().find(|ability| missing & ability.bit() != 0)
    }
}
