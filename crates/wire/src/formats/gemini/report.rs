//! What becomes of what a target cannot say: left out, changed, or refused.

use bytes::Bytes;

use crate::formats::translation::{Target, Unsupported, Written};

/// Collects what was left out and changed while a request is written.
pub(super) struct Report<'t> {
    target: &'t Target<'t>,
    dropped: Vec<Box<str>>,
    adjusted: Vec<Box<str>>,
}

impl<'t> Report<'t> {
    pub(super) const fn new(target: &'t Target<'t>) -> Self {
        Self { target, dropped: Vec::new(), adjusted: Vec::new() }
    }

    /// A field that carries no meaning for the answer is left out.
    pub(super) fn drop(&mut self, field: &str) {
        note(&mut self.dropped, field);
    }

    /// A field was changed to what the target understands.
    pub(super) fn adjust(&mut self, field: &str) {
        note(&mut self.adjusted, field);
    }

    /// A field that carries meaning and that the target does not take. True when it goes out all
    /// the same because the operator lets it pass, false when it is left out because the caller
    /// allows that; else the call is refused.
    pub(super) fn lacks(&mut self, field: &str, why: &str) -> Result<bool, Unsupported> {
        if self.target.leniency.passes.iter().any(|passed| **passed == *field) {
            return Ok(true);
        }
        self.leave_out(field, why).map(|()| false)
    }

    /// The same for what cannot even be written.
    pub(super) fn leave_out(&mut self, field: &str, why: &str) -> Result<(), Unsupported> {
        if !self.target.leniency.drops {
            let detail = format!("{why}; leave it out, or set `drop_params: true`");
            return Err(self.refusal(field, detail));
        }
        self.drop(field);
        Ok(())
    }

    /// A request that the target cannot express and that no leniency changes.
    pub(super) fn refusal(&self, field: &str, detail: impl Into<String>) -> Unsupported {
        Unsupported {
            field: field.into(),
            model: self.target.model.into(),
            detail: detail.into(),
            thinking_with_forced_tool: false,
        }
    }

    pub(super) fn written(self, body: Vec<u8>) -> Written {
        Written { body: Bytes::from(body), dropped: self.dropped, adjusted: self.adjusted }
    }
}

fn note(list: &mut Vec<Box<str>>, field: &str) {
    if !list.iter().any(|noted| **noted == *field) {
        list.push(field.into());
    }
}
