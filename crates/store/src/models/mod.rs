//! Deployments and credentials in the database, their secrets sealed one by one.

mod edit;
mod import;
mod params;
mod reseal;
mod row;

use crate::batch::Statement;
use crate::db::on;
use crate::transaction::Transaction;
use crate::vault::Vault;
use crate::{Db, StoreError};
pub use edit::WriteModelError;
pub use params::Params;
pub use reseal::{ResealError, Resealed};
pub use row::{CredentialRow, DeploymentRow, UnreadableRow};

const LIST_DEPLOYMENTS: &str = "SELECT id, model_name, params, secrets, info, blocked, \
     created_at, created_by, updated_at, updated_by FROM deployments \
     ORDER BY created_at, id LIMIT $1";
const FIND_DEPLOYMENT: &str = "SELECT id, model_name, params, secrets, info, blocked, \
     created_at, created_by, updated_at, updated_by FROM deployments WHERE id = $1";
const LIST_CREDENTIALS: &str = "SELECT name, params, secrets, info, created_at, created_by, \
     updated_at, updated_by FROM credentials ORDER BY name LIMIT $1";
const FIND_CREDENTIAL: &str = "SELECT name, params, secrets, info, created_at, created_by, \
     updated_at, updated_by FROM credentials WHERE name = $1";

/// Most deployments that the database holds.
pub const DEPLOYMENTS_MAX: u32 = 10_000;
/// Most credentials that the database holds.
pub const CREDENTIALS_MAX: u32 = 10_000;

/// What the database holds beside the configuration file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StoredModels {
    /// In the order of their creation.
    pub deployments: Vec<DeploymentRow>,
    /// By name.
    pub credentials: Vec<CredentialRow>,
    /// Rows that cannot be used here.
    pub unreadable: Vec<UnreadableRow>,
}

impl Db {
    /// Everything that is stored, at one instant.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails. A row that cannot be read is no failure.
    pub async fn stored_models(&self, vault: &Vault) -> Result<StoredModels, StoreError> {
        let mut stored = StoredModels::default();
        let mut reading = Transaction::begin_to_read(self).await?;
        let list = Statement::new(LIST_DEPLOYMENTS, [i64::from(DEPLOYMENTS_MAX).into()]);
        for row in reading.fetch(list, |row| DeploymentRow::read(row, vault)).await? {
            match row {
                Ok(row) => stored.deployments.push(row),
                Err(row) => stored.unreadable.push(row),
            }
        }
        let list = Statement::new(LIST_CREDENTIALS, [i64::from(CREDENTIALS_MAX).into()]);
        for row in reading.fetch(list, |row| CredentialRow::read(row, vault)).await? {
            match row {
                Ok(row) => stored.credentials.push(row),
                Err(row) => stored.unreadable.push(row),
            }
        }
        Ok(stored)
    }

    /// The deployment with this id; the inner error says why it cannot be read.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn find_deployment(
        &self,
        vault: &Vault,
        id: &str,
    ) -> Result<Option<Result<DeploymentRow, UnreadableRow>>, StoreError> {
        on!(
            self,
            read | pool | {
                let row = sqlx::query(FIND_DEPLOYMENT).bind(id).fetch_optional(pool).await?;
                row.map(|row| DeploymentRow::read(&row, vault)).transpose()
            }
        )
    }

    /// The credential with this name; the inner error says why it cannot be read.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn find_credential(
        &self,
        vault: &Vault,
        name: &str,
    ) -> Result<Option<Result<CredentialRow, UnreadableRow>>, StoreError> {
        on!(
            self,
            read | pool | {
                let row = sqlx::query(FIND_CREDENTIAL).bind(name).fetch_optional(pool).await?;
                row.map(|row| CredentialRow::read(&row, vault)).transpose()
            }
        )
    }
}
