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
use crate::ingress::Call;
use crate::rules::{Meant, meant, own_names};

/// A model as somebody asks for it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    /// The model.
    model: &'a str,
    /// The name that the caller's team has for it, where it was asked for by that.
    alias: Option<&'a str>,
}

impl<'a> From<&'a str> for Asked<'a> {
    fn from(model: &'a str) -> Self {
        Self { model, alias: None }
    }
}

impl<'a> From<&'a Call> for Asked<'a> {
    fn from(call: &'a Call) -> Self {
        let of_team = call.alias.as_ref().filter(|alias| alias.of_team);
        let alias = of_team.map(|alias| alias.name.as_str());
        Self { model: call.request.asked.model.as_str(), alias }
    }
}

/// Whether every grant of the caller covers this name, the model that the name is another word for,
/// or an access group that the model is in.
pub(crate) fn may_use<'n>(
    snapshot: &Snapshot,
    caller: &Caller,
    asked: impl Into<Asked<'n>>,
) -> bool {
    denier(snapshot, caller, asked.into()).is_none()
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
pub(crate) fn must_be_granted<'n>(
    snapshot: &Snapshot,
    caller: &Caller,
    asked: impl Into<Asked<'n>>,
) -> Result<(), Refusal> {
    let asked = asked.into();
    let Some(level) = denier(snapshot, caller, asked) else { return Ok(()) };
    let name = asked.alias.unwrap_or(asked.model);
    let message = format!("{} may not use the model `{name}`", whose(level));
    let kind = denied_kind(level.subject.level);
    Err(Refusal::new(Reason::ModelNotGranted, message).with_param("model").with_kind(kind))
}

/// The names that a model goes by: the one given, and the one it is an alias of.
pub(crate) fn names_of<'a>(snapshot: &'a Snapshot, name: &'a str) -> Vec<&'a str> {
    let target = snapshot.aliases.get(name).map(|alias| alias.model.as_str());
    std::iter::once(name).chain(target).collect()
}

/// The names that the caller may use, as lists show them, sorted: those of the configuration, and
/// of those that the caller's team and key have for models the ones that a list of models names.
pub(crate) fn visible<'a>(snapshot: &'a Snapshot, caller: &'a Caller) -> BTreeSet<&'a str> {
    let configured = snapshot.names().map(ModelName::as_str);
    let is_named = |name: &&str| caller.granting().any(|level| level.grant.names(name));
    let own = own_names(caller).filter(is_named).filter(|name| ModelName::new(name).is_ok());
    configured.chain(own).filter(|name| is_callable(snapshot, caller, name)).collect()
}

/// Whether a call of this name would be let through.
fn is_callable(snapshot: &Snapshot, caller: &Caller, name: &str) -> bool {
    let Some(Meant { model, of_team }) = meant(caller, name) else {
        return may_use(snapshot, caller, name);
    };
    let asked = Asked { model: model.as_str(), alias: of_team.then_some(name) };
    snapshot.resolve(asked.model).is_some() && may_use(snapshot, caller, asked)
}

/// The level that does not grant a model; of several the one that LiteLLM asks first.
fn denier<'a>(
    snapshot: &Snapshot,
    caller: &'a Caller,
    asked: Asked<'_>,
) -> Option<&'a LevelRecord> {
    let names = names_of(snapshot, asked.model);
    let groups = snapshot.access_groups(asked.model);
    let covers = |grant: &Grant| {
        let mut groups = groups.into_iter().flatten();
        names.iter().any(|name| grant.allows(name)) || groups.any(|group| grant.names(group))
    };
    let denies = |level: &&LevelRecord| !covers(&level.grant) && !covers_alias(level, asked.alias);
    caller.granting().filter(denies).min_by_key(|level| order(level.subject.level))
}

/// Whether a level grants a model by the name that the team has for it: the team whatever the
/// model (management-api §2), those below it where their own lists have the name. An organization
/// grants models by their own names alone, since its administrators name models for its teams.
fn covers_alias(level: &LevelRecord, alias: Option<&str>) -> bool {
    alias.is_some_and(|alias| match level.subject.level {
        Level::Team => true,
        Level::Organization | Level::OrganizationMember => false,
        _ => level.grant.allows(alias),
    })
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
