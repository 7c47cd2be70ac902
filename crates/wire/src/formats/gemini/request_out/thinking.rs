//! How a model is told to think, by its generation.

use crate::conversation::{Conversation, Effort, ReasoningMode};
use crate::formats::gemini::model::{Model, Thinking};
use crate::formats::gemini::report::Report;
use crate::formats::translation::Unsupported;
use crate::json::write::JsonWriter;

/// Leaves the budget to the model.
const DYNAMIC: &str = "-1";

/// `thinkingConfig`.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// Never together with `level`, which the API refuses.
    budget: Option<String>,
    level: Option<&'static str>,
    thoughts: Option<bool>,
}

/// What to write for what the client wants; nothing where it wants nothing.
pub(super) fn plan(
    c: &Conversation,
    model: Model,
    report: &mut Report<'_>,
) -> Result<Option<Plan>, Unsupported> {
    let wanted = &c.reasoning;
    let off = wanted.mode == Some(ReasoningMode::Disabled) || wanted.effort == Some(Effort::None);
    let asked = wanted.mode.is_some() || wanted.effort.is_some();
    if !asked && wanted.summary.is_none() {
        return Ok(None);
    }
    let field = if wanted.effort.is_some() { "reasoning_effort" } else { "thinking" };
    let mut plan = Plan {
        thoughts: if off { Some(false) } else { wanted.summary.or(asked.then_some(true)) },
        ..Plan::default()
    };
    match model.thinking() {
        Thinking::Never if off => return Ok(None),
        Thinking::Never if !asked => {
            report.drop(field);
            return Ok(None);
        }
        Thinking::Never => {
            if !report.lacks(field, "the model does not think")? {
                return Ok(None);
            }
            plan.budget = budget(c, (0, u64::MAX), field, report);
        }
        Thinking::Level if off => {
            report.adjust(field);
            plan.level = Some(model.level(Effort::None));
        }
        Thinking::Level => match (wanted.effort, wanted.mode) {
            (Some(effort), _) => plan.level = Some(model.level(effort)),
            // The budget of the second generation is still taken where there is no level.
            (None, Some(ReasoningMode::Budget(tokens))) => plan.budget = Some(tokens.to_string()),
            (None, _) => {}
        },
        Thinking::Budget { least, off: can_be_off, .. } if off => {
            plan.budget = Some(if can_be_off { 0 } else { least }.to_string());
            if !can_be_off {
                report.adjust(field);
            }
        }
        Thinking::Budget { least, most, .. } => {
            plan.budget = budget(c, (least, most), field, report);
        }
    }
    Ok(Some(plan))
}

/// A budget the client named, else the one that stands for its effort.
fn budget(
    c: &Conversation,
    (least, most): (u64, u64),
    field: &str,
    report: &mut Report<'_>,
) -> Option<String> {
    match (c.reasoning.mode, c.reasoning.effort) {
        (Some(ReasoningMode::Budget(tokens)), _) => {
            let held = tokens.clamp(least, most);
            if held != tokens {
                report.adjust(field);
            }
            Some(held.to_string())
        }
        (_, Some(effort)) => Some(Model::budget(effort).clamp(least, most).to_string()),
        (Some(ReasoningMode::Adaptive), None) => Some(DYNAMIC.to_owned()),
        (Some(ReasoningMode::Disabled) | None, None) => None,
    }
}

/// Writes `thinkingConfig`.
pub(super) fn write_thinking(o: &mut JsonWriter<'_>, plan: &Plan) {
    o.object("thinkingConfig", |o| {
        if let Some(thoughts) = plan.thoughts {
            o.boolean("includeThoughts", thoughts);
        }
        if let Some(budget) = &plan.budget {
            o.raw("thinkingBudget", budget);
        }
        if let Some(level) = plan.level {
            o.string("thinkingLevel", level);
        }
    });
}
