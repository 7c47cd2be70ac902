//! Deciding how the target is to think: what was asked for, what its record allows, and what goes
//! with a forced tool choice.
//!
//! Modes are never exchanged but in one direction: a budget becomes adaptive where only that
//! exists, and this is reported.

use super::report::Report;
use crate::conversation::{Conversation, Effort, PartBody, Provenance, ReasoningMode, Role};
use crate::formats::translation::Unsupported;
use crate::json::write::JsonWriter;

/// Least budget that the API takes, in tokens.
const BUDGET_MIN: u64 = 1024;

/// How the target is to think.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::formats) enum Thinking {
    Disabled,
    BetweenTools,
    Budget(u64),
    /// With or without a readable summary; `None` leaves that to the model.
    Adaptive(Option<bool>),
}

/// What is said about thinking, and whether the target will think.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::formats) struct Plan {
    pub(in crate::formats) thinking: Option<Thinking>,
    pub(in crate::formats) effort: Option<Effort>,
    /// Whether a forced tool choice must become a free one.
    pub(in crate::formats) tool_choice_freed: bool,
}

impl Plan {
    /// Whether the target thinks under this plan.
    pub(in crate::formats) fn is_active(&self, report: &Report<'_>) -> bool {
        match self.thinking {
            Some(Thinking::Disabled) => false,
            Some(Thinking::BetweenTools | Thinking::Budget(_) | Thinking::Adaptive(_)) => true,
            None => report.capability().thinks_by_default,
        }
    }
}

/// Decides how the target is to think, within `output_tokens_max`.
pub(in crate::formats) fn plan(
    c: &Conversation,
    output_tokens_max: u64,
    report: &mut Report<'_>,
) -> Result<Plan, Unsupported> {
    let mut plan = asked(c, output_tokens_max, report)?;
    if matches!(plan.thinking, Some(Thinking::Budget(_))) && open_loop_is_unsigned(c) {
        // The API wants the open turn's own thinking back, and nobody can make that up.
        plan.thinking = off(report);
        report.adjust("thinking");
    }
    if c.tool_choice.forces() && !c.tools.is_empty() {
        settle_forced_choice(c, &mut plan, report)?;
    }
    plan.effort = plan.effort.and_then(|effort| fit_effort(effort, plan.thinking, report));
    Ok(plan)
}

/// What the client asked for, in the target's words.
fn asked(
    c: &Conversation,
    output_tokens_max: u64,
    report: &mut Report<'_>,
) -> Result<Plan, Unsupported> {
    let record = report.capability();
    let wanted = c.reasoning.effort.filter(|effort| *effort != Effort::None);
    let plan = |thinking, effort| Plan { thinking, effort, tool_choice_freed: false };
    match (c.reasoning.mode, c.reasoning.effort) {
        (None, None) => Ok(plan(None, None)),
        (Some(ReasoningMode::Disabled), _) | (None, Some(Effort::None)) => {
            Ok(switched_off(c, wanted, report))
        }
        (Some(ReasoningMode::Adaptive), _) if record.thinking_adaptive => {
            Ok(plan(Some(Thinking::Adaptive(c.reasoning.summary)), wanted))
        }
        (Some(ReasoningMode::Budget(tokens)), _) if record.thinking_budget => {
            Ok(plan(within(tokens, output_tokens_max, report), wanted))
        }
        (Some(ReasoningMode::Budget(tokens)), _) if record.thinking_adaptive => {
            report.adjust("thinking");
            let effort = wanted.or(Some(effort_of(tokens)));
            Ok(plan(Some(Thinking::Adaptive(c.reasoning.summary)), effort))
        }
        (Some(ReasoningMode::Adaptive | ReasoningMode::Budget(_)), _) => {
            report.leave_out("thinking", "the model does not think in this way")?;
            Ok(plan(None, None))
        }
        (None, Some(effort)) if record.thinking_adaptive => {
            // Who asks for effort in another dialect expects to see the reasoning.
            let summary = c.reasoning.summary.or(Some(true));
            Ok(plan(Some(Thinking::Adaptive(summary)), Some(effort)))
        }
        (None, Some(effort)) if record.thinking_budget => {
            Ok(plan(within(budget_of(effort), output_tokens_max, report), None))
        }
        (None, Some(_)) => {
            report.leave_out("reasoning_effort", "the model does not think")?;
            Ok(plan(None, None))
        }
    }
}

/// Thinking off, or as near to it as the model can come.
fn switched_off(c: &Conversation, effort: Option<Effort>, report: &mut Report<'_>) -> Plan {
    let record = report.capability();
    let thinking = off(report);
    let always_thinks = thinking.is_none() && record.thinks_by_default;
    if always_thinks || thinking == Some(Thinking::BetweenTools) {
        let said = c.reasoning.mode.is_some();
        report.adjust(if said { "thinking" } else { "reasoning_effort" });
    }
    let effort = if always_thinks { Some(Effort::Low) } else { effort };
    Plan { thinking, effort, tool_choice_freed: false }
}

fn off(report: &Report<'_>) -> Option<Thinking> {
    let record = report.capability();
    if record.thinking_disabled {
        return Some(Thinking::Disabled);
    }
    record.thinking_between_tools.then_some(Thinking::BetweenTools)
}

/// A tool is forced. Where that excludes thinking, thinking gives way: silently where it was the
/// model's own habit or came from an effort, else only where the caller allows it.
fn settle_forced_choice(
    c: &Conversation,
    plan: &mut Plan,
    report: &mut Report<'_>,
) -> Result<(), Unsupported> {
    let record = report.capability();
    if !record.forced_tool {
        if !report.drops() {
            let why = "this model always thinks, and while it thinks no tool can be forced; send \
                 `tool_choice: auto`, or set `drop_params: true` to have the gateway do that";
            return Err(conflict(report, "tool_choice", why));
        }
        report.adjust("tool_choice");
        plan.tool_choice_freed = true;
        return Ok(());
    }
    if record.forced_tool_with_thinking || !plan.is_active(report) {
        return Ok(());
    }
    match (c.reasoning.mode, c.reasoning.effort) {
        (Some(ReasoningMode::Adaptive | ReasoningMode::Budget(_)), _) => {
            if !report.drops() {
                let why = "thinking and a `tool_choice` that forces a tool exclude each other; \
                     leave `thinking` out or send `tool_choice: auto`, or set `drop_params: true` \
                     to have the gateway leave `thinking` out";
                return Err(conflict(report, "thinking", why));
            }
            report.drop("thinking");
        }
        (_, Some(_)) => report.adjust("reasoning_effort"),
        (_, None) if record.thinking_disabled => report.adjust("thinking"),
        (_, None) => {}
    }
    plan.thinking = record.thinking_disabled.then_some(Thinking::Disabled);
    Ok(())
}

fn conflict(report: &Report<'_>, field: &str, why: &str) -> Unsupported {
    Unsupported { thinking_with_forced_tool: true, ..report.refusal(field, why) }
}

/// A budget inside its bounds; none where the output limit leaves no room for one.
fn within(tokens: u64, output_tokens_max: u64, report: &mut Report<'_>) -> Option<Thinking> {
    let most = output_tokens_max.saturating_sub(1);
    let fitted = tokens.clamp(BUDGET_MIN, most.max(BUDGET_MIN));
    if fitted > most {
        report.adjust("thinking");
        return None;
    }
    if fitted != tokens {
        report.adjust("thinking");
    }
    Some(Thinking::Budget(fitted))
}

/// The effort that a budget amounts to.
pub(in crate::formats) const fn effort_of(budget_tokens: u64) -> Effort {
    match budget_tokens {
        0..2048 => Effort::Low,
        2048..4096 => Effort::Medium,
        _ => Effort::High,
    }
}

/// The budget that an effort amounts to, in tokens.
const fn budget_of(effort: Effort) -> u64 {
    match effort {
        Effort::None | Effort::Minimal | Effort::Low => BUDGET_MIN,
        Effort::Medium => 2048,
        Effort::High => 4096,
        Effort::XHigh => 8192,
        Effort::Max => 16_384,
    }
}

/// The nearest effort that the target knows.
pub(in crate::formats) fn fit_effort(
    effort: Effort,
    thinking: Option<Thinking>,
    report: &mut Report<'_>,
) -> Option<Effort> {
    let record = report.capability();
    if record.efforts.is_empty() {
        report.drop("reasoning_effort");
        return None;
    }
    let capped = record.effort_capped_without_thinking
        && matches!(thinking, Some(Thinking::Disabled | Thinking::BetweenTools));
    let fitted = match effort {
        Effort::None | Effort::Minimal => Effort::Low,
        above if capped && above > Effort::High => Effort::High,
        known if record.efforts.has(known) => known,
        Effort::XHigh | Effort::Max => Effort::High,
        low => low,
    };
    if fitted != effort {
        report.adjust("reasoning_effort");
    }
    Some(fitted)
}

/// Whether the conversation ends in a tool loop whose turn does not begin with signed thinking.
fn open_loop_is_unsigned(c: &Conversation) -> bool {
    let Some(last) = c.messages.iter().rev().find(|m| m.role == Role::Assistant) else {
        return false;
    };
    let answered = c.messages.last().is_some_and(|message| {
        message.parts.iter().any(|part| matches!(part.body, PartBody::ToolResult(_)))
    });
    let calls = last.parts.iter().any(|part| matches!(part.body, PartBody::ToolCall(_)));
    let signed = matches!(
        last.parts.first().map(|part| &part.body),
        Some(PartBody::Reasoning(block))
            if block.provenance == Provenance::AnthropicMessages && block.seal.is_some()
    );
    answered && calls && !signed
}

/// Writes `thinking`.
pub(in crate::formats) fn write_thinking(o: &mut JsonWriter<'_>, plan: &Plan) {
    let Some(thinking) = plan.thinking else { return };
    o.object("thinking", |o| {
        match thinking {
            Thinking::Disabled => o.string("type", "disabled"),
            Thinking::BetweenTools => o.string("type", "between_tools"),
            Thinking::Budget(tokens) => o.string("type", "enabled").number("budget_tokens", tokens),
            Thinking::Adaptive(None) => o.string("type", "adaptive"),
            Thinking::Adaptive(Some(summary)) => {
                let display = if summary { "summarized" } else { "omitted" };
                o.string("type", "adaptive").string("display", display)
            }
        };
    });
}

/// An effort as `output_config` calls it.
pub(in crate::formats) const fn effort_name(effort: Effort) -> &'static str {
    match effort {
        Effort::None | Effort::Minimal | Effort::Low => "low",
        Effort::Medium => "medium",
        Effort::High => "high",
        Effort::XHigh => "xhigh",
        Effort::Max => "max",
    }
}
