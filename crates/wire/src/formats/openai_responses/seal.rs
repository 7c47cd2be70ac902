//! Reasoning that another provider vouches for, carried by clients of this format.
//!
//! A client hands a reasoning item's `encrypted_content` back as it got it and never looks inside.
//! A seal of another provider therefore travels there behind a tag that names its provider.

use bytestring::ByteString;

use crate::conversation::{Provenance, ReasoningBlock};

/// Begins every tag. No provider's own sealed reasoning holds a colon: it is base64.
const MARK: &str = "tollgate:";

/// The tags: whose seal follows, and whether it is the reasoning itself.
const TAGS: [(&str, Provenance, bool); 4] = [
    ("anthropic_messages:signature:", Provenance::AnthropicMessages, false),
    ("anthropic_messages:redacted:", Provenance::AnthropicMessages, true),
    ("gemini:signature:", Provenance::Gemini, false),
    ("gemini:redacted:", Provenance::Gemini, true),
];

/// The pieces of `encrypted_content` for a seal: a tag, which is empty for this format's own, and
/// the seal.
pub(super) fn pieces(provenance: Provenance, redacted: bool, seal: &str) -> [&str; 3] {
    let tag = TAGS.iter().find(|tag| (tag.1, tag.2) == (provenance, redacted));
    match tag {
        Some((tag, ..)) => [MARK, tag, seal],
        None => ["", "", seal],
    }
}

/// A block from an item's text and `encrypted_content`. Without the latter nobody vouches for it.
pub(super) fn block(text: ByteString, sealed: Option<ByteString>) -> ReasoningBlock {
    let Some(sealed) = sealed.filter(|sealed| !sealed.is_empty()) else {
        let provenance = Provenance::Plain;
        return ReasoningBlock { text, seal: None, redacted: false, provenance };
    };
    let tagged = sealed.strip_prefix(MARK).and_then(|rest| {
        let tag = TAGS.iter().find(|(tag, ..)| rest.starts_with(tag))?;
        Some((rest.strip_prefix(tag.0)?, tag.1, tag.2))
    });
    match tagged {
        Some((seal, provenance, redacted)) => {
            ReasoningBlock { text, seal: Some(sealed.slice_ref(seal)), redacted, provenance }
        }
        None => ReasoningBlock {
            text,
            seal: Some(sealed),
            redacted: true,
            provenance: Provenance::OpenAiResponses,
        },
    }
}
