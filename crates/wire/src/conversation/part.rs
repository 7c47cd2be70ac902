//! What a message is made of.

use bytestring::ByteString;

use super::tool::Arguments;

/// A part of a message, and whether a prompt cache may end behind it.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// What it is.
    pub body: PartBody,
    /// A request to cache the prompt up to here.
    pub cache: Option<CacheHint>,
}

/// What a part is.
#[derive(Debug, Clone, PartialEq)]
pub enum PartBody {
    /// Text, with the sources it cites.
    Text {
        /// The text.
        text: ByteString,
        /// What it cites.
        citations: Vec<Citation>,
    },
    /// A picture.
    Image {
        /// Where it is.
        source: Source,
        /// How closely to look: `low`, `high`, `auto`.
        detail: Option<ByteString>,
    },
    /// A document.
    Document {
        /// Where it is.
        source: Source,
        /// Its file name or title.
        name: Option<ByteString>,
    },
    /// A recording.
    Audio {
        /// Where it is.
        source: Source,
    },
    /// The model calls a tool.
    ToolCall(ToolCall),
    /// What a tool gave back.
    ToolResult(ToolResult),
    /// What the model thought.
    Reasoning(ReasoningBlock),
    /// The model declines, in words.
    Refusal {
        /// The words.
        text: ByteString,
    },
}

/// Where media come from. Base64 stays the client's own bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// An address to fetch.
    Url(ByteString),
    /// The bytes in base64.
    Base64 {
        /// Such as `image/png`.
        media_type: ByteString,
        /// The base64 text.
        data: ByteString,
    },
    /// Plain text, as documents may be.
    Text(ByteString),
    /// A file that the provider keeps.
    File(ByteString),
}

/// A call of a tool.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolCall {
    /// The call's id, which its result repeats.
    pub id: ByteString,
    /// The tool.
    pub name: ByteString,
    /// What it is called with.
    pub arguments: Arguments,
    /// The seal that the provider put on the call itself and wants back with it. Only providers
    /// that speak `gemini` do so (`thoughtSignature`); every other writer leaves it out.
    pub seal: Option<ByteString>,
}

/// What a tool gave back.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolResult {
    /// The call it answers.
    pub call: ByteString,
    /// What it gave: texts, pictures, documents.
    pub parts: Vec<Part>,
    /// Whether the tool failed.
    pub failed: bool,
}

/// What a model thought, and who can vouch for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReasoningBlock {
    /// The readable text; empty where only the sealed form came.
    pub text: ByteString,
    /// The provider's signature over it, or its sealed form. On plain reasoning it is the gateway's
    /// own signature, which [`origin_of`](crate::formats::seal::origin_of) reads and no provider
    /// gets.
    pub seal: Option<ByteString>,
    /// Whether `seal` is the reasoning itself, encrypted, rather than a signature over `text`.
    pub redacted: bool,
    /// Whose reasoning it is; only its own provider takes a seal back.
    pub provenance: Provenance,
}

/// Whose reasoning a block is, as far as the block itself tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Provenance {
    /// Signed by a provider that speaks `anthropic_messages`.
    AnthropicMessages,
    /// Sealed by a provider that speaks `gemini`.
    Gemini,
    /// Sealed by a provider that speaks `openai_responses`.
    OpenAiResponses,
    /// Plain reasoning text, as providers that speak `openai_chat` send it.
    Plain,
}

/// A request to cache the prompt up to a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CacheHint {
    /// For the provider's short time, five minutes as a rule.
    Short,
    /// For an hour.
    Hour,
}

/// A source that a text cites.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Citation {
    /// The source's address, where it has one.
    pub url: Option<ByteString>,
    /// The source's title.
    pub title: Option<ByteString>,
    /// The citing bytes of the text, where the format tells them.
    pub span: Option<(u64, u64)>,
    /// The citation as its format wrote it, for clients of the same format.
    pub raw: ByteString,
}

impl Part {
    /// A part without a cache hint.
    #[must_use]
    pub const fn new(body: PartBody) -> Self {
        Self { body, cache: None }
    }

    /// Plain text.
    #[must_use]
    pub fn text(text: impl Into<ByteString>) -> Self {
        Self::new(PartBody::Text { text: text.into(), citations: Vec::new() })
    }
}
