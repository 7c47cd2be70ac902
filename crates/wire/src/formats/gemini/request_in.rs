//! Reading the body of `generateContent` and `streamGenerateContent` into a conversation.

mod contents;
mod settings;

use bytes::Bytes;
use bytestring::ByteString;
use tollgate_domain::ModelName;

use self::contents::Contents;
use self::settings::Settings;
use super::fields::{Body, Members, Place, Unmapped};
use crate::conversation::{Conversation, Message, Role};
use crate::formats::client_fields::{Standing, standing};
use crate::formats::openai_chat::{RequestProblem, refuse_forbidden};
use crate::json::Object;

/// Fields of the request that the hub has a word for. What belongs to them and has none is kept
/// under its full path.
const MAPPED: [&str; 6] =
    ["model", "contents", "systemInstruction", "tools", "toolConfig", "generationConfig"];

/// What stands before a model's name in bodies and paths of Google's APIs.
const MODEL_PREFIX: &str = "models/";

/// Reads a request body. `stream` is what the path says: whether it ends in
/// `:streamGenerateContent`. A model that the path names takes precedence over the body's.
///
/// Members may be spelled `systemInstruction` or `system_instruction`, as Google's APIs take both;
/// problems name the first.
///
/// # Errors
/// [`RequestProblem`] with the first problem found and the place where it stands.
pub fn to_conversation(
    body: &Bytes,
    path_model: Option<&str>,
    stream: bool,
) -> Result<Conversation, RequestProblem> {
    let object = Object::scan(body).map_err(RequestProblem::Malformed)?;
    let mut unmapped = Unmapped::default();
    refuse_forbidden(&object)?;
    let members = Members::of_body(&object);
    let text = Body::new(body);
    let model = read_model(&members, &text, path_model)?;
    let messages = read_messages(&members, &text, &mut unmapped)?;
    let mut settings = Settings { body: &text, unmapped: &mut unmapped };
    let tools = settings.tools(members.find("tools"))?;
    let tool_choice = settings.tool_config(members.find("toolConfig"))?;
    let generation = settings.generation(members.find("generationConfig"))?;
    for (name, value) in members.others(&MAPPED) {
        if standing(name) == Standing::Upstream {
            unmapped.at(&Place::top(name), text.raw(value));
        }
    }
    Ok(Conversation {
        model,
        stream,
        include_usage: true,
        messages,
        tools,
        tool_choice,
        parallel_tools: None,
        response_format: generation.response_format,
        sampling: generation.sampling,
        reasoning: generation.reasoning,
        output_tokens_max: generation.output_tokens_max,
        choices: generation.choices,
        user: None,
        unmapped: unmapped.0,
    })
}

fn read_model(
    members: &Members<'_>,
    body: &Body,
    path: Option<&str>,
) -> Result<ModelName, RequestProblem> {
    let at = Place::top("model");
    let named = match path {
        Some(path) => Some(path.into()),
        None => body.optional_text(members.find("model"), &at)?,
    };
    let name: ByteString = named.ok_or(RequestProblem::Missing { field: "model" })?;
    ModelName::new(name.strip_prefix(MODEL_PREFIX).unwrap_or(&name))
        .map_err(|_| at.out_of_range("1 to 256 bytes without control characters"))
}

/// The system instruction, as the first message, and the contents behind it.
fn read_messages(
    members: &Members<'_>,
    body: &Body,
    unmapped: &mut Unmapped,
) -> Result<Vec<Message>, RequestProblem> {
    let mut contents = Contents::new(body, unmapped);
    let mut messages = Vec::new();
    if let Some(system) = members.find("systemInstruction") {
        let parts = contents.system(system, &Place::top("systemInstruction"))?;
        if !parts.is_empty() {
            messages.push(Message { role: Role::System, parts, name: None });
        }
    }
    let field = "contents";
    let given = members.find(field).ok_or(RequestProblem::Missing { field })?;
    messages.extend(contents.all(given, &Place::top(field))?);
    Ok(messages)
}

#[cfg(test)]
mod tests;
