//! Cache points: blocks of their own behind what a client wants cached.

use crate::conversation::{CacheHint, Part, PartBody, Tool};
use crate::formats::anthropic_messages::request_out::messages::{Arranged, Block};
use crate::formats::report::Report;
use crate::json::write::Array;

/// Most cache points of a request.
const POINTS_MAX: usize = 4;

/// The cache points of a request, by the place they stand in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sections {
    pub(super) tools: Points,
    pub(super) system: Points,
    pub(super) messages: Points,
}

/// The cache points of one place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Points {
    /// How many hints become none: each later point holds all that is before it.
    skipped: usize,
    /// Whether the model takes points at all.
    taken: bool,
    /// Whether they may last an hour.
    hour: bool,
}

impl Sections {
    /// Decides which hints become points. The prompt begins with the tools, then comes the system
    /// prompt, then the messages; of too many the last ones count.
    pub(super) fn of(arranged: &Arranged<'_>, tools: &[&Tool], report: &mut Report<'_>) -> Self {
        let converse = report.capability().converse;
        let tools: Vec<CacheHint> = tools.iter().filter_map(|tool| tool.cache).collect();
        let system: Vec<CacheHint> = arranged.system.iter().filter_map(|part| part.cache).collect();
        let blocks = arranged.turns.iter().flat_map(|turn| &turn.blocks);
        let messages: Vec<CacheHint> = blocks.filter_map(hint).collect();
        let all = tools.len() + system.len() + messages.len();
        let mut excess = all.saturating_sub(POINTS_MAX);
        if excess > 0 || all > 0 && !converse.cache {
            report.drop("cache_control");
        }
        let hours = tools.iter().chain(&system).chain(&messages).any(|h| *h == CacheHint::Hour);
        if hours && converse.cache && !converse.cache_hour {
            report.adjust("cache_control");
        }
        let mut points = |hints: &[CacheHint]| {
            let skipped = excess.min(hints.len());
            excess -= skipped;
            Points { skipped, taken: converse.cache, hour: converse.cache_hour }
        };
        Self { tools: points(&tools), system: points(&system), messages: points(&messages) }
    }
}

impl Points {
    /// Writes the point that this hint asks for, behind what it stands at.
    pub(super) fn write(&mut self, blocks: &mut Array<'_>, hint: Option<CacheHint>) {
        let Some(hint) = hint.filter(|_| self.taken) else { return };
        if self.skipped > 0 {
            self.skipped -= 1;
            return;
        }
        blocks.object(|o| {
            o.object("cachePoint", |o| {
                o.string("type", "default");
                if hint == CacheHint::Hour && self.hour {
                    o.string("ttl", "1h");
                }
            });
        });
    }
}

/// The hint at a block. A hint inside a tool's result counts for the whole of it, and none can
/// stand behind reasoning.
pub(super) fn hint(block: &Block<'_>) -> Option<CacheHint> {
    let Block::Part(part) = block else { return None };
    match &part.body {
        PartBody::Reasoning(_) => None,
        PartBody::ToolResult(result) => {
            let inside = |parts: &[Part]| parts.iter().rev().find_map(|part| part.cache);
            part.cache.or_else(|| inside(&result.parts))
        }
        _ => part.cache,
    }
}
