//! What a call can consume at most, known before it is sent.

use tollgate_domain::{Money, Quantity};

/// What is known about a model's answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ModelLimits {
    /// The longest prompt in tokens, or `None` when nobody said.
    pub max_input: Option<u64>,
    /// The most output tokens the model gives, or `None` when nobody said.
    pub max_output: Option<u64>,
    /// The output tokens to reserve for a call that names no limit, as configured.
    pub reserve_output: Option<u64>,
}

/// The tokens that are reserved for a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bound {
    /// Prompt tokens.
    pub prompt: Quantity,
    /// Completion tokens over all choices.
    pub completion: Quantity,
}

/// What a call may consume besides tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extras {
    /// The most searches it makes, or `None` where nothing limits them.
    pub searches: Option<u64>,
    /// Whether it may consume something of which nobody knows how much it costs.
    pub unmeasured: bool,
    /// What is held for all that nothing limits.
    pub reserve: Money,
}

impl Extras {
    /// A call that consumes tokens only.
    pub const NONE: Self = Self { searches: Some(0), unmeasured: false, reserve: Money::ZERO };
}

/// The bound of a call: a token for every two bytes of prompt, and for each choice the call's own
/// limit, else the configured reserve, else the smaller of the model's limit and
/// [`RESERVE_OUTPUT_TOKENS`].
///
/// A client's own limit is taken as it is, even above the model's: a published limit may be older
/// than the model, and a reservation must not be smaller than what the upstream may honour.
#[must_use]
pub fn bound(
    prompt_bytes: u64,
    output_tokens_max: Option<u64>,
    choices: u64,
    limits: &ModelLimits,
) -> Bound {
    let prompt =
        prompt_bytes.div_ceil(PROMPT_BYTES_PER_TOKEN).saturating_add(PROMPT_OVERHEAD_TOKENS);
    let each = output_tokens_max.or(limits.reserve_output).unwrap_or_else(|| {
        limits.max_output.map_or(RESERVE_OUTPUT_TOKENS, |most| most.min(RESERVE_OUTPUT_TOKENS))
    });
    let completion = each.saturating_mul(choices.max(1));
    Bound { prompt: Quantity::whole(prompt), completion: Quantity::whole(completion) }
}

impl Bound {
    /// The same with a prompt of so many tokens, counted by the model's own tokenizer.
    #[must_use]
    pub const fn with_prompt(self, tokens: u64) -> Self {
        let prompt = Quantity::whole(tokens.saturating_add(PROMPT_OVERHEAD_TOKENS));
        Self { prompt, ..self }
    }

    /// The same with so many pictures that the prompt names without holding them.
    #[must_use]
    pub const fn with_pictures(self, pictures: u64) -> Self {
        let tokens = Quantity::whole(pictures.saturating_mul(PICTURE_TOKENS));
        Self { prompt: self.prompt.plus(tokens), ..self }
    }

    /// The same with a prompt of at least so many tokens.
    #[must_use]
    pub fn with_prompt_from(self, tokens: u64) -> Self {
        Self { prompt: self.prompt.max(Quantity::whole(tokens)), ..self }
    }
}

/// Tokens that a provider's chat template adds to what the client wrote.
pub const PROMPT_OVERHEAD_TOKENS: u64 = 32;
/// Prompt tokens reserved for a picture that is named by its address: more than most models take
/// for one of any size. A model that takes more is charged in full all the same.
pub const PICTURE_TOKENS: u64 = 16_384;
/// Output tokens reserved for a call that names no limit, where configuration names none either.
pub const RESERVE_OUTPUT_TOKENS: u64 = 4096;
/// Bytes of prompt per token at the dense end: English has about four, digits and CJK about two.
const PROMPT_BYTES_PER_TOKEN: u64 = 2;

#[cfg(test)]
mod tests;
