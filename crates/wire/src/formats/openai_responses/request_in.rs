//! Reading a request of the Responses API into a conversation.

use bytes::Bytes;
use bytestring::ByteString;
use tollgate_domain::ModelName;

use super::fields::{At, Body, Unmapped, flag_if_any, object};
use super::items_in::Items;
use super::tools_in::{tool_choice, tools};
use crate::conversation::{
    Conversation, Effort, Message, Number, Reasoning, ResponseFormat, Sampling,
};
use crate::formats::client_fields::{Standing, standing};
use crate::formats::openai_chat::RequestProblem;
use crate::json::{Kind, Object, Raw};

/// Fields of the request that the hub has a word for, or that are read member by member.
const MAPPED: [&str; 13] = [
    "model",
    "input",
    "instructions",
    "stream",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "text",
    "reasoning",
    "max_output_tokens",
    "temperature",
    "top_p",
    "user",
];

/// Fields that point to what the provider, or the gateway in its place, has kept.
pub(super) const KEPT_STATE: [&str; 3] = ["previous_response_id", "conversation", "prompt"];

/// Reads the body of `POST /v1/responses`. A model that the path names takes precedence over the
/// body's.
///
/// What the hub has no word for is kept in [`Conversation::unmapped`] under the place where it
/// stood: `previous_response_id`, `store`, `text.verbosity`, `input[3]` for a whole item of another
/// kind, `input[3].phase` for a member of one that is understood.
///
/// # Errors
/// [`RequestProblem`] with the first problem found and the place where it stands.
pub fn to_conversation(
    body: &Bytes,
    path_model: Option<&str>,
) -> Result<Conversation, RequestProblem> {
    let object = Object::scan(body).map_err(RequestProblem::Malformed)?;
    let text = Body::scanned(body);
    let mut unmapped = Unmapped::default();
    keep_unmapped(&object, &text, &mut unmapped)?;
    let flag = |name| flag_if_any(object.value(name), &At::top(name));
    Ok(Conversation {
        model: read_model(&object, &text, path_model)?,
        stream: flag("stream")?.unwrap_or(false),
        // Every stream of this format ends with its usage.
        include_usage: true,
        messages: read_messages(&object, &text, &mut unmapped)?,
        tools: tools(object.value("tools"), &At::top("tools"), &text, &mut unmapped)?,
        tool_choice: tool_choice(object.value("tool_choice"), &text, &mut unmapped)?,
        parallel_tools: flag("parallel_tool_calls")?,
        response_format: read_text(object.value("text"), &text, &mut unmapped)?,
        sampling: Sampling {
            temperature: number(&object, &text, "temperature")?,
            top_p: number(&object, &text, "top_p")?,
            ..Sampling::default()
        },
        reasoning: read_reasoning(object.value("reasoning"), &text, &mut unmapped)?,
        output_tokens_max: read_output_tokens_max(&object)?,
        choices: 1,
        user: text
            .text_if_any(object.value("user"), &At::top("user"))?
            .filter(|user| !user.is_empty()),
        unmapped: unmapped.0,
    })
}

fn read_model(
    object: &Object<'_>,
    body: &Body,
    path: Option<&str>,
) -> Result<ModelName, RequestProblem> {
    let at = At::top("model");
    let named = match path {
        Some(path) => Some(ByteString::from(path)),
        None => body.text_if_any(object.value("model"), &at)?,
    };
    let name = named.ok_or(RequestProblem::Missing { field: "model" })?;
    ModelName::new(&name).map_err(|_| at.outside("1 to 256 bytes without control characters"))
}

fn read_messages(
    object: &Object<'_>,
    body: &Body,
    unmapped: &mut Unmapped,
) -> Result<Vec<Message>, RequestProblem> {
    let continues = KEPT_STATE.iter().any(|name| object.value(name).is_some());
    let mut items = Items::new(body, unmapped, continues);
    if let Some(text) = object.value("instructions") {
        items.instructions(body.text(Some(text), &At::top("instructions"))?);
    }
    match object.value("input") {
        Some(input) if input.kind() == Kind::Array && !input.holds_something() && !continues => {
            Err(At::top("input").outside("a string or an array of at least one item"))
        }
        Some(input) => items.input(input),
        None if continues => Ok(()),
        None => Err(RequestProblem::Missing { field: "input" }),
    }?;
    Ok(items.into_messages())
}

fn number(object: &Object<'_>, body: &Body, name: &str) -> Result<Option<Number>, RequestProblem> {
    match object.value(name) {
        Some(value) if value.kind() == Kind::Number => Ok(Some(Number(body.raw(value)))),
        Some(value) => Err(At::top(name).wrong("a number", value)),
        None => Ok(None),
    }
}

fn read_output_tokens_max(object: &Object<'_>) -> Result<Option<u64>, RequestProblem> {
    let at = At::top("max_output_tokens");
    let Some(value) = object.value("max_output_tokens") else { return Ok(None) };
    if value.kind() != Kind::Number {
        return Err(at.wrong("a whole number", value));
    }
    let count = value.whole().filter(|count| *count >= 1);
    count.map(Some).ok_or_else(|| at.outside("a whole number from 1"))
}

/// `text`: the form of the answer. `verbosity` has no word in the hub.
fn read_text(
    text: Option<Raw<'_>>,
    body: &Body,
    unmapped: &mut Unmapped,
) -> Result<ResponseFormat, RequestProblem> {
    let Some(text) = text else { return Ok(ResponseFormat::Text) };
    let at = At::top("text");
    let text = object(Some(text), &at)?;
    unmapped.keep_others(text, &["format"], &at, body);
    let at = at.member("format");
    let Some(format) = text.find("format") else { return Ok(ResponseFormat::Text) };
    let format = object(Some(format), &at)?;
    let kind_at = at.member("type");
    match &*body.text(format.find("type"), &kind_at)? {
        "text" => Ok(ResponseFormat::Text),
        "json_object" => Ok(ResponseFormat::JsonObject),
        "json_schema" => {
            let schema = object(format.find("schema"), &at.member("schema"))?;
            let described = format.find("description");
            Ok(ResponseFormat::JsonSchema {
                name: body.text_if_any(format.find("name"), &at.member("name"))?,
                description: body.text_if_any(described, &at.member("description"))?,
                schema: body.raw(schema),
                strict: flag_if_any(format.find("strict"), &at.member("strict"))?,
            })
        }
        _ => Err(kind_at.outside("`text`, `json_object` or `json_schema`")),
    }
}

/// `reasoning`. The hub knows whether a summary is wanted, not how long: any length but `auto` is
/// kept beside it.
fn read_reasoning(
    reasoning: Option<Raw<'_>>,
    body: &Body,
    unmapped: &mut Unmapped,
) -> Result<Reasoning, RequestProblem> {
    let Some(reasoning) = reasoning else { return Ok(Reasoning::default()) };
    let at = At::top("reasoning");
    let reasoning = object(Some(reasoning), &at)?;
    unmapped.keep_others(reasoning, &["effort", "summary", "generate_summary"], &at, body);
    let effort_at = at.member("effort");
    let effort = body.text_if_any(reasoning.find("effort"), &effort_at)?;
    let effort = effort.map(|effort| read_effort(&effort, &effort_at)).transpose()?;
    let summary_at = at.member("summary");
    let summary = reasoning.find("summary").or_else(|| reasoning.find("generate_summary"));
    if let Some(value) = summary {
        let length = body.text(Some(value), &summary_at)?;
        if !matches!(&*length, "auto" | "none") {
            unmapped.keep(&summary_at, body.raw(value));
        }
    }
    let wanted = summary.and_then(Raw::text).map(|length| length != "none");
    Ok(Reasoning { mode: None, effort, summary: wanted })
}

fn read_effort(effort: &str, at: &At<'_>) -> Result<Effort, RequestProblem> {
    match effort {
        "none" => Ok(Effort::None),
        "minimal" => Ok(Effort::Minimal),
        "low" => Ok(Effort::Low),
        "medium" => Ok(Effort::Medium),
        "high" => Ok(Effort::High),
        "xhigh" => Ok(Effort::XHigh),
        "max" => Ok(Effort::Max),
        _ => Err(at.outside("`none`, `minimal`, `low`, `medium`, `high`, `xhigh` or `max`")),
    }
}

/// Keeps the fields that the hub has no word for. What concerns the gateway alone ends here.
fn keep_unmapped(
    object: &Object<'_>,
    body: &Body,
    unmapped: &mut Unmapped,
) -> Result<(), RequestProblem> {
    for member in object.members() {
        let name = &*member.name;
        match standing(name) {
            Standing::Refused(_) => {
                return Err(RequestProblem::NotAllowed { field: name.to_owned() });
            }
            Standing::Gateway(_) => {}
            Standing::Upstream if MAPPED.contains(&name) || member.raw().is_null() => {}
            Standing::Upstream => unmapped.keep(&At::top(name), body.raw(member.raw())),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
