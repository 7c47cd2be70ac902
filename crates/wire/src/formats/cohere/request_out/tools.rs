//! What the model is offered: tools, how free its choice is, and the form of its answer.

use crate::conversation::{Conversation, ResponseFormat, Tool, ToolChoice};
use crate::formats::functions::offered;
use crate::formats::report::Report;
use crate::formats::schemas::{in_words, is_object_schema};
use crate::formats::translation::Unsupported;
use crate::json::write::JsonWriter;

/// What the model is offered.
#[derive(Debug, Default)]
pub(super) struct Offer<'c> {
    pub(super) tools: Vec<&'c Tool>,
    /// `tool_choice`, which knows two words; the model's own choice is said by leaving it out.
    choice: Option<&'static str>,
    /// Whether calls must keep their tools' schemas.
    strict: bool,
    /// The form of the answer that the API enforces by itself.
    format: Option<Form<'c>>,
    /// What is said about the form of the answer instead.
    pub(super) instruction: Option<String>,
}

#[derive(Debug, Clone, Copy)]
enum Form<'c> {
    Json,
    Schema(&'c str),
}

/// Decides what the model is offered.
pub(super) fn offer<'c>(
    c: &'c Conversation,
    report: &mut Report<'_>,
) -> Result<Offer<'c>, Unsupported> {
    let mut offer = Offer { tools: offered(c, report)?, ..Offer::default() };
    offer.choose(&c.tool_choice, report)?;
    offer.settle_strictness(c, report);
    offer.form(c, report);
    Ok(offer)
}

impl<'c> Offer<'c> {
    /// A single tool is forced by offering no other.
    fn choose(
        &mut self,
        wanted: &'c ToolChoice,
        report: &mut Report<'_>,
    ) -> Result<(), Unsupported> {
        self.choice = match wanted {
            ToolChoice::Unsaid | ToolChoice::Auto | ToolChoice::Among { required: false, .. } => {
                None
            }
            ToolChoice::None => Some("NONE"),
            ToolChoice::Required
            | ToolChoice::Named(_)
            | ToolChoice::Among { required: true, .. } => Some("REQUIRED"),
        };
        if wanted.forces() && !report.capability().forced_tool {
            self.choice = None;
            return report.leave_out("tool_choice", "the model cannot be forced to call a tool");
        }
        if let ToolChoice::Named(name) = wanted {
            if !self.tools.iter().any(|tool| tool.name == *name) {
                self.choice = None;
                return report.leave_out("tool_choice", "it names a tool that is not offered");
            }
            self.tools.retain(|tool| tool.name == *name);
        }
        // Without tools the API refuses the field.
        self.choice = self.choice.filter(|_| !self.tools.is_empty());
        Ok(())
    }

    /// The API is strict with all tools or with none; the client's own word for it goes before.
    fn settle_strictness(&mut self, c: &Conversation, report: &mut Report<'_>) {
        let strict = |tool: &&Tool| tool.strict == Some(true);
        let said = c.unmapped.iter().any(|(name, _)| &**name == "strict_tools");
        let every = !self.tools.is_empty() && self.tools.iter().all(strict);
        self.strict = every && !said;
        if !every && self.tools.iter().any(strict) {
            report.drop("strict");
        }
    }

    /// The API enforces the form of an answer only where there are neither tools nor documents, and
    /// a schema only where it describes an object; elsewhere it is asked for in words.
    fn form(&mut self, c: &'c Conversation, report: &mut Report<'_>) {
        let schema = match &c.response_format {
            ResponseFormat::Text => return,
            ResponseFormat::JsonObject => None,
            ResponseFormat::JsonSchema { schema, .. } => Some(&**schema),
        };
        let documents = c.unmapped.iter().any(|(name, _)| &**name == "documents");
        let enforceable = report.capability().native_structured_output
            && self.tools.is_empty()
            && !documents
            && schema.is_none_or(is_object_schema);
        if enforceable {
            self.format = Some(schema.map_or(Form::Json, Form::Schema));
            return;
        }
        report.adjust("response_format");
        self.instruction = Some(in_words(schema));
    }
}

/// Writes `tool_choice` and `strict_tools`.
pub(super) fn write_choice(o: &mut JsonWriter<'_>, offer: &Offer<'_>) {
    if let Some(choice) = offer.choice {
        o.string("tool_choice", choice);
    }
    if offer.strict {
        o.boolean("strict_tools", true);
    }
}

/// Writes `response_format`.
pub(super) fn write_format(o: &mut JsonWriter<'_>, offer: &Offer<'_>) {
    let Some(form) = offer.format else { return };
    o.object("response_format", |o| {
        o.string("type", "json_object");
        match form {
            Form::Json => {}
            Form::Schema(schema) => _ = o.raw("json_schema", schema),
        }
    });
}
