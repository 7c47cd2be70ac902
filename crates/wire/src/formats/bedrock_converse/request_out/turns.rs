//! The turns of a request: arranged as for the Messages API, and then as Converse wants them
//! beyond that.

use super::media::{Medium, medium, refusal_of};
use crate::capability::ReasoningField;
use crate::conversation::{Conversation, Part, PartBody, Role};
use crate::formats::anthropic_messages::request_out::messages::{
    Arranged, Block, Rules, Turn, arrange,
};
use crate::formats::report::Report;
use crate::formats::translation::Unsupported;

/// What is said beside documents that nobody says anything about.
const ABOUT_DOCUMENTS: &str = "See the attached document.";

/// What is said for the model between tool results and a user's words that cannot share a turn.
const BETWEEN: &str = "I have the results.";

/// Arranges the messages of a conversation.
pub(super) fn turns<'a>(
    c: &'a Conversation,
    report: &mut Report<'_>,
) -> Result<Arranged<'a>, Unsupported> {
    let converse = report.capability().converse;
    let rules = Rules {
        refusal_of,
        says: |text| !text.trim().is_empty(),
        system_between: false,
        // Only models that sign their reasoning take it back.
        reasoning: converse.reasoning == ReasoningField::Thinking,
    };
    let mut arranged = arrange(c, rules, report)?;
    for turn in &mut arranged.turns {
        if turn.role == Role::User && lacks_words(turn) {
            turn.blocks.push(Block::Text(ABOUT_DOCUMENTS.into()));
            report.adjust("messages");
        }
    }
    if converse.results_alone && set_results_apart(&mut arranged) {
        report.adjust("messages");
    }
    Ok(arranged)
}

/// Whether a turn holds a document and no text, which the API refuses.
fn lacks_words(turn: &Turn<'_>) -> bool {
    let document = |block: &Block<'_>| {
        let Block::Part(Part { body, .. }) = block else { return false };
        let (source, name) = match body {
            PartBody::Document { source, name } => (source, name.as_deref()),
            PartBody::Image { source, .. } => (source, None),
            _ => return false,
        };
        matches!(medium(source, name), Ok(Medium::Document(_)))
    };
    let words = |block: &Block<'_>| match block {
        Block::Text(_) => true,
        Block::MissingResult(_) => false,
        Block::Part(part) => super::blocks::text_of(part).is_some(),
    };
    turn.blocks.iter().any(document) && !turn.blocks.iter().any(words)
}

/// Splits turns that hold results and something else. True when there were any.
fn set_results_apart(arranged: &mut Arranged<'_>) -> bool {
    let before = arranged.turns.len();
    let mut apart = Vec::with_capacity(before);
    for Turn { role, blocks } in std::mem::take(&mut arranged.turns) {
        let (results, others): (Vec<_>, Vec<_>) = blocks.into_iter().partition(is_result);
        let both = !results.is_empty() && !others.is_empty();
        if !results.is_empty() {
            apart.push(Turn { role, blocks: results });
        }
        if both {
            let blocks = vec![Block::Text(BETWEEN.into())];
            apart.push(Turn { role: Role::Assistant, blocks });
        }
        if !others.is_empty() {
            apart.push(Turn { role, blocks: others });
        }
    }
    arranged.turns = apart;
    arranged.turns.len() != before
}

const fn is_result(block: &Block<'_>) -> bool {
    match block {
        Block::Part(part) => matches!(part.body, PartBody::ToolResult(_)),
        Block::MissingResult(_) => true,
        Block::Text(_) => false,
    }
}
