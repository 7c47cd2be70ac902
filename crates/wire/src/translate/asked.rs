//! What a request asks for, whatever its format: one scan, and no tree until a translation needs
//! the whole of it.

use bytes::Bytes;
use tollgate_domain::{ModelName, parse_scaled};

use super::besides::Besides;
use super::edits::ClientEdits;
use super::{ClientFormat, read_request};
use crate::conversation::Conversation;
use crate::formats::anthropic_messages::{PING_EVENT, to_counted_conversation};
use crate::formats::client_fields::{self, Wishes};
use crate::formats::gemini;
use crate::formats::openai_chat::{
    CHOICES_MAX, ChatRequest, RequestProblem, refuse_endless, refuse_forbidden,
};
use crate::formats::openai_responses::next_number;
use crate::formats::seal::{Sealer, may_hold_ours};
use crate::json::{JsonPath, Kind, Layout, Object, Raw, without};

/// What the path of a request says, in the formats that put it there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PathSays<'a> {
    /// The model, which takes precedence over the body's.
    pub model: Option<&'a str>,
    /// Whether the answer is to be a stream.
    pub stream: bool,
    /// Whether that stream is to be one JSON array rather than events.
    pub array: bool,
}

/// What a request asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The model as the client names it.
    pub model: ModelName,
    /// Whether the answer is to be a stream.
    pub stream: bool,
    /// Whether a stream is to end with the usage, where the format makes that a choice.
    pub include_usage: bool,
    /// The most output tokens of a choice, if the client said.
    pub output_tokens_max: Option<u64>,
    /// How many answers are wanted, at least 1.
    pub choices: u64,
    /// Bytes that become input tokens, or more.
    pub prompt_bytes: u64,
    /// The client's name for its own end user, where it is not empty.
    pub user: Option<String>,
    /// The tags that the client gives the call.
    pub tags: Vec<String>,
    /// What it asks of the gateway itself.
    pub wishes: Wishes,
}

/// A client's request, read as far as every call needs it.
#[derive(Debug, Clone)]
pub struct ClientRequest {
    /// What it asks for.
    pub asked: Asked,
    /// The format it came in.
    pub format: ClientFormat,
    /// The body as the client sent it.
    pub body: Bytes,
    /// Whether the client reads a stream as one JSON array.
    pub array: bool,
    /// How the client wants it edited.
    pub edits: ClientEdits,
    /// Where the body's members stand: the scan is kept.
    pub layout: Layout,
    /// What else is known of a chat request.
    pub(super) chat: Option<ChatRequest>,
}

/// How a client reads a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamForm {
    /// The client's format.
    pub format: ClientFormat,
    /// Whether the stream is one JSON array.
    pub array: bool,
}

impl ClientRequest {
    /// Reads a request: its form, and what it asks for. What the client does not want sent is gone
    /// from the body, so that nothing is admitted that will not be asked for.
    ///
    /// # Errors
    /// [`RequestProblem`] with the first problem found.
    pub fn read(
        format: ClientFormat,
        body: &Bytes,
        path: PathSays<'_>,
    ) -> Result<Self, RequestProblem> {
        let mut read = Self::read_whole(format, body, path)?;
        let Some(left) = read.edits.apply(body)? else { return Ok(read) };
        let edits = read.edits;
        Ok(Self { edits, ..Self::read_whole(format, &left, path)? })
    }

    /// The request without what stands at these places, and the paths that led somewhere; `None`
    /// where nothing does. What it asks for is still what the client's whole body asks for.
    ///
    /// # Errors
    /// [`RequestProblem`] when what is left is no request.
    pub fn without<'p>(
        &self,
        paths: &'p [JsonPath],
    ) -> Result<Option<(Self, Vec<&'p JsonPath>)>, RequestProblem> {
        let (body, hit) = without(&self.body, paths).map_err(RequestProblem::Malformed)?;
        if hit.is_empty() {
            return Ok(None);
        }
        let chat = match self.chat {
            Some(_) => Some(ChatRequest::read(&body, Some(self.asked.model.as_str()))?),
            None => None,
        };
        let layout = match &chat {
            Some(chat) => chat.layout().clone(),
            None => Object::scan(&body).map_err(RequestProblem::Malformed)?.layout(),
        };
        Ok(Some((Self { body, layout, chat, ..self.clone() }, hit)))
    }

    pub(super) fn read_whole(
        format: ClientFormat,
        body: &Bytes,
        path: PathSays<'_>,
    ) -> Result<Self, RequestProblem> {
        let (body, array) = (body.clone(), path.array);
        if format == ClientFormat::OpenAiChat {
            let chat = ChatRequest::read(&body, path.model)?;
            let edits = ClientEdits::read(|name| chat.value(name))?;
            let (asked, layout) = (of_chat(&chat), chat.layout().clone());
            return Ok(Self { asked, format, body, array, edits, layout, chat: Some(chat) });
        }
        let object = Object::scan(&body).map_err(RequestProblem::Malformed)?;
        refuse_forbidden(&object)?;
        refuse_endless(object.members().iter().map(|m| (m.name.clone(), m.raw())))?;
        let fields = Fields { object: &object, body_bytes: body.len() as u64, path };
        let asked = match format {
            ClientFormat::OpenAiChat | ClientFormat::OpenAiResponses => fields.of_responses()?,
            ClientFormat::AnthropicMessages => fields.of_messages()?,
            ClientFormat::Gemini => fields.of_gemini()?,
        };
        let edits = ClientEdits::read(|name| object.value(name))?;
        let layout = object.layout();
        Ok(Self { asked, format, body, array, edits, layout, chat: None })
    }

    /// The whole request, for a translation.
    ///
    /// # Errors
    /// [`RequestProblem`] with the place in the body.
    pub fn conversation(&self, sealer: Option<&Sealer>) -> Result<Conversation, RequestProblem> {
        let (model, stream) = (Some(self.asked.model.as_str()), self.asked.stream);
        read_request(self.format, &self.body, PathSays { model, stream, array: false }, sealer)
    }

    /// The whole request, to have its tokens counted: what only an answer needs may be absent.
    ///
    /// # Errors
    /// [`RequestProblem`] with the place in the body.
    pub fn counted(&self) -> Result<Conversation, RequestProblem> {
        let model = Some(self.asked.model.as_str());
        match self.format {
            ClientFormat::AnthropicMessages => to_counted_conversation(&self.body, model),
            ClientFormat::Gemini => gemini::to_counted(&self.body, model),
            ClientFormat::OpenAiChat | ClientFormat::OpenAiResponses => self.conversation(None),
        }
    }

    /// What it may cost besides the text in it.
    #[must_use]
    pub fn besides(&self) -> Besides {
        Besides::read(self.format, &self.body, &self.layout, self.asked.choices)
    }

    /// Whether reasoning in it may be signed by the gateway, which its own provider would not
    /// accept: then its bytes do not pass.
    #[must_use]
    pub fn may_hold_own_seals(&self) -> bool {
        self.format == ClientFormat::AnthropicMessages && may_hold_ours(&self.body)
    }

    /// How its stream is written, which is all that a stream under way needs of it.
    #[must_use]
    pub const fn stream_form(&self) -> StreamForm {
        StreamForm { format: self.format, array: self.array }
    }
}

impl StreamForm {
    /// What tells the client of a stream that the call is alive while the model is silent. Clients
    /// of Google's format take every line for a chunk, so they get nothing.
    #[must_use]
    pub const fn keep_alive(self) -> Option<&'static [u8]> {
        match self.format {
            ClientFormat::OpenAiChat | ClientFormat::OpenAiResponses => Some(b": ping\n\n"),
            ClientFormat::AnthropicMessages => Some(PING_EVENT),
            ClientFormat::Gemini => None,
        }
    }

    /// An error in the middle of the client's stream, around a JSON body in its dialect, behind
    /// what was sent before.
    #[must_use]
    pub fn error_event(self, json: &str, sent: &Sent) -> Bytes {
        if self.array {
            gemini::error_element(json, !sent.anything)
        } else {
            self.format.error_event(json, sent.next_number)
        }
    }
}

/// What a client's stream has had so far, as far as an error has to fit behind it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sent {
    anything: bool,
    next_number: u64,
}

impl Sent {
    /// Takes note of a piece of a stream of this form, which holds whole events.
    pub fn note(&mut self, form: StreamForm, piece: &[u8]) {
        self.anything |= !piece.is_empty();
        if form.format == ClientFormat::OpenAiResponses {
            self.next_number = next_number(piece).unwrap_or(self.next_number);
        }
    }
}

fn of_chat(chat: &ChatRequest) -> Asked {
    Asked {
        model: chat.model.clone(),
        stream: chat.stream,
        include_usage: chat.include_usage,
        output_tokens_max: chat.output_tokens_max,
        choices: chat.choices,
        prompt_bytes: chat.prompt_bytes,
        user: chat.user.clone(),
        tags: chat.tags.clone(),
        wishes: chat.wishes.clone(),
    }
}

/// The top level of a request that is no chat request.
struct Fields<'a> {
    object: &'a Object<'a>,
    body_bytes: u64,
    path: PathSays<'a>,
}

impl Fields<'_> {
    fn of_responses(&self) -> Result<Asked, RequestProblem> {
        if !self.names_earlier_turns() {
            self.holds_something("input", "a string or an array of at least one item")?;
        }
        let user = self.text("user")?.or(self.text("safety_identifier")?);
        self.asked(self.flag("stream")?, self.count("max_output_tokens")?, user)
    }

    /// Whether the request continues something that the other side keeps.
    fn names_earlier_turns(&self) -> bool {
        ["previous_response_id", "conversation", "prompt"]
            .iter()
            .any(|name| self.object.value(name).is_some())
    }

    fn of_messages(&self) -> Result<Asked, RequestProblem> {
        self.holds_something("messages", "an array of at least one message")?;
        let metadata = self.object.value("metadata");
        let user = metadata.and_then(|metadata| metadata.find("user_id")).and_then(Raw::text);
        let user = user.map(std::borrow::Cow::into_owned);
        self.asked(self.flag("stream")?, self.count("max_tokens")?, user)
    }

    fn of_gemini(&self) -> Result<Asked, RequestProblem> {
        self.holds_something("contents", "an array of at least one content")?;
        let generation = ["generationConfig", "generation_config"];
        let generation = generation.iter().find_map(|name| self.object.value(name));
        if let Some(generation) = generation {
            refuse_endless(generation.members())?;
        }
        let number = |camel: &str, snake: &str| {
            let value = generation.and_then(|all| all.find(camel).or_else(|| all.find(snake)));
            value.map_or(Ok(None), |value| written_count(value, camel))
        };
        let output = number("maxOutputTokens", "max_output_tokens")?;
        let mut asked = self.asked(self.path.stream, output, None)?;
        let choices = number("candidateCount", "candidate_count")?.unwrap_or(1);
        asked.choices = choices.min(CHOICES_MAX);
        Ok(asked)
    }

    fn asked(
        &self,
        stream: bool,
        output_tokens_max: Option<u64>,
        user: Option<String>,
    ) -> Result<Asked, RequestProblem> {
        Ok(Asked {
            model: self.model()?,
            stream,
            include_usage: true,
            output_tokens_max,
            choices: 1,
            prompt_bytes: self.body_bytes,
            user: user.filter(|user| !user.is_empty()),
            tags: client_fields::tags(self.object),
            wishes: Wishes::read(self.object),
        })
    }

    fn model(&self) -> Result<ModelName, RequestProblem> {
        let name = match self.path.model {
            Some(path) => Some(path.to_owned()),
            None => self.text("model")?,
        };
        let name = name.ok_or(RequestProblem::Missing { field: "model" })?;
        ModelName::new(&name).map_err(|_| RequestProblem::OutOfRange {
            field: "model".to_owned(),
            expected: "1 to 256 bytes without control characters".to_owned(),
        })
    }

    /// The prompt is there: a text or a list that is not empty.
    fn holds_something(
        &self,
        field: &'static str,
        expected: &'static str,
    ) -> Result<(), RequestProblem> {
        let value = self.object.value(field).ok_or(RequestProblem::Missing { field })?;
        let empty_text = value.text().is_some_and(|text| text.is_empty());
        match value.kind() {
            Kind::String if !empty_text => Ok(()),
            Kind::Array if value.holds_something() => Ok(()),
            Kind::String | Kind::Array => {
                let expected = expected.to_owned();
                Err(RequestProblem::OutOfRange { field: field.to_owned(), expected })
            }
            _ => Err(wrong_type(field, expected, value)),
        }
    }

    fn flag(&self, field: &str) -> Result<bool, RequestProblem> {
        let Some(value) = self.object.value(field) else { return Ok(false) };
        value.boolean().ok_or_else(|| wrong_type(field, "a boolean", value))
    }

    fn text(&self, field: &str) -> Result<Option<String>, RequestProblem> {
        let Some(value) = self.object.value(field) else { return Ok(None) };
        let text = value.text().ok_or_else(|| wrong_type(field, "a string", value))?;
        Ok(Some(text.into_owned()))
    }

    /// A number of tokens. What the gateway cannot count with, such as 0, is the provider's to
    /// judge.
    fn count(&self, field: &str) -> Result<Option<u64>, RequestProblem> {
        let Some(value) = self.object.value(field) else { return Ok(None) };
        match value.kind() {
            Kind::Number => value.whole().map(Some).ok_or_else(|| RequestProblem::OutOfRange {
                field: field.to_owned(),
                expected: "a whole number from 0".to_owned(),
            }),
            _ => Err(wrong_type(field, "a whole number", value)),
        }
    }
}

/// A count of Google's format, which takes numbers in quotes too, as every API on protocol buffers
/// does; 0 stands for what was not said.
fn written_count(value: Raw<'_>, field: &str) -> Result<Option<u64>, RequestProblem> {
    let quoted = value.text().map(|text| parse_scaled(&text, 0).ok().filter(|read| read.exact));
    let count = match quoted {
        Some(read) => read.and_then(|read| u64::try_from(read.value).ok()),
        None => value.whole(),
    };
    let problem = || RequestProblem::OutOfRange {
        field: format!("generationConfig.{field}"),
        expected: "a whole number from 0".to_owned(),
    };
    count.map(|count| Some(count).filter(|count| *count > 0)).ok_or_else(problem)
}

fn wrong_type(field: &str, expected: &'static str, value: Raw<'_>) -> RequestProblem {
    let found = value.kind().in_words();
    RequestProblem::WrongType { field: field.to_owned(), expected, found }
}

#[cfg(test)]
mod tests;
