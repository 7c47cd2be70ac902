//! What becomes of what a target cannot say: left out, changed, or refused.

use bytes::Bytes;

use crate::capability::Capability;
use crate::formats::translation::{Target, Unsupported, Written};

/// Collects what was left out and changed while a request is written.
pub(in crate::formats) struct Report<'t> {
    target: &'t Target<'t>,
    dropped: Vec<Box<str>>,
    adjusted: Vec<Box<str>>,
}

impl<'t> Report<'t> {
    pub(in crate::formats) const fn new(target: &'t Target<'t>) -> Self {
        Self { target, dropped: Vec::new(), adjusted: Vec::new() }
    }

    pub(in crate::formats) const fn capability(&self) -> &'t Capability {
        self.target.capability
    }

    pub(in crate::formats) const fn model(&self) -> &'t str {
        self.target.model
    }

    pub(in crate::formats) const fn drops(&self) -> bool {
        self.target.leniency.drops
    }

    pub(in crate::formats) const fn repairs(&self) -> bool {
        self.target.leniency.repairs
    }

    /// Whether the operator lets this field pass whatever is known about the target.
    pub(in crate::formats) fn passes(&self, field: &str) -> bool {
        self.target.leniency.passes.iter().any(|passed| **passed == *field)
    }

    /// A field that carries no meaning for the answer is left out.
    pub(in crate::formats) fn drop(&mut self, field: &str) {
        note(&mut self.dropped, field);
    }

    /// A field was changed to what the target understands.
    pub(in crate::formats) fn adjust(&mut self, field: &str) {
        note(&mut self.adjusted, field);
    }

    /// A field that carries meaning is left out where the caller allows that, else the call is
    /// refused.
    pub(in crate::formats) fn leave_out(
        &mut self,
        field: &str,
        why: &str,
    ) -> Result<(), Unsupported> {
        if !self.drops() {
            let detail = format!("{why}; leave it out, or set `drop_params: true`");
            return Err(self.refusal(field, detail));
        }
        self.drop(field);
        Ok(())
    }

    /// A request that the target cannot express and that no leniency changes.
    pub(in crate::formats) fn refusal(
        &self,
        field: &str,
        detail: impl Into<String>,
    ) -> Unsupported {
        Unsupported {
            field: field.into(),
            model: self.target.model.into(),
            detail: detail.into(),
            thinking_with_forced_tool: false,
        }
    }

    pub(in crate::formats) fn written(self, body: Vec<u8>) -> Written {
        Written { body: Bytes::from(body), dropped: self.dropped, adjusted: self.adjusted }
    }
}

fn note(list: &mut Vec<Box<str>>, field: &str) {
    if !list.iter().any(|noted| **noted == *field) {
        list.push(field.into());
    }
}
