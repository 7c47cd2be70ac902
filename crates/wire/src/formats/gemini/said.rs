//! What a candidate of an answer or of a chunk says, read without ever refusing: an answer has been
//! paid for, and what is not understood in it is passed over.

use std::fmt::Write as _;

use bytestring::ByteString;
use tollgate_domain::Usage;

use super::fields::{Body, Members};
use super::{media, usage};
use crate::conversation::{Citation, PartBody, Source};
use crate::json::{Kind, Object, Raw};

/// One part of a candidate.
#[derive(Debug)]
pub(super) enum Said {
    /// Text or, with `thought`, readable reasoning; it may be empty and carry only a seal.
    Text { text: ByteString, thought: bool, seal: Option<ByteString> },
    /// A function call. `arguments` are a JSON object.
    Call {
        id: Option<ByteString>,
        name: ByteString,
        arguments: ByteString,
        seal: Option<ByteString>,
    },
    /// Media the model made.
    Media { body: PartBody, seal: Option<ByteString> },
}

/// One candidate.
#[derive(Debug)]
pub(super) struct Candidate<'a> {
    pub(super) index: u64,
    pub(super) said: Vec<Said>,
    /// `finishReason`, unless it is the unspecified one.
    pub(super) finish: Option<String>,
    pub(super) finish_message: Option<String>,
    pub(super) grounding: Option<Raw<'a>>,
}

/// The outermost object of an answer or of a chunk, which have the same members.
#[derive(Debug)]
pub(super) struct Response<'a> {
    pub(super) error: Option<Raw<'a>>,
    pub(super) id: Option<ByteString>,
    pub(super) model: Option<ByteString>,
    pub(super) candidates: Vec<Candidate<'a>>,
    /// Why the prompt was blocked, where it was.
    pub(super) blocked: Option<String>,
    pub(super) usage: Option<Raw<'a>>,
}

impl<'a> Response<'a> {
    pub(super) fn read(object: &Object<'a>, body: &Body) -> Self {
        let members = Members::of_body(object);
        let text = |name| members.find(name).and_then(|value| body.string(value));
        let candidates = members.find("candidates").into_iter().flat_map(Raw::elements);
        let feedback = members.find("promptFeedback").map_or_else(Members::none, Members::of);
        let blocked = feedback.find("blockReason").and_then(Raw::text).map(String::from);
        Self {
            error: members.find("error"),
            id: text("responseId").filter(|id| !id.is_empty()),
            model: text("modelVersion").filter(|model| !model.is_empty()),
            candidates: candidates.map(|candidate| Candidate::read(candidate, body)).collect(),
            blocked: blocked.filter(|reason| reason != "BLOCK_REASON_UNSPECIFIED"),
            usage: members.find("usageMetadata"),
        }
    }

    /// The usage of this object alone.
    pub(super) fn usage(&self) -> Option<Usage> {
        let mut reported = usage::Reported::default();
        reported.take(self.usage?);
        reported.searched(self.queries());
        reported.usage()
    }

    /// How many queries its candidates were searched for with.
    pub(super) fn queries(&self) -> u64 {
        let groundings = self.candidates.iter().filter_map(|candidate| candidate.grounding);
        let queries = groundings.filter_map(|grounding| {
            Members::of(grounding).find("webSearchQueries").map(|list| list.elements().count())
        });
        queries.sum::<usize>() as u64
    }
}

impl<'a> Candidate<'a> {
    fn read(candidate: Raw<'a>, body: &Body) -> Self {
        let members = Members::of(candidate);
        let text = |name| members.find(name).and_then(Raw::text).map(String::from);
        let content = members.find("content").map_or_else(Members::none, Members::of);
        let parts = content.find("parts").into_iter().flat_map(Raw::elements);
        Self {
            index: members.find("index").and_then(Raw::whole).unwrap_or(0),
            said: parts.filter_map(|part| Said::read(part, body)).collect(),
            finish: text("finishReason").filter(|reason| reason != "FINISH_REASON_UNSPECIFIED"),
            finish_message: text("finishMessage"),
            grounding: members.find("groundingMetadata"),
        }
    }

    /// What went wrong with a candidate that holds nothing to make an answer of.
    pub(super) fn failure(&self) -> (String, &str) {
        let Some(reason) = self.finish.as_deref() else {
            return ("the upstream sent an empty answer".to_owned(), "empty_response");
        };
        let mut told = format!("the upstream ended without an answer: `{reason}`");
        if let Some(message) = &self.finish_message {
            _ = write!(told, ": {message}");
        }
        (told, reason)
    }
}

impl Said {
    fn read(part: Raw<'_>, body: &Body) -> Option<Self> {
        let members = Members::of(part);
        let seal = members.find("thoughtSignature").and_then(|seal| body.string(seal));
        let seal = seal.filter(|seal| !seal.is_empty());
        if let Some(call) = members.find("functionCall") {
            let call = Members::of(call);
            let text = |name| call.find(name).and_then(|value| body.string(value));
            let arguments = call.find("args").filter(|args| args.kind() == Kind::Object);
            return Some(Self::Call {
                id: text("id").filter(|id| !id.is_empty()),
                name: text("name")?,
                arguments: arguments.map_or(ByteString::from_static("{}"), |args| body.raw(args)),
                seal,
            });
        }
        if let Some(inline) = members.find("inlineData") {
            let inline = Members::of(inline);
            let text = |name| inline.find(name).and_then(|value| body.string(value));
            let (media_type, data) = (text("mimeType")?, text("data")?);
            let kind = media_type.clone();
            let source = Source::Base64 { media_type, data };
            return Some(Self::Media { body: media::part(&kind, source, None, None), seal });
        }
        let thought = members.find("thought").and_then(Raw::boolean).unwrap_or(false);
        let text = members.find("text").and_then(|text| body.string(text));
        if text.is_none() && seal.is_none() {
            return None;
        }
        Some(Self::Text { text: text.unwrap_or_default(), thought, seal })
    }
}

/// What the text of a candidate cites: `groundingSupports` name segments of the text, in bytes, and
/// the `groundingChunks` that they rest on.
pub(super) fn citations(grounding: Raw<'_>) -> Vec<Citation> {
    let members = Members::of(grounding);
    let chunks: Vec<Raw<'_>> =
        members.find("groundingChunks").into_iter().flat_map(Raw::elements).collect();
    let mut cited = Vec::new();
    for support in members.find("groundingSupports").into_iter().flat_map(Raw::elements) {
        let support = Members::of(support);
        let span = support.find("segment").and_then(span);
        let indices = support.find("groundingChunkIndices").into_iter().flat_map(Raw::elements);
        let chunk = |index: Raw<'_>| chunks.get(usize::try_from(index.whole()?).ok()?).copied();
        cited.extend(indices.filter_map(chunk).map(|chunk| citation(chunk, span)));
    }
    if cited.is_empty() {
        cited.extend(chunks.into_iter().map(|chunk| citation(chunk, None)));
    }
    cited
}

fn span(segment: Raw<'_>) -> Option<(u64, u64)> {
    let segment = Members::of(segment);
    // A start of 0 is left out by the API.
    let start = segment.find("startIndex").and_then(Raw::whole).unwrap_or(0);
    let end = segment.find("endIndex").and_then(Raw::whole)?;
    (start <= end).then_some((start, end))
}

/// A chunk is an object with one member that says where it is from: `web`, `maps`,
/// `retrievedContext`.
fn citation(chunk: Raw<'_>, span: Option<(u64, u64)>) -> Citation {
    let from = chunk.members().next().map(|(_, from)| from);
    let text = |name| {
        from.and_then(|from| from.find(name)?.text()).map(|text| ByteString::from(text.as_ref()))
    };
    Citation {
        url: text("uri"),
        title: text("title"),
        span,
        raw: ByteString::from(chunk.as_written()),
    }
}
