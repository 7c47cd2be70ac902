//! Writing a conversation as the body of Converse and ConverseStream, which is the same.
//!
//! What is written depends on nothing but the conversation and the target's record, in an order
//! that never changes: caches and signatures are bound to the prompt's exact beginning.

mod blocks;
mod media;
mod points;
mod reasoning;
mod settings;
mod tools;
mod turns;

use self::blocks::write_messages;
use self::points::{Points, Sections};
use self::reasoning::asked;
use self::settings::{settings, write_inference, write_model_fields, write_others};
use self::tools::{tools, write_tool_config};
use self::turns::turns;
use crate::capability::Converse;
use crate::conversation::{Conversation, ResponseFormat};
use crate::formats::anthropic_messages::Wording;
use crate::formats::anthropic_messages::names::NameRule;
use crate::formats::anthropic_messages::request_out::messages::Arranged;
use crate::formats::report::Report;
use crate::formats::translation::{Target, Unsupported, Written};
use crate::json::write::{self, JsonWriter};

/// What a call's id may be: shorter than the service's rule `[a-zA-Z0-9_.:-]{1,64}`.
const IDS: NameRule = NameRule { bytes_max: 64, plain: false };

/// What a tool's name may be: `[a-zA-Z0-9_-]{1,64}`, and less for some families.
const fn names(converse: &Converse) -> NameRule {
    NameRule { bytes_max: 64, plain: converse.plain_names }
}

/// Writes the request that asks the target for an answer.
///
/// # Errors
/// [`Unsupported`] with the first field that the target cannot express and that no leniency allows
/// to be left out.
pub fn from_conversation(c: &Conversation, target: &Target<'_>) -> Result<Written, Unsupported> {
    let mut report = Report::new(target);
    let asked = asked(c, target, &mut report)?;
    let arranged = turns(c, &mut report)?;
    let tools = tools(c, &asked, &mut report)?;
    let settings = settings(c, &asked, target, &mut report)?;
    let sections = Sections::of(&arranged, &tools.offer.tools, &mut report);
    let mut body = c.buffer();
    let layout = write::body(&mut body, |o| {
        write_messages(o, &arranged, target.capability, sections.messages);
        write_system(o, &arranged, tools.offer.instruction.as_deref(), sections.system);
        write_inference(o, &settings);
        write_tool_config(o, &tools, &target.capability.converse, sections.tools);
        write_model_fields(o, &asked, &settings, &tools);
        if tools.offer.schema.is_some() {
            write_format(o, &c.response_format);
        }
        write_others(o, &settings);
    });
    Ok(report.written((body, layout)))
}

/// How answers to what [`from_conversation`] writes read in the client's own words.
#[must_use]
pub fn wording(c: &Conversation, target: &Target<'_>) -> Wording {
    let mut report = Report::new(target);
    let tools = asked(c, target, &mut report).and_then(|asked| tools(c, &asked, &mut report));
    let json_tool = tools.is_ok_and(|tools| tools.offer.json_tool.is_some());
    Wording::under(names(&target.capability.converse), c, json_tool)
}

fn write_system(
    o: &mut JsonWriter<'_>,
    arranged: &Arranged<'_>,
    instruction: Option<&str>,
    mut points: Points,
) {
    if arranged.system.is_empty() && instruction.is_none() {
        return;
    }
    o.array("system", |a| {
        for part in &arranged.system {
            if let Some(text) = blocks::text_of(part) {
                a.object(|o| _ = o.string("text", text));
                points.write(a, part.cache);
            }
        }
        if let Some(text) = instruction {
            a.object(|o| _ = o.string("text", text));
        }
    });
}

/// `outputConfig`: the schema is a text here.
fn write_format(o: &mut JsonWriter<'_>, format: &ResponseFormat) {
    let ResponseFormat::JsonSchema { name, description, schema, .. } = format else { return };
    o.object("outputConfig", |o| {
        o.object("textFormat", |o| {
            o.string("type", "json_schema");
            o.object("structure", |o| {
                o.object("jsonSchema", |o| {
                    o.string("schema", schema);
                    if let Some(name) = name.as_deref().filter(|name| !name.is_empty()) {
                        o.string("name", &IDS.fit(name));
                    }
                    if let Some(description) = description {
                        o.string("description", description);
                    }
                });
            });
        });
    });
}

#[cfg(test)]
mod tests;
