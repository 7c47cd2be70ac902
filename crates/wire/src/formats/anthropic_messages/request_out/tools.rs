//! What the model is offered: tools, how free its choice is, and the form of its answer.

use bytestring::ByteString;

use super::super::blocks_out::write_cache;
use super::super::names::{JSON_TOOL, fitted};
use super::report::Report;
use super::schema::is_enforceable;
use super::thinking::Plan;
use crate::conversation::{Conversation, ResponseFormat, Tool, ToolChoice, ToolKind};
use crate::formats::schemas::{NO_PARAMETERS, in_words, is_object_schema};
use crate::formats::translation::Unsupported;
use crate::json::write::{Array, JsonWriter};
use crate::json::{Object, Raw};

/// What a tool takes whose input is free text: the text as [`CUSTOM_INPUT`], its one property.
///
/// [`CUSTOM_INPUT`]: super::super::blocks_out::CUSTOM_INPUT
const FREE_TEXT: &str =
    r#"{"type":"object","properties":{"input":{"type":"string"}},"required":["input"]}"#;

/// What the tool that stands in for the answer is for.
pub(in crate::formats) const JSON_TOOL_PURPOSE: &str = "Gives the final answer.";

/// What is said where the model may but need not call the tool that stands in for the answer.
const CALL_JSON_TOOL: &str = "Give your final answer by calling the tool `json_tool_call` once, \
     with the answer as its input. Do not write the answer as text.";

/// What the model is offered.
#[derive(Debug)]
pub(in crate::formats) struct Offer<'a> {
    /// The tools, in the client's order.
    pub(in crate::formats) tools: Vec<&'a Tool>,
    /// Which of them may or must be called.
    pub(in crate::formats) choice: Choice<'a>,
    /// Whether one at most is called at a time.
    pub(in crate::formats) single: bool,
    /// The schema of the tool that stands in for the answer.
    pub(in crate::formats) json_tool: Option<&'a ByteString>,
    /// The schema that the API enforces by itself.
    pub(in crate::formats) schema: Option<&'a ByteString>,
    /// What is added to the system prompt.
    pub(in crate::formats) instruction: Option<String>,
}

/// What the format takes of what can be offered.
#[derive(Clone, Copy)]
pub(in crate::formats) struct Offering {
    /// Whether it keeps a schema by itself.
    pub(in crate::formats) native_schema: bool,
    /// Whether a tool can be forced by its name while the model does not think.
    pub(in crate::formats) forces_tool: bool,
    /// Whether a tool that the provider runs, by its declaration, is its own.
    pub(in crate::formats) is_own: fn(&str) -> bool,
}

impl Offering {
    /// The Messages API's.
    pub(super) const fn of(report: &Report<'_>) -> Self {
        let record = report.capability();
        let native_schema = record.native_structured_output;
        Self { native_schema, forces_tool: record.forced_tool, is_own }
    }
}

/// Which tools may or must be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::formats) enum Choice<'a> {
    Unsaid,
    Auto,
    Any,
    None,
    Tool(&'a str),
}

/// Decides what the model is offered.
pub(in crate::formats) fn offer<'a>(
    c: &'a Conversation,
    plan: &Plan,
    offering: Offering,
    report: &mut Report<'_>,
) -> Result<Offer<'a>, Unsupported> {
    let mut offer = Offer {
        tools: offered_tools(c, offering.is_own, report)?,
        choice: Choice::Unsaid,
        single: c.parallel_tools == Some(false),
        json_tool: None,
        schema: None,
        instruction: None,
    };
    if !offer.tools.is_empty() {
        offer.choice = if plan.tool_choice_freed { Choice::Auto } else { choice(&c.tool_choice) };
    }
    offer.form(c, plan, offering, report)?;
    Ok(offer)
}

impl<'a> Offer<'a> {
    /// Settles the form of the answer: enforced where the model can, else by a tool that stands in
    /// for it, else in words.
    fn form(
        &mut self,
        c: &'a Conversation,
        plan: &Plan,
        offering: Offering,
        report: &mut Report<'_>,
    ) -> Result<(), Unsupported> {
        let schema = match &c.response_format {
            ResponseFormat::Text => return Ok(()),
            ResponseFormat::JsonObject => {
                report.adjust("response_format");
                self.instruction = Some(in_words(None));
                return Ok(());
            }
            ResponseFormat::JsonSchema { schema, .. } => schema,
        };
        if offering.native_schema && is_enforceable(schema) {
            self.schema = Some(schema);
            return Ok(());
        }
        report.adjust("response_format");
        // A tool takes an object; and where the client itself settled which tools are called, one
        // more would change that.
        if !is_object_schema(schema) || !matches!(self.choice, Choice::Unsaid | Choice::Auto) {
            self.instruction = Some(in_words(Some(schema)));
            return Ok(());
        }
        if self.tools.iter().any(|tool| &*tool.name == JSON_TOOL) {
            let why = "the tool name `json_tool_call` is needed to ask this model for JSON; give \
                 that tool another name";
            return Err(report.refusal("tools", why));
        }
        self.json_tool = Some(schema);
        let free_to_force = offering.forces_tool
            && (report.capability().forced_tool_with_thinking || !plan.is_active(report));
        if self.tools.is_empty() && free_to_force {
            self.choice = Choice::Tool(JSON_TOOL);
        } else {
            self.choice = Choice::Auto;
            self.instruction = Some(CALL_JSON_TOOL.to_owned());
        }
        Ok(())
    }
}

/// The tools that may be called at all, in the client's order.
fn offered_tools<'a>(
    c: &'a Conversation,
    is_own: fn(&str) -> bool,
    report: &mut Report<'_>,
) -> Result<Vec<&'a Tool>, Unsupported> {
    let mut tools = Vec::with_capacity(c.tools.len());
    for (index, tool) in c.tools.iter().enumerate() {
        if let ToolChoice::Among { names, .. } = &c.tool_choice
            && !names.contains(&tool.name)
        {
            continue;
        }
        if let ToolKind::Hosted { declaration } = &tool.kind
            && !is_own(declaration)
        {
            report.leave_out(&format!("tools[{index}]"), "the tool is run by another provider")?;
            continue;
        }
        tools.push(tool);
    }
    Ok(tools)
}

/// Whether a hosted tool is this API's own: its types end in a date, as no one else's do, or are a
/// toolset.
fn is_own(declaration: &str) -> bool {
    let Ok(object) = Object::scan(declaration.as_bytes()) else { return false };
    let Some(kind) = object.value("type").and_then(Raw::text) else { return false };
    let dated = kind
        .rsplit('_')
        .next()
        .is_some_and(|last| last.len() == 8 && last.bytes().all(|byte| byte.is_ascii_digit()));
    dated || kind == "mcp_toolset"
}

fn choice(wanted: &ToolChoice) -> Choice<'_> {
    match wanted {
        ToolChoice::Unsaid => Choice::Unsaid,
        ToolChoice::Auto | ToolChoice::Among { required: false, .. } => Choice::Auto,
        ToolChoice::Required | ToolChoice::Among { required: true, .. } => Choice::Any,
        ToolChoice::None => Choice::None,
        ToolChoice::Named(name) => Choice::Tool(name),
    }
}

/// Writes `tools`.
pub(super) fn write_tools(o: &mut JsonWriter<'_>, offer: &Offer<'_>) {
    if offer.tools.is_empty() && offer.json_tool.is_none() {
        return;
    }
    o.array("tools", |a| {
        offer.tools.iter().for_each(|tool| write_tool(a, tool));
        if let Some(schema) = offer.json_tool {
            a.object(|o| {
                o.string("name", JSON_TOOL).string("description", JSON_TOOL_PURPOSE);
                o.raw("input_schema", schema);
            });
        }
    });
}

fn write_tool(tools: &mut Array<'_>, tool: &Tool) {
    if let ToolKind::Hosted { declaration } = &tool.kind {
        tools.raw(declaration);
        return;
    }
    tools.object(|o| {
        o.string("name", &fitted(&tool.name));
        if let Some(description) = &tool.description {
            o.string("description", description);
        }
        let (schema, enforceable) = input_schema(tool);
        o.raw("input_schema", schema);
        let enforced = enforceable && tool.strict == Some(true);
        if enforced {
            o.boolean("strict", true);
        }
        write_cache(o, tool.cache);
    });
}

/// The API wants `"type": "object"`; an empty schema, as some clients send for no arguments, is
/// none.
fn is_schema(schema: &str) -> bool {
    Object::scan(schema.as_bytes()).is_ok_and(|object| object.value("type").is_some())
}

/// The schema of what a tool takes, and whether calls can be kept to it.
pub(in crate::formats) fn input_schema(tool: &Tool) -> (&str, bool) {
    match &tool.kind {
        ToolKind::Function { parameters: Some(schema) } if is_schema(schema) => {
            (schema, is_enforceable(schema))
        }
        ToolKind::Function { .. } | ToolKind::Hosted { .. } => (NO_PARAMETERS, false),
        ToolKind::Custom { .. } => (FREE_TEXT, false),
    }
}

/// Writes `tool_choice`.
pub(super) fn write_choice(o: &mut JsonWriter<'_>, offer: &Offer<'_>) {
    let offers_any = !offer.tools.is_empty() || offer.json_tool.is_some();
    let unsaid = offer.choice == Choice::Unsaid && !offer.single;
    if !offers_any || unsaid {
        return;
    }
    o.object("tool_choice", |o| {
        match offer.choice {
            Choice::Unsaid | Choice::Auto => o.string("type", "auto"),
            Choice::Any => o.string("type", "any"),
            Choice::None => o.string("type", "none"),
            Choice::Tool(name) => o.string("type", "tool").string("name", &fitted(name)),
        };
        if offer.single && offer.choice != Choice::None {
            o.boolean("disable_parallel_tool_use", true);
        }
    });
}
