//! Writing deployments and credentials. No secret is written that another gateway on the database
//! could not read.

use serde_json::{Map, Value as Json};
use thiserror::Error;
use tollgate_domain::DeploymentId;

use super::row::{Before, CREDENTIALS, DEPLOYMENTS};
use super::{CREDENTIALS_MAX, CredentialRow, DEPLOYMENTS_MAX, DeploymentRow};
use crate::StoreError;
use crate::audit::{Difference, Object, record};
use crate::batch::{Statement, Value};
use crate::changes::Change;
use crate::db::Columns;
use crate::editor::{Editor, Replaced};
use crate::transaction::Transaction;
use crate::vault::{CHECK_SETTING, Vault};

pub(super) const COUNT_DEPLOYMENTS: &str = "SELECT COUNT(*) AS rows FROM deployments";
pub(super) const INSERT_DEPLOYMENT: &str = "INSERT INTO deployments (id, model_name, params, \
     secrets, info, blocked, created_at, created_by, updated_at, updated_by) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (id) DO NOTHING";
/// Reads a row as it is, and keeps everybody else from changing it until the transaction ends.
const LOCK_DEPLOYMENT: &str = "UPDATE deployments SET updated_at = updated_at WHERE id = $1 \
     RETURNING model_name, params, secrets, info, blocked, updated_at";
pub(super) const UPDATE_DEPLOYMENT: &str = "UPDATE deployments SET model_name = $2, params = $3, \
     secrets = $4, info = $5, blocked = $6, created_at = $7, created_by = $8, updated_at = $9, \
     updated_by = $10 WHERE id = $1";
const DELETE_DEPLOYMENT: &str = "DELETE FROM deployments WHERE id = $1 \
     RETURNING model_name, params, secrets, info, blocked, updated_at";
pub(super) const COUNT_CREDENTIALS: &str = "SELECT COUNT(*) AS rows FROM credentials";
pub(super) const INSERT_CREDENTIAL: &str = "INSERT INTO credentials (name, params, secrets, info, \
     created_at, created_by, updated_at, updated_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
     ON CONFLICT (name) DO NOTHING";
const LOCK_CREDENTIAL: &str = "UPDATE credentials SET updated_at = updated_at WHERE name = $1 \
     RETURNING params, secrets, info, updated_at";
pub(super) const UPDATE_CREDENTIAL: &str = "UPDATE credentials SET params = $2, secrets = $3, \
     info = $4, created_at = $5, created_by = $6, updated_at = $7, updated_by = $8 WHERE name = $1";
const DELETE_CREDENTIAL: &str =
    "DELETE FROM credentials WHERE name = $1 RETURNING params, secrets, info, updated_at";
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

impl Editor<'_> {
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
        let seals = Some(vault).filter(|_| !row.params.sealed.is_empty());
        self.insert_sealed(insert, most, seals, (deployment(&row.id), row.described())).await
    }

    /// Replaces deployments as they were read, all or none, and says in the rows when and by whom.
    ///
    /// # Errors
    /// [`WriteModelError`]; nothing is written then.
    pub async fn update_deployments(
        &self,
        vault: &Vault,
        rows: &mut [DeploymentRow],
    ) -> Result<Replaced, WriteModelError> {
        let mut transaction = Transaction::begin(self.db).await?;
        if rows.iter().any(|row| !row.params.sealed.is_empty()) {
            confirm_key(&mut transaction, vault).await?;
        }
        for row in rows {
            let lock = Statement::new(LOCK_DEPLOYMENT, [Value::from(row.id.as_str())]);
            let before = transaction.fetch(lock, Before::of_deployment).await?.pop();
            let Some(before) = before else { return Ok(Replaced::Absent) };
            if before.updated_at != row.updated_at {
                return Ok(Replaced::ChangedMeanwhile);
            }
            row.updated_at = self.later_than(before.updated_at);
            row.updated_by = Some(self.by.name.clone());
            let texts = row.texts(vault);
            transaction.execute(Statement::new(UPDATE_DEPLOYMENT, row.values(&texts))).await?;
            let after = Some(row.described());
            let difference = Difference { before: Some(before.described), after };
            record(&mut transaction, self.by, deployment(&row.id), difference).await?;
        }
        finish(transaction).await?;
        Ok(Replaced::Done)
    }

    /// Deletes a deployment, whether or not its secrets can be read. Gives whether there was one.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails; nothing is deleted then.
    pub async fn delete_deployment(&self, id: &DeploymentId) -> Result<bool, StoreError> {
        let mut transaction = Transaction::begin(self.db).await?;
        let delete = Statement::new(DELETE_DEPLOYMENT, [Value::from(id.as_str())]);
        let before = transaction.fetch(delete, Before::of_deployment).await?.pop();
        let Some(before) = before else { return Ok(false) };
        let difference = Difference { before: Some(before.described), after: None };
        self.done(transaction, deployment(id), difference).await?;
        Ok(true)
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
        self.insert_sealed(insert, most, Some(vault), (credential(&row.name), row.described()))
            .await
    }

    /// Replaces a credential as it was read, and says in the row when and by whom.
    ///
    /// # Errors
    /// [`WriteModelError`]; nothing is written then.
    pub async fn update_credential(
        &self,
        vault: &Vault,
        row: &mut CredentialRow,
    ) -> Result<Replaced, WriteModelError> {
        let mut transaction = Transaction::begin(self.db).await?;
        confirm_key(&mut transaction, vault).await?;
        let lock = Statement::new(LOCK_CREDENTIAL, [Value::from(&row.name)]);
        let before = transaction.fetch(lock, Before::of_credential).await?.pop();
        let Some(before) = before else { return Ok(Replaced::Absent) };
        if before.updated_at != row.updated_at {
            return Ok(Replaced::ChangedMeanwhile);
        }
        row.updated_at = self.later_than(before.updated_at);
        row.updated_by = Some(self.by.name.clone());
        let texts = row.texts(vault);
        transaction.execute(Statement::new(UPDATE_CREDENTIAL, row.values(&texts))).await?;
        let after = Some(row.described());
        let difference = Difference { before: Some(before.described), after };
        self.done(transaction, credential(&row.name), difference).await?;
        Ok(Replaced::Done)
    }

    /// Deletes a credential, whether or not it can be read. Gives whether there was one.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails; nothing is deleted then.
    pub async fn delete_credential(&self, name: &str) -> Result<bool, StoreError> {
        let mut transaction = Transaction::begin(self.db).await?;
        let delete = Statement::new(DELETE_CREDENTIAL, [Value::from(name)]);
        let before = transaction.fetch(delete, Before::of_credential).await?.pop();
        let Some(before) = before else { return Ok(false) };
        let difference = Difference { before: Some(before.described), after: None };
        self.done(transaction, credential(name), difference).await?;
        Ok(true)
    }

    /// Inserts a row where there is room; `seals` is the key of its secrets, if it has any.
    async fn insert_sealed(
        &self,
        insert: Statement<'_>,
        (count, most): (&'static str, u32),
        seals: Option<&Vault>,
        (object, after): (Object<'_>, Map<String, Json>),
    ) -> Result<(), WriteModelError> {
        let mut transaction = Transaction::begin(self.db).await?;
        room(&mut transaction, count, most).await?;
        if let Some(vault) = seals {
            confirm_key(&mut transaction, vault).await?;
        }
        if transaction.execute(insert).await? == 0 {
            return Err(WriteModelError::Taken);
        }
        let difference = Difference { before: None, after: Some(after) };
        Ok(self.done(transaction, object, difference).await?)
    }

    /// Records the one change of a transaction and ends it.
    async fn done(
        &self,
        mut transaction: Transaction,
        object: Object<'_>,
        difference: Difference,
    ) -> Result<(), StoreError> {
        record(&mut transaction, self.by, object, difference).await?;
        finish(transaction).await
    }
}

/// Lets another key begin once no secret is left, tells the other gateways, and commits.
pub(super) async fn finish(mut transaction: Transaction) -> Result<(), StoreError> {
    transaction.execute(Statement::new(RELEASE_CHECK, [Value::from(CHECK_SETTING)])).await?;
    Change::Models.announce(&mut transaction).await?;
    transaction.commit().await
}

/// Refused where a secret would be sealed with another key than those that are there.
pub(super) async fn confirm_key(
    transaction: &mut Transaction,
    vault: &Vault,
) -> Result<(), WriteModelError> {
    let values = [Value::from(CHECK_SETTING), Value::from(vault.check())];
    transaction.execute(Statement::new(CLAIM_CHECK, values)).await?;
    match transaction.execute(Statement::new(CONFIRM_CHECK, values)).await? {
        0 => Err(WriteModelError::OtherKey),
        _ => Ok(()),
    }
}

/// Refused where the database holds as many as it may.
pub(super) async fn room(
    transaction: &mut Transaction,
    count: &'static str,
    most: u32,
) -> Result<(), WriteModelError> {
    let read = |row: &dyn Columns| row.integer("rows");
    let counted = transaction.fetch(Statement::new(count, []), read).await?;
    if counted.first().is_some_and(|rows| *rows >= i64::from(most)) {
        return Err(WriteModelError::TooMany(most));
    }
    Ok(())
}

pub(super) fn deployment(id: &DeploymentId) -> Object<'_> {
    Object { kind: DEPLOYMENTS.1, within: "", id: id.as_str() }
}

pub(super) fn credential(name: &str) -> Object<'_> {
    Object { kind: CREDENTIALS.1, within: "", id: name }
}
