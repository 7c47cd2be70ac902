//! The refusal of a call that a limit does not allow: which limit, whose, what is left, until when;
//! and of one whose limits cannot be checked.

use std::time::Duration;

use tollgate_domain::{Level, Money, Timestamp};
use tollgate_faults::{LimitFacts, LimitKind, Reason, Refusal};
use tollgate_policy::{Measure, Over};
use tollgate_store::{ClaimError, Exceeded, LevelRecord};

/// When to try again after a limit on calls at one time, which no clock frees.
const CALLS_RETRY_AFTER: Duration = Duration::from_secs(1);

/// When to try again while the store of the counters is away.
const AWAY_RETRY_AFTER: Duration = Duration::from_secs(1);

/// The refusal of a call that could claim nothing.
pub(crate) fn not_claimed(error: &ClaimError, now: Timestamp) -> Refusal {
    let message = match error {
        ClaimError::Exceeded(exceeded) => return refusal(exceeded, now),
        ClaimError::CountersAway => {
            "the store that counts spend does not answer, and this call has a budget"
        }
        ClaimError::Store(problem) => {
            tracing::error!(%problem, "the ledger could not be asked what was spent");
            "the ledger that knows what was spent does not answer"
        }
    };
    Refusal::new(Reason::BudgetStoreUnavailable, message).with_retry_after(AWAY_RETRY_AFTER)
}

/// The refusal that tells of an exceeded limit.
fn refusal(exceeded: &Exceeded, now: Timestamp) -> Refusal {
    let reason = reason(exceeded);
    let refusal = Refusal::new(reason, message(exceeded)).with_limit(limit(exceeded, now));
    match retry_after(exceeded, now) {
        Some(wait) => refusal.with_retry_after(wait),
        None => refusal,
    }
}

/// Whose limits they are, as a client may know it.
pub(crate) fn whose(level: &LevelRecord) -> String {
    match level.subject.level {
        Level::All => "this gateway".to_owned(),
        Level::Key => "this key".to_owned(),
        Level::Member => "this user in this team".to_owned(),
        Level::OrganizationMember => "this user in this organization".to_owned(),
        named => format!("the {} `{}`", named.as_str(), level.name),
    }
}

/// The limit as headers tell of it.
fn limit(exceeded: &Exceeded, now: Timestamp) -> LimitFacts {
    let kind = match exceeded.tally.measure {
        Measure::Money => LimitKind::Budget,
        Measure::Requests => LimitKind::Requests,
        Measure::Tokens => LimitKind::Tokens,
        Measure::Calls => LimitKind::ParallelRequests,
    };
    let Over { cap, used, held, resets_at, .. } = exceeded.over;
    let left = cap.saturating_sub(used).saturating_sub(held);
    LimitFacts {
        kind,
        limit: u64::try_from(cap).unwrap_or_default(),
        remaining: u64::try_from(left).unwrap_or_default(),
        resets: resets_at.map(|at| (at, at.since(now))),
    }
}

fn reason(exceeded: &Exceeded) -> Reason {
    match exceeded.tally.measure {
        Measure::Money if exceeded.over.by_held() => Reason::BudgetReservedByOtherRequests,
        Measure::Money => Reason::BudgetExceeded,
        Measure::Requests | Measure::Tokens => Reason::RateLimited,
        Measure::Calls => Reason::ConcurrencyLimited,
    }
}

fn message(exceeded: &Exceeded) -> String {
    let Exceeded { level, tally, over } = exceeded;
    let whose = whose(level);
    let Over { cap, used, held, asked, .. } = *over;
    let mut message = match tally.measure {
        Measure::Money => {
            let [cap, used, held, asked] = [cap, used, held, asked].map(Money::from_nanos);
            let period = tally.period.as_ref().map(|period| format!(" per {period}"));
            format!(
                "this call can cost up to ${asked}; {whose} has spent ${used} of its ${cap} \
                 budget{} and ${held} more is held for calls under way",
                period.unwrap_or_default()
            )
        }
        Measure::Requests => {
            format!("{whose} may make {cap} requests a minute and has made {}", used + held)
        }
        Measure::Tokens => format!(
            "{whose} may use {cap} tokens a minute; {used} are used, {held} are held for calls \
             under way, and this call may need {asked}"
        ),
        Measure::Calls => {
            format!("{whose} may make {cap} calls at one time, and all are under way")
        }
    };
    if let Some(model) = &tally.model {
        message.push_str(&format!(" (limit for the model `{model}`)"));
    }
    if let Some(at) = over.resets_at {
        message.push_str(&format!("; the limit starts anew at {at}"));
    }
    message
}

/// How long until the limit may allow the call: its own window's end, rounded up to a second, or a
/// moment where calls in flight stand in the way.
fn retry_after(exceeded: &Exceeded, now: Timestamp) -> Option<Duration> {
    if exceeded.tally.measure == Measure::Calls || exceeded.over.asked > exceeded.over.cap {
        return (exceeded.tally.measure == Measure::Calls).then_some(CALLS_RETRY_AFTER);
    }
    let left = exceeded.over.resets_at?.since(now);
    Some(Duration::from_secs(left.as_secs().saturating_add(1).max(1)))
}
