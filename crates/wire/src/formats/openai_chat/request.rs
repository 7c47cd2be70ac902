//! Reading a chat request: only what the gateway decides on, in one scan of the body.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use thiserror::Error;
use tollgate_domain::ModelName;

use crate::formats::client_fields::{self, Standing, Wishes, standing};
use crate::json::{Kind, Layout, Malformed, Object, Raw};

/// Most choices that one call may ask for with `n` (OpenAI API reference, chat completions).
pub const CHOICES_MAX: u64 = 128;

/// The members whose bytes are the prompt: the provider turns them into input tokens.
const PROMPT_MEMBERS: [&str; 4] = ["messages", "tools", "functions", "response_format"];

/// A chat request as far as the gateway needs to know it.
#[derive(Debug, Clone)]
pub struct ChatRequest {
    /// The model that the client asks for: the one in the path where there is one, else the one in
    /// the body.
    pub model: ModelName,
    /// Whether the answer is to be a stream.
    pub stream: bool,
    /// Whether the client asked for the usage at the end of the stream.
    pub include_usage: bool,
    /// The client's own limit on output tokens per choice; where it gave both spellings, the
    /// larger.
    pub output_tokens_max: Option<u64>,
    /// How many choices the client asks for, from 1 to [`CHOICES_MAX`].
    pub choices: u64,
    /// Bytes of the members that become input tokens.
    pub prompt_bytes: u64,
    /// The client's name for its own end user, where it is not empty.
    pub user: Option<String>,
    /// The tags it gives its call.
    pub tags: Vec<String>,
    /// What it asks of the gateway itself.
    pub wishes: Wishes,
    pub(super) source: Source,
}

/// The body that was read and where its members stand.
#[derive(Clone)]
pub(super) struct Source {
    pub(super) body: Bytes,
    pub(super) layout: Layout,
}

/// Prompts must not reach a log by way of a debug line.
impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Source({} bytes)", self.body.len())
    }
}

/// Why a body is not a chat request that the gateway serves.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RequestProblem {
    /// The body is not a JSON object.
    #[error("the request body is not valid JSON: {0}")]
    Malformed(Malformed),
    /// A field that every request needs is absent or `null`.
    #[error("`{field}` is missing")]
    Missing {
        /// The field.
        field: &'static str,
    },
    /// A field holds another kind of value.
    #[error("`{field}` must be {expected}, not {found}")]
    WrongType {
        /// The field, a nested one with dots.
        field: String,
        /// What it must be, in words.
        expected: &'static str,
        /// What it is, in words.
        found: &'static str,
    },
    /// A field's value is outside its range.
    #[error("`{field}` must be {expected}")]
    OutOfRange {
        /// The field.
        field: String,
        /// The range, in words.
        expected: String,
    },
    /// A field that a client must never decide.
    #[error("`{field}` is not allowed in a request{}", reason(field))]
    NotAllowed {
        /// The field.
        field: String,
    },
}

fn reason(field: &str) -> String {
    match standing(field) {
        Standing::Refused(reason) => format!(": {reason}"),
        Standing::Gateway(_) | Standing::Upstream => String::new(),
    }
}

impl ChatRequest {
    /// Reads a request body. `path_model` is the model that the request path names, where it names
    /// one; it takes precedence. `null` means the same as an absent field.
    ///
    /// # Errors
    /// [`RequestProblem`] with the first problem found.
    pub fn read(body: &Bytes, path_model: Option<&str>) -> Result<Self, RequestProblem> {
        let object = Object::scan(body).map_err(RequestProblem::Malformed)?;
        Self::read_scanned(&object, body, path_model)
    }

    /// Reads a body that was written here, whose layout is known; `None` where it is no request.
    pub(crate) fn of_written(body: &Bytes, layout: &Layout, model: &str) -> Option<Self> {
        Self::read_scanned(&Object::laid_out(body, layout)?, body, Some(model)).ok()
    }

    /// Reads a body that has been scanned already.
    pub(super) fn read_scanned(
        object: &Object<'_>,
        body: &Bytes,
        path_model: Option<&str>,
    ) -> Result<Self, RequestProblem> {
        refuse_forbidden(object)?;
        refuse_endless(object.members().iter().map(|m| (m.name.clone(), m.raw())))?;
        let request = Self {
            model: read_model(object, path_model)?,
            stream: read_flag(object.value("stream"), "stream")?.unwrap_or(false),
            include_usage: read_include_usage(object)?,
            output_tokens_max: read_output_tokens_max(object)?,
            choices: read_count(object, "n", CHOICES_MAX)?.unwrap_or(1),
            prompt_bytes: prompt_bytes(object),
            user: read_text(object, "user")?.filter(|user| !user.is_empty()),
            tags: client_fields::tags(object),
            wishes: Wishes::read(object),
            source: Source { body: body.clone(), layout: object.layout() },
        };
        check_messages(object)?;
        Ok(request)
    }

    /// Where the body's fields stand.
    pub(crate) const fn layout(&self) -> &Layout {
        &self.source.layout
    }

    /// The names of the body's fields in order.
    pub fn field_names(&self) -> impl Iterator<Item = &str> {
        self.source.layout.names()
    }

    /// The value of a field, unless it is absent or `null`; of duplicates the last.
    pub(crate) fn value(&self, name: &str) -> Option<Raw<'_>> {
        let text = std::str::from_utf8(self.source.body.get(self.source.layout.span(name)?)?);
        Some(Raw::scanned(text.ok()?)).filter(|raw| !raw.is_null())
    }
}

/// Refuses a field that a client must never decide, in whatever format it comes.
pub(crate) fn refuse_forbidden(object: &Object<'_>) -> Result<(), RequestProblem> {
    let refused = |name: &str| matches!(standing(name), Standing::Refused(_));
    match object.members().iter().find(|member| refused(&member.name)) {
        Some(member) => Err(RequestProblem::NotAllowed { field: member.name.to_string() }),
        None => Ok(()),
    }
}

/// Refuses a number that no computer holds, such as `1e400`: to the reader behind it is infinite.
pub(crate) fn refuse_endless<'a>(
    members: impl Iterator<Item = (Cow<'a, str>, Raw<'a>)>,
) -> Result<(), RequestProblem> {
    let endless = |value: Raw<'_>| {
        value.kind() == Kind::Number
            && value.as_written().parse::<f64>().is_ok_and(|number| !number.is_finite())
    };
    let mut members = members;
    match members.find(|(_, value)| endless(*value)) {
        Some((name, _)) => Err(RequestProblem::OutOfRange {
            field: name.into_owned(),
            expected: "a finite number".to_owned(),
        }),
        None => Ok(()),
    }
}

fn read_model(object: &Object<'_>, path: Option<&str>) -> Result<ModelName, RequestProblem> {
    let name = match path {
        Some(path) => Some(path.to_owned()),
        None => read_text(object, "model")?,
    };
    let name = name.ok_or(RequestProblem::Missing { field: "model" })?;
    ModelName::new(&name).map_err(|_| RequestProblem::OutOfRange {
        field: "model".to_owned(),
        expected: "1 to 256 bytes without control characters".to_owned(),
    })
}

fn check_messages(object: &Object<'_>) -> Result<(), RequestProblem> {
    let field = "messages";
    let messages = object.value(field).ok_or(RequestProblem::Missing { field })?;
    if messages.kind() != Kind::Array {
        return Err(wrong_type(field, "an array of messages", messages));
    }
    if !messages.holds_something() {
        let expected = "an array of at least one message".to_owned();
        return Err(RequestProblem::OutOfRange { field: field.to_owned(), expected });
    }
    Ok(())
}

fn read_include_usage(object: &Object<'_>) -> Result<bool, RequestProblem> {
    let Some(options) = object.value("stream_options") else { return Ok(false) };
    if options.kind() != Kind::Object {
        return Err(wrong_type("stream_options", "an object", options));
    }
    let asked = read_flag(options.find("include_usage"), "stream_options.include_usage")?;
    Ok(asked.unwrap_or(false))
}

/// Both spellings of one limit may stand in a body; which of them an upstream obeys is not known,
/// so the larger one bounds the call.
fn read_output_tokens_max(object: &Object<'_>) -> Result<Option<u64>, RequestProblem> {
    let new = read_count(object, "max_completion_tokens", u64::MAX)?;
    let old = read_count(object, "max_tokens", u64::MAX)?;
    Ok(new.max(old))
}

fn prompt_bytes(object: &Object<'_>) -> u64 {
    let values = PROMPT_MEMBERS.iter().filter_map(|name| object.value(name));
    values.map(|value| value.as_written().len() as u64).sum()
}

fn read_flag(value: Option<Raw<'_>>, field: &str) -> Result<Option<bool>, RequestProblem> {
    let Some(value) = value else { return Ok(None) };
    value.boolean().map(Some).ok_or_else(|| wrong_type(field, "a boolean", value))
}

fn read_text(object: &Object<'_>, field: &str) -> Result<Option<String>, RequestProblem> {
    let Some(value) = object.value(field) else { return Ok(None) };
    let text = value.text().ok_or_else(|| wrong_type(field, "a string", value))?;
    Ok(Some(text.into_owned()))
}

fn read_count(object: &Object<'_>, field: &str, max: u64) -> Result<Option<u64>, RequestProblem> {
    let Some(value) = object.value(field) else { return Ok(None) };
    if value.kind() != Kind::Number {
        return Err(wrong_type(field, "a whole number", value));
    }
    let in_range = value.whole().filter(|count| (1..=max).contains(count));
    in_range.map(Some).ok_or_else(|| RequestProblem::OutOfRange {
        field: field.to_owned(),
        expected: match max {
            u64::MAX => "a whole number from 1".to_owned(),
            _ => format!("a whole number from 1 to {max}"),
        },
    })
}

fn wrong_type(field: &str, expected: &'static str, value: Raw<'_>) -> RequestProblem {
    let found = value.kind().in_words();
    RequestProblem::WrongType { field: field.to_owned(), expected, found }
}

#[cfg(test)]
mod tests;
