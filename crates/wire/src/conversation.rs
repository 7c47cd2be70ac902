//! A conversation in no provider's dialect: the hub that every wire format reads into and writes
//! from.
//!
//! Order is kept everywhere, because providers bind prompt caches and signatures to it: the same
//! conversation always gives the same bytes. What a format says and the hub has no word for stays
//! as raw JSON with its name, so that a writer can name what its target cannot express.

mod answer;
mod part;
mod size;
mod tool;

pub use answer::{Answer, Choice, FinishReason};
pub use part::{
    CacheHint, Citation, Part, PartBody, Provenance, ReasoningBlock, Source, ToolCall, ToolResult,
};
pub use tool::{Arguments, Tool, ToolChoice, ToolKind};

use bytestring::ByteString;
use tollgate_domain::ModelName;

/// What a client asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct Conversation {
    /// The model as the client names it.
    pub model: ModelName,
    /// Whether the answer is to be a stream.
    pub stream: bool,
    /// Whether a stream is to end with the usage, where the client's format makes that a choice.
    pub include_usage: bool,
    /// Every message in order, system messages at their positions.
    pub messages: Vec<Message>,
    /// The tools in the client's order.
    pub tools: Vec<Tool>,
    /// Which tools the model may or must call.
    pub tool_choice: ToolChoice,
    /// Whether several tools may be called at once; `None` leaves it to the provider.
    pub parallel_tools: Option<bool>,
    /// The form of the answer.
    pub response_format: ResponseFormat,
    /// How tokens are drawn.
    pub sampling: Sampling,
    /// How much the model is to think.
    pub reasoning: Reasoning,
    /// The most output tokens of a choice, reasoning included.
    pub output_tokens_max: Option<u64>,
    /// How many answers are wanted, at least 1.
    pub choices: u64,
    /// The client's name for its own end user.
    pub user: Option<ByteString>,
    /// Fields of the client's dialect that the hub has no word for: name and raw JSON.
    pub unmapped: Vec<(Box<str>, ByteString)>,
}

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// The application's standing instructions.
    System,
    /// The same for models that know `developer`.
    Developer,
    /// The user, and whatever answers tool calls.
    User,
    /// The model.
    Assistant,
}

/// One message. Tool results are parts of a user's message, whatever a format calls their role.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// What is said, in order.
    pub parts: Vec<Part>,
    /// The participant's name, where the format has one.
    pub name: Option<ByteString>,
}

/// The form of the answer.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum ResponseFormat {
    /// Whatever the model says.
    #[default]
    Text,
    /// Any JSON object.
    JsonObject,
    /// JSON that keeps a schema.
    JsonSchema {
        /// The schema's name; formats without one give none.
        name: Option<ByteString>,
        /// What the schema is for.
        description: Option<ByteString>,
        /// The schema as raw JSON.
        schema: ByteString,
        /// Whether the provider must enforce it; `None` where the client did not say.
        strict: Option<bool>,
    },
}

/// How tokens are drawn. Numbers stay the client's own text, so that `1e-7` arrives as `1e-7`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sampling {
    /// Randomness.
    pub temperature: Option<Number>,
    /// Nucleus sampling.
    pub top_p: Option<Number>,
    /// How many tokens are considered.
    pub top_k: Option<Number>,
    /// Against tokens that were said at all.
    pub presence_penalty: Option<Number>,
    /// Against tokens that were said often.
    pub frequency_penalty: Option<Number>,
    /// For repeatable draws.
    pub seed: Option<Number>,
    /// Texts that end the answer.
    pub stop: Vec<ByteString>,
}

/// A JSON number as its own text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Number(pub ByteString);

/// How much the model is to think.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reasoning {
    /// Whether and how it thinks; `None` leaves it to the model.
    pub mode: Option<ReasoningMode>,
    /// How hard it tries.
    pub effort: Option<Effort>,
    /// Whether a readable summary of the reasoning is wanted; `None` leaves it to the provider.
    pub summary: Option<bool>,
}

/// Whether and how a model thinks before it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReasoningMode {
    /// It does not.
    Disabled,
    /// It thinks up to this many tokens.
    Budget(u64),
    /// It decides by itself.
    Adaptive,
}

/// How hard a model tries, from least to most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effort {
    /// Not at all: reasoning off.
    None,
    /// As little as the model can.
    Minimal,
    /// A little.
    Low,
    /// Some.
    Medium,
    /// Much.
    High,
    /// Very much.
    XHigh,
    /// As much as the model can.
    Max,
}

impl Effort {
    /// Its word in most formats.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Minimal => "minimal",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::XHigh => "xhigh",
            Self::Max => "max",
        }
    }

    /// The effort of a word.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Some(match word {
            "none" => Self::None,
            "minimal" => Self::Minimal,
            "low" => Self::Low,
            "medium" => Self::Medium,
            "high" => Self::High,
            "xhigh" => Self::XHigh,
            "max" => Self::Max,
            _ => return None,
        })
    }
}
