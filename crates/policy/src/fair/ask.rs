//! What a call asks of the queue: as whom, how much, how urgently and for how long.

use std::time::Duration;

use crate::fair::flow::Flow;

/// A call that wants a slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// Whom it waits as.
    pub flow: Flow,
    /// The tenant's share among tenants.
    pub tenant_weight: Weight,
    /// The flow's share within its tenant.
    pub flow_weight: Weight,
    /// Its estimated tokens, prompt and answer together. The queue counts at least
    /// [`COST_TOKENS_MIN`] and at most [`COST_TOKENS_MAX`].
    pub cost: u64,
    /// Its place among the calls of its own flow.
    pub priority: Priority,
    /// How long it waits at most.
    pub patience: Duration,
}

/// A share relative to the shares of others, in thousandths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Weight(u32);

/// What a call goes by within its flow; the lower number goes first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Priority(i32);

/// The priorities that a key lets its clients choose from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PriorityRange {
    /// The lowest number, which goes first.
    pub min: i32,
    /// The highest number.
    pub max: i32,
}

impl Weight {
    /// A weight in thousandths, held within 1 and [`WEIGHT_MILLI_MAX`].
    #[must_use]
    pub fn from_milli(milli: u32) -> Self {
        Self(milli.clamp(1, WEIGHT_MILLI_MAX))
    }

    /// The weight in thousandths.
    #[must_use]
    pub const fn milli(self) -> u32 {
        self.0
    }
}

impl Default for Weight {
    /// One share.
    fn default() -> Self {
        Self(1000)
    }
}

impl Priority {
    /// The priority of a call whose client asks for one: held within what its key grants. Without a
    /// grant, what a client asks for does not count; without a wish, the call has priority zero.
    #[must_use]
    pub fn granted(asked: Option<i64>, range: Option<PriorityRange>) -> Self {
        let (Some(asked), Some(PriorityRange { min, max })) = (asked, range) else {
            return Self::default();
        };
        let within = asked.min(i64::from(max)).max(i64::from(min));
        Self(i32::try_from(within).unwrap_or(max))
    }
}

/// What the queue counts for a call of no tokens: it takes a slot all the same.
pub(super) const COST_TOKENS_MIN: u64 = 64;
/// What the queue counts for a call of more tokens than any context window has, a million: no
/// estimate can put a flow back further.
pub(super) const COST_TOKENS_MAX: u64 = 1 << 20;
/// The largest weight in thousandths, a thousand shares.
const WEIGHT_MILLI_MAX: u32 = 1_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_chooses_only_within_what_its_key_grants() {
        let range = |min, max| Some(PriorityRange { min, max });
        let cases = [
            (Some(5), None, 0),
            (Some(-5), None, 0),
            (None, range(-9, 9), 0),
            (Some(5), range(-9, 9), 5),
            (Some(i64::MAX), range(-9, 9), 9),
            (Some(i64::MIN), range(-9, 9), -9),
            (Some(0), range(3, 9), 3),
            // A range the wrong way round is no reason to fail: its lower end holds.
            (Some(5), range(9, 1), 9),
        ];
        for (asked, range, priority) in cases {
            assert_eq!(Priority::granted(asked, range), Priority(priority), "{asked:?} {range:?}");
        }
    }

    #[test]
    fn a_weight_is_never_nothing_and_never_everything() {
        for (milli, held) in [(0, 1), (1, 1), (500, 500), (u32::MAX, WEIGHT_MILLI_MAX)] {
            assert_eq!(Weight::from_milli(milli).milli(), held);
        }
        assert_eq!(Weight::default(), Weight::from_milli(1000));
    }
}
