//! How the deployments of a tier are ordered.

/// `routing_strategy` (runtime-semantics §7.3).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Strategy {
    /// A random order by share: weight, else `rpm`, else `tpm`.
    #[default]
    SimpleShuffle,
    /// The fewest calls under way first.
    LeastBusy,
    /// The fewest tokens of this minute first; none that would pass its `rpm` or `tpm`.
    UsageBased,
    /// The better of two drawn at random, by latency and calls under way; none that would pass its
    /// `rpm` or `tpm`.
    LatencyBased,
    /// The lowest price first; none that would pass its `rpm` or `tpm`.
    CostBased,
}

impl Strategy {
    /// Every strategy.
    pub const ALL: [Self; 5] = [
        Self::SimpleShuffle,
        Self::LeastBusy,
        Self::UsageBased,
        Self::LatencyBased,
        Self::CostBased,
    ];

    /// Reads a name of LiteLLM's. `usage-based-routing` is what its second version mended, and
    /// `provider-budget-routing` is the simple shuffle with a filter that is always on here.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "provider-budget-routing" => Some(Self::SimpleShuffle),
            "usage-based-routing" => Some(Self::UsageBased),
            _ => Self::ALL.into_iter().find(|strategy| strategy.as_str() == name),
        }
    }

    /// Its name in the configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SimpleShuffle => "simple-shuffle",
            Self::LeastBusy => "least-busy",
            Self::UsageBased => "usage-based-routing-v2",
            Self::LatencyBased => "latency-based-routing",
            Self::CostBased => "cost-based-routing",
        }
    }

    /// Whether it looks at the calls under way.
    #[must_use]
    pub const fn counts_in_flight(self) -> bool {
        matches!(self, Self::LeastBusy | Self::LatencyBased)
    }

    /// Whether it passes over a deployment that would pass its `rpm` or `tpm`, and so has to be
    /// told the requests and tokens of this minute.
    #[must_use]
    pub const fn keeps_rates(self) -> bool {
        matches!(self, Self::UsageBased | Self::LatencyBased | Self::CostBased)
    }

    /// Whether it looks at latencies.
    #[must_use]
    pub const fn measures_latency(self) -> bool {
        matches!(self, Self::LatencyBased)
    }
}
