//! The compiled configuration: immutable, swapped whole, asked by every call.

mod recorded;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tollgate_domain::ModelName;
use tollgate_policy::PriceSheet;

use crate::deployment::Deployment;
use crate::model_list::{CredentialEntry, ModelEntry, go_to_region_of_model};
use crate::pattern::{Pattern, fill};
use crate::price::list::{PriceList, PricedModel};
use crate::settings::Settings;
pub use recorded::Served;

/// A configuration that has no problem left in it.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// Model groups by their public name.
    pub groups: BTreeMap<ModelName, ModelGroup>,
    /// Model groups whose name is a pattern, most specific first.
    pub patterns: Vec<PatternGroup>,
    /// Other names of models (`router_settings.model_group_alias`); each resolves.
    pub aliases: BTreeMap<ModelName, Alias>,
    /// Everything that is not about a single model.
    pub settings: Settings,
    /// Every entry of the file and of the database that has an id.
    pub entries: Vec<ModelEntry>,
    /// The credentials that deployments can refer to, those of the file first.
    pub credentials: Vec<CredentialEntry>,
    pub(crate) names: Vec<ModelName>,
    /// The access groups of model groups that are in any.
    pub(crate) access: BTreeMap<ModelName, BTreeSet<Box<str>>>,
    pub(crate) prices: PriceList,
    pub(crate) assumed: Option<Arc<PriceSheet>>,
}

/// The deployments behind one public name; never empty.
#[derive(Debug, Clone)]
pub struct ModelGroup {
    /// The public name.
    pub name: ModelName,
    /// The deployments in the order of the file.
    pub deployments: Arc<[Arc<Deployment>]>,
}

/// The deployments behind all names that match a pattern; never empty.
#[derive(Debug, Clone)]
pub struct PatternGroup {
    /// The name as it is configured.
    pub name: ModelName,
    /// What a name must match. It differs from `name` only for `*`, which stands for every provider
    /// that has a credential.
    pub pattern: Pattern,
    /// Templates: their `upstream_model` may hold `*`.
    pub deployments: Arc<[Arc<Deployment>]>,
    /// Used only when no other pattern matches.
    pub(crate) last_resort: bool,
}

/// What another name stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alias {
    /// The model it stands for.
    pub model: ModelName,
    /// Whether lists of models leave it out.
    pub hidden: bool,
}

/// What a name stands for: the deployments that may serve it. Never empty.
#[derive(Debug, Clone)]
pub struct Resolved {
    /// The model group as configured: the target of an alias, the pattern of a wildcard.
    pub group: ModelName,
    /// Its deployments, each with its own concrete `upstream_model`, prices and limits.
    pub deployments: Arc<[Arc<Deployment>]>,
}

impl Snapshot {
    /// What a name stands for: an alias, a model group, a pattern, or a pattern once the provider
    /// that the price list knows for a bare name is put before it (`gpt-4o` finds `openai/*`).
    ///
    /// An alias comes first, since LiteLLM's users redirect existing names with it. Alias and exact
    /// name allocate nothing; for a pattern the deployments are made for the call.
    #[must_use]
    pub fn resolve(&self, name: &str) -> Option<Resolved> {
        let name = self.aliases.get(name).map_or(name, |alias| alias.model.as_str());
        self.exact(name).or_else(|| self.by_pattern(name)).or_else(|| {
            let provider = self.prices.row(name)?.provider;
            self.by_pattern(&format!("{provider}/{name}"))
        })
    }

    /// Every deployment, those of patterns as templates.
    pub fn deployments(&self) -> impl Iterator<Item = &Arc<Deployment>> {
        let groups = self.groups.values().map(|group| &group.deployments);
        let patterns = self.patterns.iter().map(|group| &group.deployments);
        groups.chain(patterns).flat_map(|deployments| deployments.iter())
    }

    /// What the price list knows of a deployment's model: of its `base_model`, else of its own
    /// name.
    #[must_use]
    pub fn listed(&self, deployment: &Deployment) -> Option<PricedModel> {
        let model = deployment.base_model.as_ref().unwrap_or(&deployment.upstream_model);
        listed(&self.prices, deployment.provider.name.as_str(), model)
            .or_else(|| self.prices.find(&[model]))
    }

    /// The names that a list of models shows, sorted: groups, aliases that are not hidden, and for
    /// patterns the chat models that the price list knows of their provider.
    pub fn names(&self) -> impl Iterator<Item = &ModelName> {
        self.names.iter()
    }

    /// The access groups that what a name stands for is in: those of any of its deployments.
    #[must_use]
    pub fn access_groups(&self, name: &str) -> Option<&BTreeSet<Box<str>>> {
        if self.access.is_empty() {
            return None;
        }
        self.access.get(self.configured(name)?)
    }

    /// The configured name of what a name stands for, as [`Snapshot::resolve`] finds it.
    fn configured(&self, name: &str) -> Option<&ModelName> {
        let name = self.aliases.get(name).map_or(name, |alias| alias.model.as_str());
        let pattern = |name: &str| {
            let found = self.patterns.iter().find(|group| group.pattern.captures(name).is_some());
            found.map(|group| &group.name)
        };
        let exact = self.groups.get(name).map(|group| &group.name);
        exact.or_else(|| pattern(name)).or_else(|| {
            let provider = self.prices.row(name)?.provider;
            pattern(&format!("{provider}/{name}"))
        })
    }

    /// The access groups of every model group.
    pub(crate) fn access_by_group(&self) -> BTreeMap<ModelName, BTreeSet<Box<str>>> {
        let mut access: BTreeMap<ModelName, BTreeSet<Box<str>>> = BTreeMap::new();
        for deployment in self.deployments().filter(|one| !one.access_groups.is_empty()) {
            let groups = access.entry(deployment.group.clone()).or_default();
            groups.extend(deployment.access_groups.iter().cloned());
        }
        access
    }

    fn exact(&self, name: &str) -> Option<Resolved> {
        let group = self.groups.get(name)?;
        let deployments = Arc::clone(&group.deployments);
        Some(Resolved { group: group.name.clone(), deployments })
    }

    fn by_pattern(&self, name: &str) -> Option<Resolved> {
        let (group, captured) =
            self.patterns.iter().find_map(|group| Some((group, group.pattern.captures(name)?)))?;
        let made = |template: &Arc<Deployment>| self.of_template(template, &captured, name);
        let deployments = group.deployments.iter().map(made).collect();
        Some(Resolved { group: group.name.clone(), deployments })
    }

    fn of_template(&self, template: &Deployment, captured: &[&str], name: &str) -> Arc<Deployment> {
        let provider = template.provider.name.as_str();
        // The whole name may carry the provider's own prefix, which is not part of its model name.
        let whole = name.strip_prefix(provider).and_then(|rest| rest.strip_prefix('/'));
        let upstream = fill(&template.upstream_model, captured, whole.unwrap_or(name));
        let mut own = Deployment { upstream_model: upstream.into(), ..template.clone() };
        go_to_region_of_model(&mut own);
        let upstream = Arc::clone(&own.upstream_model);
        let listed = listed(&self.prices, provider, &upstream);
        Arc::new(own.of_model(upstream, listed, self.assumed.as_ref()))
    }

    /// Every name that lists show, sorted.
    pub(crate) fn listed_names(&self) -> Vec<ModelName> {
        let aliases = self.aliases.iter().filter(|(_, alias)| !alias.hidden);
        let mut names: Vec<ModelName> =
            self.groups.keys().chain(aliases.map(|(name, _)| name)).cloned().collect();
        names.extend(self.patterns.iter().flat_map(|group| group.known(&self.prices)));
        names.sort_unstable();
        names.dedup();
        names
    }
}

impl PatternGroup {
    /// The public names of the chat models that the price list knows behind this pattern.
    fn known(&self, prices: &PriceList) -> Vec<ModelName> {
        self.deployments.iter().flat_map(|template| self.known_of(template, prices)).collect()
    }

    fn known_of(&self, template: &Deployment, prices: &PriceList) -> Vec<ModelName> {
        let provider = template.provider.name.as_str();
        let target = Pattern::read(&template.upstream_model);
        let Some(target) = target.filter(|t| t.wildcards() == self.pattern.wildcards()) else {
            return Vec::new();
        };
        let public =
            |model: &str| ModelName::new(&self.pattern.fill(&target.captures(model)?)).ok();
        let chat = prices.rows_of(provider).filter(|row| row.mode == Some("chat"));
        chat.filter_map(|row| public(without_prefix(row.name, provider))).collect()
    }
}

/// The price list's entry for a provider's model: under `provider/model`, or under the bare name if
/// that is this provider's (cost-map.md, how a price is found). Another provider's price for a
/// model of the same name is not this one's.
pub(crate) fn listed(prices: &PriceList, provider: &str, model: &str) -> Option<PricedModel> {
    let full = format!("{provider}/{model}");
    let bare = || prices.row(model).filter(|row| row.provider == provider).map(|row| row.name);
    let name = prices.row(&full).map(|row| row.name).or_else(bare)?;
    prices.find(&[name])
}

fn without_prefix<'n>(name: &'n str, provider: &str) -> &'n str {
    name.strip_prefix(provider).and_then(|rest| rest.strip_prefix('/')).unwrap_or(name)
}

#[cfg(test)]
mod tests;
