//! The body as it goes upstream: the client's own bytes, or those of a translation, with the edits
//! that the deployment asks for.

use bytes::Bytes;

use super::asked::ClientRequest;
use crate::WireFormat;
use crate::formats::client_fields::{Standing, standing};
use crate::formats::openai_chat::{ChatRequest, RequestPatch, upstream_body};
use crate::json::{JsonPath, Malformed, Object, Splice, quoted, without};

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
    /// The edits. Quirks, and asking for the usage of a stream, concern chat only.
    pub edits: RequestPatch<'a>,
    /// Whether fields that the model does not take are left out rather than refused.
    pub drops: bool,
    /// What is removed within fields; of whole fields those in the edits go.
    pub drop_paths: &'a [JsonPath],
}

/// A body ready to be sent, and the client's fields that it lost on the way.
type Patched = (Bytes, Vec<Box<str>>);

/// Why a body cannot be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotSent {
    /// It is no JSON object.
    Malformed(Malformed),
    /// It holds a field that the model does not take.
    Unsupported(Box<str>),
}

impl From<Malformed> for NotSent {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
    }
}

/// The body of a request in the upstream's format with the deployment's edits. Without edits it is
/// the same bytes.
///
/// # Errors
/// [`NotSent`] when `body` is no JSON object, or asks for what the model does not do.
pub fn patched(
    format: WireFormat,
    body: &Bytes,
    own: Option<&ClientRequest>,
    patch: &BodyPatch<'_>,
) -> Result<Patched, NotSent> {
    let (body, mut dropped) = match format {
        WireFormat::OpenAiChat => chat(body, own.and_then(|request| request.chat.as_ref()), patch)?,
        WireFormat::OpenAiResponses
        | WireFormat::AnthropicMessages
        | WireFormat::Gemini
        | WireFormat::BedrockConverse
        | WireFormat::Cohere
        | WireFormat::Ollama => plain(format, body, patch)?,
    };
    if patch.drop_paths.iter().all(|path| path.field().is_some()) {
        return Ok((body, dropped));
    }
    let within = patch.drop_paths.iter().filter(|path| path.field().is_none()).cloned();
    let within: Vec<JsonPath> = within.collect();
    let (body, hit) = without(&body, &within)?;
    dropped.extend(hit.into_iter().map(|path| path.as_written().into()));
    Ok((body, dropped))
}

/// A body of any format but chat.
fn plain(format: WireFormat, body: &Bytes, patch: &BodyPatch<'_>) -> Result<Patched, NotSent> {
    let object = Object::scan(body)?;
    let mut splice = Splice::new(body, &object);
    let mut dropped = Vec::new();
    for name in READ_MEMBERS {
        splice.remove_shadowed(name);
    }
    for member in object.members() {
        let name = &*member.name;
        if !patch.drops && patch.edits.provider_refuses(name, member.raw()) {
            return Err(NotSent::Unsupported(name.into()));
        }
        if patch.edits.drops(name) {
            splice.remove(name);
            dropped.push(name.into());
        } else if matches!(standing(name), Standing::Gateway(_)) {
            splice.remove(name);
        }
    }
    for (name, raw) in patch.edits.defaults {
        if splice.value(name).is_none() {
            splice.set(name, raw.clone());
        }
    }
    for (name, raw) in patch.edits.extra {
        splice.set(name, raw.clone());
    }
    set_model(&mut splice, format, patch.edits.model);
    Ok((splice.finish(), dropped))
}

fn chat(
    body: &Bytes,
    own: Option<&ChatRequest>,
    patch: &BodyPatch<'_>,
) -> Result<Patched, NotSent> {
    let read;
    let request = match own {
        Some(request) => request,
        None => match ChatRequest::read(body, Some(patch.edits.model)) {
            Ok(request) => {
                read = request;
                &read
            }
            // What the writer wrote is a request; should it not be, it is the upstream's to judge.
            Err(_) => return Ok((body.clone(), Vec::new())),
        },
    };
    let mut edits = patch.edits;
    let unsupported: Vec<Box<str>> =
        edits.unsupported(request).into_iter().map(|field| (*field).into()).collect();
    if let Some(field) = unsupported.first().filter(|_| !patch.drops) {
        return Err(NotSent::Unsupported(field.clone()));
    }
    let all;
    if !unsupported.is_empty() {
        all = [edits.drop_fields, &unsupported].concat();
        edits.drop_fields = &all;
    }
    let dropped = edits.dropped(request).map(Box::from).collect();
    Ok((upstream_body(body, request, &edits)?, dropped))
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
