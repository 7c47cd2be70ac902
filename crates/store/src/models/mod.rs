//! Deployments and credentials in the database, their secrets sealed one by one.

mod params;
mod row;

use thiserror::Error;
use tollgate_domain::DeploymentId;

use crate::batch::{Statement, Value};
use crate::changes::Change;
use crate::db::{Columns, on};
use crate::transaction::Transaction;
use crate::vault::{CHECK_SETTING, Vault};
use crate::{Db, StoreError};
pub use params::Params;
pub use row::{CredentialRow, DeploymentRow, UnreadableRow};

const LIST_DEPLOYMENTS: &str = "SELECT id, model_name, params, secrets, info, blocked, \
     created_at, created_by, updated_at, updated_by FROM deployments \
     ORDER BY created_at, id LIMIT $1";
const FIND_DEPLOYMENT: &str = "SELECT id, model_name, params, secrets, info, blocked, \
     created_at, created_by, updated_at, updated_by FROM deployments WHERE id = $1";
const COUNT_DEPLOYMENTS: &str = "SELECT COUNT(*) AS rows FROM deployments";
const INSERT_DEPLOYMENT: &str = "INSERT INTO deployments (id, model_name, params, secrets, info, \
     blocked, created_at, created_by, updated_at, updated_by) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (id) DO NOTHING";
const UPDATE_DEPLOYMENT: &str = "UPDATE deployments SET model_name = $2, params = $3, \
     secrets = $4, info = $5, blocked = $6, created_at = $7, created_by = $8, updated_at = $9, \
     updated_by = $10 WHERE id = $1";
const DELETE_DEPLOYMENT: &str = "DELETE FROM deployments WHERE id = $1";
const LIST_CREDENTIALS: &str = "SELECT name, params, secrets, info, created_at, created_by, \
     updated_at, updated_by FROM credentials ORDER BY name LIMIT $1";
const FIND_CREDENTIAL: &str = "SELECT name, params, secrets, info, created_at, created_by, \
     updated_at, updated_by FROM credentials WHERE name = $1";
const COUNT_CREDENTIALS: &str = "SELECT COUNT(*) AS rows FROM credentials";
const INSERT_CREDENTIAL: &str = "INSERT INTO credentials (name, params, secrets, info, \
     created_at, created_by, updated_at, updated_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
     ON CONFLICT (name) DO NOTHING";
const UPDATE_CREDENTIAL: &str = "UPDATE credentials SET params = $2, secrets = $3, info = $4, \
     created_at = $5, created_by = $6, updated_at = $7, updated_by = $8 WHERE name = $1";
const DELETE_CREDENTIAL: &str = "DELETE FROM credentials WHERE name = $1";
/// The first secret that is written says with which key.
const CLAIM_CHECK: &str =
    "INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";
/// Touches a row only where the key is the same; its lock keeps others from taking it away
/// meanwhile.
const CONFIRM_CHECK: &str = "UPDATE settings SET value = $2 WHERE name = $1 AND value = $2";
/// Once no secret is left, another key may begin.
const RELEASE_CHECK: &str = "DELETE FROM settings WHERE name = $1 \
     AND NOT EXISTS (SELECT 1 FROM deployments WHERE secrets <> '{}') \
     AND NOT EXISTS (SELECT 1 FROM credentials WHERE secrets <> '{}')";

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

/// Why a deployment or credential was not written.
#[derive(Debug, Error)]
pub enum WriteModelError {
    /// One with this identity exists.
    #[error("one with this identity exists")]
    Taken,
    /// The database's secrets are sealed with another key than this gateway has.
    #[error("the secrets in the database are sealed with another key than this gateway has")]
    OtherKey,
    /// The database holds as many as it may.
    #[error("the database holds {0} of them, which is the most it may")]
    TooMany(u32),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
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

    /// Writes a new deployment.
    ///
    /// # Errors
    /// [`WriteModelError`]; nothing is written then.
    pub async fn insert_deployment(
        &self,
        vault: &Vault,
        row: &DeploymentRow,
    ) -> Result<(), WriteModelError> {
        let texts = row.texts(vault);
        let insert = Statement::new(INSERT_DEPLOYMENT, row.values(&texts));
        let most = (COUNT_DEPLOYMENTS, DEPLOYMENTS_MAX);
        self.insert_model((vault, !row.params.sealed.is_empty()), insert, most).await
    }

    /// Replaces the deployments with the rows' ids, all or none. Gives whether all were there.
    ///
    /// # Errors
    /// [`WriteModelError`]; nothing is written then.
    pub async fn update_deployments(
        &self,
        vault: &Vault,
        rows: &[DeploymentRow],
    ) -> Result<bool, WriteModelError> {
        let texts: Vec<_> = rows.iter().map(|row| row.texts(vault)).collect();
        let update = |(row, texts)| {
            let row: &DeploymentRow = row;
            Statement::new(UPDATE_DEPLOYMENT, row.values(texts))
        };
        let updates = rows.iter().zip(&texts).map(update).collect();
        let seals = rows.iter().any(|row| !row.params.sealed.is_empty());
        self.update_models((vault, seals), updates).await
    }

    /// Deletes a deployment, whether or not its secrets can be read. Gives whether there was one.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails; nothing is deleted then.
    pub async fn delete_deployment(&self, id: &DeploymentId) -> Result<bool, StoreError> {
        self.delete_model(Statement::new(DELETE_DEPLOYMENT, [Value::from(id.as_str())])).await
    }

    /// Writes a new credential.
    ///
    /// # Errors
    /// [`WriteModelError`]; nothing is written then.
    pub async fn insert_credential(
        &self,
        vault: &Vault,
        row: &CredentialRow,
    ) -> Result<(), WriteModelError> {
        let texts = row.texts(vault);
        let insert = Statement::new(INSERT_CREDENTIAL, row.values(&texts));
        let most = (COUNT_CREDENTIALS, CREDENTIALS_MAX);
        self.insert_model((vault, !row.values.sealed.is_empty()), insert, most).await
    }

    /// Replaces the credential with the row's name. Gives whether there was one.
    ///
    /// # Errors
    /// [`WriteModelError`]; nothing is written then.
    pub async fn update_credential(
        &self,
        vault: &Vault,
        row: &CredentialRow,
    ) -> Result<bool, WriteModelError> {
        let texts = row.texts(vault);
        let update = Statement::new(UPDATE_CREDENTIAL, row.values(&texts));
        self.update_models((vault, !row.values.sealed.is_empty()), vec![update]).await
    }

    /// Deletes a credential, whether or not it can be read. Gives whether there was one.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails; nothing is deleted then.
    pub async fn delete_credential(&self, name: &str) -> Result<bool, StoreError> {
        self.delete_model(Statement::new(DELETE_CREDENTIAL, [Value::from(name)])).await
    }

    async fn insert_model(
        &self,
        (vault, seals): (&Vault, bool),
        insert: Statement<'_>,
        (count, most): (&'static str, u32),
    ) -> Result<(), WriteModelError> {
        let mut transaction = Transaction::begin(self).await?;
        let counted = transaction.fetch(Statement::new(count, []), count_of).await?;
        if counted.first().is_some_and(|rows| *rows >= i64::from(most)) {
            return Err(WriteModelError::TooMany(most));
        }
        if seals {
            confirm_key(&mut transaction, vault).await?;
        }
        if transaction.execute(insert).await? == 0 {
            return Err(WriteModelError::Taken);
        }
        Change::Models.announce(&mut transaction).await?;
        Ok(transaction.commit().await?)
    }

    async fn update_models(
        &self,
        (vault, seals): (&Vault, bool),
        updates: Vec<Statement<'_>>,
    ) -> Result<bool, WriteModelError> {
        let mut transaction = Transaction::begin(self).await?;
        if seals {
            confirm_key(&mut transaction, vault).await?;
        }
        for update in updates {
            if transaction.execute(update).await? == 0 {
                return Ok(false);
            }
        }
        release_key(&mut transaction).await?;
        Change::Models.announce(&mut transaction).await?;
        transaction.commit().await?;
        Ok(true)
    }

    async fn delete_model(&self, delete: Statement<'_>) -> Result<bool, StoreError> {
        let mut transaction = Transaction::begin(self).await?;
        if transaction.execute(delete).await? == 0 {
            return Ok(false);
        }
        release_key(&mut transaction).await?;
        Change::Models.announce(&mut transaction).await?;
        transaction.commit().await?;
        Ok(true)
    }
}

/// Refused where a secret would be sealed with another key than those that are there.
async fn confirm_key(transaction: &mut Transaction, vault: &Vault) -> Result<(), WriteModelError> {
    let values = [Value::from(CHECK_SETTING), Value::from(vault.check())];
    transaction.execute(Statement::new(CLAIM_CHECK, values)).await?;
    match transaction.execute(Statement::new(CONFIRM_CHECK, values)).await? {
        0 => Err(WriteModelError::OtherKey),
        _ => Ok(()),
    }
}

async fn release_key(transaction: &mut Transaction) -> Result<(), StoreError> {
    transaction.execute(Statement::new(RELEASE_CHECK, [Value::from(CHECK_SETTING)])).await?;
    Ok(())
}

fn count_of(row: &dyn Columns) -> Result<i64, StoreError> {
    row.integer("rows")
}
