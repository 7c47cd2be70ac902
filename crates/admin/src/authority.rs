//! What a caller may manage, from what is stored of their user.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tollgate_domain::{Level, TeamId, UserId};
use tollgate_faults::Refusal;
use tollgate_policy::{Authority, Membership, Role};
use tollgate_store::{EntityRow, KeyRecord};

use crate::gatekeeper::Actor;
use crate::problem;
use crate::routes::Admin;

/// What members may do with their team's keys unless the team says otherwise (management-api §1).
pub(crate) const USUAL_PERMISSIONS: [&str; 2] = ["/key/info", "/key/health"];

impl Admin {
    /// What whoever calls may manage, as it is stored now.
    pub(crate) async fn authority(&self, actor: &Actor) -> Result<Authority, Refusal> {
        match actor {
            Actor::Master => Ok(Authority::master()),
            Actor::Key(record) => self.authority_of(record).await,
        }
    }

    async fn authority_of(&self, record: &KeyRecord) -> Result<Authority, Refusal> {
        let key = &record.attribution;
        let (role, teams, organizations) = match &key.user {
            Some(user) => {
                let organizations = self.organizations_of(user).await?.into_iter().collect();
                (self.role(user).await?, self.teams_of(user).await?, organizations)
            }
            None => (Role::InternalUser, BTreeMap::new(), BTreeMap::new()),
        };
        Ok(Authority {
            role,
            user: key.user.clone(),
            key: Some(key.key.clone()),
            key_team: key.team.clone(),
            views_spend: record.rules().is_some_and(|rules| rules.get_spend_routes),
            teams,
            organizations,
        })
    }

    /// The role of a user. One without a role, or without a row, is an internal user.
    async fn role(&self, user: &UserId) -> Result<Role, Refusal> {
        let row = self.db.find_entity(Level::User, "", user.as_str()).await;
        let row = row.map_err(|problem| problem::store(&problem))?;
        let role = row.as_ref().and_then(|row| row.metadata.get("user_role"));
        let role = role.and_then(Value::as_str).and_then(Role::parse);
        Ok(role.unwrap_or(Role::InternalUser))
    }

    async fn teams_of(&self, user: &UserId) -> Result<BTreeMap<TeamId, Membership>, Refusal> {
        let rows = self.db.list_memberships(Level::Member, user).await;
        let rows = rows.map_err(|problem| problem::store(&problem))?;
        let mut teams = BTreeMap::new();
        for row in rows {
            let Ok(id) = TeamId::new(&row.within) else { continue };
            teams.insert(id, self.membership(&row).await?);
        }
        Ok(teams)
    }

    async fn membership(&self, row: &EntityRow) -> Result<Membership, Refusal> {
        let admin = row.metadata.get("role").and_then(Value::as_str) == Some("admin");
        let team = self.db.find_entity(Level::Team, "", &row.within).await;
        let team = team.map_err(|problem| problem::store(&problem))?;
        let given = team.as_ref().and_then(|team| team.metadata.get("team_member_permissions"));
        let permissions = given.and_then(Value::as_array).map_or_else(
            || USUAL_PERMISSIONS.map(str::to_owned).into(),
            |given| {
                given.iter().filter_map(Value::as_str).map(str::to_owned).collect::<BTreeSet<_>>()
            },
        );
        Ok(Membership { admin, permissions })
    }
}
