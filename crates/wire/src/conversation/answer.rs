//! A whole answer.

use bytestring::ByteString;
use tollgate_domain::Usage;

use super::part::Part;

/// A whole answer in no provider's dialect.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The provider's id of the answer.
    pub id: Option<ByteString>,
    /// The model as the provider names it.
    pub model: Option<ByteString>,
    /// When it was made, in seconds since the epoch, where the format tells.
    pub created: Option<u64>,
    /// The choices in the order of their index.
    pub choices: Vec<Choice>,
    /// What it consumed, where the provider reported it.
    pub usage: Option<Usage>,
}

/// One of the answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// What the model said and called, in order.
    pub parts: Vec<Part>,
    /// Why it ended; `None` when the provider did not say, which is not a clean end.
    pub finish: Option<FinishReason>,
    /// The stop text that ended it, where the format tells.
    pub stop_sequence: Option<ByteString>,
}

/// Why an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FinishReason {
    /// The model was done.
    Stop,
    /// A stop text was said.
    StopSequence,
    /// The output limit, or the context's end, was reached.
    Length,
    /// The model waits for the results of its tool calls.
    ToolCalls,
    /// The provider's filter or the model itself refused.
    Refused,
    /// A turn of the provider's own tools paused; the client continues it.
    Paused,
}
