//! Where a `thoughtSignature` goes in the hub.
//!
//! The API puts its seal on a part and wants it back on the same part. On a thought it seals the
//! thought, on a call it is the call's own. On any other part, whose place in the hub has no seal,
//! it becomes sealed reasoning of its own directly behind that part, and goes back onto it.

use bytestring::ByteString;

use crate::conversation::{Part, PartBody, Provenance, ReasoningBlock};

/// Adds what a text part said. An empty text says nothing but may carry a seal.
pub(super) fn push_text(
    parts: &mut Vec<Part>,
    text: ByteString,
    thought: bool,
    seal: Option<ByteString>,
) {
    if thought {
        if !text.is_empty() || seal.is_some() {
            let redacted = text.is_empty();
            parts.push(reasoning(text, seal, redacted));
        }
        return;
    }
    if !text.is_empty() {
        parts.push(Part::text(text));
    }
    push_seal(parts, seal);
}

/// Adds the seal of a part that has been added, or of an empty one.
pub(super) fn push_seal(parts: &mut Vec<Part>, seal: Option<ByteString>) {
    if let Some(seal) = seal {
        parts.push(reasoning(ByteString::new(), Some(seal), true));
    }
}

fn reasoning(text: ByteString, seal: Option<ByteString>, redacted: bool) -> Part {
    let provenance = Provenance::Gemini;
    Part::new(PartBody::Reasoning(ReasoningBlock { text, seal, redacted, provenance }))
}

/// The seal of the part that `next` directly follows, when that is what it is.
pub(super) fn seal_of_previous(next: Option<&Part>) -> Option<&ByteString> {
    match next.map(|part| &part.body) {
        Some(PartBody::Reasoning(block)) if is_bare_seal(block) => block.seal.as_ref(),
        _ => None,
    }
}

/// Whether a block is nothing but a seal of this format.
pub(super) fn is_bare_seal(block: &ReasoningBlock) -> bool {
    block.provenance == Provenance::Gemini && block.text.is_empty() && block.seal.is_some()
}
