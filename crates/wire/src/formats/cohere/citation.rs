//! Citations: which characters of the answer rest on which sources (Cohere API reference, chat,
//! `Citation`).

use bytestring::ByteString;

use crate::conversation::Citation;
use crate::formats::openai_chat::byte_offset;
use crate::json::Raw;

/// The content that a citation cites for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// The text at this index of the content; `None` where it does not say which.
    Text(Option<u64>),
    /// Reasoning, which has no citations in the hub.
    Thought,
}

/// Where a citation belongs.
pub(super) fn place(citation: Raw<'_>) -> Place {
    match citation.find("type").and_then(Raw::text).as_deref() {
        Some("PLAN" | "THINKING_CONTENT") => Place::Thought,
        _ => Place::Text(citation.find("content_index").and_then(Raw::whole)),
    }
}

/// A citation as the hub knows it: one for each of its sources. `text` is the content that cites,
/// as far as it is known.
pub(super) fn read(citation: Raw<'_>, text: Option<&str>) -> Vec<Citation> {
    let offset = |name: &str| byte_offset(text?, citation.find(name)?.whole()?);
    let span = offset("start").zip(offset("end"));
    let raw = ByteString::from(citation.as_written());
    let sources: Vec<Raw<'_>> =
        citation.find("sources").into_iter().flat_map(Raw::elements).collect();
    if sources.is_empty() {
        return vec![Citation { url: None, title: None, span, raw }];
    }
    let cited = sources.into_iter().map(|source| {
        let held = source.find("document").or_else(|| source.find("tool_output"));
        let text = |name: &str| {
            let text = held?.find(name)?.text()?;
            Some(ByteString::from(text.as_ref())).filter(|text| !text.is_empty())
        };
        Citation { url: text("url"), title: text("title"), span, raw: raw.clone() }
    });
    cited.collect()
}
