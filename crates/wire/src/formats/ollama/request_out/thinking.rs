//! How much the model is to think.

use crate::conversation::{Effort, Reasoning, ReasoningMode};
use crate::formats::report::Report;
use crate::json::write::JsonWriter;

/// Models that take an effort; the others take yes or no (the vendor's guide to thinking). They
/// cannot be kept from thinking.
const WITH_EFFORT: &str = "gpt-oss";

/// `think`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Think {
    /// Whether.
    Whether(bool),
    /// How hard.
    Effort(&'static str),
}

/// What is said about thinking; nothing where the client said nothing.
pub(super) fn think(wanted: &Reasoning, report: &mut Report<'_>) -> Option<Think> {
    let field = if wanted.effort.is_some() { "reasoning_effort" } else { "thinking" };
    let graded = report.model().contains(WITH_EFFORT);
    let off = match (wanted.mode, wanted.effort) {
        (None, None) => return None,
        (Some(ReasoningMode::Disabled | ReasoningMode::Budget(0)), _)
        | (None, Some(Effort::None)) => true,
        (Some(ReasoningMode::Budget(_) | ReasoningMode::Adaptive) | None, _) => false,
    };
    if off && graded {
        report.adjust(field);
        return Some(Think::Effort("low"));
    }
    if off {
        return Some(Think::Whether(false));
    }
    if matches!(wanted.mode, Some(ReasoningMode::Budget(_))) {
        report.adjust("thinking");
    }
    let Some(effort) = wanted.effort.filter(|effort| *effort != Effort::None) else {
        return Some(Think::Whether(true));
    };
    let (name, exact) = match effort {
        Effort::None | Effort::Minimal => ("low", false),
        Effort::Low => ("low", true),
        Effort::Medium => ("medium", true),
        Effort::High => ("high", true),
        Effort::XHigh | Effort::Max => ("high", false),
    };
    if !graded || !exact {
        report.adjust("reasoning_effort");
    }
    Some(if graded { Think::Effort(name) } else { Think::Whether(true) })
}

/// Writes `think`.
pub(super) fn write_think(o: &mut JsonWriter<'_>, think: Option<Think>) {
    match think {
        None => {}
        Some(Think::Whether(yes)) => _ = o.boolean("think", yes),
        Some(Think::Effort(name)) => _ = o.string("think", name),
    }
}
