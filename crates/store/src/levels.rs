//! One level of the tree in memory, and the claim that a call makes of all its levels.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Map, Value as Json};
use tollgate_domain::{BudgetId, Money, Subject, Timestamp};
use tollgate_policy::{
    Anchor, Calendar, Claim, Demand, Grant, Limits, Measure, Over, Rule, Window,
};

use crate::StoreError;
use crate::directory::Books;
use crate::meters::{Claims, Meter, Wanted};
use crate::shared::{Refused, SharedCounters};

/// A key, team, user or other level with what its calls need.
#[derive(Debug)]
pub struct LevelRecord {
    /// Who.
    pub subject: Subject,
    /// How people call it; never a secret.
    pub name: String,
    /// Whether its calls are refused for now.
    pub blocked: bool,
    /// Which models it may call.
    pub grant: Grant,
    /// Its limits.
    pub limits: Limits,
    /// The budget whose rules fill what its own limits leave open.
    pub budget: Option<BudgetId>,
    /// What whoever created it keeps beside it.
    pub metadata: Map<String, Json>,
    pub(crate) rules: Vec<LevelRule>,
}

/// A limit and its counter.
#[derive(Debug)]
pub(crate) struct LevelRule {
    rule: Rule,
    meter: Arc<Meter>,
    /// Where periods that have no place in a calendar are counted from.
    anchor: Anchor,
    /// The window of the last claim, because computing one takes longer than the rest of a claim.
    window: Mutex<Window>,
}

/// A claim that a limit does not allow.
#[derive(Debug, Clone)]
pub struct Exceeded {
    /// The level whose limit it is.
    pub level: Arc<LevelRecord>,
    /// The limit.
    pub rule: Rule,
    /// By how much, and until when.
    pub over: Over,
}

/// Why a call holds nothing.
#[derive(Debug)]
pub enum ClaimError {
    /// A limit does not allow it.
    Exceeded(Box<Exceeded>),
    /// The store of the shared counters is away, and a cap on money binds the call.
    CountersAway,
    /// The database that knows what was spent fails.
    Store(StoreError),
}

/// What a call wants of a limit, and where the limit's spend is found in the ledger.
#[derive(Debug)]
pub(crate) struct Wish<'a> {
    pub(crate) wanted: Wanted<'a>,
    pub(crate) subject: &'a Subject,
    pub(crate) rule: &'a Rule,
    pub(crate) anchor: Anchor,
}

impl LevelRecord {
    /// Somebody whom nothing limits and who is counted nowhere in memory.
    #[must_use]
    pub fn unlimited(subject: Subject) -> Self {
        Self {
            name: subject.id.to_string(),
            subject,
            blocked: false,
            grant: Grant::Everything,
            limits: Limits::default(),
            budget: None,
            metadata: Map::new(),
            rules: Vec::new(),
        }
    }

    /// What its calls cost in the present window of its main budget, or in all time when that has
    /// no period. Zero for one that has no limits; the ledger knows its spend.
    #[must_use]
    pub fn spent(&self, calendar: &Calendar, now: Timestamp) -> Money {
        let main = self.rules.first();
        main.map_or(Money::ZERO, |main| {
            Money::from_nanos(main.meter.used(&main.window(calendar, now)))
        })
    }

    /// The names of the meters of its limits.
    pub(crate) fn meter_names(&self) -> impl Iterator<Item = Arc<str>> {
        self.rules.iter().map(|rule| rule.meter.shared_name())
    }

    /// What its calls in flight hold of its main budget.
    #[must_use]
    pub fn held(&self) -> Money {
        self.rules.first().map_or(Money::ZERO, |main| Money::from_nanos(main.meter.held()))
    }

    /// The window of its main budget, by its start in microseconds since 1970, once its spend there
    /// has reached its soft budget.
    pub(crate) fn soft_reached(&self, calendar: &Calendar, now: Timestamp) -> Option<i64> {
        let (soft, main) = (self.limits.soft?, self.rules.first()?);
        let window = main.window(calendar, now);
        let start = match window {
            Window::Between(start, _) => start.micros(),
            Window::Forever | Window::Opened { .. } => 0,
        };
        (main.meter.used(&window) >= soft.nanos()).then_some(start)
    }

    /// When its main budget starts anew, if it does.
    #[must_use]
    pub fn resets_at(&self, calendar: &Calendar, now: Timestamp) -> Option<Timestamp> {
        match self.rules.first()?.window(calendar, now) {
            Window::Between(_, end) => Some(end),
            Window::Forever | Window::Opened { .. } => None,
        }
    }
}

impl LevelRule {
    pub(crate) const fn new(rule: Rule, meter: Arc<Meter>, anchor: Anchor) -> Self {
        Self { rule, meter, anchor, window: Mutex::new(Window::Forever) }
    }

    fn window(&self, calendar: &Calendar, now: Timestamp) -> Window {
        if self.rule.period.is_none() {
            return self.rule.window(calendar, self.anchor, now);
        }
        let mut last = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        match *last {
            Window::Between(start, end) if start <= now && now < end => *last,
            _ => {
                *last = self.rule.window(calendar, self.anchor, now);
                *last
            }
        }
    }

    fn wanted(&self, demand: &Demand, calendar: &Calendar, now: Timestamp) -> Wanted<'_> {
        let measure = self.rule.measure;
        let claim = Claim {
            amount: measure.claimed(demand),
            cap: self.rule.cap_at(now),
            window: self.window(calendar, now),
        };
        Wanted { meter: &self.meter, measure, claim }
    }
}

/// Claims what a call demands of every limit of every level in this process, or of none. `models`
/// are the names that the call's model group goes by.
///
/// # Errors
/// [`Exceeded`] for the first limit, in the order of the levels and money first, that does not
/// allow it.
pub fn claim(
    levels: &[Arc<LevelRecord>],
    models: &[&str],
    demand: &Demand,
    calendar: &Calendar,
    now: Timestamp,
) -> Result<Claims, Box<Exceeded>> {
    let rules = binding(levels, models);
    let wanted: Vec<Wanted<'_>> =
        rules.iter().map(|(_, rule)| rule.wanted(demand, calendar, now)).collect();
    Claims::take(&wanted).map_err(|over| exceeded(&rules, over))
}

/// The same of counters that many nodes share.
pub(crate) async fn claim_shared(
    (shared, books): (&SharedCounters, &Books),
    levels: &[Arc<LevelRecord>],
    models: &[&str],
    demand: &Demand,
    now: Timestamp,
) -> Result<Claims, ClaimError> {
    let rules = binding(levels, models);
    let wishes = rules.iter().map(|&(level, rule)| Wish {
        wanted: rule.wanted(demand, books.calendar(), now),
        subject: &level.subject,
        rule: &rule.rule,
        anchor: rule.anchor,
    });
    let wishes: Vec<Wish<'_>> = wishes.collect();
    shared.claim(&wishes, books, now).await.map_err(|refused| match refused {
        Refused::Over(over) => ClaimError::Exceeded(exceeded(&rules, over)),
        Refused::Away => ClaimError::CountersAway,
        Refused::Ledger(error) => ClaimError::Store(error),
    })
}

/// The limits that count a call of this model group, in the order in which they refuse.
fn binding<'a>(
    levels: &'a [Arc<LevelRecord>],
    models: &[&str],
) -> Vec<(&'a Arc<LevelRecord>, &'a LevelRule)> {
    let mut rules = Vec::new();
    for level in levels {
        rules.extend(
            level.rules.iter().filter(|rule| rule.rule.counts(models)).map(|rule| (level, rule)),
        );
    }
    // A budget that is spent says more than a rate that would allow the call again in a minute.
    rules.sort_by_key(|(_, rule)| rule.rule.measure != Measure::Money);
    rules
}

fn exceeded(rules: &[(&Arc<LevelRecord>, &LevelRule)], over: Over) -> Box<Exceeded> {
    let (level, rule) = rules[over.index];
    Box::new(Exceeded { level: Arc::clone(level), rule: rule.rule.clone(), over })
}
