//! Soft budgets: the operator is told that one is reached, and nothing is refused.

use std::sync::Arc;

use tollgate_domain::{Money, Timestamp};
use tollgate_store::LevelRecord;

use crate::gate::Gate;

/// One line in the log for each level and window. As in LiteLLM, the spend before a call is what
/// counts, and reaching the soft budget is enough (management-api §7, key soft budget).
pub(super) fn tell(gate: &Gate, levels: &[Arc<LevelRecord>], now: Timestamp) {
    for level in gate.keys().newly_over_soft(levels, now) {
        tracing::warn!(
            level = level.subject.level.as_str(),
            name = &*level.name,
            spent = %level.spent(gate.keys().calendar(), now),
            soft_budget = %level.soft().unwrap_or(Money::ZERO),
            "spend has reached a soft budget"
        );
    }
}
