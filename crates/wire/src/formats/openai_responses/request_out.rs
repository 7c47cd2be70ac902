//! Writing a conversation as a request of the Responses API.

use super::items_out::ItemsOut;
use super::kept::Kept;
use super::report::Report;
use super::request_in::KEPT_STATE;
use super::tools_out::{write_format, write_tool_choice, write_tools};
use crate::conversation::{
    Conversation, Effort, Message, Number, Part, PartBody, Provenance, Reasoning, ReasoningMode,
    ResponseFormat, Role, Sampling,
};
use crate::formats::translation::{Target, Unsupported, Written};
use crate::json::JsonWriter;
use crate::json::write::{self, array};

/// The least that OpenAI takes as `max_output_tokens` (OpenAI API reference, responses).
const OUTPUT_TOKENS_MIN: u64 = 16;

/// Asks for reasoning in its sealed form, so that it can be given back although nothing is stored.
const SEALED_REASONING: &str = r#"["reasoning.encrypted_content"]"#;

/// Writes the body of `POST /responses`. Nothing is stored at the provider unless the client asked
/// for it by name.
///
/// # Errors
/// [`Unsupported`] for the first thing that the target cannot express, where it may not be dropped.
pub fn from_conversation(c: &Conversation, target: &Target<'_>) -> Result<Written, Unsupported> {
    let mut report = Report::new(target);
    let kept = Kept::sort(&c.unmapped, target.leniency.passes, &mut report);
    let mut body = c.buffer();
    let layout = write::body(&mut body, |o| {
        o.string("model", target.model);
        write_input(c, &kept, &mut report, o);
        write_tooling(c, &kept, target, &mut report, o);
        write_settings(c, &kept, target, &mut report, o);
        write_state(c, &kept, target, o);
    });
    report.written(body.into(), layout)
}

/// A system prompt that opens the conversation becomes `instructions`; others keep their places,
/// and so does one behind which nothing is said, because no call is without an item.
fn write_input(c: &Conversation, kept: &Kept<'_>, report: &mut Report<'_>, o: &mut JsonWriter<'_>) {
    let mut opening = c.messages.first().filter(|first| only_system_text(first).is_some());
    let goes_on = kept.top_level.iter().any(|(name, _)| KEPT_STATE.contains(name));
    o.array("input", |out| {
        let first = usize::from(opening.is_some());
        ItemsOut::new(&kept.items, report).write(&c.messages, first, out);
        if out.is_empty() && !goes_on {
            match opening.take() {
                Some(_) => ItemsOut::new(&kept.items, report).write(&c.messages, 0, out),
                None => report.cannot_say("messages", "it takes at least one that says something"),
            }
        }
    });
    if let Some(first) = opening {
        o.string("instructions", only_system_text(first).unwrap_or_default());
        if first.parts.iter().any(|part| part.cache.is_some()) {
            report.leave_out("cache_control");
        }
    }
}

fn only_system_text(message: &Message) -> Option<&str> {
    match (message.role, message.parts.as_slice()) {
        (Role::System, [Part { body: PartBody::Text { text, .. }, .. }]) => Some(text),
        _ => None,
    }
}

fn write_tooling(
    c: &Conversation,
    kept: &Kept<'_>,
    target: &Target<'_>,
    report: &mut Report<'_>,
    o: &mut JsonWriter<'_>,
) {
    if !c.tools.is_empty() {
        let mut tools = Vec::new();
        array(&mut tools, |out| write_tools(&c.tools, &kept.tools, report, out));
        // Tools of another provider may have been all there were.
        if let Some(tools) = std::str::from_utf8(&tools).ok().filter(|tools| *tools != "[]") {
            o.raw("tools", tools);
        }
    }
    // That thinking excludes a forced tool is not so in this format.
    if c.tool_choice.forces() && !target.capability.forced_tool {
        report.cannot("tool_choice", "a tool cannot be forced");
    } else {
        write_tool_choice(&c.tool_choice, &c.tools, o);
    }
    if let Some(parallel) = c.parallel_tools {
        o.boolean("parallel_tool_calls", parallel);
    }
}

fn write_settings(
    c: &Conversation,
    kept: &Kept<'_>,
    target: &Target<'_>,
    report: &mut Report<'_>,
    o: &mut JsonWriter<'_>,
) {
    if c.response_format != ResponseFormat::Text || !kept.text.is_empty() {
        o.object("text", |o| {
            write_format(&c.response_format, o);
            kept.text.iter().for_each(|(name, raw)| _ = o.raw(name, raw));
        });
    }
    write_reasoning(&c.reasoning, kept, target, report, o);
    if let Some(max) = c.output_tokens_max {
        if max < OUTPUT_TOKENS_MIN {
            report.adjust("max_output_tokens");
        }
        o.number("max_output_tokens", max.max(OUTPUT_TOKENS_MIN));
    }
    write_sampling(c, target, report, o);
    if let Some(user) = &c.user {
        o.string("user", user);
    }
}

fn write_reasoning(
    reasoning: &Reasoning,
    kept: &Kept<'_>,
    target: &Target<'_>,
    report: &mut Report<'_>,
    o: &mut JsonWriter<'_>,
) {
    let mut effort = effort(reasoning);
    if effort == Some(Effort::None) && !target.capability.thinking_disabled {
        report.cannot("reasoning", "thinking cannot be switched off");
        effort = None;
    }
    if matches!(reasoning.mode, Some(ReasoningMode::Budget(_))) && reasoning.effort.is_none() {
        report.adjust("reasoning");
    }
    let length_given = kept.reasoning.iter().any(|(name, _)| *name == "summary");
    let summary = reasoning.summary == Some(true) && !length_given;
    if effort.is_none() && !summary && kept.reasoning.is_empty() {
        return;
    }
    o.object("reasoning", |o| {
        if let Some(effort) = effort {
            o.string("effort", word(effort));
        }
        if summary {
            o.string("summary", "auto");
        }
        kept.reasoning.iter().for_each(|(name, raw)| _ = o.raw(name, raw));
    });
}

/// How hard the model is to try; a budget in tokens becomes the effort it amounts to.
fn effort(reasoning: &Reasoning) -> Option<Effort> {
    match (reasoning.mode, reasoning.effort) {
        (Some(ReasoningMode::Disabled), _) => Some(Effort::None),
        (_, Some(effort)) => Some(effort),
        (Some(ReasoningMode::Budget(tokens)), None) => Some(match tokens {
            0..2048 => Effort::Low,
            2048..4096 => Effort::Medium,
            _ => Effort::High,
        }),
        (Some(ReasoningMode::Adaptive) | None, None) => None,
    }
}

const fn word(effort: Effort) -> &'static str {
    match effort {
        Effort::None => "none",
        Effort::Minimal => "minimal",
        Effort::Low => "low",
        Effort::Medium => "medium",
        Effort::High => "high",
        Effort::XHigh => "xhigh",
        Effort::Max => "max",
    }
}

/// Of the chat format's ways to draw tokens this format has two.
fn write_sampling(
    c: &Conversation,
    target: &Target<'_>,
    report: &mut Report<'_>,
    o: &mut JsonWriter<'_>,
) {
    let Sampling { temperature, top_p, top_k, presence_penalty, frequency_penalty, seed, stop } =
        &c.sampling;
    let passes = |name: &str| target.leniency.passes.iter().any(|pass| **pass == *name);
    let known = [("temperature", temperature), ("top_p", top_p)];
    let unknown = [
        ("top_k", top_k),
        ("presence_penalty", presence_penalty),
        ("frequency_penalty", frequency_penalty),
        ("seed", seed),
    ];
    for (name, number) in known.into_iter().chain(unknown) {
        let Some(Number(number)) = number else { continue };
        let in_format = matches!(name, "temperature" | "top_p");
        if passes(name) || (in_format && target.capability.sampling) {
            o.raw(name, number);
        } else if in_format {
            report.cannot(name, "the model does not take it");
        } else {
            report.cannot(name, "the Responses API does not take it");
        }
    }
    if !stop.is_empty() && passes("stop") {
        o.strings("stop", stop);
    } else if !stop.is_empty() {
        report.cannot("stop", "the Responses API does not take it");
    }
    if c.choices > 1 {
        report.cannot("n", "the Responses API gives one answer");
    }
}

/// How the call is made, what the provider keeps, and the client's other fields.
fn write_state(c: &Conversation, kept: &Kept<'_>, target: &Target<'_>, o: &mut JsonWriter<'_>) {
    if c.stream {
        o.boolean("stream", true);
    }
    let given = |name| kept.top_level.iter().any(|(given, _)| *given == name);
    if !given("store") {
        o.boolean("store", false);
    }
    if !given("include") && may_reason(c, target) {
        o.raw("include", SEALED_REASONING);
    }
    kept.top_level.iter().for_each(|(name, raw)| _ = o.raw(name, raw));
}

/// Whether the model reasons, as far as can be told: one that does not refuses to be asked for its
/// reasoning.
fn may_reason(c: &Conversation, target: &Target<'_>) -> bool {
    let asked = effort(&c.reasoning).is_some_and(|effort| effort != Effort::None)
        || c.reasoning.mode == Some(ReasoningMode::Adaptive)
        || c.reasoning.summary == Some(true);
    let did = |part: &Part| {
        matches!(&part.body, PartBody::Reasoning(block)
            if block.provenance == Provenance::OpenAiResponses)
    };
    asked
        || target.capability.thinks_by_default
        || c.messages.iter().flat_map(|message| &message.parts).any(did)
}

#[cfg(test)]
mod tests;
