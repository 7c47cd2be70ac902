//! Whom a call waits as: a tenant, and a flow of that tenant.

use std::net::IpAddr;

use tollgate_domain::{Attribution, CustomerId, KeyId, TeamId, UserId};

/// Someone who shares a deployment with others.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Party {
    /// A virtual key.
    Key(KeyId),
    /// A team.
    Team(TeamId),
    /// An internal user.
    User(UserId),
    /// A customer that calls name.
    Customer(CustomerId),
    /// A network address.
    Address(IpAddr),
}

/// What the flows of a tenant are told apart by: an entry of `fairness_key`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlowBy {
    /// The virtual key.
    Key,
    /// The team.
    Team,
    /// The customer that the call names.
    EndUser,
    /// The client's network address.
    Ip,
}

/// The tenant a call counts for, and which of the tenant's flows it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flow {
    /// The team; for a key without one its user, so that nobody gains by making more keys; for a
    /// key with neither, the key.
    pub tenant: Party,
    /// The party within the tenant.
    pub party: Party,
}

impl FlowBy {
    /// Every one, with its name in the configuration.
    pub const NAMED: [(&str, Self); 4] =
        [("key", Self::Key), ("team", Self::Team), ("end_user", Self::EndUser), ("ip", Self::Ip)];

    fn party(self, who: &Attribution, address: Option<IpAddr>) -> Option<Party> {
        match self {
            Self::Key => Some(Party::Key(who.key.clone())),
            Self::Team => who.team.clone().map(Party::Team),
            Self::EndUser => who.customer.clone().map(Party::Customer),
            Self::Ip => address.map(Party::Address),
        }
    }
}

impl Flow {
    /// The flow of a call: the first of `by` that the call has, else its key.
    #[must_use]
    pub fn of(who: &Attribution, address: Option<IpAddr>, by: &[FlowBy]) -> Self {
        let key = || Party::Key(who.key.clone());
        let user = || who.user.clone().map(Party::User);
        let tenant = who.team.clone().map(Party::Team).or_else(user).unwrap_or_else(key);
        let party = by.iter().find_map(|by| by.party(who, address)).unwrap_or_else(key);
        Self { tenant, party }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn who(team: Option<&str>, user: Option<&str>, customer: Option<&str>) -> Attribution {
        Attribution {
            user: user.map(|id| UserId::new(id).expect("an id")),
            team: team.map(|id| TeamId::new(id).expect("an id")),
            customer: customer.map(|id| CustomerId::new(id).expect("an id")),
            ..Attribution::to_key(KeyId::new("k").expect("an id"))
        }
    }

    #[test]
    fn the_first_thing_that_the_call_has_tells_its_flow() {
        let address: IpAddr = [10, 0, 0, 1].into();
        let named = who(Some("t"), None, Some("c"));
        let bare = who(None, None, None);
        let key = Party::Key(bare.key.clone());
        let cases = [
            (&named, &[FlowBy::Key, FlowBy::Team][..], key.clone()),
            (&named, &[FlowBy::Team, FlowBy::Key], Party::Team(named.team.clone().expect("one"))),
            (&bare, &[FlowBy::Team, FlowBy::Ip], Party::Address(address)),
            (&named, &[FlowBy::EndUser], Party::Customer(named.customer.clone().expect("one"))),
            (&bare, &[FlowBy::EndUser], key.clone()),
            (&bare, &[], key),
        ];
        for (who, by, party) in cases {
            assert_eq!(Flow::of(who, Some(address), by).party, party, "{by:?}");
        }
    }

    #[test]
    fn a_key_without_a_team_counts_for_its_user_and_else_for_itself() {
        let tenant = |who: &Attribution| Flow::of(who, None, &[]).tenant;
        assert_eq!(
            tenant(&who(Some("t"), Some("u"), None)),
            Party::Team(TeamId::new("t").expect("an id"))
        );
        assert_eq!(
            tenant(&who(None, Some("u"), None)),
            Party::User(UserId::new("u").expect("an id"))
        );
        assert_eq!(tenant(&who(None, None, None)), Party::Key(KeyId::new("k").expect("an id")));
    }
}
