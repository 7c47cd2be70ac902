//! What a call brings to the queue.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use tollgate_config::FairQueueSettings;
use tollgate_domain::{Attribution, DeploymentId};
use tollgate_policy::{Ask, Flow, Priority, PriorityRange, Weight};

/// A call that wants a slot.
#[derive(Debug, Clone, Copy)]
pub struct Asking<'a> {
    /// How calls wait.
    pub settings: &'a FairQueueSettings,
    /// Who the call is charged to.
    pub who: &'a Attribution,
    /// The client's network address, where `fairness_key` may ask for it.
    pub address: Option<IpAddr>,
    /// What its key and team are granted.
    pub standing: Standing,
    /// The priority that the client asks for.
    pub priority: Option<i64>,
    /// The tokens it is estimated at, prompt and answer together.
    pub tokens: u64,
    /// What is left until the call's own deadline.
    pub left: Duration,
}

/// What a key and its team are granted in the queue.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Standing {
    /// The team's share among teams.
    pub team: Weight,
    /// The key's share within its team.
    pub key: Weight,
    /// The priorities that the key lets its clients choose from; none where they may not.
    pub priorities: Option<PriorityRange>,
}

/// A deployment that may serve the call.
#[derive(Debug, Clone, Copy)]
pub struct Door<'a> {
    /// The deployment.
    pub deployment: &'a DeploymentId,
    /// The most calls it takes at once, where that is configured.
    pub calls_at_once_max: Option<NonZeroU32>,
}

impl Asking<'_> {
    pub(super) fn ask(&self) -> Ask {
        Ask {
            flow: Flow::of(self.who, self.address, &self.settings.fairness_key),
            tenant_weight: self.standing.team,
            flow_weight: self.standing.key,
            cost: self.tokens,
            priority: Priority::granted(self.priority, self.standing.priorities),
            patience: self.settings.wait_max.min(self.left),
        }
    }
}
