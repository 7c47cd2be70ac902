//! What a call is charged once it is over.

use tollgate_domain::{Money, Quantity, Unit, Usage, UsageKind, UsageSource};

use crate::PriceSheet;

/// What was seen of a call, however it ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Observed {
    /// The usage the provider reported, if it did.
    pub reported: Option<Usage>,
    /// Pieces of visible output that passed through; a provider sends about one per token.
    pub output_deltas: u64,
    /// Bytes of visible output that passed through.
    pub output_bytes: u64,
    /// Bytes of the prompt.
    pub prompt_bytes: u64,
    /// Its tokens, where the model's own tokenizer has counted them.
    pub prompt_tokens: Option<u64>,
    /// The searches that such an answer takes, of a provider that does not report them.
    pub searches: u64,
    /// Whether the upstream began to answer.
    pub reached: bool,
    /// Whether the answer broke off. A usage reported before that may be that of a part of it: some
    /// providers report as they go.
    pub broken_off: bool,
}

/// What is written into the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    /// What the call consumed.
    pub usage: Usage,
    /// Where `usage` comes from.
    pub source: UsageSource,
    /// What it cost, or `None` when no price is known for something it consumed.
    pub cost: Option<Money>,
}

/// Settles a call: the reported usage as it came; a side the provider left out is counted from what
/// passed through and marks the whole as estimated; a call that no upstream answered costs nothing.
#[must_use]
pub fn settle(observed: &Observed, sheet: Option<&PriceSheet>) -> Settlement {
    let reported = observed.reported.as_ref().filter(|usage| !usage.is_unknown());
    if reported.is_none() && !observed.reached {
        let (usage, source) = (Usage::UNKNOWN, UsageSource::Nothing);
        return Settlement { usage, source, cost: Some(Money::ZERO) };
    }
    let reported = reported.cloned().unwrap_or_default();
    let mut usage = completed(&reported, observed);
    let silent = usage.quantity(UsageKind::Searches).is_none();
    if silent && observed.searches > 0 && sheet.is_some_and(PriceSheet::prices_searches) {
        usage.set(UsageKind::Searches, Quantity::whole(observed.searches));
    }
    let source = if usage == reported { UsageSource::Reported } else { UsageSource::Estimated };
    let cost = sheet.and_then(|sheet| sheet.cost(&usage).ok());
    Settlement { usage, source, cost }
}

/// The report with the sides it lacks.
///
/// A report in images, characters, seconds or searches alone is whole: such calls have no tokens to
/// add. Nor is a completion missing where no output passed through, as with embeddings.
fn completed(reported: &Usage, observed: &Observed) -> Usage {
    let mut usage = reported.clone();
    let (prompt, completion) = (reported.prompt(), reported.completion());
    if prompt.is_none() && completion.is_none() && counted_by_piece(reported) {
        return usage;
    }
    if prompt.is_none() {
        let counted = observed.prompt_tokens.map(Quantity::whole);
        let input = counted.unwrap_or_else(|| estimated_input(observed.prompt_bytes));
        usage.set(UsageKind::Input, input);
    }
    let output = estimated_output(observed.output_deltas, observed.output_bytes);
    match completion {
        None if output > Quantity::ZERO || reported.is_unknown() => {
            usage.set(UsageKind::Output, output);
        }
        Some(part) if observed.broken_off && output > part => {
            let plain = usage.quantity(UsageKind::Output).unwrap_or(Quantity::ZERO);
            usage.set(UsageKind::Output, plain.plus(output.minus(part)));
        }
        _ => {}
    }
    usage
}

fn counted_by_piece(usage: &Usage) -> bool {
    usage.known().any(|(kind, quantity)| kind.unit() != Unit::Token && quantity > Quantity::ZERO)
}

/// The input tokens that a prompt of so many bytes probably has.
#[must_use]
pub const fn estimated_input(prompt_bytes: u64) -> Quantity {
    Quantity::whole(prompt_bytes.div_ceil(BYTES_PER_TOKEN))
}

/// The output tokens that so many deltas and bytes of output probably are.
#[must_use]
pub fn estimated_output(deltas: u64, bytes: u64) -> Quantity {
    Quantity::whole(deltas.max(bytes.div_ceil(BYTES_PER_TOKEN)))
}

/// Bytes per token of ordinary text.
const BYTES_PER_TOKEN: u64 = 4;

#[cfg(test)]
mod tests;
