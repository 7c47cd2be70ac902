//! Messages. What tools gave back stands in messages of its own, before what the user says.

use super::super::answer_out::write_calls;
use super::super::names::fitted_id;
use super::media;
use super::reasoning::write_back;
use super::report::Report;
use crate::conversation::{Message, Part, PartBody, Role, Source, ToolCall, ToolResult};
use crate::formats::translation::Unsupported;
use crate::json::write::{Array, JsonWriter};

/// Writes `messages`.
pub(super) fn write_messages(
    body: &mut JsonWriter<'_>,
    messages: &[Message],
    report: &mut Report<'_>,
) -> Result<(), Unsupported> {
    let mut outcome = Ok(());
    body.array("messages", |list| {
        outcome = messages.iter().try_for_each(|message| write_message(list, message, report));
    });
    outcome
}

fn write_message(
    list: &mut Array<'_>,
    message: &Message,
    report: &mut Report<'_>,
) -> Result<(), Unsupported> {
    if report.cache_word().is_none() && message.parts.iter().any(|part| part.cache.is_some()) {
        report.leave_out("cache_control");
    }
    match message.role {
        // The newer models read `system` as `developer` by themselves, and most other servers do
        // not know the word.
        Role::System | Role::Developer => {
            write_said(list, "system", message, &message.parts, report)
        }
        Role::User => write_user(list, message, report),
        Role::Assistant => write_assistant(list, message, report),
    }
}

fn write_user(
    list: &mut Array<'_>,
    message: &Message,
    report: &mut Report<'_>,
) -> Result<(), Unsupported> {
    let mut said = Vec::new();
    let mut results = 0;
    for part in &message.parts {
        match &part.body {
            PartBody::ToolResult(result) => {
                write_result(list, result, report);
                said.extend(shown(result));
                results += 1;
            }
            _ => said.push(part.clone()),
        }
    }
    if said.is_empty() && results > 0 {
        return Ok(());
    }
    write_said(list, "user", message, &said, report)
}

/// A `tool` message, which takes text only.
fn write_result(list: &mut Array<'_>, result: &ToolResult, report: &mut Report<'_>) {
    if result.failed {
        report.leave_out("is_error");
    }
    let texts: Vec<&str> = result.parts.iter().filter_map(plain_text).collect();
    list.object(|message| {
        message.string("role", "tool").string("tool_call_id", &fitted_id(&result.call));
        write_texts(message, &texts);
    });
}

/// What a tool showed and a `tool` message cannot hold, to be shown by the user.
fn shown(result: &ToolResult) -> Vec<Part> {
    let media: Vec<Part> =
        result.parts.iter().filter(|part| plain_text(part).is_none()).cloned().collect();
    if media.is_empty() {
        return media;
    }
    let heading = Part::text(format!("[shown by tool call {}]", result.call));
    std::iter::once(heading).chain(media).collect()
}

fn plain_text(part: &Part) -> Option<&str> {
    match &part.body {
        PartBody::Text { text, .. } | PartBody::Refusal { text } => Some(text),
        PartBody::Document { source: Source::Text(text), .. } => Some(text),
        _ => None,
    }
}

/// One text is a string, which every server takes; several are parts.
fn write_texts(message: &mut JsonWriter<'_>, texts: &[&str]) {
    match texts {
        [] => _ = message.string("content", ""),
        [only] => _ = message.string("content", only),
        several => {
            message.array("content", |list| {
                for text in several {
                    list.object(|part| _ = part.string("type", "text").string("text", text));
                }
            });
        }
    }
}

fn write_said(
    list: &mut Array<'_>,
    role: &str,
    message: &Message,
    parts: &[Part],
    report: &mut Report<'_>,
) -> Result<(), Unsupported> {
    let hinted = report.cache_word().is_some() && parts.iter().any(|part| part.cache.is_some());
    let texts: Option<Vec<&str>> = match hinted {
        true => None,
        false => parts.iter().map(plain_text).collect(),
    };
    let mut outcome = Ok(());
    list.object(|object| {
        object.string("role", role);
        match texts {
            Some(texts) => write_texts(object, &texts),
            None => {
                object.array("content", |list| {
                    outcome = parts.iter().try_for_each(|part| write_part(list, part, report));
                });
            }
        }
        write_name(object, message);
    });
    outcome
}

fn write_name(object: &mut JsonWriter<'_>, message: &Message) {
    if let Some(name) = &message.name {
        object.string("name", name);
    }
}

fn write_part(
    list: &mut Array<'_>,
    part: &Part,
    report: &mut Report<'_>,
) -> Result<(), Unsupported> {
    if let Some(text) = plain_text(part) {
        list.object(|object| {
            object.string("type", "text").string("text", text);
            if let (Some(word), Some(hint)) = (report.cache_word(), part.cache) {
                word.write(object, hint);
            }
        });
        return Ok(());
    }
    match &part.body {
        PartBody::Image { source, detail } => {
            media::write_image(list, source, detail.as_deref(), report)
        }
        PartBody::Document { source, name } => {
            media::write_document(list, source, name.as_deref(), report)
        }
        PartBody::Audio { source } => media::write_audio(list, source, report),
        PartBody::Text { .. }
        | PartBody::Refusal { .. }
        | PartBody::ToolCall(_)
        | PartBody::ToolResult(_)
        | PartBody::Reasoning(_) => {
            report.cannot("messages.content", "this part has no place in such a message")
        }
    }
}

/// An assistant's message. Reasoning stays behind unless the provider wants it back: most servers
/// refuse it.
fn write_assistant(
    list: &mut Array<'_>,
    message: &Message,
    report: &mut Report<'_>,
) -> Result<(), Unsupported> {
    let mut texts: Vec<&str> = Vec::new();
    let mut refusals: Vec<&str> = Vec::new();
    let mut calls: Vec<&ToolCall> = Vec::new();
    let mut audio = None;
    for part in &message.parts {
        match &part.body {
            PartBody::Text { text, .. } => texts.push(text),
            PartBody::Refusal { text } => refusals.push(text),
            PartBody::ToolCall(call) => calls.push(call),
            PartBody::Audio { source: Source::File(id) } => audio = Some(id),
            PartBody::Reasoning(_) => {}
            PartBody::Image { .. }
            | PartBody::Document { .. }
            | PartBody::Audio { .. }
            | PartBody::ToolResult(_) => {
                report.cannot("messages.content", "an assistant's message cannot show media")?;
            }
        }
    }
    let silent = texts.is_empty() && (!calls.is_empty() || !refusals.is_empty() || audio.is_some());
    list.object(|object| {
        object.string("role", "assistant");
        match silent {
            true => object.null("content"),
            false => object.joined("content", &texts),
        };
        if !refusals.is_empty() {
            object.joined("refusal", &refusals);
        }
        if let Some(id) = audio {
            object.object("audio", |audio| _ = audio.string("id", id));
        }
        write_back(object, message, report);
        write_calls(object, &calls, false);
        write_name(object, message);
    });
    Ok(())
}
