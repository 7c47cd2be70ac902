//! Whom limits bind and spend is summed by: a level of the tree, and who stands there.

use std::sync::Arc;

use crate::{TeamId, UserId};

/// Stands between the parts of a composed identity; no identifier holds a control character.
const BETWEEN: char = '\u{1f}';

/// A level at which spend is summed and may be limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// The whole gateway; its one subject is the empty text.
    All,
    /// An organization.
    Organization,
    /// A project.
    Project,
    /// A team.
    Team,
    /// A user within a team.
    Member,
    /// A user within an organization.
    OrganizationMember,
    /// A user.
    User,
    /// A virtual key.
    Key,
    /// A customer.
    Customer,
    /// A tag of calls.
    Tag,
    /// A model group.
    ModelGroup,
    /// A deployment.
    Deployment,
    /// A provider.
    Provider,
}

impl Level {
    /// Every level.
    pub const ALL: [Self; 13] = [
        Self::All,
        Self::Organization,
        Self::Project,
        Self::Team,
        Self::Member,
        Self::OrganizationMember,
        Self::User,
        Self::Key,
        Self::Customer,
        Self::Tag,
        Self::ModelGroup,
        Self::Deployment,
        Self::Provider,
    ];

    /// The level's name in records.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Organization => "organization",
            Self::Project => "project",
            Self::Team => "team",
            Self::Member => "member",
            Self::OrganizationMember => "organization_member",
            Self::User => "user",
            Self::Key => "key",
            Self::Customer => "customer",
            Self::Tag => "tag",
            Self::ModelGroup => "model_group",
            Self::Deployment => "deployment",
            Self::Provider => "provider",
        }
    }

    /// The name in records of a subject's part that one model group makes up; `None` where spend
    /// is not summed so.
    #[must_use]
    pub const fn with_model(self) -> Option<&'static str> {
        match self {
            Self::Organization => Some("organization_model"),
            Self::Project => Some("project_model"),
            Self::Team => Some("team_model"),
            Self::Member => Some("member_model"),
            Self::User => Some("user_model"),
            Self::Key => Some("key_model"),
            Self::Customer => Some("customer_model"),
            Self::Tag => Some("tag_model"),
            Self::All
            | Self::OrganizationMember
            | Self::ModelGroup
            | Self::Deployment
            | Self::Provider => None,
        }
    }

    /// Whether its subjects are users within another: their identity is [`joined`].
    #[must_use]
    pub const fn is_within(self) -> bool {
        matches!(self, Self::Member | Self::OrganizationMember)
    }

    /// Reads a name that [`Level::as_str`] gives.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.as_str() == text)
    }
}

/// Somebody or something at a level.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject {
    /// The level.
    pub level: Level,
    /// Who: an identifier, or several with U+001F between them.
    pub id: Arc<str>,
}

impl Subject {
    /// The subject with this identifier.
    #[must_use]
    pub fn new(level: Level, id: &str) -> Self {
        Self { level, id: Arc::from(id) }
    }

    /// Somebody within another: a member of a team or of an organization.
    #[must_use]
    pub fn within(level: Level, within: &str, id: &str) -> Self {
        if level.is_within() { Self::new(level, &joined(within, id)) } else { Self::new(level, id) }
    }

    /// A user within a team.
    #[must_use]
    pub fn member(team: &TeamId, user: &UserId) -> Self {
        Self::new(Level::Member, &joined(team.as_str(), user.as_str()))
    }

    /// What the subject is within, empty where that is nothing, and its own identifier there.
    #[must_use]
    pub fn parts(&self) -> (&str, &str) {
        let parts = self.level.is_within().then(|| self.id.split_once(BETWEEN)).flatten();
        parts.unwrap_or(("", &self.id))
    }
}

/// The identity that two make up together.
#[must_use]
pub fn joined(first: &str, second: &str) -> String {
    let mut text = String::with_capacity(first.len() + second.len() + 1);
    text.push_str(first);
    text.push(BETWEEN);
    text.push_str(second);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_in_records_are_distinct_and_read_back() {
        let mut names: Vec<&str> = Level::ALL.iter().map(|level| level.as_str()).collect();
        names.extend(Level::ALL.iter().filter_map(|level| level.with_model()));
        for level in Level::ALL {
            assert_eq!(Level::parse(level.as_str()), Some(level));
        }
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn members_of_different_teams_are_never_the_same() {
        let member = |team: &str, user: &str| {
            Subject::member(&TeamId::new(team).expect("an id"), &UserId::new(user).expect("an id"))
        };
        assert_ne!(member("a", "bc"), member("ab", "c"));
        assert!(TeamId::new("a\u{1f}b").is_err(), "an identifier cannot hold what stands between");
        assert_eq!(member("a", "bc").parts(), ("a", "bc"));
        assert_eq!(Subject::new(Level::Team, "a").parts(), ("", "a"));
    }
}
