//! Nobody can grant more than they hold: whether what is asked for a key stays within what its
//! maker has.
//!
//! Every question is answered on the safe side: what cannot be shown to be within is not.

use std::collections::{BTreeMap, BTreeSet};

use tollgate_domain::{Money, Timestamp};

use crate::limits::{Bounds, Limits, MoneyBound};
use crate::permit::{Grant, ModelPattern};

/// What the configuration says of the names in lists of models.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModelWords {
    /// What other names stand for.
    pub aliases: BTreeMap<String, String>,
    /// The access groups that there are.
    pub groups: BTreeSet<String>,
    /// The access groups that what a name stands for is in.
    pub groups_of: BTreeMap<String, BTreeSet<String>>,
}

/// What somebody holds, and so the most they can give.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holding<'a> {
    /// The grants that all have to cover a model.
    pub grants: Vec<&'a Grant>,
    /// The limits of the key they call with.
    pub limits: &'a Limits,
    /// When that key expires, if it does.
    pub expires_at: Option<Timestamp>,
    /// The routes that key may call; empty for every route.
    pub routes: &'a [String],
}

/// What is to be given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted<'a> {
    /// The models.
    pub grant: &'a Grant,
    /// The limits.
    pub limits: &'a Limits,
    /// When it ends, if it does.
    pub expires_at: Option<Timestamp>,
    /// The routes; empty for every route.
    pub routes: &'a [String],
}

/// What is asked for and not held, by the field that asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excess {
    /// The field of the management API.
    pub field: &'static str,
    /// What of it, where a part can be named.
    pub part: Option<String>,
}

impl Excess {
    const fn of(field: &'static str) -> Self {
        Self { field, part: None }
    }
}

/// The first of what is wanted that the holding does not cover.
#[must_use]
pub fn excess(holding: &Holding<'_>, wanted: &Wanted<'_>, words: &ModelWords) -> Option<Excess> {
    uncovered(&holding.grants, wanted.grant, words)
        .map(|part| Excess { field: "models", part })
        .or_else(|| above(holding.limits, wanted.limits))
        .or_else(|| later(holding.expires_at, wanted.expires_at).then(|| Excess::of("duration")))
        .or_else(|| routes_beyond(holding.routes, wanted.routes))
}

/// The first entry of a wanted grant that one of the grants does not cover; `Some(None)` when all
/// models are wanted and only some are held.
fn uncovered(held: &[&Grant], wanted: &Grant, words: &ModelWords) -> Option<Option<String>> {
    held.iter().find_map(|held| match (held, wanted) {
        (Grant::Everything, _) => None,
        (Grant::Only(_), Grant::Everything) => Some(None),
        (Grant::Only(_), Grant::Only(entries)) => {
            let missing = entries.iter().find(|entry| !words.covers(held, entry));
            missing.map(|entry| Some(entry.as_str().to_owned()))
        }
    })
}

impl ModelWords {
    /// Whether a grant allows every model that an entry of a list of models allows.
    fn covers(&self, held: &Grant, entry: &ModelPattern) -> bool {
        let name = entry.as_str();
        // A group's name lets its models in, those that join it later too; a pattern that happens
        // to match the name does not.
        if self.groups.contains(name) && !held.names(name) {
            return false;
        }
        held.includes(entry) || self.covers_name(held, name)
    }

    /// Whether an exact name is covered by what it stands for, or by a group that it is in.
    fn covers_name(&self, held: &Grant, name: &str) -> bool {
        // Another name for a pattern's or an alias's own name may stand for something else.
        let stood_for = self.aliases.values().any(|target| target == name);
        let target = self.aliases.get(name);
        if name.contains('*') || (stood_for && target.is_some()) {
            return false;
        }
        let of_target = target.is_some_and(|target| held.allows(target));
        let groups = self.groups_of.get(name);
        of_target || groups.into_iter().flatten().any(|group| held.names(group))
    }
}

/// The first limit that is wanted wider than it is held.
fn above(held: &Limits, wanted: &Limits) -> Option<Excess> {
    if let Some(field) = wider((&held.whole, held.anniversary), &[&wanted.whole], wanted) {
        return Some(Excess::of(field));
    }
    held.models.iter().find_map(|(model, bounds)| {
        let own = wanted.models.get(model);
        let binding: Vec<&Bounds> = own.into_iter().chain([&wanted.whole]).collect();
        let field = wider((bounds, held.anniversary), &binding, wanted)?;
        Some(Excess { field: of_model(field), part: Some(model.to_string()) })
    })
}

/// The name of a limit for single models.
fn of_model(field: &'static str) -> &'static str {
    match field {
        "rpm_limit" => "model_rpm_limit",
        "tpm_limit" => "model_tpm_limit",
        "max_budget" => "model_max_budget",
        other => other,
    }
}

/// The first of the held bounds that none of the binding ones keeps.
fn wider(
    (held, anniversary): (&Bounds, bool),
    binding: &[&Bounds],
    wanted: &Limits,
) -> Option<&'static str> {
    let more = wanted.raise.map_or(Money::ZERO, |raise| raise.by);
    let money = || binding.iter().flat_map(|bounds| &bounds.money);
    let kept = |bound: &MoneyBound| {
        let counted_alike = bound.period.is_none() || wanted.anniversary == anniversary;
        money().any(|own| (counted_alike || own.period.is_none()) && own.keeps(bound, more))
    };
    let capped = held.money.iter().filter(|bound| bound.cap.is_some());
    let exceeds = |held: Option<u64>, of: fn(&Bounds) -> Option<u64>| {
        held.is_some_and(|most| !binding.iter().any(|own| of(own).is_some_and(|own| own <= most)))
    };
    if !capped.into_iter().all(kept) {
        return Some("max_budget");
    }
    if exceeds(held.requests, |bounds| bounds.requests) {
        return Some("rpm_limit");
    }
    if exceeds(held.tokens, |bounds| bounds.tokens) {
        return Some("tpm_limit");
    }
    exceeds(held.calls, |bounds| bounds.calls).then_some("max_parallel_requests")
}

impl MoneyBound {
    /// Whether whoever is bound by this, with so much more for a while, never spends more than
    /// `other` allows in any of its periods.
    fn keeps(&self, other: &Self, more: Money) -> bool {
        let Some((own, most)) = self.cap.zip(other.cap) else { return other.cap.is_none() };
        // What a period allows, all time may not; and no two other periods can be compared.
        let comparable = self.period.is_none() || self.period == other.period;
        comparable && own.saturating_add(more) <= most
    }
}

/// Whether something would last longer than what it is made of.
fn later(held: Option<Timestamp>, wanted: Option<Timestamp>) -> bool {
    held.is_some_and(|held| wanted.is_none_or(|wanted| wanted > held))
}

/// The first route that is wanted and not held; an empty list stands for every route.
#[must_use]
pub fn routes_beyond(held: &[String], wanted: &[String]) -> Option<Excess> {
    let field = "allowed_routes";
    match (held, wanted) {
        ([], _) => None,
        (_, []) => Some(Excess::of(field)),
        (held, wanted) => {
            let missing = wanted.iter().find(|entry| !held.contains(entry));
            missing.map(|entry| Excess { field, part: Some(entry.clone()) })
        }
    }
}

/// Whether metadata under this name means something to the gateway, so that only those who manage
/// keys for others may write it.
#[must_use]
pub fn is_reserved(name: &str) -> bool {
    RESERVED.contains(&name)
}

/// The names in a key's metadata that grant something (management-api, fields stored in metadata).
const RESERVED: [&str; 12] = [
    "allow_client_message_redaction_opt_out",
    "allow_client_mock_response",
    "allow_client_priority",
    "allow_client_pricing_override",
    "allowed_passthrough_routes",
    "allowed_tools",
    "cache",
    "logging",
    "opted_out_global_guardrails",
    "priority_range",
    "queue_weight",
    "service_account_id",
];

#[cfg(test)]
mod tests;
