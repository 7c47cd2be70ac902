//! Reasoning: how much is asked for, and what a provider wants back of it.

use super::super::reasoning::Fragment;
use super::report::Report;
use crate::conversation::{
    Conversation, Effort, Message, PartBody, Reasoning, ReasoningBlock, ReasoningMode, Role,
};
use crate::json::write::JsonWriter;
use crate::provider::{ReasoningBack, ThinkingSwitch};

/// Writes how much the model is to think.
pub(super) fn write_reasoning(
    body: &mut JsonWriter<'_>,
    conversation: &Conversation,
    report: &mut Report<'_>,
) {
    match &report.target.quirks.thinking {
        Some(switch) => write_switch(body, conversation, switch, report),
        None => write_effort(body, &conversation.reasoning, report),
    }
}

/// Reasoning that is switched off is said only to models that would think otherwise: the others
/// refuse the field.
fn write_effort(body: &mut JsonWriter<'_>, reasoning: &Reasoning, report: &mut Report<'_>) {
    let capability = report.target.capability;
    let effort = match (reasoning.effort, reasoning.mode) {
        (_, Some(ReasoningMode::Disabled)) => {
            let said = capability.thinks_by_default && capability.thinking_disabled;
            said.then_some(Effort::None)
        }
        (Some(effort), _) => Some(effort),
        (None, Some(ReasoningMode::Budget(tokens))) => {
            report.adjust("thinking");
            Some(effort_of(tokens))
        }
        (None, Some(ReasoningMode::Adaptive) | None) => None,
    };
    let Some(effort) = effort else { return };
    if capability.efforts.is_empty() || report.passes("reasoning_effort") {
        body.string("reasoning_effort", effort.name());
        return;
    }
    let nearest = capability.efforts.nearest(effort).unwrap_or(effort);
    if nearest != effort {
        report.adjust("reasoning_effort");
    }
    body.string("reasoning_effort", nearest.name());
}

/// Writes the provider's own switch. One that wants its reasoning back refuses a history without
/// it, so where the client has lost it the model answers this call without thinking: a made-up
/// chain of thought would be worse.
fn write_switch(
    body: &mut JsonWriter<'_>,
    conversation: &Conversation,
    switch: &ThinkingSwitch,
    report: &mut Report<'_>,
) {
    let Reasoning { mode, effort, .. } = conversation.reasoning;
    let asked = asked(conversation.reasoning.mode, effort);
    let lost =
        wants_past(conversation, switch) && conversation.messages.iter().any(lacks_reasoning);
    if lost {
        report.adjust("thinking");
    }
    let said = if lost { Some(false) } else { asked };
    let Some(on) = said else { return };
    body.raw(&switch.field, if on { &switch.enabled } else { &switch.disabled });
    // Beside thinking that is switched off an effort is refused.
    if !on {
        return;
    }
    if let (Some(ReasoningMode::Budget(tokens)), Some(field)) = (mode, &switch.budget) {
        body.number(field, tokens);
    }
    let Some(effort) = effort else { return };
    match switch.effort(effort) {
        Some(word) => {
            if *word != *effort.name() {
                report.adjust("reasoning_effort");
            }
            body.string("reasoning_effort", word);
        }
        None if report.passes("reasoning_effort") => {
            body.string("reasoning_effort", effort.name());
        }
        None => report.leave_out("reasoning_effort"),
    }
}

/// Whether thinking is asked for, or asked not to be.
const fn asked(mode: Option<ReasoningMode>, effort: Option<Effort>) -> Option<bool> {
    match (mode, effort) {
        (Some(ReasoningMode::Disabled), _) | (None, Some(Effort::None)) => Some(false),
        (Some(_), _) | (None, Some(_)) => Some(true),
        (None, None) => None,
    }
}

/// Whether the provider thinks about this conversation and then wants to know what it thought
/// before.
pub(crate) fn wants_past(conversation: &Conversation, switch: &ThinkingSwitch) -> bool {
    let Reasoning { mode, effort, .. } = conversation.reasoning;
    switch.needs_past && asked(mode, effort).unwrap_or(switch.by_default)
}

/// Whether a turn calls tools and does not say what it thought before.
pub(crate) fn lacks_reasoning(message: &Message) -> bool {
    let calls = message.parts.iter().any(|part| matches!(part.body, PartBody::ToolCall(_)));
    message.role == Role::Assistant && calls && blocks_of(message).all(|it| it.text.is_empty())
}

/// Writes a turn's reasoning where the provider wants it back. Nobody checks a text for whose it
/// is, so that of another model goes back as well.
pub(super) fn write_back(object: &mut JsonWriter<'_>, message: &Message, report: &Report<'_>) {
    match report.target.quirks.reasoning_back {
        None => {}
        Some(ReasoningBack::ReasoningContent) => {
            let texts: Vec<&str> = blocks_of(message).map(|block| &*block.text).collect();
            if texts.iter().any(|text| !text.is_empty()) {
                object.joined("reasoning_content", &texts);
            }
        }
        Some(ReasoningBack::ReasoningDetails) if blocks_of(message).next().is_some() => {
            object.array("reasoning_details", |list| {
                for (index, block) in blocks_of(message).enumerate() {
                    Fragment::of(block).write_detail(list, block.provenance, index as u64);
                }
            });
        }
        Some(ReasoningBack::ReasoningDetails) => {}
    }
}

fn blocks_of(message: &Message) -> impl Iterator<Item = &ReasoningBlock> {
    message.parts.iter().filter_map(|part| match &part.body {
        PartBody::Reasoning(block) => Some(block),
        _ => None,
    })
}

const fn effort_of(budget_tokens: u64) -> Effort {
    match budget_tokens {
        0..1024 => Effort::Minimal,
        1024..2048 => Effort::Low,
        2048..4096 => Effort::Medium,
        4096.. => Effort::High,
    }
}
