//! What becomes of what a target cannot say: left out, changed, or refused.

use bytes::Bytes;

use crate::capability::Capability;
use crate::conversation::{Conversation, Part};
use crate::formats::translation::{Target, Unsupported, Written};
use crate::json::Layout;

/// Fields of other dialects that change the answer, so that leaving them out must be allowed.
const MEANINGFUL: [&str; 6] =
    ["logprobs", "top_logprobs", "logit_bias", "audio", "modalities", "web_search_options"];

/// Values with which such a field asks for nothing.
const ASKS_NOTHING: [&str; 5] = ["null", "false", "0", "{}", "[\"text\"]"];

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

    /// Leaves out what carries no meaning for the answer and what only a few targets know.
    pub(in crate::formats) fn drop_hints(&mut self, c: &Conversation) {
        if c.parallel_tools.is_some() {
            self.drop("parallel_tool_calls");
        }
        if c.user.is_some() {
            self.drop("user");
        }
        let cached = |part: &Part| part.cache.is_some();
        let hinted = c.messages.iter().any(|message| message.parts.iter().any(cached));
        if hinted || c.tools.iter().any(|tool| tool.cache.is_some()) {
            self.drop("cache_control");
        }
        if c.messages.iter().any(|message| message.name.is_some()) {
            self.drop("name");
        }
    }

    /// A field was changed to what the target understands.
    pub(in crate::formats) fn adjust(&mut self, field: &str) {
        note(&mut self.adjusted, field);
    }

    /// A field that carries meaning and that the target does not take. True when it goes out all
    /// the same because the operator lets it pass, false when it is left out because the caller
    /// allows that; else the call is refused.
    pub(in crate::formats) fn lacks(
        &mut self,
        field: &str,
        why: &str,
    ) -> Result<bool, Unsupported> {
        if self.passes(field) {
            return Ok(true);
        }
        self.leave_out(field, why).map(|()| false)
    }

    /// A field of the client's dialect that neither the hub nor the target has a word for, with its
    /// raw JSON: left out with a note, or where it changes the answer only if the caller allows it.
    pub(in crate::formats) fn leave_out_unmapped(
        &mut self,
        field: &str,
        raw: &str,
    ) -> Result<(), Unsupported> {
        if MEANINGFUL.contains(&field) && !ASKS_NOTHING.contains(&raw) {
            return self.leave_out(field, "the API has no such field");
        }
        self.drop(field);
        Ok(())
    }

    /// A field that carries meaning and cannot even be written is left out where the caller allows
    /// that, else the call is refused.
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

    pub(in crate::formats) fn written(self, (body, layout): (Vec<u8>, Layout)) -> Written {
        let Self { dropped, adjusted, .. } = self;
        Written { body: Bytes::from(body), layout, dropped, adjusted }
    }
}

fn note(list: &mut Vec<Box<str>>, field: &str) {
    if !list.iter().any(|noted| **noted == *field) {
        list.push(field.into());
    }
}
