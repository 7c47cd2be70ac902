//! What every wire format's translation takes and gives, the same for all of them.

use bytes::Bytes;
use thiserror::Error;

use super::openai_chat::ErrorBody;
use super::seal::Seal;
use crate::capability::Capability;
use crate::conversation::Answer;
use crate::json::Layout;
use crate::provider::Quirks;

/// The deployment that a request is written for.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// The provider's own name of the model.
    pub model: &'a str,
    /// What that model on that platform can do.
    pub capability: &'a Capability,
    /// What its provider deviates in.
    pub quirks: &'a Quirks,
    /// What to do with what it cannot.
    pub leniency: Leniency<'a>,
}

/// What happens to what a target cannot express.
#[derive(Debug, Clone, Copy, Default)]
pub struct Leniency<'a> {
    /// `drop_params`: leave it out and say so, instead of refusing the call.
    pub drops: bool,
    /// `modify_params`: repair messages that the target would refuse.
    pub repairs: bool,
    /// `allowed_openai_params`: pass these fields on whatever is known about the target.
    pub passes: &'a [Box<str>],
}

/// A request in the target's format, and what became of what it could not say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written {
    /// The body.
    pub body: Bytes,
    /// Where its members stand.
    pub layout: Layout,
    /// Fields that were left out, by the name the client used where it has one.
    pub dropped: Vec<Box<str>>,
    /// Fields that were changed to what the target understands.
    pub adjusted: Vec<Box<str>>,
}

/// A request that the target cannot express.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{model}` does not support `{field}`: {detail}")]
pub struct Unsupported {
    /// The field, with dots and indexes where it is a nested one.
    pub field: Box<str>,
    /// The provider's model.
    pub model: Box<str>,
    /// Why, and the ways out.
    pub detail: String,
    /// Whether it is thinking and a forced tool choice that exclude each other.
    pub thinking_with_forced_tool: bool,
}

/// What a body that came with a success says.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "one of these exists for a moment in each call")]
pub enum AnswerIn {
    /// The model's answer.
    Answer(Answer),
    /// An error that came with status 200.
    Error(ErrorBody),
}

/// What an answer for a client is written with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The model as the client named it.
    pub model: String,
    /// The gateway's id of the call, for formats whose answers need an id and got none.
    pub id: String,
    /// The time in seconds since the epoch, for formats whose answers carry one.
    pub created: u64,
    /// Whether a stream is to end with the usage, where the client's format makes that a choice.
    pub include_usage: bool,
    /// What reasoning is signed with that no provider vouches for, for clients whose format hands
    /// reasoning back only with a signature. `None` leaves it unsigned.
    pub seal: Option<Seal>,
}
