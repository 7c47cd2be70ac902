//! What the ledger records: an opening at admission and one entry at settlement.

use std::sync::Arc;
use std::time::Duration;

use crate::{
    CallId, CustomerId, DeploymentId, KeyId, ModelName, Money, OrganizationId, PriceSheetId,
    ProjectId, ProviderName, Quantity, TagName, TeamId, Timestamp, Usage, UserId,
};

/// Who a call is charged to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribution {
    /// The virtual key, or the master key's identity.
    pub key: KeyId,
    /// The key's user.
    pub user: Option<UserId>,
    /// The key's team.
    pub team: Option<TeamId>,
    /// The key's organization.
    pub organization: Option<OrganizationId>,
    /// The key's project.
    pub project: Option<ProjectId>,
    /// The customer named by the call.
    pub customer: Option<CustomerId>,
    /// The tags of the call, of its key and of its team, each once, in order.
    pub tags: Box<[TagName]>,
}

impl Attribution {
    /// A call that is charged to a key and to nobody else.
    #[must_use]
    pub fn to_key(key: KeyId) -> Self {
        Self {
            key,
            user: None,
            team: None,
            organization: None,
            project: None,
            customer: None,
            tags: Box::default(),
        }
    }

    /// Charges these tags too, each once.
    pub fn charge_to(&mut self, tags: &[TagName]) {
        let mut all = [&self.tags, tags].concat();
        all.sort_unstable();
        all.dedup();
        self.tags = all.into();
    }
}

/// Written when a call is admitted, so that a crash leaves a trace of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenEntry {
    /// The call.
    pub call: CallId,
    /// When it was admitted; the entry belongs to the budget window that contains this instant.
    pub admitted_at: Timestamp,
    /// Who is charged.
    pub attribution: Arc<Attribution>,
    /// The model group the client named.
    pub model_group: ModelName,
    /// Whether the client asked for a stream.
    pub streamed: bool,
    /// The upper bound of the cost that is held, or `None` when no price is known.
    pub held: Option<Money>,
    /// The prompt's estimated tokens, charged when the call is interrupted by a crash.
    pub input_estimate: Quantity,
    /// The cost of `input_estimate`, or `None` when no price is known.
    pub input_cost: Option<Money>,
    /// The price sheet behind `held` and `input_cost`.
    pub price_sheet: Option<PriceSheetId>,
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The whole answer reached the client.
    Completed,
    /// No deployment gave an answer; the client got an error.
    Failed,
    /// The answer broke off after its first byte; the client was told in the stream.
    Cut,
    /// The client went away before the answer ended.
    Disconnected,
    /// The gateway ended while the call was open; settled at the next start.
    Interrupted,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 5] =
        [Self::Completed, Self::Failed, Self::Cut, Self::Disconnected, Self::Interrupted];

    /// The outcome's name in records.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cut => "cut",
            Self::Disconnected => "disconnected",
            Self::Interrupted => "interrupted",
        }
    }

    /// Reads a name that [`Outcome::as_str`] gives.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == text)
    }
}

/// Where a usage comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UsageSource {
    /// The provider reported it.
    Reported,
    /// The provider did not report it; it was counted from what passed through.
    Estimated,
    /// Nothing was consumed as far as anyone knows: no deployment was reached, or none answered.
    Nothing,
}

impl UsageSource {
    /// Every source.
    pub const ALL: [Self; 3] = [Self::Reported, Self::Estimated, Self::Nothing];

    /// The source's name in records.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reported => "reported",
            Self::Estimated => "estimated",
            Self::Nothing => "nothing",
        }
    }

    /// Reads a name that [`UsageSource::as_str`] gives.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.as_str() == text)
    }
}

/// One dispatch to one deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptRecord {
    /// The deployment.
    pub deployment: DeploymentId,
    /// Its provider.
    pub provider: ProviderName,
    /// The upstream's HTTP status, or `None` when no answer came.
    pub status: Option<u16>,
    /// The reason of the failure, a slug of the catalogue; `None` when the attempt succeeded.
    pub reason: Option<&'static str>,
    /// How long the attempt took until its answer's head or its failure.
    pub elapsed: Duration,
}

/// One line of the ledger: what one call consumed and cost. Never changed once written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The call, and the entry's key.
    pub call: CallId,
    /// When the call was admitted.
    pub admitted_at: Timestamp,
    /// When it settled.
    pub settled_at: Timestamp,
    /// When the first byte of the answer reached the client, if one did.
    pub first_byte_at: Option<Timestamp>,
    /// Who is charged.
    pub attribution: Arc<Attribution>,
    /// The model group the client named.
    pub model_group: ModelName,
    /// The deployment that answered, or the last one tried.
    pub deployment: Option<DeploymentId>,
    /// Its provider.
    pub provider: Option<ProviderName>,
    /// The provider's own name of the model.
    pub upstream_model: Option<Arc<str>>,
    /// Whether the client asked for a stream.
    pub streamed: bool,
    /// How it ended.
    pub outcome: Outcome,
    /// What it consumed.
    pub usage: Usage,
    /// Where `usage` comes from.
    pub usage_source: UsageSource,
    /// The price sheet `cost` was computed with.
    pub price_sheet: Option<PriceSheetId>,
    /// What it cost, or `None` when no price is known.
    pub cost: Option<Money>,
    /// Every dispatch, in order.
    pub attempts: Vec<AttemptRecord>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_in_records_read_back() {
        for outcome in Outcome::ALL {
            assert_eq!(Outcome::parse(outcome.as_str()), Some(outcome));
        }
        for source in UsageSource::ALL {
            assert_eq!(UsageSource::parse(source.as_str()), Some(source));
        }
        assert_eq!(Outcome::parse("fine"), None);
    }
}
