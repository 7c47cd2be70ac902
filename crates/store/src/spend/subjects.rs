//! Everything that an entry's cost is summed under.

use std::borrow::Cow;

use tollgate_domain::{Level, joined};

use crate::ledger::EntryRow;

/// The kinds and subjects of the sums that an entry belongs to.
pub(super) fn subjects(entry: &EntryRow) -> Vec<(&'static str, Cow<'_, str>)> {
    let mut subjects = Vec::with_capacity(SUBJECTS_USUAL);
    for (level, id) in levels(entry) {
        if let Some(kind) = level.with_model() {
            subjects.push((kind, Cow::Owned(joined(&id, &entry.model_group))));
        }
        subjects.push((level.as_str(), id));
    }
    subjects
}

/// How many sums an entry usually belongs to.
const SUBJECTS_USUAL: usize = 16;

/// Who and what takes part in the call, each at its level.
fn levels(entry: &EntryRow) -> impl Iterator<Item = (Level, Cow<'_, str>)> {
    let charged = &entry.charged;
    let member = charged.team_id.as_ref().zip(charged.user_id.as_ref());
    let named = [
        (Level::All, Some("")),
        (Level::Key, Some(charged.key_id.as_str())),
        (Level::User, charged.user_id.as_deref()),
        (Level::Team, charged.team_id.as_deref()),
        (Level::Organization, charged.organization_id.as_deref()),
        (Level::Project, charged.project_id.as_deref()),
        (Level::Customer, charged.customer_id.as_deref()),
        (Level::ModelGroup, Some(entry.model_group.as_str())),
        (Level::Deployment, entry.deployment_id.as_deref()),
        (Level::Provider, entry.provider.as_deref()),
    ];
    let named = named.into_iter().filter_map(|(level, id)| Some((level, Cow::Borrowed(id?))));
    let tags = charged.tags.names.iter().map(|tag| (Level::Tag, Cow::Borrowed(tag.as_str())));
    let member = member.map(|(team, user)| (Level::Member, Cow::Owned(joined(team, user))));
    let of_organization = charged.organization_id.as_ref().zip(charged.user_id.as_ref());
    let of_organization = of_organization.map(|(organization, user)| {
        (Level::OrganizationMember, Cow::Owned(joined(organization, user)))
    });
    named.chain(tags).chain(member).chain(of_organization)
}
