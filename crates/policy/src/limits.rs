//! What binds one level of the tree, and what a call claims of it.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use tollgate_domain::{ModelName, Money, Timestamp};

use crate::counter::Window;
use crate::window::{Anchor, Calendar, Period, Running};

/// How long a rate limit's window lasts, as LiteLLM has it (runtime-semantics §6.2).
pub const RATE_WINDOW: Duration = Duration::from_secs(60);

/// The limits of one key, user, team or other level.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Limits {
    /// Limits on everything the level does.
    pub whole: Bounds,
    /// Limits on its calls of one model group, beside those on everything.
    pub models: BTreeMap<ModelName, Bounds>,
    /// More money for a while, on top of the first cap on everything.
    pub raise: Option<Raise>,
    /// Spend from which on the operator is told; it refuses nothing.
    pub soft: Option<Money>,
    /// Whether periods begin on the level's own day instead of the calendar's.
    pub anniversary: bool,
}

/// Limits that apply together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bounds {
    /// Caps on money; each counts on its own.
    pub money: Vec<MoneyBound>,
    /// Requests a minute.
    pub requests: Option<u64>,
    /// Tokens a minute.
    pub tokens: Option<u64>,
    /// Calls at one time.
    pub calls: Option<u64>,
}

/// A cap on what may be spent within a period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MoneyBound {
    /// The cap, or `None` to count only.
    pub cap: Option<Money>,
    /// The period, or `None` for all time.
    pub period: Option<Period>,
    /// The window that ran when the cap was taken over from elsewhere, until it ends.
    pub running: Option<Running>,
}

/// A temporary increase of a cap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Raise {
    /// By how much.
    pub by: Money,
    /// Until when; the instant itself has the usual cap again.
    pub until: Timestamp,
}

/// What a limit counts.
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

/// One limit as it is counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// What it counts.
    pub measure: Measure,
    /// The model group whose calls it counts, or `None` for all.
    pub model: Option<ModelName>,
    /// The cap in the units of `measure`, or `None` to count only.
    pub cap: Option<i64>,
    /// The period of a cap on money; `None` for all time.
    pub period: Option<Period>,
    /// The window that ran when the cap was taken over.
    pub running: Option<Running>,
    /// More of it for a while.
    pub raise: Option<Raise>,
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

impl Limits {
    /// Every limit as a rule: those on everything first, money first among them.
    ///
    /// The first rule counts money over the level's main period even where nothing caps it, because
    /// what a level spent is always shown.
    #[must_use]
    pub fn rules(&self) -> Vec<Rule> {
        let mut rules = self.whole.rules(None);
        if self.whole.money.is_empty() {
            rules.insert(0, Rule::counting(Measure::Money));
        }
        if let Some(first) = rules.first_mut() {
            first.raise = self.raise;
        }
        rules.extend(self.models.iter().flat_map(|(model, bounds)| bounds.rules(Some(model))));
        rules
    }

    /// What periods are counted from, for a level that was created at this instant.
    #[must_use]
    pub const fn anchor(&self, created_at: Timestamp) -> Anchor {
        if self.anniversary { Anchor::Anniversary(created_at) } else { Anchor::Created(created_at) }
    }

    /// Whether any cap on money is set, so that a call without a known price cannot be admitted.
    #[must_use]
    pub fn caps_money(&self, model: &[&str]) -> bool {
        let caps = |bounds: &Bounds| bounds.money.iter().any(|bound| bound.cap.is_some());
        let named = |name: &ModelName| model.contains(&name.as_str());
        caps(&self.whole) || self.models.iter().any(|(name, bounds)| named(name) && caps(bounds))
    }
}

impl Bounds {
    fn rules(&self, model: Option<&ModelName>) -> Vec<Rule> {
        let mut rules: Vec<Rule> = self.money.iter().map(|bound| bound.rule()).collect();
        let counted = [
            (Measure::Requests, self.requests),
            (Measure::Tokens, self.tokens),
            (Measure::Calls, self.calls),
        ];
        for (measure, cap) in counted {
            if let Some(cap) = cap {
                let cap = Some(i64::try_from(cap).unwrap_or(i64::MAX));
                rules.push(Rule { cap, ..Rule::counting(measure) });
            }
        }
        rules.iter_mut().for_each(|rule| rule.model = model.cloned());
        rules
    }
}

impl MoneyBound {
    fn rule(&self) -> Rule {
        Rule {
            cap: self.cap.map(Money::nanos),
            period: self.period,
            running: self.running,
            ..Rule::counting(Measure::Money)
        }
    }
}

impl Rule {
    const fn counting(measure: Measure) -> Self {
        Self { measure, model: None, cap: None, period: None, running: None, raise: None }
    }

    /// Whether calls of a model group known by these names are counted.
    #[must_use]
    pub fn counts(&self, names: &[&str]) -> bool {
        self.model.as_ref().is_none_or(|model| names.contains(&model.as_str()))
    }

    /// The cap at an instant.
    #[must_use]
    pub fn cap_at(&self, now: Timestamp) -> Option<i64> {
        let raise = self.raise.filter(|raise| now < raise.until);
        Some(self.cap?.saturating_add(raise.map_or(0, |raise| raise.by.nanos())))
    }

    /// The window that contains an instant.
    #[must_use]
    pub fn window(&self, calendar: &Calendar, anchor: Anchor, now: Timestamp) -> Window {
        match (self.measure, &self.period) {
            (Measure::Requests | Measure::Tokens, _) => Window::Opened { now, length: RATE_WINDOW },
            (Measure::Money, Some(period)) => {
                let span = match self.running {
                    Some(running) => running.span(*period, calendar, anchor, now),
                    None => period.span(calendar, anchor, now),
                };
                Window::Between(span.start, span.end)
            }
            (Measure::Calls, _) | (Measure::Money, None) => Window::Forever,
        }
    }
}

impl fmt::Display for Rule {
    /// The rule's name among those of its level: the same for as long as it counts the same.
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

#[cfg(test)]
mod tests {
    use super::*;

    const fn dollars(count: i64) -> Money {
        Money::from_nanos(count * 1_000_000_000)
    }

    fn bound(cap: i64, period: Option<&str>) -> MoneyBound {
        let period = period.map(|word| Period::parse(word).expect("a period"));
        MoneyBound { cap: Some(dollars(cap)), period, running: None }
    }

    #[test]
    fn every_limit_becomes_a_rule_with_a_name_of_its_own() {
        let model = ModelName::new("gpt-4o").expect("a name");
        let limits = Limits {
            whole: Bounds {
                money: vec![bound(100, Some("30d")), bound(5, Some("1d"))],
                requests: Some(60),
                tokens: Some(u64::MAX),
                calls: Some(0),
            },
            models: [(model, Bounds { money: vec![bound(1, None)], ..Bounds::default() })].into(),
            ..Limits::default()
        };
        let rules = limits.rules();
        let names: Vec<String> = rules.iter().map(ToString::to_string).collect();
        assert_eq!(names, ["money/30d", "money/1d", "requests", "tokens", "calls", "money@gpt-4o"]);
        assert_eq!(rules[3].cap, Some(i64::MAX));
        assert!(rules[5].counts(&["openai/gpt-4o", "gpt-4o"]) && !rules[5].counts(&["gpt-4"]));
    }

    #[test]
    fn what_nobody_limits_is_still_counted_in_money() {
        let rules = Limits::default().rules();
        assert_eq!(rules.len(), 1);
        assert_eq!((rules[0].measure, rules[0].cap), (Measure::Money, None));
        assert!(!Limits::default().caps_money(&[]));
    }

    #[test]
    fn a_raise_ends_at_its_instant_and_lifts_no_other_cap() {
        let until = Timestamp::from_micros(1_000);
        let limits = Limits {
            whole: Bounds { money: vec![bound(10, None), bound(3, None)], ..Bounds::default() },
            raise: Some(Raise { by: dollars(5), until }),
            ..Limits::default()
        };
        let caps = |at: i64| -> Vec<Option<i64>> {
            let at = Timestamp::from_micros(at);
            limits.rules().iter().map(|rule| rule.cap_at(at)).collect()
        };
        let nanos = |count: i64| Some(dollars(count).nanos());
        assert_eq!(caps(999), [nanos(15), nanos(3)]);
        assert_eq!(caps(1_000), [nanos(10), nanos(3)]);
    }
}
