//! The fair queue in front of one deployment: who may call it now, who waits, and who is next.
//!
//! [`Slots`] is the whole state of one deployment. It grants a slot while fewer calls are under way
//! than its [`Concurrency`] allows; beyond that, calls wait in places. Time is an argument; whoever
//! owns the waiting tasks carries out what a [`Turn`] says.
//!
//! # How places are shared
//!
//! By deficit round robin on two levels: between tenants (teams), and within a tenant between its
//! flows (keys). Everyone who waits has a balance of tokens. A round adds a quantum to each, by
//! weight; whoever is not in debt may be served, longest unserved first, and pays the call's
//! cost, its estimated tokens, which may put it in debt. A round begins only when everyone who
//! waits is in debt. Paying after the call rather than saving up for it is what lets the levels be
//! stacked without knowing a call's cost beforehand, and what keeps a caller of large calls from
//! waiting for a hundred small ones before its first. The quantum is one token, since rounds are
//! counted and not walked.
//!
//! # What holds
//!
//! - *Work-conserving*: nobody waits while a slot is free.
//! - *Fair*: of two parties that wait all along, the tokens served to each, divided by its weight,
//!   differ by less than one quantum and one maximal cost over the weight for each of them. One
//!   huge call therefore delays the others by its turn and no more.
//! - *No starvation*: a party that is not in debt is served before anyone is served twice.
//! - *In order*: within a flow, a lower [`Priority`] number goes first and equal ones go in order
//!   of arrival. A priority moves a call only among those of its own flow, so it takes nothing from
//!   others.
//! - *Bounded*: places of a flow, of the deployment ([`PLACES_MAX`]) and the time in them. No
//!   tenant can take all places, however many flows it has.
//! - *Forgetful*: who neither waits nor owes is not remembered, and when nobody waits, nobody is.
//!   A debt outlives its party's last place, so that calling one at a time is no way around it.

mod ask;
mod concurrency;
mod drain;
mod flow;
mod line;
mod round;
mod slots;

pub use ask::{Ask, Priority, PriorityRange, Weight};
pub use concurrency::{Concurrency, Ended};
pub use flow::{Flow, FlowBy, Party};
pub use line::PlaceId;
pub use slots::{
    Acquired, Full, PLACES_MAX, PLACES_PER_FLOW_MAX, Place, QueueFull, Queueing, Slot, Slots, Turn,
};
