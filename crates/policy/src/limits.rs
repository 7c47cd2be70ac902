//! What binds one level of the tree.

use std::collections::BTreeMap;

use tollgate_domain::{ModelName, Money, Timestamp};

use crate::tally::{Measure, Tally};
use crate::window::{Anchor, Cadence, Period, Running};

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

/// One limit as it is counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// What it counts.
    pub tally: Tally,
    /// The cap in the units of its measure, or `None` to count only.
    pub cap: Option<i64>,
    /// The window of its money that ran when the cap was taken over.
    pub running: Option<Running>,
    /// More of it for a while.
    pub raise: Option<Raise>,
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
        rules.iter_mut().for_each(|rule| rule.tally.model = model.cloned());
        rules
    }
}

impl MoneyBound {
    fn rule(&self) -> Rule {
        let tally = Tally { measure: Measure::Money, model: None, period: self.period };
        Rule { tally, cap: self.cap.map(Money::nanos), running: self.running, raise: None }
    }
}

impl Rule {
    const fn counting(measure: Measure) -> Self {
        let tally = Tally { measure, model: None, period: None };
        Self { tally, cap: None, running: None, raise: None }
    }

    /// The cap at an instant.
    #[must_use]
    pub fn cap_at(&self, now: Timestamp) -> Option<i64> {
        cap_at(self.cap, self.raise.as_ref(), now)
    }

    /// How its windows follow each other, at a level with this anchor.
    #[must_use]
    pub const fn cadence(&self, anchor: Anchor) -> Cadence {
        Cadence { anchor, running: self.running }
    }
}

/// A cap at an instant, with the raise that may lift it then.
#[must_use]
pub fn cap_at(cap: Option<i64>, raise: Option<&Raise>, now: Timestamp) -> Option<i64> {
    let raise = raise.filter(|raise| now < raise.until);
    Some(cap?.saturating_add(raise.map_or(0, |raise| raise.by.nanos())))
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
        let names: Vec<String> = rules.iter().map(|rule| rule.tally.to_string()).collect();
        assert_eq!(names, ["money/30d", "money/1d", "requests", "tokens", "calls", "money@gpt-4o"]);
        assert_eq!(rules[3].cap, Some(i64::MAX));
        assert!(rules[5].tally.counts(&["openai/gpt-4o", "gpt-4o"]));
        assert!(!rules[5].tally.counts(&["gpt-4"]));
    }

    #[test]
    fn what_nobody_limits_is_still_counted_in_money() {
        let rules = Limits::default().rules();
        assert_eq!(rules.len(), 1);
        assert_eq!((rules[0].tally.measure, rules[0].cap), (Measure::Money, None));
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
