//! Deficit round robin between parties, whatever it is that each of them queues: places, or a round
//! of its own.

use std::collections::BTreeMap;

use tollgate_domain::Ticks;

use crate::fair::ask::Weight;
use crate::fair::flow::Party;
use crate::fair::line::PlaceId;
use crate::fair::slots::PLACES_MAX;

/// Places that wait, and the order in which they are served.
pub(super) trait Places: Default {
    /// Whether there is one.
    fn wait(&self) -> bool;
    /// How many there are.
    fn len(&self) -> usize;
    /// How many flows they belong to.
    fn flows(&self) -> usize;
    /// Takes the place whose turn it is.
    fn take(&mut self) -> Option<Taken>;
    /// Moves the places that are over to `expired`; the earliest end of those left.
    fn expire(&mut self, now: Ticks, expired: &mut Vec<PlaceId>) -> Option<Ticks>;
}

/// A place that is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Taken {
    pub(super) place: PlaceId,
    /// In tokens.
    pub(super) cost: u64,
}

/// The parties that share something. Either nobody is in it, or somebody of it waits.
#[derive(Debug)]
pub(super) struct Round<P> {
    members: BTreeMap<Party, Member<P>>,
    /// How many turns were given out.
    turns: u64,
}

#[derive(Debug)]
struct Member<P> {
    places: P,
    weight: Weight,
    /// In thousandths of a token. A debt is never larger than one cost; what it may hold is less
    /// than what one round adds.
    balance: i64,
    /// The turn in which it was served last, or came.
    turn: u64,
}

impl<P> Default for Round<P> {
    fn default() -> Self {
        Self { members: BTreeMap::new(), turns: 0 }
    }
}

impl<P: Places> Round<P> {
    /// The places of a party, which comes behind the others if it is not there yet. The caller adds
    /// a place to them.
    pub(super) fn join(&mut self, party: &Party, weight: Weight) -> &mut P {
        let turns = &mut self.turns;
        let member = self.members.entry(party.clone()).or_insert_with(|| {
            *turns += 1;
            Member { places: P::default(), weight, balance: 0, turn: *turns }
        });
        member.weight = weight;
        &mut member.places
    }

    /// The places of a party.
    pub(super) fn of(&self, party: &Party) -> Option<&P> {
        self.members.get(party).map(|member| &member.places)
    }

    /// Lets places of a party be taken out of turn.
    pub(super) fn edit<R>(&mut self, party: &Party, edit: impl FnOnce(&mut P) -> R) -> Option<R> {
        let edited = edit(&mut self.members.get_mut(party)?.places);
        self.forget();
        Some(edited)
    }

    /// As many rounds as it takes until one of those who wait is out of debt.
    fn credit(&mut self) {
        let waiting = self.members.values().filter(|member| member.waits());
        let rounds = waiting.map(Member::rounds_in_debt).min().unwrap_or(0);
        for member in self.members.values_mut() {
            let credit = rounds.saturating_mul(member.quantum());
            member.balance = member.balance.saturating_add(credit);
        }
    }

    /// Leaves out who neither waits nor owes, and everyone once nobody waits: there is nothing to
    /// share then.
    fn forget(&mut self) {
        if !self.members.values().any(Member::waits) {
            self.members = BTreeMap::new();
            return;
        }
        self.members.retain(|_, member| member.waits() || member.balance < 0);
        if self.members.len() > MEMBERS_MAX {
            self.members.retain(|_, member| member.waits());
        }
    }

    /// How many parties are remembered.
    #[cfg(test)]
    pub(super) fn members(&self) -> usize {
        self.members.len()
    }
}

impl<P: Places> Places for Round<P> {
    fn wait(&self) -> bool {
        !self.members.is_empty()
    }

    fn len(&self) -> usize {
        self.members.values().map(|member| member.places.len()).sum()
    }

    fn flows(&self) -> usize {
        self.members.values().map(|member| member.places.flows()).sum()
    }

    fn take(&mut self) -> Option<Taken> {
        if !self.members.values().any(Member::is_due) {
            self.credit();
        }
        let due = self.members.values_mut().filter(|member| member.is_due());
        let member = due.min_by_key(|member| member.turn)?;
        let taken = member.places.take()?;
        let cost = i64::try_from(taken.cost).unwrap_or(i64::MAX).saturating_mul(MILLI);
        member.balance = member.balance.saturating_sub(cost);
        self.turns += 1;
        member.turn = self.turns;
        self.forget();
        Some(taken)
    }

    fn expire(&mut self, now: Ticks, expired: &mut Vec<PlaceId>) -> Option<Ticks> {
        let ends = self.members.values_mut().map(|member| member.places.expire(now, expired));
        let earliest = ends.flatten().min();
        self.forget();
        earliest
    }
}

impl<P: Places> Member<P> {
    fn waits(&self) -> bool {
        self.places.wait()
    }

    fn is_due(&self) -> bool {
        self.balance >= 0 && self.waits()
    }

    /// What a round adds, in thousandths of a token.
    fn quantum(&self) -> i64 {
        QUANTUM_TOKENS * i64::from(self.weight.milli())
    }

    fn rounds_in_debt(&self) -> i64 {
        let (debt, quantum) = (self.balance.saturating_neg().max(0), self.quantum());
        debt / quantum + i64::from(debt % quantum > 0)
    }
}

/// What a round adds to the balance of a party of weight one.
const QUANTUM_TOKENS: i64 = 1;
/// Thousandths in a token.
const MILLI: i64 = 1000;
/// Most parties that are remembered in one round, those in debt who do not wait included; beyond it
/// their debts are forgotten.
const MEMBERS_MAX: usize = 2 * PLACES_MAX;
