//! What becomes of what the target cannot express.

use crate::formats::translation::{Target, Unsupported};

/// Collects what is left out and changed while a request is written.
#[derive(Debug)]
pub(super) struct Report<'t> {
    pub(super) target: &'t Target<'t>,
    pub(super) dropped: Vec<Box<str>>,
    pub(super) adjusted: Vec<Box<str>>,
}

impl<'t> Report<'t> {
    pub(super) const fn new(target: &'t Target<'t>) -> Self {
        Self { target, dropped: Vec::new(), adjusted: Vec::new() }
    }

    /// Leaves out a hint, without which the answer means the same.
    pub(super) fn leave_out(&mut self, field: &str) {
        if !self.dropped.iter().any(|dropped| **dropped == *field) {
            self.dropped.push(field.into());
        }
    }

    /// Records a change to what the target understands.
    pub(super) fn adjust(&mut self, field: &str) {
        if !self.adjusted.iter().any(|adjusted| **adjusted == *field) {
            self.adjusted.push(field.into());
        }
    }

    /// Leaves out what was asked for, where the deployment drops such fields.
    ///
    /// # Errors
    /// [`Unsupported`] where it does not.
    pub(super) fn cannot(&mut self, field: &str, why: &str) -> Result<(), Unsupported> {
        self.permit_drop(field, why, false)?;
        self.leave_out(field);
        Ok(())
    }

    /// Whether what was asked for may be left out or weakened.
    ///
    /// # Errors
    /// [`Unsupported`] where it must not.
    pub(super) fn permit_drop(
        &self,
        field: &str,
        why: &str,
        thinking_with_forced_tool: bool,
    ) -> Result<(), Unsupported> {
        if self.target.leniency.drops {
            return Ok(());
        }
        Err(Unsupported {
            field: field.into(),
            model: self.target.model.into(),
            detail: format!("{why}; remove it, or set `drop_params: true` to leave it out"),
            thinking_with_forced_tool,
        })
    }
}
