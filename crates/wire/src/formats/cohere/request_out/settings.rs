//! How tokens are drawn and how much the model thinks.

use bytestring::ByteString;

use crate::conversation::{Conversation, Effort, Number, Reasoning, ReasoningMode};
use crate::formats::report::Report;
use crate::formats::translation::Unsupported;
use crate::json::write::JsonWriter;

/// Most texts that end an answer (Cohere API reference, `stop_sequences`).
const STOPS_MAX: usize = 5;

/// How tokens are drawn, as the API takes it.
#[derive(Debug)]
pub(super) struct Sampled<'c> {
    /// Names and numbers in the API's words.
    numbers: Vec<(&'static str, &'c str)>,
    stop: &'c [ByteString],
}

/// Decides how tokens are drawn. A number outside the API's range (Cohere API reference, chat) is
/// held at its end.
pub(super) fn sampling<'c>(
    c: &'c Conversation,
    report: &mut Report<'_>,
) -> Result<Sampled<'c>, Unsupported> {
    let given = &c.sampling;
    let mut numbers = Vec::new();
    for (ours, theirs, number, range) in [
        ("temperature", "temperature", &given.temperature, ("0", "1")),
        ("top_p", "p", &given.top_p, ("0.01", "0.99")),
        ("top_k", "k", &given.top_k, ("0", "500")),
        ("frequency_penalty", "frequency_penalty", &given.frequency_penalty, ("0", "1")),
        ("presence_penalty", "presence_penalty", &given.presence_penalty, ("0", "1")),
    ] {
        if let Some(number) = number {
            let held = held(number, range);
            if held != &*number.0 {
                report.adjust(ours);
            }
            numbers.push((theirs, held));
        }
    }
    if let Some(seed) = &given.seed {
        if value(&seed.0) < 0.0 {
            report.leave_out("seed", "seeds are not negative there")?;
        } else {
            numbers.push(("seed", &seed.0));
        }
    }
    if c.choices > 1 {
        report.leave_out("n", "the API gives one answer for each call")?;
    }
    let mut stop = given.stop.as_slice();
    if stop.len() > STOPS_MAX && !report.lacks("stop", "there are 5 texts at most")? {
        stop = stop.get(..STOPS_MAX).unwrap_or_default();
    }
    Ok(Sampled { numbers, stop })
}

/// The client's own text of a number, unless it lies outside the range.
fn held<'c>(number: &'c Number, (least, most): (&'static str, &'static str)) -> &'c str {
    let given = value(&number.0);
    if given < value(least) {
        least
    } else if given > value(most) {
        most
    } else {
        &number.0
    }
}

fn value(number: &str) -> f64 {
    number.parse().unwrap_or(f64::NAN)
}

/// Writes how tokens are drawn.
pub(super) fn write_sampling(o: &mut JsonWriter<'_>, sampled: &Sampled<'_>) {
    for (name, number) in &sampled.numbers {
        o.raw(name, number);
    }
    if !sampled.stop.is_empty() {
        o.strings("stop_sequences", sampled.stop);
    }
}

/// `thinking`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Thinking {
    Disabled,
    /// Up to this many tokens; `None` leaves the budget to the model.
    Enabled(Option<u64>),
}

/// What is said about thinking; nothing where the client said nothing. The API knows budgets and no
/// efforts.
pub(super) fn thinking(wanted: &Reasoning, report: &mut Report<'_>) -> Option<Thinking> {
    match (wanted.mode, wanted.effort) {
        (None, None) => None,
        // The least budget is 1.
        (Some(ReasoningMode::Disabled | ReasoningMode::Budget(0)), _)
        | (None, Some(Effort::None)) => Some(Thinking::Disabled),
        (Some(ReasoningMode::Budget(tokens)), _) => Some(Thinking::Enabled(Some(tokens))),
        (mode, effort) => {
            let effort = effort.filter(|effort| *effort != Effort::None);
            if effort.is_some() {
                report.adjust("reasoning_effort");
            }
            // A model that decides by itself needs no budget.
            let budget = effort.filter(|_| mode.is_none()).map(budget_of);
            Some(Thinking::Enabled(budget))
        }
    }
}

/// The budget that an effort amounts to, in tokens: what the system taken over gives other models
/// with budgets.
const fn budget_of(effort: Effort) -> u64 {
    match effort {
        Effort::None | Effort::Minimal => 128,
        Effort::Low => 1024,
        Effort::Medium => 2048,
        Effort::High => 4096,
        Effort::XHigh => 8192,
        Effort::Max => 16_384,
    }
}

/// Writes `thinking`.
pub(super) fn write_thinking(o: &mut JsonWriter<'_>, thinking: Option<Thinking>) {
    let Some(thinking) = thinking else { return };
    o.object("thinking", |o| match thinking {
        Thinking::Disabled => _ = o.string("type", "disabled"),
        Thinking::Enabled(budget) => {
            o.string("type", "enabled");
            if let Some(tokens) = budget {
                o.number("token_budget", tokens);
            }
        }
    });
}
