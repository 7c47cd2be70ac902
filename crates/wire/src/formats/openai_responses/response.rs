//! The response object, as a whole answer and inside the events that begin and end a stream.

use tollgate_domain::Usage;

use super::output::{Ids, Item};
use super::usage::write_usage;
use crate::conversation::FinishReason;
use crate::formats::translation::Reply;
use crate::json::JsonWriter;

/// How far a response has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    /// It is being made.
    InProgress,
    /// It is whole.
    Completed,
    /// It was cut off, for this reason in this format's words.
    Incomplete(&'static str),
}

impl Status {
    /// The status of an answer that ended for this reason. A model that declines in words has
    /// completed its answer; one that was cut off by a filter has not.
    pub(super) fn ended<'a>(
        finish: Option<FinishReason>,
        items: impl IntoIterator<Item = &'a Item>,
    ) -> Self {
        let declined = |item: &Item| match item {
            Item::Message(contents) => contents.iter().any(|content| content.refusal),
            Item::Reasoning { .. } | Item::Call { .. } => false,
        };
        match finish {
            Some(FinishReason::Length) => Self::Incomplete("max_output_tokens"),
            Some(FinishReason::Refused) if !items.into_iter().any(declined) => {
                Self::Incomplete("content_filter")
            }
            _ => Self::Completed,
        }
    }

    /// The status in this format's words, which is an item's status too.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::InProgress => "in_progress",
            Self::Completed => "completed",
            Self::Incomplete(_) => "incomplete",
        }
    }
}

/// What a response object is written from.
#[derive(Debug)]
pub(super) struct Response<'a> {
    pub(super) ids: &'a Ids,
    pub(super) reply: &'a Reply,
    pub(super) created: u64,
    pub(super) status: Status,
    /// Each item with its id and its status.
    pub(super) items: &'a [Finished],
    pub(super) usage: Option<&'a Usage>,
}

/// An item that is written.
#[derive(Debug)]
pub(super) struct Finished {
    pub(super) id: String,
    pub(super) item: Item,
    pub(super) status: Status,
}

impl Response<'_> {
    /// Writes the response's members. The fields that echo the request are those without which
    /// typed clients cannot read a response, at their defaults.
    pub(super) fn write(&self, o: &mut JsonWriter<'_>) {
        o.string("id", &self.ids.response()).string("object", "response");
        o.number("created_at", self.created).string("status", self.status.word());
        o.null("error");
        match self.status {
            Status::Incomplete(reason) => {
                o.object("incomplete_details", |o| _ = o.string("reason", reason));
            }
            _ => _ = o.null("incomplete_details"),
        }
        o.null("instructions").object("metadata", |_| {}).string("model", &self.reply.model);
        o.array("output", |out| {
            for finished in self.items {
                let status = finished.status.word();
                out.object(|o| finished.item.write(&finished.id, status, o));
            }
        });
        o.boolean("parallel_tool_calls", true).null("temperature").null("top_p");
        o.string("tool_choice", "auto").array("tools", |_| {});
        write_usage(self.usage, o);
    }
}

/// Writes `error` of a response that failed.
pub(super) fn write_error(code: &str, message: &str, o: &mut JsonWriter<'_>) {
    o.object("error", |o| _ = o.string("code", code).string("message", message));
}
