//! What a limit counts, and what a call claims and uses of it.

use std::fmt;
use std::time::Duration;

use tollgate_domain::{ModelName, Money, Timestamp};

use crate::counter::Window;
use crate::window::{Cadence, Calendar, Period};

/// How long a rate limit's window lasts, as LiteLLM has it (runtime-semantics §6.2).
pub const RATE_WINDOW: Duration = Duration::from_secs(60);

/// The unit that a limit counts in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Measure {
    /// Nano-dollars.
    Money,
    /// Requests.
    Requests,
    /// Tokens.
    Tokens,
    /// Calls at one time.
    Calls,
}

/// What is counted for a limit. Limits of a level that count the same share one counter.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Tally {
    /// The unit.
    pub measure: Measure,
    /// The model group whose calls are counted, or `None` for all.
    pub model: Option<ModelName>,
    /// The period that money is counted over; `None` for all time.
    pub period: Option<Period>,
}

/// The most that a call can use, known before it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Demand {
    /// The most it can cost.
    pub money: Money,
    /// The tokens it is expected to use.
    pub tokens: u64,
}

/// What a call did use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Used {
    /// What it cost.
    pub cost: Money,
    /// The tokens it used.
    pub tokens: u64,
}

impl Tally {
    /// Whether calls of a model group known by these names are counted.
    #[must_use]
    pub fn counts(&self, names: &[&str]) -> bool {
        self.model.as_ref().is_none_or(|model| names.contains(&model.as_str()))
    }

    /// The window that contains an instant.
    #[must_use]
    pub fn window(&self, calendar: &Calendar, cadence: Cadence, now: Timestamp) -> Window {
        match (self.measure, &self.period) {
            (Measure::Requests | Measure::Tokens, _) => Window::Opened { now, length: RATE_WINDOW },
            (Measure::Money, Some(period)) => {
                let span = cadence.span(*period, calendar, now);
                Window::Between(span.start, span.end)
            }
            (Measure::Calls, _) | (Measure::Money, None) => Window::Forever,
        }
    }
}

impl fmt::Display for Tally {
    /// Its name among those of its level: the same for as long as it counts the same.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.measure.as_str())?;
        if let Some(period) = &self.period {
            write!(f, "/{period}")?;
        }
        match &self.model {
            Some(model) => write!(f, "@{model}"),
            None => Ok(()),
        }
    }
}

impl Measure {
    /// The measure's name in records.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Money => "money",
            Self::Requests => "requests",
            Self::Tokens => "tokens",
            Self::Calls => "calls",
        }
    }

    /// What a call claims.
    #[must_use]
    pub fn claimed(self, demand: &Demand) -> i64 {
        match self {
            Self::Money => demand.money.nanos().max(0),
            Self::Tokens => i64::try_from(demand.tokens).unwrap_or(i64::MAX),
            Self::Requests | Self::Calls => 1,
        }
    }

    /// What a call that is over has used up.
    #[must_use]
    pub fn used(self, used: &Used) -> i64 {
        match self {
            Self::Money => used.cost.nanos().max(0),
            Self::Tokens => i64::try_from(used.tokens).unwrap_or(i64::MAX),
            Self::Requests => 1,
            Self::Calls => 0,
        }
    }
}
