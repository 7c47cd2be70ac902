//! A deployment as planning sees it, and what a call needs of one.

use crate::health::Readiness;
use crate::route::{Abilities, TagAsk};

/// What the configuration says of a deployment's part in routing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Candidate {
    /// The deployment's tier; a tier is tried only after every lower one.
    pub order: u32,
    /// Its share of the calls, relative to its tier. Only ratios count; configuration writes
    /// thousandths, so that a weight of `0.5` is 500.
    pub weight: Option<u32>,
    /// Requests per minute it may take, its share where no deployment of the tier has a weight.
    pub rpm: Option<u64>,
    /// Tokens per minute it may take, its share where no deployment has a weight or `rpm`.
    pub tpm: Option<u64>,
    /// Whether it may be planned at all: not blocked.
    pub available: bool,
}

/// What goes on at a deployment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Load {
    /// Calls under way.
    pub in_flight: u32,
    /// Requests of this minute.
    pub requests: u64,
    /// Tokens of this minute.
    pub tokens: u64,
    /// The estimate of its time to the first byte, in microseconds, where it was called.
    pub latency_micros: Option<u64>,
}

/// A deployment that may serve a call: what is configured, what its model can do, how it is now.
/// Measures that the strategy and the call do not ask for may be left at their default.
#[derive(Debug, Clone, Copy, Default)]
pub struct Contender<'a> {
    /// What the configuration says.
    pub candidate: Candidate,
    /// Attempts after the first at it, where its entry says so.
    pub num_retries: Option<u32>,
    /// What its model can do.
    pub abilities: Abilities,
    /// Most tokens of a prompt, where known.
    pub input_max: Option<u64>,
    /// Where it is, where the configuration says.
    pub region: Option<&'a str>,
    /// Its tags.
    pub tags: &'a [Box<str>],
    /// Whether its `tag_regex` matches the client's name.
    pub fits_client: bool,
    /// Its price for a prompt token and an answer token together, in pico-dollars, where known.
    pub price_picos: Option<u64>,
    /// What goes on there.
    pub load: Load,
    /// Whether it may be called now: its own health and its credential's.
    pub readiness: Readiness,
}

/// What a call needs of a deployment. What is not asked for is not looked at.
#[derive(Debug, Clone, Copy, Default)]
pub struct Needs<'a> {
    /// The abilities, each as one that is had.
    pub abilities: Abilities,
    /// The prompt's tokens, counted or estimated, where windows are to be compared with it.
    pub input_tokens: Option<u64>,
    /// The region it has to stay in.
    pub region: Option<&'a str>,
    /// The tags it asks for, where tags take part in routing.
    pub tags: Option<TagAsk<'a>>,
    /// Whether a deployment that would pass its `rpm` or `tpm` is passed over.
    pub rates: bool,
    /// The tokens that count against `tpm`.
    pub rate_tokens: u64,
}
