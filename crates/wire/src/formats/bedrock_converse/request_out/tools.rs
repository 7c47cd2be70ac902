//! `toolConfig`: what may be called, what must be, and what a conversation's earlier calls need.

use super::names;
use super::points::Points;
use super::reasoning::Asked;
use crate::capability::Converse;
use crate::conversation::{Conversation, PartBody, Tool};
use crate::formats::anthropic_messages::JSON_TOOL;
use crate::formats::anthropic_messages::request_out::tools::{
    Choice, JSON_TOOL_PURPOSE, Offer, Offering, input_schema, offer,
};
use crate::formats::report::Report;
use crate::formats::schemas::NO_PARAMETERS;
use crate::formats::translation::Unsupported;
use crate::json::write::{Array, JsonWriter};

/// A name for the tool of earlier results whose calls are not there.
const EARLIER_TOOL: &str = "earlier_tool";

/// What a tool is for that is declared only because an earlier turn called it.
const EARLIER_PURPOSE: &str = "A tool of earlier turns. It cannot be called any more.";

/// What the model is offered.
#[derive(Debug)]
pub(super) struct Tools<'a> {
    pub(super) offer: Offer<'a>,
    /// Names of tools that only earlier turns call: the API wants them declared.
    earlier: Vec<&'a str>,
    /// Whether the tools are declared for the earlier turns' sake alone.
    withheld: bool,
    /// Whether calls are kept to one at a time.
    single: bool,
}

/// Decides what the model is offered.
pub(super) fn tools<'a>(
    c: &'a Conversation,
    asked: &Asked,
    report: &mut Report<'_>,
) -> Result<Tools<'a>, Unsupported> {
    let converse = report.capability().converse;
    let offering = Offering {
        native_schema: converse.text_format,
        // A model that reasons is left free (a plan says so for those that it covers).
        forces_tool: report.capability().forced_tool && asked.effort.is_none(),
        is_own: |_| false,
    };
    let mut offer = offer(c, &asked.plan, offering, report)?;
    settle_name(&mut offer, &converse, report)?;
    let called = called(c);
    let mut earlier = Vec::new();
    if offer.choice == Choice::None && called.is_empty() {
        offer.tools.clear();
    } else if offer.choice == Choice::None {
        report.adjust("tool_choice");
    } else if offer.tools.is_empty() && offer.json_tool.is_none() && !called.is_empty() {
        report.adjust("tools");
        earlier = called;
    }
    let withheld = offer.choice == Choice::None;
    let declares = !offer.tools.is_empty();
    if c.parallel_tools.is_some() && declares && !converse.parallel_switch {
        report.drop("parallel_tool_calls");
    }
    let single = offer.single && declares && converse.parallel_switch && !withheld;
    Ok(Tools { offer, earlier, withheld, single })
}

/// Where no tool can be forced by its name, the only one is forced as any of them.
fn settle_name(
    offer: &mut Offer<'_>,
    converse: &Converse,
    report: &mut Report<'_>,
) -> Result<(), Unsupported> {
    let Choice::Tool(_) = offer.choice else { return Ok(()) };
    if converse.forces_tool {
        return Ok(());
    }
    let offered = offer.tools.len() + usize::from(offer.json_tool.is_some());
    if offered == 1 {
        offer.choice = Choice::Any;
        return Ok(());
    }
    report.leave_out("tool_choice", "the model can be made to call a tool, but not which")?;
    offer.choice = Choice::Auto;
    Ok(())
}

/// The names of the tools that the conversation calls already, each once and in order.
fn called(c: &Conversation) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    let mut answered = false;
    for part in c.messages.iter().flat_map(|message| &message.parts) {
        match &part.body {
            PartBody::ToolCall(call) if !names.contains(&&*call.name) => names.push(&call.name),
            PartBody::ToolResult(_) => answered = true,
            _ => {}
        }
    }
    if names.is_empty() && answered {
        names.push(EARLIER_TOOL);
    }
    names
}

/// Writes `toolConfig`.
pub(super) fn write_tool_config(
    o: &mut JsonWriter<'_>,
    tools: &Tools<'_>,
    converse: &Converse,
    mut points: Points,
) {
    let Tools { offer, earlier, .. } = tools;
    if offer.tools.is_empty() && offer.json_tool.is_none() && earlier.is_empty() {
        return;
    }
    o.object("toolConfig", |o| {
        o.array("tools", |a| {
            for tool in &offer.tools {
                write_tool(a, tool, converse);
                points.write(a, tool.cache);
            }
            if let Some(schema) = offer.json_tool {
                let spec = Spec { name: JSON_TOOL, description: JSON_TOOL_PURPOSE, schema };
                spec.write(a, false);
            }
            for name in earlier {
                let name = names(converse).fit(name);
                let description = EARLIER_PURPOSE;
                Spec { name: &name, description, schema: NO_PARAMETERS }.write(a, false);
            }
        });
        if let Some((choice, name)) = tools.choice() {
            o.object("toolChoice", |o| {
                o.object(choice, |o| {
                    if let Some(name) = name {
                        o.string("name", &names(converse).fit(name));
                    }
                });
            });
        }
    });
}

fn write_tool(tools: &mut Array<'_>, tool: &Tool, converse: &Converse) {
    let (schema, enforceable) = input_schema(tool);
    let name = names(converse).fit(&tool.name);
    let description = tool.description.as_deref().unwrap_or_default();
    let strict = enforceable && tool.strict == Some(true) && converse.text_format;
    Spec { name: &name, description, schema }.write(tools, strict);
}

struct Spec<'a> {
    name: &'a str,
    /// Empty for none, as an empty one is refused.
    description: &'a str,
    schema: &'a str,
}

impl Spec<'_> {
    fn write(&self, tools: &mut Array<'_>, strict: bool) {
        tools.object(|o| {
            o.object("toolSpec", |o| {
                o.string("name", self.name);
                if !self.description.is_empty() {
                    o.string("description", self.description);
                }
                o.object("inputSchema", |o| _ = o.raw("json", self.schema));
                if strict {
                    o.boolean("strict", true);
                }
            });
        });
    }
}

impl<'a> Tools<'a> {
    /// The member of `toolChoice`, where one is written, and the name in it.
    fn choice(&self) -> Option<(&'static str, Option<&'a str>)> {
        if self.withheld || !self.earlier.is_empty() {
            return None;
        }
        match self.offer.choice {
            Choice::Unsaid | Choice::None => None,
            Choice::Auto => Some(("auto", None)),
            Choice::Any => Some(("any", None)),
            Choice::Tool(name) => Some(("tool", Some(name))),
        }
    }

    /// Writes the model's own `tool_choice` that keeps it to one call at a time. Its `type` may
    /// not stand beside a `toolChoice`.
    pub(super) fn write_single(&self, o: &mut JsonWriter<'_>) {
        if !self.single {
            return;
        }
        o.object("tool_choice", |o| {
            if self.choice().is_none() {
                o.string("type", "auto");
            }
            o.boolean("disable_parallel_tool_use", true);
        });
    }
}
