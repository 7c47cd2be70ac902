//! Writing messages: one text each, pictures beside it.

use crate::conversation::{Arguments, Source, ToolCall};
use crate::formats::report::Report;
use crate::formats::turns::{Said, Turn};
use crate::json::Object;
use crate::json::write::JsonWriter;

/// What stands between two texts that are put into one message.
const BETWEEN_TEXTS: &str = "\n";

/// `messages`. What is said about the form of the answer follows the instructions that come first.
pub(super) fn write_messages(
    o: &mut JsonWriter<'_>,
    turns: &[Turn<'_>],
    instruction: Option<&str>,
    report: &mut Report<'_>,
) {
    let leading = turns.iter().take_while(|turn| matches!(turn, Turn::System(_))).count();
    let (first, others) = turns.split_at(leading);
    o.array("messages", |a| {
        for turn in first {
            a.object(|o| write_turn(o, turn, report));
        }
        if let Some(text) = instruction {
            a.object(|o| _ = o.string("role", "system").string("content", text));
        }
        for turn in others {
            a.object(|o| write_turn(o, turn, report));
        }
    });
}

fn write_turn(o: &mut JsonWriter<'_>, turn: &Turn<'_>, report: &mut Report<'_>) {
    match turn {
        Turn::System(texts) => {
            o.string("role", "system").string("content", &texts.join(BETWEEN_TEXTS));
        }
        Turn::User(said) => {
            o.string("role", "user");
            write_said(o, said, report);
        }
        Turn::Assistant { thoughts, texts, calls } => {
            o.string("role", "assistant").joined("content", texts);
            if !thoughts.is_empty() {
                o.joined("thinking", thoughts);
            }
            write_calls(o, calls);
        }
        // Results are bound to their calls by the tool's name and by their order.
        Turn::Result { call, texts, .. } => {
            o.string("role", "tool").string("content", &texts.join(BETWEEN_TEXTS));
            if let Some((_, name)) = call {
                o.string("tool_name", name);
            }
        }
    }
}

fn write_said(o: &mut JsonWriter<'_>, said: &[Said<'_>], report: &mut Report<'_>) {
    let mut texts = Vec::new();
    let mut images = Vec::new();
    for part in said {
        match part {
            Said::Text(text) => texts.push(&**text),
            Said::Image { source, detail } => {
                if detail.is_some() {
                    report.drop("detail");
                }
                if let Source::Base64 { data, .. } = source {
                    images.push(data);
                }
            }
        }
    }
    o.string("content", &texts.join(BETWEEN_TEXTS));
    if !images.is_empty() {
        o.strings("images", &images);
    }
}

fn write_calls(o: &mut JsonWriter<'_>, calls: &[&ToolCall]) {
    if calls.is_empty() {
        return;
    }
    o.array("tool_calls", |a| {
        for call in calls {
            a.object(|o| {
                o.object("function", |o| {
                    o.string("name", &call.name);
                    write_arguments(o, &call.arguments);
                });
            });
        }
    });
}

/// `arguments` is an object: what is none, as models break their JSON and custom tools take text,
/// goes as its only member.
fn write_arguments(o: &mut JsonWriter<'_>, arguments: &Arguments) {
    match arguments {
        Arguments::Json(json) if Object::scan(json.as_bytes()).is_ok() => {
            o.raw("arguments", json);
        }
        Arguments::Json(json) if json.trim().is_empty() => _ = o.raw("arguments", "{}"),
        Arguments::Json(text) | Arguments::Text(text) => {
            o.object("arguments", |o| _ = o.string("input", text));
        }
    }
}
