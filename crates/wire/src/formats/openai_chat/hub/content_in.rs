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

/// The pieces of a `message` or `delta`.
pub(super) fn pieces(message: Raw<'_>) -> Vec<Piece<'_>> {
    let mut out: Vec<Piece<'_>> = thoughts(message).into_iter().map(Piece::Thought).collect();
    if let Some(content) = message.find("content") {
        push_content(&mut out, content);
    }
    if let Some(transcript) = message.find("audio").and_then(|audio| audio.find("transcript")) {
        push_text(&mut out, transcript, Piece::Text);
    }
    if let Some(refusal) = message.find("refusal") {
        push_text(&mut out, refusal, Piece::Refusal);
    }
    let listed = |name: &str| message.find(name).into_iter().flat_map(Raw::elements);
    out.extend(listed("annotations").map(Piece::Citation));
    let images = listed("images").filter_map(|image| image.find("image_url")?.find("url")?.text());
    out.extend(images.map(Piece::Image));
    out.extend(listed("tool_calls").map(|call| Piece::Call(read_call(call))));
    if let Some(function) = message.find("function_call") {
        out.push(Piece::Call(Call { index: Some(0), ..read_called(function, false) }));
    }
    out
}

fn push_content<'a>(out: &mut Vec<Piece<'a>>, content: Raw<'a>) {
    if content.kind() == Kind::String {
        return push_text(out, content, Piece::Text);
    }
    // Mistral, and servers of Anthropic's models, send a list.
    let reasoned = !out.is_empty();
    for part in content.elements() {
        match thinking_part(part) {
            Some(thought) if !reasoned => out.push(Piece::Thought(thought)),
            Some(_) => {}
            None => match (part.find("text"), part.find("refusal")) {
                (Some(text), _) => push_text(out, text, Piece::Text),
                (None, Some(refusal)) => push_text(out, refusal, Piece::Refusal),
                (None, None) => {}
            },
        }
    }
}

fn push_text<'a>(out: &mut Vec<Piece<'a>>, raw: Raw<'a>, piece: fn(Cow<'a, str>) -> Piece<'a>) {
    out.extend(raw.text().filter(|text| !text.is_empty()).map(piece));
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
