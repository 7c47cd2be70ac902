//! Which models a caller may use. Listing and admitting ask the same question, so they cannot
//! disagree.

use tollgate_config::Snapshot;
use tollgate_domain::ModelName;
use tollgate_policy::Grant;

/// Whether the grant covers this name, or the model that the name is another word for.
pub(crate) fn may_use(snapshot: &Snapshot, grant: &Grant, name: &str) -> bool {
    let target = || snapshot.aliases.get(name).map(|alias| alias.model.as_str());
    grant.allows(name) || target().is_some_and(|target| grant.allows(target))
}

/// The names that the caller may use, as lists show them.
pub(crate) fn visible<'a>(
    snapshot: &'a Snapshot,
    grant: &'a Grant,
) -> impl Iterator<Item = &'a ModelName> {
    snapshot.names().filter(move |name| may_use(snapshot, grant, name.as_str()))
}
