//! Reasoning in messages and deltas: the format has no member for it, so makers added their own.
//!
//! Plain text stands in `reasoning_content` (`DeepSeek` and most servers) or `reasoning` (Groq,
//! OpenRouter, newer vLLM). What a provider can vouch for stands in `thinking_blocks` (Anthropic's
//! blocks as the system taken over shows them) or `reasoning_details` (OpenRouter, whose `format`
//! says whose it is). The richest one that is there counts, because the others repeat its text.

use std::borrow::Cow;

use crate::conversation::{Provenance, ReasoningBlock};
use crate::json::write::{Array, JsonWriter};
use crate::json::{Kind, Raw};

/// A block of reasoning, or in a stream a fragment of one.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Thought<'a> {
    pub(super) text: Cow<'a, str>,
    /// A signature over the text, or with `redacted` the reasoning itself.
    pub(super) seal: Option<Cow<'a, str>>,
    pub(super) redacted: bool,
    pub(super) provenance: Provenance,
}

/// Where reasoning may stand.
const MEMBERS: [&str; 4] =
    ["thinking_blocks", "reasoning_details", "reasoning_content", "reasoning"];

/// The reasoning in a message or delta, apart from what stands in its content.
pub(super) fn thoughts<'a>(message: Raw<'a>) -> Vec<Thought<'a>> {
    let [blocks, details, content, reasoning] = message.find_each(MEMBERS);
    let listed = |list: Option<Raw<'a>>, read: fn(Raw<'a>) -> Option<Thought<'a>>| {
        list.into_iter().flat_map(Raw::elements).filter_map(read).collect::<Vec<_>>()
    };
    let blocks = listed(blocks, thinking_part);
    if !blocks.is_empty() {
        return blocks;
    }
    let details = listed(details, detail);
    if !details.is_empty() {
        return details;
    }
    let texts = [content, reasoning].into_iter().filter_map(non_empty);
    texts.take(1).map(plain).collect()
}

/// A `thinking` or `redacted_thinking` part. Mistral's holds a list of texts and no signature,
/// which makes it plain reasoning.
pub(super) fn thinking_part(part: Raw<'_>) -> Option<Thought<'_>> {
    match part.find("type").and_then(Raw::text)?.as_ref() {
        "redacted_thinking" => Some(Thought {
            text: Cow::Borrowed(""),
            seal: Some(part.find("data").and_then(Raw::text)?),
            redacted: true,
            provenance: Provenance::AnthropicMessages,
        }),
        "thinking" => {
            let thinking = part.find("thinking")?;
            if thinking.kind() == Kind::Array {
                let texts = thinking.elements().filter_map(|inner| inner.find("text")?.text());
                return Some(plain(Cow::Owned(texts.collect())));
            }
            Some(Thought {
                text: thinking.text()?,
                seal: non_empty(part.find("signature")),
                redacted: false,
                provenance: Provenance::AnthropicMessages,
            })
        }
        _ => None,
    }
}

/// An element of `reasoning_details` (OpenRouter, "preserving reasoning").
fn detail(detail: Raw<'_>) -> Option<Thought<'_>> {
    let format = detail.find("format").and_then(Raw::text).unwrap_or_default();
    let provenance = OWNERS.iter().find(|(_, prefix)| format.starts_with(prefix));
    let provenance = provenance.map_or(Provenance::Plain, |(owner, _)| *owner);
    let thought = |text, seal, redacted| Thought { text, seal, redacted, provenance };
    match detail.find("type").and_then(Raw::text)?.as_ref() {
        "reasoning.text" => Some(thought(
            non_empty(detail.find("text")).unwrap_or_default(),
            non_empty(detail.find("signature")),
            false,
        )),
        "reasoning.summary" => Some(thought(detail.find("summary")?.text()?, None, false)),
        "reasoning.encrypted" => {
            Some(thought(Cow::Borrowed(""), Some(detail.find("data")?.text()?), true))
        }
        _ => None,
    }
}

fn non_empty(value: Option<Raw<'_>>) -> Option<Cow<'_, str>> {
    value.and_then(Raw::text).filter(|text| !text.is_empty())
}

const fn plain(text: Cow<'_, str>) -> Thought<'_> {
    Thought { text, seal: None, redacted: false, provenance: Provenance::Plain }
}

/// Writes the reasoning of a whole message: the readable text for every client, and what is sealed
/// in a form that a client can send back.
pub(super) fn write_reasoning(message: &mut JsonWriter<'_>, blocks: &[&ReasoningBlock]) {
    let texts: Vec<&str> = blocks.iter().map(|block| &*block.text).collect();
    if texts.iter().any(|text| !text.is_empty()) {
        message.joined("reasoning_content", &texts);
    }
    let of = |sealed: fn(Provenance) -> bool| -> Vec<&ReasoningBlock> {
        blocks.iter().copied().filter(|block| sealed(block.provenance)).collect()
    };
    let anthropic = of(|owner| owner == Provenance::AnthropicMessages);
    if !anthropic.is_empty() {
        message.array("thinking_blocks", |list| {
            for block in anthropic {
                Fragment::of(block).write_thinking(list);
            }
        });
    }
    let others = of(|owner| owner_name(owner).is_some());
    if !others.is_empty() {
        message.array("reasoning_details", |list| {
            for (index, block) in others.iter().enumerate() {
                Fragment::of(block).write_detail(list, block.provenance, index as u64);
            }
        });
    }
}

/// A block of reasoning, or in a stream a fragment of one, to be written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fragment<'a> {
    pub(super) text: &'a str,
    pub(super) seal: Option<&'a str>,
    pub(super) redacted: bool,
}

impl<'a> Fragment<'a> {
    /// A whole block.
    pub(super) fn of(block: &'a ReasoningBlock) -> Self {
        // A seal on plain reasoning is the gateway's own and means nothing to a provider.
        let seal = block.seal.as_deref().filter(|_| block.provenance != Provenance::Plain);
        Self { text: &block.text, seal, redacted: block.redacted }
    }

    /// Writes a fragment into a delta: its text, and where a provider vouches for it, the same in
    /// the form that can be sent back. `index` is the block's number.
    pub(super) fn write(self, delta: &mut JsonWriter<'_>, owner: Provenance, index: u64) {
        if !self.text.is_empty() {
            delta.string("reasoning_content", self.text);
        }
        if owner == Provenance::AnthropicMessages {
            delta.array("thinking_blocks", |list| self.write_thinking(list));
        } else if owner_name(owner).is_some() {
            delta.array("reasoning_details", |list| self.write_detail(list, owner, index));
        }
    }

    fn write_thinking(self, list: &mut Array<'_>) {
        list.object(|block| {
            if self.redacted {
                block.string("type", "redacted_thinking");
                block.string("data", self.seal.unwrap_or_default());
            } else {
                block.string("type", "thinking").string("thinking", self.text);
                block.string("signature", self.seal.unwrap_or_default());
            }
        });
    }

    /// Writes an element of `reasoning_details`. `index` is the block's number.
    pub(super) fn write_detail(self, list: &mut Array<'_>, owner: Provenance, index: u64) {
        list.object(|detail| {
            if self.redacted {
                detail.string("type", "reasoning.encrypted");
                detail.string("data", self.seal.unwrap_or_default());
            } else {
                detail.string("type", "reasoning.text").string("text", self.text);
                if let Some(seal) = self.seal {
                    detail.string("signature", seal);
                }
            }
            detail.string("format", owner_name(owner).unwrap_or(unlisted_name(owner)));
            detail.number("index", index);
        });
    }
}

fn owner_name(owner: Provenance) -> Option<&'static str> {
    match owner {
        Provenance::Gemini => Some("google-gemini-v1"),
        Provenance::OpenAiResponses => Some("openai-responses-v1"),
        Provenance::AnthropicMessages | Provenance::Plain => None,
    }
}

/// The `format` of an owner whose reasoning stands elsewhere in answers.
const fn unlisted_name(owner: Provenance) -> &'static str {
    match owner {
        Provenance::AnthropicMessages => "anthropic-claude-v1",
        Provenance::Gemini | Provenance::OpenAiResponses | Provenance::Plain => "unknown",
    }
}

/// Whose reasoning a `format` of `reasoning_details` names, by its beginning.
const OWNERS: [(Provenance, &str); 3] = [
    (Provenance::AnthropicMessages, "anthropic-"),
    (Provenance::Gemini, "google-gemini-"),
    (Provenance::OpenAiResponses, "openai-responses-"),
];
