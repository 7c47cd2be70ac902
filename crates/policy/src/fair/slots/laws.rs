//! What holds for any calls in any order, and that grants are those of a round robin walked
//! literally.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::rig::{Rig, ask, queueing};
use super::*;
use crate::fair::Weight;

/// One step of a sequence; indexes count modulo what there is.
#[derive(Debug, Clone)]
enum Step {
    Acquire { team: u8, key: u8, cost: u64, priority: i64, patience: u64 },
    Release(usize),
    Cancel(usize),
    Expire,
    Pass(u64),
    Limit(u32),
}

fn any_step() -> impl Strategy<Value = Step> {
    let acquire = (0u8..3, 0u8..3, 1u64..160, -1i64..2, 1u64..40);
    prop_oneof![
        6 => acquire.prop_map(|(team, key, cost, priority, patience)| {
            Step::Acquire { team, key, cost, priority, patience }
        }),
        5 => any::<usize>().prop_map(Step::Release),
        1 => any::<usize>().prop_map(Step::Cancel),
        1 => Just(Step::Expire),
        2 => (0u64..9).prop_map(Step::Pass),
        1 => (0u32..5).prop_map(Step::Limit),
    ]
}

/// Weights by team and key, so that some differ.
fn weighted(team: u8, key: u8, cost: u64) -> Ask {
    let weight = |number: u8| Weight::from_milli([1000, 500, 3000][usize::from(number % 3)]);
    Ask {
        tenant_weight: weight(team),
        flow_weight: weight(key + 1),
        ..ask(&format!("t{team}"), &format!("k{key}"), cost)
    }
}

/// A party of the literal round robin. Those served longest ago stand first.
struct Party<T> {
    id: crate::fair::Party,
    weight: i64,
    balance: i64,
    inner: T,
}

type Flows = Vec<Party<Vec<(Priority, PlaceId, i64)>>>;

/// The queue written down as one would explain it: lists, and rounds one at a time.
#[derive(Default)]
struct Walked(Vec<Party<Flows>>);

/// The party of this id, behind the others if it is not there.
fn party<T: Default>(
    parties: &mut Vec<Party<T>>,
    id: crate::fair::Party,
    weight: Weight,
) -> &mut Party<T> {
    let at = parties.iter().position(|party| party.id == id).unwrap_or_else(|| {
        parties.push(Party { id, weight: 0, balance: 0, inner: T::default() });
        parties.len() - 1
    });
    parties[at].weight = i64::from(weight.milli());
    &mut parties[at]
}

/// Serves one of those who wait and are not in debt, after as many rounds as that takes.
fn serve<T, R>(
    parties: &mut Vec<Party<T>>,
    waits: impl Fn(&T) -> bool,
    take: impl FnOnce(&mut T) -> (R, i64),
) -> Option<(R, i64)> {
    if !parties.iter().any(|party| waits(&party.inner)) {
        return None;
    }
    let due = |party: &Party<T>| party.balance >= 0 && waits(&party.inner);
    while !parties.iter().any(due) {
        for party in parties.iter_mut() {
            party.balance += party.weight;
        }
        parties.retain(|party| party.balance < 0 || waits(&party.inner));
    }
    let at = parties.iter().position(due)?;
    let mut party = parties.remove(at);
    let (result, cost) = take(&mut party.inner);
    party.balance -= cost * 1000;
    parties.push(party);
    Some((result, cost))
}

impl Walked {
    fn join(&mut self, ask: &Ask, place: PlaceId) {
        let tenant = party(&mut self.0, ask.flow.tenant.clone(), ask.tenant_weight);
        let flow = party(&mut tenant.inner, ask.flow.party.clone(), ask.flow_weight);
        let cost = i64::try_from(ask.cost.max(COST_TOKENS_MIN)).expect("a small cost");
        flow.inner.push((ask.priority, place, cost));
        flow.inner.sort_unstable();
    }

    fn take(&mut self) -> Option<PlaceId> {
        let flows_wait = |flows: &Flows| flows.iter().any(|flow| !flow.inner.is_empty());
        let taken = serve(&mut self.0, flows_wait, |flows| {
            let of_flow = |line: &mut Vec<(Priority, PlaceId, i64)>| {
                let (_, place, cost) = line.remove(0);
                (place, cost)
            };
            serve(flows, |line| !line.is_empty(), of_flow).expect("one of them waits")
        });
        self.forget();
        taken.map(|(place, _)| place)
    }

    fn leave(&mut self, gone: &[PlaceId]) {
        for line in self.0.iter_mut().flat_map(|tenant| &mut tenant.inner) {
            line.inner.retain(|(_, place, _)| !gone.contains(place));
        }
        self.forget();
    }

    fn forget(&mut self) {
        for tenant in &mut self.0 {
            if tenant.inner.iter().all(|flow| flow.inner.is_empty()) {
                tenant.inner.clear();
            }
            tenant.inner.retain(|flow| flow.balance < 0 || !flow.inner.is_empty());
        }
        if self.0.iter().all(|tenant| tenant.inner.is_empty()) {
            self.0.clear();
        }
        self.0.retain(|tenant| tenant.balance < 0 || !tenant.inner.is_empty());
    }
}

/// The slots beside the literal queue, and what became of every place.
struct World {
    slots: Slots,
    walked: Walked,
    now: Ticks,
    held: Vec<Slot>,
    waiting: BTreeMap<PlaceId, (Place, Ticks)>,
    over: BTreeSet<PlaceId>,
}

impl World {
    fn new(limit: u32) -> Self {
        Self {
            slots: Slots::new(queueing(5), Concurrency::new(NonZeroU32::new(limit))),
            walked: Walked::default(),
            now: Ticks::from_nanos(0),
            held: Vec::new(),
            waiting: BTreeMap::new(),
            over: BTreeSet::new(),
        }
    }

    fn acquire(&mut self, ask: &Ask) {
        let had_room = self.slots.limit().is_none_or(|limit| self.slots.in_flight() < limit);
        let line = self.waiting.values().filter(|(place, _)| *place.flow() == ask.flow).count();
        match self.slots.acquire(ask, self.now) {
            Acquired::Granted(slot) => {
                assert!(had_room && self.waiting.is_empty(), "nobody is overtaken");
                self.held.push(slot);
            }
            Acquired::Waiting(place) => {
                assert!(!had_room && line < 5);
                self.walked.join(ask, place.id());
                self.waiting.insert(
                    place.id(),
                    (place, self.now.plus(ask.patience.min(queueing(5).wait_max))),
                );
            }
            Acquired::Refused(full) => {
                assert!(!had_room && line == 5);
                assert_eq!(full.full, Full::Flow);
                assert!((1..=30).contains(&full.retry_after.as_secs()));
            }
        }
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Acquire { team, key, cost, priority, patience } => self.acquire(&Ask {
                priority: Priority::granted(
                    Some(priority),
                    Some(crate::fair::PriorityRange { min: -9, max: 9 }),
                ),
                patience: Duration::from_secs(patience),
                ..weighted(team, key, cost)
            }),
            Step::Release(at) if !self.held.is_empty() => {
                let slot = self.held.swap_remove(at % self.held.len());
                let turn = self.slots.release(slot, Ended::Served, self.now);
                self.note(turn);
            }
            Step::Cancel(at) if !self.waiting.is_empty() => {
                let id = *self.waiting.keys().nth(at % self.waiting.len()).expect("one waits");
                let (place, _) = self.waiting.remove(&id).expect("it waits");
                assert!(self.slots.cancel(&place), "it waits");
                assert!(!self.slots.cancel(&place), "it waits no more");
                assert!(self.over.insert(id));
                self.walked.leave(&[id]);
            }
            Step::Expire => {
                let expired = self.slots.expire(self.now);
                self.expired(&expired);
            }
            Step::Pass(seconds) => self.now = self.now.plus(Duration::from_secs(seconds)),
            Step::Limit(limit) => {
                let limit = NonZeroU32::new(limit);
                let turn = self.slots.configure(limit, queueing(5), self.now);
                self.note(turn);
            }
            Step::Release(_) | Step::Cancel(_) => {}
        }
        self.check();
    }

    fn expired(&mut self, expired: &[PlaceId]) {
        for id in expired {
            let (_, until) = self.waiting.remove(id).expect("it waited");
            assert!(until <= self.now && self.over.insert(*id));
        }
        self.walked.leave(expired);
        assert!(self.waiting.values().all(|(_, until)| *until > self.now), "all that are over");
    }

    fn note(&mut self, turn: Turn) {
        self.expired(&turn.expired);
        for (id, slot) in turn.granted {
            assert_eq!(Some(id), self.walked.take(), "the round robin's own choice");
            let (place, _) = self.waiting.remove(&id).expect("it waited");
            assert!(self.over.insert(id), "granted once");
            let flow = self.waiting.values().filter(|(other, _)| other.flow() == place.flow());
            for (other, _) in flow {
                assert!((place.priority, place.id) < (other.priority, other.id), "in order");
            }
            self.held.push(slot);
        }
    }

    fn check(&self) {
        let in_flight = usize::try_from(self.slots.in_flight()).expect("a small number");
        assert_eq!((self.slots.waiting(), in_flight), (self.waiting.len(), self.held.len()));
        let free = self.slots.limit().is_none_or(|limit| self.slots.in_flight() < limit);
        assert!(!free || self.waiting.is_empty(), "nobody waits while a slot is free");
        assert!(!self.waiting.is_empty() || self.slots.tenants.members() == 0, "forgotten");
        assert_eq!(self.slots.tenants.members(), self.walked.0.len(), "the same are remembered");
    }
}

/// A team and a key.
type Id = (u8, u8);

/// What was served to each party, and how far each two of them drifted apart.
#[derive(Default)]
struct Served {
    tokens: BTreeMap<Id, i64>,
    drifts: BTreeMap<(Id, Id), (i64, i64)>,
}

impl Served {
    /// Adds a cost, and checks that no two parties ever drifted further apart than the law allows.
    fn add(&mut self, party: Id, cost: u64, weight: &impl Fn(Id) -> i64) {
        *self.tokens.entry(party).or_default() += i64::try_from(cost).expect("small");
        let shares: Vec<_> =
            self.tokens.iter().map(|(id, sum)| (*id, sum * MICRO / weight(*id))).collect();
        for (one, mine) in &shares {
            for (other, theirs) in shares.iter().filter(|(other, _)| one < other) {
                let (low, high) = self.drifts.entry((*one, *other)).or_insert((0, 0));
                (*low, *high) = ((*low).min(mine - theirs), (*high).max(mine - theirs));
                let each = |id| MICRO / 1000 + COST_MAX * MICRO / weight(id) + 1;
                let most = each(*one) + each(*other);
                assert!(*high - *low <= most, "{one:?} {other:?}: {low} to {high}, over {most}");
            }
        }
    }
}

/// Shares are counted in millionths, per thousandth of weight.
const MICRO: i64 = 1_000_000;
const COST_MAX: i64 = 400;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_interleaving_grants_what_the_rounds_walked_literally_grant(
        limit in 0u32..4, steps in proptest::collection::vec(any_step(), 0..150),
    ) {
        let mut world = World::new(limit);
        for step in &steps {
            world.step(step);
        }
        // Whatever is left is served to the end, each place once.
        let waiting = world.waiting.len();
        let over = world.over.len();
        for _ in 0..=steps.len() {
            world.step(&Step::Release(0));
        }
        prop_assert!(world.waiting.is_empty() && world.held.is_empty());
        prop_assert_eq!(world.over.len(), over + waiting);
    }

    #[test]
    fn parties_that_wait_all_along_get_their_shares_within_a_quantum_and_a_cost_each(
        costs in proptest::collection::vec(64u64..=400, 150),
        flows in proptest::collection::btree_set((0u8..3, 0u8..3), 2..7),
    ) {
        let Rig { mut slots, now, .. } = Rig::new(1, 4);
        let mut costs = costs.into_iter().cycle();
        let mut names = BTreeMap::new();
        let mut join = |slots: &mut Slots, names: &mut BTreeMap<_, _>, (team, key): Id| {
            let cost = costs.next().expect("endless");
            match slots.acquire(&weighted(team, key, cost), now) {
                Acquired::Waiting(place) => drop(names.insert(place.id(), ((team, key), cost))),
                other => panic!("{other:?}"),
            }
        };
        let Acquired::Granted(mut slot) = slots.acquire(&weighted(0, 0, 1), now) else {
            panic!("a slot is free");
        };
        for flow in &flows {
            join(&mut slots, &mut names, *flow);
            join(&mut slots, &mut names, *flow);
        }
        let milli = |ask: Ask| {
            (i64::from(ask.tenant_weight.milli()), i64::from(ask.flow_weight.milli()))
        };
        let (mut tenants, mut keys) = (Served::default(), BTreeMap::<u8, Served>::new());
        for id in &flows {
            tenants.tokens.insert((id.0, 0), 0);
            keys.entry(id.0).or_default().tokens.insert(*id, 0);
        }
        for _ in 0..150 {
            let turn = slots.release(slot, Ended::Served, now);
            let [(id, next)] = <[_; 1]>::try_from(turn.granted).expect("one for one");
            slot = next;
            let (flow, cost) = names.remove(&id).expect("it waits");
            join(&mut slots, &mut names, flow);
            tenants.add((flow.0, 0), cost, &|(team, _)| milli(weighted(team, 0, 1)).0);
            let own = keys.get_mut(&flow.0).expect("a tenant");
            own.add(flow, cost, &|(team, key)| milli(weighted(team, key, 1)).1);
        }
        drop(slot);
    }
}
