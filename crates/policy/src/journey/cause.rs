//! Why a journey ended.

use tollgate_domain::{FailureClass, Ticks};

use crate::journey::leg::Leg;
use crate::route::PassedOver;
use crate::treatment::Treatment;

/// Why a journey ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// This attempt answered.
    Answered(usize),
    /// This attempt's failure is what the client has to be told.
    Attempt(usize),
    /// Every deployment of the group that could serve the call is rate limited.
    AllRateLimited {
        /// When the first frees, where anybody said.
        frees_at: Option<Ticks>,
    },
    /// No deployment of the group could be tried. This one came nearest.
    NobodyAble(PassedOver),
    /// The group has no deployments.
    Empty,
    /// There was no time left for a first attempt.
    OutOfTime,
}

/// The cause that the group which was asked for gives.
pub(super) fn first(failures: &[(usize, FailureClass)], leg: &Leg) -> Option<Cause> {
    let of_the_call = failures.iter().find(|(_, class)| Treatment::is_of_the_call(*class));
    if let Some((at, _)) = of_the_call {
        return Some(Cause::Attempt(*at));
    }
    let mut classes = failures.iter().map(|(_, class)| *class).chain(leg.resting());
    // The words of the only deployment's provider say more than ours.
    let others = failures.is_empty() || leg.has_others();
    let any = classes.clone().next().is_some();
    if any && others && leg.is_spent() && classes.all(|class| class == FailureClass::RateLimited) {
        return Some(Cause::AllRateLimited { frees_at: leg.frees_at() });
    }
    if let Some((at, _)) = failures.first() {
        return Some(Cause::Attempt(*at));
    }
    Some(leg.nearest().map_or(Cause::Empty, |why| match why {
        PassedOver::OutOfTime => Cause::OutOfTime,
        why => Cause::NobodyAble(why),
    }))
}
