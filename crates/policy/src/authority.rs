//! Who may manage what: one function for every management route.
//!
//! A route says which callers it is for at all ([`Audience`]); what the request is about decides
//! the rest ([`Scope`]). Listing asks the same question as showing, so they cannot disagree.

use std::collections::{BTreeMap, BTreeSet};

use tollgate_domain::{KeyId, OrganizationId, TeamId, UserId};

/// What a caller is allowed by their user (management-api §4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Sees and changes everything.
    ProxyAdmin,
    /// Sees everything.
    ProxyAdminViewer,
    /// Manages what is their own.
    InternalUser,
    /// Sees what is their own.
    InternalUserViewer,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 4] =
        [Self::ProxyAdmin, Self::ProxyAdminViewer, Self::InternalUser, Self::InternalUserViewer];

    /// The role's name in the management API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ProxyAdmin => "proxy_admin",
            Self::ProxyAdminViewer => "proxy_admin_viewer",
            Self::InternalUser => "internal_user",
            Self::InternalUserViewer => "internal_user_viewer",
        }
    }

    /// The role with this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == name)
    }

    const fn only_sees(self) -> bool {
        matches!(self, Self::ProxyAdminViewer | Self::InternalUserViewer)
    }
}

/// Which callers a route is for. Whoever is let through may still be refused by what the request is
/// about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Everybody, without a key.
    Anyone,
    /// Every key; the answer is limited to what the caller may see.
    Keys,
    /// Everybody who manages something of their own.
    Managers,
    /// Administrators of organizations.
    OrganizationAdmins,
    /// Administrators of the gateway, and keys that may see what everybody spent.
    SpendViewers,
    /// Administrators of the gateway.
    Admins,
}

/// What a caller is in a team.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Membership {
    /// Whether they administrate it.
    pub admin: bool,
    /// The management routes that the team lets its members use for its keys.
    pub permissions: BTreeSet<String>,
}

/// What a caller may manage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority {
    /// The role of their user. A key without a user acts as an internal user.
    pub role: Role,
    /// Their user.
    pub user: Option<UserId>,
    /// The key they call with; none is the master key.
    pub key: Option<KeyId>,
    /// The team of that key.
    pub key_team: Option<TeamId>,
    /// Whether that key may see what everybody spent (`permissions.get_spend_routes`).
    pub views_spend: bool,
    /// The teams that their user is in.
    pub teams: BTreeMap<TeamId, Membership>,
    /// The organizations that their user belongs to, and whether they administrate them.
    pub organizations: BTreeMap<OrganizationId, bool>,
}

/// What a request is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope<'a> {
    /// Something that belongs to nobody in particular.
    Gateway,
    /// An organization.
    Organization(&'a OrganizationId),
    /// A team.
    Team {
        /// Its identity.
        id: &'a TeamId,
        /// Whose it is.
        organization: Option<&'a OrganizationId>,
    },
    /// A user.
    User {
        /// Their identity.
        id: &'a UserId,
        /// The organizations they belong to.
        organizations: &'a [OrganizationId],
    },
    /// A key.
    Key(KeyScope<'a>),
}

/// Whose a key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KeyScope<'a> {
    /// The key, once there is one.
    pub id: Option<&'a KeyId>,
    /// Its user.
    pub user: Option<&'a UserId>,
    /// Its team.
    pub team: Option<&'a TeamId>,
    /// Its organization.
    pub organization: Option<&'a OrganizationId>,
}

impl Authority {
    /// Whoever holds the master key.
    #[must_use]
    pub const fn master() -> Self {
        Self {
            role: Role::ProxyAdmin,
            user: None,
            key: None,
            key_team: None,
            views_spend: true,
            teams: BTreeMap::new(),
            organizations: BTreeMap::new(),
        }
    }

    /// Whether they may manage everything.
    #[must_use]
    pub fn is_admin(&self) -> bool {
        self.role == Role::ProxyAdmin
    }

    /// Whether they see everything.
    #[must_use]
    pub fn sees_all(&self) -> bool {
        matches!(self.role, Role::ProxyAdmin | Role::ProxyAdminViewer)
    }

    /// Whether a route is for them; `reads` says that it changes nothing.
    #[must_use]
    pub fn passes(&self, audience: Audience, reads: bool) -> bool {
        if self.is_admin() || (reads && self.sees_all()) {
            return true;
        }
        match audience {
            Audience::Anyone | Audience::Keys => true,
            Audience::Managers => reads || !self.role.only_sees(),
            Audience::OrganizationAdmins => self.organizations.values().any(|admin| *admin),
            Audience::SpendViewers => reads && self.views_spend,
            Audience::Admins => false,
        }
    }

    /// Whether they may see what a request is about. `route` is the one that is called, which a
    /// team may have given to its members.
    #[must_use]
    pub fn may_see(&self, scope: Scope<'_>, route: &str) -> bool {
        self.sees_all()
            || match scope {
                Scope::Gateway => false,
                Scope::Organization(id) => self.organizations.contains_key(id),
                Scope::Team { id, organization } => {
                    self.teams.contains_key(id)
                        || self.key_team.as_ref() == Some(id)
                        || self.administrates(organization)
                }
                Scope::User { id, organizations } => {
                    self.user.as_ref() == Some(id)
                        || organizations.iter().any(|id| self.administrates(Some(id)))
                }
                Scope::Key(key) => {
                    self.is_theirs(key)
                        || self.leads(key.team)
                        || self.administrates(key.organization)
                        || self.may_in_team(key.team, route)
                }
            }
    }

    /// Whether they may change what a request is about, or make or delete it.
    #[must_use]
    pub fn may_change(&self, scope: Scope<'_>, route: &str) -> bool {
        if self.is_admin() {
            return true;
        }
        if self.role.only_sees() {
            return false;
        }
        match scope {
            Scope::Gateway => false,
            Scope::Organization(id) => self.administrates(Some(id)),
            Scope::Team { id, organization } => {
                self.leads(Some(id)) || self.administrates(organization)
            }
            Scope::User { id, organizations } => {
                self.user.as_ref() == Some(id)
                    || organizations.iter().any(|id| self.administrates(Some(id)))
            }
            Scope::Key(key) => {
                self.owns(key)
                    || self.leads(key.team)
                    || self.administrates(key.organization)
                    || self.may_in_team(key.team, route)
            }
        }
    }

    /// Whether they may make a key that belongs there, or move one there: for themselves, or for a
    /// team or an organization that lets them.
    #[must_use]
    pub fn may_make(&self, key: KeyScope<'_>, route: &str) -> bool {
        let own = key.team.is_none() && key.user.is_some() && self.user.as_ref() == key.user;
        self.may_oversee(key, route)
            || (own && key.organization.is_none() && !self.role.only_sees())
    }

    /// Whether a key is theirs to oversee, as it is not for the one who owns it: to block, and to
    /// let spend once more what it has spent.
    #[must_use]
    pub fn may_oversee(&self, key: KeyScope<'_>, route: &str) -> bool {
        self.is_admin()
            || (!self.role.only_sees()
                && (self.leads(key.team)
                    || self.administrates(key.organization)
                    || self.may_in_team(key.team, route)))
    }

    /// Whether they administrate an organization.
    #[must_use]
    pub fn administrates(&self, organization: Option<&OrganizationId>) -> bool {
        organization.is_some_and(|id| self.organizations.get(id) == Some(&true))
    }

    /// Whether they administrate a team.
    #[must_use]
    pub fn leads(&self, team: Option<&TeamId>) -> bool {
        team.and_then(|id| self.teams.get(id)).is_some_and(|membership| membership.admin)
    }

    /// Whether a team lets its members use a route, and they are one.
    fn may_in_team(&self, team: Option<&TeamId>, route: &str) -> bool {
        let membership = team.and_then(|id| self.teams.get(id));
        membership.is_some_and(|membership| membership.permissions.contains(route))
    }

    /// The key they call with, or one of their user's.
    fn is_theirs(&self, key: KeyScope<'_>) -> bool {
        (key.id.is_some() && self.key.as_ref() == key.id)
            || (key.user.is_some() && self.user.as_ref() == key.user)
    }

    /// One of their user's keys. A key of a team is theirs only while they are in the team, so that
    /// nobody who left keeps spending its money.
    fn owns(&self, key: KeyScope<'_>) -> bool {
        let in_team = key.team.is_none_or(|team| self.teams.contains_key(team));
        key.user.is_some() && self.user.as_ref() == key.user && in_team
    }
}

/// The management routes that a team can give to its members (management-api §1).
pub const MEMBER_ROUTES: [&str; 17] = [
    "/key/generate",
    "/key/service-account/generate",
    "/key/update",
    "/key/delete",
    "/key/regenerate",
    "/key/{key}/regenerate",
    "/key/list",
    "/key/info",
    "/key/health",
    "/key/block",
    "/key/unblock",
    "/key/bulk_update",
    "/key/{key}/reset_spend",
    "/key/aliases",
    "/team/daily/activity",
    "/team/daily/activity/aggregated",
    "/spend/logs/v2",
];

#[cfg(test)]
mod tests;
