//! How many tokens a call is expected to use, for limits of tokens a minute.
//!
//! This is an expectation, not a bound: an answer's true length is known when it is over, and then
//! takes the place of what was held (runtime-semantics §6.3).

use std::sync::Arc;

use tollgate_store::LevelRecord;
use tollgate_wire::translate::Asked;

/// Bytes of a prompt that make about one token.
const PROMPT_BYTES_PER_TOKEN: u64 = 4;
/// The most output tokens to expect of a call that names no limit and has a short prompt.
const OUTPUT_FLOOR_MAX: u64 = 1024;

/// The tokens to hold: the prompt's, and for each choice the call's own limit, else as many as the
/// prompt has, but not fewer than a floor that leaves small limits usable.
pub(super) fn expected(asked: &Asked, levels: &[Arc<LevelRecord>]) -> u64 {
    let bounds = levels
        .iter()
        .flat_map(|level| std::iter::once(&level.limits.whole).chain(level.limits.models.values()));
    let Some(smallest) = bounds.filter_map(|bounds| bounds.tokens).min() else { return 0 };
    let prompt = asked.prompt_bytes.div_ceil(PROMPT_BYTES_PER_TOKEN);
    let floor = (smallest / 4).clamp(1, OUTPUT_FLOOR_MAX);
    let each = asked.output_tokens_max.unwrap_or_else(|| prompt.max(floor));
    prompt.saturating_add(each.saturating_mul(asked.choices.max(1)))
}
