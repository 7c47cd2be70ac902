//! Offering tools in OpenAI's shape to targets that know functions only.

use super::report::Report;
use super::schemas::NO_PARAMETERS;
use super::translation::Unsupported;
use crate::conversation::{Conversation, Tool, ToolChoice, ToolKind};
use crate::json::write::JsonWriter;

/// The functions that may be called at all, in the client's order. Tools of other kinds are left
/// out, and so is, without a word, what the client's own choice rules out.
pub(super) fn offered<'c>(
    c: &'c Conversation,
    report: &mut Report<'_>,
) -> Result<Vec<&'c Tool>, Unsupported> {
    let mut tools = Vec::with_capacity(c.tools.len());
    for (index, tool) in c.tools.iter().enumerate() {
        let ruled_out = match &c.tool_choice {
            ToolChoice::Among { names, .. } => !names.contains(&tool.name),
            ToolChoice::Unsaid
            | ToolChoice::Auto
            | ToolChoice::None
            | ToolChoice::Required
            | ToolChoice::Named(_) => false,
        };
        if ruled_out {
            continue;
        }
        let why = match &tool.kind {
            ToolKind::Function { .. } => {
                tools.push(tool);
                continue;
            }
            ToolKind::Custom { .. } => "tools that take free text are not known there",
            ToolKind::Hosted { .. } => "it is a tool that another provider runs",
        };
        report.leave_out(&format!("tools[{index}]"), why)?;
    }
    Ok(tools)
}

/// Writes `tools`, where there are any.
pub(super) fn write_functions(o: &mut JsonWriter<'_>, tools: &[&Tool]) {
    if tools.is_empty() {
        return;
    }
    o.array("tools", |a| {
        for tool in tools {
            a.object(|o| {
                o.string("type", "function").object("function", |o| write_function(o, tool));
            });
        }
    });
}

fn write_function(o: &mut JsonWriter<'_>, tool: &Tool) {
    o.string("name", &tool.name);
    if let Some(description) = &tool.description {
        o.string("description", description);
    }
    let parameters = match &tool.kind {
        ToolKind::Function { parameters: Some(parameters) } if &**parameters != "{}" => parameters,
        ToolKind::Function { .. } | ToolKind::Custom { .. } | ToolKind::Hosted { .. } => {
            NO_PARAMETERS
        }
    };
    o.raw("parameters", parameters);
}
