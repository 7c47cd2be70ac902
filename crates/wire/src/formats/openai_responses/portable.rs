//! Making what a client of this format alone says portable to other formats: tools in namespaces,
//! tools that take a text, tools and tool calls that only the provider of this format runs, and
//! items that say nothing elsewhere. Clients such as Codex send them in every request, whichever
//! model they talk to, so nothing of it is a reason to refuse a call.

use std::collections::HashMap;

use bytes::Bytes;
use bytestring::ByteString;

use super::client_tools::{Called, ClientTools, INPUT, wrapped};
use super::fields::{At, Body, Unmapped};
use super::tools_in::tools;
use crate::conversation::{
    Arguments, Conversation, PartBody, Tool, ToolCall, ToolChoice, ToolKind,
};
use crate::formats::openai_chat::RequestProblem;
use crate::json::write::object;
use crate::json::{Object, Raw};

/// Fields without a meaning for another format's upstream.
const OWN_ONLY: [&str; 7] = [
    "client_metadata",
    "include",
    "reasoning.context",
    "reasoning.mode",
    "reasoning.summary",
    "store",
    "tool_choice",
];

/// What became of a conversation that was made portable.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Portable {
    /// The tools that answers call by other names than the client's.
    pub tools: ClientTools,
    /// What was left out, by the place where it stood.
    pub dropped: Vec<Box<str>>,
}

/// Makes a conversation, read from this body, portable to a format that is not this one.
///
/// Functions in a namespace and in `additional_tools` become functions; a custom tool becomes one
/// that takes its text as `input`; so do the calls of them in the history. Tools that only the
/// provider runs are left out.
///
/// # Errors
/// [`RequestProblem`] for tools in `additional_tools` or in a namespace that cannot be read.
pub fn make_portable(c: &mut Conversation, body: &Bytes) -> Result<Portable, RequestProblem> {
    let scanned = Object::scan(body).map_err(RequestProblem::Malformed)?;
    let text = Body::scanned(body);
    let input: Vec<Raw<'_>> = scanned.value("input").into_iter().flat_map(Raw::elements).collect();
    let mut offered = std::mem::take(&mut c.tools);
    for (index, item) in input.iter().enumerate() {
        if item.find("type").and_then(Raw::text).as_deref() == Some("additional_tools") {
            let at = At::top("input");
            let at = at.element(index);
            let at = at.member("tools");
            offered.extend(tools(item.find("tools"), &at, &text, &mut Unmapped::default())?);
        }
    }
    let mut portable = Portable::default();
    // Names that stay the client's own come first, so that none of them is taken.
    let stays = |tool: &Tool| matches!(tool.kind, ToolKind::Function { .. });
    let mut flat: Vec<Option<Vec<Tool>>> = Vec::new();
    for tool in &offered {
        let kept = stays(tool).then(|| Vec::from_iter(portable.keep(tool)));
        flat.push(kept);
    }
    for (index, (tool, flat)) in offered.iter().zip(&mut flat).enumerate() {
        if flat.is_none() {
            *flat = Some(portable.flatten(tool, index)?);
        }
    }
    c.tools = flat.into_iter().flatten().flatten().collect();
    if c.tools.is_empty() {
        c.tool_choice = ToolChoice::Unsaid;
    }
    portable.rename_calls(c, &namespaces(&input, &text));
    portable.rename_choice(&mut c.tool_choice);
    portable.leave_out_fields(c);
    Ok(portable)
}

/// The namespaces of calls in the history, by the call's id.
fn namespaces(input: &[Raw<'_>], body: &Body) -> HashMap<ByteString, ByteString> {
    let at = At::top("input");
    let text = |item: &Raw<'_>, name| body.text_if_any(item.find(name), &at).ok().flatten();
    let named = input.iter().filter_map(|item| {
        // An output repeats the id of its call and has no namespace.
        Some((text(item, "call_id")?, text(item, "namespace")?))
    });
    named.collect()
}

impl Portable {
    fn keep(&mut self, tool: &Tool) -> Option<Tool> {
        self.tools.keep(&tool.name).then(|| tool.clone())
    }

    /// The functions that stand in for a tool.
    fn flatten(&mut self, tool: &Tool, index: usize) -> Result<Vec<Tool>, RequestProblem> {
        let ToolKind::Hosted { declaration } = &tool.kind else {
            return Ok(self.stand_in(tool, None).into_iter().collect());
        };
        let body = Bytes::copy_from_slice(declaration.as_bytes());
        let scanned = Object::scan(&body).map_err(RequestProblem::Malformed)?;
        let kind = scanned.value("type").and_then(Raw::text);
        if kind.as_deref() != Some("namespace") {
            self.dropped.push(format!("tools[{index}]").into());
            return Ok(Vec::new());
        }
        let at = At::top("tools");
        let at = at.element(index);
        let at = at.member("tools");
        let text = Body::scanned(&body);
        let nested = tools(scanned.value("tools"), &at, &text, &mut Unmapped::default())?;
        let mut flat = Vec::with_capacity(nested.len());
        for (nested_index, nested) in nested.iter().enumerate() {
            match &nested.kind {
                ToolKind::Hosted { .. } => {
                    self.dropped.push(format!("tools[{index}].tools[{nested_index}]").into());
                }
                _ => flat.extend(self.stand_in(nested, Some(&tool.name))),
            }
        }
        Ok(flat)
    }

    /// The function that stands in for one tool; none when that tool is there already.
    fn stand_in(&mut self, tool: &Tool, namespace: Option<&ByteString>) -> Option<Tool> {
        let custom = matches!(tool.kind, ToolKind::Custom { .. });
        let (name, namespace) = (tool.name.clone(), namespace.cloned());
        let name = self.tools.change(Called { name, namespace, custom })?;
        match &tool.kind {
            ToolKind::Custom { format } => Some(Tool {
                name,
                description: described(tool.description.as_deref(), format.as_deref()),
                kind: ToolKind::Function { parameters: Some(text_schema()) },
                strict: None,
                cache: tool.cache,
            }),
            ToolKind::Function { .. } | ToolKind::Hosted { .. } => {
                Some(Tool { name, ..tool.clone() })
            }
        }
    }

    fn rename_calls(&self, c: &mut Conversation, namespaces: &HashMap<ByteString, ByteString>) {
        let parts = c.messages.iter_mut().flat_map(|message| &mut message.parts);
        for part in parts {
            let PartBody::ToolCall(ToolCall { id, name, arguments, .. }) = &mut part.body else {
                continue;
            };
            let namespace = namespaces.get(id).map(|namespace| &**namespace);
            if let Some(upstream) = self.tools.upstream(namespace, name) {
                *name = upstream.clone();
            }
            if let Arguments::Text(text) = arguments {
                *arguments = Arguments::Json(wrapped(text));
            }
        }
    }

    fn rename_choice(&self, choice: &mut ToolChoice) {
        let rename = |name: &mut ByteString| {
            if let Some(upstream) = self.tools.upstream(None, name) {
                *name = upstream.clone();
            }
        };
        match choice {
            ToolChoice::Named(name) => rename(name),
            ToolChoice::Among { names, .. } => names.iter_mut().for_each(rename),
            ToolChoice::Unsaid | ToolChoice::Auto | ToolChoice::None | ToolChoice::Required => {}
        }
    }

    fn leave_out_fields(&mut self, c: &mut Conversation) {
        for (name, _) in &mut c.unmapped {
            // The chat format's name for it, which the other formats know.
            if **name == *"text.verbosity" {
                *name = "verbosity".into();
            }
        }
        c.unmapped.retain(|(name, _)| {
            let own = OWN_ONLY.contains(&&**name)
                || name.starts_with("input[")
                || name.starts_with("tools[");
            if own {
                self.dropped.push(name.clone());
            }
            !own
        });
    }
}

/// A description that tells the grammar too, which the model would otherwise not know.
fn described(description: Option<&str>, format: Option<&str>) -> Option<ByteString> {
    let scanned = format.and_then(|format| Object::scan(format.as_bytes()).ok());
    let text = |name| scanned.as_ref().and_then(|format| format.value(name)).and_then(Raw::text);
    let grammar = text("definition").map(|definition| {
        let syntax = text("syntax").unwrap_or_default();
        format!("`{INPUT}` keeps this {syntax} grammar:\n{definition}")
    });
    match (description, grammar) {
        (Some(said), Some(grammar)) => Some(format!("{said}\n\n{grammar}").into()),
        (Some(said), None) => Some(said.into()),
        (None, grammar) => grammar.map(ByteString::from),
    }
}

/// The schema of a function that takes a text.
fn text_schema() -> ByteString {
    let mut out = Vec::new();
    object(&mut out, |o| {
        o.string("type", "object").object("properties", |o| {
            o.object(INPUT, |o| _ = o.string("type", "string"));
        });
        o.strings("required", &[INPUT]).boolean("additionalProperties", false);
    });
    String::from_utf8(out).expect("every piece is text").into()
}

#[cfg(test)]
mod tests;
