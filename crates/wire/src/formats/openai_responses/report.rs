//! What becomes of what the target cannot express.

use bytes::Bytes;

use crate::formats::translation::{Target, Unsupported, Written};
use crate::json::Layout;

/// Collects what is left out while a request is written. The first refusal counts; the writer goes
/// on behind it, and its work is thrown away.
#[derive(Debug)]
pub(super) struct Report<'a> {
    target: &'a Target<'a>,
    /// Fields that were left out.
    dropped: Vec<Box<str>>,
    /// Fields that were changed.
    adjusted: Vec<Box<str>>,
    refused: Option<Unsupported>,
}

impl<'a> Report<'a> {
    /// Nothing left out yet.
    pub(super) const fn new(target: &'a Target<'a>) -> Self {
        Self { target, dropped: Vec::new(), adjusted: Vec::new(), refused: None }
    }

    /// Leaves out what nobody misses.
    pub(super) fn leave_out(&mut self, field: &str) {
        if !self.dropped.iter().any(|dropped| **dropped == *field) {
            self.dropped.push(field.into());
        }
    }

    /// Leaves out what the caller asked for, or refuses the call.
    pub(super) fn cannot(&mut self, field: &str, why: &str) {
        if self.target.leniency.drops {
            self.leave_out(field);
        } else {
            let way_out = "remove it, or set `drop_params: true` to leave it out";
            self.refuse(field, format!("{why}; {way_out}"));
        }
    }

    /// Refuses the call for a part of what is said, which is never left out.
    pub(super) fn cannot_say(&mut self, field: &str, why: &str) {
        self.refuse(field, why.to_owned());
    }

    fn refuse(&mut self, field: &str, detail: String) {
        self.refused.get_or_insert_with(|| Unsupported {
            field: field.into(),
            model: self.target.model.into(),
            detail,
            thinking_with_forced_tool: false,
        });
    }

    /// Records a change.
    pub(super) fn adjust(&mut self, field: &str) {
        self.adjusted.push(field.into());
    }

    /// The request with what was left out and changed.
    ///
    /// # Errors
    /// The first refusal.
    pub(super) fn written(self, body: Bytes, layout: Layout) -> Result<Written, Unsupported> {
        match self.refused {
            Some(refused) => Err(refused),
            None => {
                let Self { dropped, adjusted, .. } = self;
                Ok(Written { body, layout, dropped, adjusted })
            }
        }
    }
}
