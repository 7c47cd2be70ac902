//! Reading a request's tools and the choice among them.

use std::collections::HashSet;

use bytestring::ByteString;

use super::fields::{At, Body, Unmapped, array, flag_if_any, object};
use crate::conversation::{Tool, ToolChoice, ToolKind};
use crate::formats::openai_chat::RequestProblem;
use crate::json::{Kind, Raw};

/// `tools`, in the client's order; `at` is where they stand.
pub(super) fn tools(
    tools: Option<Raw<'_>>,
    at: &At<'_>,
    body: &Body,
    unmapped: &mut Unmapped,
) -> Result<Vec<Tool>, RequestProblem> {
    let Some(tools) = tools else { return Ok(Vec::new()) };
    let mut names = HashSet::new();
    let mut read = Vec::new();
    for (index, tool) in array(Some(tools), at)?.elements().enumerate() {
        let at = at.element(index);
        let tool = read_tool(tool, &at, body, unmapped)?;
        if !matches!(tool.kind, ToolKind::Hosted { .. }) && !names.insert(tool.name.clone()) {
            return Err(at.member("name").outside("a name that no other tool has"));
        }
        read.push(tool);
    }
    Ok(read)
}

fn read_tool(
    tool: Raw<'_>,
    at: &At<'_>,
    body: &Body,
    unmapped: &mut Unmapped,
) -> Result<Tool, RequestProblem> {
    let tool = object(Some(tool), at)?;
    let kind = body.text(tool.find("type"), &at.member("type"))?;
    let (kind, known) = match &*kind {
        "function" => {
            let parameters = tool.find("parameters");
            let parameters = parameters
                .map(|schema| object(Some(schema), &at.member("parameters")))
                .transpose()?;
            let parameters = parameters.map(|schema| body.raw(schema));
            (ToolKind::Function { parameters }, "parameters")
        }
        "custom" => {
            let format = tool.find("format");
            let format =
                format.map(|format| object(Some(format), &at.member("format"))).transpose()?;
            (ToolKind::Custom { format: format.map(|format| body.raw(format)) }, "format")
        }
        _ => return hosted(tool, kind, at, body),
    };
    unmapped.keep_others(tool, &["type", "name", "description", "strict", known], at, body);
    Ok(Tool {
        name: body.text(tool.find("name"), &at.member("name"))?,
        description: body.text_if_any(tool.find("description"), &at.member("description"))?,
        kind,
        strict: flag_if_any(tool.find("strict"), &at.member("strict"))?,
        cache: None,
    })
}

/// A tool of any other type is the provider's own, also a `namespace`: its calls name it beside
/// the function, which no other format can say. `make_portable` takes it apart for those.
fn hosted(
    tool: Raw<'_>,
    kind: ByteString,
    at: &At<'_>,
    body: &Body,
) -> Result<Tool, RequestProblem> {
    let label = ["name", "server_label"].into_iter().find(|name| tool.find(name).is_some());
    let name = label.map(|label| body.text(tool.find(label), &at.member(label))).transpose()?;
    Ok(Tool {
        name: name.unwrap_or(kind),
        description: None,
        kind: ToolKind::Hosted { declaration: body.raw(tool) },
        strict: None,
        cache: None,
    })
}

/// `tool_choice`. A choice that names a tool of the provider's own has no word in the hub.
pub(super) fn tool_choice(
    choice: Option<Raw<'_>>,
    body: &Body,
    unmapped: &mut Unmapped,
) -> Result<ToolChoice, RequestProblem> {
    let Some(choice) = choice else { return Ok(ToolChoice::Unsaid) };
    let at = At::top("tool_choice");
    let read = match choice.kind() {
        Kind::String => match &*body.text(Some(choice), &at)? {
            "auto" => ToolChoice::Auto,
            "none" => ToolChoice::None,
            "required" => ToolChoice::Required,
            _ => return Err(at.outside("`auto`, `none`, `required` or an object")),
        },
        Kind::Object => match &*body.text(choice.find("type"), &at.member("type"))? {
            "function" | "custom" => {
                ToolChoice::Named(body.text(choice.find("name"), &at.member("name"))?)
            }
            "allowed_tools" => match allowed_tools(choice, &at, body)? {
                Some(among) => among,
                None => return Ok(kept(choice, &at, body, unmapped)),
            },
            _ => return Ok(kept(choice, &at, body, unmapped)),
        },
        _ => return Err(at.wrong("a string or an object", choice)),
    };
    Ok(read)
}

fn kept(choice: Raw<'_>, at: &At<'_>, body: &Body, unmapped: &mut Unmapped) -> ToolChoice {
    unmapped.keep(at, body.raw(choice));
    ToolChoice::Unsaid
}

/// `None` when a tool of the provider's own is among them.
fn allowed_tools(
    choice: Raw<'_>,
    at: &At<'_>,
    body: &Body,
) -> Result<Option<ToolChoice>, RequestProblem> {
    let mode_at = at.member("mode");
    let required = match &*body.text(choice.find("mode"), &mode_at)? {
        "auto" => false,
        "required" => true,
        _ => return Err(mode_at.outside("`auto` or `required`")),
    };
    let at = at.member("tools");
    let mut names = Vec::new();
    for (index, tool) in array(choice.find("tools"), &at)?.elements().enumerate() {
        let at = at.element(index);
        let kind = body.text(tool.find("type"), &at.member("type"))?;
        if !matches!(&*kind, "function" | "custom") {
            return Ok(None);
        }
        names.push(body.text(tool.find("name"), &at.member("name"))?);
    }
    Ok(Some(ToolChoice::Among { names, required }))
}
