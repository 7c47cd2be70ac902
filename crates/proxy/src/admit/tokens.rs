//! The tokens of a prompt where a limit depends on them, and the tokens a call is expected to use.
//!
//! Admission first claims by the length of the prompt, which costs nothing. Only a claim that a
//! limit does not allow by that length is worth a count.

use std::sync::Arc;

use tollgate_config::Deployment;
use tollgate_policy::{Demand, Measure};
use tollgate_store::{Exceeded, LevelRecord};
use tollgate_tokens::Table;
use tollgate_wire::translate::Asked;

use crate::gate::Gate;
use crate::ingress::Call;
use crate::prompt_tokens;

/// Bytes of a prompt that make about one token.
const PROMPT_BYTES_PER_TOKEN: u64 = 4;
/// The most output tokens to expect of a call that names no limit and has a short prompt.
const OUTPUT_FLOOR_MAX: u64 = 1024;

/// The tokens to hold for limits of tokens a minute: the prompt's, and for each choice the call's
/// own limit, else as many as the prompt has, but not fewer than a floor that leaves small limits
/// usable. `prompt` is the prompt's count, where it was counted.
///
/// This is an expectation, not a bound: an answer's true length is known when it is over, and then
/// takes the place of what was held (runtime-semantics §6.3).
pub(super) fn expected(asked: &Asked, prompt: Option<u64>, levels: &[Arc<LevelRecord>]) -> u64 {
    let Some(smallest) = smallest_limit(levels) else { return 0 };
    let prompt = prompt.unwrap_or_else(|| asked.prompt_bytes.div_ceil(PROMPT_BYTES_PER_TOKEN));
    let floor = (smallest / 4).clamp(1, OUTPUT_FLOOR_MAX);
    let each = asked.output_tokens_max.unwrap_or_else(|| prompt.max(floor));
    prompt.saturating_add(each.saturating_mul(asked.choices.max(1)))
}

/// The smallest limit of tokens a minute that binds a call of these.
fn smallest_limit(levels: &[Arc<LevelRecord>]) -> Option<u64> {
    levels.iter().filter_map(|level| level.tokens_min()).min()
}

/// The tokenizer of the call's model, if it is loaded. Where a limit may need it, it is asked for,
/// so that it is there when one does.
pub(super) fn table<'g>(
    gate: &'g Gate,
    deployments: &[Arc<Deployment>],
    levels: &[Arc<LevelRecord>],
    names: &[&str],
) -> Option<&'g Table> {
    let binds = |level: &Arc<LevelRecord>| level.caps_money(names);
    if smallest_limit(levels).is_none() && !levels.iter().any(binds) {
        return None;
    }
    let encoding = prompt_tokens::encoding(deployments.iter().map(AsRef::as_ref))?;
    gate.tokenizers().table(encoding)
}

/// Whether a count of the prompt may change that a claim is refused: the limit is one that tokens
/// count for, and a call with the least of prompts would fit. Of a spent budget no prompt is worth
/// counting.
pub(super) fn may_fit(least: &Demand, exceeded: &Exceeded) -> bool {
    let Exceeded { tally, over, .. } = exceeded;
    let free = over.cap.saturating_sub(over.used).saturating_sub(over.held);
    match tally.measure {
        Measure::Money | Measure::Tokens => tally.measure.claimed(least) <= free,
        Measure::Requests | Measure::Calls => false,
    }
}

/// The prompt's tokens; `None` of a call whose prompt is not all here, or cannot be read.
pub(super) fn counted(gate: &Gate, call: &Call, table: &Table) -> Option<u64> {
    if call.kept_elsewhere.is_some() {
        return None;
    }
    let conversation = call.conversation(gate.sealer()).ok()?;
    Some(prompt_tokens::count(conversation, table))
}
