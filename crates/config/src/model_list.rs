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

use std::collections::BTreeMap;
use std::sync::Arc;

use tollgate_domain::ModelName;
use tollgate_policy::PriceSheet;
use tollgate_wire::Catalog;

use crate::deployment::Deployment;
use crate::diagnostic::{Finding, code};
use crate::pattern::Pattern;
use crate::price::list::PriceList;
use crate::schema::Reader;
use crate::settings::Shared;
use crate::snapshot::{ModelGroup, PatternGroup};
use crate::yaml::{Entry, Value};
pub(crate) use aws::go_to_region_of_model;
use identity::Identities;

/// What every entry is compiled with.
pub(crate) struct Context<'a, 'r> {
    pub(crate) reader: &'r mut Reader<'a>,
    pub(crate) catalog: &'r Catalog,
    pub(crate) prices: &'r PriceList,
    pub(crate) shared: &'r Shared,
    pub(crate) assumed: Option<&'r Arc<PriceSheet>>,
    identities: Identities,
}

/// The model groups of a configuration.
#[derive(Default)]
pub(crate) struct Groups {
    pub(crate) groups: BTreeMap<ModelName, ModelGroup>,
    pub(crate) patterns: Vec<PatternGroup>,
    /// The names of entries that could not become deployments, for want of a credential or because
    /// of a finding: what refers to them is not wrong.
    pub(crate) absent: Vec<ModelName>,
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
        catalog: &'r Catalog,
        prices: &'r PriceList,
        shared: &'r Shared,
        assumed: Option<&'r Arc<PriceSheet>>,
    ) -> Self {
        Self { reader, catalog, prices, shared, assumed, identities: Identities::default() }
    }

    /// Compiles the entries of `model_list`.
    pub(crate) fn groups(&mut self, list: &Entry) -> Groups {
        let Value::List(items) = &list.node.value else {
            self.reader.wrong_type(list, "a list of deployments");
            return Groups::default();
        };
        let mut groups = Groups::default();
        let mut exact: BTreeMap<ModelName, Vec<Arc<Deployment>>> = BTreeMap::new();
        let mut patterns: Vec<(Placed, Vec<Arc<Deployment>>)> = Vec::new();
        for item in items {
            let (name, placed) = entry::compile(self, item);
            if placed.is_empty() {
                groups.absent.extend(name);
            }
            for placed in placed {
                let deployment = Arc::new(placed.deployment.clone());
                if placed.pattern.is_none() {
                    exact.entry(deployment.group.clone()).or_default().push(deployment);
                    continue;
                }
                match patterns.iter_mut().find(|(first, _)| first.same_names(&placed)) {
                    Some((_, deployments)) => deployments.push(deployment),
                    None => patterns.push((placed, vec![deployment])),
                }
            }
        }
        groups.groups = exact.into_iter().map(|(name, d)| (name.clone(), group(name, d))).collect();
        groups.patterns = patterns.into_iter().filter_map(|(p, d)| p.into_group(d)).collect();
        groups.patterns.sort_by_key(|group| (group.last_resort, group.pattern.specificity()));
        self.nothing_usable(list, &groups);
        groups
    }

    /// Says so when there is nothing to call, unless an error says why already.
    fn nothing_usable(&mut self, list: &Entry, groups: &Groups) {
        let span = list.name_span.clone();
        let usable = !groups.groups.is_empty() || !groups.patterns.is_empty();
        if list.node.value.is_empty() {
            let message = "`model_list` is empty, so there is no model to call";
            self.reader.findings.push(Finding::error(code::FIELD_MISSING, span, message));
        } else if !usable && !self.reader.findings.iter().any(Finding::is_error) {
            let message = "no model of `model_list` can be called";
            let finding = Finding::warning(code::NOTHING_TO_CALL, span, message);
            self.reader.findings.push(finding.with_help("set the variables that the notes name"));
        }
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
