//! Tools and the choice among them.

use super::super::names::fitted_name;
use super::report::{CacheWord, Report};
use crate::conversation::{Conversation, ReasoningMode, Tool, ToolChoice, ToolKind};
use crate::formats::translation::Unsupported;
use crate::json::write::{Array, JsonWriter};

/// Writes `tools`, `tool_choice` and `parallel_tool_calls`; OpenAI refuses the latter two without
/// tools.
pub(super) fn write_tools(
    body: &mut JsonWriter<'_>,
    conversation: &Conversation,
    report: &mut Report<'_>,
) -> Result<(), Unsupported> {
    let hosted = |tool: &&Tool| matches!(tool.kind, ToolKind::Hosted { .. });
    if let Some(tool) = conversation.tools.iter().find(hosted) {
        let why = format!("`{}` is a tool that only its own provider runs", tool.name);
        report.cannot("tools", &why)?;
    }
    let tools: Vec<&Tool> = conversation.tools.iter().filter(|tool| !hosted(tool)).collect();
    if report.cache_word() != Some(CacheWord::Control) && tools.iter().any(|t| t.cache.is_some()) {
        report.leave_out("cache_control");
    }
    if tools.is_empty() {
        return Ok(());
    }
    let hints = report.cache_word() == Some(CacheWord::Control);
    body.array("tools", |list| tools.iter().for_each(|tool| write_tool(list, tool, hints)));
    write_choice(body, &permitted_choice(conversation, report)?, &tools);
    if let Some(parallel) = conversation.parallel_tools {
        body.boolean("parallel_tool_calls", parallel);
    }
    Ok(())
}

fn write_tool(list: &mut Array<'_>, tool: &Tool, hints: bool) {
    list.object(|object| {
        write_kind(object, tool);
        if let Some(hint) = tool.cache.filter(|_| hints) {
            CacheWord::Control.write(object, hint);
        }
    });
}

fn write_kind(object: &mut JsonWriter<'_>, tool: &Tool) {
    match &tool.kind {
        ToolKind::Function { parameters } => {
            object.string("type", "function").object("function", |function| {
                write_name(function, tool);
                if let Some(parameters) = parameters {
                    function.raw("parameters", parameters);
                }
                if let Some(strict) = tool.strict {
                    function.boolean("strict", strict);
                }
            });
        }
        ToolKind::Custom { format } => {
            object.string("type", "custom").object("custom", |custom| {
                write_name(custom, tool);
                if let Some(format) = format {
                    custom.raw("format", format);
                }
            });
        }
        ToolKind::Hosted { .. } => {}
    }
}

fn write_name(object: &mut JsonWriter<'_>, tool: &Tool) {
    object.string("name", &fitted_name(&tool.name));
    if let Some(description) = &tool.description {
        object.string("description", description);
    }
}

/// The client's choice, or a weaker one where the model cannot be forced and the deployment drops
/// what cannot be said.
fn permitted_choice(
    conversation: &Conversation,
    report: &mut Report<'_>,
) -> Result<ToolChoice, Unsupported> {
    let choice = conversation.tool_choice.clone();
    let capability = report.target.capability;
    let mode = conversation.reasoning.mode;
    let asked = matches!(mode, Some(ReasoningMode::Budget(_) | ReasoningMode::Adaptive));
    let thinks = asked || (mode.is_none() && capability.thinks_by_default);
    let excluded = thinks && !capability.forced_tool_with_thinking;
    if !choice.forces() || (capability.forced_tool && !excluded) {
        return Ok(choice);
    }
    let why = if capability.forced_tool {
        "a tool cannot be forced while the model thinks"
    } else {
        "the model cannot be forced to call a tool"
    };
    report.permit_drop("tool_choice", why, capability.forced_tool)?;
    report.adjust("tool_choice");
    Ok(match choice {
        ToolChoice::Among { names, .. } => ToolChoice::Among { names, required: false },
        _ => ToolChoice::Auto,
    })
}

fn write_choice(body: &mut JsonWriter<'_>, choice: &ToolChoice, tools: &[&Tool]) {
    match choice {
        ToolChoice::Unsaid => {}
        ToolChoice::Auto => _ = body.string("tool_choice", "auto"),
        ToolChoice::None => _ = body.string("tool_choice", "none"),
        ToolChoice::Required => _ = body.string("tool_choice", "required"),
        ToolChoice::Named(name) => {
            body.object("tool_choice", |object| write_named(object, name, tools));
        }
        ToolChoice::Among { names, required } => {
            body.object("tool_choice", |object| {
                object.string("type", "allowed_tools").object("allowed_tools", |allowed| {
                    allowed.string("mode", if *required { "required" } else { "auto" });
                    allowed.array("tools", |list| {
                        for name in names {
                            list.object(|object| write_named(object, name, tools));
                        }
                    });
                });
            });
        }
    }
}

fn write_named(object: &mut JsonWriter<'_>, name: &str, tools: &[&Tool]) {
    let custom =
        tools.iter().any(|tool| tool.name == *name && matches!(tool.kind, ToolKind::Custom { .. }));
    let kind = if custom { "custom" } else { "function" };
    object.string("type", kind).object(kind, |named| _ = named.string("name", &fitted_name(name)));
}
