//! Everything that an entry's cost is summed under.

use std::borrow::Cow;
use std::cmp::Ordering;

use tollgate_domain::{Level, joined};

use crate::ledger::EntryRow;

/// One of those whom an entry belongs to, pointing into the entry: a text of its own is made only
/// for a sum that is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct SubjectOf<'a> {
    level: Level,
    /// Whom, in up to two parts.
    id: (&'a str, Option<&'a str>),
    /// The model group whose part it is, where it is not the whole.
    model: Option<&'a str>,
}

impl SubjectOf<'_> {
    /// The kind of the sum, in records.
    pub(super) fn kind(&self) -> &'static str {
        let part = self.model.and_then(|_| self.level.with_model());
        part.unwrap_or(self.level.as_str())
    }

    /// The subject of the sum, in records.
    pub(super) fn text(&self) -> Cow<'_, str> {
        let (first, second) = self.id;
        match (second, self.model) {
            (None, None) => Cow::Borrowed(first),
            (Some(last), None) | (None, Some(last)) => Cow::Owned(joined(first, last)),
            (Some(second), Some(model)) => Cow::Owned(joined(&joined(first, second), model)),
        }
    }
}

impl Ord for SubjectOf<'_> {
    /// As the kinds and texts in records are ordered: what stands between the parts of a text
    /// comes before every other character.
    fn cmp(&self, other: &Self) -> Ordering {
        let place = |one: &Self| (one.kind(), one.id, one.model);
        place(self).cmp(&place(other))
    }
}

impl PartialOrd for SubjectOf<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Those whom an entry belongs to.
pub(super) fn subjects(entry: &EntryRow) -> impl Iterator<Item = SubjectOf<'_>> {
    levels(entry).flat_map(|(level, id)| {
        let model = level.with_model().map(|_| entry.model_group.as_str());
        let part = model.map(|model| SubjectOf { level, id, model: Some(model) });
        part.into_iter().chain([SubjectOf { level, id, model: None }])
    })
}

/// Who and what takes part in the call, each at its level.
fn levels(entry: &EntryRow) -> impl Iterator<Item = (Level, (&str, Option<&str>))> {
    let charged = &entry.charged;
    let member = charged.team_id.as_deref().zip(charged.user_id.as_deref());
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
    let named = named.into_iter().filter_map(|(level, id)| Some((level, (id?, None))));
    let tags = charged.tags.names.iter().map(|tag| (Level::Tag, (tag.as_str(), None)));
    let member = member.map(|(team, user)| (Level::Member, (team, Some(user))));
    let of_organization = charged.organization_id.as_deref().zip(charged.user_id.as_deref());
    let of_organization = of_organization
        .map(|(organization, user)| (Level::OrganizationMember, (organization, Some(user))));
    named.chain(tags).chain(member).chain(of_organization)
}
