//! Which models a caller may use. Listing and admitting ask the same question, so they cannot
//! disagree.

use std::collections::BTreeSet;
use std::sync::Arc;

use tollgate_config::Snapshot;
use tollgate_domain::{Level, ModelName};
use tollgate_faults::{Reason, Refusal};
use tollgate_policy::Grant;
use tollgate_store::{KeyRecord, LevelRecord};

use crate::admit::exceeded::whose;
use crate::authenticate::{Caller, unreachable};
use crate::gate::Gate;

/// Whether every grant of the caller covers this name, the model that the name is another word for,
/// or an access group that the model is in.
pub(crate) fn may_use(snapshot: &Snapshot, caller: &Caller, name: &str) -> bool {
    denier(snapshot, caller, name).is_none()
}

/// Those of these model names that whoever holds a key may use; every one for the master key.
///
/// # Errors
/// Refused when the store that knows whose the key is cannot be reached.
pub async fn permitted(
    gate: &Gate,
    record: Option<&Arc<KeyRecord>>,
    names: BTreeSet<ModelName>,
) -> Result<BTreeSet<ModelName>, Refusal> {
    let Some(record) = record else { return Ok(names) };
    let levels = gate.keys().chain(record).await.map_err(|problem| unreachable(&problem))?;
    let caller = Caller::Key { record: Arc::clone(record), levels };
    let snapshot = gate.snapshot();
    Ok(names.into_iter().filter(|name| may_use(&snapshot, &caller, name.as_str())).collect())
}

/// Refused unless the caller may use this name.
///
/// # Errors
/// The refusal names the level whose grant does not cover it.
pub(crate) fn must_be_granted(
    snapshot: &Snapshot,
    caller: &Caller,
    name: &str,
) -> Result<(), Refusal> {
    let Some(level) = denier(snapshot, caller, name) else { return Ok(()) };
    let message = format!("{} may not use the model `{name}`", whose(level));
    let kind = denied_kind(level.subject.level);
    Err(Refusal::new(Reason::ModelNotGranted, message).with_param("model").with_kind(kind))
}

/// The names that a model goes by: the one given, and the one it is an alias of.
pub(crate) fn names_of<'a>(snapshot: &'a Snapshot, name: &'a str) -> Vec<&'a str> {
    let target = snapshot.aliases.get(name).map(|alias| alias.model.as_str());
    std::iter::once(name).chain(target).collect()
}

/// The names that the caller may use, as lists show them.
pub(crate) fn visible<'a>(
    snapshot: &'a Snapshot,
    caller: &'a Caller,
) -> impl Iterator<Item = &'a ModelName> {
    snapshot.names().filter(move |name| may_use(snapshot, caller, name.as_str()))
}

/// The level that does not grant a name; of several the one that LiteLLM asks first.
fn denier<'a>(snapshot: &Snapshot, caller: &'a Caller, name: &str) -> Option<&'a LevelRecord> {
    let names = names_of(snapshot, name);
    let groups = snapshot.access_groups(name);
    let covers = |grant: &Grant| {
        let mut groups = groups.into_iter().flatten();
        names.iter().any(|name| grant.allows(name)) || groups.any(|group| grant.names_group(group))
    };
    let denies = caller.granting().filter(|level| !covers(&level.grant));
    denies.min_by_key(|level| order(level.subject.level))
}

/// When LiteLLM asks a level (management-api §2).
const fn order(level: Level) -> u8 {
    match level {
        Level::Key => 0,
        Level::Team => 1,
        Level::Member => 2,
        Level::User => 3,
        Level::Project => 4,
        Level::Organization => 5,
        Level::All
        | Level::OrganizationMember
        | Level::Customer
        | Level::Tag
        | Level::ModelGroup
        | Level::Deployment
        | Level::Provider => 6,
    }
}

/// `error.type` of a denial (management-api §2).
const fn denied_kind(level: Level) -> &'static str {
    match level {
        Level::Team | Level::Member => "team_model_access_denied",
        Level::User => "user_model_access_denied",
        Level::Organization | Level::OrganizationMember => "org_model_access_denied",
        Level::Project => "project_model_access_denied",
        Level::Key
        | Level::All
        | Level::Customer
        | Level::Tag
        | Level::ModelGroup
        | Level::Deployment
        | Level::Provider => "key_model_access_denied",
    }
}
