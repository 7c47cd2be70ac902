//! Why a deployment was not planned for a call, or not taken when its turn came.

use tollgate_domain::{FailureClass, Ticks};

use crate::health::Readiness;
use crate::route::Ability;

/// Why a deployment was passed over. In the order in which it is found out, so that the greatest of
/// a group's reasons is that of the deployment that came nearest to serving the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PassedOver {
    /// It is blocked.
    Blocked,
    /// Its model is known to lack something.
    Lacks(Ability),
    /// The prompt is longer than its window.
    WindowTooSmall {
        /// Most tokens of a prompt.
        input_max: u64,
        /// The prompt's tokens.
        input_tokens: u64,
    },
    /// It is in another region, or nobody knows in which.
    OtherRegion,
    /// Its tags are not those that the call asks for.
    OtherTags,
    /// The call would pass its requests per minute.
    OverRequests,
    /// The call would pass its tokens per minute.
    OverTokens,
    /// A budget or a rate that the gateway keeps for it does not allow the call.
    LimitReached,
    /// Its queue does not take the call.
    QueueFull,
    /// It rests, or is being probed.
    Cooling {
        /// What cooled it.
        class: FailureClass,
        /// When it can be tried again.
        until: Ticks,
    },
    /// Its failures leave no retry.
    NoRetries,
    /// It takes no more retries at present.
    RetryBudget,
    /// There was no time left for it.
    OutOfTime,
    /// The call made as many attempts as it may.
    OutOfAttempts,
}

impl PassedOver {
    /// Why one that is not ready is not tried; nothing for one that is.
    #[must_use]
    pub const fn resting(readiness: Readiness) -> Option<Self> {
        match readiness {
            Readiness::Ready | Readiness::Probe => None,
            Readiness::Probing { until, class } | Readiness::Cooling { until, class } => {
                Some(Self::Cooling { class, until })
            }
        }
    }

    /// Its name in explanations.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Blocked => "blocked",
            Self::Lacks(_) => "lacks_ability",
            Self::WindowTooSmall { .. } => "window_too_small",
            Self::OtherRegion => "other_region",
            Self::OtherTags => "other_tags",
            Self::OverRequests => "over_requests",
            Self::OverTokens => "over_tokens",
            Self::LimitReached => "limit_reached",
            Self::QueueFull => "queue_full",
            Self::Cooling { .. } => "cooling",
            Self::NoRetries => "no_retries",
            Self::RetryBudget => "retry_budget",
            Self::OutOfTime => "out_of_time",
            Self::OutOfAttempts => "out_of_attempts",
        }
    }

    /// What it is like when every deployment of a group was passed over and this came nearest: the
    /// class of failure whose fallback chain is followed. Nothing where no other group should take
    /// what the operator withholds.
    #[must_use]
    pub const fn class(self) -> Option<FailureClass> {
        match self {
            Self::Blocked | Self::OtherTags | Self::OtherRegion => None,
            Self::Lacks(_) => Some(FailureClass::NotOffered),
            Self::WindowTooSmall { .. } => Some(FailureClass::ContextWindow),
            Self::OverRequests | Self::OverTokens | Self::LimitReached | Self::QueueFull => {
                Some(FailureClass::LimitReached)
            }
            Self::Cooling { class, .. } => Some(class),
            Self::NoRetries | Self::RetryBudget | Self::OutOfTime | Self::OutOfAttempts => None,
        }
    }
}
