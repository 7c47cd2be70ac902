//! Tools and the choice among them, in today's form and in the one with `functions`.

use std::collections::HashSet;

use bytestring::ByteString;

use super::super::super::request::RequestProblem;
use super::super::spot::{Fields, Spot};
use super::TopLevel;
use super::message::cache_hint;
use crate::conversation::{Tool, ToolChoice, ToolKind};
use crate::json::Kind;

/// `tools`, and behind them the older `functions`.
pub(super) fn read_tools(fields: &TopLevel<'_>) -> Result<Vec<Tool>, RequestProblem> {
    let mut names = HashSet::new();
    let mut tools = match fields.field("tools") {
        Some(spot) => spot.each("an array of tools", |tool| read_tool(&tool, &mut names))?,
        None => Vec::new(),
    };
    if let Some(spot) = fields.field("functions") {
        let read = |tool: Spot<'_, '_>| {
            let function = tool.fields()?;
            once(read_function(&function)?, &function, &mut names)
        };
        tools.extend(spot.each("an array of functions", read)?);
    }
    Ok(tools)
}

/// The tool, unless another one has its name: nobody could tell which of them is called.
fn once(
    tool: Tool,
    fields: &Fields<'_, '_>,
    names: &mut HashSet<ByteString>,
) -> Result<Tool, RequestProblem> {
    if !names.insert(tool.name.clone()) {
        let name = fields.required("name", "a string")?;
        return Err(name.out_of_range("a name that no other tool has"));
    }
    Ok(tool)
}

fn read_tool(spot: &Spot<'_, '_>, names: &mut HashSet<ByteString>) -> Result<Tool, RequestProblem> {
    let fields = spot.fields()?;
    let kind = fields.required_text("type")?;
    let mut tool = match &*kind {
        "function" => {
            let function = fields.required("function", "an object")?;
            let function = function.fields()?;
            once(read_function(&function)?, &function, names)?
        }
        "custom" => {
            let custom = fields.required("custom", "an object")?;
            let custom = custom.fields()?;
            once(read_custom(&custom)?, &custom, names)?
        }
        _ => Tool {
            name: fields.text_member("name")?.unwrap_or(kind),
            description: None,
            kind: ToolKind::Hosted { declaration: spot.written() },
            strict: None,
            cache: None,
        },
    };
    tool.cache = cache_hint(&fields)?.or(tool.cache);
    Ok(tool)
}

fn read_function(function: &Fields<'_, '_>) -> Result<Tool, RequestProblem> {
    let parameters = match function.member("parameters") {
        Some(schema) if schema.raw().kind() != Kind::Object => {
            return Err(schema.wrong("an object"));
        }
        schema => schema.map(|schema| schema.written()),
    };
    Ok(Tool {
        name: read_name(function)?,
        description: function.text_member("description")?,
        kind: ToolKind::Function { parameters },
        strict: function.member("strict").map(|strict| strict.boolean()).transpose()?,
        cache: cache_hint(function)?,
    })
}

fn read_custom(custom: &Fields<'_, '_>) -> Result<Tool, RequestProblem> {
    Ok(Tool {
        name: read_name(custom)?,
        description: custom.text_member("description")?,
        kind: ToolKind::Custom { format: custom.member("format").map(|format| format.written()) },
        strict: None,
        cache: None,
    })
}

fn read_name(fields: &Fields<'_, '_>) -> Result<ByteString, RequestProblem> {
    let name = fields.required("name", "a string")?;
    let text = name.text()?;
    if text.is_empty() { Err(name.out_of_range("a name")) } else { Ok(text) }
}

/// `tool_choice`, or the older `function_call`.
pub(super) fn read_choice(fields: &TopLevel<'_>) -> Result<ToolChoice, RequestProblem> {
    if let Some(choice) = fields.field("tool_choice") {
        return match choice.raw().kind() {
            Kind::String => read_mode(&choice),
            _ => read_chosen(&choice),
        };
    }
    match fields.field("function_call") {
        None => Ok(ToolChoice::Unsaid),
        Some(call) if call.raw().kind() == Kind::String => read_mode(&call),
        Some(call) => Ok(ToolChoice::Named(read_name(&call.fields()?)?)),
    }
}

fn read_mode(choice: &Spot<'_, '_>) -> Result<ToolChoice, RequestProblem> {
    match &*choice.text()? {
        "auto" => Ok(ToolChoice::Auto),
        "none" => Ok(ToolChoice::None),
        // `any` is Mistral's word.
        "required" | "any" => Ok(ToolChoice::Required),
        _ => Err(choice.out_of_range("`auto`, `none`, `required` or an object")),
    }
}

fn read_chosen(choice: &Spot<'_, '_>) -> Result<ToolChoice, RequestProblem> {
    let fields = choice.fields()?;
    let kind = fields.required("type", "a string")?;
    let named = |member| Ok(ToolChoice::Named(read_name(&member_fields(&fields, member)?)?));
    match &*kind.text()? {
        "function" => named("function"),
        "custom" => named("custom"),
        "allowed_tools" => read_allowed(&member_fields(&fields, "allowed_tools")?),
        _ => Err(kind.out_of_range("one of `function`, `custom`, `allowed_tools`")),
    }
}

fn member_fields<'b, 's>(
    fields: &'s Fields<'b, '_>,
    name: &'static str,
) -> Result<Fields<'b, 's>, RequestProblem> {
    fields.required(name, "an object")?.fields()
}

fn read_allowed(allowed: &Fields<'_, '_>) -> Result<ToolChoice, RequestProblem> {
    let mode = allowed.required("mode", "a string")?;
    let required = match &*mode.text()? {
        "auto" => false,
        "required" => true,
        _ => return Err(mode.out_of_range("`auto` or `required`")),
    };
    let tools = allowed.required("tools", "an array of tools")?;
    let names = tools.each("an array of tools", |tool| {
        let fields = tool.fields()?;
        match fields.member("custom") {
            Some(custom) => read_name(&custom.fields()?),
            None => read_name(&member_fields(&fields, "function")?),
        }
    })?;
    Ok(ToolChoice::Among { names, required })
}
