//! Reading a client's request into a conversation.
//!
//! Texts and media are slices of the body; nothing is copied that holds no escapes.

mod media;
mod message;
mod tools;

use std::collections::HashSet;

use bytes::Bytes;
use bytestring::ByteString;

use super::super::request::{ChatRequest, RequestProblem};
use super::spot::Spot;
use crate::conversation::{
    Conversation, Effort, Number, Reasoning, ReasoningMode, ResponseFormat, Sampling,
};
use crate::formats::client_fields::{Standing, standing};
use crate::json::{Kind, Object};

/// Reads a request body. `path_model` is the model that the request path names, where it names one.
///
/// # Errors
/// [`RequestProblem`] with the first problem found, naming its place:
/// `messages[2].content[0].type`.
pub fn to_conversation(
    body: &Bytes,
    path_model: Option<&str>,
) -> Result<Conversation, RequestProblem> {
    let object = Object::scan(body).map_err(RequestProblem::Malformed)?;
    let request = ChatRequest::read_scanned(&object, body, path_model)?;
    let text = ByteString::try_from(body.clone()).unwrap_or_default();
    let fields = TopLevel { object: &object, body: &text };
    Ok(Conversation {
        model: request.model,
        stream: request.stream,
        include_usage: request.include_usage,
        messages: message::read_messages(&fields.required("messages")?)?,
        tools: tools::read_tools(&fields)?,
        tool_choice: tools::read_choice(&fields)?,
        parallel_tools: fields.boolean("parallel_tool_calls")?,
        response_format: read_format(&fields)?,
        sampling: read_sampling(&fields)?,
        reasoning: read_reasoning(&fields)?,
        output_tokens_max: request.output_tokens_max,
        choices: request.choices,
        user: read_user(&fields)?,
        unmapped: unmapped(&fields),
    })
}

/// The fields of the outermost object.
pub(super) struct TopLevel<'b> {
    object: &'b Object<'b>,
    body: &'b ByteString,
}

impl<'b> TopLevel<'b> {
    fn field(&self, name: &'static str) -> Option<Spot<'b, 'static>> {
        Some(Spot::field(self.object.value(name)?, name, self.body))
    }

    fn required(&self, name: &'static str) -> Result<Spot<'b, 'static>, RequestProblem> {
        self.field(name).ok_or(RequestProblem::Missing { field: name })
    }

    fn boolean(&self, name: &'static str) -> Result<Option<bool>, RequestProblem> {
        self.field(name).map(|spot| spot.boolean()).transpose()
    }

    fn number(&self, name: &'static str) -> Result<Option<Number>, RequestProblem> {
        self.field(name).map(|spot| spot.number()).transpose()
    }

    fn text(&self, name: &'static str) -> Result<Option<ByteString>, RequestProblem> {
        self.field(name).map(|spot| spot.text()).transpose()
    }
}

fn read_user(fields: &TopLevel<'_>) -> Result<Option<ByteString>, RequestProblem> {
    let named = fields.text("user")?.filter(|user| !user.is_empty());
    match named {
        Some(user) => Ok(Some(user)),
        // OpenAI's newer name for the same.
        None => Ok(fields.text("safety_identifier")?.filter(|user| !user.is_empty())),
    }
}

fn read_sampling(fields: &TopLevel<'_>) -> Result<Sampling, RequestProblem> {
    Ok(Sampling {
        temperature: fields.number("temperature")?,
        top_p: fields.number("top_p")?,
        top_k: fields.number("top_k")?,
        presence_penalty: fields.number("presence_penalty")?,
        frequency_penalty: fields.number("frequency_penalty")?,
        seed: fields.number("seed")?,
        stop: match fields.field("stop") {
            None => Vec::new(),
            Some(stop) if stop.raw().kind() == Kind::String => vec![stop.text()?],
            Some(stop) => stop.each("a string or an array of strings", |text| text.text())?,
        },
    })
}

/// `thinking` is Anthropic's object, which the system taken over accepts beside `reasoning_effort`.
fn read_reasoning(fields: &TopLevel<'_>) -> Result<Reasoning, RequestProblem> {
    let effort = match fields.field("reasoning_effort") {
        Some(spot) => Some(read_effort(&spot)?),
        None => None,
    };
    let mode = match fields.field("thinking") {
        Some(spot) => Some(read_thinking(&spot)?),
        None => None,
    };
    Ok(Reasoning { mode, effort, summary: None })
}

fn read_effort(spot: &Spot<'_, '_>) -> Result<Effort, RequestProblem> {
    let known = "one of `none`, `minimal`, `low`, `medium`, `high`, `xhigh`, `max`";
    Effort::named(&spot.text()?).ok_or_else(|| spot.out_of_range(known))
}

fn read_thinking(spot: &Spot<'_, '_>) -> Result<ReasoningMode, RequestProblem> {
    let fields = spot.fields()?;
    let kind = fields.required("type", "a string")?;
    match &*kind.text()? {
        "disabled" => Ok(ReasoningMode::Disabled),
        "adaptive" => Ok(ReasoningMode::Adaptive),
        "enabled" => match fields.member("budget_tokens") {
            None => Ok(ReasoningMode::Adaptive),
            Some(budget) => budget
                .raw()
                .whole()
                .map(ReasoningMode::Budget)
                .ok_or_else(|| budget.wrong("a whole number")),
        },
        _ => Err(kind.out_of_range("one of `enabled`, `disabled`, `adaptive`")),
    }
}

fn read_format(fields: &TopLevel<'_>) -> Result<ResponseFormat, RequestProblem> {
    let Some(spot) = fields.field("response_format") else { return Ok(ResponseFormat::Text) };
    let format = spot.fields()?;
    let kind = format.required("type", "a string")?;
    match &*kind.text()? {
        "text" => Ok(ResponseFormat::Text),
        "json_object" => Ok(ResponseFormat::JsonObject),
        "json_schema" => {
            let schema = format.required("json_schema", "an object")?.fields()?;
            Ok(ResponseFormat::JsonSchema {
                name: schema.text_member("name")?,
                description: schema.text_member("description")?,
                schema: schema.member("schema").map_or("{}".into(), |schema| schema.written()),
                strict: schema.member("strict").map(|strict| strict.boolean()).transpose()?,
            })
        }
        _ => Err(kind.out_of_range("one of `text`, `json_object`, `json_schema`")),
    }
}

/// What the hub has no word for. Fields that concern the gateway alone are not among it, and of
/// duplicates only the one that counts.
fn unmapped(fields: &TopLevel<'_>) -> Vec<(Box<str>, ByteString)> {
    let user_elsewhere = fields.field("user").is_none();
    let mapped =
        |name: &str| MAPPED.contains(&name) || (name == "safety_identifier" && user_elsewhere);
    let mut seen = HashSet::new();
    let last_first = fields.object.members().iter().rev();
    let counts = last_first.filter(|member| seen.insert(&*member.name));
    let mut kept: Vec<_> = counts
        .filter(|member| !member.raw().is_null() && !mapped(&member.name))
        .filter(|member| standing(&member.name) == Standing::Upstream)
        .map(|member| (member.name.as_ref().into(), fields.body.slice_ref(member.value)))
        .collect();
    kept.reverse();
    kept
}

/// The fields that have a place in a conversation.
const MAPPED: [&str; 23] = [
    "model",
    "messages",
    "stream",
    "stream_options",
    "tools",
    "functions",
    "tool_choice",
    "function_call",
    "parallel_tool_calls",
    "response_format",
    "temperature",
    "top_p",
    "top_k",
    "presence_penalty",
    "frequency_penalty",
    "seed",
    "stop",
    "reasoning_effort",
    "thinking",
    "max_completion_tokens",
    "max_tokens",
    "n",
    "user",
];

#[cfg(test)]
mod tests;
