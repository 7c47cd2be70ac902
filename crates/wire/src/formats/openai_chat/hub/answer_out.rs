//! Writing a whole answer for a client.

use std::borrow::Cow;

use super::names::{fitted_id, fitted_name};
use super::reasoning::write_reasoning;
use super::usage_out::write_usage;
use super::{citation, finish};
use crate::conversation::{Answer, Arguments, Choice, PartBody, ReasoningBlock, Source, ToolCall};
use crate::formats::translation::Reply;
use crate::json::write::{JsonWriter, object};

/// Writes an answer as a `chat.completion` object.
///
/// Reasoning stands beside the content as servers of this format send it, sealed reasoning where a
/// client that sends messages back unchanged keeps it. A choice without a finish reason says
/// `null`: the gateway claims no end that nobody reported.
#[must_use]
pub fn from_answer(answer: &Answer, reply: &Reply) -> Vec<u8> {
    let mut out = Vec::new();
    object(&mut out, |body| {
        body.string("id", answer.id.as_deref().unwrap_or(&reply.id));
        body.string("object", "chat.completion");
        body.number("created", answer.created.unwrap_or(reply.created));
        body.string("model", &reply.model);
        body.array("choices", |choices| {
            for (index, choice) in answer.choices.iter().enumerate() {
                choices.object(|object| write_choice(object, choice, index as u64));
            }
        });
        if let Some(usage) = &answer.usage {
            body.object("usage", |object| write_usage(usage, object));
        }
    });
    out
}

fn write_choice(object: &mut JsonWriter<'_>, choice: &Choice, index: u64) {
    object.number("index", index);
    object.object("message", |message| {
        message.string("role", "assistant");
        write_texts(message, choice);
        write_reasoning(message, &reasoning_of(choice));
        write_annotations(message, choice);
        write_images(message, choice);
        write_calls(message, &calls_of(choice), true);
    });
    object.null("logprobs");
    match choice.finish {
        Some(reason) => object.string("finish_reason", finish::write(reason)),
        None => object.null("finish_reason"),
    };
}

fn write_texts(message: &mut JsonWriter<'_>, choice: &Choice) {
    let texts: Vec<&str> = texts_of(choice).collect();
    match texts.is_empty() {
        true => message.null("content"),
        false => message.joined("content", &texts),
    };
    let refusals: Vec<&str> = choice
        .parts
        .iter()
        .filter_map(|part| match &part.body {
            PartBody::Refusal { text } => Some(&**text),
            _ => None,
        })
        .collect();
    match refusals.is_empty() {
        true => message.null("refusal"),
        false => message.joined("refusal", &refusals),
    };
}

fn texts_of(choice: &Choice) -> impl Iterator<Item = &str> {
    choice.parts.iter().filter_map(|part| match &part.body {
        PartBody::Text { text, .. } => Some(&**text),
        _ => None,
    })
}

fn reasoning_of(choice: &Choice) -> Vec<&ReasoningBlock> {
    let blocks = choice.parts.iter().filter_map(|part| match &part.body {
        PartBody::Reasoning(block) => Some(block),
        _ => None,
    });
    blocks.collect()
}

fn calls_of(choice: &Choice) -> Vec<&ToolCall> {
    let calls = choice.parts.iter().filter_map(|part| match &part.body {
        PartBody::ToolCall(call) => Some(call),
        _ => None,
    });
    calls.collect()
}

/// The spans count from the beginning of the whole content, which joins all texts.
fn write_annotations(message: &mut JsonWriter<'_>, choice: &Choice) {
    let cited = |part: &crate::conversation::Part| match &part.body {
        PartBody::Text { citations, .. } => citations.iter().any(citation::is_writable),
        _ => false,
    };
    if !choice.parts.iter().any(cited) {
        return;
    }
    message.array("annotations", |list| {
        let mut before = 0;
        for part in &choice.parts {
            let PartBody::Text { text, citations } = &part.body else { continue };
            for citation in citations {
                citation::write(list, citation, text, before);
            }
            before += text.chars().count() as u64;
        }
    });
}

/// Generated pictures, in the form that OpenRouter and the system taken over use.
fn write_images(message: &mut JsonWriter<'_>, choice: &Choice) {
    let images: Vec<&Source> = choice
        .parts
        .iter()
        .filter_map(|part| match &part.body {
            PartBody::Image {
                source: source @ (Source::Url(_) | Source::Base64 { .. }), ..
            } => Some(source),
            _ => None,
        })
        .collect();
    if images.is_empty() {
        return;
    }
    message.array("images", |list| {
        for source in images {
            list.object(|image| {
                image.string("type", "image_url");
                image.object("image_url", |url| write_url(url, source));
            });
        }
    });
}

/// Writes `url`: an address, or a data URI.
pub(super) fn write_url(object: &mut JsonWriter<'_>, source: &Source) {
    match source {
        Source::Base64 { media_type, data } => {
            object.joined("url", &["data:", media_type, ";base64,", data]);
        }
        Source::Url(text) | Source::File(text) | Source::Text(text) => {
            object.string("url", text);
        }
    }
}

/// Writes `tool_calls`, unless there are none. No arguments at all are an empty object, because
/// clients parse them. Seals are for clients: most upstreams refuse members that they do not know.
pub(super) fn write_calls(message: &mut JsonWriter<'_>, calls: &[&ToolCall], client: bool) {
    if calls.is_empty() {
        return;
    }
    message.array("tool_calls", |list| {
        for call in calls {
            list.object(|object| write_call(object, call, client));
        }
    });
}

fn write_call(object: &mut JsonWriter<'_>, call: &ToolCall, client: bool) {
    // A client has its own names; an upstream takes them only in its own length and characters.
    let (id, name) = match client {
        true => (Cow::Borrowed(&*call.id), Cow::Borrowed(&*call.name)),
        false => (fitted_id(&call.id), fitted_name(&call.name)),
    };
    object.string("id", &id);
    match &call.arguments {
        Arguments::Json(arguments) => {
            let arguments = if arguments.trim().is_empty() { "{}" } else { arguments };
            object.string("type", "function").object("function", |function| {
                function.string("name", &name).string("arguments", arguments);
            });
        }
        Arguments::Text(input) => {
            object.string("type", "custom").object("custom", |custom| {
                custom.string("name", &name).string("input", input);
            });
        }
    }
    if let Some(seal) = call.seal.as_ref().filter(|_| client) {
        write_seal(object, seal);
    }
}

/// Writes the seal of a call where Google's own servers of this format put it.
pub(super) fn write_seal(call: &mut JsonWriter<'_>, seal: &str) {
    call.object("extra_content", |extra| {
        extra.object("google", |google| _ = google.string("thought_signature", seal));
    });
}
