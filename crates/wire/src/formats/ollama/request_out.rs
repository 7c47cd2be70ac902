//! Writing a conversation as the body of `POST /api/chat`.
//!
//! The same conversation always gives the same bytes, so that the server's prompt cache hits.

mod messages;
mod options;
mod thinking;

use self::messages::write_messages;
use self::options::{is_option, options, write_options};
use self::thinking::{think, write_think};
use crate::conversation::{Conversation, ResponseFormat, Source, Tool, ToolChoice};
use crate::formats::functions::{offered, write_functions};
use crate::formats::report::Report;
use crate::formats::schemas::in_words;
use crate::formats::translation::{Target, Unsupported, Written};
use crate::formats::turns::{Takes, arrange};
use crate::json::write::{self, JsonWriter};

/// Fields of this API that the hub has no word for. They go out as they came.
const OWN_FIELDS: [&str; 4] = ["keep_alive", "truncate", "shift", "think"];

/// Messages as this API takes them.
const TAKES: Takes = Takes { refuses_image, thoughts: true };

fn refuses_image(source: &Source) -> Option<&'static str> {
    match source {
        Source::Base64 { .. } => None,
        Source::Url(_) => Some("the API fetches no pictures; send it in base64"),
        Source::Text(_) => Some("a picture is no text"),
        Source::File(_) => Some("it names a file that another provider keeps"),
    }
}

/// Writes the request that asks the target for an answer.
///
/// # Errors
/// [`Unsupported`] with the first field that the target cannot express and that no leniency allows
/// to be left out.
pub fn from_conversation(c: &Conversation, target: &Target<'_>) -> Result<Written, Unsupported> {
    let mut report = Report::new(target);
    let turns = arrange(c, &TAKES, &mut report)?;
    let tools = tools(c, &mut report)?;
    let form = form(c, &tools, &mut report);
    let think = think(&c.reasoning, &mut report);
    let options = options(c, &mut report)?;
    report.drop_hints(c);
    let is_own = |name: &str| OWN_FIELDS.contains(&name) && !(name == "think" && think.is_some());
    for (name, raw) in c.unmapped.iter().filter(|(name, _)| !is_own(name)) {
        if !is_option(name) {
            report.leave_out_unmapped(name, raw)?;
        }
    }
    let whole = c.unmapped.iter().find(|(name, _)| &**name == "options");
    let own_options = whole.map(|(_, raw)| &**raw);
    let mut body = c.buffer();
    let layout = write::body(&mut body, |o| {
        o.string("model", report.model());
        write_messages(o, &turns, form.instruction.as_deref(), &mut report);
        write_functions(o, &tools);
        write_form(o, &form);
        write_think(o, think);
        write_options(o, &options, own_options);
        for (name, raw) in c.unmapped.iter().filter(|(name, _)| is_own(name)) {
            o.raw(name, raw);
        }
        // The API streams unless it is told not to.
        o.boolean("stream", c.stream);
    });
    Ok(report.written((body, layout)))
}

/// The tools that go out. The API has no word for a choice: none is said by offering none, and
/// nothing forces one.
fn tools<'c>(c: &'c Conversation, report: &mut Report<'_>) -> Result<Vec<&'c Tool>, Unsupported> {
    let mut tools = offered(c, report)?;
    if c.tool_choice.forces() {
        report.leave_out("tool_choice", "the API cannot force a tool to be called")?;
    }
    if c.tool_choice == ToolChoice::None {
        tools.clear();
    }
    if tools.iter().any(|tool| tool.strict.is_some()) {
        report.drop("strict");
    }
    Ok(tools)
}

/// The form of the answer.
#[derive(Debug, Default)]
struct Form<'c> {
    /// `format`: raw JSON.
    format: Option<&'c str>,
    /// What is said about it instead.
    instruction: Option<String>,
}

/// The server holds every word of an answer to its form, a tool's call as well: beside tools it is
/// asked for in words.
fn form<'c>(c: &'c Conversation, tools: &[&Tool], report: &mut Report<'_>) -> Form<'c> {
    let schema = match &c.response_format {
        ResponseFormat::Text => return Form::default(),
        ResponseFormat::JsonObject => None,
        ResponseFormat::JsonSchema { schema, .. } => Some(&**schema),
    };
    if tools.is_empty() && report.capability().native_structured_output {
        return Form { format: Some(schema.unwrap_or("\"json\"")), instruction: None };
    }
    report.adjust("response_format");
    Form { format: None, instruction: Some(in_words(schema)) }
}

fn write_form(o: &mut JsonWriter<'_>, form: &Form<'_>) {
    if let Some(format) = form.format {
        o.raw("format", format);
    }
}
