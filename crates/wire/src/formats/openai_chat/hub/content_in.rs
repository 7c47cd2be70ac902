//! What a message or delta of an upstream says, piece by piece in the order it is to be read:
//! reasoning, text, refusal, calls.

use std::borrow::Cow;

use super::reasoning::{Thought, thinking_part, thoughts};
use crate::json::{Kind, Raw};

/// A piece of a message or delta.
#[derive(Debug)]
pub(super) enum Piece<'a> {
    Thought(Thought<'a>),
    Text(Cow<'a, str>),
    Refusal(Cow<'a, str>),
    Call(Call<'a>),
    /// An element of `annotations`.
    Citation(Raw<'a>),
    /// The address or data URI of a picture.
    Image(Cow<'a, str>),
}

/// A tool call, or in a stream a fragment of one.
#[derive(Debug, Default)]
pub(super) struct Call<'a> {
    pub(super) index: Option<u64>,
    pub(super) id: Option<Cow<'a, str>>,
    pub(super) name: Option<Cow<'a, str>>,
    pub(super) arguments: Cow<'a, str>,
    pub(super) custom: bool,
    /// Google's signature of the call (`extra_content.google.thought_signature`).
    pub(super) seal: Option<Cow<'a, str>>,
}

/// Members of a message or delta that say something, reasoning aside.
const MEMBERS: [&str; 7] =
    ["content", "audio", "refusal", "annotations", "images", "tool_calls", "function_call"];

/// Gives out the pieces of a `message` or `delta`. A stream has thousands of deltas, so nothing is
/// collected, and the members are found in one walk.
pub(super) fn each_piece<'a>(message: Raw<'a>, out: &mut dyn FnMut(Piece<'a>)) {
    let thoughts = thoughts(message);
    let reasoned = !thoughts.is_empty();
    thoughts.into_iter().map(Piece::Thought).for_each(&mut *out);
    let [content, audio, refusal, annotations, images, calls, function] =
        message.find_each(MEMBERS);
    if let Some(content) = content {
        say_content(content, reasoned, out);
    }
    if let Some(transcript) = audio.and_then(|audio| audio.find("transcript")) {
        say_text(transcript, Piece::Text, out);
    }
    if let Some(refusal) = refusal {
        say_text(refusal, Piece::Refusal, out);
    }
    let listed = |list: Option<Raw<'a>>| list.into_iter().flat_map(Raw::elements);
    listed(annotations).map(Piece::Citation).for_each(&mut *out);
    let images = listed(images).filter_map(|image| image.find("image_url")?.find("url")?.text());
    images.map(Piece::Image).for_each(&mut *out);
    listed(calls).map(|call| Piece::Call(read_call(call))).for_each(&mut *out);
    if let Some(function) = function {
        out(Piece::Call(Call { index: Some(0), ..read_called(function, false) }));
    }
}

fn say_content<'a>(content: Raw<'a>, reasoned: bool, out: &mut dyn FnMut(Piece<'a>)) {
    if content.kind() == Kind::String {
        return say_text(content, Piece::Text, out);
    }
    // Mistral, and servers of Anthropic's models, send a list.
    for part in content.elements() {
        match thinking_part(part) {
            Some(thought) if !reasoned => out(Piece::Thought(thought)),
            Some(_) => {}
            None => match part.find_each(["text", "refusal"]) {
                [Some(text), _] => say_text(text, Piece::Text, out),
                [None, Some(refusal)] => say_text(refusal, Piece::Refusal, out),
                [None, None] => {}
            },
        }
    }
}

fn say_text<'a>(
    raw: Raw<'a>,
    piece: fn(Cow<'a, str>) -> Piece<'a>,
    out: &mut dyn FnMut(Piece<'a>),
) {
    raw.text().filter(|text| !text.is_empty()).map(piece).into_iter().for_each(out);
}

fn read_call(call: Raw<'_>) -> Call<'_> {
    let called = match (call.find("function"), call.find("custom")) {
        (Some(function), _) => read_called(function, false),
        (None, Some(custom)) => read_called(custom, true),
        (None, None) => Call::default(),
    };
    Call {
        index: call.find("index").and_then(Raw::whole),
        id: text(call.find("id")),
        seal: text(seal_of(call)),
        ..called
    }
}

/// Google's place for the signature, and the one of the system taken over.
pub(super) fn seal_of(call: Raw<'_>) -> Option<Raw<'_>> {
    let google = call.find("extra_content").and_then(|extra| extra.find("google"));
    let place = google.or_else(|| call.find("provider_specific_fields"));
    place.and_then(|place| place.find("thought_signature"))
}

fn read_called(called: Raw<'_>, custom: bool) -> Call<'_> {
    let arguments = called.find(if custom { "input" } else { "arguments" });
    Call {
        name: text(called.find("name")),
        arguments: arguments.map(argument_text).unwrap_or_default(),
        custom,
        ..Call::default()
    }
}

/// Some servers send the arguments as an object instead of as its text.
fn argument_text(arguments: Raw<'_>) -> Cow<'_, str> {
    arguments.text().unwrap_or(Cow::Borrowed(arguments.as_written()))
}

fn text(value: Option<Raw<'_>>) -> Option<Cow<'_, str>> {
    value.and_then(Raw::text).filter(|text| !text.is_empty())
}

/// An id for a call that came without one, made of the answer's id so that it differs from those of
/// earlier answers. At most 40 bytes, OpenAI's limit for `tool_call_id`.
pub(super) fn made_id(answer: Option<&str>, number: usize) -> String {
    let letters: Vec<char> =
        answer.unwrap_or_default().chars().filter(char::is_ascii_alphanumeric).collect();
    let kept = letters.len().saturating_sub(ID_LETTERS_MAX);
    let tail: String = letters.iter().skip(kept).collect();
    format!("call_{tail}_{number}")
}

/// How many letters of the answer's id go into the id of a call.
const ID_LETTERS_MAX: usize = 20;
