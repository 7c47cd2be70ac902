//! Budgets that the file sets: for the whole gateway, for providers, for tags and for deployments.

use std::collections::BTreeMap;

use tollgate_domain::{Money, TagName};
use tollgate_policy::{Bounds, Limits, MoneyBound, Period};

use crate::calendar::word;
use crate::schema::{KnownKeys, Reader, Section};
use crate::yaml::Entry;

/// The budgets of `litellm_settings` and `router_settings`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Budgets {
    /// What binds every call: `max_budget` and `budget_duration` of `litellm_settings`, where zero
    /// sets none, as in LiteLLM.
    pub whole: Option<Limits>,
    /// By the provider's name in the catalog: `router_settings.provider_budget_config`.
    pub providers: BTreeMap<Box<str>, Limits>,
    /// By tag: `litellm_settings.tag_budget_config`.
    pub tags: BTreeMap<TagName, Limits>,
}

/// Reads the budgets.
pub(crate) fn read(
    reader: &mut Reader<'_>,
    litellm: &mut Section<'_>,
    router: &mut Section<'_>,
) -> Budgets {
    let whole = one(reader, litellm, ["max_budget", "budget_duration"]);
    let providers = listed(reader, router.take("provider_budget_config"));
    let tags = listed(reader, litellm.take("tag_budget_config"));
    let mut budgets = Budgets {
        whole: whole.filter(|bound| bound.cap != Some(Money::ZERO)).map(limits),
        providers: providers.into_iter().map(|(entry, bound)| (entry, limits(bound))).collect(),
        ..Budgets::default()
    };
    for (name, bound) in tags {
        if let Ok(tag) = TagName::new(&name) {
            budgets.tags.insert(tag, limits(bound));
        }
    }
    budgets
}

/// The budget of one deployment.
pub(crate) fn of_deployment(
    reader: &mut Reader<'_>,
    params: &mut Section<'_>,
) -> Option<MoneyBound> {
    one(reader, params, ["max_budget", "budget_duration"])
}

/// One budget for each of several names.
fn listed(reader: &mut Reader<'_>, entry: Option<&Entry>) -> Vec<(Box<str>, MoneyBound)> {
    let Some(mapping) = entry.and_then(|entry| reader.mapping(entry)) else { return Vec::new() };
    let mut budgets = Vec::with_capacity(mapping.entries.len());
    for entry in &mapping.entries {
        let Some(budget) = reader.mapping(entry) else { continue };
        let mut section = Section::new("a budget", budget);
        let litellm = one(reader, &mut section, ["budget_limit", "time_period"]);
        let bound =
            litellm.or_else(|| one(reader, &mut section, ["max_budget", "budget_duration"]));
        section.finish(&KnownKeys::ENTRY, &mut reader.findings);
        match bound {
            Some(bound) => budgets.push((entry.name.clone(), bound)),
            None => {
                let message =
                    format!("`{}` has no `budget_limit`, so nothing limits it", entry.name);
                reader.out_of_range(entry, message, "name the dollars: `budget_limit: 100`");
            }
        }
    }
    budgets
}

/// A cap and its period, under these two names.
fn one(
    reader: &mut Reader<'_>,
    section: &mut Section<'_>,
    [cap, period]: [&'static str; 2],
) -> Option<MoneyBound> {
    let period = section.take(period).and_then(|entry| word(reader, entry, Period::parse));
    let cap = section.take(cap).and_then(|entry| reader.dollars(entry))?;
    Some(MoneyBound { cap: Some(cap), period, running: None })
}

fn limits(bound: MoneyBound) -> Limits {
    let whole = Bounds { money: vec![bound], ..Bounds::default() };
    Limits { whole, ..Limits::default() }
}

#[cfg(test)]
mod tests;
