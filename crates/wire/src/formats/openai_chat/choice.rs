//! One choice of an answer or of a chunk, read in one walk.

use super::error::{ErrorBody, error_from};
use super::output::Output;
use crate::json::Raw;

/// What one element of `choices` holds.
#[derive(Debug, Default)]
pub(super) struct Choice {
    /// `index`, 0 where it is absent.
    pub(super) index: u64,
    /// What its `message` or `delta` carries.
    pub(super) output: Output,
    /// Whether it has a finish reason; an empty one is none.
    pub(super) finished: bool,
    /// A failure of the provider behind the upstream: OpenRouter reports it here, beside the finish
    /// reason `error`.
    pub(super) error: Option<ErrorBody>,
}

impl Choice {
    /// Reads an element of `choices`.
    pub(super) fn read(choice: Raw<'_>) -> Self {
        let mut read = Self::default();
        let mut failed = false;
        for (name, value) in choice.members() {
            match &*name {
                "index" => read.index = value.whole().unwrap_or(0),
                "delta" | "message" => read.output = Output::of(value),
                "finish_reason" => {
                    read.finished = value.text().is_some_and(|reason| !reason.is_empty());
                    failed = value.text().is_some_and(|reason| reason == "error");
                }
                "error" if !value.is_null() => read.error = Some(error_from(value)),
                _ => {}
            }
        }
        if failed && read.error.is_none() {
            read.error = Some(ended_in_error());
        }
        read
    }
}

/// The failure of a choice that says no more than that it failed.
pub(super) fn ended_in_error() -> ErrorBody {
    ErrorBody::told("the upstream ended the answer with finish reason `error`")
}
