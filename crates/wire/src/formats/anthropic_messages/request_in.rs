//! Reading a request of the Messages API into a conversation.

mod blocks;
mod fields;
mod settings;

use std::collections::HashSet;

use bytes::Bytes;
use bytestring::ByteString;
use tollgate_domain::ModelName;

use self::blocks::{Blocks, Members};
pub(super) use self::blocks::{citation, redacted};
use self::fields::{Body, Place, Unmapped, count, flag, of_kind};
use self::settings::Settings;
use crate::conversation::{
    Conversation, Message, Number, Part, PartBody, Reasoning, ResponseFormat, Role, Sampling,
};
use crate::formats::client_fields::{Standing, standing};
use crate::formats::openai_chat::RequestProblem;
use crate::formats::seal::Sealer;
use crate::json::{Kind, Object, Raw, quoted};

/// The beginning of a system text that the vendor's own command line client sends for the vendor's
/// books. It differs from call to call, so that passing it on would defeat every prompt cache.
const BILLING_MARK: &str = "x-anthropic-billing-header:";

/// Fields of the request that the hub has a word for.
const MAPPED: [&str; 14] = [
    "model",
    "max_tokens",
    "messages",
    "system",
    "stop_sequences",
    "temperature",
    "top_p",
    "top_k",
    "tools",
    "tool_choice",
    "thinking",
    "output_config",
    "output_format",
    "stream",
];

/// Reads the body of `POST /v1/messages`. A model that the path names takes precedence over the
/// body's.
///
/// # Errors
/// [`RequestProblem`] with the first problem found and the place where it stands.
pub fn to_conversation(
    body: &Bytes,
    path_model: Option<&str>,
) -> Result<Conversation, RequestProblem> {
    to_sealed_conversation(body, path_model, None)
}

/// The same with the key of the gateway's own signatures: reasoning that carries a valid one keeps
/// it and is plain text of the provider that it names; see [`seal`](crate::formats::seal).
///
/// # Errors
/// [`RequestProblem`] with the first problem found and the place where it stands.
pub fn to_sealed_conversation(
    body: &Bytes,
    path_model: Option<&str>,
    sealer: Option<&Sealer>,
) -> Result<Conversation, RequestProblem> {
    let conversation = read(body, path_model, sealer)?;
    match conversation.output_tokens_max {
        Some(_) => Ok(conversation),
        None => Err(RequestProblem::Missing { field: "max_tokens" }),
    }
}

/// Reads the body of `POST /v1/messages/count_tokens`: the same without an output limit.
///
/// # Errors
/// [`RequestProblem`] with the first problem found and the place where it stands.
pub fn to_counted_conversation(
    body: &Bytes,
    path_model: Option<&str>,
) -> Result<Conversation, RequestProblem> {
    read(body, path_model, None)
}

fn read(
    body: &Bytes,
    path_model: Option<&str>,
    sealer: Option<&Sealer>,
) -> Result<Conversation, RequestProblem> {
    let object = Object::scan(body).map_err(RequestProblem::Malformed)?;
    let text = Body::new(body, sealer);
    let mut unmapped = Unmapped::default();
    let model = read_model(&object, &text, path_model)?;
    let messages = read_messages(&object, &text, &mut unmapped)?;
    let mut settings = Settings { body: &text, unmapped: &mut unmapped };
    let tools = settings.tools(object.value("tools"))?;
    let (tool_choice, parallel_tools) = settings.tool_choice(object.value("tool_choice"))?;
    let (reasoning, response_format) = read_reasoning_and_format(&object, &mut settings)?;
    let user = settings.user(object.value("metadata"))?;
    keep_unmapped(&object, &text, &mut unmapped)?;
    Ok(Conversation {
        model,
        stream: flag(object.value("stream"), &Place::top("stream"))?.unwrap_or(false),
        include_usage: true,
        messages,
        tools,
        tool_choice,
        parallel_tools,
        response_format,
        sampling: read_sampling(&object, &text)?,
        reasoning,
        output_tokens_max: count(object.value("max_tokens"), &Place::top("max_tokens"))?,
        choices: 1,
        user,
        unmapped: unmapped.0,
    })
}

fn read_reasoning_and_format(
    object: &Object<'_>,
    settings: &mut Settings<'_>,
) -> Result<(Reasoning, ResponseFormat), RequestProblem> {
    let mut reasoning = settings.thinking(object.value("thinking"))?;
    let (effort, format) = settings.output_config(object.value("output_config"))?;
    reasoning.effort = effort;
    // The older spelling of `output_config.format`, which counts only without the newer.
    let older = settings.format(object.value("output_format"), &Place::top("output_format"))?;
    Ok((reasoning, format.or(older).unwrap_or_default()))
}

fn read_model(
    object: &Object<'_>,
    body: &Body<'_>,
    path: Option<&str>,
) -> Result<ModelName, RequestProblem> {
    let at = Place::top("model");
    let named = match path {
        Some(path) => Some(path.into()),
        None => body.optional_text(object.value("model"), &at)?,
    };
    let name: ByteString = named.ok_or(RequestProblem::Missing { field: "model" })?;
    ModelName::new(&name).map_err(|_| at.out_of_range("1 to 256 bytes without control characters"))
}

/// The system prompt, as the first message, and the messages behind it.
fn read_messages(
    object: &Object<'_>,
    body: &Body<'_>,
    unmapped: &mut Unmapped,
) -> Result<Vec<Message>, RequestProblem> {
    let mut read = Vec::new();
    if let Some(system) = object.value("system") {
        let parts = read_system(system, body, unmapped)?;
        if !parts.is_empty() {
            read.push(Message { role: Role::System, parts, name: None });
        }
    }
    let at = Place::top("messages");
    let messages = object.value("messages").ok_or(RequestProblem::Missing { field: "messages" })?;
    if messages.kind() != Kind::Array {
        return Err(at.wrong_type("an array of messages", messages));
    }
    if !messages.holds_something() {
        return Err(at.out_of_range("an array of at least one message"));
    }
    let mut called = HashSet::new();
    for (index, message) in messages.elements().enumerate() {
        let at = at.index(index);
        let message = read_message(message, &at, body, unmapped)?;
        check_calls(&message, &at, &mut called)?;
        read.push(message);
    }
    Ok(read)
}

fn read_system(
    system: Raw<'_>,
    body: &Body<'_>,
    unmapped: &mut Unmapped,
) -> Result<Vec<Part>, RequestProblem> {
    let at = Place::top("system");
    let mut parts = Vec::new();
    let given = Blocks { body, unmapped }.content(Some(system), &at)?;
    for (index, part) in given.into_iter().enumerate() {
        match &part.body {
            PartBody::Text { text, .. } if text.starts_with(BILLING_MARK) => {
                unmapped.at(&at.index(index), quoted(text).into());
            }
            PartBody::Text { .. } => parts.push(part),
            _ => return Err(at.index(index).field("type").out_of_range("`text`")),
        }
    }
    Ok(parts)
}

fn read_message(
    message: Raw<'_>,
    at: &Place<'_>,
    body: &Body<'_>,
    unmapped: &mut Unmapped,
) -> Result<Message, RequestProblem> {
    let members = Members::of(of_kind(Some(message), Kind::Object, at)?);
    let role_at = at.field("role");
    let role = match &*body.needed_text(members.find("role"), &role_at)? {
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "system" => Role::System,
        _ => return Err(role_at.out_of_range("`user`, `assistant` or `system`")),
    };
    for (name, value) in members.others(&["role", "content"]) {
        unmapped.at(&at.field(name), body.raw(value));
    }
    let content_at = at.field("content");
    let parts = Blocks { body, unmapped }.content(members.find("content"), &content_at)?;
    if let Some(index) = parts.iter().position(|part| !may_say(role, &part.body)) {
        let expected = match role {
            Role::Assistant => "a block that the model can say",
            Role::User => "a block that a user can say",
            Role::System | Role::Developer => "`text`",
        };
        return Err(content_at.index(index).field("type").out_of_range(expected));
    }
    Ok(Message { role, parts, name: None })
}

const fn may_say(role: Role, part: &PartBody) -> bool {
    match part {
        PartBody::Text { .. } => true,
        PartBody::ToolCall(_) | PartBody::Reasoning(_) => matches!(role, Role::Assistant),
        PartBody::ToolResult(_) => matches!(role, Role::User),
        PartBody::Image { .. } | PartBody::Document { .. } => {
            matches!(role, Role::User | Role::Assistant)
        }
        PartBody::Audio { .. } | PartBody::Refusal { .. } => false,
    }
}

/// Every tool result answers a call that was made before it, and the calls of one message can be
/// told apart.
fn check_calls(
    message: &Message,
    at: &Place<'_>,
    called: &mut HashSet<ByteString>,
) -> Result<(), RequestProblem> {
    let mut own = HashSet::new();
    for (index, part) in message.parts.iter().enumerate() {
        match &part.body {
            PartBody::ToolCall(call) if !own.insert(&call.id) => {
                let content = at.field("content");
                let block = content.index(index);
                let expected = "an id that no other `tool_use` block of the message has";
                return Err(block.field("id").out_of_range(expected));
            }
            PartBody::ToolCall(call) => {
                called.insert(call.id.clone());
            }
            PartBody::ToolResult(result) if !called.contains(&result.call) => {
                let content = at.field("content");
                let block = content.index(index);
                let expected = "the id of a `tool_use` block in an earlier message";
                return Err(block.field("tool_use_id").out_of_range(expected));
            }
            _ => {}
        }
    }
    Ok(())
}

fn read_sampling(object: &Object<'_>, body: &Body<'_>) -> Result<Sampling, RequestProblem> {
    let number = |name| match object.value(name) {
        Some(value) if value.kind() == Kind::Number => Ok(Some(Number(body.raw(value)))),
        Some(value) => Err(Place::top(name).wrong_type("a number", value)),
        None => Ok(None),
    };
    let mut sampling = Sampling {
        temperature: number("temperature")?,
        top_p: number("top_p")?,
        top_k: number("top_k")?,
        ..Sampling::default()
    };
    let at = Place::top("stop_sequences");
    if let Some(stop) = object.value("stop_sequences") {
        let stop = of_kind(Some(stop), Kind::Array, &at)?;
        for (index, text) in stop.elements().enumerate() {
            sampling.stop.push(body.text(text, &at.index(index))?);
        }
    }
    Ok(sampling)
}

/// Keeps what the hub has no word for. What concerns the gateway alone ends here.
fn keep_unmapped(
    object: &Object<'_>,
    body: &Body<'_>,
    unmapped: &mut Unmapped,
) -> Result<(), RequestProblem> {
    for member in object.members() {
        let name = &*member.name;
        match standing(name) {
            Standing::Refused(_) => {
                return Err(RequestProblem::NotAllowed { field: name.to_owned() });
            }
            Standing::Gateway(_) => {}
            Standing::Upstream if MAPPED.contains(&name) || name == "metadata" => {}
            Standing::Upstream => unmapped.at(&Place::top(name), body.raw(member.raw())),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
