//! The cells of the table that cannot have a fixture, and why.

use super::Cell;
use super::Direction::{
    self, AnswerIn, AnswerOut, ErrorIn, RequestIn, RequestOut, StreamIn, StreamOut,
};

/// Cells that cannot be.
pub(crate) struct Absent {
    /// The formats; none stands for every one.
    formats: &'static [&'static str],
    directions: &'static [Direction],
    columns: &'static [&'static str],
    pub(crate) because: &'static str,
}

impl Absent {
    pub(crate) fn names(&self, cell: &Cell) -> bool {
        (self.formats.is_empty() || self.formats.contains(&cell.format))
            && self.directions.contains(&cell.direction)
            && self.columns.contains(&cell.column)
    }
}

/// Every cell that cannot be. A reason that no longer holds fails the test as a missing fixture
/// does.
pub(crate) const ABSENT: &[Absent] = &[
    Absent {
        formats: &[],
        directions: &[RequestIn, RequestOut],
        columns: &["cached"],
        because: "what a cache saved is told by answers only",
    },
    Absent {
        formats: &["anthropic_messages", "gemini"],
        directions: &[RequestIn],
        columns: &["refusal"],
        because: "a refusal ends an answer there; among earlier turns it is a text like any other",
    },
    Absent {
        formats: &[],
        directions: &[AnswerIn, AnswerOut, StreamIn, StreamOut],
        columns: &["turns with system", "documents"],
        because: "an answer is one turn of the model, and no format has a document in one",
    },
    Absent {
        formats: &["openai_responses", "anthropic_messages", "cohere", "ollama"],
        directions: &[AnswerIn, AnswerOut],
        columns: &["images"],
        because: "a model's own turn holds no picture; a hosted tool's is the vendor's item",
    },
    Absent {
        formats: &[],
        directions: &[StreamIn, StreamOut],
        columns: &["images"],
        because: "deltas carry what models say and call; pictures come in whole answers",
    },
    Absent {
        formats: &["cohere", "ollama"],
        directions: &[AnswerIn, StreamIn],
        columns: &["refusal"],
        because: "no reason to finish says so; a stopped content is an error (498), or is not told",
    },
    Absent {
        formats: &["gemini", "bedrock_converse"],
        directions: &[ErrorIn],
        columns: &["content_policy"],
        because: "a filter or a guardrail ends an answer with status 200",
    },
    Absent {
        formats: &["bedrock_converse"],
        directions: &[ErrorIn],
        columns: &["request_too_large", "connection"],
        because: "the service model has no exception for it: a body too large is a \
            `ValidationException`, and a lost connection is no answer",
    },
    Absent {
        formats: &["ollama"],
        directions: &[ErrorIn],
        columns: &[
            "authentication",
            "permission",
            "request_too_large",
            "context_window_exceeded",
            "content_policy",
            "rate_limited",
            "quota_exhausted",
            "timeout",
            "connection",
        ],
        because: "the server runs for its owner: it has no keys, rates, filters or deadlines, cuts \
            a prompt that is too long, and a lost connection is no answer",
    },
];
