//! What becomes of what the target cannot express.

use crate::conversation::CacheHint;
use crate::formats::translation::{Target, Unsupported};
use crate::json::write::JsonWriter;

/// How a hint to cache the prompt is put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CacheWord {
    /// Anthropic's `cache_control`.
    Control,
    /// OpenAI's `prompt_cache_breakpoint`.
    Breakpoint,
}

impl CacheWord {
    /// Writes a hint.
    pub(super) fn write(self, object: &mut JsonWriter<'_>, hint: CacheHint) {
        let (name, kind, value, hour) = match self {
            Self::Control => ("cache_control", "type", "ephemeral", "1h"),
            Self::Breakpoint => ("prompt_cache_breakpoint", "mode", "explicit", "12h"),
        };
        object.object(name, |object| {
            object.string(kind, value);
            if hint == CacheHint::Hour {
                object.string("ttl", hour);
            }
        });
    }
}

/// Collects what is left out and changed while a request is written.
#[derive(Debug)]
pub(super) struct Report<'t> {
    pub(super) target: &'t Target<'t>,
    /// Whether the model thinks about this request.
    thinks: bool,
    pub(super) dropped: Vec<Box<str>>,
    pub(super) adjusted: Vec<Box<str>>,
}

impl<'t> Report<'t> {
    pub(super) const fn new(target: &'t Target<'t>, thinks: bool) -> Self {
        Self { target, thinks, dropped: Vec::new(), adjusted: Vec::new() }
    }

    /// Whether the operator lets this field pass whatever is known about the target.
    pub(super) fn passes(&self, field: &str) -> bool {
        self.target.leniency.passes.iter().any(|passed| **passed == *field)
    }

    /// Whether the model takes this field.
    pub(super) fn takes(&self, field: &str) -> bool {
        self.target.capability.takes(field, self.thinks)
    }

    /// How a hint to cache the prompt is put to the target; `None` where it has no word for it.
    pub(super) const fn cache_word(&self) -> Option<CacheWord> {
        if self.target.quirks.cache_control {
            Some(CacheWord::Control)
        } else if self.target.capability.cache_breakpoints {
            Some(CacheWord::Breakpoint)
        } else {
            None
        }
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
