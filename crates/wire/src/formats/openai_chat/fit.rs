//! Making a client's body fit the model: the limit's name, and fields that the model does not take.

use super::ChatRequest;
use super::patch::RequestPatch;
use crate::conversation::{Effort, Reasoning};
use crate::json::{Kind, Raw, Splice};
use crate::provider::{OUTPUT_LIMITS, rename};

/// Fields and the numbers that they have when nobody sends them (OpenAI API reference, chat
/// completions): sending one of these asks for nothing.
const USUAL: [(&str, f64); 5] = [
    ("temperature", 1.0),
    ("top_p", 1.0),
    ("presence_penalty", 0.0),
    ("frequency_penalty", 0.0),
    ("n", 1.0),
];
/// Fields that change nothing about what is answered: who asks, and how the answer is billed, kept,
/// cached, sped up, measured and worded. Where a provider does not take one, it is left out without
/// anybody asking for that; the guide lists them.
pub const HINTS: [&str; 10] = [
    "metadata",
    "prediction",
    "prompt_cache_key",
    "prompt_cache_retention",
    "safety_identifier",
    "service_tier",
    "store",
    "stream_options",
    "user",
    "verbosity",
];

impl RequestPatch<'_> {
    /// The client's fields that the model or its provider does not take, so that the call can be
    /// refused or the fields dropped. Fields that the deployment drops or lets pass anyway are not
    /// among them, nor those at the value that they have anyway.
    #[must_use]
    pub fn unsupported<'r>(&self, request: &'r ChatRequest) -> Vec<&'r str> {
        let thinks = self.capability.thinks(&self.reasoning(request));
        let mut fields: Vec<&str> = Vec::new();
        for field in request.field_names() {
            let taken = self.capability.takes(field, thinks) || self.decides(field);
            let refused =
                request.value(field).is_some_and(|value| self.provider_refuses(field, value));
            let asks = || request.value(field).is_some_and(|value| !asks_nothing(field, value));
            if (refused || !taken && asks()) && !fields.contains(&field) {
                fields.push(field);
            }
        }
        fields
    }

    /// Whether the provider does not take a field that means something, and the deployment has not
    /// decided about it.
    #[must_use]
    pub fn provider_refuses(&self, field: &str, value: Raw<'_>) -> bool {
        named(&self.quirks.drop_fields, field)
            && !self.decides(field)
            && !HINTS.contains(&field)
            && !asks_nothing(field, value)
    }

    /// Whether a field never goes upstream.
    #[must_use]
    pub fn drops(&self, field: &str) -> bool {
        named(self.drop_fields, field)
            || named(&self.quirks.drop_fields, field) && !named(self.passes, field)
    }

    /// Whether the deployment or the client says what becomes of a field.
    fn decides(&self, field: &str) -> bool {
        named(self.drop_fields, field) || named(self.passes, field)
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
        let kept = sent.or_else(|| set(self.defaults)).filter(|_| !self.drops(field));
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
        Kind::Array | Kind::Object if !value.holds_something() => true,
        Kind::Array => field == "modalities" && value.elements().all(|one| is_text(one, "text")),
        Kind::Object => {
            let kind = value.find("type").filter(|_| field == "response_format");
            kind.is_some_and(|kind| is_text(kind, "text"))
        }
        Kind::String => ["tool_choice", "function_call"].contains(&field) && is_text(value, "auto"),
        // Several calls at a time are the usual; everything else is usually off.
        Kind::Boolean => value.boolean() == Some(field == "parallel_tool_calls"),
        Kind::Null => true,
    }
}

fn is_text(value: Raw<'_>, wanted: &str) -> bool {
    value.text().is_some_and(|text| text == wanted)
}

fn named(list: &[Box<str>], field: &str) -> bool {
    list.iter().any(|name| **name == *field)
}

#[cfg(test)]
mod tests;
