//! The body as it goes upstream: the client's own bytes, or those of a translation, with the edits
//! that the deployment asks for.

use bytes::Bytes;

use super::asked::ClientRequest;
use crate::WireFormat;
use crate::formats::client_fields::{Standing, standing};
use crate::formats::openai_chat::{self, ChatRequest, RequestPatch};
use crate::json::{JsonPath, Layout, Malformed, Splice, quoted, without};

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
    /// What an edit concerns in it is no JSON.
    Malformed(Malformed),
    /// It holds a field that the model does not take.
    Unsupported(Box<str>),
}

impl From<Malformed> for NotSent {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
    }
}

/// The body of a request in the upstream's format, whose members stand as `layout` says, with the
/// deployment's edits. Without edits it is the same bytes. `own` is the client's request where the
/// body is the client's; a body that nobody else holds is edited in its own memory.
///
/// # Errors
/// [`NotSent`] when it asks for what the model does not do.
pub fn patched(
    format: WireFormat,
    (body, layout): (Bytes, &Layout),
    own: Option<&ClientRequest>,
    patch: &BodyPatch<'_>,
) -> Result<Patched, NotSent> {
    let (body, mut dropped) = if format == WireFormat::OpenAiChat {
        let own = own.and_then(|request| request.chat.as_ref());
        let (splice, dropped) = chat((body, layout), own, patch)?;
        (splice.finish(), dropped)
    } else {
        plain(format, (body, layout), patch)?
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
fn plain(
    format: WireFormat,
    (body, layout): (Bytes, &Layout),
    patch: &BodyPatch<'_>,
) -> Result<Patched, NotSent> {
    let mut splice = Splice::owning(body, layout.clone());
    let mut dropped = Vec::new();
    for name in READ_MEMBERS {
        splice.remove_shadowed(name);
    }
    for name in layout.names() {
        let refused = |raw| patch.edits.provider_refuses(name, raw);
        if !patch.drops && splice.value(name).is_some_and(refused) {
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
    (body, layout): (Bytes, &Layout),
    own: Option<&ChatRequest>,
    patch: &BodyPatch<'_>,
) -> Result<(Splice, Vec<Box<str>>), NotSent> {
    let read;
    let request = match own {
        Some(request) => request,
        None => match ChatRequest::of_written(&body, layout, patch.edits.model) {
            Some(request) => {
                read = request;
                &read
            }
            // What the writer wrote is a request; should it not be, it is the upstream's to judge.
            None => return Ok((Splice::owning(body, layout.clone()), Vec::new())),
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
    Ok((openai_chat::patched(body, layout, request, &edits)?, dropped))
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
