//! Making a client's body fit the model: the limit's name, and fields that the model does not take.

use super::ChatRequest;
use super::patch::RequestPatch;
use crate::conversation::{Effort, Reasoning};
use crate::json::{Kind, Raw, Splice};
use crate::provider::{OUTPUT_LIMITS, rename};

/// Fields and the numbers that they have when nobody sends them (OpenAI API reference, chat
/// completions): sending one of these asks for nothing.
const USUAL: [(&str, f64); 4] =
    [("temperature", 1.0), ("top_p", 1.0), ("presence_penalty", 0.0), ("frequency_penalty", 0.0)];

impl RequestPatch<'_> {
    /// The client's fields that the model does not take, so that the call can be refused or the
    /// fields dropped. Fields that the deployment drops or lets pass anyway are not among them, nor
    /// those at the value that they have anyway.
    #[must_use]
    pub fn unsupported<'r>(&self, request: &'r ChatRequest) -> Vec<&'r str> {
        let thinks = self.capability.thinks(&self.reasoning(request));
        let named = |list: &[Box<str>], field: &str| list.iter().any(|name| **name == *field);
        let mut fields: Vec<&str> = Vec::new();
        for field in request.field_names().filter(|f| !self.capability.takes(f, thinks)) {
            let decided = named(self.drop_fields, field) || named(self.passes, field);
            let asks = request.value(field).is_some_and(|value| !asks_nothing(field, value));
            if asks && !decided && !fields.contains(&field) {
                fields.push(field);
            }
        }
        fields
    }

    /// Whether only the Responses API serves this request. That concerns the vendor's own hosts.
    #[must_use]
    pub fn needs_responses(&self, request: &ChatRequest) -> bool {
        let listed = |name| request.value(name).into_iter().flat_map(Raw::elements);
        let function = |tool: Raw<'_>| {
            tool.find("type").and_then(Raw::text).is_some_and(|kind| kind == "function")
        };
        let functions = listed("tools").any(function) || listed("functions").next().is_some();
        let thinks = self.capability.thinks(&self.reasoning(request));
        self.capability.needs_responses_for(functions, thinks)
    }

    /// What the body that goes upstream says about reasoning.
    fn reasoning(&self, request: &ChatRequest) -> Reasoning {
        let field = "reasoning_effort";
        let set = |list: &'_ [(Box<str>, Box<str>)]| -> Option<Effort> {
            let (_, raw) = list.iter().find(|(name, _)| **name == *field)?;
            Effort::named(&Raw::scanned(raw).text()?)
        };
        let sent = request.value(field).and_then(Raw::text).and_then(|word| Effort::named(&word));
        let dropped = self.drop_fields.iter().any(|name| **name == *field);
        let kept = sent.or_else(|| set(self.defaults)).filter(|_| !dropped);
        Reasoning { effort: set(self.extra).or(kept), ..Reasoning::default() }
    }
}

/// Gives the limit the name that the model knows, and leaves out what asks for nothing and would be
/// refused all the same.
pub(super) fn fit_model(body: &mut Splice, patch: &RequestPatch<'_>) {
    let passes = |field: &str| patch.passes.iter().any(|passed| **passed == *field);
    let [older, newer] = OUTPUT_LIMITS;
    if patch.capability.newer_output_limit && !passes(older) {
        rename(body, older, newer);
    }
    let limited = patch.capability.never_taken.iter().chain(patch.capability.not_while_thinking);
    for field in limited.filter(|field| !passes(field)) {
        if body.value(field).is_some_and(|value| asks_nothing(field, value)) {
            body.remove(field);
        }
    }
}

/// Whether a field says only what is so without it.
pub(super) fn asks_nothing(field: &str, value: Raw<'_>) -> bool {
    let number = || value.as_written().parse::<f64>().ok();
    match value.kind() {
        Kind::Number => USUAL
            .iter()
            .any(|(name, usual)| *name == field && number().is_some_and(|sent| sent == *usual)),
        Kind::Array => !value.holds_something(),
        // `logprobs`, the only boolean among these fields.
        _ => value.boolean() == Some(false),
    }
}

#[cfg(test)]
mod tests;
