//! What an answer consumed and how it ended, from its deltas.

use crate::conversation::{Answer, Arguments, Part, PartBody};
use crate::delta::{Delta, PartKind};
use crate::formats::openai_chat::StreamFacts;

/// Takes a delta into the facts of its stream.
pub(super) fn observe(facts: &mut StreamFacts, delta: &Delta) {
    match delta {
        Delta::More { text, .. } => {
            facts.visible = true;
            facts.output_deltas += 1;
            facts.output_bytes += text.len() as u64;
        }
        Delta::Open { kind: PartKind::ToolCall { .. } | PartKind::Redacted { .. }, .. } => {
            facts.visible = true;
        }
        Delta::Usage(usage) => facts.usage = Some(usage.clone()),
        Delta::End => facts.done = true,
        Delta::Begin { .. }
        | Delta::Open { .. }
        | Delta::Seal { .. }
        | Delta::Cite { .. }
        | Delta::Close { .. }
        | Delta::Finish { .. }
        | Delta::Failed(_) => {}
    }
}

/// UTF-8 bytes of content, refusals, reasoning and tool arguments over all choices.
pub(super) fn output_bytes(answer: &Answer) -> u64 {
    let parts = answer.choices.iter().flat_map(|choice| &choice.parts);
    parts.map(part_bytes).sum()
}

fn part_bytes(part: &Part) -> u64 {
    let text = match &part.body {
        PartBody::Text { text, .. } | PartBody::Refusal { text } => text,
        PartBody::Reasoning(reasoning) => &reasoning.text,
        PartBody::ToolCall(call) => match &call.arguments {
            Arguments::Json(text) | Arguments::Text(text) => text,
        },
        PartBody::Image { .. }
        | PartBody::Document { .. }
        | PartBody::Audio { .. }
        | PartBody::ToolResult(_) => return 0,
    };
    text.len() as u64
}
