//! One level of the tree in memory, and the claim that a call makes of all its levels.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Map, Value as Json};
use tollgate_domain::{BudgetId, Level, Money, Subject, Timestamp};
use tollgate_policy::{
    Anchor, Cadence, Calendar, Claim, Counter, Demand, Grant, Measure, Over, Raise, Rule, Running,
    Span, Tally, Window, cap_at,
};

use crate::StoreError;
use crate::directory::Books;
use crate::meters::{Claims, Meter, Wanted};
use crate::shared::{Refused, SharedCounters};

/// A key, team, user or other level with what its calls need, and nothing else: there may be a
/// hundred thousand in memory.
#[derive(Debug)]
pub struct LevelRecord {
    /// Who.
    pub subject: Subject,
    /// How people call it; never a secret.
    pub name: Box<str>,
    /// Whether its calls are refused for now.
    pub blocked: bool,
    /// Which models it may call.
    pub grant: Grant,
    /// What few have.
    pub(crate) beside: Option<Box<Beside>>,
    pub(crate) rules: Box<[LevelRule]>,
    /// Where periods that have no place in a calendar are counted from.
    pub(crate) anchor: Anchor,
}

/// What few levels have beside their limits.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Beside {
    /// The budget whose rules fill what its own limits leave open.
    pub(crate) budget: Option<BudgetId>,
    /// Spend from which on the operator is told; it refuses nothing.
    pub(crate) soft: Option<Money>,
    /// What whoever created it keeps beside it.
    pub(crate) metadata: Map<String, Json>,
}

/// A limit and its counter.
#[derive(Debug)]
pub(crate) struct LevelRule {
    meter: Arc<Meter>,
    cap: Option<i64>,
    /// What there is only where the limit changes with time.
    times: Option<Box<Times>>,
}

/// How a limit changes with time.
#[derive(Debug)]
struct Times {
    /// The window of the last claim, because computing one takes longer than the rest of a claim.
    last: Mutex<Span>,
    exception: Option<Box<Exception>>,
}

/// What is otherwise for a while.
#[derive(Debug, Clone, Copy)]
struct Exception {
    /// What lifts the cap.
    raise: Option<Raise>,
    /// The window that ran when the cap was taken over.
    running: Option<Running>,
}

/// A claim that a limit does not allow.
#[derive(Debug, Clone)]
pub struct Exceeded {
    /// The level whose limit it is.
    pub level: Arc<LevelRecord>,
    /// What the limit counts.
    pub tally: Tally,
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
    pub(crate) cadence: Cadence,
}

impl LevelRecord {
    /// Somebody whom nothing limits and who is counted nowhere in memory.
    #[must_use]
    pub fn unlimited(subject: Subject) -> Self {
        Self {
            name: Box::from(&*subject.id),
            subject,
            blocked: false,
            grant: Grant::Everything,
            beside: None,
            rules: Box::default(),
            anchor: Anchor::Calendar,
        }
    }

    /// What its calls cost in the present window of its main budget, or in all time when that has
    /// no period. Zero for one that has no limits; the ledger knows its spend.
    #[must_use]
    pub fn spent(&self, calendar: &Calendar, now: Timestamp) -> Money {
        let main = self.rules.first();
        main.map_or(Money::ZERO, |main| {
            Money::from_nanos(main.meter.used(&main.window(calendar, self.anchor, now)))
        })
    }

    /// The names, counters and present states of its limits on money.
    pub(crate) fn money_counted(
        &self,
        calendar: &Calendar,
        now: Timestamp,
    ) -> impl Iterator<Item = (String, &Meter, Counter)> {
        let of_money = |rule: &&LevelRule| rule.meter.tally().measure == Measure::Money;
        self.rules.iter().filter(of_money).map(move |rule| {
            let counter = rule.meter.known(&rule.window(calendar, self.anchor, now));
            (rule.meter.tally().to_string(), &*rule.meter, counter)
        })
    }

    /// The meters of its limits, each once.
    pub(crate) fn meters(&self) -> Vec<Arc<Meter>> {
        let mut meters: Vec<Arc<Meter>> = Vec::with_capacity(self.rules.len());
        for LevelRule { meter, .. } in &self.rules {
            if !meters.iter().any(|known| Arc::ptr_eq(known, meter)) {
                meters.push(Arc::clone(meter));
            }
        }
        meters
    }

    /// What whoever created it keeps beside it under a name.
    #[must_use]
    pub fn metadata(&self, name: &str) -> Option<&Json> {
        self.beside.as_ref()?.metadata.get(name)
    }

    /// The budget whose rules fill what its own limits leave open.
    #[must_use]
    pub fn budget(&self) -> Option<&BudgetId> {
        self.beside.as_ref()?.budget.as_ref()
    }

    /// Spend from which on the operator is told; it refuses nothing.
    #[must_use]
    pub fn soft(&self) -> Option<Money> {
        self.beside.as_ref()?.soft
    }

    /// The first cap on all the money it spends, without what raises it for a while.
    #[must_use]
    pub fn max_budget(&self) -> Option<Money> {
        self.rules.first()?.cap.map(Money::from_nanos)
    }

    /// Whether a cap on money binds calls of a model group known by these names, so that one
    /// without a known price cannot be admitted.
    #[must_use]
    pub fn caps_money(&self, models: &[&str]) -> bool {
        let caps = |tally: &Tally| tally.measure == Measure::Money && tally.counts(models);
        self.rules.iter().any(|rule| rule.cap.is_some() && caps(rule.meter.tally()))
    }

    /// The smallest limit of tokens a minute that any of its calls may meet.
    #[must_use]
    pub fn tokens_min(&self) -> Option<u64> {
        let of_tokens = |rule: &&LevelRule| rule.meter.tally().measure == Measure::Tokens;
        let caps = self.rules.iter().filter(of_tokens).filter_map(|rule| rule.cap);
        caps.min().map(|cap| u64::try_from(cap).unwrap_or(0))
    }

    /// What its calls in flight hold of its main budget.
    #[must_use]
    pub fn held(&self) -> Money {
        self.rules.first().map_or(Money::ZERO, |main| Money::from_nanos(main.meter.held()))
    }

    /// The window of its main budget, by its start in microseconds since 1970, once its spend there
    /// has reached its soft budget.
    pub(crate) fn soft_reached(&self, calendar: &Calendar, now: Timestamp) -> Option<i64> {
        let (soft, main) = (self.soft()?, self.rules.first()?);
        let window = main.window(calendar, self.anchor, now);
        let start = match window {
            Window::Between(start, _) => start.micros(),
            Window::Forever | Window::Opened { .. } => 0,
        };
        (main.meter.used(&window) >= soft.nanos()).then_some(start)
    }

    /// When its main budget starts anew, if it does.
    #[must_use]
    pub fn resets_at(&self, calendar: &Calendar, now: Timestamp) -> Option<Timestamp> {
        match self.rules.first()?.window(calendar, self.anchor, now) {
            Window::Between(_, end) => Some(end),
            Window::Forever | Window::Opened { .. } => None,
        }
    }
}

impl Beside {
    /// To be kept, or nothing where there is nothing.
    pub(crate) fn kept(self) -> Option<Box<Self>> {
        (self != Self::default()).then(|| Box::new(self))
    }
}

/// Those whose grants all have to allow a model. A user's own grant is for keys without a team
/// (management-api §2).
pub fn granting(levels: &[Arc<LevelRecord>]) -> impl Iterator<Item = &LevelRecord> {
    let teamed = levels.iter().any(|level| level.subject.level == Level::Team);
    let binds = move |level: &&Arc<LevelRecord>| !(teamed && level.subject.level == Level::User);
    levels.iter().filter(binds).map(|level| &**level)
}

impl LevelRule {
    /// A rule whose tally is the meter's.
    pub(crate) fn new(rule: &Rule, meter: Arc<Meter>) -> Self {
        let exception = Exception { raise: rule.raise, running: rule.running };
        let exceptional = exception.raise.is_some() || exception.running.is_some();
        let times = || Times {
            last: Mutex::new(Span { start: Timestamp::EPOCH, end: Timestamp::EPOCH }),
            exception: exceptional.then(|| Box::new(exception)),
        };
        let periodic = meter.tally().period.is_some();
        let times = (periodic || exceptional).then(|| Box::new(times()));
        Self { cap: rule.cap, times, meter }
    }

    fn exception(&self) -> Option<&Exception> {
        self.times.as_ref()?.exception.as_deref()
    }

    fn cadence(&self, anchor: Anchor) -> Cadence {
        let running = self.exception().and_then(|exception| exception.running);
        Cadence { anchor, running }
    }

    fn window(&self, calendar: &Calendar, anchor: Anchor, now: Timestamp) -> Window {
        let tally = self.meter.tally();
        let cadence = self.cadence(anchor);
        let Some(times) = &self.times else { return tally.window(calendar, cadence, now) };
        let mut last = times.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.start <= now && now < last.end {
            return Window::Between(last.start, last.end);
        }
        let window = tally.window(calendar, cadence, now);
        if let Window::Between(start, end) = window {
            *last = Span { start, end };
        }
        window
    }

    fn wanted(
        &self,
        anchor: Anchor,
        demand: &Demand,
        calendar: &Calendar,
        now: Timestamp,
    ) -> Wanted<'_> {
        let measure = self.meter.tally().measure;
        let raise = self.exception().and_then(|exception| exception.raise.as_ref());
        let claim = Claim {
            amount: measure.claimed(demand),
            cap: cap_at(self.cap, raise, now),
            window: self.window(calendar, anchor, now),
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
    let wanted: Vec<Wanted<'_>> = rules
        .iter()
        .map(|(level, rule)| rule.wanted(level.anchor, demand, calendar, now))
        .collect();
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
        wanted: rule.wanted(level.anchor, demand, books.calendar(), now),
        subject: &level.subject,
        cadence: rule.cadence(level.anchor),
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
    let all = levels.iter().map(|level| level.rules.len()).sum();
    let mut rules = Vec::with_capacity(all);
    for level in levels {
        let binding = level.rules.iter().filter(|rule| rule.meter.tally().counts(models));
        rules.extend(binding.map(|rule| (level, rule)));
    }
    // A budget that is spent says more than a rate that would allow the call again in a minute.
    rules.sort_by_key(|(_, rule)| rule.meter.tally().measure != Measure::Money);
    rules
}

fn exceeded(rules: &[(&Arc<LevelRecord>, &LevelRule)], over: Over) -> Box<Exceeded> {
    let (level, rule) = rules[over.index];
    Box::new(Exceeded { level: Arc::clone(level), tally: rule.meter.tally().clone(), over })
}
