//! The callers in memory: a known key costs no database, and a change binds the next request.

mod answering;
mod books;
mod forget;
mod key_beside;
mod memory;
mod retired;
mod soft;
mod waive;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use papaya::HashMap;
use tollgate_domain::{Attribution, BudgetId, Clock, KeyHash, Level, Subject, Timestamp};
use tollgate_policy::{Anchor, Calendar, Demand, Grant, Limits};

use crate::levels::{Beside, ClaimError, LevelRecord, LevelRule, claim, claim_shared};
use crate::limits::LimitFields;
use crate::meters::{Claims, Meters};
use crate::shared::SharedCounters;
use crate::{Db, EntityRow, KeyRow, KeyRules, StoreError};
use answering::Answering;
pub(crate) use books::Books;
use key_beside::KeyBeside;
use memory::Memory;

/// How long a key that does not exist is remembered as such.
pub const NEGATIVE_LIFETIME: Duration = Duration::from_secs(2);
/// How many keys that do not exist are remembered; a flood of wrong keys evicts only those.
pub const UNKNOWN_KEYS_MAX: usize = 10_000;
/// Where a team's metadata names the budget of its members, as in LiteLLM.
const BUDGET_OF_MEMBERS: &str = "team_member_budget_id";
/// When those were created who are in no database.
const NEVER: Timestamp = Timestamp::from_micros(0);
/// How often something is read again because it changed while it was read.
const LOAD_TRIES: usize = 3;

/// A key with all that its calls need, and nothing else: there may be a hundred thousand in memory.
#[derive(Debug)]
pub struct KeyRecord {
    /// The SHA-256 of the key's text.
    pub hash: KeyHash,
    /// From when on it is refused, or `None` for never.
    pub expires_at: Option<Timestamp>,
    /// Who its calls are charged to.
    pub attribution: Arc<Attribution>,
    /// Its own grant and limits.
    pub own: Arc<LevelRecord>,
    /// Those above it, the widest first.
    above: Box<[Subject]>,
    /// What few have.
    beside: Option<Box<KeyBeside>>,
}

/// What memory knows about a hash.
#[derive(Debug, Clone)]
pub enum Cached {
    /// The key.
    Known(Arc<KeyRecord>),
    /// There was no such key a moment ago.
    Unknown,
}

/// The keys and those above them in memory, over those in the database.
///
/// Records and hashes without a key are bounded. A meter stays once it is made; whoever has no
/// limits has none, so that names that clients make up leave nothing behind.
pub struct KeyDirectory {
    db: Db,
    clock: Arc<dyn Clock>,
    books: Books,
    keys: Memory<KeyHash, Arc<KeyRecord>>,
    unknown: Memory<KeyHash, ()>,
    levels: Memory<Subject, Arc<LevelRecord>>,
    /// Those whom the configuration limits: as many as it names.
    fixed: HashMap<Subject, (Limits, Arc<LevelRecord>)>,
    meters: Meters,
    shared: Option<SharedCounters>,
    /// The window in which somebody's soft budget was last told to be reached.
    told: HashMap<Subject, i64>,
    /// Whether a key was ever found by a text that it had before.
    knows_retired: AtomicBool,
    answering: Answering,
}

impl KeyDirectory {
    /// An empty directory that remembers up to `capacity` keys, and as many others.
    #[must_use]
    pub fn new(db: Db, capacity: usize, clock: Arc<dyn Clock>, calendar: Arc<Calendar>) -> Self {
        Self {
            books: Books::new(db.clone(), Arc::clone(&clock), calendar),
            db,
            clock,
            keys: Memory::new(capacity),
            unknown: Memory::new(UNKNOWN_KEYS_MAX),
            levels: Memory::new(capacity),
            fixed: HashMap::new(),
            meters: Meters::default(),
            shared: None,
            told: HashMap::new(),
            knows_retired: AtomicBool::new(false),
            answering: Answering::default(),
        }
    }

    /// The same with counters that many nodes share.
    #[must_use]
    pub fn with_shared(mut self, shared: SharedCounters) -> Self {
        self.shared = Some(shared);
        self.meters = self.meters.with_names();
        self
    }

    /// Claims what a call demands of every limit of every level, or of none. `models` are the names
    /// that the call's model group goes by. Waits only where many nodes share the counters.
    ///
    /// # Errors
    /// [`ClaimError`] for the first limit, in the order of the levels and money first, that does
    /// not allow it, and where shared counters cannot be asked.
    pub async fn claim(
        &self,
        levels: &[Arc<LevelRecord>],
        models: &[&str],
        demand: &Demand,
        now: Timestamp,
    ) -> Result<Claims, ClaimError> {
        match &self.shared {
            Some(shared) => claim_shared((shared, &self.books), levels, models, demand, now).await,
            None => {
                claim(levels, models, demand, self.calendar(), now).map_err(ClaimError::Exceeded)
            }
        }
    }

    /// The counters that many nodes share, where there are any.
    #[must_use]
    pub const fn shared(&self) -> Option<&SharedCounters> {
        self.shared.as_ref()
    }

    /// What memory knows about a hash, or `None` when the database must be asked.
    #[must_use]
    pub fn cached(&self, hash: &KeyHash) -> Option<Cached> {
        if let Some(record) = self.keys.get(hash) {
            let retired = record.retires_at().is_some_and(|at| at <= self.clock.now());
            return Some(if retired { Cached::Unknown } else { Cached::Known(record) });
        }
        let unknown = self.unknown.fresh(hash, self.clock.ticks(), NEGATIVE_LIFETIME);
        unknown.map(|()| Cached::Unknown)
    }

    /// The key with this hash, from memory or from the database.
    ///
    /// # Errors
    /// [`StoreError`] when memory does not know the key and the database fails. Whether the key
    /// exists is not known then.
    pub async fn find(&self, hash: &KeyHash) -> Result<Option<Arc<KeyRecord>>, StoreError> {
        match self.cached(hash) {
            Some(Cached::Known(record)) => Ok(Some(record)),
            Some(Cached::Unknown) => Ok(None),
            None => self.load(hash).await,
        }
    }

    /// Everybody whose grants and limits bind a key's calls: the widest first, the key last.
    ///
    /// # Errors
    /// [`StoreError`] when memory does not know one of them and the database fails.
    pub async fn chain(&self, key: &KeyRecord) -> Result<Vec<Arc<LevelRecord>>, StoreError> {
        let mut chain = Vec::with_capacity(key.above.len() + 1);
        for subject in &*key.above {
            chain.push(self.level(subject).await?);
        }
        chain.push(Arc::clone(&key.own));
        Ok(chain)
    }

    /// The grant and limits of one that is no key. One that is not in the database has none.
    ///
    /// # Errors
    /// [`StoreError`] when memory does not know it and the database fails.
    pub async fn level(&self, subject: &Subject) -> Result<Arc<LevelRecord>, StoreError> {
        if let Some(record) = self.levels.get(subject) {
            return Ok(record);
        }
        let mut tries = 0;
        loop {
            let before = self.levels.before();
            let record = Arc::new(self.read_level(subject).await?);
            tries += 1;
            let now = self.clock.ticks();
            if self.levels.remember(subject, Arc::clone(&record), now, before) {
                self.meters.keep(subject, &record.meters());
                return Ok(record);
            }
            if tries == LOAD_TRIES {
                return Ok(record);
            }
        }
    }

    /// Somebody with these limits, whom no database knows: the whole gateway, a provider.
    ///
    /// # Errors
    /// [`StoreError`] when the database that knows their spend fails.
    pub async fn fixed(
        &self,
        subject: &Subject,
        limits: &Limits,
    ) -> Result<Arc<LevelRecord>, StoreError> {
        if let Some((known, record)) = self.fixed.pin().get(subject)
            && known == limits
        {
            return Ok(Arc::clone(record));
        }
        let rules = self.rules(subject, limits, Anchor::Calendar).await?;
        let unlimited = LevelRecord::unlimited(subject.clone());
        let beside = Beside { soft: limits.soft, ..Beside::default() }.kept();
        let record = Arc::new(LevelRecord { rules, beside, ..unlimited });
        self.fixed.pin().insert(subject.clone(), (limits.clone(), Arc::clone(&record)));
        Ok(record)
    }

    /// Whether the database answers, as of a second ago.
    pub async fn database_answers(&self) -> bool {
        self.answering.ask(&self.db, &*self.clock).await
    }

    /// How many keys are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether no key is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The calendar that periods are counted by.
    #[must_use]
    pub fn calendar(&self) -> &Calendar {
        self.books.calendar()
    }

    async fn load(&self, hash: &KeyHash) -> Result<Option<Arc<KeyRecord>>, StoreError> {
        let mut tries = 0;
        loop {
            let before = (self.keys.before(), self.unknown.before());
            let record = self.read_key(hash).await?.map(Arc::new);
            tries += 1;
            let now = self.clock.ticks();
            let remembered = match &record {
                Some(record) => self.keys.remember(hash, Arc::clone(record), now, before.0),
                None => self.unknown.remember(hash, (), now, before.1),
            };
            if let (true, Some(KeyRecord { own, .. })) = (remembered, record.as_deref()) {
                self.meters.keep(&own.subject, &own.meters());
            }
            if remembered || tries == LOAD_TRIES {
                return Ok(record);
            }
        }
    }

    /// The key of a row, which may be taken for it only until `retires_at`.
    async fn record(
        &self,
        row: KeyRow,
        retires_at: Option<Timestamp>,
    ) -> Result<KeyRecord, StoreError> {
        let subject = Subject { level: Level::Key, id: row.id.shared() };
        let limits = self.limits(&row.limits, row.budget.as_ref()).await?;
        let (attribution, above) = (Arc::new(row.attribution()), row.above());
        let anchor = limits.anchor(row.created_at);
        let rules = (row.rules != KeyRules::default()).then_some(row.rules);
        let (own_name, shown) = match row.alias {
            Some(alias) => (alias, Some(row.name.into_boxed_str())),
            None => (row.name, None),
        };
        let beside =
            Beside { soft: limits.soft, budget: row.budget, metadata: row.metadata }.kept();
        let own = LevelRecord {
            blocked: row.blocked,
            grant: Grant::read(&row.models),
            rules: self.rules(&subject, &limits, anchor).await?,
            anchor,
            beside,
            name: own_name.into_boxed_str(),
            subject,
        };
        Ok(KeyRecord {
            hash: row.hash,
            expires_at: row.expires_at,
            attribution,
            own: Arc::new(own),
            above,
            beside: KeyBeside { rules, shown, retires_at }.kept(),
        })
    }

    async fn read_level(&self, subject: &Subject) -> Result<LevelRecord, StoreError> {
        let (within, id) = subject.parts();
        let unlimited = LevelRecord::unlimited(subject.clone());
        let shared = self.budget_of_members(subject.level, within).await?;
        let row = match self.db.find_entity(subject.level, within, id).await? {
            Some(row) => row,
            None if shared.is_some() => EntityRow::new(subject.level, within, id, NEVER),
            None => return Ok(unlimited),
        };
        let row = EntityRow { budget: row.budget.or(shared), ..row };
        let limits = self.limits(&row.limits, row.budget.as_ref()).await?;
        let anchor = limits.anchor(row.created_at);
        Ok(LevelRecord {
            name: row.alias.unwrap_or(row.id).into_boxed_str(),
            blocked: row.blocked,
            grant: Grant::read(&row.models),
            rules: self.rules(subject, &limits, anchor).await?,
            anchor,
            beside: Beside { soft: limits.soft, budget: row.budget, metadata: row.metadata }.kept(),
            ..unlimited
        })
    }

    /// The budget that a team names for members without their own (management-api §3).
    async fn budget_of_members(
        &self,
        level: Level,
        team: &str,
    ) -> Result<Option<BudgetId>, StoreError> {
        if level != Level::Member {
            return Ok(None);
        }
        let team = self.db.find_entity(Level::Team, "", team).await?;
        let named = team.as_ref().and_then(|team| team.metadata.get(BUDGET_OF_MEMBERS));
        Ok(named.and_then(|name| BudgetId::new(name.as_str()?).ok()))
    }

    async fn limits(
        &self,
        own: &LimitFields,
        budget: Option<&BudgetId>,
    ) -> Result<Limits, StoreError> {
        let shared = match budget {
            Some(budget) => self.db.find_budget(budget).await?,
            None => None,
        };
        match shared {
            Some(shared) => own.over(&shared.limits).compile(),
            None => own.compile(),
        }
    }

    /// The rules with their meters, each of which counts on from what the ledger says. When two
    /// requests load one at once, the first to finish gives it to both: no call that it counts was
    /// admitted before.
    async fn rules(
        &self,
        subject: &Subject,
        limits: &Limits,
        anchor: Anchor,
    ) -> Result<Box<[LevelRule]>, StoreError> {
        let wanted = limits.rules();
        let mut meters = Vec::with_capacity(wanted.len());
        for rule in &wanted {
            let tally = &rule.tally;
            meters.push(match self.meters.get(subject, tally) {
                Some(meter) => meter,
                None => {
                    let cadence = rule.cadence(anchor);
                    let counter = self.books.spent_so_far(subject, tally, cadence).await?;
                    self.meters.get_or_make(subject, tally, counter)
                }
            });
        }
        let rules = wanted.into_iter().zip(meters);
        Ok(rules.map(|(rule, meter)| LevelRule::new(&rule, meter)).collect())
    }
}

impl std::fmt::Debug for KeyDirectory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyDirectory").field("keys", &self.keys.len()).finish_non_exhaustive()
    }
}
