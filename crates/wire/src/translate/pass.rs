//! The body as it goes upstream: the client's own bytes, or those of a translation, with the edits
//! that the deployment asks for.

use bytes::Bytes;

use super::asked::ClientRequest;
use crate::WireFormat;
use crate::formats::client_fields::{Standing, standing};
use crate::formats::openai_chat::{ChatRequest, RequestPatch, upstream_body};
use crate::json::{Malformed, Object, Splice, quoted};
use crate::provider::Quirks;

/// The members of the other formats that the gateway has read and decided on, as the chat patch has
/// its own.
const READ_MEMBERS: [&str; 8] = [
    "model",
    "messages",
    "input",
    "contents",
    "stream",
    "max_tokens",
    "max_output_tokens",
    "generationConfig",
];

/// What a deployment changes in a body.
#[derive(Debug, Clone, Copy)]
pub struct BodyPatch<'a> {
    /// The model's name at the provider.
    pub model: &'a str,
    /// Field and raw JSON: set where the body has none.
    pub defaults: &'a [(Box<str>, Box<str>)],
    /// Field and raw JSON: always set, last.
    pub extra: &'a [(Box<str>, Box<str>)],
    /// Ask for the usage at the end of a chat stream when the client did not.
    pub send_stream_usage: bool,
    /// Fields that the deployment does not send.
    pub drop_fields: &'a [Box<str>],
    /// What the provider deviates in, where it speaks chat.
    pub quirks: &'a Quirks,
}

/// A body ready to be sent, and the client's fields that it lost on the way.
type Patched = (Bytes, Vec<Box<str>>);

/// The body of a request in the upstream's format with the deployment's edits. Without edits it is
/// the same bytes.
///
/// # Errors
/// [`Malformed`] when `body` is no JSON object.
pub fn patched(
    format: WireFormat,
    body: &Bytes,
    own: Option<&ClientRequest>,
    patch: &BodyPatch<'_>,
) -> Result<Patched, Malformed> {
    if format == WireFormat::OpenAiChat {
        return chat(body, own.and_then(|request| request.chat.as_ref()), patch);
    }
    let object = Object::scan(body)?;
    let mut splice = Splice::new(body, &object);
    let mut dropped = Vec::new();
    for name in READ_MEMBERS {
        splice.remove_shadowed(name);
    }
    for member in object.members() {
        let name = &*member.name;
        if patch.drop_fields.iter().any(|field| **field == *name) {
            splice.remove(name);
            dropped.push(name.into());
        } else if matches!(standing(name), Standing::Gateway(_)) {
            splice.remove(name);
        }
    }
    for (name, raw) in patch.defaults {
        if splice.value(name).is_none() {
            splice.set(name, raw.clone());
        }
    }
    for (name, raw) in patch.extra {
        splice.set(name, raw.clone());
    }
    set_model(&mut splice, format, patch.model);
    Ok((splice.finish(), dropped))
}

fn chat(
    body: &Bytes,
    own: Option<&ChatRequest>,
    patch: &BodyPatch<'_>,
) -> Result<Patched, Malformed> {
    let read;
    let request = match own {
        Some(request) => request,
        None => match ChatRequest::read(body, Some(patch.model)) {
            Ok(request) => {
                read = request;
                &read
            }
            // What the writer wrote is a request; should it not be, it is the upstream's to judge.
            Err(_) => return Ok((body.clone(), Vec::new())),
        },
    };
    let of_chat = RequestPatch {
        model: patch.model,
        defaults: patch.defaults,
        extra: patch.extra,
        send_stream_usage: patch.send_stream_usage,
        drop_fields: patch.drop_fields,
        quirks: patch.quirks,
    };
    let dropped = of_chat.dropped(request).map(Box::from).collect();
    Ok((upstream_body(body, request, &of_chat)?, dropped))
}

/// Writes the model where the format has it in the body; where the URL has it, the body has not.
fn set_model(splice: &mut Splice, format: WireFormat, model: &str) {
    let there = splice.value("model").and_then(|raw| raw.text().map(|text| text == model));
    match format {
        WireFormat::Gemini | WireFormat::BedrockConverse => splice.remove("model"),
        WireFormat::OpenAiChat
        | WireFormat::OpenAiResponses
        | WireFormat::AnthropicMessages
        | WireFormat::Cohere
        | WireFormat::Ollama => {
            if there != Some(true) {
                splice.set("model", quoted(model));
            }
        }
    }
}
