//! Tools: what a model may call, must call, and calls them with.

use bytestring::ByteString;

use super::part::CacheHint;

/// A tool that the client offers.
#[derive(Debug, Clone, PartialEq)]
pub struct Tool {
    /// Its name, unique among the tools.
    pub name: ByteString,
    /// What it is for.
    pub description: Option<ByteString>,
    /// What it takes.
    pub kind: ToolKind,
    /// Whether calls must keep the schema; `None` where the client did not say.
    pub strict: Option<bool>,
    /// A request to cache the prompt up to here.
    pub cache: Option<CacheHint>,
}

/// What a tool takes.
#[derive(Debug, Clone, PartialEq)]
pub enum ToolKind {
    /// JSON that keeps a schema, given as raw JSON; `None` takes no arguments.
    Function {
        /// The schema.
        parameters: Option<ByteString>,
    },
    /// Free text.
    Custom {
        /// The grammar the text keeps, as raw JSON.
        format: Option<ByteString>,
    },
    /// A tool that the provider itself runs, as raw JSON in its own format: only a target of the
    /// same format takes it.
    Hosted {
        /// The declaration.
        declaration: ByteString,
    },
}

/// What a tool is called with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arguments {
    /// A JSON object as text, the model's own bytes; it may be broken, as models are.
    Json(ByteString),
    /// Free text, for a custom tool.
    Text(ByteString),
}

/// Which tools the model may or must call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum ToolChoice {
    /// The client did not say.
    #[default]
    Unsaid,
    /// As it likes.
    Auto,
    /// None.
    None,
    /// At least one.
    Required,
    /// This one.
    Named(ByteString),
    /// As it likes or at least one, among these.
    Among {
        /// The tools.
        names: Vec<ByteString>,
        /// Whether one must be called.
        required: bool,
    },
}

impl ToolChoice {
    /// Whether the model must call a tool.
    #[must_use]
    pub const fn forces(&self) -> bool {
        matches!(self, Self::Required | Self::Named(_) | Self::Among { required: true, .. })
    }
}
