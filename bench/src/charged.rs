//! Entries of the ledger such as a busy gateway records: who is charged, for what.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tollgate_domain::{
    AttemptRecord, Attribution, CallId, CustomerId, DeploymentId, Entry, KeyId, ModelName, Money,
    OpenEntry, OrganizationId, Outcome, PriceSheetId, ProviderName, Quantity, TagName, TeamId,
    Timestamp, Usage, UsageKind, UsageSource, UserId,
};
use uuid::Builder;

/// How many of each there are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Population {
    pub(crate) organizations: usize,
    pub(crate) teams: usize,
    pub(crate) users: usize,
    pub(crate) keys: usize,
    pub(crate) customers: usize,
    pub(crate) tags: usize,
    pub(crate) models: usize,
    pub(crate) providers: usize,
}

/// Those who call, and what they call, made once: a call only points at them.
pub(crate) struct Callers {
    /// Each key with its user, team and organization.
    keys: Vec<Attribution>,
    customers: Vec<CustomerId>,
    tags: Vec<TagName>,
    models: Vec<Model>,
    sheet: PriceSheetId,
}

/// A model group of one deployment.
struct Model {
    group: ModelName,
    deployment: DeploymentId,
    provider: ProviderName,
    upstream: Arc<str>,
}

impl Callers {
    pub(crate) fn new(population: Population) -> anyhow::Result<Self> {
        let keys = (0..population.keys).map(|key| of_key(key, &population));
        let customers = (0..population.customers).map(|n| CustomerId::new(&named("customer", n)));
        let tags = (0..population.tags).map(|n| TagName::new(&named("tag", n)));
        let models = (0..population.models).map(|n| Model::new(n, population.providers));
        Ok(Self {
            keys: keys.collect::<anyhow::Result<_>>()?,
            customers: customers.collect::<Result<_, _>>()?,
            tags: tags.collect::<Result<_, _>>()?,
            models: models.collect::<anyhow::Result<_>>()?,
            sheet: PriceSheetId::new("sheet-2026-01-01")?,
        })
    }

    /// The opening and the entry of call `number`, admitted at `at`.
    pub(crate) fn call(&self, number: u64, at: Timestamp) -> anyhow::Result<(OpenEntry, Entry)> {
        let mut drawn = Draws(number);
        let key = drawn.of(&self.keys).context("there is no key")?;
        let model = drawn.of(&self.models).context("there is no model")?;
        let mut attribution = key.clone();
        attribution.customer = drawn.of(&self.customers).cloned();
        let tags = [drawn.of(&self.tags), drawn.of(&self.tags)];
        attribution.charge_to(&tags.into_iter().flatten().cloned().collect::<Vec<_>>());
        let attribution = Arc::new(attribution);
        let (prompt, answer) = (200 + drawn.below(4_000), 20 + drawn.below(800));
        let call = call_id(number, at);
        let cost = Money::from_nanos(i64::try_from(prompt * 1_000 + answer * 2_000)?);
        let opening = OpenEntry {
            call,
            admitted_at: at,
            attribution: Arc::clone(&attribution),
            model_group: model.group.clone(),
            streamed: true,
            held: Some(cost),
            input_estimate: Quantity::whole(prompt),
            input_cost: Some(cost),
            price_sheet: Some(self.sheet.clone()),
        };
        let entry = self.entry(&opening, model, (prompt, answer));
        Ok((opening, entry))
    }

    fn entry(&self, opening: &OpenEntry, model: &Model, (prompt, answer): (u64, u64)) -> Entry {
        let at = opening.admitted_at;
        Entry {
            call: opening.call,
            admitted_at: at,
            settled_at: at.plus(Duration::from_secs(2)),
            first_byte_at: Some(at.plus(Duration::from_millis(300))),
            attribution: Arc::clone(&opening.attribution),
            model_group: model.group.clone(),
            deployment: Some(model.deployment.clone()),
            provider: Some(model.provider.clone()),
            upstream_model: Some(Arc::clone(&model.upstream)),
            streamed: true,
            outcome: Outcome::Completed,
            usage: Usage::UNKNOWN
                .with(UsageKind::Input, Quantity::whole(prompt))
                .with(UsageKind::CachedRead, Quantity::whole(0))
                .with(UsageKind::Output, Quantity::whole(answer)),
            usage_source: UsageSource::Reported,
            price_sheet: Some(self.sheet.clone()),
            cost: opening.held,
            attempts: vec![AttemptRecord {
                deployment: model.deployment.clone(),
                provider: model.provider.clone(),
                status: Some(200),
                reason: None,
                elapsed: Duration::from_millis(290),
            }],
        }
    }
}

impl Model {
    fn new(number: usize, providers: usize) -> anyhow::Result<Self> {
        Ok(Self {
            group: ModelName::new(&named("model", number))?,
            deployment: DeploymentId::new(&named("deployment", number))?,
            provider: ProviderName::new(&named("provider", number % providers.max(1)))?,
            upstream: Arc::from(named("upstream-model", number)),
        })
    }
}

/// A key of one user, who is in one team, which is in one organization.
fn of_key(key: usize, population: &Population) -> anyhow::Result<Attribution> {
    let user = key % population.users.max(1);
    let team = user % population.teams.max(1);
    let organization = team % population.organizations.max(1);
    Ok(Attribution {
        user: Some(UserId::new(&named("user", user))?),
        team: Some(TeamId::new(&named("team", team))?),
        organization: Some(OrganizationId::new(&named("organization", organization))?),
        ..Attribution::to_key(KeyId::new(&named("key", key))?)
    })
}

/// The name of one of many.
pub(crate) fn named(kind: &str, number: usize) -> String {
    format!("{kind}-{number:05}")
}

/// An identity as the gateway draws it: those of later calls are greater.
fn call_id(number: u64, at: Timestamp) -> CallId {
    let mut bytes = [0; 10];
    bytes[..8].copy_from_slice(&Draws(number).next().to_be_bytes());
    let millis = u64::try_from(at.micros() / 1000).unwrap_or(0);
    CallId::from_uuid(Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid())
}

/// Numbers that follow from a first one and look like any: splitmix64.
struct Draws(u64);

impl Draws {
    const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    const fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    fn of<'a, T>(&mut self, all: &'a [T]) -> Option<&'a T> {
        let at = usize::try_from(self.below(all.len().max(1) as u64)).unwrap_or_default();
        all.get(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_told_apart_and_charged_to_every_level() {
        let few = Population {
            organizations: 1,
            teams: 2,
            users: 4,
            keys: 8,
            customers: 3,
            tags: 5,
            models: 2,
            providers: 1,
        };
        let callers = Callers::new(few).expect("callers");
        let at = Timestamp::from_micros(1_777_716_000_000_000);
        let mut ids: Vec<CallId> = Vec::new();
        for number in 0..1000 {
            let (opening, entry) = callers.call(number, at).expect("a call");
            let charged = &entry.attribution;
            assert!(charged.user.is_some() && charged.team.is_some());
            assert!(charged.organization.is_some() && charged.customer.is_some());
            assert!((1..=2).contains(&charged.tags.len()));
            assert_eq!(opening.call, entry.call);
            ids.push(entry.call);
        }
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), 1000);
    }
}
