//! Dice, and deployments that fail for a while in their own way.

use std::time::Duration;

use tollgate_domain::{FailureClass, Ticks};

use crate::journey::AttemptFailure;

/// Numbers that look drawn and are the same for the same seed (splitmix64).
#[derive(Debug, Clone)]
pub(super) struct Dice(u64);

impl Dice {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) const fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `count`, which is not zero.
    pub(super) fn below(&mut self, count: usize) -> usize {
        (self.draw() % count as u64) as usize
    }

    pub(super) const fn percent(&mut self, chance: u64) -> bool {
        self.draw() % 100 < chance
    }

    pub(super) const fn millis(&mut self, most: u64) -> Duration {
        Duration::from_millis(self.draw() % most)
    }

    pub(super) fn one_of<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.below(list.len())]
    }
}

/// How a deployment behaves from one time on.
#[derive(Debug, Clone, Copy)]
enum Behaviour {
    Well,
    Failing(FailureClass),
    /// So many calls of a hundred fail.
    Flaky(u64, FailureClass),
    /// Names its wait with each refusal.
    Limited,
}

/// How a deployment behaves over time.
#[derive(Debug, Clone)]
pub(super) struct Faults(Vec<(Ticks, Behaviour)>);

/// How an attempt ends, and how long that takes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Outcome {
    pub(super) failure: Option<AttemptFailure>,
    pub(super) after: Duration,
}

impl Faults {
    pub(super) fn drawn(dice: &mut Dice, start: Ticks) -> Self {
        let mut at = start;
        let mut phases = Vec::new();
        for _ in 0..1 + dice.below(3) {
            let class = dice.one_of(&FAULTS);
            let behaviour = match dice.below(5) {
                0 | 1 => Behaviour::Well,
                2 => Behaviour::Failing(class),
                3 => Behaviour::Flaky(10 + dice.draw() % 60, class),
                _ => Behaviour::Limited,
            };
            phases.push((at, behaviour));
            at = at.plus(dice.millis(20_000));
        }
        Self(phases)
    }

    /// How an attempt that begins now ends for a call that is at fault so itself.
    pub(super) fn outcome(
        &self,
        own_fault: Option<FailureClass>,
        dice: &mut Dice,
        now: Ticks,
    ) -> Outcome {
        let phase = self.0.iter().rev().find(|(from, _)| *from <= now);
        let failure = match phase.map_or(Behaviour::Well, |(_, behaviour)| *behaviour) {
            Behaviour::Failing(class) => Some(AttemptFailure::new(class)),
            Behaviour::Flaky(chance, class) if dice.percent(chance) => {
                Some(AttemptFailure::new(class))
            }
            Behaviour::Limited => {
                let failure = AttemptFailure::new(FailureClass::RateLimited);
                Some(failure.after(Duration::from_millis(1) + dice.millis(15_000)))
            }
            Behaviour::Well | Behaviour::Flaky(..) => own_fault.map(AttemptFailure::new),
        };
        let visible = dice.percent(2);
        let consumed = dice.percent(1);
        let failure = failure.map(|failure| AttemptFailure { visible, consumed, ..failure });
        Outcome { failure, after: dice.millis(3000) }
    }
}

/// What deployments fail of.
const FAULTS: [FailureClass; 12] = [
    FailureClass::ProviderFailed,
    FailureClass::Unreachable,
    FailureClass::Overloaded,
    FailureClass::TimedOut,
    FailureClass::AnswerUnreadable,
    FailureClass::CredentialRejected,
    FailureClass::QuotaExhausted,
    FailureClass::RateLimited,
    FailureClass::ModelUnknown,
    FailureClass::ModelRetired,
    FailureClass::NotOffered,
    FailureClass::RequestTooLarge,
];
/// What calls are at fault for themselves.
pub(super) const OWN_FAULTS: [FailureClass; 3] =
    [FailureClass::RequestRejected, FailureClass::ContextWindow, FailureClass::ContentPolicy];
