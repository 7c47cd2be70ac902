//! Writing contents: the parts of what is said.

use super::arrange::{Arranged, Item, Turn, is_reachable};
use crate::conversation::{Arguments, Part, PartBody, Source, ToolCall, ToolResult};
use crate::formats::gemini::media;
use crate::formats::gemini::model::Model;
use crate::json::Object;
use crate::json::write::{Array, JsonWriter};

/// `contents`.
pub(super) fn write_contents(o: &mut JsonWriter<'_>, arranged: &Arranged<'_>, model: Model) {
    o.array("contents", |a| {
        for turn in &arranged.turns {
            a.object(|o| write_turn(o, turn, model));
        }
    });
}

/// `systemInstruction`.
pub(super) fn write_system(o: &mut JsonWriter<'_>, arranged: &Arranged<'_>) {
    if arranged.system.is_empty() {
        return;
    }
    o.object("systemInstruction", |o| {
        o.array("parts", |a| {
            for text in &arranged.system {
                a.object(|o| _ = o.string("text", text));
            }
        });
    });
}

fn write_turn(o: &mut JsonWriter<'_>, turn: &Turn<'_>, model: Model) {
    o.string("role", if turn.model { "model" } else { "user" });
    o.array("parts", |a| {
        for item in &turn.items {
            a.object(|o| write_item(o, item, model));
        }
        // Before the third generation a response holds no media: they follow all responses.
        if !model.is_third() {
            for item in &turn.items {
                if let Item::Response { result, .. } = item {
                    write_media_of(a, result);
                }
            }
        }
    });
}

fn write_item(o: &mut JsonWriter<'_>, item: &Item<'_>, model: Model) {
    match item {
        Item::Text { text, seal } => {
            o.string("text", text);
            write_seal(o, *seal);
        }
        Item::Reminder { text } => {
            o.joined("text", &["<system-reminder>\n", text, "\n</system-reminder>"]);
        }
        Item::Thought { text, seal } => {
            o.string("text", text).boolean("thought", true);
            write_seal(o, *seal);
        }
        Item::Call { call, seal, whole } => {
            o.object("functionCall", |o| write_call(o, call, *whole, model));
            write_seal(o, *seal);
        }
        Item::Response { result, name, .. } => {
            o.object("functionResponse", |o| write_response(o, result, name, model));
        }
        Item::Media { source, detail, seal } => {
            write_source(o, source);
            let level = detail.filter(|_| model.is_third()).and_then(media::resolution);
            if let Some(level) = level {
                o.object("mediaResolution", |o| _ = o.string("level", level));
            }
            write_seal(o, *seal);
        }
    }
}

fn write_seal(o: &mut JsonWriter<'_>, seal: Option<&str>) {
    if let Some(seal) = seal {
        o.string("thoughtSignature", seal);
    }
}

/// Models before the third generation refuse ids.
fn write_call(o: &mut JsonWriter<'_>, call: &ToolCall, whole: bool, model: Model) {
    if model.is_third() {
        o.string("id", &call.id);
    }
    o.string("name", &call.name);
    write_arguments(o, &call.arguments, whole);
}

/// `args` is an object: what is none, as models break their JSON and custom tools take text, goes
/// as its only member.
fn write_arguments(o: &mut JsonWriter<'_>, arguments: &Arguments, whole: bool) {
    match arguments {
        Arguments::Json(json) if whole => _ = o.raw("args", json),
        Arguments::Json(json) if json.trim().is_empty() => _ = o.raw("args", "{}"),
        Arguments::Json(text) | Arguments::Text(text) => {
            o.object("args", |o| _ = o.string("input", text));
        }
    }
}

fn write_response(o: &mut JsonWriter<'_>, result: &ToolResult, name: &str, model: Model) {
    if model.is_third() {
        o.string("id", &result.call);
    }
    o.string("name", name);
    let texts: Vec<&str> = result.parts.iter().filter_map(text_of).collect();
    let text = texts.join("\n");
    if result.failed {
        o.object("response", |o| _ = o.string("error", &text));
    } else if Object::scan(text.as_bytes()).is_ok() {
        o.raw("response", &text);
    } else {
        o.object("response", |o| _ = o.string("output", &text));
    }
    if model.is_third() && result.parts.iter().any(|part| source_of(part).is_some()) {
        o.array("parts", |a| write_media_of(a, result));
    }
}

fn text_of(part: &Part) -> Option<&str> {
    match &part.body {
        PartBody::Text { text, .. } | PartBody::Refusal { text } => Some(text),
        PartBody::Document { source: Source::Text(text), .. } => Some(text),
        _ => None,
    }
}

/// What of a result is no text and can be written.
fn source_of(part: &Part) -> Option<&Source> {
    match &part.body {
        PartBody::Image { source, .. }
        | PartBody::Document { source, .. }
        | PartBody::Audio { source } => match source {
            Source::Text(_) => None,
            Source::File(id) => is_reachable(id).then_some(source),
            Source::Url(_) | Source::Base64 { .. } => Some(source),
        },
        _ => None,
    }
}

fn write_media_of(a: &mut Array<'_>, result: &ToolResult) {
    for source in result.parts.iter().filter_map(source_of) {
        a.object(|o| write_source(o, source));
    }
}

fn write_source(o: &mut JsonWriter<'_>, source: &Source) {
    match source {
        Source::Text(text) => _ = o.string("text", text),
        Source::Base64 { media_type, data } => {
            o.object("inlineData", |o| {
                o.string("mimeType", media_type).string("data", data);
            });
        }
        Source::Url(uri) | Source::File(uri) => {
            o.object("fileData", |o| {
                if let Some(media_type) = media::type_of_name(uri) {
                    o.string("mimeType", media_type);
                }
                o.string("fileUri", uri);
            });
        }
    }
}
