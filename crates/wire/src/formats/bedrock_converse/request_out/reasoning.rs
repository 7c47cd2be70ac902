//! How the target is to think: as the Messages API has it for models that speak so, else in the
//! one field that the model's family has.

use crate::capability::ReasoningField;
use crate::conversation::{Conversation, Effort, ReasoningMode};
use crate::formats::anthropic_messages::request_out::default_output;
use crate::formats::anthropic_messages::request_out::thinking::{
    Plan, Thinking, effort_name, effort_of, fit_effort, plan, write_thinking,
};
use crate::formats::report::Report;
use crate::formats::translation::{Target, Unsupported};
use crate::json::write::JsonWriter;

/// What is said about reasoning.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    /// In the Messages API's words; says nothing for families with a field of their own.
    pub(super) plan: Plan,
    /// The effort for the family's own field.
    pub(super) effort: Option<Effort>,
    field: ReasoningField,
}

/// Decides how the target is to think.
pub(super) fn asked(
    c: &Conversation,
    target: &Target<'_>,
    report: &mut Report<'_>,
) -> Result<Asked, Unsupported> {
    let field = report.capability().converse.reasoning;
    let silent = Plan { thinking: None, effort: None, tool_choice_freed: false };
    let (plan, effort) = match field {
        ReasoningField::Thinking => {
            let most = c.output_tokens_max.unwrap_or_else(|| default_output(c, target));
            (plan(c, most, report)?, None)
        }
        ReasoningField::None => {
            refuse(c, report)?;
            (silent, None)
        }
        ReasoningField::Levels | ReasoningField::Effort | ReasoningField::Object => {
            (silent, effort(c, field, report))
        }
    };
    Ok(Asked { plan, effort, field })
}

/// Asking for no reasoning asks for nothing here.
fn refuse(c: &Conversation, report: &mut Report<'_>) -> Result<(), Unsupported> {
    let why = "how much the model reasons cannot be chosen";
    match (c.reasoning.mode, c.reasoning.effort) {
        (Some(ReasoningMode::Budget(_) | ReasoningMode::Adaptive), _) => {
            report.leave_out("thinking", why)
        }
        (None, Some(effort)) if effort != Effort::None => report.leave_out("reasoning_effort", why),
        _ => Ok(()),
    }
}

/// The effort that was asked for, as near as the family has it.
fn effort(c: &Conversation, field: ReasoningField, report: &mut Report<'_>) -> Option<Effort> {
    let wanted = c.reasoning.effort.filter(|effort| *effort != Effort::None);
    let wanted = match (c.reasoning.mode, c.reasoning.effort) {
        (None, None) => None,
        // Where a level switches reasoning on, none leaves it off; elsewhere it can only be little.
        (Some(ReasoningMode::Disabled), _) | (None, Some(Effort::None)) => {
            let little = (field != ReasoningField::Levels).then_some(Effort::Low);
            if little.is_some() {
                let said = c.reasoning.mode.is_some();
                report.adjust(if said { "thinking" } else { "reasoning_effort" });
            }
            little
        }
        (None, Some(_)) => wanted,
        (Some(ReasoningMode::Budget(tokens)), _) => {
            report.adjust("thinking");
            wanted.or(Some(effort_of(tokens)))
        }
        (Some(ReasoningMode::Adaptive), _) => {
            report.adjust("thinking");
            wanted.or(Some(Effort::Medium))
        }
    };
    wanted.and_then(|effort| fit_effort(effort, None, report))
}

impl Asked {
    /// The budget in tokens, which an output limit must exceed.
    pub(super) const fn has_budget(&self) -> bool {
        matches!(self.plan.thinking, Some(Thinking::Budget(_)))
    }

    /// Whether what was spent on reasoning can be asked for.
    pub(super) fn tells_tokens(&self, report: &Report<'_>) -> bool {
        self.field == ReasoningField::Thinking && self.plan.is_active(report)
    }

    /// Whether the model's family takes the Messages API's own fields.
    pub(super) fn speaks_messages(&self) -> bool {
        self.field == ReasoningField::Thinking
    }

    /// Writes the fields that ask for reasoning.
    pub(super) fn write(&self, o: &mut JsonWriter<'_>) {
        write_thinking(o, &self.plan);
        if let Some(effort) = self.plan.effort {
            o.object("output_config", |o| _ = o.string("effort", effort_name(effort)));
        }
        let Some(effort) = self.effort.map(effort_name) else { return };
        match self.field {
            ReasoningField::Levels => {
                o.object("reasoningConfig", |o| {
                    o.string("type", "enabled").string("maxReasoningEffort", effort);
                });
            }
            ReasoningField::Effort => _ = o.string("reasoning_effort", effort),
            ReasoningField::Object => {
                o.object("reasoning", |o| _ = o.string("effort", effort));
            }
            ReasoningField::Thinking | ReasoningField::None => {}
        }
    }
}
