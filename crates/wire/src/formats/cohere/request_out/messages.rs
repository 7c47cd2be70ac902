//! Writing messages.

use crate::conversation::{Arguments, Source, ToolCall};
use crate::formats::turns::{Said, Turn};
use crate::json::write::{Array, JsonWriter};

/// `messages`. What is said about the form of the answer follows the instructions that come first.
pub(super) fn write_messages(
    o: &mut JsonWriter<'_>,
    turns: &[Turn<'_>],
    instruction: Option<&str>,
) {
    let leading = turns.iter().take_while(|turn| matches!(turn, Turn::System(_))).count();
    let (first, others) = turns.split_at(leading);
    o.array("messages", |a| {
        for turn in first {
            a.object(|o| write_turn(o, turn));
        }
        if let Some(text) = instruction {
            a.object(|o| _ = o.string("role", "system").string("content", text));
        }
        for turn in others {
            a.object(|o| write_turn(o, turn));
        }
    });
}

fn write_turn(o: &mut JsonWriter<'_>, turn: &Turn<'_>) {
    match turn {
        Turn::System(texts) => {
            o.string("role", "system");
            write_texts(o, texts);
        }
        Turn::User(said) => {
            o.string("role", "user");
            write_said(o, said);
        }
        Turn::Assistant { texts, calls, .. } => {
            o.string("role", "assistant");
            if !texts.is_empty() {
                write_texts(o, texts);
            }
            write_calls(o, calls);
        }
        Turn::Result { id, texts, .. } => {
            o.string("role", "tool").string("tool_call_id", id);
            write_texts(o, texts);
        }
    }
}

/// One text is a string, several are parts.
fn write_texts(o: &mut JsonWriter<'_>, texts: &[&str]) {
    match texts {
        [] => _ = o.string("content", ""),
        [only] => _ = o.string("content", only),
        several => {
            o.array("content", |a| several.iter().for_each(|text| write_text(a, text)));
        }
    }
}

fn write_text(a: &mut Array<'_>, text: &str) {
    a.object(|o| _ = o.string("type", "text").string("text", text));
}

fn write_said(o: &mut JsonWriter<'_>, said: &[Said<'_>]) {
    if let [Said::Text(only)] = said {
        o.string("content", only);
        return;
    }
    o.array("content", |a| {
        for part in said {
            match part {
                Said::Text(text) => write_text(a, text),
                Said::Image { source, detail } => write_image(a, source, *detail),
            }
        }
    });
}

fn write_image(a: &mut Array<'_>, source: &Source, detail: Option<&str>) {
    a.object(|o| {
        o.string("type", "image_url").object("image_url", |o| {
            match source {
                Source::Base64 { media_type, data } => {
                    o.joined("url", &["data:", media_type, ";base64,", data]);
                }
                Source::Url(text) | Source::File(text) | Source::Text(text) => {
                    o.string("url", text);
                }
            }
            if let Some(detail) = detail {
                o.string("detail", detail);
            }
        });
    });
}

fn write_calls(o: &mut JsonWriter<'_>, calls: &[&ToolCall]) {
    if calls.is_empty() {
        return;
    }
    o.array("tool_calls", |a| {
        for call in calls {
            a.object(|o| {
                o.string("id", &call.id).string("type", "function");
                o.object("function", |o| {
                    o.string("name", &call.name);
                    write_arguments(o, &call.arguments);
                });
            });
        }
    });
}

/// Arguments are the text of a JSON object, which free text becomes as its only member.
fn write_arguments(o: &mut JsonWriter<'_>, arguments: &Arguments) {
    match arguments {
        Arguments::Json(json) if json.trim().is_empty() => _ = o.string("arguments", "{}"),
        Arguments::Json(json) => _ = o.string("arguments", json),
        Arguments::Text(text) => {
            let mut wrapped = Vec::new();
            crate::json::write::object(&mut wrapped, |o| _ = o.string("input", text));
            o.string("arguments", &String::from_utf8(wrapped).unwrap_or_default());
        }
    }
}
