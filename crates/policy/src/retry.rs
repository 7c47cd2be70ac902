//! Retries: how many, how long to wait before one, and how many are too many for a deployment.

mod back_off;
mod budget;

use std::time::Duration;

use tollgate_domain::FailureClass;

use crate::treatment::{Again, PerException, Treatment};

pub use back_off::{BACK_OFF_MAX, back_off};
pub use budget::{RETRY_BURST, RetryBudget, RetryShare};

/// How often a model group's calls are tried again, and how long they wait for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryRules {
    /// Attempts after the first, where nothing nearer says: `num_retries` of the router.
    pub num_retries: u32,
    /// The call's own number, which goes before everything.
    pub of_call: Option<u32>,
    /// By class: `model_group_retry_policy` of the group, else `retry_policy`.
    pub policy: PerException,
    /// The shortest wait before a retry: `retry_after`.
    pub wait_min: Duration,
    /// The longest wait for one deployment; when it would be longer, the call ends now.
    pub wait_max: Duration,
}

impl Default for RetryRules {
    fn default() -> Self {
        Self {
            num_retries: NUM_RETRIES,
            of_call: None,
            policy: PerException::default(),
            wait_min: Duration::ZERO,
            wait_max: RETRY_WAIT_MAX,
        }
    }
}

impl RetryRules {
    /// The attempts after the first that a failure allows at a deployment, whose own number
    /// `of_deployment` is: the call's, the deployment's, the policy's, the router's
    /// (runtime-semantics §8.1).
    #[must_use]
    pub fn retries(&self, class: FailureClass, of_deployment: Option<u32>) -> u32 {
        let nearest = self.of_call.or(of_deployment).or_else(|| self.policy.of(class));
        nearest.unwrap_or(self.num_retries)
    }

    /// Whether a deployment that failed so, this many times in this call, may be tried again. A
    /// policy that names the class says so whatever the class is.
    #[must_use]
    pub fn again(&self, class: FailureClass, tries: u32) -> bool {
        let named = self.policy.of(class).is_some_and(|retries| retries > 0);
        match Treatment::of(class).again {
            Again::BackOff => true,
            Again::Once => named || tries < 2,
            Again::Never => named,
        }
    }
}

/// Attempts after the first when nobody says (runtime-semantics §8.1).
pub const NUM_RETRIES: u32 = 2;
/// The longest wait for a deployment within a call when nobody says (seed-behaviour S10).
pub const RETRY_WAIT_MAX: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests;
