//! Deleting those whom limits bind, with everything that cannot be without them.

use serde_json::Value as Json;
use thiserror::Error;
use tollgate_domain::{KeyHash, Level};

use super::EntityRow;
use crate::StoreError;
use crate::audit::{Difference, record};
use crate::batch::{Statement, Value};
use crate::db::Columns;
use crate::editor::Editor;
use crate::keys;
use crate::transaction::Transaction;

/// What one deletion took away.
#[derive(Debug, Default)]
pub struct Deleted {
    /// Those named, and whoever was within them.
    pub entities: Vec<EntityRow>,
    /// The keys that belonged to them.
    pub keys: Vec<KeyHash>,
}

/// Why nothing was deleted.
#[derive(Debug, Error)]
pub enum DeleteEntitiesError {
    /// One of those named does not exist.
    #[error("`{0}` does not exist")]
    Absent(String),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

macro_rules! delete_where {
    ($condition:literal) => {
        concat!(
            "DELETE FROM entities WHERE ",
            $condition,
            " RETURNING kind, within, id, alias, organization_id, budget_id, blocked, models, \
             limits, metadata, created_at, created_by, updated_at, updated_by"
        )
    };
}

/// The one that is named.
const NAMED: &str = delete_where!("kind = $1 AND within = $2 AND id = $3");
/// Whoever is within a team.
const WITHIN: &str = delete_where!("kind = 'member' AND within = $1");
/// Every project. The team that one is in stands in its metadata, since calls find it by its
/// identity alone.
const PROJECTS: &str = "SELECT kind, within, id, alias, organization_id, budget_id, blocked, \
     models, limits, metadata, created_at, created_by, updated_at, updated_by FROM entities \
     WHERE kind = 'project'";
/// Where it stands there.
const TEAM_OF_PROJECT: &str = "team_id";
/// A user's memberships.
const MEMBERSHIPS: &str = delete_where!("kind IN ('member', 'organization_member') AND id = $1");
/// The members of an organization.
const OF_ORGANIZATION: &str = delete_where!("kind = 'organization_member' AND within = $1");
/// The teams of an organization.
const TEAMS: &str = delete_where!("kind = 'team' AND organization_id = $1");

const KEYS_OF_TEAM: &str = "SELECT hash FROM virtual_keys WHERE team_id = $1";
const KEYS_OF_MEMBER: &str = "SELECT hash FROM virtual_keys WHERE team_id = $1 AND user_id = $2";
const KEYS_OF_USER: &str = "SELECT hash FROM virtual_keys WHERE user_id = $1";
const KEYS_OF_ORGANIZATION: &str = "SELECT hash FROM virtual_keys WHERE organization_id = $1";
const KEYS_OF_PROJECT: &str = "SELECT hash FROM virtual_keys WHERE project_id = $1";

impl Editor<'_> {
    /// Deletes the entities of a level with these identities, all or none, and with each whoever
    /// is within it and the keys that belong to it (management-api §3 to §5). The keys are kept as
    /// they were, as [`Editor::delete_keys`] keeps them.
    ///
    /// # Errors
    /// [`DeleteEntitiesError`]; nothing is deleted then.
    pub async fn delete_entities(
        &self,
        level: Level,
        within: &str,
        ids: &[String],
    ) -> Result<Deleted, DeleteEntitiesError> {
        let mut transaction = Transaction::begin(self.db).await?;
        let mut deleted = Deleted::default();
        for id in ids {
            let before = deleted.entities.len();
            delete(&mut transaction, &mut deleted, NAMED, &[level.as_str(), within, id]).await?;
            if deleted.entities.len() == before {
                return Err(DeleteEntitiesError::Absent(id.clone()));
            }
            below(&mut transaction, &mut deleted, (level, within, id)).await?;
        }
        deleted.keys.sort_unstable();
        deleted.keys.dedup();
        keys::delete(&mut transaction, &deleted.keys, self.by).await?;
        for row in &deleted.entities {
            let difference = Difference { before: Some(row.described()), after: None };
            record(&mut transaction, self.by, row.object(), difference).await?;
            row.change().announce(&mut transaction).await?;
        }
        transaction.commit().await?;
        Ok(deleted)
    }
}

/// Deletes whoever is within one, and finds the keys that belong to it.
async fn below(
    transaction: &mut Transaction,
    deleted: &mut Deleted,
    (level, within, id): (Level, &str, &str),
) -> Result<(), StoreError> {
    match level {
        Level::Team => below_team(transaction, deleted, id).await,
        Level::Organization => {
            let before = deleted.entities.len();
            delete(transaction, deleted, TEAMS, &[id]).await?;
            let teams: Vec<String> =
                deleted.entities.iter().skip(before).map(|team| team.id.clone()).collect();
            for team in &teams {
                below_team(transaction, deleted, team).await?;
            }
            delete(transaction, deleted, OF_ORGANIZATION, &[id]).await?;
            find_keys(transaction, deleted, KEYS_OF_ORGANIZATION, &[id]).await
        }
        Level::User => {
            delete(transaction, deleted, MEMBERSHIPS, &[id]).await?;
            find_keys(transaction, deleted, KEYS_OF_USER, &[id]).await
        }
        Level::Member => find_keys(transaction, deleted, KEYS_OF_MEMBER, &[within, id]).await,
        Level::Project => find_keys(transaction, deleted, KEYS_OF_PROJECT, &[id]).await,
        Level::All
        | Level::OrganizationMember
        | Level::Key
        | Level::Customer
        | Level::Tag
        | Level::ModelGroup
        | Level::Deployment
        | Level::Provider => Ok(()),
    }
}

async fn below_team(
    transaction: &mut Transaction,
    deleted: &mut Deleted,
    team: &str,
) -> Result<(), StoreError> {
    delete(transaction, deleted, WITHIN, &[team]).await?;
    let projects = transaction.fetch(Statement::new(PROJECTS, Vec::new()), EntityRow::read).await?;
    for project in projects {
        if project.metadata.get(TEAM_OF_PROJECT).and_then(Json::as_str) == Some(team) {
            let named = [Level::Project.as_str(), "", &*project.id];
            delete(transaction, deleted, NAMED, &named).await?;
            find_keys(transaction, deleted, KEYS_OF_PROJECT, &[&project.id]).await?;
        }
    }
    find_keys(transaction, deleted, KEYS_OF_TEAM, &[team]).await
}

async fn delete(
    transaction: &mut Transaction,
    deleted: &mut Deleted,
    text: &'static str,
    ids: &[&str],
) -> Result<(), StoreError> {
    let values: Vec<Value<'_>> = ids.iter().map(|id| Value::from(*id)).collect();
    deleted
        .entities
        .extend(transaction.fetch(Statement::new(text, values), EntityRow::read).await?);
    Ok(())
}

async fn find_keys(
    transaction: &mut Transaction,
    deleted: &mut Deleted,
    text: &'static str,
    ids: &[&str],
) -> Result<(), StoreError> {
    let values: Vec<Value<'_>> = ids.iter().map(|id| Value::from(*id)).collect();
    let found = transaction.fetch(Statement::new(text, values), hash).await?;
    deleted.keys.extend(found);
    Ok(())
}

fn hash(row: &dyn Columns) -> Result<KeyHash, StoreError> {
    keys::read_hash(&row.text("hash")?)
}
