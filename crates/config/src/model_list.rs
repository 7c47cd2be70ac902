//! `model_list`: its entries to deployments, grouped by their public names.

mod access;
mod aws;
mod body;
mod credential;
mod entra;
mod entry;
mod forward;
mod google;
mod identity;
mod own;
mod parameters;
mod price;
mod provider;
mod shared_credentials;
mod shown;
mod stored;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value as Json};
use tollgate_domain::{DeploymentId, ModelName};
use tollgate_policy::PriceSheet;
use tollgate_wire::Catalog;

use crate::deployment::Deployment;
use crate::diagnostic::{Finding, code};
use crate::pattern::Pattern;
use crate::price::list::PriceList;
use crate::schema::Reader;
use crate::settings::Shared;
use crate::snapshot::{ModelGroup, PatternGroup};
use crate::stored::{LeftOut, StoredDeployment};
use crate::yaml::{Entry, Value};
pub(crate) use aws::go_to_region_of_model;
use entry::Made;
use identity::Identities;
pub(crate) use shared_credentials::Credentials;
pub use shared_credentials::{CredentialEntry, is_credential_param};

/// What every entry is compiled with.
pub(crate) struct Context<'a, 'r> {
    pub(crate) reader: &'r mut Reader<'a>,
    pub(crate) catalog: &'r Catalog,
    pub(crate) prices: &'r PriceList,
    pub(crate) shared: &'r Shared,
    pub(crate) assumed: Option<&'r Arc<PriceSheet>>,
    pub(crate) credentials: &'r Credentials,
    identities: Identities,
}

/// An entry as it was written, without its credentials, and what became of it.
#[derive(Debug, Clone)]
pub struct ModelEntry {
    /// `model_info.id`, else one made of the entry.
    pub id: DeploymentId,
    /// The name of its model group, or a pattern.
    pub model_name: ModelName,
    /// `litellm_params` without credentials.
    pub params: Map<String, Json>,
    /// The names of the parameters that are not shown.
    pub masked: Vec<String>,
    /// `model_info`.
    pub info: Map<String, Json>,
    /// Whether the database holds it; else the file does, and it cannot be changed.
    pub stored: bool,
    /// Whether it gets no calls for now.
    pub blocked: bool,
    /// Its deployments: one as a rule, for `*` one for every provider that has a credential.
    pub deployments: Vec<Arc<Deployment>>,
    /// Why it has none.
    pub left_out: Option<String>,
    /// What of an entry of the database has no effect, or not the one it seems to have. Those of
    /// the file are among [`crate::Compiled::warnings`].
    pub warnings: Vec<String>,
}

/// The model groups of a configuration.
#[derive(Default)]
pub(crate) struct Groups {
    pub(crate) groups: BTreeMap<ModelName, ModelGroup>,
    pub(crate) patterns: Vec<PatternGroup>,
    /// The names of entries that could not become deployments, for want of a credential or because
    /// of a finding: what refers to them is not wrong.
    pub(crate) absent: Vec<ModelName>,
    /// Every entry that has an id, in the order of the file, then of the database.
    pub(crate) entries: Vec<ModelEntry>,
    /// What of the database is not part of it.
    pub(crate) left_out: Vec<LeftOut>,
}

/// Model groups while entries come.
#[derive(Default)]
struct Building {
    exact: BTreeMap<ModelName, Vec<Arc<Deployment>>>,
    patterns: Vec<(Placed, Vec<Arc<Deployment>>)>,
    groups: Groups,
}

/// A deployment and the names it answers to.
struct Placed {
    deployment: Deployment,
    /// Where `*` stands for a provider's models, the pattern made for that provider.
    pattern: Option<Pattern>,
    last_resort: bool,
}

impl<'a, 'r> Context<'a, 'r> {
    pub(crate) fn new(
        reader: &'r mut Reader<'a>,
        (catalog, prices): (&'r Catalog, &'r PriceList),
        shared: &'r Shared,
        assumed: Option<&'r Arc<PriceSheet>>,
        credentials: &'r Credentials,
    ) -> Self {
        let identities = Identities::default();
        Self { reader, catalog, prices, shared, assumed, credentials, identities }
    }

    /// Compiles the entries of `model_list`, then those of a database.
    pub(crate) fn groups(&mut self, list: Option<&Entry>, more: &[StoredDeployment]) -> Groups {
        let mut building = Building::default();
        if let Some(list) = list {
            self.listed(list, &mut building);
        }
        for row in more {
            stored::add(self, row, &mut building);
        }
        let groups = building.finish();
        if let Some(list) = list.filter(|list| matches!(list.node.value, Value::List(_))) {
            self.nothing_usable(list, &groups);
        }
        groups
    }

    fn listed(&mut self, list: &Entry, building: &mut Building) {
        let Value::List(items) = &list.node.value else {
            self.reader.wrong_type(list, "a list of deployments");
            return;
        };
        for item in items {
            let before = self.reader.findings.len();
            let made = entry::compile(self, item);
            let found = self.reader.findings.get(before..).unwrap_or_default();
            let why = found.iter().find(|finding| finding.leaves_out());
            let why = why.map(|finding| finding.message.clone());
            building.put(made, (why, Vec::new()), false);
        }
    }

    /// Says so when there is nothing to call, unless an error says why already.
    fn nothing_usable(&mut self, list: &Entry, groups: &Groups) {
        let span = list.name_span.clone();
        let usable = !groups.groups.is_empty() || !groups.patterns.is_empty();
        if list.node.value.is_empty() && self.shared.store_models {
            // The models are those of the database.
        } else if list.node.value.is_empty() {
            let message = "`model_list` is empty, so there is no model to call";
            self.reader.findings.push(Finding::error(code::FIELD_MISSING, span, message));
        } else if !usable && !self.reader.findings.iter().any(Finding::is_error) {
            let message = "no model of `model_list` can be called";
            let finding = Finding::warning(code::NOTHING_TO_CALL, span, message);
            self.reader.findings.push(finding.with_help("set the variables that the notes name"));
        }
    }
}

impl Building {
    /// Takes what became of an entry; `why` says why it has no deployment.
    fn put(&mut self, made: Made, (why, warnings): (Option<String>, Vec<String>), stored: bool) {
        if made.placed.is_empty() {
            self.groups.absent.extend(made.group.clone());
        }
        let mut deployments = Vec::new();
        for placed in made.placed {
            let deployment = Arc::new(placed.deployment.clone());
            deployments.push(Arc::clone(&deployment));
            if placed.pattern.is_none() {
                self.exact.entry(deployment.group.clone()).or_default().push(deployment);
                continue;
            }
            match self.patterns.iter_mut().find(|(first, _)| first.same_names(&placed)) {
                Some((_, deployments)) => deployments.push(deployment),
                None => self.patterns.push((placed, vec![deployment])),
            }
        }
        let Some((id, model_name)) = made.id.zip(made.group) else { return };
        let left_out = why.filter(|_| deployments.is_empty());
        let Made { params, masked, info, blocked, .. } = made;
        self.groups.entries.push(ModelEntry {
            id,
            model_name,
            params,
            masked,
            info,
            stored,
            blocked,
            deployments,
            left_out,
            warnings,
        });
    }

    fn finish(self) -> Groups {
        let Self { exact, patterns, mut groups } = self;
        groups.groups = exact.into_iter().map(|(name, d)| (name.clone(), group(name, d))).collect();
        groups.patterns = patterns.into_iter().filter_map(|(p, d)| p.into_group(d)).collect();
        groups.patterns.sort_by_key(|group| (group.last_resort, group.pattern.specificity()));
        groups
    }
}

fn group(name: ModelName, deployments: Vec<Arc<Deployment>>) -> ModelGroup {
    ModelGroup { name, deployments: deployments.into() }
}

impl Placed {
    fn same_names(&self, other: &Self) -> bool {
        self.pattern == other.pattern && self.last_resort == other.last_resort
    }

    fn into_group(self, deployments: Vec<Arc<Deployment>>) -> Option<PatternGroup> {
        Some(PatternGroup {
            name: self.deployment.group,
            pattern: self.pattern?,
            deployments: deployments.into(),
            last_resort: self.last_resort,
        })
    }
}

#[cfg(test)]
mod tests;
