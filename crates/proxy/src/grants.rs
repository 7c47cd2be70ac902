//! Which models a caller may use. Listing and admitting ask the same question, so they cannot
//! disagree.

use tollgate_config::Snapshot;
use tollgate_domain::ModelName;

use crate::authenticate::Caller;

/// Whether every grant of the caller covers this name, or the model that the name is another word
/// for.
pub(crate) fn may_use(snapshot: &Snapshot, caller: &Caller, name: &str) -> bool {
    let names = names_of(snapshot, name);
    caller.grants().all(|grant| names.iter().any(|name| grant.allows(name)))
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
