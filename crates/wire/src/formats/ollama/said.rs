//! What an answer says, or an object of a stream: both have the same members.

use bytestring::ByteString;
use tollgate_domain::{Timestamp, Usage};

use super::error::read_error;
use super::usage;
use crate::formats::call_ids::CallIds;
use crate::formats::openai_chat::ErrorBody;
use crate::json::{Kind, Object, Raw};

/// An answer, or a piece of one.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) error: Option<ErrorBody>,
    pub(super) model: Option<ByteString>,
    /// When it was made, as it says itself; it names the answer, which has no id.
    pub(super) created_at: Option<ByteString>,
    pub(super) thinking: Option<ByteString>,
    pub(super) text: Option<ByteString>,
    pub(super) calls: Vec<Call>,
    /// Why it ended, where it did; empty where it does not say.
    pub(super) done: Option<String>,
    pub(super) usage: Option<Usage>,
}

/// A call of a tool.
#[derive(Debug)]
pub(super) struct Call {
    id: Option<ByteString>,
    pub(super) name: ByteString,
    /// A JSON object.
    pub(super) arguments: ByteString,
}

impl Call {
    /// The call's own id, which newer servers give, or one that is made for it.
    pub(super) fn id(&mut self, ids: &mut CallIds) -> ByteString {
        ids.next(self.id.take(), &self.name, &self.arguments)
    }
}

impl Said {
    /// Reads without ever refusing: an answer has been paid for, and what is not understood in it
    /// is passed over.
    pub(super) fn read(object: &Object<'_>) -> Self {
        let message = object.value("message");
        let inside = |name: &str| message.and_then(|message| message.find(name));
        let calls = inside("tool_calls").into_iter().flat_map(Raw::elements);
        let is_done = object.value("done").and_then(Raw::boolean) == Some(true);
        let reason = object.value("done_reason").and_then(Raw::text).unwrap_or_default();
        Self {
            error: object.value("error").and_then(error),
            model: object.value("model").and_then(owned),
            created_at: object.value("created_at").and_then(owned),
            thinking: inside("thinking").and_then(owned),
            text: inside("content").and_then(owned),
            calls: calls.filter_map(call).collect(),
            done: is_done.then(|| reason.into_owned()),
            usage: usage::read(object),
        }
    }

    /// When it was made, in seconds since the epoch.
    pub(super) fn created(&self) -> Option<u64> {
        let made = Timestamp::parse(self.created_at.as_deref()?).ok()?;
        u64::try_from(made.seconds()).ok()
    }
}

fn error(error: Raw<'_>) -> Option<ErrorBody> {
    if owned(error).is_none() && error.kind() != Kind::Object {
        return None;
    }
    let mut wrapped = Vec::new();
    crate::json::write::object(&mut wrapped, |o| _ = o.raw("error", error.as_written()));
    read_error(&wrapped)
}

fn call(raw: Raw<'_>) -> Option<Call> {
    let function = raw.find("function")?;
    let arguments = function.find("arguments");
    let arguments = arguments.and_then(|arguments| match arguments.kind() {
        Kind::Object => Some(ByteString::from(arguments.as_written())),
        _ => owned(arguments),
    });
    Some(Call {
        id: raw.find("id").and_then(owned),
        name: function.find("name").and_then(owned)?,
        arguments: arguments.unwrap_or_else(|| ByteString::from_static("{}")),
    })
}

/// A text that says something.
fn owned(value: Raw<'_>) -> Option<ByteString> {
    let text = value.text().filter(|text| !text.is_empty())?;
    Some(ByteString::from(text.as_ref()))
}
