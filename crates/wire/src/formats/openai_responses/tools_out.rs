//! Writing tools, the choice among them, and the form of the answer.

use super::kept::KeptItems;
use super::report::Report;
use crate::conversation::{ResponseFormat, Tool, ToolChoice, ToolKind};
use crate::json::write::Array;
use crate::json::{JsonWriter, Object, Raw};

/// Types of the provider's own tools (OpenAI API reference, responses). A declaration of another
/// type was written for another provider.
const HOSTED: [&str; 15] = [
    "apply_patch",
    "code_interpreter",
    "computer",
    "computer_use_preview",
    "file_search",
    "image_generation",
    "local_shell",
    "mcp",
    "namespace",
    "programmatic_tool_calling",
    "shell",
    "tool_search",
    "web_search",
    "web_search_preview",
    "web_search_preview_2025_03_11",
];

/// A schema for functions that take no arguments: this format wants one of every function.
const NO_ARGUMENTS: &str = r#"{"type":"object","properties":{}}"#;

/// The name of a schema that came from a format without one.
const UNNAMED_SCHEMA: &str = "answer";

/// Appends the tools in the client's order.
pub(super) fn write_tools(
    tools: &[Tool],
    kept: &KeptItems<'_>,
    report: &mut Report<'_>,
    out: &mut Array<'_>,
) {
    for (index, tool) in tools.iter().enumerate() {
        if tool.cache.is_some() {
            report.leave_out("cache_control");
        }
        match &tool.kind {
            ToolKind::Hosted { declaration } if is_own(declaration) => _ = out.raw(declaration),
            ToolKind::Hosted { .. } => {
                let why = "it is a tool that another provider runs itself";
                report.cannot(&format!("tools[{index}]"), why);
            }
            ToolKind::Function { parameters } => {
                _ = out.object(|o| {
                    o.string("type", "function").string("name", &tool.name);
                    write_description(tool.description.as_deref(), o);
                    o.raw("parameters", parameters.as_deref().unwrap_or(NO_ARGUMENTS));
                    // Here an absent `strict` means true, everywhere else it means false.
                    o.boolean("strict", tool.strict.unwrap_or(false));
                    kept.members(index).for_each(|(name, raw)| _ = o.raw(name, raw));
                })
            }
            ToolKind::Custom { format } => {
                _ = out.object(|o| {
                    o.string("type", "custom").string("name", &tool.name);
                    write_description(tool.description.as_deref(), o);
                    if let Some(format) = format {
                        write_grammar(format, o);
                    }
                    kept.members(index).for_each(|(name, raw)| _ = o.raw(name, raw));
                })
            }
        }
    }
}

fn is_own(declaration: &str) -> bool {
    let Ok(object) = Object::scan(declaration.as_bytes()) else { return false };
    let kind = object.value("type").and_then(Raw::text);
    kind.is_some_and(|kind| HOSTED.contains(&&*kind))
}

fn write_description(description: Option<&str>, o: &mut JsonWriter<'_>) {
    if let Some(description) = description {
        o.string("description", description);
    }
}

/// A grammar is flat here and nested in the chat format.
fn write_grammar(format: &str, o: &mut JsonWriter<'_>) {
    let nested = Object::scan(format.as_bytes()).ok();
    let Some(grammar) = nested.as_ref().and_then(|format| format.value("grammar")) else {
        o.raw("format", format);
        return;
    };
    o.object("format", |o| {
        o.string("type", "grammar");
        for (name, value) in grammar.members() {
            o.raw(&name, value.as_written());
        }
    });
}

/// Writes `tool_choice` where the client said something.
pub(super) fn write_tool_choice(choice: &ToolChoice, tools: &[Tool], o: &mut JsonWriter<'_>) {
    match choice {
        ToolChoice::Unsaid => {}
        ToolChoice::Auto => _ = o.string("tool_choice", "auto"),
        ToolChoice::None => _ = o.string("tool_choice", "none"),
        ToolChoice::Required => _ = o.string("tool_choice", "required"),
        ToolChoice::Named(name) => _ = o.object("tool_choice", |o| write_named(name, tools, o)),
        ToolChoice::Among { names, required } => {
            o.object("tool_choice", |o| {
                o.string("type", "allowed_tools");
                o.string("mode", if *required { "required" } else { "auto" });
                o.array("tools", |out| {
                    for name in names {
                        out.object(|o| write_named(name, tools, o));
                    }
                });
            });
        }
    }
}

fn write_named(name: &str, tools: &[Tool], o: &mut JsonWriter<'_>) {
    let custom = |tool: &Tool| *tool.name == *name && matches!(tool.kind, ToolKind::Custom { .. });
    o.string("type", if tools.iter().any(custom) { "custom" } else { "function" });
    o.string("name", name);
}

/// Writes `text.format`, unless the answer is plain text anyway.
pub(super) fn write_format(format: &ResponseFormat, o: &mut JsonWriter<'_>) {
    match format {
        ResponseFormat::Text => {}
        ResponseFormat::JsonObject => {
            o.object("format", |o| _ = o.string("type", "json_object"));
        }
        ResponseFormat::JsonSchema { name, description, schema, strict } => {
            o.object("format", |o| {
                o.string("type", "json_schema");
                o.string("name", name.as_deref().unwrap_or(UNNAMED_SCHEMA));
                write_description(description.as_deref(), o);
                o.raw("schema", schema);
                if let Some(strict) = strict {
                    o.boolean("strict", *strict);
                }
            });
        }
    }
}
